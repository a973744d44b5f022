"""Figshare's API v2 (https://docs.figshare.com) and its three ways to a file, over invented records."""

from __future__ import annotations

import re
import uuid
import zlib
from typing import Any
from urllib.parse import quote

from ultracurate.phantom.hosts.query import BadQueryError, parse, recall
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.versions import all_versions, base_and_version, licence_of, pick
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer, redirect

PAGE_LIMIT = 1000
OFFSET_LIMIT = 5000
"""Results that can be skipped by page or offset; a cursor goes on."""
SHOWN_FILES = 10
"""Files inside the answer of an article; the paged list has all."""
SIGNED_SECONDS = 10.0
_TYPES = {"image": 1, "figure": 1, "media": 2, "dataset": 3, "publication": 6, "software": 9}
_NAMES = {1: "figure", 2: "media", 3: "dataset", 6: "journal contribution", 9: "software"}
_LICENCES = {"CC-BY-4.0": 1, "CC0-1.0": 2, "MIT": 3, "GPL-3.0": 7, "Apache-2.0": 10}
_FILTERS = ("search_for", "published_since", "item_type", "order", "order_direction")
_CURSORS = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


class Figshare:
    """api.figshare.com, figshare.com and ndownloader.figshare.com.

    A file whose key is an address (`https://...`) is only linked: `is_link_only`, without size and digest.
    """

    def answer(self, request: Request, world: World) -> Answer:
        """The answer to one request."""
        path = request.path.rstrip("/")
        if request.host == "figshare_web":
            if re.fullmatch(r"/ndownloader/files/\d{1,18}", path):
                return Answer(202, b"", "text/html", {"x-amzn-waf-action": "challenge"})
            return Answer(404, b"<html><title>Not found</title></html>", "text/html")
        if request.host == "figshare_download":
            found = re.fullmatch(r"/files/(\d{1,18})", path)
            return _download(int(found[1]), world) if found else _error(404, "Entity not found")
        if request.signed_in is False:
            return _error(403, "OAuth token is invalid")
        if path == "/articles":
            return _listed(request, world) if request.method == "GET" else _error(405, "Method not allowed")
        if path == "/articles/search":
            return _search(request, world) if request.method == "POST" else _error(405, "Method not allowed")
        if found := re.fullmatch(r"/file/download/(\d{1,18})", path):
            return _download(int(found[1]), world)
        if found := re.fullmatch(r"/articles/(\d{1,18})(?:/(files|versions)(?:/(\d{1,18}))?)?", path):
            return _article(request, world, found[1], found[2] or "", found[3] or "")
        return _error(404, "Entity not found")


def _listed(request: Request, world: World) -> Answer:
    """All articles by pages; or those with a DOI, of whichever version it is."""
    page, size, doi = request.number("page", 1), request.number("page_size", 10), _any_version(request.one("doi"))
    if page < 1 or not 1 <= size <= PAGE_LIMIT or (page - 1) * size > OFFSET_LIMIT:
        return _error(422, f"page_size must be at most {PAGE_LIMIT}, and the offset at most {OFFSET_LIMIT}")
    newest = (pick(world, "figshare", base) for base in all_versions(world, "figshare"))
    rows = [short_json(record, world) for record in newest if record is not None]
    rows = [row for row in rows if doi in ("", _any_version(row["doi"]))]
    size = world.faults.page_size(size)
    return json_answer(rows[(page - 1) * size : page * size])


def _any_version(doi: str) -> str:
    return re.sub(r"\.v\d{1,4}$", "", doi.lower())


