"""What may identify a person, as index meets it at the door: counted by file, place and kind, never kept itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from ultracurate.core.identifying import look_at

IDENTIFYING = pa.schema(
    [
        ("dataset", pa.string()),
        ("file_id", pa.string()),
        ("where", pa.string()),
        ("kind", pa.string()),
        ("count", pa.int64()),
    ]
)
"""Side table of index: for each file the number of findings of one kind at one place. A file that is tried again is
counted again, so of its counts those of the last attempt hold."""


class Identities:
    """Collects the counts of one part; `row` is always the file's row, also for what lies in an archive."""

    def __init__(self) -> None:
        self._found: Counter[tuple[str, str, str, str]] = Counter()

    def file(self, row: Mapping[str, Any], words: frozenset[str] = frozenset()) -> None:
        """Count what the folders and the name of a file show; `words` are what its header says of a person."""
        folder, _, name = row["file_name"].rpartition("/")
        # A folder is looked at with a slash behind it: its name has no ending.
        self._add(row, "folder", look_at(f"{folder}/", words))
        self._add(row, "file", look_at(name, words))

    def member(self, row: Mapping[str, Any], path: str, words: frozenset[str] = frozenset()) -> None:
        """Count what the path of an archive's member shows."""
        self._add(row, "member", look_at(path, words))

    def header(self, row: Mapping[str, Any], keywords: Iterable[str]) -> None:
        """Count the elements of a DICOM header that identify, by keyword."""
        self._add(row, "header", Counter(keywords))

    def metadata(self, row: Mapping[str, Any], kinds: Mapping[str, int]) -> None:
        """Count the words that a picture or video carries beside its pixels (`decoding.metadata.metadata_kinds`)."""
        self._add(row, "metadata", kinds)

    def archive(self, row: Mapping[str, Any], kinds: Mapping[str, int]) -> None:
        """Count the comments and owners of an archive (`archives.comments.archive_kinds`)."""
        self._add(row, "archive", kinds)

    def side(self) -> dict[str, pa.Table]:
        """The side tables of a `Result`: one named `identifying`, or none where nothing was met."""
        return {"identifying": identifying_table(self._found)} if self._found else {}

    def _add(self, row: Mapping[str, Any], where: str, kinds: Mapping[str, int]) -> None:
        for kind, count in kinds.items():
            self._found[row["dataset"], row["file_id"], where, kind] += count


def identifying_table(found: Mapping[tuple[str, str, str, str], int]) -> pa.Table:
    """Counts by (dataset, file id, place, kind) as a table, sorted: the same files give the same bytes."""
    rows = [(*key, count) for key, count in sorted(found.items()) if count]
    return pa.Table.from_pylist([dict(zip(IDENTIFYING.names, row, strict=True)) for row in rows], schema=IDENTIFYING)
