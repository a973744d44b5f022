"""Is a record about medical ultrasound images? A sum of weighted words, place by place, with its reasons."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain

from ultracurate.screening import besides, terms
from ultracurate.screening.hits import Hit, find
from ultracurate.screening.passing import denies, has_no_images, in_passing, sentences, to_come
from ultracurate.screening.text import strip_html, words
from ultracurate.sources import Candidate

ACCEPT = 3.5
"""A record of at least this score has diagnostic ultrasound as its matter."""
TABLE = 3.0
"""So much is enough for a record without images: it is left out anyway, the question is only why."""
LOOK = 1.5
"""At least this much makes it worth asking the host for more than its search said."""

PLACES = {"title": 1.0, "keywords": 0.8, "lead": 0.6, "text": 0.3, "files": 0.6, "in passing": 0.1}
"""What a word counts for, by where it stands; the lead is the start of the description."""
LEAD_WORDS, TEXT_WORDS, NAMES = 60, 800, 300
_SECOND = 0.4
"""Of what the best word of a group gives, how much its second best adds."""
_HINT = 2.0
"""Terms up to this weight speak of what is mostly, not only, looked at with ultrasound."""
_KNOWN = 4.0
_CLINICAL = 4.0
"""Terms from this weight on belong to medicine, such as sonography."""
_SHOWN = 3.5
"""Terms from this weight on name pictures, such as ultrasound images, or belong to medicine."""
_ENOUGH_WORDS, _NOTHING_MEDICAL = 4, 2.2
"""A description of at least so many words that names no organ and no patient speaks against it."""
_UNSAID = 0.5
"""Without a description a bare title is enough for a person to look."""
_DENIED = 5.0
_SHARED_TOO = 0.2
"""What a description says of questionnaires or tables counts so much where it speaks of its images as well."""
_ENGLISH = frozenset(["the", "of", "and", "with"])
_MACHINES = frozenset(
    ["system", "systems", "machine", "machines", "scanner", "scanners", "device", "devices", "console"]
)
_HOLDS = frozenset(
    ["archive", "archives", "holds", "hold", "contains", "contain", "containing", "includes", "comprises", "consists"]
)
"""A sentence with one of these and a word for images says that they are there."""
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
    besides: float = 0.0
    """How much they speak of answers, tables, code or reports rather than of images; see `besides`."""
    besides_why: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the score reaches the threshold."""
        return self.score >= ACCEPT


def score(candidate: Candidate, member_names: Sequence[str] = (), known_names: Collection[str] = ()) -> Subject:
    """The subject of a record from its title, keywords, description and file names.

    Args:
        candidate: as its host describes it.
        member_names: names inside its archives, where somebody looked.
        known_names: titles and aliases of known datasets; one of them in the title counts much.
    """
    names = [file.name for file in candidate.files[:NAMES]] + list(member_names[:NAMES])
    title = words(strip_html(candidate.title[:2000]))
    hits = _without_later(find(title, "title"), title) + find(_apart(candidate.keywords[:100], 4000), "keywords")
    hits += [hit for hit in find(_apart(names, 20_000), "files") if hit.group not in _FILLING]
    told, length = _description(strip_html(candidate.description))
    hits += told
    if length and not any(_is_medical(hit) or (hit.group in _BESIDES and hit.place in _LOUD) for hit in hits):
        shown = {hit.at for hit in hits if hit.group == "beside an image word" and hit.place == "title"}
        hits = [_lowered(hit) if hit.place == "title" and hit.at not in shown else hit for hit in hits]
    if not length:
        hits.append(Hit("nothing else said", _UNSAID, "no description", 0, "title"))
    hits += _known(title, known_names)
    english = not _ENGLISH.isdisjoint(words(candidate.description[:2000]))  # the gate's words are mostly English
    if english and length >= _ENOUGH_WORDS and not any(_is_medical(hit) for hit in hits):
        hits.append(Hit("nothing medical", _NOTHING_MEDICAL, "no organ, no patient", 0, "title"))
    return _judge(hits, names)


def _apart(texts: Iterable[str], most: int) -> list[str]:
    """The words of several texts, at most so many characters, with an empty one between them: no term spans two."""
    return [word for text in "\n".join(texts)[:most].splitlines() for word in (*words(text), "")]


def _without_later(hits: list[Hit], sentence: Sequence[str]) -> list[Hit]:
    """Without treatments that come after what is described: images `before HIFU` are of the diagnosis."""
    return [hit for hit in hits if hit.group != "therapy" or not to_come(sentence, hit.at)]


def _lowered(hit: Hit) -> Hit:
    """A bare word for ultrasound in a title without a patient counts as in a description: it may be a tool."""
    bare = hit.group == "ultrasound" and hit.weight < _SHOWN
    return replace(hit, place="lead") if bare else hit


def _is_medical(hit: Hit) -> bool:
    """An organ, a patient, or a word for ultrasound that only medicine has."""
    return hit.place in _LOUD and (hit.group in _MEDICAL or (hit.group == "ultrasound" and hit.weight >= _CLINICAL))


def worth_a_look(candidate: Candidate, known_names: Collection[str] = ()) -> bool:
    """Whether the little that a search says is reason enough to ask the host for the whole record."""
    found = score(candidate, (), known_names)
    if found.score >= LOOK:
        return True
    return not candidate.description.strip() and not found.against  # nothing said, so nothing speaks against it