def _search(request: Request, world: World) -> Answer:
    asked = request.json()
    if not isinstance(asked, dict):
        return _error(400, "Request body is not a valid JSON object")
    page: Any = asked.get("page", 1)
    size: Any = asked.get("page_size", 10)
    offset = asked.get("offset")
    if not all(type(value) is int and value >= 1 for value in (page, size)) or size > PAGE_LIMIT:
        return _error(422, f"page and page_size must be whole numbers, page_size at most {PAGE_LIMIT}")
    query, since = str(asked.get("search_for") or ""), str(asked.get("published_since") or "")
    if query and len(query) < 3:
        return _error(422, "search_for must be at least 3 characters long")
    key = ("figshare", *(str(asked.get(name)) for name in _FILTERS))
    try:
        hits: list[HostRecord] = recall(world, key, lambda: _hits(world, asked, query, since))
    except BadQueryError:
        return _error(400, "search_for cannot be parsed")
    start = offset if type(offset) is int else (page - 1) * size
    cursor = request.headers.get("x-cursor", "")
    if cursor:
        if "offset" in asked or page != 1:
            return _error(422, "A cursor goes with neither offset nor page")
        start = world.memo.get(("figshare", "cursor", cursor), -1)
        if start < 0:
            return _error(422, "Unknown cursor")
    elif not 0 <= start <= OFFSET_LIMIT:
        return _error(422, f"offset must be at most {OFFSET_LIMIT}")
    shown = hits[start : start + world.faults.page_size(size)]
    following = str(uuid.uuid5(_CURSORS, repr((key, start + len(shown)))))
    world.memo["figshare", "cursor", following] = start + len(shown)
    return json_answer([short_json(record, world) for record in shown], headers={"X-Cursor": following})


def _hits(world: World, asked: dict[str, Any], query: str, since: str) -> list[HostRecord]:
    # `:title: word` is this host's way to name a field.
    plain = re.sub(r":(\w+):\s*", lambda match: f"{'keywords' if match[1] == 'tag' else match[1]}:", query)
    test, wanted = parse(plain), asked.get("item_type")
    newest = (pick(world, "figshare", base) for base in all_versions(world, "figshare"))
    hits = [
        record
        for record in newest
        if record is not None and record.created >= since and wanted in (None, _type(record)) and test(record)
    ]
    if asked.get("order") in ("published_date", "created_date", "modified_date"):
        hits.sort(key=lambda record: record.created, reverse=asked.get("order_direction") != "asc")
    return hits


def _article(request: Request, world: World, base: str, what: str, number: str) -> Answer:
    record = pick(world, "figshare", base, number if what == "versions" else "")
    if record is None:
        return _error(404, "Entity not found: Article")
    api = f"{world.url('figshare')}/articles/{base}"
    if what == "versions" and not number:
        versions = [base_and_version(other)[1] for other in all_versions(world, "figshare")[base] if not other.deleted]
        return json_answer([{"version": version, "url": f"{api}/versions/{version}"} for version in versions])
    if what == "files" and number:
        files = [file for file in _shown(record) if file_id(record, file) == int(number)]
        return json_answer(_file(record, files[0], world)) if files else _error(404, "Entity not found: File")
    if what == "files":
        page, size = request.number("page", 1), request.number("page_size", 10)
        if page < 1 or not 1 <= size <= PAGE_LIMIT:
            return _error(422, f"page_size must be at most {PAGE_LIMIT}")
        size = world.faults.page_size(size)
        return json_answer([_file(record, file, world) for file in _shown(record)[(page - 1) * size : page * size]])
    stamps = {"ETag": f'"{base}-{base_and_version(record)[1]}"', "Last-Modified": "Mon, 05 Jan 2026 09:30:00 GMT"}
    return json_answer(article_json(record, world), headers=stamps)


def short_json(record: HostRecord, world: World) -> dict[str, Any]:
    """An article as searches show it: no licence, files, tags or description."""
    base, version = base_and_version(record)
    api, stamp = f"{world.url('figshare')}/articles/{base}", f"{record.created}T09:30:00Z"
    name = re.sub(r"\W+", "_", record.title, flags=re.ASCII).strip("_")
    return {
        "project_id": None,
        "id": int(base),
        "title": record.title,
        "doi": record.doi or f"10.6084/m9.figshare.{base}.v{version}",
        "handle": "",
        "url": api,
        "published_date": stamp,
        "thumb": "",
        "defined_type": _type(record),
        "defined_type_name": _NAMES[_type(record)],
        "group_id": 0,
        "url_public_api": api,
        "url_public_html": f"https://figshare.com/articles/{_NAMES[_type(record)]}/{name}/{base}",
        "timeline": {"posted": stamp[:-1], "firstOnline": stamp[:-1]},
        "resource_title": "",
        "resource_doi": record.related[0] if record.related and not record.related[0].startswith("http") else "",
        "created_date": stamp,
        "modified_date": stamp,
    }


