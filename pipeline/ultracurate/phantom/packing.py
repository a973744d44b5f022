"""Zip and tar archives that are the same bytes every time, and a hostile zip."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile

_EPOCH = (2026, 1, 5, 9, 30, 0)


def pack_zip(members: dict[str, bytes], stored: bool = True) -> bytes:
    """A zip of name -> bytes in the given order; `stored` keeps members uncompressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(_entry(name), data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def pack_tar(members: dict[str, bytes], compress: bool = True) -> bytes:
    """A tar, gzipped if `compress`, of name -> bytes in the given order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 0
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), compresslevel=6, mtime=0) if compress else buffer.getvalue()


def pack_hostile_zip(members: dict[str, bytes], picture: bytes) -> tuple[bytes, list[str]]:
    """A zip of good `members` and four that must never be extracted; returns it and the names of those.

    They climb out of the folder, name an absolute path, climb after a good folder, and link to a system file.
    """
    escapes = ["../escape.png", "/absolute/escape.png", "images/../../escape.png"]
    link = "images/link.png"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in escapes[:2]:
            archive.writestr(_entry(name), picture)
        for name, data in members.items():
            archive.writestr(_entry(name), data)
        archive.writestr(_entry(escapes[2]), picture)
        entry = _entry(link)
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/hostname")
    return buffer.getvalue(), [*escapes, link]


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry
