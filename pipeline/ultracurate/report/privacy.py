"""Says what may identify a person in the files as they came: how many files, where, of which kind, and never what."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from ultracurate.core.identifying import KINDS
from ultracurate.report.markup import Html, Node, data_table, el, section
from ultracurate.report.model import RunTables
from ultracurate.report.wording import count, readable

PLACES = {
    "folder": "names of folders",
    "file": "names of files",
    "member": "names inside archives",
    "header": "DICOM headers",
    "metadata": "fields of pictures, videos and volumes",
    "archive": "comments and owners of archives",
}
"""Where index looks, in the order of the page."""

_LEAD = (
    "What the files carried beside their pixels. Names stay in the tables of this work directory, headers and fields "
    "are dropped when the pixels are read, and of all that is listed here only these counts go any further: neither a "
    "shard nor this page holds one of the words. Rules recognise shapes, so some of what is counted names nobody, and "
    "a name that looks like any other word is missed."
)
_HELD_BACK = "another field"
_KEYWORD = re.compile(r"[A-Za-z_]{1,64}")


def met_at_the_door(tables: RunTables) -> dict[tuple[str, str], tuple[int, Counter[str]]]:
    """For each (dataset, place): the number of files with a finding there, and the findings by kind."""
    files: dict[tuple[str, str], set[str]] = defaultdict(set)
    kinds: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in tables.identifying.to_pylist() if tables.identifying is not None else ():
        key = row["dataset"], row["where"]
        files[key].add(row["file_id"])
        kinds[key][row["kind"]] += row["count"]
    order = list(PLACES)
    keys = sorted(files, key=lambda key: (key[0], order.index(key[1]) if key[1] in PLACES else len(order), key[1]))
    return {key: (len(files[key]), kinds[key]) for key in keys}


def privacy_section(tables: RunTables) -> Html | None:
    """One line for each dataset and place; None for a run that did not look."""
    if tables.identifying is None:
        return None
    found = met_at_the_door(tables)
    title = "Identities met at the door"
    if not found:
        return section("privacy", title, _LEAD, el("p", "Nothing of the kind was met.", class_="empty"))
    heads = ("dataset", "where", "files", "found")
    rows: list[list[Node]] = [
        [el("code", dataset), PLACES.get(where, readable(where)), count(files), _listed(kinds)]
        for (dataset, where), (files, kinds) in found.items()
    ]
    return section("privacy", title, _LEAD, data_table(title, heads, rows, numbers=(2,)))


def _listed(kinds: Counter[str]) -> str:
    """Kinds with their numbers, the most frequent first; only words that are keywords are shown."""
    named: Counter[str] = Counter()
    for kind, number in kinds.items():
        named[KINDS.get(kind) or (readable(kind) if _KEYWORD.fullmatch(kind) else _HELD_BACK)] += number
    return "; ".join(f"{name}: {count(number)}" for name, number in sorted(named.items(), key=lambda i: (-i[1], i[0])))
