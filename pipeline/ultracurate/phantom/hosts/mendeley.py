"""Mendeley Data's public-api, file downloads and site search (https://data.mendeley.com) over invented records."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from ultracurate.phantom.hosts.packing import bundle
from ultracurate.phantom.hosts.query import recall
from ultracurate.phantom.hosts.records import HostFile, HostRecord, words_of
from ultracurate.phantom.hosts.versions import all_versions, base_and_version, licence_of, pick
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer, redirect

LIST_LIMIT, FOLDER_LIMIT = 100, 1000
"""Files that a listing shows without, and with, the id of a folder; there is no second page."""
ZIP_SECONDS = 300.0
QUERY_LENGTH, SEARCH_PAGE, WINDOW = 255, 500, 10_000
_SIGNED_SINCE = "2024"  # files of older datasets lie at lasting public addresses
_ROOT = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


class Mendeley:
    """data.mendeley.com: everything by id and without an account; agents without a name are refused."""

    def answer(self, request: Request, world: World) -> Answer:
        """The answer to one request."""
        if not request.headers.get("user-agent"):
            return Answer(403, b"<!DOCTYPE html><title>Attention Required! | Cloudflare</title>", "text/html")
        path = request.path.rstrip("/")
        if path == "/api/research-data/search":
            return _search(request, world)
        if found := re.fullmatch(r"/api/datasets-v2/datasets/([a-z0-9]+)/zip", path):
            return _zip_status(pick(world, "mendeley", found[1], request.one("version")), world)
        if found := re.fullmatch(r"/public-api/zip/([a-z0-9]+)/download/(\d+)", path):
            return _zip(pick(world, "mendeley", found[1], found[2]), world)
        if found := re.fullmatch(r"/public-files/datasets/([a-z0-9]+)/files/([0-9a-f-]{36})/file_downloaded", path):
            return _file(found[1], found[2], world)
        if found := re.fullmatch(r"/public-api/datasets/([a-z0-9]+)(?:/(\w+))?(?:/(\d+))?", path):
            return _dataset(request, world, found[1], found[2] or "", found[3] or "")
        return _error(404)


def _dataset(request: Request, world: World, base: str, what: str, number: str) -> Answer:
    versions = all_versions(world, "mendeley").get(base)
    if versions is None:
        return _error(404)
    if what == "versions" and not number:
        rows = [
            {
                "version": base_and_version(record)[1],
                "publish_date": f"{record.created}T09:30:00.000Z",
                "available": not record.deleted,
            }
            for record in versions
        ]
        return json_answer(rows)
    record = pick(world, "mendeley", base, number or request.one("version"))
    if record is None:
        return _error(404)
    if what == "" and not number:
        return json_answer(dataset_json(record, world))
    if what == "snapshot" and number:
        found = dataset_json(record, world)
        found |= {"doi": found["doi"]["id"], "licence": found.pop("data_licence", None), "is_metadata_only": False}
        return json_answer(found | {"owner": {"display_name": "Ada Phantom"}})
    if what == "folders" and number:
        return json_answer(_folders(record))
    if what == "files" and not number:
        if record.access != "open":
            return _error(403)
        return _listing(record, request.one("folder_id"), world)
    return _error(404)


def dataset_json(record: HostRecord, world: World) -> dict[str, Any]:
    """A whole dataset; what it lists of its files is cut as every list without a folder is."""
    base, version = base_and_version(record)
    licence = licence_of(record)
    found: dict[str, Any] = {
        "id": base,
        "version": version,
        "versions": [{"version": base_and_version(r)[1]} for r in all_versions(world, "mendeley")[base]],
        "name": record.title,
        "description": record.description,
        "contributors": [{"first_name": "Ada", "last_name": "Phantom", "contribution": ""}],
        "categories": [{"id": _id(word), "label": word} for word in record.keywords],
        "institutions": [],
        "articles": [],
        "related_links": [{"type": "dataset", "rel": "IsDerivedFrom", "href": link} for link in record.related],
        "publish_date": f"{record.created}T09:30:00.000Z",
        "doi": {"id": record.doi or f"10.17632/{base}.{version}", "status": "PUBLISHED"},
        "files": [_file_json(record, file, world) for file in _shown(record)[:LIST_LIMIT]],
        "available": True,
        "owner_id": _id("owner"),
        "size": record.size,
    }
    if record.access == "embargoed":
        found["embargo_date"] = "2099-01-01T00:00:00.000Z"
    if licence is not None:
        found["data_licence"] = {
            "id": _id(licence.short),
            "description": f"You may use these files under {licence.full}.",
            "url": licence.url,
            "category": "Creative" if licence.short.startswith("CC") else "Other",
            "short_name": licence.short,
            "full_name": licence.full,
        }
    return found


def _shown(record: HostRecord) -> Sequence[HostFile]:
    return record.files if record.access == "open" else ()


def _folders(record: HostRecord) -> list[dict[str, Any]]:
    paths = {parent for file in record.files for parent in _parents(file.key)}
    rows = []
    for path in sorted(paths):
        above, _, name = path.rpartition("/")
        row = {"id": _folder_id(record, path), "name": name, "created_date": f"{record.created}T09:00:00.000Z"}
        rows.append(row | ({"parent_id": _folder_id(record, above)} if above else {}))
    return rows


def _parents(key: str) -> list[str]:
    parts = key.split("/")[:-1]
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]


def _folder_id(record: HostRecord, path: str) -> str:
    return _id(record.id, "folder", path)


def _listing(record: HostRecord, folder: str, world: World) -> Answer:
    files: Sequence[HostFile] = record.files
    if folder:
        files = [
            file
            for file in files
            if folder == (_folder_id(record, file.key.rpartition("/")[0]) if "/" in file.key else "root")
        ]
    limit = world.faults.page_size(FOLDER_LIMIT if folder else LIST_LIMIT)
    rows = [_file_json(record, file, world) for file in files[:limit]]
    if len(files) <= limit:
        return json_answer(rows)
    return json_answer(rows, 206, {"Content-Range": f"items 0-{limit - 1}/{len(files)}"})


def _file_json(record: HostRecord, file: HostFile, world: World) -> dict[str, Any]:
    base, id = base_and_version(record)[0], _id(record.id, "file", file.key)
    folder, _, name = file.key.rpartition("/")
    reads = world.memo["mendeley", "reads"] = world.memo.get(("mendeley", "reads"), 0) + 1
    link = f"{world.url('mendeley')}/public-files/datasets/{base}/files/{id}"
    content = {
        "id": _id(record.id, "content", file.key),
        "content_type": "application/octet-stream",
        "size": file.size,
        "created_date": f"{record.created}T09:00:00.000Z",
        "download_url": f"{link}/file_downloaded",
        "view_url": f"{link}/file_viewed",
        # Another one on each read, and a number as often as a text.
        "download_expiry_time": 4_922_881_200_000 + reads if reads % 2 else f"2126-01-01T00:00:{reads % 60:02d}.000Z",
    }
    sha256 = world.faults.digest(file, "sha256")
    return {
        "filename": name,
        "id": id,
        "folder_id": _folder_id(record, folder) if folder else None,
        "size": file.size,
        "last_modified_date": f"{record.created}T09:00:00.000Z",
        "status": "COMPLETED",
        "description": "",
        "content_details": content if sha256 is None else content | {"sha256_hash": sha256},
    }


def _file(base: str, id: str, world: World) -> Answer:
    for record in all_versions(world, "mendeley").get(base, []):
        if record.deleted or record.access != "open":
            continue
        for file in record.files:
            if _id(record.id, "file", file.key) == id:
                place = world.stored if record.created < _SIGNED_SINCE else world.signed
                return redirect(place("mendeley", f"public-files/{_id(record.id, 'content', file.key)}", file))
    return _error(404)


def _zip_file(record: HostRecord, world: World) -> HostFile:
    base, version = base_and_version(record)
    top = f"{record.title[:60].replace('/', '_')}/"
    key = ("mendeley", "zip", record.id)
    made: HostFile = recall(world, key, lambda: bundle(f"{base}-{version}.zip", record.files, world.scratch(), top=top))
    return made


def _zip(record: HostRecord | None, world: World) -> Answer:
    if record is None or record.access != "open":
        return _error(404 if record is None else 403)
    file = _zip_file(record, world)
    return redirect(world.signed("mendeley", f"cache-zipfiles/{file.key}", file, seconds=ZIP_SECONDS))


def _zip_status(record: HostRecord | None, world: World) -> Answer:
    if record is None or record.access != "open":
        return _error(404 if record is None else 403)
    file = _zip_file(record, world)
    url = world.signed("mendeley", f"cache-zipfiles/{file.key}", file, seconds=ZIP_SECONDS)
    stamp = f"{record.created}T10:00:00.000Z"
    sha256 = world.faults.digest(file, "sha256")
    body = {"status": "FINISH", "size": file.size, "url": url, "created_on": stamp, "modified_on": stamp}
    return json_answer(body if sha256 is None else body | {"sha256_hash": sha256})


def _search(request: Request, world: World) -> Answer:
    # `search` and `size` are ignored without a word, as the site does.
    query, page, size = request.one("query"), request.number("page", 1), request.number("page_size", 10)
    if len(query) > QUERY_LENGTH:
        return _error(500)
    if not 1 <= size <= SEARCH_PAGE or page < 1 or page * size > WINDOW:
        return _error(400)

    def find() -> list[HostRecord]:
        words = [f" {word} " for word in words_of(query).split()]
        newest = (pick(world, "mendeley", base) for base in all_versions(world, "mendeley"))
        hits = [record for record in newest if record and all(word in record.text for word in words)]
        return hits if words else sorted(hits, key=lambda record: record.created, reverse=True)

    hits: list[HostRecord] = recall(world, ("mendeley", "search", query), find)
    shown = hits[(page - 1) * size : page * size][: world.faults.page_size(size)]
    return json_answer(
        {
            "records": [_hit(record) for record in shown],
            "total_records": len(hits),
            "page": page,
            "page_size": size,
            "execution_time": 7,
            "aggregations": {},
        }
    )


def _hit(record: HostRecord) -> dict[str, Any]:
    base = base_and_version(record)[0]
    access = record.access if record.access in ("open", "embargoed") else "restricted"
    return {
        "id": base,
        "title": record.title,
        "description": record.description,
        "source": {"id": _id("source"), "name": "Mendeley Data", "external": False},
        "publication_date": f"{record.created}T09:30:00.000Z",
        "url": f"https://data.mendeley.com/datasets/{base}",
        "data_type": "dataset",
        "access": access,
        "doi": [f"10.17632/{base}"],
        "contributors": [{"first_name": "Ada", "last_name": "Phantom", "orcid": None}],
        "funders": [],
        "categories": list(record.keywords),
        "journal_issn": [],
    }


def _id(*words: str) -> str:
    return str(uuid.uuid5(_ROOT, "\n".join(words)))


def _error(status: int) -> Answer:
    return json_answer({"error": status}, status)


HOST = Mendeley()
