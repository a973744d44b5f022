"""Pixels by reference: where the encoded bytes of an image lie, read with one range request and checked by digest."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ultracurate.core.errors import ConfigError, RowError
from ultracurate.core.store import Store

ROOT = "root://"
DEFLATE = "#deflate"
MOST_INFLATED = 2 << 30
"""Bytes: what one zip member may inflate to; a file that was swapped after indexing must not become a bomb."""


@dataclass(frozen=True, slots=True)
class PixelRef:
    """Encoded bytes inside a file.

    `uri` is a path under the work directory or `root://<name>/<path>`; a `#deflate` ending says that the range is a
    raw deflate stream (a zip member), so even compressed members need one read and no copy. `length` None means the
    whole file; `sha256` is of the encoded bytes after inflating.
    """

    uri: str
    offset: int | None
    length: int | None
    sha256: str

    def columns(self, prefix: str) -> dict[str, Any]:
        """The reference as row columns `<prefix>_uri`, `_offset`, `_length`, `_sha256`."""
        return {
            f"{prefix}_uri": self.uri,
            f"{prefix}_offset": self.offset,
            f"{prefix}_length": self.length,
            f"{prefix}_sha256": self.sha256,
        }

    @classmethod
    def of(cls, row: Mapping[str, Any], prefix: str) -> PixelRef:
        """The reference held by a row under `prefix`."""
        return cls(row[f"{prefix}_uri"], row[f"{prefix}_offset"], row[f"{prefix}_length"], row[f"{prefix}_sha256"])


class Blobs:
    """Opens references: files of the work directory and of the recipe's named roots."""

    def __init__(self, store: Store, roots: Mapping[str, str]) -> None:
        self.store = store
        self.roots = dict(roots)

    def local_path(self, uri: str) -> Path | None:
        """The local file behind a uri, or None if it lies on a remote work directory."""
        if not uri.startswith(ROOT):
            inside = PurePosixPath(uri)
            if inside.is_absolute() or ".." in inside.parts:
                raise RowError(f"{uri} leads out of the work directory; refused")
            return self.store.local / uri if self.store.local else None
        name, _, rest = uri.removeprefix(ROOT).partition("/")
        if name not in self.roots:
            raise ConfigError(
                f"Root {name!r} is not known, so {uri} cannot be read. Name its folder with --root {name}=FOLDER, "
                f"ULTRACURATE_ROOT_{name.upper()} or `roots:` in the recipe."
            )
        root = Path(self.roots[name]).resolve()
        path = (root / rest).resolve()
        if not path.is_relative_to(root):
            raise RowError(f"{uri} leads out of its root folder; refused")
        return path

    def open(self, uri: str) -> IO[bytes]:
        """A seekable binary reader of the whole file behind a uri."""
        path = self.local_path(uri)
        return path.open("rb") if path else self.store.open(uri)

    def read(self, ref: PixelRef) -> bytes:
        """The encoded bytes; a digest that does not fit raises `RowError` (the file was changed after indexing)."""
        data = self.read_range(ref.uri, ref.offset, ref.length)
        found = hashlib.sha256(data).hexdigest()
        if found != ref.sha256:
            raise RowError(
                f"{ref.uri}: expected sha256 {ref.sha256}, found {found}. "
                "The file changed after it was indexed; restore it, or run again from download."
            )
        return data

    def read_range(self, uri: str, offset: int | None, length: int | None) -> bytes:
        """Bytes of a range, inflated where the uri says so; not checked."""
        file = uri.removesuffix(DEFLATE)
        path = self.local_path(file)
        if path is None:
            data = self.store.read(file, offset or 0, length)
        else:
            try:
                with path.open("rb") as reader:
                    reader.seek(offset or 0)
                    data = reader.read(-1 if length is None else length)
            except FileNotFoundError:
                raise RowError(
                    "Expected the file that was indexed, found none. Put it back, or run again from discover"
                ) from None
        if uri.endswith(DEFLATE):
            stream = zlib.decompressobj(wbits=-15)
            try:
                data = stream.decompress(data, MOST_INFLATED)
                if not stream.eof:
                    raise zlib.error("incomplete or too large")
                return data
            except zlib.error as exc:
                raise RowError(f"{file}: damaged zip member at byte {offset}: {exc}") from exc
        return data


class PackWriter:
    """Appends encoded pixels to one deterministic tar (no times, no owners) and hands out references."""

    def __init__(self, file: IO[bytes], uri: str) -> None:
        self._file = file
        self._uri = uri
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT, encoding="utf-8")  # noqa: SIM115 - closed in close()
        self.members = 0

    def add(self, name: str, data: bytes) -> PixelRef:
        """Append one member and return where its bytes will lie."""
        import io

        info = tarfile.TarInfo(name)
        info.size = len(data)
        offset = self._tar.offset + tarfile.BLOCKSIZE  # ustar: one header block before the data
        self._tar.addfile(info, io.BytesIO(data))
        self.members += 1
        return PixelRef(self._uri, offset, len(data), hashlib.sha256(data).hexdigest())

    def close(self) -> None:
        """Write the end of the tar."""
        self._tar.close()
