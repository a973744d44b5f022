"""Zenodo's search and file API (InvenioRDM, https://developers.zenodo.org) over invented records."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.query import BadQueryError, parse, recall
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer, redirect

PAGE_GUEST, PAGE_USER = 25, 100
WINDOW = 10_000
"""Hits that the search index can page through."""
OWN_CONCEPT = 1_000_000_000
"""A record without a concept has one of its own: its id and so much more."""
_SORTS = {"bestmatch", "newest", "oldest", "updated-desc", "updated-asc", "version", "mostviewed", "mostdownloaded"}
_STAMP = "T09:30:00.000000+00:00"
_LICENCES = {"other": "other-open", "non-commercial": "other-nc", "closed": "other-closed"}


class Zenodo:
    """zenodo.org: what the site answers to guests and to users with a token."""

    def answer(self, request: Request, world: World) -> Answer:
        """The answer, with the rate limit headers that the site sends on every one."""
        path = request.path.rstrip("/")
        search = path == "/api/records"
        if request.signed_in is False:
            found = _message(401, "The access token is invalid.")
        elif search:
            found = self._search(request, world)
        elif match := re.fullmatch(r"/(?:api/)?records/(\d{1,18})(?:/(.*))?", path, re.DOTALL):
            found = self._record(request, world, match[1], match[2] or "")
        else:
            found = _message(404, "The requested URL was not found on the server.")
        limit = 30 if search else 133
        # The real host sends retry-after on its 200 answers too. The reset lies far off, so that answers repeat.
        limits = {"Retry-After": "59", "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(limit - 1)}
        limits["X-RateLimit-Reset"] = "1767605460"
        return Answer(**{**vars(found), "headers": {**limits, **found.headers}})

    def failure(self, request: Request, faults: Faults) -> Answer:
        """What stands in for an answer when the fault `fail_first` is on."""
        if faults.fail_status == 429:
            return _message(429, "30 per 1 minute")
        page = b"<html><body><h1>Service temporarily unavailable</h1></body></html>"
        return Answer(faults.fail_status, page, "text/html")

    def _search(self, request: Request, world: World) -> Answer:
        page, size = (_integer(request.one(name, default)) for name, default in (("page", "1"), ("size", "10")))
        if page is None or size is None:
            return _refuse("page" if page is None else "size", "Not a valid integer.")
        limit = PAGE_USER if request.signed_in else PAGE_GUEST
        if size > limit:
            hint = f" Please use authenticated requests to increase the limit to {PAGE_USER}."
            return _refuse("size", f"Page size cannot be greater than {limit}.{'' if request.signed_in else hint}")
        if page < 1 or size < 1:
            return _refuse("page" if page < 1 else "size", "Must be greater than or equal to 1.")
        if page * size > WINDOW:
            return _refuse("page", f"Maximum number of {WINDOW} results have been reached.")
        query = request.one("q")
        sort = request.one("sort") or ("bestmatch" if query else "newest")
        if sort not in _SORTS:
            return _refuse("sort", f"Invalid sort option '{sort}'.")
        every = request.one("all_versions") in ("true", "1")
        key = ("zenodo", query, sort, every, request.one("type"))
        try:
            hits = recall(world, key, lambda: _hits(world, query, sort, every, request.one("type")))
        except BadQueryError:
            return _message(500, "Internal server error.")
        size = world.faults.page_size(size)
        shown = hits[(page - 1) * size : page * size]
        body = {
            "hits": {"hits": [record_json(record, world) for record in shown], "total": len(hits)},
            "aggregations": {},
            "links": _links(request, world, page, size, sort, len(hits)),
        }
        return json_answer(body)

    def _record(self, request: Request, world: World, number: str, rest: str) -> Answer:
        record = world.shelf.of("zenodo").get(number)
        base = world.url("zenodo")
        if record is None:
            versions = world.shelf.concept("zenodo", number)
            own = world.shelf.of("zenodo").get(str(int(number) - OWN_CONCEPT))
            if own is not None and own.concept is None:
                versions = [own]
            if versions and rest in ("", "versions/latest"):
                return _moved(f"{base}/api/records/{versions[-1].id}")
            return _message(404, "The persistent identifier does not exist.")
        if record.deleted:
            return _tombstone(record)
        if rest == "":
            return json_answer(record_json(record, world), headers={"ETag": f'W/"{record.version}"'})
        if rest == "versions/latest":
            return _moved(f"{base}/api/records/{world.shelf.newest(record).id}")
        if rest == "versions":
            same = [record_json(other, world) for other in reversed(world.shelf.versions(record))]
            return json_answer({"hits": {"hits": same, "total": len(same)}, "aggregations": {}, "links": {}})
        if record.access != "open":
            return _message(403, "Permission denied.")
        if rest == "files":
            return json_answer(_listing(record, world))
        found = re.fullmatch(r"files/(.+?)(?:/content)?", rest, re.DOTALL)
        file = record.file(found[1]) if found else None
        if file is None:
            return _message(404, "Record not found")
        name = file.key.rsplit("/", 1)[-1]
        plain = name.encode("ascii", "replace").decode().replace('"', "_")
        shown = f'attachment; filename="{plain}"'
        shown += "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
        return Answer(file=file, etag=f"md5:{file.md5}", headers={"Content-Disposition": shown})


def _hits(world: World, query: str, sort: str, every: bool, kind: str) -> list[HostRecord]:
    test, shelf = parse(query), world.shelf
    hits = [
        record
        for record in shelf.of("zenodo").values()
        if not record.deleted and kind in ("", record.kind) and test(record)
        if every or record.concept is None or shelf.newest(record) is record
    ]
    if sort != "bestmatch":
        hits.sort(key=lambda record: (record.created, int(record.id)), reverse=sort not in ("oldest", "updated-asc"))
    return hits


def _links(request: Request, world: World, page: int, size: int, sort: str, total: int) -> dict[str, str]:
    one = {name: values[-1] for name, values in request.query.items()}

    def link(number: int) -> str:
        query = urlencode({**one, "page": number, "size": size, "sort": sort})
        return f"{world.url('zenodo')}/api/records?{query}"

    links = {"self": link(page)}
    if page > 1:
        links["prev"] = link(page - 1)
    if page * size < total and (page + 1) * size <= WINDOW:
        links["next"] = link(page + 1)
    return links


def record_json(record: HostRecord, world: World) -> dict[str, Any]:
    """The host's answer for one record, links absolute on this server."""
    base = world.url("zenodo")
    api = f"{base}/api/records/{record.id}"
    concept = record.concept or str(int(record.id) + OWN_CONCEPT)
    doi = record.doi or f"10.5281/zenodo.{record.id}"
    stamp = record.created + _STAMP
    versions = world.shelf.versions(record)
    metadata: dict[str, Any] = {
        "title": record.title,
        "doi": doi,
        "publication_date": record.created,
        "description": record.description if "<" in record.description else f"<p>{record.description}</p>",
        "access_right": "restricted" if record.access == "terms" else record.access,
        "creators": [{"name": "Phantom, Ada", "affiliation": "Institute of Invented Echoes"}],
        "resource_type": {"title": record.kind.title(), "type": record.kind},
        "version": f"{record.version}.0",
        "relations": {
            "version": [
                {
                    "index": versions.index(record),
                    "is_last": versions[-1] is record,
                    "parent": {"pid_type": "recid", "pid_value": concept},
                }
            ]
        },
    }
    if record.access == "embargoed":
        metadata["embargo_date"] = "2099-01-01"
    if record.keywords:
        metadata["keywords"] = list(record.keywords)
    if record.licence:
        metadata["license"] = {"id": _licence(record.licence)}
    if record.related:
        metadata["related_identifiers"] = [_related(link) for link in record.related]
    names = {"doi": doi, "doi_url": f"https://doi.org/{doi}"}
    if record.doi is None:  # with somebody else's DOI the site mints no concept DOI
        names["conceptdoi"] = f"10.5281/zenodo.{concept}"
    return {
        **dict.fromkeys(("created", "modified", "updated"), stamp),
        "id": int(record.id),
        "recid": record.id,
        "conceptrecid": concept,
        **names,
        "metadata": metadata,
        "title": record.title,
        "links": {
            "self": api,
            "self_html": f"{base}/records/{record.id}",
            "files": f"{api}/files",
            "archive": f"{api}/files-archive",
            "latest": f"{api}/versions/latest",
            "versions": f"{api}/versions",
            "parent": f"{base}/api/records/{concept}",
        },
        "revision": record.version,
        "files": [_file(file, api, world) for file in record.files] if record.access == "open" else [],
        "owners": [{"id": "1"}],
        "status": "published",
        "state": "done",
        "submitted": True,
        "stats": {"downloads": 0, "unique_downloads": 0, "views": 0, "unique_views": 0},
    }


