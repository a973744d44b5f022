"""The Cancer Imaging Archive: series and their images (NBIA), and the site's collection manager (WordPress).

A record is a collection. Its files `<patient>/<modality>/<series>/<name>` are DICOM; of the others, those below
`aspera/` are offered as an Aspera package, and the rest as plain downloads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.tcia_series import Series, dicom_parts, doi_of, series_of, uid_of
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer

PAGE_LIMIT = 100
"""Rows in a page of the collection manager."""
_UPLOADS = "/wp-content/uploads/"
_FILTERS = {
    "Collection": "Collection",
    "PatientID": "PatientID",
    "StudyInstanceUID": "StudyInstanceUID",
    "SeriesInstanceUID": "SeriesInstanceUID",
    "Modality": "Modality",
    "BodyPartExamined": "BodyPartExamined",
    "Manufacturer": "Manufacturer",
}
_VALUES = {
    "getCollectionValues": "Collection",
    "getModalityValues": "Modality",
    "getBodyPartValues": "BodyPartExamined",
    "getManufacturerValues": "Manufacturer",
}
_TABLES = ("collections", "downloads", "analysis-results", "citations", "versions")


class Tcia:
    """tcia (NBIA's REST interface) and tcia_collections (the site)."""

    def answer(self, request: Request, world: World) -> Answer:
        """The answer of the service that was asked."""
        if request.host == "tcia_collections":
            return _site(request, world)
        method = request.path.rstrip("/").rpartition("/")[2]
        every = series_of(world.shelf.of("tcia").values())
        if method in ("getImage", "getImageWithMD5Hash"):
            return _image(request, world, every, method)
        if method == "getSeriesMetaData":
            sent = parse_qs(request.body.decode("utf-8", "replace")).get("list", [])
            wanted = {uid for text in [*sent, request.one("SeriesInstanceUID")] for uid in text.split(",")}
            return _rows([one.metadata_row() for one in every if one.uid in wanted])
        refused = [name for name in request.query if name not in _FILTERS and name != "format"]
        if refused:
            return Answer(400, f"Invalid query parameter: '{refused[0]}'.".encode(), "text/plain")
        asked = {field: request.one(name) for name, field in _FILTERS.items() if request.one(name)}
        every = [one for one in every if all(one.row().get(field) == value for field, value in asked.items())]
        if method in _VALUES:
            values = {str(one.row().get(_VALUES[method], "")) for one in every}
            return _rows([{_VALUES[method]: value} if value else {} for value in sorted(values)])
        if method in _QUERIES:
            return _rows(_QUERIES[method](every))
        return Answer(404, b"<html><body>HTTP Status 404</body></html>", "text/html;charset=utf-8")


def _rows(rows: list[dict[str, Any]]) -> Answer:
    """A bare array; no rows are an empty body."""
    return json_answer(rows) if rows else Answer(body=b"", kind="application/json")


def _image(request: Request, world: World, every: list[Series], method: str) -> Answer:
    allowed = {"SeriesInstanceUID"} | ({"NewFileNames"} if method == "getImage" else set())
    if set(request.query) - allowed or not request.one("SeriesInstanceUID"):
        return Answer(400, b"A parameter, SeriesInstanceUID, is required for this API call.", "application/json")
    for one in every:
        if one.uid == request.one("SeriesInstanceUID"):
            named = request.one("NewFileNames") == "Yes"
            file = one.archive(world.faults, digests=method == "getImageWithMD5Hash", new_names=named)
            headers = {"Content-Disposition": f'attachment; filename="{file.key}"'}
            return Answer(kind="application/octet-stream", file=file, headers=headers, ranges=False, length=False)
    return Answer(body=b"", kind="application/octet-stream")


def _series(every: list[Series]) -> list[dict[str, Any]]:
    # Empty rows turn up in the archive's lists; a client has to step over them.
    return [{}, *(one.row() for one in every)] if every else []


def _patients(every: list[Series]) -> list[dict[str, Any]]:
    known = {(one.record.id, one.patient): None for one in every}
    return [{"PatientId": patient, "PatientName": "", "Collection": place} for place, patient in known]


def _studies(every: list[Series]) -> list[dict[str, Any]]:
    studies: dict[str, list[Series]] = {}
    for one in every:
        studies.setdefault(one.study, []).append(one)
    return [
        {
            "StudyInstanceUID": uid,
            "StudyDate": f"{same[0].record.created} 00:00:00.0",
            "PatientID": same[0].patient,
            "Collection": same[0].record.id,
            "SeriesCount": len(same),
        }
        for uid, same in studies.items()
    ]


def _size(every: list[Series]) -> list[dict[str, Any]]:
    total = {"TotalSizeInBytes": sum(one.bytes for one in every), "ObjectCount": sum(len(one.files) for one in every)}
    return [total] if every else []


def _instances(every: list[Series]) -> list[dict[str, Any]]:
    return [{"SOPInstanceUID": uid_of(f"{one.record.id}/{file.key}")} for one in every for file in one.files]


_QUERIES: dict[str, Callable[[list[Series]], list[dict[str, Any]]]] = {
    "getSeries": _series,
    "getPatient": _patients,
    "getPatientStudy": _studies,
    "getSeriesSize": _size,
    "getSOPInstanceUIDs": _instances,
}


def _site(request: Request, world: World) -> Answer:
    parts = request.path.strip("/").removeprefix("api/v1/").split("/")
    if request.path.startswith(_UPLOADS):
        return _upload(world, request.path.removeprefix(_UPLOADS))
    if parts[0] == "aspera":
        page = b"<!doctype html><title>IBM Aspera Faspex</title><body>Install IBM Aspera Connect to download.</body>"
        return Answer(body=page, kind="text/html; charset=utf-8")
    if parts[0] not in _TABLES:
        return _wrong(404, "rest_no_route", "No route was found matching the URL and request method.")
    records = [record for record in world.shelf.of("tcia").values() if not record.deleted]
    rows = _table(parts[0], records, world)
    if len(parts) > 1 and parts[1]:
        chosen = [row for row in rows if str(row["id"]) == parts[1]]
        return json_answer(chosen[0]) if chosen else _wrong(404, "rest_post_invalid_id", "Invalid post ID.")
    if wanted := request.one("include"):
        rows = [row for row in rows if str(row["id"]) in wanted.split(",")]
    for word in request.one("search").lower().split():
        rows = [row for row in rows if word in str(list(row.values())).lower()]
    return _page(request, world, rows)


def _page(request: Request, world: World, rows: list[dict[str, Any]]) -> Answer:
    asked, page = request.number("per_page", 10), request.number("page", 1)
    if not 1 <= asked <= PAGE_LIMIT:
        return _wrong(400, "rest_invalid_param", "Invalid parameter(s): per_page")
    size = world.faults.at(f"/{request.host}{request.path}").page_size(asked)
    last = max(1, -(-len(rows) // size))
    if not 1 <= page <= last:
        text = "The page number requested is larger than the number of pages available."
        return _wrong(400, "rest_post_invalid_page_number", text)
    shown = rows[(page - 1) * size : page * size]
    if request.one("_fields"):
        fields = request.one("_fields").split(",")
        shown = [{name: value for name, value in row.items() if name in fields} for row in shown]
    base, links = world.url("tcia_collections") + quote(request.path), []
    for name, number in (("prev", page - 1), ("next", page + 1)):
        if 1 <= number <= last:
            query = urlencode({**request.query, "page": [str(number)]}, doseq=True)
            links.append(f'<{base}?{query}>; rel="{name}"')
    headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(last)}
    return json_answer(shown, headers=headers | ({"Link": ", ".join(links)} if links else {}))


def _wrong(status: int, code: str, message: str) -> Answer:
    return json_answer({"code": code, "message": message, "data": {"status": status}}, status)


def _number(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:7], 16)


def _table(name: str, records: list[HostRecord], world: World) -> list[dict[str, Any]]:
    if name == "collections":
        return [_collection(record, world) for record in records]
    if name == "downloads":
        return [row for record in records for row in _downloads(record, world)]
    if name == "citations":
        return [
            {
                "id": _number(f"citation {record.id}"),
                "tcia_citation_type": "Data Citation",
                "tcia_citation_text": f"{record.title} [Data set]. The Cancer Imaging Archive.",
                "tcia_citation_doi": doi_of(record).removeprefix("https://doi.org/"),
            }
            for record in records
        ]
    if name == "versions":
        return [
            {
                "id": _number(f"version {record.id}"),
                "version_number": str(record.version),
                "version_date": record.created,
                "version_downloads": [row["id"] for row in _downloads(record, world)],
            }
            for record in records
        ]
    return []


def _collection(record: HostRecord, world: World) -> dict[str, Any]:
    kinds = {parts[1] for file in record.files if (parts := dicom_parts(file))}
    return {
        "id": _number(record.id),
        "slug": record.id.lower(),
        "link": f"{world.url('tcia_collections')}/collection/{quote(record.id.lower())}/",
        "title": {"rendered": record.id},
        "collection_title": record.title,
        "collection_short_title": record.id,
        "collection_doi": doi_of(record).removeprefix("https://doi.org/"),
        "collection_summary": record.description,
        "collection_page_accessibility": "Public" if record.access == "open" else "Limited",
        "collection_status": "Complete",
        "collection_downloads": [row["id"] for row in _downloads(record, world)],
        "data_types": sorted(kinds),
        "cancer_locations": list(record.keywords[:1]),
        "date_updated": record.created,
        "version_number": str(record.version),
        "versions": [_number(f"version {record.id}")],
        "citations": [_number(f"citation {record.id}")],
    }


def _downloads(record: HostRecord, world: World) -> list[dict[str, Any]]:
    site, open_ = world.url("tcia_collections"), record.access == "open"
    offers: list[tuple[str, str, str, int, list[str]]] = []
    if dicom := [file for file in record.files if dicom_parts(file)]:
        size, address = sum(file.size for file in dicom), f"{site}{_UPLOADS}{quote(record.id)}.tcia"
        offers.append(("Images", "Radiology Images", address, size, ["DICOM"]))
    for file in record.files:
        if dicom_parts(file):
            continue
        address = f"{site}{_UPLOADS}{quote(record.id)}/{quote(file.key)}"
        if file.key.startswith("aspera/"):
            address = f"{site}/aspera/faspex/public/package?context={_number(file.key)}"
        kind = file.key.rpartition(".")[2].upper()
        offers.append((file.key.rpartition("/")[2], "Clinical Data", address, file.size, [kind]))
    short = (record.licence or "").replace("CC-BY", "CC BY").rpartition("-")
    return [
        {
            "id": _number(f"download {record.id} {title}"),
            "slug": f"{record.id.lower()}-{number}",
            "download_title": title,
            "download_type": kind,
            "download_url": address if open_ else "",
            "search_url": "",
            "download_size": f"{size / 1e6:.2f}",
            "download_size_unit": "mb",
            "file_type": types,
            "data_license": f"{short[0]} {short[2]}".strip() if open_ else "NIH Controlled Data Access Policy",
            "download_requirements": "IBM Aspera Connect" if "/aspera/" in address else "",
            "download_access": "Public" if open_ else "Limited",
            "date_updated": record.created,
        }
        for number, (title, kind, address, size, types) in enumerate(offers, 1)
    ]


def _upload(world: World, path: str) -> Answer:
    place, _, key = path.partition("/")
    record = world.shelf.of("tcia").get(place.removesuffix(".tcia"))
    if record is None or record.deleted or record.access != "open":
        return Answer(404, b"<html><title>Page not found</title></html>", "text/html; charset=UTF-8")
    if not key and place.endswith(".tcia"):
        lines = [f"downloadServerUrl={world.url('tcia')}/getImage", "includeAnnotation=true", "noOfrRetry=4"]
        lines += [f"databasketId=manifest-{_number(record.id)}.tcia", "manifestVersion=3.0", "ListOfSeriesToDownload="]
        lines += [one.uid for one in series_of([record])]
        return Answer(file=HostFile(place, "\n".join([*lines, ""]).encode()), kind="application/x-nbia-manifest-file")
    for file in record.files:
        if file.key == key and not dicom_parts(file) and not key.startswith("aspera/"):
            return Answer(file=file)
    return Answer(404, b"<html><title>Page not found</title></html>", "text/html; charset=UTF-8")


HOST = Tcia()
