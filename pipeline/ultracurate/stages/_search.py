"""Searches of discover: all hosts at once, one screening over everything they found, one row for each candidate."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from ultracurate.core.config import digest
from ultracurate.core.context import Context, storable
from ultracurate.core.dataset import DatasetManifest, load_all
from ultracurate.core.errors import RowError
from ultracurate.core.resources import manifests_dir
from ultracurate.core.schema import content_id
from ultracurate.core.source_ref import SourceRef
from ultracurate.core.stage import Reject, Row
from ultracurate.screening.catalogue import Catalogue
from ultracurate.screening.contents import kinds
from ultracurate.screening.funnel import count
from ultracurate.screening.links import Link
from ultracurate.screening.peek import peek
from ultracurate.screening.verdicts import Screened, Verdict, screen
from ultracurate.sources import Candidate, RemoteFile, Source, hide_private
from ultracurate.stages._answers import AnswerFolder
from ultracurate.stages._sources import open_source

AT_ONCE = 8
"""Requests under way at the same time, all hosts together; each host's own limits are kept beside."""

_TEXTS = [
    *("id", "host", "record", "title", "url", "doi", "concept", "version", "published", "licence", "access"),
    *("verdict", "why", "same_as", "kinds", "links", "listing"),
]
CANDIDATES = pa.schema(
    [(name, pa.string()) for name in _TEXTS]
    + [("score", pa.float64()), ("through_link", pa.bool_()), ("files", pa.int64()), ("bytes", pa.int64())]
)
"""Side table of a search: one row for each record found, with what was decided about it and why.

`kinds` is JSON {kind: files}, `links` JSON [[host, record], ...] of a record of text, `listing` JSON [[name, size,
checksum], ...] of an accepted one, `same_as` the id of the row that a duplicate repeats.
"""
MAX_LISTING = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """One query at one host."""

    host: str
    q: str
    limit: int


@dataclass(slots=True)
class _Found:
    candidates: list[Candidate] = field(default_factory=list)
    error: RowError | None = None


def search_all(
    name: str, queries: Sequence[Asked], follow: Sequence[str], ctx: Context
) -> tuple[list[Reject], pa.Table]:
    """A reject for each candidate, with its verdict, and the table of candidates.

    A host that fails costs its own query only: an error row, which `retry` takes up again.
    """
    answers = AnswerFolder(ctx.store.scratch() / "answers" / digest(name, ctx.recipe.stages.get("discover"))[:24])
    with _asking(ctx, answers) as ask:
        found = ask.search(queries)
        for asked, result in zip(queries, found, strict=True):
            if result.error is not None:
                ctx.member_error({"dataset": name}, content_id(name, asked.host, asked.q), result.error)
        unique = {(c.host, c.record or c.url): c for result in found for c in reversed(result.candidates)}
        ordered = list(dict.fromkeys((c.host, c.record or c.url) for result in found for c in result.candidates))
        screened = screen(
            [unique[key] for key in ordered],
            catalogue=Catalogue.of(_known(ctx)),
            describe=ask.describe,
            peek=ask.peek,
            follow=partial(ask.follow, hosts=frozenset(follow) or frozenset(asked.host for asked in queries)),
            map_=ask.pool.map,
        )
    count(screened)  # raises when the books do not balance
    ids = [content_id(one.candidate.host, one.candidate.record or one.candidate.url) for one in screened]
    rows, rejects = [], []
    for id, one in zip(ids, screened, strict=True):
        ctx.pack(f"{id}.json", hide_private(one.candidate.raw.decode("utf-8", "replace")).encode())
        rows.append(_row(id, one, ids))
        rejects.append(
            Reject(one.verdict.value, f"{rows[-1]['title']} ({one.candidate.url}): {rows[-1]['why']}", id=id)
        )
    if all(result.error is None for result in found):
        answers.clear()
    return rejects, pa.Table.from_pylist(rows, schema=CANDIDATES)


def _known(ctx: Context) -> list[DatasetManifest]:
    """All datasets of the catalogue, and those of the recipe, which may be a lab's own."""
    shipped = load_all(manifests_dir())
    own = [view for slug, view in ctx.manifests.items() if slug not in shipped]
    return [*shipped.values(), *(_as_manifest(view) for view in own)]


