"""What both of Kaggle's APIs share: who may see a dataset, what a search finds, where the bytes are."""

from __future__ import annotations

import base64
import itertools

from ultracurate.phantom.hosts import kaggle_json
from ultracurate.phantom.hosts.packing import bundle
from ultracurate.phantom.hosts.query import recall
from ultracurate.phantom.hosts.records import HostFile, HostRecord, words_of
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer

LAST_PAGE = 500
"""Later pages are empty: a window of 10,000 results."""
SIGNED_SECONDS = 259_200.0
_CRC_LIMIT = 1 << 14  # bytes; it is slow here, and the real host leaves sums out as well


class RefusalError(Exception):
    """An error that is answered in the words of whichever API was asked."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def files_page(record: HostRecord, token: str, size: int, world: World) -> Answer:
    """One page of the files of a dataset."""
    try:
        return json_answer(kaggle_json.files_json(record, token, size, world))
    except (ValueError, TypeError) as exc:
        raise RefusalError(400, "Invalid page token") from exc


def search(request: Request, world: World) -> list[HostRecord]:
    """One page of the list for the parameters `search`, `minSize`, `maxSize`, `user`, `sortBy` and `page`."""
    page = request.number("page", 1)
    words, user, sort = request.one("search"), request.one("user"), request.one("sortBy") or "hottest"
    least, most = request.number("minSize", 0), request.number("maxSize", 1 << 62)
    if sort not in ("hottest", "votes", "updated", "active", "published", "relevance"):
        raise RefusalError(400, f"Invalid value for sortBy: {sort}")
    if page < 1:
        raise RefusalError(400, "Page must be at least 1")

    def find() -> list[HostRecord]:
        wanted = [f" {word} " for word in words_of(words).split()]
        hits = [
            record
            for record in world.shelf.of("kaggle").values()
            if not record.deleted and all(word in record.text for word in wanted)
            if least <= record.size <= most and (not user or record.id.startswith(user + "/"))
        ]
        if sort in ("updated", "published"):
            hits.sort(key=lambda record: record.created, reverse=True)
        return hits

    hits: list[HostRecord] = recall(world, ("kaggle", words, user, sort, least, most), find)
    size = world.faults.page_size(kaggle_json.PAGE)
    return hits[(page - 1) * size : page * size] if page <= LAST_PAGE else []


def find(ref: str, request: Request, world: World, version: str = "", *, files: bool = False) -> HostRecord:
    """The dataset `owner/slug`; raises RefusalError if there is none, or if the client may not see (its `files`)."""
    record = world.shelf.of("kaggle").get(ref)
    if record is None or record.deleted:
        raise RefusalError(404, "Not found")
    if record.access in ("restricted", "embargoed", "closed"):
        raise RefusalError(403, "Permission 'datasets.get' was denied")
    if files and record.access == "terms" and not request.signed_in:
        raise RefusalError(403, "You must accept the terms of this dataset before you'll be able to download files.")
    if version and not (version.isdigit() and 1 <= int(version[:9]) <= record.version):
        raise RefusalError(404, "Not found")
    return record


def download(record: HostRecord, name: str, world: World) -> str:
    """Signed address of the whole dataset as a zip, or of one file; a CSV comes in a zip of its own."""
    where = f"kaggle-data-sets/{kaggle_json.number(record.id)}/{kaggle_json.number(record.id + str(record.version))}"
    if not name:
        file = recall(world, ("kaggle-bundle", record.id), lambda: bundle("archive.zip", record.files, world.scratch()))
        where += "/bundle/archive.zip"
    else:
        found = record.file(name)
        if found is None:
            raise RefusalError(404, "Not found")
        file = found
        if name.lower().endswith(".csv"):
            key = ("kaggle-csv", record.id, name)
            inner = HostFile(name.rsplit("/", 1)[-1], found.body)
            file = recall(world, key, lambda: bundle(f"{name}.zip", (inner,), world.scratch(), pack=True))
            where += f"/compressed/{name}.zip"
        else:
            where += f"/upload/{name}"
    kind = "application/zip" if where.endswith(".zip") else "application/octet-stream"
    sums = _checksums(file, world)
    headers = {"x-goog-hash": sums} if sums else {}
    return world.signed("kaggle", where, file, seconds=SIGNED_SECONDS, kind=kind, headers=headers)


def _checksums(file: HostFile, world: World) -> str:
    found = [] if file.size > _CRC_LIMIT else ["crc32c=" + base64.b64encode(_crc32c(file)).decode()]
    md5 = world.faults.digest(file)
    if md5 is not None:
        found.append("md5=" + base64.b64encode(bytes.fromhex(md5)).decode())
    return ",".join(found)


def _crc32c(file: HostFile) -> bytes:
    crc = 0xFFFFFFFF
    for byte in itertools.chain.from_iterable(file.pieces()):
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)  # Castagnoli's polynomial, reversed
    return (crc ^ 0xFFFFFFFF).to_bytes(4, "big")
