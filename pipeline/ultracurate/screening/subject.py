"""Is a record about medical ultrasound images? A sum of weighted words, place by place, with its reasons."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ultracurate.screening import terms
from ultracurate.screening.text import fold, strip_html, words
from ultracurate.sources import Candidate

ACCEPT = 3.0
"""A record of at least this score is taken for medical ultrasound images."""
LOOK = 1.5
"""At least this much makes it worth asking the host for more than its search said."""

PLACES = {"title": 1.0, "keywords": 0.8, "lead": 0.6, "text": 0.3, "files": 0.6}
"""What a word counts for, by where it stands; the lead is the start of the description."""
LEAD_WORDS, TEXT_WORDS, NAMES = 60, 800, 300
NEAR = 3
"""Words between which two terms count as one expression, such as `liver US`."""
_BESIDE_IMAGE, _BESIDE_ORGAN = 1.0, 1.0
_SECOND = 0.4
"""Of what the best word of a group gives, how much its second best adds."""
_HINT = 2.0
"""Terms up to this weight speak of what is mostly, not only, looked at with ultrasound."""
_ASIDE, _OTHER, _KNOWN = 1.0, 3.5, 4.0
_ENOUGH_WORDS, _NOTHING_MEDICAL = 4, 1.5
"""A description of at least so many words that names nothing medical speaks a little against it."""
_SOFT = frozenset(["people asked", "teaching", "a study, not a collection", "a table", "code or a model alone", "text"])
_SOFT_LIMIT = 1.5
"""What a description says of questionnaires, tables or code takes at most so much from one that shares pictures too."""
_WRONG_ENDINGS = {
    "sounds": ("wav", "flac", "mp3", "ogg", "aif"),
    "waves of the ground": ("sgy", "segy", "mseed"),
    "cells under a microscope": ("czi", "lif", "nd2", "svs", "oib", "lsm", "vsi"),
    "sequences of genes": ("fastq", "fasta", "bam", "vcf", "fq"),
    "molecules and meshes": ("cif", "mol", "pdb", "inp", "odb", "mph"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a record's own words say about its subject."""

    score: float
    for_: tuple[str, ...]
    """The words that count for it, heaviest first, each with its place."""
    against: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether the score reaches the threshold."""
        return self.score >= ACCEPT


@dataclass(frozen=True, slots=True)
class _Hit:
    group: str
    weight: float
    name: str
    at: int
    place: str
    unsure: bool = False

    @property
    def value(self) -> float:
        return self.weight * PLACES[self.place]


def score(candidate: Candidate, member_names: Sequence[str] = (), known_names: Collection[str] = ()) -> Subject:
    """The subject of a record from its title, keywords, description and file names.

    Args:
        candidate: as its host describes it.
        member_names: names inside its archives, where somebody looked.
        known_names: titles and aliases of known datasets; one of them in the title counts much.
    """
    text = words(strip_html(candidate.description))
    names = [file.name for file in candidate.files[:NAMES]] + list(member_names[:NAMES])
    places = {
        "title": words(strip_html(candidate.title[:2000])),
        "keywords": words(" ; ".join(candidate.keywords[:100])[:4000]),
        "lead": text[:LEAD_WORDS],
        "text": text[LEAD_WORDS:TEXT_WORDS],
        "files": words(" ; ".join(names)[:20_000]),
    }
    hits = [hit for place, found in places.items() for hit in _hits(found, place)]
    hits += _known(places["title"], known_names)
    if len(text) >= _ENOUGH_WORDS and not any(hit.group in ("organ", "clinic") for hit in hits):
        hits.append(_Hit("nothing medical", _NOTHING_MEDICAL, "no organ, no patient", 0, "title"))
    return _judge(hits, names)


def worth_a_look(candidate: Candidate, known_names: Collection[str] = ()) -> bool:
    """Whether the little that a search says is reason enough to ask the host for the whole record."""
    found = score(candidate, (), known_names)
    if found.score >= LOOK:
        return True
    return not candidate.description.strip() and not found.against  # nothing said, so nothing speaks against it


def _judge(hits: Iterable[_Hit], names: Sequence[str]) -> Subject:
    groups: dict[str, dict[str, _Hit]] = {}
    for hit in hits:
        best = groups.setdefault(hit.group, {})
        if hit.name not in best or best[hit.name].value < hit.value:
            best[hit.name] = hit
    for_: list[tuple[float, str]] = []
    against: list[tuple[float, str]] = []
    soft = 0.0
    ultrasound = any(group in groups for group in ("ultrasound", "known name"))
    for group, found in groups.items():
        ranked = sorted(found.values(), key=lambda hit: -hit.value)
        value = ranked[0].value + (_SECOND * ranked[1].value if len(ranked) > 1 else 0.0)
        if group == "other modality":
            value = value if _is_main(ranked[0], groups) else 0.0
        side = for_ if group in _FOR else against
        if group in _SOFT and ranked[0].place in ("lead", "text"):
            soft += value
        if value and (side is against or ultrasound):  # an organ or a picture alone says nothing of ultrasound
            said = ", ".join(f"{hit.name} ({hit.place})" for hit in ranked[:2])
            side.append((value, said if side is for_ else f"{group}: {said}"))
    against += _wrong_files(names)
    total = sum(value for value, _ in for_) - sum(value for value, _ in against)
    if "beside an image word" in groups:
        total += max(0.0, soft - _SOFT_LIMIT)
    for_.sort(key=lambda reason: -reason[0])
    against.sort(key=lambda reason: -reason[0])
    return Subject(round(total, 2), tuple(said for _, said in for_), tuple(said for _, said in against))


def _is_main(other: _Hit, groups: dict[str, dict[str, _Hit]]) -> bool:
    """Whether another modality is named where ultrasound is not: it is the main matter then."""
    own = {hit.place for hit in groups.get("ultrasound", {}).values() if hit.weight > _HINT}
    return other.place not in own and not {"title", "keywords"} & own


def _wrong_files(names: Sequence[str]) -> list[tuple[float, str]]:
    """Files of a kind that only other fields have."""
    endings = [name.rpartition(".")[2].lower() for name in names]
    found = []
    for what, wrong in _WRONG_ENDINGS.items():
        share = sum(ending in wrong for ending in endings) / max(1, len(endings))
        if share > 0.2:
            found.append((3.0, f"files: {what}"))
    return found


def _known(title: Sequence[str], names: Collection[str]) -> list[_Hit]:
    """A known dataset in the title: the whole title, or a name that no ordinary word is."""
    joined = f" {' '.join(title)} "
    hits = []
    for name, odd in _folded_names(tuple(names)):
        if f" {name} " == joined or (odd and f" {name} " in joined):
            hits.append(_Hit("known name", _KNOWN, name, 0, "title"))
    return hits


@lru_cache(maxsize=8)
def _folded_names(names: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    """Names as folded words, and whether one is odd enough to be found inside a longer title."""
    made: dict[str, bool] = {}
    for name in names:
        folded = " ".join(words(name))
        mixed = sum(letter.isupper() for letter in name) >= 3 or any(letter.isdigit() for letter in name)
        if len(folded) >= 3 and not folded.isdigit():
            made[folded] = made.get(folded, False) or (mixed and len(folded) >= 4)
    return tuple(made.items())


_FOR = frozenset(row[0] for row in terms.FOR) | {"beside an image word", "beside an organ", "known name"}


def _hits(found: list[str], place: str) -> list[_Hit]:
    """Terms in a run of words: at each place the longest one; unsure ones only beside their like."""
    hits: list[_Hit] = []
    at = 0
    while at < len(found):
        fitting = [(rest, meanings) for rest, meanings in _starting(found[at]) if _follows(found, at + 1, rest)]
        rest, meanings = fitting[-1] if fitting else ((), ())
        end = at + 1 + len(rest)
        name = " ".join(found[at:end])
        hits += [_Hit(group, weight, name, at, place, unsure) for group, weight, unsure in meanings]
        if rest and any(group == "ultrasound" for group, _, _ in meanings):  # `lung ultrasound` names an organ too
            for n in range(at, end):
                own = next((meanings for rest, meanings in _starting(found[n]) if not rest), ())
                hits += [_Hit(group, w, found[n], n, place) for group, w, _ in own if group in ("organ", "image")]
        if not fitting:
            hits += [_Hit(group, weight, term, at, place) for group, weight, term in _inside(found[at])]
        at = end
    return _with_neighbours(hits)


def _follows(found: list[str], at: int, rest: tuple[str, ...]) -> bool:
    """Whether the words from `at` on are the rest of a term."""
    there = found[at : at + len(rest)]
    return len(there) == len(rest) and all(map(_fits, there, rest))


def _with_neighbours(hits: list[_Hit]) -> list[_Hit]:
    """Unsure terms dropped that stand alone, and what stands beside an organ or image word counted once more."""
    organs = [hit.at for hit in hits if hit.group == "organ"]
    images = [hit.at for hit in hits if hit.group == "image"]
    others = [hit.at for hit in hits if hit.group == "other modality"]
    made: list[_Hit] = []
    for hit in hits:
        if hit.group == "ultrasound":
            organ, image, other = (any(abs(at - hit.at) <= NEAR for at in near) for near in (organs, images, others))
            if hit.unsure and not (organ or image or other):
                continue
            if organ and hit.weight >= 2:
                made.append(_Hit("beside an organ", _BESIDE_ORGAN, hit.name, hit.at, hit.place))
            if image and hit.weight >= 2:
                made.append(_Hit("beside an image word", _BESIDE_IMAGE, hit.name, hit.at, hit.place))
        made.append(hit)
    return made


Meaning = tuple[str, float, bool]


@lru_cache(maxsize=1)
def _index() -> tuple[dict[str, dict[tuple[str, ...], list[Meaning]]], dict[str, list[str]]]:
    """Terms by their first word, and first words that stand for any ending by their first two letters."""
    index: dict[str, dict[tuple[str, ...], list[Meaning]]] = {}
    stems: dict[str, list[str]] = {}
    rows = [*terms.FOR, *terms.AGAINST]
    rows.append(("ultrasound", _ASIDE, tuple(terms.ASIDE.split("|"))))
    rows.append(("other modality", _OTHER, tuple(terms.OTHER_MODALITIES.split("|"))))
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
    rows = (*terms.UNSPACED_AGAINST, *terms.UNSPACED_FOR)
    return tuple((group, weight, fold(term)) for group, weight, listed in rows for term in listed)


def _one_error(word: str) -> str:
    """A pattern of the word with one letter missing, wrong, doubled or exchanged with its neighbour."""
    forms = {re.escape(word[:n]) + r"\w?" + re.escape(word[n + 1 :]) for n in range(len(word))}
    forms |= {word[:n] + word[n] + word[n:] for n in range(len(word))}
    forms |= {word[:n] + word[n + 1] + word[n] + word[n + 2 :] for n in range(len(word) - 1)}
    return "|".join(sorted(forms))


_TYPO = re.compile(f"(?:{_one_error('ultrasound')})s?")
