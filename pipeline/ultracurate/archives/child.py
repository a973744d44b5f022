"""Reads one 7z or RAR archive with libarchive, as a script in a process of its own that asks its parent for all bytes.

The library is C and the archive is a stranger's: what goes wrong here ends this process alone. It can open no file,
its memory is bounded, and so are the seconds of computing of each step. The script imports nothing of the package.

Both sides send frames of a letter, a length (8 bytes) and so many bytes. From the parent: `O` open, `N` next members,
`D` next piece of the data of the last, each with its settings as JSON, and `B` bytes, as an answer. To the parent: `R`
where and how many bytes are needed, `H` members as JSON, of which only the last has data, `D` data, empty at the end of
a member, `Z` the end of the archive, `X` one word about what is wrong.
"""

from __future__ import annotations

import json
import struct
import sys
import time
from ctypes import addressof, c_char_p, c_int, c_longlong, c_size_t, c_ssize_t, c_void_p, create_string_buffer, memmove
from typing import Any

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

FRAME = struct.Struct("<cQ")
RANGE = struct.Struct("<QQ")
BLOCK = 1 << 16  # bytes that libarchive gets at a time
PIECE = 1 << 20  # bytes of data that go to the parent at a time
BATCH = 1_000  # members without data that the parent is told of at a time
END, WARN, FATAL = 1, -20, -30  # archive.h
NO_MEMORY = 12  # errno
FORMATS = {"7z": ["7zip"], "rar": ["rar", "rar5"]}


def send(kind: bytes, payload: bytes = b"") -> None:
    """One frame to the parent."""
    sys.stdout.buffer.write(FRAME.pack(kind, len(payload)) + payload)
    sys.stdout.buffer.flush()


def receive() -> tuple[bytes, bytes]:
    """One frame of the parent; without a parent there is nothing left to do."""
    head = sys.stdin.buffer.read(FRAME.size)
    if len(head) < FRAME.size:
        sys.exit()
    kind, length = FRAME.unpack(head)
    return kind, sys.stdin.buffer.read(length)


class Source:
    """The archive's bytes as the callbacks of libarchive want them."""

    def __init__(self, size: int) -> None:
        self.size, self.at = size, 0
        self.buffer = create_string_buffer(BLOCK)

    def read(self, archive: int, context: int, place: Any) -> int:
        """Fill the buffer, say where it lies and how much is in it."""
        wanted = min(BLOCK, self.size - self.at)
        if wanted <= 0:
            return 0
        send(b"R", RANGE.pack(self.at, wanted))
        kind, data = receive()
        if kind != b"B" or len(data) != wanted:
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

    def __init__(self, ffi: Any, kind: str, size: int) -> None:
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
        source = Source(size)
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
        folders = 0
        while len(members) + folders < BATCH and not self.end:
            code = FATAL if self.failed else self.next_header(self.pointer, self.entry)
            if code == END or code < WARN:
                self.end = (b"Z", b"") if code == END else (b"X", self.word())
                break
            facts = self.facts()
            if facts["filetype"] & 0o170000 == 0o040000:
                folders += 1
                continue
            members.append(facts)
            if facts["size"] or not facts["size_is_set"]:
                break
        if members or folders:
            send(b"H", json.dumps({"members": members, "folders": folders}).encode())
        else:
            send(*self.end)

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
            send(b"X", self.word())
        else:
            send(b"D", self.buffer.raw[:code])

    def word(self) -> bytes:
        """What is wrong in one word: the library's own words may quote names."""
        words = (self.error(self.pointer) or b"").lower()
        if b"encrypt" in words or b"crypto" in words:
            return b"encrypted"
        if self.errno(self.pointer) == NO_MEMORY:
            return b"memory"
        return b"unsupported" if any(w in words for w in (b"supported", b"unavailable", b"codec id")) else b"damaged"


def confine(memory: int) -> None:
    """From here on: no file, no core dump, so many bytes of memory."""
    if resource is not None:
        for what, most in (("NOFILE", 3), ("FSIZE", 0), ("CORE", 0), ("AS", memory)):
            resource.setrlimit(getattr(resource, f"RLIMIT_{what}"), (most, most))


def allow(seconds: int) -> None:
    """Let the next step compute so long; the system ends the process when it takes longer."""
    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, most))


def main() -> None:
    """Answer the parent until it is gone."""
    _, first = receive()
    settings = json.loads(first)
    try:
        from libarchive import ffi
    except (ImportError, OSError, AttributeError, TypeError):  # what ctypes says where there is no such library
        return send(b"X", b"absent")
    confine(settings["memory"])
    allow(settings["seconds"])
    archive = Archive(ffi, settings["kind"], settings["size"])
    send(b"O")
    while True:
        kind, payload = receive()
        allow(json.loads(payload)["seconds"])
        if kind == b"N":
            archive.next()
        else:
            archive.data()


if __name__ == "__main__":
    main()