def _related(link: str) -> dict[str, str]:
    scheme = "url" if link.startswith("http") else "doi"
    return {"identifier": link, "relation": "isDerivedFrom", "resource_type": "dataset", "scheme": scheme}


def _licence(stated: str) -> str:
    """The site's own ids are lower-case SPDX ids, or words such as `other-open`."""
    word = stated.lower().replace(" ", "-")
    return _LICENCES.get(word, word)


def _file(file: HostFile, api: str, world: World) -> dict[str, Any]:
    # The real host leaves spaces and slashes of keys unescaped in these links.
    found: dict[str, Any] = {"id": _uuid(file), "key": file.key, "size": file.size}
    md5 = world.faults.digest(file)
    if md5 is not None:
        found["checksum"] = f"md5:{md5}"
    return found | {"links": {"self": f"{api}/files/{file.key}/content"}}


def _uuid(file: HostFile) -> str:
    md5 = file.md5
    return f"{md5[:8]}-{md5[8:12]}-4{md5[13:16]}-8{md5[17:20]}-{md5[20:32]}"


def _listing(record: HostRecord, world: World) -> dict[str, Any]:
    api = f"{world.url('zenodo')}/api/records/{record.id}"
    entries = []
    for file in record.files:
        link = f"{api}/files/{quote(file.key, safe='')}"
        entry = {"status": "completed", "file_id": _uuid(file), "storage_class": "L", "metadata": {}}
        entry |= _file(file, api, world) | {"links": {"self": link, "content": f"{link}/content"}}
        entries.append(entry)
    return {
        "enabled": True,
        "default_preview": None,
        "order": [],
        "entries": entries,
        "links": {"self": f"{api}/files"},
    }


def _tombstone(record: HostRecord) -> Answer:
    tombstone = {
        "removal_reason": {"id": "retracted"},
        "note": "Withdrawn at the wish of its authors.",
        "removed_by": {"user": "1"},
        "removal_date": f"{record.created}T12:00:00+00:00",
        "is_visible": True,
    }
    return json_answer({"status": 410, "message": "Record deleted", "tombstone": tombstone}, 410)


def _message(status: int, text: str) -> Answer:
    return json_answer({"status": status, "message": text}, status)


def _refuse(name: str, text: str) -> Answer:
    errors = [{"field": name, "messages": [text]}]
    return json_answer({"status": 400, "message": "A validation error occurred.", "errors": errors}, 400)


def _moved(url: str) -> Answer:
    return redirect(url, 301)


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else None


HOST = Zenodo()
