"""Synapse's repository and file services over invented projects and datasets.

A record is a project or dataset; its files lie in folder entities. Entity and file handle ids are made from names.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer

CHILDREN = 50
"""Rows in a page of children."""
SEARCH_LIMIT = 100
"""Hits in a page of a search."""
BATCH_LIMIT = 100
"""File handles in one request."""
URL_SECONDS = 900
"""Life of a pre-signed address."""
_MODEL = "org.sagebionetworks.repo.model"
_TYPES = {"project": f"{_MODEL}.Project", "dataset": f"{_MODEL}.table.Dataset"}
_TYPES |= {"folder": f"{_MODEL}.Folder", "file": f"{_MODEL}.FileEntity"}


@dataclass(frozen=True)
class Entity:
    """A project, dataset, folder or file; `parent` is the id of what holds it."""

    id: str
    name: str
    kind: str
    parent: str
    record: HostRecord
    file: HostFile | None = None

    @property
    def handle(self) -> str:
        """Id of the file handle."""
        return str(_number(f"handle {self.id}"))


class Synapse:
    """synapse (repository service) and synapse_file (file service)."""

    def answer(self, request: Request, world: World) -> Answer:
        """The answer of the service that was asked."""
        if request.signed_in is False:
            return _error(401, "Invalid access token")
        path, post = request.path.rstrip("/"), request.method == "POST"
        body = request.json() if post else {}
        if not isinstance(body, dict):
            return _error(400, "Could not parse JSON: A JSONObject text must begin with '{'")
        if request.host == "synapse_file":
            known = post and path == "/fileHandle/batch"
            return _batch(request, world, body) if known else _error(404, f"GET was not found: {path}")
        if post and path == "/search":
            return _search(request, world, body)
        if post and path == "/entity/children":
            return _children(request, world, body)
        found = re.fullmatch(r"/entity/(syn\d{1,18})(/annotations2)?", path)
        if post or found is None:
            return _error(404, f"{request.method} was not found: {path}")
        entity = _entities(world).get(found[1])
        if entity is None:
            return _error(404, f"Entity {found[1]} does not exist")
        if not _may_read(entity, request):
            return _error(403, f"You lack READ access to the requested entity: {entity.id}")
        if found[2]:
            licence = entity.record.licence
            stated = {"license": {"type": "STRING", "value": [licence]}} if licence else {}
            return json_answer({"id": entity.id, "etag": _etag(entity), "annotations": stated})
        return json_answer(_entity_json(entity, world))

    def failure(self, request: Request, faults: Faults) -> Answer:
        """Refusals are JSON here too."""
        return _error(faults.fail_status, "Requests are too frequent for API call: please try again later.")


def entity_id(record: HostRecord, path: str) -> str:
    """The id of a file or folder of a record; the record's own for the empty path."""
    return f"syn{_number(f'{record.id}/{path}')}" if path else record.id


def _number(name: str) -> int:
    return 10_000_000 + int(hashlib.sha256(name.encode()).hexdigest()[:12], 16) % 10**11


def _entities(world: World) -> dict[str, Entity]:
    """All entities by id; parents come before their children."""
    records = list(world.shelf.of("synapse").values())
    key = ("synapse", tuple(map(id, records)))
    if key not in world.memo:
        # The records are kept along, so that no other one can ever have the id of one of them.
        world.memo[key] = records, {entity.id: entity for record in records for entity in _inside(record)}
    known: dict[str, Entity] = world.memo[key][1]
    return known


def _inside(record: HostRecord) -> list[Entity]:
    if record.deleted:
        return []
    kind = record.kind if record.kind in ("project", "dataset") else "dataset"
    found = {"": Entity(record.id, record.title, kind, "syn4489", record)}
    for file in record.files:
        parts = file.key.split("/")
        for depth in range(1, len(parts)):
            path, above = "/".join(parts[:depth]), "/".join(parts[: depth - 1])
            entity = Entity(entity_id(record, path), parts[depth - 1], "folder", found[above].id, record)
            found.setdefault(path, entity)
        above = "/".join(parts[:-1])
        found[file.key] = Entity(entity_id(record, file.key), parts[-1], "file", found[above].id, record, file)
    return list(found.values())


def _may_read(entity: Entity, request: Request) -> bool:
    return entity.record.access in ("open", "terms", "restricted") or bool(request.signed_in)


def _error(status: int, reason: str) -> Answer:
    return json_answer({"concreteType": f"{_MODEL}.ErrorResponse", "reason": reason}, status)