def _as_manifest(view: Any) -> DatasetManifest:
    """The fields of a manifest that a search compares with."""
    return DatasetManifest.model_construct(
        slug=view.slug, title=view.title, aliases=view.aliases, sources=view.sources, doi=view.doi, licence=view.licence
    )


@contextmanager
def _asking(ctx: Context, answers: AnswerFolder) -> Iterator[_Ask]:
    """The hosts, each with its connections, one set for each thread; an early end stops what is under way."""
    stop = threading.Event()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="discover") as pool:
        try:
            yield _Ask(ctx, answers, pool, stop)
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Ask:
    """Questions to hosts, from any thread."""

    def __init__(self, ctx: Context, answers: AnswerFolder, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        self.pool = pool
        self._ctx, self._answers, self._stop = ctx, answers, stop
        self._mine = threading.local()

    def search(self, queries: Sequence[Asked]) -> list[_Found]:
        """What each query found, in their order; queries at one host go one after the other."""
        made: list[_Found] = [_Found() for _ in queries]

        def at(host: str) -> None:
            for asked, found in zip(queries, made, strict=True):
                if asked.host == host:
                    self._one(asked, found)

        for done in [self.pool.submit(at, host) for host in dict.fromkeys(asked.host for asked in queries)]:
            done.result()
        return made

    def _one(self, asked: Asked, found: _Found) -> None:
        try:
            for candidate in self._source(asked.host).search(asked.q, asked.limit):
                found.candidates.append(candidate)
        except RowError as exc:  # for example: the host shows only its first 10,000 results
            found.error = exc

    def describe(self, candidate: Candidate) -> Candidate:
        """The whole record."""
        return self._source(candidate.host).describe(SourceRef(host=candidate.host, record=candidate.record))

    def peek(self, candidate: Candidate) -> list[RemoteFile] | None:
        """Names inside its archives."""
        # Without kept answers: the address of a file is signed, soon over, and would be kept without its signature.
        return peek(self._source(candidate.host, keep=False), candidate)

    def follow(self, link: Link, hosts: frozenset[str]) -> Candidate | None:
        """The record behind a link, if its host is one that may be asked."""
        if link.host not in hosts:
            return None
        return self._source(link.host).describe(SourceRef(host=link.host, record=link.record))

    def _source(self, host: str, *, keep: bool = True) -> Source:
        sources: dict[tuple[str, bool], Source] = self._mine.__dict__.setdefault("sources", {})
        if (host, keep) not in sources:
            sources[host, keep] = open_source(self._ctx, host, self._answers if keep else None, self._stop, not keep)
        return sources[host, keep]


def _row(id: str, one: Screened, ids: Sequence[str]) -> Row:
    candidate = one.candidate
    sizes = [file.size for file in candidate.files]
    total = sum(s for s in sizes if s is not None) if sizes and None not in sizes else candidate.total_bytes
    accepted = one.verdict is Verdict.AWAITS_MANIFEST
    listing = [[file.name, file.size, file.checksum] for file in candidate.files[:MAX_LISTING]] if accepted else None
    texts = {
        "record": candidate.record,
        "title": candidate.title,
        "url": candidate.url,
        "doi": candidate.doi,
        "concept": candidate.concept,
        "version": candidate.version,
        "licence": candidate.licence_spdx or candidate.licence_raw,
        "why": one.why,
    }
    return {
        "id": id,
        "host": candidate.host,
        **{name: None if text is None else storable(hide_private(text)) for name, text in texts.items()},
        "published": candidate.published,
        "access": candidate.access,
        "verdict": one.verdict.value,
        "same_as": None if one.of is None else ids[one.of],
        "kinds": json.dumps(dict(sorted(kinds(candidate.files).items()))),
        "links": json.dumps([[link.host, link.record] for link in one.links]) if one.links else None,
        "listing": None if listing is None else storable(hide_private(json.dumps(listing))),
        "score": one.score,
        "through_link": one.through_link,
        "files": len(sizes),
        "bytes": total if total is None or total < 1 << 63 else None,
    }
