"""What the searches of a run found and why most of it was left out: the numbers of a review's flow diagram (PRISMA)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ultracurate.report.markup import Html, Node, data_table, el, section
from ultracurate.report.model import RunTables
from ultracurate.report.wording import count
from ultracurate.screening.funnel import Funnel, check
from ultracurate.screening.verdicts import SENTENCES, Verdict


def search_funnel(rows: Sequence[Mapping[str, Any]]) -> Funnel:
    """The counts of rows of the candidates table; ContractError if they do not balance."""
    made = Funnel(
        Counter(row["host"] for row in rows if not row["through_link"]),
        Counter(row["host"] for row in rows if row["through_link"]),
        {verdict: Counter(row["host"] for row in rows if row["verdict"] == verdict.value) for verdict in Verdict},
    )
    check(made.as_dict())
    return made


def searches_section(tables: RunTables) -> Html | None:
    """One line for each rule, one column for each host; None for a run without searches."""
    if tables.searched is None or not tables.searched.num_rows:
        return None
    found = search_funnel(tables.searched.select(["host", "verdict", "through_link"]).to_pylist())
    hosts = sorted({*found.identified, *found.through_links})
    lines: list[list[Node]] = [_line("found by searches", "", found.identified, hosts)]
    if found.through_links:
        lines.append(_line("found through links", "Named by records of text.", found.through_links, hosts))
    lines += [_line(f"− {_words(verdict)}", SENTENCES[verdict], found.steps[verdict], hosts) for verdict in _LEFT_OUT]
    accepted = Verdict.AWAITS_MANIFEST
    lines.append(_line("= accepted", SENTENCES[accepted], found.steps[accepted], hosts))
    lead = "Records that the hosts gave for the recipe's searches. The first rule that holds is a record's verdict."
    heads = ("step", "all", *hosts)
    table = data_table("Records found, left out and accepted", heads, lines, numbers=tuple(range(1, len(heads))))
    return section("searches", "Searches", lead, table)


_LEFT_OUT = tuple(verdict for verdict in Verdict if verdict is not Verdict.AWAITS_MANIFEST)


def _words(verdict: Verdict) -> str:
    return verdict.value.replace("_", " ")


def _line(name: str, sentence: str, counts: Counter[str], hosts: Sequence[str]) -> list[Node]:
    label = [name, el("small", sentence, class_="under") if sentence else None]
    return [label, count(counts.total()), *(count(counts[host]) for host in hosts)]
