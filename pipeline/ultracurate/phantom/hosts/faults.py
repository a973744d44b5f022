"""What can go wrong at the local hosts, and the counters behind it."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from ultracurate.phantom.hosts.records import Blob, HostFile


@dataclass(frozen=True)
class Faults:
    """What goes wrong, for paths that contain `only` (empty: all); a path is `/<host>/...`, or `/storage/<host>/...`.

    The sets of keys name files by their `HostFile.key`.
    """

    only: str = ""
    fail_first: int = 0
    """The first n requests for each path answer `fail_status`."""
    fail_status: int = 503
    retry_after: str | None = "0"
    """With it: seconds, or an HTTP date; None leaves the header out."""
    cut_after: int | None = None
    """The connection closes after that many bytes of a file's body, the first `cut_times` times for each path."""
    cut_times: int = 1
    cut_at: tuple[int, ...] = ()
    """Places in a file, counted from its start: a body that would pass the next unused one ends exactly there."""
    cut_chunked: int | None = None
    """As `cut_after`, of a body in chunks without a length; all other bodies come whole, in chunks too."""
    clean_end: bool = False
    """A cut body in chunks ends with the last chunk, as if it were whole: only its size and digest tell."""
    reset: bool = False
    """Cut connections are reset instead of closed."""
    ignore_range: bool = False
    wrong_content_range: bool = False
    """206 names another place than the one it sends."""
    change_etag: bool = False
    """Every answer has another ETag."""
    change_file_after: int | None = None
    """After that many requests for a file it has other bytes of the same size, and another ETag."""
    weak_etag: bool = False
    multipart_etag: bool = False
    no_etag: bool = False
    """Neither ETag nor Last-Modified."""
    no_length: bool = False
    """Bodies of files come in chunks."""
    html_instead: frozenset[str] = frozenset()
    """200 with a web page."""
    empty_instead: frozenset[str] = frozenset()
    """202 with no byte, as a firewall's challenge."""
    xml_error_instead: frozenset[str] = frozenset()
    """200 with an object store's error."""
    lfs_pointer_instead: frozenset[str] = frozenset()
    wrong_md5: frozenset[str] = frozenset()
    """Digests of these in the metadata are wrong."""
    no_md5: frozenset[str] = frozenset()
    """Digests of these are missing from the metadata."""
    block_agents: tuple[str, ...] = ()
    """Prefixes of a User-Agent that are refused."""
    head_status: int | None = None
    """What every HEAD answers."""
    drip: int | None = None
    """Bytes a second of a file's body."""
    drip_header: float | None = None
    """Seconds between two bytes of the status line."""
    signature_seconds: float | None = None
    """Life of a signed address; None: as long as the host says."""
    refuse_signed_first: int = 0
    """The first n uses of each signed path answer 403."""
    shrink_pages: int | None = None
    """Lists come in pages of at most so many, whatever was asked."""
    error_in_200: bool = False
    """Errors come with status 200 where the host is known to do so (Kaggle): only the body tells."""

    def at(self, path: str) -> Faults:
        """What goes wrong at a path: these, or none."""
        return self if self.only in path else NONE

    def digest(self, file: HostFile, name: str = "md5") -> str | None:
        """The digest (`md5` or `sha256`, in hex) that the metadata states; None if it states none."""
        if file.key in self.no_md5:
            return None
        true: str = getattr(file, name)
        # Another hex digit at the front: wrong whatever the digest is.
        return f"{(int(true[0], 16) + 1) % 16:x}{true[1:]}" if file.key in self.wrong_md5 else true

    def page_size(self, asked: int) -> int:
        """Rows of a page that was asked for with a size."""
        return asked if self.shrink_pages is None else min(asked, self.shrink_pages)


NONE = Faults()


@dataclass
class Uses:
    """How often each fault was used, by path; shared by the threads of one server."""

    faults: Faults = NONE
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def switch(self, faults: Faults) -> None:
        """Other faults from now on, all unused."""
        with self._lock:
            self.faults = faults
            self._counts.clear()

    def count(self, what: str, path: str) -> int:
        """How often this was called with the same words, this time included."""
        with self._lock:
            self._counts[what, path] += 1
            return self._counts[what, path]

    def cut(self, path: str, start: int, stop: int) -> int | None:
        """Where, between the bytes [start, stop) of a file, the connection breaks this time; None for nowhere."""
        faults = self.faults.at(path)
        after = faults.cut_after if faults.cut_chunked is None else faults.cut_chunked
        if after is not None and start + after < stop and self.count("cut", path) <= faults.cut_times:
            return start + after
        with self._lock:
            used = self._counts["cut_at", path]
            places = sorted(faults.cut_at)
            while used < len(places) and places[used] < start:  # passed by: this transfer began behind it
                used += 1
            place = places[used] if used < len(places) and places[used] < stop else None
            self._counts["cut_at", path] = used + (place is not None)
        return place


def other_bytes(file: HostFile) -> HostFile:
    """A file of the same name and size with other bytes."""
    return HostFile(file.key, Blob(file.size, seed=0x5EED))