def _etag(entity: Entity) -> str:
    digest = hashlib.sha256(f"{entity.id} {entity.record.version}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def _search(request: Request, world: World, body: dict[str, Any]) -> Answer:
    terms, size, start = body.get("queryTerm"), body.get("size", 10), body.get("start", 0)
    if not isinstance(terms, list) or not any(terms):
        return _error(400, "queryTerm is required")
    if not isinstance(size, int) or not isinstance(start, int) or size > SEARCH_LIMIT or size < 1 or start < 0:
        return _error(400, f"size must be at most {SEARCH_LIMIT}")
    size = world.faults.at(f"/{request.host}{request.path}").page_size(size)
    words = " ".join(map(str, terms)).lower().split()
    filters = body.get("booleanQuery") or []
    if not isinstance(filters, list) or not all(isinstance(one, dict) for one in filters):
        return _error(400, "booleanQuery must be a list of objects")
    kinds = [str(one.get("value", "")).split("|") for one in filters if one.get("key") == "node_type"]
    hits = [
        entity
        for entity in _entities(world).values()
        if entity.file is None
        and _may_read(entity, request)
        and all(entity.kind in allowed for allowed in kinds)
        and all(word in _text(entity) for word in words)
    ]
    rows = []
    for entity in hits[start : start + size]:
        when = int(datetime.fromisoformat(f"{entity.record.created}T09:30:00").replace(tzinfo=UTC).timestamp())
        named = {"id": entity.id, "etag": _etag(entity), "name": entity.name}
        described = {"description": entity.record.description, "node_type": entity.kind}
        dated = {"created_on": when, "modified_on": when, "created_by": "1000001", "modified_by": "1000001"}
        rows.append(named | described | dated)
    return json_answer({"found": len(hits), "start": start, "hits": rows, "facets": []})


def _text(entity: Entity) -> str:
    if entity.kind == "folder":
        return entity.name.lower()
    record = entity.record
    return " ".join((record.title, record.description, *record.keywords)).lower()


def _children(request: Request, world: World, body: dict[str, Any]) -> Answer:
    known = _entities(world)
    parent, token = known.get(str(body.get("parentId"))), str(body.get("nextPageToken") or "0a0")
    if parent is None:
        return _error(404, f"Entity {body.get('parentId')} does not exist")
    if not _may_read(parent, request):
        return _error(403, f"You lack READ access to the requested entity: {parent.id}")
    place = re.fullmatch(r"50a(\d{1,9})|0a0", token)
    if place is None:
        return _error(400, "Unable to parse NextPageToken")
    kinds = body.get("includeTypes") or ["folder", "file"]
    if not isinstance(kinds, list):
        return _error(400, "includeTypes must be a list")
    below = sorted(
        (entity for entity in known.values() if entity.parent == parent.id and entity.kind in kinds),
        key=lambda entity: entity.name,
    )
    start = int(place[1] or 0)
    stop = start + world.faults.at(f"/{request.host}{request.path}").page_size(CHILDREN)
    page = [
        {
            "id": entity.id,
            "name": entity.name,
            "type": _TYPES[entity.kind],
            "versionNumber": entity.record.version,
            "versionLabel": str(entity.record.version),
            "isLatestVersion": True,
        }
        for entity in below[start:stop]
    ]
    return json_answer({"page": page} | ({"nextPageToken": f"50a{stop}"} if stop < len(below) else {}))


def _entity_json(entity: Entity, world: World) -> dict[str, Any]:
    when = f"{entity.record.created}T09:30:00.000Z"
    body: dict[str, Any] = {
        "id": entity.id,
        "name": entity.name,
        "etag": _etag(entity),
        "parentId": entity.parent,
        "concreteType": _TYPES[entity.kind],
        "createdOn": when,
        "modifiedOn": when,
        "createdBy": "1000001",
        "modifiedBy": "1000001",
    }
    if entity.kind in ("project", "dataset"):
        body["description"] = entity.record.description
    if entity.kind in ("file", "dataset"):
        version = entity.record.version
        body |= {"versionNumber": version, "versionLabel": str(version), "isLatestVersion": True}
    if entity.kind == "file":
        body["dataFileHandleId"] = entity.handle
    if entity.kind == "dataset":
        items = [one for one in _entities(world).values() if one.record is entity.record and one.file]
        body["datasetItems"] = [{"entityId": one.id, "versionNumber": one.record.version} for one in items]
    return body


def _batch(request: Request, world: World, body: dict[str, Any]) -> Answer:
    asked = body.get("requestedFiles")
    if not request.signed_in:
        return _error(401, "Missing credentials: files need a personal access token.")
    if not isinstance(asked, list) or not asked:
        return _error(400, "requestedFiles is required")
    if len(asked) > BATCH_LIMIT:
        return _error(400, f"The maximum number of requested files is {BATCH_LIMIT}")
    known, rows = _entities(world), []
    for one in (one if isinstance(one, dict) else {} for one in asked):
        number, entity = str(one.get("fileHandleId")), known.get(str(one.get("associateObjectId")))
        row: dict[str, Any] = {"fileHandleId": number}
        if entity is not None and entity.record.access == "terms":
            return _error(403, f"There are unmet access requirements that must be met to read content: {entity.id}")
        if entity is None or entity.file is None or one.get("associateObjectType") != "FileEntity":
            row["failureCode"] = "NOT_FOUND"
        elif entity.handle != number or entity.record.access != "open":
            row["failureCode"] = "UNAUTHORIZED"
        else:
            row |= _handle(world, entity, entity.file, body)
        rows.append(row)
    return json_answer({"requestedFiles": rows})


def _handle(world: World, entity: Entity, file: HostFile, body: dict[str, Any]) -> dict[str, Any]:
    key = f"1000001/{entity.handle}/{entity.name}"
    row: dict[str, Any] = {}
    if body.get("includeFileHandles"):
        row["fileHandle"] = {
            "id": entity.handle,
            "etag": _etag(entity),
            "concreteType": f"{_MODEL}.file.S3FileHandle",
            "contentType": "application/octet-stream",
            "contentMd5": world.faults.digest(file),
            "contentSize": file.size,
            "fileName": entity.name,
            "bucketName": "phantomdata.example.org",
            "key": key,
            "status": "AVAILABLE",
        }
    if body.get("includePreSignedURLs"):
        row["preSignedURL"] = world.signed("synapse", key, file, seconds=URL_SECONDS)
    return row


HOST = Synapse()
