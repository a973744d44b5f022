"""Puts the sections together into one HTML file that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources

from ultracurate.core.schema import Grain
from ultracurate.report.annotations import annotations_section
from ultracurate.report.duplicates import duplicates_section
from ultracurate.report.funnel import FunnelRow, funnel, funnel_section
from ultracurate.report.gallery import gallery_section
from ultracurate.report.labels import labels_section
from ultracurate.report.licences import licences_section
from ultracurate.report.losses import losses_section
from ultracurate.report.markup import Html, el
from ultracurate.report.model import RunTables, column, values
from ultracurate.report.privacy import privacy_section
from ultracurate.report.searches import searches_section
from ultracurate.report.stripped import stripped_section
from ultracurate.report.timings import timings_section
from ultracurate.report.wording import count, counted

NAVIGATION = (
    ("funnel", "Funnel"),
    ("searches", "Searches"),
    ("stripped", "Least certain"),
    ("gallery", "Before and after"),
    ("labels", "Labels"),
    ("annotations", "Annotations"),
    ("duplicates", "Copies"),
    ("licences", "Licences"),
    ("privacy", "Identities"),
    ("timings", "Time and size"),
    ("losses", "Every loss"),
)


@dataclass(frozen=True)
class Headline:
    """The numbers that the page opens with."""

    datasets: int
    files: int
    samples: int
    frames: int  # as cut from the samples, before cleaning and dedup
    sharded: int
    rejects: int
    errors: int


def headline(tables: RunTables, rows: list[FunnelRow]) -> Headline:
    """The opening numbers, from the stages where they ran, else from the final tables."""
    by_name = {row.stage: row for row in rows}
    cut = by_name["frames"].rows_out if "frames" in by_name else tables.frames.num_rows
    shards = column(tables.frames, "shard")
    sharded = by_name["shard"].rows_out if "shard" in by_name else len(shards) - shards.null_count
    return Headline(
        datasets=len({*values(tables.files, "dataset")} - {None}),
        files=tables.files.num_rows,
        samples=tables.samples.num_rows,
        frames=cut,
        sharded=sharded,
        rejects=sum(row.rejects + row.child_rejects for row in rows),
        errors=sum(row.errors + row.child_errors for row in rows),
    )


def render(tables: RunTables, gallery: int = 24) -> str:
    """The whole page; `gallery` is the number of before-and-after items, 0 for a page without source pictures."""
    rows = funnel(tables)
    searches = searches_section(tables)
    privacy = privacy_section(tables)
    drawn = annotations_section(tables)
    stripped = stripped_section(tables, gallery // 2)
    parts = (("searches", searches), ("stripped", stripped), ("annotations", drawn), ("privacy", privacy))
    absent = {name for name, part in parts if part is None}
    shown = [entry for entry in NAVIGATION if entry[0] not in absent]
    script = Html(_asset("report.js"))
    body = el(
        "body",
        el("a", "Skip to the content", href="#main", class_="skip"),
        _header(tables, headline(tables, rows)),
        el(
            "nav",
            el("ul", [el("li", el("a", title, href=f"#{name}")) for name, title in shown]),
            aria_label="Sections",
        ),
        el(
            "main",
            funnel_section(tables, rows),
            searches,
            stripped,
            gallery_section(tables, gallery),
            labels_section(tables),
            drawn,
            duplicates_section(tables),
            licences_section(tables),
            privacy,
            timings_section(tables),
            losses_section(tables),
            id="main",
        ),
        el("footer", el("p", "Made by ultracurate from the tables of run ", el("code", tables.run_id), ".")),
        el("script", script),
    )
    page = el("html", _head(tables, script), body, lang="en")
    return f"<!doctype html>\n{page.text}\n"


def _head(tables: RunTables, script: Html) -> Html:
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode("ascii")
    # The browser itself then refuses every request, and every script that is not this one.
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return el(
        "head",
        el("meta", charset="utf-8"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{tables.recipe} · curation report"),
        el("link", rel="icon", href="data:,"),
        el("style", Html(_asset("report.css"))),
    )


def _header(tables: RunTables, numbers: Headline) -> Html:
    steps = (
        (numbers.files, Grain.FILE, "files"),
        (numbers.samples, Grain.SAMPLE, "images, clips and volumes"),
        (numbers.frames, Grain.FRAME, "frames"),
        (numbers.sharded, Grain.FRAME, "frames in shards"),
    )
    if numbers.rejects + numbers.errors:
        told = (
            f"{counted(numbers.rejects, 'row')} {'was' if numbers.rejects == 1 else 'were'} set aside on purpose and "
            f"{count(numbers.errors)} failed. "
        )
    else:
        told = "Nothing was set aside and nothing failed. "
    times = [
        f"started {tables.started}" if tables.started else "",
        f"ended {tables.finished}" if tables.finished else "",
    ]
    return el(
        "header",
        el("p", "Curation report", class_="eyebrow"),
        el("h1", tables.recipe),
        el("p", "Run ", el("code", tables.run_id), [f", {time}" for time in times if time], class_="run"),
        el(
            "ol",
            [
                el("li", el("b", count(number)), el("span", words), class_="last" if place == 3 else None)
                for place, (number, _, words) in enumerate(steps)
            ],
            class_="headline",
            aria_label="From files to shards",
        ),
        el(
            "p",
            f"From {counted(numbers.datasets, 'dataset')}. ",
            told,
            el("a", "See which, and why.", href="#losses") if numbers.rejects + numbers.errors else None,
            class_="told",
        ),
    )


def _asset(name: str) -> str:
    return resources.files("ultracurate.report").joinpath("assets", name).read_text(encoding="utf-8")