def article_json(record: HostRecord, world: World) -> dict[str, Any]:
    """A whole article, with its first files only."""
    licence, open_now = licence_of(record), record.access == "open"
    found = short_json(record, world) | {
        "files": [_file(record, file, world) for file in _shown(record)[:SHOWN_FILES]],
        "custom_fields": [],
        "authors": [{"id": 1, "full_name": "Ada Phantom", "is_active": False, "url_name": "_", "orcid_id": ""}],
        "figshare_url": f"https://figshare.com/articles/_/{base_and_version(record)[0]}",
        "description": record.description if "<" in record.description else f"<p>{record.description}</p>",
        "funding": None,
        "version": base_and_version(record)[1],
        "status": "public",
        "size": record.size if open_now else 0,
        "is_public": True,
        "is_confidential": False,
        "is_metadata_record": record.access == "closed",
        "download_disabled": record.access == "terms",
        "license": None,
        "tags": list(record.keywords),
        "categories": [],
        "references": [link for link in record.related if link.startswith("http")],
        "related_materials": [{"identifier": link, "relation": "IsDerivedFrom"} for link in record.related],
        "has_linked_file": any(_linked(file) for file in record.files),
        "is_embargoed": not open_now,
        "embargo_date": "2099-01-01T00:00:00" if record.access == "embargoed" else None,
        "embargo_type": None if open_now else "file",
    }
    if licence is not None:
        found["license"] = {"value": _LICENCES.get(licence.spdx or "", 99), "name": licence.short, "url": licence.url}
    return found


def _type(record: HostRecord) -> int:
    return _TYPES.get(record.kind, 3)


def _shown(record: HostRecord) -> tuple[HostFile, ...]:
    return record.files if record.access == "open" else ()


def _linked(file: HostFile) -> bool:
    return file.key.startswith(("http://", "https://"))


def file_id(record: HostRecord, file: HostFile) -> int:
    """The number of a file, the same in every version that holds it."""
    return 10_000_000 + zlib.crc32(f"{base_and_version(record)[0]}/{file.key}/{file.size}".encode())


def _file(record: HostRecord, file: HostFile, world: World) -> dict[str, Any]:
    number = file_id(record, file)
    if _linked(file):
        return {
            "id": number,
            "name": file.key.rsplit("/", 1)[-1],
            "size": 0,
            "is_link_only": True,
            "download_url": file.key,
            "supplied_md5": "",
            "computed_md5": "",
        }
    md5 = world.faults.digest(file) or ""
    return {
        "id": number,
        "name": file.key,
        "size": file.size,
        "is_link_only": False,
        "download_url": f"{world.url('figshare_web')}/ndownloader/files/{number}",
        # Depositors supply a digest or do not; that of a file the host has not got to yet is empty.
        "supplied_md5": md5 if number % 2 else "",
        "computed_md5": "" if number % 6 == 1 else md5,
        "mimetype": "application/octet-stream",
    }


def _download(number: int, world: World) -> Answer:
    def index() -> dict[int, HostFile]:
        records = (record for record in world.shelf.of("figshare").values() if not record.deleted)
        return {file_id(record, file): file for record in records for file in _shown(record) if not _linked(file)}

    file = recall(world, ("figshare", "files"), index).get(number)
    if file is None:
        return _error(404, "Entity not found: File")
    headers = {"Content-Disposition": f"attachment;filename={quote(file.key.rsplit('/', 1)[-1])}"}
    where = f"pfigshare-u-files/{number}/{file.key}"
    return redirect(world.signed("figshare", where, file, seconds=SIGNED_SECONDS, headers=headers))


def _error(status: int, message: str) -> Answer:
    return json_answer({"message": message, "code": status}, status)


HOST = Figshare()
