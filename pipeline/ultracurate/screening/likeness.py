"""Whether two records hold the same files: by digests, else by names and sizes, else by sizes and words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ultracurate.screening.contents import IMAGES, kind
from ultracurate.screening.text import content_words
from ultracurate.sources import Candidate

MIN_SIZE = 100_000
"""Bytes from which a size alone says something."""
TELLING_SIZE = 10_000_000
"""Bytes from which two equal sizes are hardly chance."""
SHARE = 0.9
"""Share of both records' bytes that must be the same files."""
_LIKE = 0.4
_LIKE_ROUND = 0.6
"""Share of common words that must agree, where only sizes do; more for sizes such as 500,000 that many files have."""
_MAX_FILES = 20_000
_MARKS = 6
_SEVERAL = 3
_BOILERPLATE = re.compile(
    r"(?:read[ _-]?me|licen[sc]e|copying|changelog|dataset-metadata|\.gitattributes)", re.IGNORECASE
)

File = tuple[str, int]
"""Last part of the name in lower case, and bytes."""


@dataclass(frozen=True, slots=True)
class Content:
    """What of a record is compared."""

    sums: frozenset[tuple[str, int]]
    """Digest and size of each file that has both."""
    named: frozenset[File]
    sizes: tuple[int, ...]
    """Bytes of each file, sorted; of the whole record where its files are not listed."""
    digests: dict[File, str]
    words: frozenset[str]
    complete: bool
    """Whether every file's size is known."""
    summed: bool
    """Whether every file has a digest."""

    @classmethod
    def of(cls, candidate: Candidate) -> Content:
        """The comparable part of a candidate: its images where it has several, else all but boilerplate.

        Empty files say nothing, and tables beside images come and go with every upload.
        """
        files = [f for f in candidate.files[:_MAX_FILES] if f.size != 0 and not _BOILERPLATE.match(_last(f.name))]
        images = [f for f in files if kind(f.name) in IMAGES]
        if len(images) >= _SEVERAL and not any(kind(f.name) == "archive" for f in files):
            files = images
        known = [(_last(f.name), f.size, f.checksum) for f in files if f.size is not None]
        sizes = sorted(size for _, size, _ in known)
        if not candidate.files and not candidate.files_listed and candidate.total_bytes:
            sizes = [candidate.total_bytes]
        return cls(
            frozenset((sum_, size) for _, size, sum_ in known if sum_),
            frozenset((name, size) for name, size, _ in known),
            tuple(sizes),
            {(name, size): sum_ for name, size, sum_ in known if sum_},
            content_words(candidate.title),
            len(known) == len(files),
            bool(known) and len(known) == len(files) and all(sum_ for _, _, sum_ in known),
        )

    def marks(self) -> Iterator[object]:
        """A few keys that records with the same files share: of the largest files, and of some drawn by digest."""
        large = sorted(self.named, key=lambda file: (-file[1], file[0]))[:_MARKS]
        drawn = sorted(self.named, key=lambda file: hashlib.blake2b(repr(file).encode("utf-8", "replace")).digest())
        yield from {*large, *drawn[:_MARKS]}
        sums = sorted(self.sums)
        yield from {*sums[:_MARKS], *sorted(self.sums, key=lambda one: -one[1])[:_MARKS]}
        if self.sizes and sum(self.sizes) >= MIN_SIZE:
            yield sum(self.sizes)


def same_files(one: Content, other: Content) -> str:
    """Why two records hold the same files, for people; empty where they do not, or where it is not sure."""
    if _contradict(one, other):
        return ""
    if one.summed and other.summed:
        if one.sums == other.sums:
            return f"all {len(one.sums)} files have the same digests"
        if share := _share(one.sums, other.sums):
            return f"{share:.0%} of the bytes have the same digests"
    known = one.complete and other.complete
    like = _likeness(one.words, other.words)
    total = sum(one.sizes)
    round_ = any(size % 1000 == 0 or size % 1024 == 0 for size in one.sizes[-3:])
    if known and one.named and one.named == other.named:
        few_small = total < MIN_SIZE and len(one.named) < 3
        if not (few_small or round_) or like >= _LIKE:
            return f"all {len(one.named)} files have the same names and sizes"
    telling = total >= TELLING_SIZE or (total >= MIN_SIZE and len(one.named) > 2)
    several = known and telling and (like >= _LIKE or not round_)
    if several and (share := _share(one.named, other.named)):
        return f"{share:.0%} of the bytes are in files of the same names and sizes"
    if one.sizes == other.sizes and total >= MIN_SIZE and known:
        enough = _LIKE_ROUND if round_ else 0.01 if total >= TELLING_SIZE else _LIKE
        if like >= enough:
            return f"the same {total} bytes under another name, and like titles"
    return ""


def _contradict(one: Content, other: Content) -> bool:
    """Whether a file of the same name and size has another digest of the same kind."""
    smaller, larger = sorted((one.digests, other.digests), key=len)
    differing = 0
    for file, digest in smaller.items():
        theirs = larger.get(file)
        if theirs and theirs.partition(":")[0] == digest.partition(":")[0] and theirs != digest:
            differing += file[1]
    return differing > (1 - SHARE) * max(1, sum(one.sizes))


def _share(mine: frozenset[File], theirs: frozenset[File]) -> float:
    """Share of the larger record's bytes that both have; 0 below `SHARE`."""
    common = sum(size for _, size in mine & theirs)
    total = max(sum(size for _, size in side) for side in (mine, theirs))
    return common / total if common and common >= SHARE * total else 0.0


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the shorter title's words that are in the longer one too."""
    return len(one & other) / min(len(one), len(other)) if one and other else 0.0


def _last(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].casefold()
