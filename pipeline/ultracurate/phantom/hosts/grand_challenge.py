"""Grand Challenge's REST API over invented archives: archives, their items, and images whose files lie in storage.

A record is an archive, its id the slug. Files that differ in their suffix only (`a.mhd`, `a.zraw`) are one image.
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote, urlencode

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer, redirect

PAGE, PAGE_LIMIT = 100, 1_000
URL_SECONDS = 600
"""Life of a file's address."""
_TYPES = {"mha": "MHD", "mhd": "MHD", "zraw": "MHD", "raw": "MHD", "tif": "TIFF", "tiff": "TIFF"}


class GrandChallenge:
    """grand_challenge: nothing without a token, nothing of an archive without its owner's leave."""

    def answer(self, request: Request, world: World) -> Answer:
        """The answer to one request."""
        if not request.signed_in:
            refused = request.signed_in is False
            detail = "Invalid token." if refused else "Authentication credentials were not provided."
            return json_answer({"detail": detail}, 401, {"WWW-Authenticate": "Bearer"})
        if request.headers["authorization"].split(" ")[0].lower() != "bearer":
            return json_answer({"detail": "Authentication credentials were not provided."}, 401)
        if not request.path.endswith("/"):
            query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
            return redirect(f"{world.url('grand_challenge')}{quote(request.path)}/{query}", 301)
        records = {_pk(record.id): record for record in world.shelf.of("grand_challenge").values()}
        records = {key: record for key, record in records.items() if not record.deleted}
        parts = request.path.strip("/").split("/")
        if parts == ["archives"]:
            slug = request.one("slug")
            rows = [_archive(record, world) for record in records.values() if not slug or record.id == slug]
            return _page(request, world, rows)
        if parts == ["archives", "items"]:
            return _items(request, world, records)
        if len(parts) == 2 and parts[0] == "archives" and parts[1] in records:
            return json_answer(_archive(records[parts[1]], world))
        if len(parts) == 3 and parts[:2] == ["cases", "images"]:
            for record in records.values():
                for stem, files in _images(record).items():
                    if _pk(record.id, stem) == parts[2]:
                        return _forbidden() if record.access != "open" else _image(record, stem, files, world)
        return json_answer({"detail": "Not found."}, 404)

    def failure(self, request: Request, faults: Faults) -> Answer:
        """Refusals are JSON here too."""
        return json_answer({"detail": "Request was throttled."}, faults.fail_status)


def _pk(*names: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))


def _forbidden() -> Answer:
    return json_answer({"detail": "You do not have permission to perform this action."}, 403)


def _images(record: HostRecord) -> dict[str, list[HostFile]]:
    """Files of each image, by path without suffix."""
    images: dict[str, list[HostFile]] = {}
    for file in record.files:
        folder, slash, name = file.key.rpartition("/")
        images.setdefault(folder + slash + name.partition(".")[0], []).append(file)
    return images


def _page(request: Request, world: World, rows: list[dict[str, Any]]) -> Answer:
    limit, start = request.number("limit", PAGE) or PAGE, request.number("offset", 0)
    size = world.faults.at(f"/{request.host}{request.path}").page_size(min(limit, PAGE_LIMIT))

    def link(offset: int) -> str:
        query = {**request.query, "limit": [str(limit)], "offset": [str(offset)]}
        return f"{world.url('grand_challenge')}{quote(request.path)}?{urlencode(query, doseq=True)}"

    return json_answer(
        {
            "count": len(rows),
            "next": link(start + size) if start + size < len(rows) else None,
            "previous": link(max(0, start - size)) if start else None,
            "results": rows[start : start + size],
        }
    )


def _archive(record: HostRecord, world: World) -> dict[str, Any]:
    base, pk = world.url("grand_challenge"), _pk(record.id)
    return {
        "pk": pk,
        "name": record.id,
        "slug": record.id,
        "title": record.title,
        "description": record.description,
        "algorithms": [],
        "logo": "",
        "api_url": f"{base}/archives/{pk}/",
        "url": f"{base.removesuffix('/api/v1')}/archives/{record.id}/",
    }


def _items(request: Request, world: World, records: dict[str, HostRecord]) -> Answer:
    asked = request.one("archive")
    if asked not in records:
        problem = f"Select a valid choice. {asked!r} is not one of the available choices."
        return json_answer({"archive": [problem]}, 400)
    record, base = records[asked], world.url("grand_challenge")
    if record.access != "open":
        return _forbidden()
    socket = {"pk": 1, "title": "Generic Medical Image", "slug": "generic-medical-image", "kind": "Image"}
    rows = []
    for stem in _images(record):
        image = f"{base}/cases/images/{_pk(record.id, stem)}/"
        value = {"interface": socket, "value": None, "file": None, "image": image}
        archive = f"{base}/archives/{asked}/"
        rows.append({"pk": _pk(record.id, stem, "item"), "archive": archive, "values": [value], "title": ""})
    return _page(request, world, rows)


def _image(record: HostRecord, stem: str, files: list[HostFile], world: World) -> Answer:
    pk, base = _pk(record.id, stem), world.url("grand_challenge")
    rows = [
        {
            "pk": _pk(record.id, file.key, "file"),
            "image": f"{base}/cases/images/{pk}/",
            "file": world.signed("grand_challenge", f"/images/{pk}/{file.key}", file, seconds=URL_SECONDS),
            "image_type": _TYPES.get(file.key.rpartition(".")[2].lower(), "OTHER"),
        }
        for file in files
    ]
    name = files[0].key.rpartition("/")[2]
    facts = {"modality": "US", "color_space": "GRAY", "width": None, "height": None, "depth": None}
    return json_answer({"pk": pk, "name": name, "files": rows, **facts, "api_url": f"{base}/cases/images/{pk}/"})


HOST = GrandChallenge()
