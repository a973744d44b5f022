"""Sentences of a description, and whether ultrasound is the matter of one or is named in passing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ultracurate.screening.besides import DENIED, DENIED_AT_ALL
from ultracurate.screening.text import words

_END = re.compile(r"\s*https?://\S+\s*|(?<=[.!?;])\s+|[。！？；]|\s*[\n\r]+\s*|\s+[•*-]\s+")
_BLANKS = re.compile(r"[^\S\n\r]+")
"""Runs of blanks: `_END` would look through each from each of its places."""
_BEFORE = """
compared with | compared to | in comparison with | in comparison to | comparison with | versus | vs | than | unlike
| instead of | rather than | without | not | no | confirmed by | confirmed with | confirmed on | confirmed at |
proven by | proved by | verified by | diagnosed by | diagnosed with | diagnosed on | detected by | found by | found
on | seen on | identified by | labelled from | labeled from | labels from | known from | borrowed from | adapted
from | inspired by | transferred from | similar to | analogous to | followed by | followed with | after
| before | prior to | underwent | undergoing | referred for | such as | in addition to | besides | beyond | into the
| above the | had only | by means other than | correlated with | matched with | in contrast to | alternative to |
guided by | based on prior | under | result of | results of | outcome of | according to
"""
_AFTER = """
had found | had shown | has found | found the | had detected | was not | were not | is not | are not | was normal |
reports were | report was | was used to find | was used to select | was used to guide | was used to confirm | was
done before | findings | was also | were left out | was excluded | was performed before | examinations were used |
range | frequencies | frequency | waves | wave | power | energy | exposure | bath | probe sonicator
"""
_LATER = "before | prior to | ahead of | previous to | planned for | eligible for | suitable for"
_PICTURES = frozenset(
    ["image", "images", "picture", "pictures", "still", "stills", "frame", "frames", "clip", "clips", "video", "videos"]
)
_TIMES = (("after",), ("before",))
REACH = 3
"""Words between a cue and the term that it makes one in passing."""


def sentences(text: str, most: int) -> Iterator[list[str]]:
    """Folded words of each sentence, at most so many in all."""
    left = most
    for part in _END.split(_BLANKS.sub(" ", text)):
        found = words(part)[:left]
        left -= len(found)
        if found:
            yield found
        if left <= 0:
            return


def denies(sentence: Sequence[str]) -> bool:
    """Whether the sentence says that something is not there."""
    joined = f" {' '.join(sentence)} "
    return any(f" {words} " in joined for words in DENIED)


def has_no_images(sentence: Sequence[str]) -> bool:
    """Whether the sentence says that something else is all there is: `only the readings are given`."""
    joined = f" {' '.join(sentence)} "
    return any(f" {words} " in joined for words in DENIED_AT_ALL)


def in_passing(sentence: Sequence[str], at: int, length: int) -> bool:
    """Whether a cue stands shortly before or right behind the term of `length` words at `at`."""
    if sentence[at + 1 : at + 2] and sentence[at + 1].startswith("guid"):
        return False  # `under ultrasound guidance`: it is what was looked at
    start = max(0, at - REACH - 3)
    before = [(n, cue) for n in range(start, at) for cue in _cues(_BEFORE) if _stands(sentence, n, cue)]
    if not _PICTURES.isdisjoint(sentence[at + length : at + length + 1]):
        before = [(n, cue) for n, cue in before if cue not in _TIMES]  # `before and after a meal, ultrasound stills`
    if any(n + len(cue) <= at <= n + len(cue) + REACH for n, cue in before):
        return True
    end = at + length
    return any(_stands(sentence, n, cue) for n in range(at + 1, end + 2) for cue in _cues(_AFTER))


def to_come(sentence: Sequence[str], at: int) -> bool:
    """Whether the treatment named at `at` comes after what is described: `before focused ultrasound`."""
    near = range(max(0, at - REACH), at)
    return any(_stands(sentence, n, cue) for n in near for cue in _cues(_LATER))


def _stands(sentence: Sequence[str], at: int, cue: tuple[str, ...]) -> bool:
    return tuple(sentence[at : at + len(cue)]) == cue


@lru_cache(maxsize=3)
def _cues(listed: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(cue.split()) for cue in listed.split("|"))
