"""How many candidates each rule took out, by host: the numbers of the flow diagram of a review (PRISMA)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ultracurate.core.errors import ContractError
from ultracurate.screening.verdicts import SENTENCES, Screened, Verdict


@dataclass(frozen=True)
class Funnel:
    """Counts of one screening; they balance, or there is no funnel."""

    identified: Counter[str]
    """Found by searches, by host."""
    through_links: Counter[str]
    """Named by records of text and found by nobody else, by host."""
    steps: dict[Verdict, Counter[str]]
    """Every verdict in the order of the rules, by host; the last one is what was accepted."""

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        accepted = self.steps[Verdict.AWAITS_MANIFEST]
        return {
            "identified": _counts(self.identified),
            "found_through_links": _counts(self.through_links),
            "excluded": {verdict.value: _counts(self.steps[verdict]) for verdict in _EXCLUSIONS},
            "accepted": _counts(accepted),
        }

    def lines(self) -> list[str]:
        """A table for people: one line a step, what is left after it, and the hosts it concerns."""
        left = self.identified.total()
        made = [_line("identified", left, left, self.identified)]
        if self.through_links:
            left += self.through_links.total()
            made.append(_line("found through links", self.through_links.total(), left, self.through_links))
        for verdict in _EXCLUSIONS:
            number = self.steps[verdict].total()
            left -= number
            made.append(_line(f"- {verdict.value}", number, left, self.steps[verdict], SENTENCES[verdict]))
        accepted = self.steps[Verdict.AWAITS_MANIFEST]
        made.append(_line("accepted", accepted.total(), left, accepted))
        return made


_EXCLUSIONS = tuple(verdict for verdict in Verdict if verdict is not Verdict.AWAITS_MANIFEST)


def count(screened: Sequence[Screened]) -> Funnel:
    """The funnel of a screening; ContractError if its books do not balance or a duplicate leads nowhere."""
    made = Funnel(
        Counter(one.candidate.host for one in screened if not one.through_link),
        Counter(one.candidate.host for one in screened if one.through_link),
        {verdict: Counter(one.candidate.host for one in screened if one.verdict is verdict) for verdict in Verdict},
    )
    for n, one in enumerate(screened):
        if one.verdict in (Verdict.DUPLICATE_RECORD, Verdict.DUPLICATE_CONTENT):
            kept = screened[one.of] if one.of is not None and 0 <= one.of < len(screened) else None
            if kept is None or one.of == n or kept.verdict in (Verdict.DUPLICATE_RECORD, Verdict.DUPLICATE_CONTENT):
                raise ContractError(f"Candidate {n} is a {one.verdict.value} of {one.of}, which is not kept. A bug")
    check(made.as_dict())
    return made


def check(books: dict[str, Any]) -> None:
    """ContractError unless, at every host, found = every exclusion + accepted."""
    came: Counter[str] = Counter(books["identified"]) + Counter(books["found_through_links"])
    went: Counter[str] = Counter(books["accepted"])
    for excluded in books["excluded"].values():
        went += Counter(excluded)
    if came != went:
        hosts = sorted(host for host in came.keys() | went.keys() if came[host] != went[host])
        raise ContractError(
            f"The screening's books do not balance at {', '.join(hosts)}: expected {came.total()} verdicts, "
            f"found {went.total()}. A bug: please report it"
        )


def _counts(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))


def _line(name: str, number: int, left: int, hosts: Counter[str], sentence: str = "") -> str:
    shares = ", ".join(f"{host} {n}" for host, n in sorted(hosts.items(), key=lambda item: (-item[1], item[0])))
    return f"{name:<22}{number:>8}{left:>8}  {'  '.join(filter(None, (shares, sentence)))}".rstrip()
