"""Candidates for the tests of the rules."""

from __future__ import annotations

from typing import Any

from ultracurate.sources import Candidate, RemoteFile


def candidate(record: str | None = "1", host: str = "zenodo", **changes: Any) -> Candidate:
    """A promising, open record of one archive."""
    plain: dict[str, Any] = {
        "host": host,
        "record": record,
        "title": "Thyroid ultrasound images",
        "description": "<p>B-mode images.</p>",
        "url": f"https://{host}.example/{record}",
        "access": "open",
        "licence_raw": "cc-by-4.0",
        "licence_spdx": "CC-BY-4.0",
        "files": files(("images.7z", 2_345_678)),
    }
    return Candidate(**plain | changes)


def files(*listed: tuple[str, int] | tuple[str, int, str] | str) -> tuple[RemoteFile, ...]:
    """Files given as a name, or name, size and digest."""
    made = []
    for one in listed:
        name, size, digest = (*((one,) if isinstance(one, str) else one), None, None)[:3]
        made.append(RemoteFile(str(name), f"https://host.example/{name}", size, digest))
    return tuple(made)
