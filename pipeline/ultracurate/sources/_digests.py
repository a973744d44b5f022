"""Digests of bytes as they come, and what of them does not fit the stated size and checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ultracurate.sources._base import Fetched

CHUNK = 1 << 18


class Digests:
    """Size and digests of the bytes seen so far: sha256 always, and the one that a stated checksum needs."""

    def __init__(self, checksum: str | None = None, expected: int | None = None) -> None:
        self.size = 0
        self._checksum = checksum.lower() if checksum else None
        self._sha256 = hashlib.sha256()
        self._stated: Any = None
        name = (self._checksum or "").partition(":")[0]
        if name == "md5":
            self._stated = hashlib.md5(usedforsecurity=False)  # what Zenodo and figshare state
        elif name == "sha1_git":
            # A blob's digest covers its length too (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).
            self._stated = hashlib.sha1(f"blob {expected}\0".encode(), usedforsecurity=False)

    @property
    def sha256(self) -> str:
        """64 hex digits."""
        return self._sha256.hexdigest()

    def add(self, data: bytes) -> None:
        """Count and digest more bytes."""
        self.size += len(data)
        self._sha256.update(data)
        if self._stated is not None:
            self._stated.update(data)

    def problem(self, size: int | None) -> str | None:
        """What does not fit the expected size and the stated checksum; None if all fits."""
        if size is not None and self.size != size:
            return f"expected {size} bytes, found {self.size}"
        if self._checksum is not None:
            name = self._checksum.partition(":")[0]
            found = f"{name}:{(self._stated or self._sha256).hexdigest()}"
            if found != self._checksum:
                return f"expected {self._checksum}, found {found}"
        return None

    def fetched(self, path: Path, transferred: int = 0) -> Fetched:
        """The account of a whole file at `path`."""
        return Fetched(path, self.size, self.sha256, transferred)


def digest_file(path: Path, checksum: str | None = None, size: int | None = None) -> Digests:
    """Size and digests of a file on disk; `checksum` and `size` are what is stated of it."""
    digests = Digests(checksum, size)
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            digests.add(data)
    return digests
