"""Reads one 7z or RAR archive with libarchive, as a process of its own that asks its parent for all bytes.

The library is C and the archive is a stranger's: what goes wrong here ends this process alone. Requests: `O` open, `N`
next members, `D` next piece of the data of the last; with settings as JSON. Questions: where and how many bytes of the
archive are needed. Answers: `H` members as JSON, of which only the last has data, `D` data, empty at the end of a
member, `Z` the end of the archive, `X` one word about what is wrong.
"""

from __future__ import annotations

import json
import struct
from ctypes import addressof, c_char_p, c_int, c_longlong, c_size_t, c_ssize_t, c_void_p, create_string_buffer, memmove
from typing import Any

from ultracurate.core.child_side import Parent, confine, limit_memory

RANGE = struct.Struct("<QQ")
BLOCK = 1 << 16  # bytes that libarchive gets at a time
PIECE = 1 << 20  # bytes of data that go to the parent at a time
BATCH = 1_000  # members without data that the parent is told of at a time
NAMES = 1 << 20  # characters of their paths, more or less
END, WARN, FATAL = 1, -20, -30  # archive.h
NO_MEMORY = 12  # errno
FORMATS = {"7z": ["7zip"], "rar": ["rar", "rar5"]}


class Source:
    """The archive's bytes as the callbacks of libarchive want them."""

    def __init__(self, parent: Parent, size: int) -> None:
        self.parent, self.size, self.at = parent, size, 0
        self.buffer = create_string_buffer(BLOCK)

    def read(self, archive: int, context: int, place: Any) -> int:
        """Fill the buffer, say where it lies and how much is in it."""
        wanted = min(BLOCK, self.size - self.at)
        if wanted <= 0:
            return 0
        data = self.parent.ask(RANGE.pack(self.at, wanted))
        if len(data) != wanted:
            return FATAL
        memmove(self.buffer, data, wanted)
        place[0] = addressof(self.buffer)
        self.at += wanted
        return wanted

    def seek(self, archive: int, context: int, offset: int, whence: int) -> int:
        """Move, never in front of the first byte or behind the last."""
        target = offset + (0, self.at, self.size)[whence] if whence in (0, 1, 2) else -1
        if not 0 <= target <= self.size:
            return FATAL
        self.at = target
        return target


class Archive:
    """An opened archive. The functions are bound anew: those of libarchive-c take a failed checksum for data."""

    def __init__(self, ffi: Any, parent: Parent, kind: str, size: int) -> None:
        self.parent = parent
        pointer, text = c_void_p, c_char_p

        def bind(name: str, result: Any, *arguments: Any) -> Any:
            function = ffi.libarchive[f"archive_{name}"]
            function.restype, function.argtypes = result, arguments
            return function

        self.next_header = bind("read_next_header2", c_int, pointer, pointer)
        self.read_data = bind("read_data", c_ssize_t, pointer, pointer, c_size_t)
        self.errno = bind("errno", c_int, pointer)
        self.error = bind("error_string", text, pointer)
        self.utf8, self.name = (bind(f"entry_pathname{n}", text, pointer) for n in ("_utf8", ""))
        self.symlink, self.hardlink = (bind(f"entry_{n}", text, pointer) for n in ("symlink", "hardlink"))
        numbers = ("filetype", "size_is_set", "is_encrypted", "sparse_count")
        self.numbers = {name: bind(f"entry_{name}", c_int, pointer) for name in numbers}
        self.size = bind("entry_size", c_longlong, pointer)
        self.entry = bind("entry_new", pointer)()
        self.pointer = bind("read_new", pointer)()
        source = Source(parent, size)
        # Kept, because the library holds on to them.
        self.callbacks = ffi.READ_CALLBACK(source.read), ffi.SEEK_CALLBACK(source.seek), source
        for name in FORMATS[kind]:
            bind(f"read_support_format_{name}", c_int, pointer)(self.pointer)
        bind("read_set_seek_callback", c_int, pointer, ffi.SEEK_CALLBACK)(self.pointer, self.callbacks[1])
        opened = bind("read_open", c_int, pointer, pointer, ffi.OPEN_CALLBACK, ffi.READ_CALLBACK, ffi.CLOSE_CALLBACK)(
            self.pointer, None, ffi.NO_OPEN_CB, self.callbacks[0], ffi.NO_CLOSE_CB
        )
        self.failed = opened < WARN
        self.end: tuple[bytes, bytes] | tuple[()] = ()  # the frame behind the last member
        self.buffer = create_string_buffer(PIECE)

    def next(self) -> None:
        """Tell of the next members, up to the first that has data, and of how many folders lie between them."""
        members: list[dict[str, Any]] = []
        folders = letters = 0
        while len(members) + folders < BATCH and letters < NAMES and not self.end:
            code = FATAL if self.failed else self.next_header(self.pointer, self.entry)
            if code == END or code < WARN:
                self.end = (b"Z", b"") if code == END else (b"X", self.word())
                break
            facts = self.facts()
            if facts["filetype"] & 0o170000 == 0o040000:
                folders += 1
                continue
            members.append(facts)
            letters += len(facts["path"])
            if facts["size"] or not facts["size_is_set"]:
                break
        if members or folders:
            self.parent.answer(b"H", json.dumps({"members": members, "folders": folders}).encode())
        else:
            self.parent.answer(*self.end)

    def facts(self) -> dict[str, Any]:
        """What the header of the current member says."""
        raw = self.utf8(self.entry) or self.name(self.entry) or b""
        facts = {name: function(self.entry) for name, function in self.numbers.items()}
        return facts | {
            "path": raw.decode("utf-8", "surrogateescape"),
            "size": self.size(self.entry),
            "symlink": self.symlink(self.entry) is not None,
            "hardlink": self.hardlink(self.entry) is not None,
        }

    def data(self) -> None:
        """Send the next piece; a failed checksum is a warning to the library, and damage to us."""
        code = self.read_data(self.pointer, self.buffer, PIECE)
        if code < 0:
            self.failed |= code == FATAL
            self.parent.answer(b"X", self.word())
        else:
            self.parent.answer(b"D", self.buffer.raw[:code])

    def word(self) -> bytes:
        """What is wrong in one word: the library's own words may quote names."""
        words = (self.error(self.pointer) or b"").lower()
        if b"encrypt" in words or b"crypto" in words:
            return b"encrypted"
        if self.errno(self.pointer) == NO_MEMORY:
            return b"memory"
        return b"unsupported" if any(w in words for w in (b"supported", b"unavailable", b"codec id")) else b"damaged"


def main() -> None:
    """Answer the parent until it is gone."""
    parent = Parent()
    requests = parent.requests()
    _, first = next(requests)
    try:
        from libarchive import ffi
    except (ImportError, OSError, AttributeError, TypeError):  # what ctypes says where there is no such library
        parent.answer(b"X", b"absent")
        return
    settings = json.loads(first)
    confine()
    limit_memory(settings["memory"])
    archive = Archive(ffi, parent, settings["kind"], settings["size"])
    parent.answer(b"O")
    for kind, _ in requests:
        if kind == b"N":
            archive.next()
        else:
            archive.data()


if __name__ == "__main__":
    main()
