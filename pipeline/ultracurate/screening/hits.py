"""Terms of the vocabulary in a run of words: the longest one at each place, and what stands beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ultracurate.screening import besides, fields, terms
from ultracurate.screening.text import fold

NEAR = 3
"""Words between which two terms count as one expression, such as `liver US`."""
_NEAR_OF = 5
"""The same after `of`: `ultrasound of the newborn hip`."""
_BESIDE_IMAGE, _BESIDE_ORGAN = 1.0, 1.0
_OTHER = 4.0
_COMPOUND = 3.0
"""Of a word that has ultrasound inside it, such as `Muskelsonographie`."""
_INSIDE = re.compile(r"sonogra[fp]|ultraschall|ultraso[nu]|echogra[fp]|ekogra[fp]|echo[ck]ardio")


@dataclass(frozen=True, slots=True)
class Hit:
    """One term where it stands."""

    group: str
    weight: float
    name: str
    at: int
    """Number of its first word in the run."""
    place: str
    unsure: bool = False


def find(found: list[str], place: str) -> list[Hit]:
    """Terms in a run of words: at each place the longest one; unsure ones only beside their like."""
    hits: list[Hit] = []
    at = 0
    while at < len(found):
        fitting = [(rest, meanings) for rest, meanings in _starting(found[at]) if _follows(found, at + 1, rest)]
        rest, meanings = fitting[-1] if fitting else ((), ())
        end = at + 1 + len(rest)
        name = " ".join(found[at:end])
        hits += [Hit(group, weight, name, at, place, unsure) for group, weight, unsure in meanings]
        if rest and any(group == "ultrasound" for group, _, _ in meanings):  # `lung ultrasound` names an organ too
            for n in range(at, end):
                own = next((meanings for rest, meanings in _starting(found[n]) if not rest), ())
                hits += [Hit(group, w, found[n], n, place) for group, w, _ in own if group in ("organ", "image")]
        if not fitting:
            hits += [Hit(group, weight, term, at, place) for group, weight, term in _inside(found[at])]
            if _INSIDE.search(found[at]):
                hits.append(Hit("ultrasound", _COMPOUND, found[at], at, place))
        at = end
    return _with_neighbours(hits, found)


def _follows(found: list[str], at: int, rest: tuple[str, ...]) -> bool:
    """Whether the words from `at` on are the rest of a term."""
    there = found[at : at + len(rest)]
    return len(there) == len(rest) and all(map(_fits, there, rest))


def _with_neighbours(hits: list[Hit], found: list[str]) -> list[Hit]:
    """Unsure terms dropped that stand alone, and what stands beside an organ or image word counted once more."""
    organs = [hit.at for hit in hits if hit.group == "organ"]
    images = [hit.at for hit in hits if hit.group == "image"]
    others = [hit.at for hit in hits if hit.group == "other modality"]
    made: list[Hit] = []
    for hit in hits:
        if hit.group == "ultrasound":
            end = hit.at + len(hit.name.split())
            far = _NEAR_OF if found[end : end + 1] == ["of"] else NEAR
            organ, image, other = (any(abs(at - hit.at) <= NEAR for at in near) for near in (organs, images, others))
            organ = organ or any(0 < at - hit.at <= far for at in organs)
            image = image and not hit.name.startswith("dop")  # Doppler pictures are those of radars and flows as well
            if hit.unsure and not (organ or image or other):
                continue
            if organ and hit.weight >= 2:
                made.append(Hit("beside an organ", _BESIDE_ORGAN, hit.name, hit.at, hit.place))
            if image and hit.weight >= 2:
                made.append(Hit("beside an image word", _BESIDE_IMAGE, hit.name, hit.at, hit.place))
        made.append(hit)
    return made


Meaning = tuple[str, float, bool]


@lru_cache(maxsize=1)
def _index() -> tuple[dict[str, dict[tuple[str, ...], list[Meaning]]], dict[str, list[str]]]:
    """Terms by their first word, and first words that stand for any ending by their first two letters."""
    index: dict[str, dict[tuple[str, ...], list[Meaning]]] = {}
    stems: dict[str, list[str]] = {}
    rows = [*terms.FOR, *fields.AGAINST, *besides.BESIDES]
    rows.append(("other modality", _OTHER, tuple(fields.OTHER_MODALITIES.split("|"))))
    for group, weight, listed in rows:
        for term in listed:
            unsure = term.strip().startswith("~")
            first, *rest = fold(term.replace("~", "")).split()
            if first not in index and first.endswith("*"):
                stems.setdefault(first[:2], []).append(first)
            meanings = index.setdefault(first, {}).setdefault(tuple(rest), [])
            if (group, weight, unsure) not in meanings:
                meanings.append((group, weight, unsure))
    return index, stems


@lru_cache(maxsize=65_536)
def _starting(word: str) -> tuple[tuple[tuple[str, ...], tuple[Meaning, ...]], ...]:
    """What may follow this word in a term, and what the term means; typing errors in `ultrasound` are forgiven."""
    index, stems = _index()
    if word not in index and _TYPO.fullmatch(word):
        word = "ultrasound"
    firsts = [word, *sorted((stem for stem in stems.get(word[:2], ()) if word.startswith(stem[:-1])), key=len)]
    made: dict[tuple[str, ...], list[Meaning]] = {}
    for first in reversed(firsts):  # the longest stem speaks for the word, shorter ones only for other followers
        for rest, meanings in index.get(first, {}).items():
            if rest not in made or first == word:
                made[rest] = meanings
    return tuple((rest, tuple(meanings)) for rest, meanings in sorted(made.items(), key=lambda item: len(item[0])))


def _fits(word: str, pattern: str) -> bool:
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


@lru_cache(maxsize=16_384)
def _inside(word: str) -> tuple[tuple[str, float, str], ...]:
    """Terms of scripts without blanks inside a run of letters."""
    if word.isascii() or max(word) < "\u0590":
        return ()
    return tuple((group, weight, term) for group, weight, term in _unspaced() if term in word)


@lru_cache(maxsize=1)
def _unspaced() -> tuple[tuple[str, float, str], ...]:
    rows = (*fields.UNSPACED_AGAINST, *besides.UNSPACED_BESIDES, *terms.UNSPACED_FOR)
    return tuple((group, weight, fold(term)) for group, weight, listed in rows for term in listed)


def _one_error(word: str) -> str:
    """A pattern of the word with one letter missing, wrong, doubled or exchanged with its neighbour."""
    forms = {re.escape(word[:n]) + r"\w?" + re.escape(word[n + 1 :]) for n in range(len(word))}
    forms |= {word[:n] + word[n] + word[n:] for n in range(len(word))}
    forms |= {word[:n] + word[n + 1] + word[n] + word[n + 2 :] for n in range(len(word) - 1)}
    return "|".join(sorted(forms))


_TYPO = re.compile(f"(?:{_one_error('ultrasound')})s?")
