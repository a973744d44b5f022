"""discover: resolve the recipe's datasets at their hosts, and search the hosts for more."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from pydantic import Field, field_validator

from ultracurate.core.config import Settings, digest
from ultracurate.core.context import Context
from ultracurate.core.dataset import DatasetManifest
from ultracurate.core.errors import RowError
from ultracurate.core.private import hide_signatures
from ultracurate.core.resources import manifests_dir
from ultracurate.core.schema import DATASET, FILE, Grain, content_id
from ultracurate.core.stage import Reject, Result, Row, each, stage
from ultracurate.screening.verdicts import SENTENCES
from ultracurate.sources import RemoteFile, hide_private
from ultracurate.sources.manual import place
from ultracurate.stages._search import Asked, search_all
from ultracurate.stages._sources import open_source

SEARCH = "search:"
PLAIN = ("local", "http", "manual")
"""Sources that say nothing about a dataset beyond its files."""


NO_SEARCH = ("aimi", "gdrive", *PLAIN)
"""Sources without a search of their own."""


class Query(Settings):
    """One search at one host."""

    host: str = "zenodo"
    q: str = Field(min_length=1, description="In the host's own query language")
    limit: int = Field(default=200, ge=1, le=200_000, description="Records to look at, best first")

    @field_validator("host")
    @classmethod
    def _can_be_searched(cls, value: str) -> str:
        if value in NO_SEARCH:
            raise ValueError(
                f"{value} cannot be searched. `ultracurate datasets list --host {value}` shows what is known of it"
            )
        return value


class DiscoverConfig(Settings):
    """Settings of discover."""

    queries: list[Query] = Field(default_factory=list)
    follow: list[str] = Field(
        default_factory=list,
        description="Hosts whose links in records of text are followed; empty: those that are searched",
    )
    as_of: str | int = Field(
        default="", description="Any text; change it (for example to today's date) to ask the hosts again"
    )


def searches(cfg: DiscoverConfig) -> tuple[str, ...]:
    """One more input beside the recipe's datasets: all queries, as what they find is judged together.

    It carries the digest of the catalogue: a manifest that is added there can take a candidate out.
    """
    if not cfg.queries:
        return ()
    manifests = hashlib.sha256()
    for path in sorted(manifests_dir().glob("*.yaml")):
        manifests.update(path.read_bytes())
    return (f"{SEARCH}{manifests.hexdigest()[:12]}",)


def watch_folders(manifest: DatasetManifest, roots: Mapping[str, str]) -> str:
    """Names and sizes in the dataset's folders here: a file that is added there is found by the next run."""
    seen = []
    for ref in manifest.sources:
        root, below = place(ref) if ref.host == "manual" else (ref.root, ref.path)
        if ref.host in ("local", "manual") and root is not None and root in roots:
            folder = Path(roots[root]) / (below or "")
            for parent, _, names in os.walk(folder):
                for name in names:
                    with suppress(FileNotFoundError):  # it went away while we looked
                        path = Path(parent, name)
                        seen.append((str(path.relative_to(folder)), path.lstat().st_size))
    return digest(sorted(seen)) if seen else ""


@stage(
    "discover",
    version=2,
    after=None,
    grain=(Grain.DATASET, Grain.FILE),
    needs=(),
    adds=(*DATASET, *FILE),
    config=DiscoverConfig,
    parent="dataset",
    sections=("title", "aliases", "doi", "sources", "licence", "status", "access"),
    watch=watch_folders,
    extra_inputs=searches,
    reasons={
        "needs_layout": "The manifest says that nobody has described this dataset's files yet.",
        "no_files": "The host lists no file for this record.",
        "refused_file": "The file cannot be used safely, for example a link that leaves its folder.",
        "nothing_found": "A search found no record at all.",
        **{verdict.value: f"A search found it. {sentence}" for verdict, sentence in SENTENCES.items()},
    },
)
def discover(part: pa.Table, cfg: DiscoverConfig, ctx: Context) -> Result:
    """List every dataset's files at its host; screen what a search finds, with a reason for each exclusion."""
    side: dict[str, pa.Table] = {}

    def one(row: Row) -> list[Row | Reject]:
        name: str = row["dataset"]
        if not name.startswith(SEARCH):
            return _files(name, ctx)
        queries = [Asked(query.host, query.q, query.limit) for query in cfg.queries]
        rejects, side["candidates"] = search_all(name, queries, cfg.follow, ctx)
        if not rejects:
            rejects = [Reject("nothing_found", "; ".join(query.q for query in cfg.queries))]
        return [*rejects]

    result = each(part, ctx, one)
    return Result(result.rows, result.rejects, side)


def _files(slug: str, ctx: Context) -> list[Row | Reject]:
    """The files of the first source of the dataset that answers."""
    manifest = ctx.manifest(slug)
    if manifest.status == "needs_layout":
        return [Reject("needs_layout", slug)]
    problems: list[str] = []
    for ref in manifest.sources:
        try:
            source = open_source(ctx, ref.host)
            if ref.host not in PLAIN:
                candidate = source.describe(ref)
                ctx.pack(f"{slug}-{ref.host}.json", hide_private(candidate.raw.decode("utf-8", "replace")).encode())
                if candidate.licence_spdx and candidate.licence_spdx != manifest.licence.id:
                    ctx.count("licence_differs_from_manifest")
            files = source.list_files(ref)
        except RowError as exc:
            problems.append(f"{ref.host}: {exc}")
            continue
        names: set[str] = set()
        made: list[Row | Reject] = []
        for file in files:
            if file.name in names:
                file = replace(file, problem="a second file of the same name")
            names.add(file.name)
            made.append(_file_row(slug, ref.host, ref.record, manifest.licence.id, file))
        return made or [Reject("no_files", f"{ref.host} record {ref.record or '-'}")]
    raise RowError("; ".join(problems))


def _file_row(slug: str, host: str, record: str | None, licence: str, file: RemoteFile) -> Row | Reject:
    file_id = content_id(slug, host, record, file.name)
    if file.problem:
        return Reject("refused_file", file.problem, id=file_id)
    if hide_signatures(file.name) != file.name:
        return Reject("refused_file", "its name holds what signs an address", id=file_id)
    return {
        "dataset": slug,
        "file_id": file_id,
        "host": host,
        "record": record,
        "file_name": file.name,
        "url": file.uri or file.url,
        "file_size": file.size,
        "checksum": file.checksum,
        "licence": licence,
    }
