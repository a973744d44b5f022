"""download: bring every file into the work directory's content store, verified, or point to it where it is."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from ultracurate.core.blobs import ROOT
from ultracurate.core.config import Settings, digest
from ultracurate.core.context import Context
from ultracurate.core.errors import StorageError
from ultracurate.core.schema import DOWNLOADED, Grain
from ultracurate.core.stage import Result, Row, each, stage
from ultracurate.sources import Fetched, RemoteFile, Source, held
from ultracurate.stages._sources import open_source

AT_ONCE = 8
"""Files of one part that are worked on at the same time; each host's own limit is kept beside."""


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
    group_rows=128,
    group_weight=("file_size", 4 * 2**30),
    reasons={},
)
def download(part: pa.Table, cfg: DownloadConfig, ctx: Context) -> Result:
    """Fetch and verify files; a file that is already here, under any recipe, is not fetched again."""
    del cfg
    rows: list[Row] = part.to_pylist()
    _check_space(rows, ctx)
    with _fetching(rows, ctx) as coming:

        def one(row: Row) -> Row:
            columns, transferred = coming[row["file_id"]].result()
            if transferred is None:
                ctx.count("files_already_here")
            ctx.count("bytes_transferred", transferred or 0)
            return columns

        result = each(part, ctx, one)
    os.sync()  # once, not for each of thousands of small files: the part's table says that they are here
    return result


@contextmanager
def _fetching(rows: list[Row], ctx: Context) -> Iterator[dict[str, Future[tuple[Row, int | None]]]]:
    """All files on their way, by file id; when the block is left early, what is under way stops and is kept."""
    stop, mine = threading.Event(), threading.local()

    def source(host: str) -> Source:
        """This thread's own source, with its connections."""
        if not hasattr(mine, "sources"):
            mine.sources = {}
        if host not in mine.sources:
            mine.sources[host] = open_source(ctx, host, stop=stop)
        found: Source = mine.sources[host]
        return found

    pool = ThreadPoolExecutor(max(1, min(AT_ONCE, len(rows))), thread_name_prefix="download")
    try:
        yield {row["file_id"]: pool.submit(_bring, row, ctx, source) for row in rows}
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _bring(row: Row, ctx: Context, source_of: Callable[[str], Source]) -> tuple[Row, int | None]:
    """The columns of a file that is here now, and how many bytes came over the network; None: it was here."""
    source = source_of(row["host"])
    remote = RemoteFile(row["file_name"], row["url"], row["file_size"], row["checksum"])
    if row["url"].startswith(ROOT):  # a local file stays where it is; its digest pins it
        fetched = source.fetch(replace(remote, uri=row["url"]), ctx.store.scratch() / "unused")
        return _columns(row["url"], fetched.sha256, fetched.size), 0
    identity = _identity(row)
    target = ctx.store.scratch() / "downloads" / identity
    with held(target):  # another run may be bringing the same file
        if (known := _stored(identity, ctx)) is not None:
            return known, None
        return _fetch(_mirrored(remote, row, ctx), target, identity, source, ctx)


def _fetch(remote: RemoteFile, target: Path, identity: str, source: Source, ctx: Context) -> tuple[Row, int | None]:
    fetched: Fetched = source.fetch(remote, target)
    path = _path(fetched.sha256)
    ctx.store.adopt(fetched.path, path)
    note = json.dumps({"sha256": fetched.sha256, "size": fetched.size})
    ctx.store.write(_pointer(identity), note.encode())
    return _columns(path, fetched.sha256, fetched.size), fetched.transferred


def _stored(identity: str, ctx: Context) -> Row | None:
    """The file in the content store, if it is there whole."""
    pointer = _pointer(identity)
    if not ctx.store.exists(pointer):
        return None
    known = json.loads(ctx.store.read(pointer))
    path = _path(known["sha256"])
    if not ctx.store.exists(path) or ctx.store.size(path) != known["size"]:
        return None
    return _columns(path, known["sha256"], known["size"])


def _check_space(rows: list[Row], ctx: Context) -> None:
    """Raise now rather than after hours, when the part's files cannot all fit on the disk."""
    if ctx.store.local is None:
        return
    missing = [row for row in rows if not row["url"].startswith(ROOT) and _stored(_identity(row), ctx) is None]
    disk = shutil.disk_usage(ctx.store.scratch())
    # A size beyond the whole disk is an error of its own row.
    need, free = sum(s for row in missing if (s := row["file_size"] or 0) <= disk.total), disk.free
    if need > free:
        raise StorageError(
            f"Could not fetch {len(missing)} files into {ctx.store.url}: expected room for {need:,} bytes, found "
            f"{free:,} free. Free some space, or choose another --work."
        )


def _identity(row: Row) -> str:
    return digest(*(row[name] for name in ("host", "record", "file_name", "url", "file_size", "checksum")))[:24]


def _pointer(identity: str) -> str:
    return f"files/by-id/{identity}.json"


def _mirrored(remote: RemoteFile, row: Row, ctx: Context) -> RemoteFile:
    """The file with the mirrors that the manifest names for it."""
    for ref in ctx.manifest(row["dataset"]).sources:
        for file in ref.files if ref.host == row["host"] else ():
            if file.name == row["file_name"]:
                return replace(remote, mirrors=tuple(file.mirrors))
    return remote


def _path(sha256: str) -> str:
    return f"files/{sha256[:2]}/{sha256}"


def _columns(uri: str, sha256: str, size: int) -> Row:
    return {"file_uri": uri, "file_sha256": sha256, "file_bytes": size}
