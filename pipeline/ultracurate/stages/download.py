"""download: bring every file into the work directory's content store, verified, or point to it where it is."""

from __future__ import annotations

import json

import pyarrow as pa

from ultracurate.core.blobs import ROOT
from ultracurate.core.config import Settings, digest
from ultracurate.core.context import Context
from ultracurate.core.schema import DOWNLOADED, Grain
from ultracurate.core.stage import Result, Row, each, stage
from ultracurate.sources import Fetched, RemoteFile
from ultracurate.stages._sources import open_source


class DownloadConfig(Settings):
    """Settings of download; none yet can change a file, so there are none."""


@stage(
    "download",
    version=1,
    after="discover",
    grain=(Grain.FILE, Grain.FILE),
    needs=("dataset", "file_id", "host", "record", "file_name", "url", "file_size", "checksum"),
    adds=DOWNLOADED,
    config=DownloadConfig,
    sections=("sources",),
    group_rows=64,
    group_weight=("file_size", 256 * 2**20),
    reasons={},
)
def download(part: pa.Table, cfg: DownloadConfig, ctx: Context) -> Result:
    """Fetch and verify files; a file that is already here, under any recipe, is not fetched again."""
    del cfg

    def one(row: Row) -> Row:
        if row["url"].startswith(ROOT):  # a local file stays where it is; its digest pins it
            remote = RemoteFile(row["file_name"], row["url"], row["file_size"], row["checksum"], uri=row["url"])
            fetched = open_source(ctx, row["host"]).fetch(remote, ctx.store.scratch() / "unused")
            return _columns(row["url"], fetched.sha256, fetched.size)
        return _stored(row, ctx)

    return each(part, ctx, one)


def _stored(row: Row, ctx: Context) -> Row:
    """The file from the content store, fetched first if it is not there."""
    identity = digest(*(row[name] for name in ("host", "record", "file_name", "url", "file_size", "checksum")))[:24]
    pointer = f"files/by-id/{identity}.json"
    if ctx.store.exists(pointer):
        known = json.loads(ctx.store.read(pointer))
        path = _path(known["sha256"])
        if ctx.store.exists(path) and ctx.store.size(path) == known["size"]:
            ctx.count("files_already_here")
            return _columns(path, known["sha256"], known["size"])
    target = ctx.store.scratch() / "downloads" / identity
    target.parent.mkdir(parents=True, exist_ok=True)
    remote = RemoteFile(row["file_name"], row["url"], row["file_size"], row["checksum"], mirrors=_mirrors(row, ctx))
    fetched: Fetched = open_source(ctx, row["host"]).fetch(remote, target)
    ctx.count("bytes_transferred", fetched.transferred)
    path = _path(fetched.sha256)
    ctx.store.adopt(fetched.path, path)
    ctx.store.write(pointer, json.dumps({"sha256": fetched.sha256, "size": fetched.size}).encode())
    return _columns(path, fetched.sha256, fetched.size)


def _mirrors(row: Row, ctx: Context) -> tuple[str, ...]:
    for ref in ctx.manifest(row["dataset"]).sources:
        for file in ref.files if ref.host == row["host"] else ():
            if file.name == row["file_name"]:
                return tuple(file.mirrors)
    return ()


def _path(sha256: str) -> str:
    return f"files/{sha256[:2]}/{sha256}"


def _columns(uri: str, sha256: str, size: int) -> Row:
    return {"file_uri": uri, "file_sha256": sha256, "file_bytes": size}
