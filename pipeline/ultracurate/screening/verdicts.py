"""Every candidate gets one verdict: the rules in their order, from cheap ones to those that ask the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ultracurate.core.errors import ConfigError, RowError
from ultracurate.screening import licence
from ultracurate.screening.asking import Asking, Map, quietly, with_search
from ultracurate.screening.catalogue import Catalogue
from ultracurate.screening.contents import has_images, is_text_only, kinds, needs_look
from ultracurate.screening.links import DATA_HOSTS, Link, links, outside
from ultracurate.screening.same import Same, find_same, keys, record_key
from ultracurate.screening.subject import LOOK, TABLE, Subject, score, worth_a_look
from ultracurate.sources import Candidate, RemoteFile, SourceError, SourceState


class Verdict(StrEnum):
    """Why a candidate is left out, in the order of the rules; the last one lets it in."""

    IN_CATALOGUE = "in_catalogue"
    DUPLICATE_RECORD = "duplicate_record"
    DUPLICATE_CONTENT = "duplicate_content"
    NOT_ULTRASOUND = "not_ultrasound"
    UNREADABLE = "unreadable"
    RESTRICTED = "restricted"
    TEXT_ONLY = "text_only"
    NO_IMAGE_FILES = "no_image_files"
    LICENCE = "licence"
    AWAITS_MANIFEST = "awaits_manifest"


SENTENCES = {
    Verdict.IN_CATALOGUE: "A dataset of the catalogue already uses this record.",
    Verdict.DUPLICATE_RECORD: "The same record, or another version of it, was found as well.",
    Verdict.DUPLICATE_CONTENT: "Another record holds the same files.",
    Verdict.NOT_ULTRASOUND: "Its words and files do not look like medical ultrasound images.",
    Verdict.UNREADABLE: "Its host could not describe it; run the search again later.",
    Verdict.RESTRICTED: "Its files are not open; ask its owners.",
    Verdict.TEXT_ONLY: "It holds only text, which names places where data is; they were followed.",
    Verdict.NO_IMAGE_FILES: "None of its files is an image or may hold images.",
    Verdict.LICENCE: "Its terms forbid any use.",
    Verdict.AWAITS_MANIFEST: "A promising record: write a manifest to take it in.",
}
"""What each verdict means, for people."""
BESIDES = 2.0
"""From so much on, the words of a record whose archives nobody could look into speak of no images; see `Subject`."""
MAX_FOLLOWED = 10
"""Links of one record that are followed."""
_CLOSED = (SourceState.RESTRICTED, SourceState.TERMS_REQUIRED)


@dataclass(frozen=True, slots=True)
class Screened:
    """One candidate with its verdict."""

    candidate: Candidate
    verdict: Verdict
    score: float
    """How much its words speak for ultrasound images; see `subject.ACCEPT`."""
    why: str
    """What decided, for people."""
    of: int | None = None
    """Index of the one that a duplicate repeats, or of the first record found that a record of text names."""
    links: tuple[Link, ...] = ()
    """Data hosts that a record of text names."""
    through_link: bool = False
    """Not found by a search, but named by a record of text."""


@dataclass(slots=True)
class _Work:
    """One candidate on its way."""

    candidate: Candidate
    slug: str | None
    through_link: bool = False
    repeated: bool = False
    failed: Verdict | None = None
    said: str = ""
    subject: Subject | None = None
    inside: list[RemoteFile] | None = None
    links: tuple[Link, ...] = ()
    outside: tuple[str, ...] = ()
    """Names of other hosts that a record of nothing but text leads to."""


def screen(
    found: Sequence[Candidate],
    *,
    catalogue: Catalogue,
    describe: Callable[[Candidate], Candidate],
    peek: Callable[[Candidate], list[RemoteFile] | None],
    follow: Callable[[Link], Candidate | None],
    map_: Map = map,
) -> list[Screened]:
    """A verdict for each candidate, in order; records found through links come after them.

    Args:
        found: what the searches gave.
        catalogue: what is already there.
        describe: the whole record, called where a search did not list the files of a promising one.
        peek: what is inside a record's archives, or None where nobody could look.
        follow: the record behind a link, or None where there is none.
        map_: runs many of these calls; a thread pool's `map` runs them side by side.
    """
    asking = Asking(describe, peek, follow, map_)
    works = [_Work(candidate, catalogue.slug(candidate)) for candidate in found]
    _look_closer(works, catalogue, asking)
    linked = [_Work(candidate, catalogue.slug(candidate), True) for candidate in _followed(works, asking)]
    _look_closer(linked, catalogue, asking)
    works += linked
    same = find_same(
        [work.candidate for work in works], [_preference(work) for work in works], [work.inside for work in works]
    )
    places = {key: n for n, work in reversed(list(enumerate(works))) for key in keys(work.candidate)}
    return [_verdict(work, same.get(n), places) for n, work in enumerate(works)]


def _look_closer(works: list[_Work], catalogue: Catalogue, asking: Asking) -> None:
    """Describe the promising ones, score all, and look into the archives of those that archives decide about."""
    early = find_same([work.candidate for work in works], [work.slug is None for work in works])
    for n, same in early.items():
        works[n].repeated = (
            same.reason == "duplicate_record"
        )  # its other one speaks for it: it is not asked about again
    first = [work for work in works if not work.repeated]  # those of the catalogue too: others may be their copies
    unlisted = [w for w in first if not w.candidate.files_listed and (w.slug or _promises(w, catalogue))]
    for work, (candidate, failed, said) in zip(unlisted, asking.map_(_safely(asking.describe), unlisted), strict=True):
        work.candidate, work.failed, work.said = candidate or work.candidate, failed, said
        work.slug = catalogue.slug(work.candidate)
    for work in works:
        work.subject = score(work.candidate, (), catalogue.names)
    closed = [w for w in first if needs_look(w.candidate.files) and (w.slug or not _problem_before_files(w))]
    for work, names in zip(closed, asking.map_(lambda work: quietly(asking.peek, work.candidate), closed), strict=True):
        work.inside = names
        if names:
            work.subject = score(work.candidate, [member.name for member in names], catalogue.names)
    for work in first:
        if not work.slug and not _problem_before_files(work) and not _may_hold_images(work):
            own = set(keys(work.candidate))
            named = (link for link in links(work.candidate.description) if _leads_to_data(link, work))
            work.links = tuple(link for link in named if record_key(link.host, link.record) not in own)
            if is_text_only(kinds(work.candidate.files)):
                work.outside = tuple(outside(work.candidate.description))


def _followed(works: list[_Work], asking: Asking) -> list[Candidate]:
    """New records behind the links of records that hold only text, each once."""
    seen = {key for work in works for key in keys(work.candidate)}
    wanted: list[Link] = []
    for work in works:
        for link in work.links[:MAX_FOLLOWED]:
            key = record_key(link.host, link.record)
            if key is not None and key not in seen:
                seen.add(key)
                wanted.append(link)
    answers = asking.map_(lambda link: quietly(asking.follow, link), wanted)
    made: list[Candidate] = []
    known = {key for work in works for key in keys(work.candidate)}
    for candidate in answers:
        if candidate is not None and not known & set(keys(candidate)):  # the host may answer with another record
            known |= set(keys(candidate))
            made.append(candidate)
    return made


def _verdict(work: _Work, same: Same | None, places: dict[tuple[str, str], int]) -> Screened:
    """The first rule that holds."""
    subject = work.subject or Subject(0.0, (), ())
    verdict, why = _first_rule(work, subject, same)
    named = work.links if verdict is Verdict.TEXT_ONLY else ()
    of = same.of if same is not None and verdict.value.startswith("duplicate") else None
    for link in named:
        key = record_key(link.host, link.record)
        of = places.get(key) if of is None and key is not None else of
    return Screened(work.candidate, verdict, subject.score, why, of, named, work.through_link)


def _first_rule(work: _Work, subject: Subject, same: Same | None) -> tuple[Verdict, str]:
    if work.slug is not None:
        return Verdict.IN_CATALOGUE, f"dataset {work.slug}"
    if same is not None:
        return Verdict(same.reason), same.why
    if early := _problem_before_files(work):
        return early
    if not _may_hold_images(work):
        if work.links or work.outside:
            named = [f"{link.host} {link.record}" for link in work.links[:5]] or work.outside[:5]
            return Verdict.TEXT_ONLY, ", ".join(named)
        unseen = f"; nobody could look inside, its words are of {subject.besides_why[0]}" if _unseen(work) else ""
        return Verdict.NO_IMAGE_FILES, _count(work) + unseen
    if said := licence.forbids(work.candidate):
        return Verdict.LICENCE, said
    for_ = "; ".join(subject.for_[:3])
    unseen = "nobody could look into its archives" if _unseen(work) else ""
    unlisted = "" if work.candidate.files_listed else "its host lists no files"
    unstated = "the host does not say whether it is open" if work.candidate.access == "unknown" else ""
    return Verdict.AWAITS_MANIFEST, "; ".join(
        filter(None, (for_, licence.note(work.candidate), unseen, unlisted, unstated))
    )


def _problem_before_files(work: _Work) -> tuple[Verdict, str] | None:
    """The first of the rules that do not look at files and licence."""
    candidate, subject = work.candidate, work.subject or Subject(0.0, (), ())
    if work.failed is None and not (subject.accepted or _table_of_ultrasound(work, subject)):
        return Verdict.NOT_ULTRASOUND, "; ".join(subject.against[:3]) or "no word speaks for it"
    if work.failed is not None:
        return work.failed, work.said
    if candidate.access in ("restricted", "embargoed", "closed"):
        return Verdict.RESTRICTED, f"access is {candidate.access}"
    return None


def _table_of_ultrasound(work: _Work, subject: Subject) -> bool:
    """Whether fewer words are enough, as the files are those of a table or of answers, and maybe the words as well."""
    found = kinds([*work.candidate.files, *(work.inside or ())])
    bare = work.candidate.files_listed and not has_images(found) and not is_text_only(found)
    return bare and subject.score >= (LOOK if subject.besides >= BESIDES else TABLE)


def _may_hold_images(work: _Work) -> bool:
    if has_images(kinds(work.candidate.files)):
        return True
    if not work.candidate.files_listed:
        return True  # its host lists no files at all: a person has to look
    if not needs_look(work.candidate.files):
        return False
    if work.inside is None:
        return work.subject is None or work.subject.besides < BESIDES
    return has_images(kinds(work.inside))


def _promises(work: _Work, catalogue: Catalogue) -> bool:
    return worth_a_look(work.candidate, catalogue.names)


def _unseen(work: _Work) -> bool:
    return needs_look(work.candidate.files) and work.inside is None


def _leads_to_data(link: Link, work: _Work) -> bool:
    """GitHub is where the data is for a record of text alone; beside tables it is where the code is."""
    return link.host in DATA_HOSTS or (link.host == "github" and is_text_only(kinds(work.candidate.files)))


def _count(work: _Work) -> str:
    found = kinds([*work.candidate.files, *(work.inside or ())])
    return ", ".join(f"{number} {kind}" for kind, number in found.most_common(4)) or "no files"


def _preference(work: _Work) -> int:
    """The catalogue's own is the original; then what passes the rules, so that no copy of a good one is lost."""
    if work.slug is not None or work.repeated:
        return 0 if work.slug is not None else 3
    return 1 if _problem_before_files(work) is None else 2


def _safely(ask: Callable[[Candidate], Candidate]) -> Callable[[_Work], tuple[Candidate | None, Verdict | None, str]]:
    """The host's answer, or the verdict that its refusal is."""

    def one(work: _Work) -> tuple[Candidate | None, Verdict | None, str]:
        try:
            return with_search(work.candidate, ask(work.candidate)), None, ""
        except SourceError as exc:
            closed = exc.state in _CLOSED
            return None, Verdict.RESTRICTED if closed else Verdict.UNREADABLE, f"the host says: {exc.state.value}"
        except (RowError, ConfigError) as exc:  # ConfigError: a record that its own source does not take
            return None, Verdict.UNREADABLE, type(exc).__name__

    return one
