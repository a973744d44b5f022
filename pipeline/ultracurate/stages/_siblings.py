"""The data file that a header names: the pixels of `.mhd`, `.nhdr` and `.hdr` lie in another file beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from ultracurate.archives.reading import DEFAULT_LIMITS, ArchiveLimits
from ultracurate.core.context import Context
from ultracurate.core.errors import RowError
from ultracurate.stages._containers import Prepared, Row, open_file, parts_of, whole_file


def read_sibling(
    row: Row,
    ctx: Context,
    beside: str,
    name: str,
    limits: ArchiveLimits = DEFAULT_LIMITS,
    prepared: Prepared | None = None,
) -> bytes:
    """The bytes, as they are stored, of the file that a header names: for `.mhd` with `.raw`, `.hdr` with `.img`.

    Args:
        row: of the file in which the header lies.
        ctx: as in `open_file`.
        beside: path of the header, as in `Entry.path`.
        name: what it names, relative to its folder.
        limits: as in `open_file`.
        prepared: what `locate_parts` found for the row.

    Raises:
        RowError: the name leads out of the dataset, or there is no such file.
    """
    path = sibling_path(beside, name)
    for _, data in read_siblings(row, ctx, {path}, limits, prepared):
        return data
    raise RowError(
        "Expected the data file that the header names, found none beside it. Add it to the dataset's files, in the "
        "same folder or archive"
    )


def read_siblings(
    row: Row,
    ctx: Context,
    paths: Collection[str],
    limits: ArchiveLimits = DEFAULT_LIMITS,
    prepared: Prepared | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Those of the files that are there, as (path, bytes as they are stored), in one pass over an archive.

    The paths are those that `sibling_path` gives. Other arguments and errors as in `read_sibling`.
    """
    left = set(paths)
    for name, uri, _ in parts_of(prepared or {}).get("beside", []):
        if name in left:
            with ctx.blobs.open(uri) as file:
                yield name, whole_file(cast(BinaryIO, file), name, uri, limits).read()
    if not any(path.startswith(f"{row['file_name']}/") for path in left):
        return
    for entry in open_file(row, ctx, limits, prepared, as_stored=left):
        if entry.path in left and not entry.problem:
            left.discard(entry.path)
            yield entry.path, entry.read()
            if not left:
                return


def sibling_path(beside: str, name: str) -> str:
    """The path of the file that the header at `beside` names.

    Raises:
        RowError: the name is absolute or climbs; data files lie beside their header or below.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ":" in parts[0] or ".." in parts:
        raise RowError(
            "Expected a header that names a file beside it, found an absolute path or one that climbs ('..')"
        )
    return str(PurePosixPath(beside).parent.joinpath(*parts))
