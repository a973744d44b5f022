"""DataCite's DOI search (https://api.datacite.org) over the invented records of the hosts that mint DOIs there."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import urlencode

from ultracurate.phantom.hosts.query import BadQueryError, parse, recall
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.versions import base_and_version, licence_of
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer

PAGE_LIMIT = 1000
WINDOW = 10_000
"""Results that page numbers reach; a cursor goes on to the end."""
_CLIENTS = {"mendeley": "bl.mendeley", "zenodo": "cern.zenodo", "figshare": "figshare.ars"}
_PUBLISHERS = {"mendeley": "Mendeley Data", "zenodo": "Zenodo", "figshare": "figshare"}
_TYPES = {"dataset": "Dataset", "image": "Image", "software": "Software", "publication": "Text"}


class DataCite:
    """api.datacite.org: every version of every record has a DOI of its own here."""

    def answer(self, request: Request, world: World) -> Answer:
        """The answer to one request."""
        path = request.path.rstrip("/")
        if path == "/dois":
            return _search(request, world)
        if path.startswith("/dois/"):
            record = _by_doi(world).get(path.removeprefix("/dois/").lower())
            return _error(404, "The resource you are looking for doesn't exist.") if record is None else _one(record)
        return _error(404, "The resource you are looking for doesn't exist.")


def _search(request: Request, world: World) -> Answer:
    size, number = request.number("page[size]", 25), request.number("page[number]", 1)
    cursor = request.one("page[cursor]")
    if size > PAGE_LIMIT:
        size = PAGE_LIMIT
    if not cursor and number * size > WINDOW:
        return _error(400, f"Page number and size must not reach past {WINDOW}. Use a cursor.")
    client, kind = request.one("client-id").lower(), request.one("resource-type-id").lower()
    query = request.one("query")

    def find() -> list[HostRecord]:
        test = parse(query)
        hosts = [host for host, name in _CLIENTS.items() if client in ("", name)]
        records = (record for host in hosts for record in world.shelf.of(host).values())
        return [
            record
            for record in records
            if not record.deleted and record.doi is None and (not kind or _type(record).lower() == kind)
            if test(record)
        ]

    try:
        hits: list[HostRecord] = recall(world, ("datacite", query, client, kind), find)
    except BadQueryError:
        return _error(400, "The query could not be parsed.")
    size = world.faults.page_size(size)
    start = (number - 1) * size
    if cursor:
        found = re.fullmatch(rb"after (\d{1,9})", _decode(cursor)) if cursor != "1" else None
        if cursor != "1" and found is None:
            return _error(400, "The cursor is invalid.")
        start = int(found[1]) if found else 0
    shown, stop = hits[start : start + size], start + size
    links = {"self": _link(request, world, {})}
    if stop < len(hits) and shown:
        following = base64.urlsafe_b64encode(f"after {stop}".encode()).decode().rstrip("=")
        links["next"] = _link(request, world, {"page[cursor]": following} if cursor else {"page[number]": number + 1})
    meta: dict[str, Any] = {"total": len(hits), "totalPages": -(-len(hits) // size) if size else 0}
    if not cursor:
        meta["page"] = number
    return json_answer({"data": [_json(record) for record in shown], "meta": meta, "links": links})


def _decode(cursor: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return b""


def _link(request: Request, world: World, changes: dict[str, Any]) -> str:
    one = {name: values[-1] for name, values in request.query.items()} | changes
    return f"{world.url('datacite')}/dois?{urlencode(one)}"


def _by_doi(world: World) -> dict[str, HostRecord]:
    def index() -> dict[str, HostRecord]:
        records = (record for host in _CLIENTS for record in world.shelf.of(host).values())
        return {doi_of(record).lower(): record for record in records if record.doi is None and not record.deleted}

    found: dict[str, HostRecord] = recall(world, ("datacite", "dois"), index)
    return found


def _one(record: HostRecord) -> Answer:
    return json_answer({"data": _json(record)})


def doi_of(record: HostRecord) -> str:
    """The DOI of this version of a record."""
    base, version = base_and_version(record)
    if record.host == "mendeley":
        return f"10.17632/{base}.{version}"
    return f"10.5281/zenodo.{record.id}" if record.host == "zenodo" else f"10.6084/m9.figshare.{base}.v{version}"


def _page_of(record: HostRecord) -> str:
    base, version = base_and_version(record)
    if record.host == "mendeley":
        return f"https://data.mendeley.com/datasets/{base}/{version}"
    return (
        f"https://zenodo.org/records/{record.id}"
        if record.host == "zenodo"
        else f"https://figshare.com/articles/dataset/_/{base}/{version}"
    )


def _type(record: HostRecord) -> str:
    return _TYPES.get(record.kind, "Other")


def _json(record: HostRecord) -> dict[str, Any]:
    doi, stamp = doi_of(record), f"{record.created}T09:30:00Z"
    related = [
        {
            "relationType": "IsDerivedFrom",
            "relatedIdentifier": link,
            "relatedIdentifierType": "URL" if link.startswith("http") else "DOI",
        }
        for link in record.related
    ]
    concept = re.sub(r"\.v?\d+$", "", doi) if record.host != "zenodo" else record.concept
    if concept:
        whole = concept if record.host != "zenodo" else f"10.5281/zenodo.{concept}"
        related.insert(0, _version_of(whole))
    licence = licence_of(record)
    rights: list[dict[str, Any]] = (
        [{"rightsUri": "info:eu-repo/semantics/openAccess"}] if record.access == "open" else []
    )
    if licence is not None and licence.spdx:
        named = {"rightsIdentifier": licence.spdx.lower(), "rightsIdentifierScheme": "SPDX"}
        rights.append({"rights": licence.full, "rightsUri": f"{licence.url}legalcode", **named})
    elif licence is not None:
        rights.append({"rights": licence.full})
    attributes = {
        "doi": doi,
        "identifiers": [],
        "creators": [{"name": "Phantom, Ada", "nameType": "Personal", "affiliation": [], "nameIdentifiers": []}],
        "titles": [{"title": record.title}],
        "publisher": _PUBLISHERS[record.host],
        "publicationYear": int(record.created[:4]),
        "subjects": [{"subject": word} for word in record.keywords],
        "dates": [{"date": stamp, "dateType": "Issued"}],
        "types": {"resourceTypeGeneral": _type(record), "resourceType": _type(record)},
        "relatedIdentifiers": related,
        "version": None,
        "rightsList": rights,
        "descriptions": [{"descriptionType": "Abstract", "description": record.description}],
        "url": _page_of(record),
        "contentUrl": None,
        "state": "findable",
        "created": stamp,
        "registered": stamp,
        "updated": stamp,
    }
    client = {"data": {"id": _CLIENTS[record.host], "type": "clients"}}
    return {"id": doi, "type": "dois", "attributes": attributes, "relationships": {"client": client}}


def _version_of(doi: str) -> dict[str, str]:
    return {
        "relationType": "IsVersionOf",
        "resourceTypeGeneral": "Dataset",
        "relatedIdentifier": doi,
        "relatedIdentifierType": "DOI",
    }


def _error(status: int, title: str) -> Answer:
    return json_answer({"errors": [{"status": str(status), "title": title}]}, status)


HOST = DataCite()
