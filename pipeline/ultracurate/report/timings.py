"""Shows what every stage cost: worker time, bytes written, parts, and rows in a second."""

from __future__ import annotations

from ultracurate.report.markup import Html, Node, data_table, el, join, section
from ultracurate.report.model import RunTables
from ultracurate.report.wording import count, counted, duration, size


def timings_section(tables: RunTables) -> Html:
    """Time and size of every stage, and the versions that the run recorded."""
    stages = tables.stages
    seconds, written = sum(s.seconds for s in stages), sum(s.bytes for s in stages)
    lead = f"{duration(seconds)} of worker time, {size(written)} written, in {counted(len(stages), 'stage')}."
    if not stages:
        return section("timings", "Time and size", lead, _versions(tables))
    longest, largest = max(s.seconds for s in stages), max(s.bytes for s in stages)
    rows: list[list[Node]] = []
    for stage in stages:
        rate = _rate(stage.rows_in / stage.seconds) if stage.seconds > 0 else "–"
        rows.append(
            [
                stage.name,
                _spark(stage.seconds, longest, duration(stage.seconds)),
                _spark(stage.bytes, largest, size(stage.bytes)),
                count(stage.parts),
                rate,
            ]
        )
    rows.append(["all", duration(seconds), size(written), count(sum(s.parts for s in stages)), ""])
    heads = ("stage", "worker time", "written", "parts", "rows in per second")
    table = data_table("What every stage cost", heads, rows, numbers=(1, 2, 3, 4))
    return section("timings", "Time and size", lead, table, _versions(tables))


def _rate(rows: float) -> str:
    return f"{rows:,.0f}" if rows >= 100 else f"{rows:.2g}"


def _spark(value: float, largest: float, words: str) -> Html:
    share = 100 * value / largest if largest else 0.0
    return join(words, el("i", class_="spark", style=f"--share:{share:.1f}%", aria_hidden="true"))


def _versions(tables: RunTables) -> Html | None:
    if not tables.versions:
        return None
    pairs = [join(el("dt", name), el("dd", el("code", version))) for name, version in sorted(tables.versions.items())]
    return el("div", el("h3", "Versions"), el("dl", pairs, class_="facts"))
