"""discover: resolve the recipe's datasets at their hosts, and search the hosts for more."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import Field

from ultracurate.core.config import Settings, digest
from ultracurate.core.context import Context
from ultracurate.core.dataset import DatasetManifest
from ultracurate.core.errors import RowError
from ultracurate.core.layout import PICTURE_ENDINGS
from ultracurate.core.schema import DATASET, FILE, Grain, content_id
from ultracurate.core.stage import Reject, Result, Row, each, stage
from ultracurate.sources import Candidate, RemoteFile
from ultracurate.stages._sources import open_source

SEARCH = "search:"
ARCHIVE_ENDINGS = ("zip", "tar", "gz", "tgz", "bz2", "xz", "7z", "rar", "zst")
VOLUME_ENDINGS = ("mha", "mhd", "nrrd", "nii", "h5", "hdf5", "npy", "npz", "mat", "mov", "mkv", "webm", "webp")
ULTRASOUND = re.compile(r"ultrasound|ultrasonograph|sonograph|sonogram|echocardio|b-mode|doppler", re.IGNORECASE)
OTHER_FIELDS = re.compile(
    r"welding|non-?destructive|cleaning bath|sonochem|flow ?meter|range ?finder|parking|ultrasonic (sensor|bond)",
    re.IGNORECASE,
)

CANDIDATES = pa.schema(
    [
        (n, pa.string())
        for n in ("id", "host", "record", "title", "url", "doi", "version", "licence", "access", "verdict")
    ]
    + [("files", pa.int64()), ("bytes", pa.int64())]
)
"""Side table of a search: one row for each record found, with what was decided about it."""


class Query(Settings):
    """One search at one host."""

    host: str = "zenodo"
    q: str = Field(min_length=1, description="In the host's own query language")
    limit: int = Field(default=200, ge=1, le=10_000, description="Records to look at, best first")


class DiscoverConfig(Settings):
    """Settings of discover."""

    queries: list[Query] = Field(default_factory=list)
    as_of: str = Field(
        default="", description="Any text; change it (for example to today's date) to ask the hosts again"
    )


def searches(cfg: DiscoverConfig) -> tuple[str, ...]:
    """One more input for each query, beside the recipe's datasets."""
    return tuple(f"{SEARCH}{query.host}:{query.q}" for query in cfg.queries)


def watch_folders(manifest: DatasetManifest, roots: Mapping[str, str]) -> str:
    """Names and sizes in the dataset's local folders: a file that is added there is found by the next run."""
    seen = []
    for ref in manifest.sources:
        if ref.host == "local" and ref.root is not None and ref.root in roots:
            folder = Path(roots[ref.root]) / (ref.path or "")
            for place, _, names in os.walk(folder):
                for name in names:
                    with suppress(FileNotFoundError):  # it went away while we looked
                        path = Path(place, name)
                        seen.append((str(path.relative_to(folder)), path.lstat().st_size))
    return digest(sorted(seen)) if seen else ""


