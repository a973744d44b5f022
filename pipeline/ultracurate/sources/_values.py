"""What several hosts say in the same words: digests, licences, relations; and files that share one name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ultracurate.core.licences import find_licence
from ultracurate.sources._base import RemoteFile
from ultracurate.sources._fields import text
from ultracurate.sources.zenodo import SAME

_DIGITS = {"md5": 32, "sha256": 64}


def digest(kind: str, value: Any) -> str | None:
    """`<kind>:<hex>` of an md5 or sha256 in hex; None if it is none."""
    shown = (text(value) or "").lower()
    return f"{kind}:{shown}" if re.fullmatch(f"[0-9a-f]{{{_DIGITS[kind]}}}", shown) else None


def licence(*written: Any) -> tuple[str | None, str | None]:
    """The first of several texts for one licence, and the SPDX id that any of them names."""
    shown = [found for one in written if (found := text(one))]
    return next(iter(shown), None), next(filter(None, map(find_licence, shown)), None)


def related(links: Iterable[Mapping[str, Any]], relation: str, target: str) -> Iterator[str]:
    """Targets of those links that make two records one set of data; the names of both fields differ by host."""
    for link in links:
        words = re.sub(r"[^a-z]", "", (text(link.get(relation)) or "").lower())
        if words in SAME and (found := text(link.get(target))):
            yield found


def apart(files: Iterable[tuple[str, RemoteFile]]) -> tuple[RemoteFile, ...]:
    """The files, given with their host's ids; those that share a name lie in a folder named after their id."""
    listed = list(files)
    seen = Counter(file.name for _, file in listed)
    return tuple(file if seen[file.name] == 1 else replace(file, name=f"{id}/{file.name}") for id, file in listed)
