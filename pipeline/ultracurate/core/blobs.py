"""Pixels by reference: where the encoded bytes of an image lie, read with one range request and checked by digest."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ultracurate.core.errors import ConfigError, RowError
from ultracurate.core.store import Store

ROOT = "root://"
DEFLATE = "#deflate"
MOST_INFLATED = 2 << 30
"""Bytes: what one zip member may inflate to."""
MOST_UNCHECKED = 64 << 20
"""Bytes of unknown content that are held: a file that was swapped after indexing must not become a bomb."""
_PIECE = 1 << 20


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
                raise RowError(f"{shown(uri)}: leads out of the work directory; refused")
            return self.store.local / uri if self.store.local else None
        name, _, rest = uri.removeprefix(ROOT).partition("/")
        if name not in self.roots:
            raise ConfigError(
                f"Root {name!r} is not known, so its files cannot be read. Name its folder with --root {name}=FOLDER, "
                f"ULTRACURATE_ROOT_{name.upper()} or `roots:` in the recipe."
            )
        root = Path(self.roots[name]).resolve()
        path = (root / rest).resolve()
        if not path.is_relative_to(root):
            raise RowError(f"{shown(uri)}: leads out of its root folder; refused")
        return path

    def open(self, uri: str) -> IO[bytes]:
        """A seekable binary reader of the whole file behind a uri."""
        path = self.local_path(uri)
        return path.open("rb") if path else self.store.open(uri)

    def read(self, ref: PixelRef) -> bytes:
        """The encoded bytes; a digest that does not fit raises `RowError` (the file was changed after indexing).

        Never more than the reference's `length` is read. Where that does not say how much will come of it (a deflated
        member, a whole file), more than `MOST_UNCHECKED` is held only after its digest is known to fit.
        """
        most = _held(ref.uri, ref.length)
        digest, kept, size = hashlib.sha256(), bytearray(), 0
        for piece in self._pieces(ref.uri, ref.offset, ref.length):
            digest.update(piece)
            size += len(piece)
            if size <= most:
                kept += piece
        if digest.hexdigest() != ref.sha256:
            raise RowError(
                f"{shown(ref.uri)}: expected sha256 {ref.sha256}, found {digest.hexdigest()}. "
                "The file changed after it was indexed; restore it, or run again from download."
            )
        return bytes(kept) if size <= most else self._at_most(ref.uri, ref.offset, ref.length, size)

    def read_range(self, uri: str, offset: int | None, length: int | None) -> bytes:
        """Bytes of a range, inflated where the uri says so; not checked, so what inflates is at most `MOST_UNCHECKED`.

        Raises:
            RowError: there are more, the member is damaged, or the file is gone.
        """
        return self._at_most(uri, offset, length, _held(uri, length))

    def _at_most(self, uri: str, offset: int | None, length: int | None, most: int) -> bytes:
        data = bytearray()
        for piece in self._pieces(uri, offset, length):
            data += piece
            if len(data) > most:
                raise RowError(
                    f"{shown(uri)}: expected at most {most} bytes, found more. If the file changed, restore it"
                )
        return bytes(data)

    def _pieces(self, uri: str, offset: int | None, length: int | None) -> Iterator[bytes]:
        """The bytes of a range in pieces, inflated where the uri says so."""
        file = uri.removesuffix(DEFLATE)
        if not uri.endswith(DEFLATE):
            yield from self._stored(file, offset or 0, length)
            return
        stream, size = zlib.decompressobj(wbits=-15), 0
        try:
            for packed in self._stored(file, offset or 0, length):
                rest = packed
                while rest and not stream.eof:
                    data = stream.decompress(rest, _PIECE)
                    rest = stream.unconsumed_tail
                    size += len(data)
                    if size > MOST_INFLATED:
                        raise zlib.error("too large")
                    yield data
            yield stream.flush()
            if not stream.eof:
                raise zlib.error("incomplete")
        except zlib.error:
            raise RowError(
                f"{shown(uri)}: expected a zip member at byte {offset}, found a damaged one; restore the file"
            ) from None

    def _stored(self, file: str, offset: int, length: int | None) -> Iterator[bytes]:
        if length == 0:
            return
        path = self.local_path(file)
        if path is None and length is not None:
            yield self.store.read(file, offset, length)  # one request of an object store
            return
        try:
            with self.open(file) as reader:
                reader.seek(offset)
                left = length
                while (left is None or left > 0) and (data := reader.read(min(_PIECE, left or _PIECE))):
                    yield data
                    left = None if left is None else left - len(data)
        except FileNotFoundError:
            raise RowError(
                "Expected the file that was indexed, found none. Put it back, or run again from discover"
            ) from None


def _held(uri: str, length: int | None) -> int:
    """Bytes of a range that may be held before their digest is known."""
    return MOST_UNCHECKED if length is None or uri.endswith(DEFLATE) else length


def shown(uri: str) -> str:
    """The file as a message may show it: names can be those of patients, so only where it lies and its ending."""
    file = uri.removesuffix(DEFLATE)
    place = f"root {file.removeprefix(ROOT).partition('/')[0]!r}" if file.startswith(ROOT) else "the work directory"
    return f"a {PurePosixPath(file).suffix[:9].lower() or 'nameless'} file of {place}"


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