def _description(text: str) -> tuple[list[Hit], int]:
    """What each sentence says, and how many words there are; what is denied or named in passing counts little."""
    hits: list[Hit] = []
    seen = 0
    for sentence in sentences(text, TEXT_WORDS):
        place = "lead" if seen < LEAD_WORDS else "text"
        found = [hit if seen + hit.at < LEAD_WORDS else replace(hit, place="text") for hit in find(sentence, place)]
        found = _without_later(found, sentence)
        seen += len(sentence)
        if denies(sentence):
            denied = any(hit.group in ("image", "ultrasound") for hit in found)
            hits += [Hit("images denied", _DENIED, "not shared", 0, place)] if denied else []
            continue
        if has_no_images(sentence):
            hits.append(Hit("images denied", _DENIED, "nothing else shared", 0, place))
        patient = any(hit.group in _MEDICAL for hit in found) or not _MACHINES.isdisjoint(sentence)
        shown = {hit.at for hit in found if hit.group == "beside an image word"}
        passing = {
            hit.at
            for hit in found
            if hit.group == "ultrasound"
            and (
                in_passing(sentence, hit.at, len(hit.name.split()))
                # `under ultrasound`, `ultrasound pulses`: a tool, where the sentence has no patient and no picture
                or not (patient or hit.at in shown or hit.weight >= _SHOWN)
            )
        }
        if _HOLDS.intersection(sentence) and any(hit.group == "image" for hit in found):
            hits.append(Hit("images stated", 0.0, "holds images", 0, place))
        about = any(hit.group == "ultrasound" and hit.weight >= _HINT and hit.at not in passing for hit in found)
        for hit in found:
            if hit.group in _FILLING and not about:
                continue  # masks, labels and physicians are in the small print of every field
            if hit.at not in passing:
                hits.append(hit)
            elif hit.group == "ultrasound":
                hits.append(Hit("in passing", hit.weight, hit.name, hit.at, "in passing"))
    return hits, seen


def _judge(hits: Iterable[Hit], names: Sequence[str]) -> Subject:
    groups: dict[str, dict[str, Hit]] = {}
    for hit in hits:
        best = groups.setdefault(hit.group, {})
        if hit.name not in best or _value(best[hit.name]) < _value(hit):
            best[hit.name] = hit
    sides: dict[str, list[tuple[float, str]]] = {"for": [], "against": [], "besides": []}
    own = groups.get("ultrasound", {}).values()
    ultrasound = not groups.keys().isdisjoint({"known name", "beside an image word"}) or any(
        hit.weight > _HINT or (hit.weight == _HINT and hit.place in ("title", "keywords")) for hit in own
    )
    for group, found in groups.items():
        ranked = sorted(found.values(), key=lambda hit: -_value(hit))
        value = _value(ranked[0]) + (_SECOND * _value(ranked[1]) if len(ranked) > 1 else 0.0)
        if group in _MODALITIES:
            value *= _main_part(ranked[0], groups)
        side = "for" if group in _FOR else "besides" if group in _BESIDES else "against"
        if side == "besides" and "images denied" not in groups:
            shown = "beside an image word" in groups and ranked[0].place in ("lead", "text")
            value *= _SHARED_TOO if shown or "images stated" in groups else 1.0
        if value and (side != "for" or ultrasound):  # an organ or a picture alone says nothing of ultrasound
            said = ", ".join(f"{hit.name} ({hit.place})" for hit in ranked[:2])
            sides[side].append((value, said if side == "for" else f"{group}: {said}"))
    sides["against"] += _wrong_files(names)
    for reasons in sides.values():
        reasons.sort(key=lambda reason: -reason[0])
    sums = {side: sum(value for value, _ in reasons) for side, reasons in sides.items()}
    said_ = {side: tuple(said for _, said in reasons) for side, reasons in sides.items()}
    total = round(sums["for"] - sums["against"], 2)
    return Subject(total, said_["for"], said_["against"], round(sums["besides"], 2), said_["besides"])


def _value(hit: Hit) -> float:
    return hit.weight * PLACES[hit.place]


def _main_part(other: Hit, groups: dict[str, dict[str, Hit]]) -> float:
    """1 where another modality is named and ultrasound is not: it is the main matter then; 0 where both are.

    In a title even a hint at ultrasound outweighs what the description says; in face of another title it does not.
    """
    told = other.place not in ("title", "keywords")
    own = {
        hit.place
        for hit in groups.get("ultrasound", {}).values()
        if hit.weight > _HINT or (told and hit.weight == _HINT)
    }
    if "title" in own or (other.place != "title" and own & {"keywords", other.place}):
        return 0.0
    return 0.5 if "keywords" in own else 1.0


def _wrong_files(names: Sequence[str]) -> list[tuple[float, str]]:
    """Files of a kind that only other fields have."""
    endings = [name.rpartition(".")[2].lower() for name in names]
    found = []
    for what, wrong in _WRONG_ENDINGS.items():
        share = sum(ending in wrong for ending in endings) / max(1, len(endings))
        if share > 0.2:
            found.append((3.0, f"files: {what}"))
    return found


def _known(title: Sequence[str], names: Collection[str]) -> list[Hit]:
    """A known dataset in the title: the whole title, or a name that no ordinary word is."""
    joined = f" {' '.join(title)} "
    hits = []
    for name, odd in _folded_names(tuple(names)):
        if f" {name} " == joined or (odd and f" {name} " in joined):
            hits.append(Hit("known name", _KNOWN, name, 0, "title"))
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


_FOR = frozenset(row[0] for row in terms.FOR) | {
    "beside an image word",
    "beside an organ",
    "known name",
    "in passing",
    "nothing else said",
}
_BESIDES = frozenset(row[0] for row in chain(besides.BESIDES, besides.UNSPACED_BESIDES)) | {"images denied"}
_MODALITIES = frozenset(["other modality", "cells under a microscope", "signals of the body"])
_FILLING = frozenset(["image", "data", "clinic"])
_MEDICAL = frozenset(["organ", "clinic", "people"])
_LOUD = frozenset(["title", "keywords", "lead"])
