"""Says under which terms each dataset came, what they permit, and what that means for the whole corpus."""

from __future__ import annotations

from collections import Counter

from ultracurate.report.markup import Html, Node, data_table, el, link, section
from ultracurate.report.model import DatasetLicence, RunTables, values
from ultracurate.report.wording import count, shown_detail

_ANSWERS = {True: ("yes", "✓ yes"), False: ("no", "✕ no"), None: ("open", "? not established")}


def licence_rows(tables: RunTables) -> list[tuple[DatasetLicence, int]]:
    """Every dataset of the run with its terms and its frames in the corpus, by slug; absent terms are unknown."""
    frames = Counter(dataset for dataset in values(tables.frames, "dataset") if dataset)
    slugs = {*frames, *tables.licences, *(slug for slug in values(tables.files, "dataset") if slug)}
    return [(tables.licences.get(slug) or DatasetLicence(slug, "unknown"), frames[slug]) for slug in sorted(slugs)]


def licences_section(tables: RunTables) -> Html:
    """The table of terms, under one sentence for each permission about the corpus as a whole."""
    rows = licence_rows(tables)
    lead = "A corpus may be used only as its strictest part may. These are the terms as the manifests record them."
    if not rows:
        return section("licences", "Licences", lead, el("p", "No datasets.", class_="empty"))
    used = [licence for licence, frames in rows if frames]
    verdicts = [
        _verdict("Passing the corpus on", [(each.dataset, each.redistribution) for each in used]),
        _verdict("Commercial use", [(each.dataset, each.commercial) for each in used]),
    ]
    heads = ("dataset", "licence", "pass on", "commercial use", "frames", "evidence")
    body = [_row(licence, frames) for licence, frames in rows]
    table = data_table("Licence of every dataset, and what it permits", heads, body, numbers=(4,))
    return section("licences", "Licences", lead, el("ul", verdicts, class_="verdicts") if used else None, table)


def _verdict(what: str, answers: list[tuple[str, bool | None]]) -> Html:
    closed = [dataset for dataset, answer in answers if answer is False]
    unknown = [dataset for dataset, answer in answers if answer is None]
    kind, words = "yes", "permitted by every dataset with frames in it."
    if closed:
        kind, words = "no", f"not permitted, because of {', '.join(closed)}."
    elif unknown:
        kind, words = "open", f"not established for {', '.join(unknown)}."
    return el("li", el("b", f"{what}: "), words, class_=f"verdict {kind}")


def _row(licence: DatasetLicence, frames: int) -> list[Node]:
    title: list[Node] = [licence.title, el("br")] if licence.title else []
    read = f", read {licence.read}" if licence.read else ""
    evidence: list[Node] = [link(licence.evidence, "terms"), read] if licence.evidence else ["none recorded"]
    note = shown_detail(licence.note)
    return [
        el("span", title, el("code", licence.dataset)),
        [el("code", licence.licence), el("small", note, class_="under") if note else None],
        _answer(licence.redistribution),
        _answer(licence.commercial),
        count(frames),
        el("span", evidence),
    ]


def _answer(permitted: bool | None) -> Html:
    kind, words = _ANSWERS[permitted]
    return el("span", words, class_=f"chip {kind}")
