"""Archives that a host makes of a record's files: the same files give the same bytes."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from ultracurate.phantom.hosts.records import HostFile

_IN_MEMORY = 32 << 20


def bundle(key: str, files: Iterable[HostFile], scratch: Path, *, pack: bool = False, top: str = "") -> HostFile:
    """A zip of `files` below the folder `top`; a large one is written to the folder `scratch`."""
    members = list(files)
    if sum(file.size for file in members) <= _IN_MEMORY:
        buffer = io.BytesIO()
        _write(buffer, members, pack, top)
        return HostFile(key, buffer.getvalue())
    name = hashlib.sha256(repr((key, members, top)).encode()).hexdigest()
    path = scratch / f"{name[:32]}-{len(list(scratch.iterdir()))}.zip"
    with path.open("wb") as file:
        _write(file, members, pack, top)
    return HostFile(key, path)


def _write(target: IO[bytes], members: list[HostFile], pack: bool, top: str) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if pack else zipfile.ZIP_STORED) as archive:
        for file in members:
            info = zipfile.ZipInfo(top + file.key)
            info.compress_type = archive.compression
            info.file_size = file.size
            with archive.open(info, "w") as member:
                for piece in file.pieces():
                    member.write(piece)