@stage(
    "discover",
    version=1,
    after=None,
    grain=(Grain.DATASET, Grain.FILE),
    needs=(),
    adds=(*DATASET, *FILE),
    config=DiscoverConfig,
    parent="dataset",
    sections=("sources", "licence", "status", "access"),
    watch=watch_folders,
    extra_inputs=searches,
    reasons={
        "needs_layout": "The manifest says that nobody has described this dataset's files yet.",
        "no_files": "The host lists no file for this record.",
        "refused_file": "The file cannot be used safely, for example a link that leaves its folder.",
        "in_catalogue": "A search found a record that a dataset of the recipe already uses.",
        "restricted": "A search found a record whose files are not open.",
        "not_ultrasound": "A search found a record that does not look like medical ultrasound.",
        "no_image_files": "A search found a record without any picture, clip or archive.",
        "same_content": "A search found a record with exactly the files of another one.",
        "awaits_manifest": "A search found a promising record; write a manifest to include it.",
        "nothing_found": "A search found no record at all.",
    },
)
def discover(part: pa.Table, cfg: DiscoverConfig, ctx: Context) -> Result:
    """List every dataset's files at its host; screen what a search finds, with a reason for each exclusion."""
    candidates: list[Row] = []

    def one(row: Row) -> list[Row | Reject]:
        name: str = row["dataset"]
        if name.startswith(SEARCH):
            return _search(name, cfg, ctx, candidates)
        return _files(name, ctx)

    result = each(part, ctx, one)
    side = {"candidates": pa.Table.from_pylist(candidates, schema=CANDIDATES)} if candidates else {}
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
            if ref.host not in ("local", "http"):
                candidate = source.describe(ref)
                ctx.pack(f"{slug}-{ref.host}.json", candidate.raw)
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
    return {
        "dataset": slug,
        "file_id": file_id,
        "host": host,
        "record": record,
        "file_name": file.name,
        "url": file.url,
        "file_size": file.size,
        "checksum": file.checksum,
        "licence": licence,
    }


def _search(name: str, cfg: DiscoverConfig, ctx: Context, candidates: list[Row]) -> list[Row | Reject]:
    query = next(q for q in cfg.queries if name == f"{SEARCH}{q.host}:{q.q}")
    known = {(ref.host, ref.record) for m in ctx.manifests.values() for ref in m.sources if ref.record}
    found: list[Candidate] = []
    try:
        found.extend(open_source(ctx, query.host).search(query.q, query.limit))
    except RowError as exc:  # for example: the host shows only its first 10,000 results
        if not found:
            raise
        ctx.member_error({"dataset": name}, content_id(name, "rest"), exc)
    rejects: list[Row | Reject] = []
    contents: dict[frozenset[str | None], Candidate] = {}
    for candidate in sorted(found, key=lambda c: (c.host, c.record) not in known):  # ours first, else as the host ranks
        verdict = _screen(candidate, known)
        sums = frozenset(file.checksum for file in candidate.files)
        if sums and None not in sums and contents.setdefault(sums, candidate) is not candidate:
            verdict = "same_content" if verdict == "awaits_manifest" else verdict
        id = content_id(candidate.host, candidate.record or candidate.url)
        ctx.pack(f"{id}.json", candidate.raw)
        candidates.append(_candidate_row(id, candidate, verdict))
        rejects.append(Reject(verdict, f"{candidate.title} ({candidate.url})", id=id))
    return rejects or [Reject("nothing_found", query.q)]


def _screen(candidate: Candidate, known: set[tuple[str, str | None]]) -> str:
    """Why a record is left out, from its own words and file list; Corpus-wide rules, no download."""
    if (candidate.host, candidate.record) in known:
        return "in_catalogue"
    text = " ".join((candidate.title, candidate.description, *candidate.keywords))
    if not ULTRASOUND.search(text) or OTHER_FIELDS.search(text):
        return "not_ultrasound"
    if candidate.access != "open":
        return "restricted"
    endings = {file.name.rpartition(".")[2].lower() for file in candidate.files}
    if not endings & {*PICTURE_ENDINGS, *ARCHIVE_ENDINGS, *VOLUME_ENDINGS}:
        return "no_image_files"
    return "awaits_manifest"


def _candidate_row(id: str, candidate: Candidate, verdict: str) -> dict[str, Any]:
    sizes = [file.size for file in candidate.files]
    total = sum(s for s in sizes if s is not None) if all(s is not None for s in sizes) else None
    return {
        "id": id,
        "host": candidate.host,
        "record": candidate.record,
        "title": candidate.title,
        "url": candidate.url,
        "doi": candidate.doi,
        "version": candidate.version,
        "licence": candidate.licence_spdx or candidate.licence_raw,
        "access": candidate.access,
        "verdict": verdict,
        "files": len(sizes),
        "bytes": total if total is None or total < 1 << 63 else None,
    }
