"""The few questions that a recording asks each source: a search, one open record, its files, one byte of one file.

Each function yields its questions and is sent the parsed answer (None when there was none), from which it takes the ids
for the next one; it ends early when an answer does not hold them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ultracurate.sources._fields import count, obj, rows, text
from ultracurate.sources._urls import quote_path

WORD = "ultrasound"


@dataclass(frozen=True, slots=True)
class Question:
    """One request to one of a source's hosts."""

    name: str
    """Of the files that its answer goes into."""
    host: str
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    json: Any = None
    """Body of a POST; None makes it a GET."""
    body: bool = True
    """Whether the answer's body is kept; else only its head is, and one byte is asked for."""


Script = Generator[Question, Any, None]


def _zenodo() -> Script:
    params: dict[str, str | int] = {"q": WORD, "type": "dataset", "sort": "bestmatch", "size": 10, "page": 1}
    found = obj(obj((yield Question("search", "zenodo", "/api/records", params))).get("hits"))
    hits = [hit for hit in rows(found.get("hits")) if rows(hit.get("files")) and count(hit.get("id"))]
    if not hits:
        return
    record = f"/api/records/{count(hits[0].get('id'))}"
    yield Question("record", "zenodo", record)
    listed = obj((yield Question("files", "zenodo", f"{record}/files")))
    for file in (*rows(listed.get("entries")), *rows(hits[0].get("files"))):
        if key := text(file.get("key")):
            yield Question("file", "zenodo", f"{record}/files/{quote_path(key)}/content", body=False)
            return


def _kaggle() -> Script:
    params: dict[str, str | int] = {"search": WORD, "page": 1}
    hits = rows((yield Question("search", "kaggle", "/datasets/list", params)))
    ref = _first(hits, "ref", r"[\w.-]{1,100}/[\w.-]{1,100}")
    if ref is None:
        return
    yield Question("record", "kaggle", f"/datasets/view/{ref}")
    yield Question("metadata", "kaggle", f"/datasets/metadata/{ref}")
    listed = obj((yield Question("files", "kaggle", f"/datasets/list/{ref}", {"pageSize": 20})))
    if name := _first(rows(listed.get("datasetFiles")), "name", r"[^\0]{1,300}"):
        yield Question("file", "kaggle", f"/datasets/download/{ref}/{quote_path(name)}", body=False)


def _mendeley() -> Script:
    params: dict[str, str | int] = {"query": WORD, "client-id": "bl.mendeley", "page[size]": 10, "page[number]": 1}
    found = obj((yield Question("search", "datacite", "/dois", params)))
    doi = _first(rows(found.get("data")), "id", r"10\.17632/[a-z0-9]{10}(?:\.[0-9]{1,4})?")
    if doi is None:
        return
    dataset = doi.partition("/")[2][:10]
    yield Question("record", "mendeley", f"/public-api/datasets/{dataset}")
    listed = rows((yield Question("files", "mendeley", f"/public-api/datasets/{dataset}/files", {"folder_id": "root"})))
    if file := _first(listed, "id", r"[0-9a-f-]{36}"):
        path = f"/public-files/datasets/{dataset}/files/{file}/file_downloaded"
        yield Question("file", "mendeley", path, body=False)


def _figshare() -> Script:
    asked = {"search_for": WORD, "item_type": 3, "page_size": 10, "page": 1}
    hits = rows((yield Question("search", "figshare", "/articles/search", json=asked)))
    article = _first(hits, "id", r"[0-9]{1,18}")
    if article is None:
        return
    yield Question("record", "figshare", f"/articles/{article}")
    listed = rows((yield Question("files", "figshare", f"/articles/{article}/files", {"page_size": 10})))
    if file := _first(listed, "id", r"[0-9]{1,18}"):
        yield Question("file", "figshare_download", f"/files/{file}", body=False)
        yield Question("file_web", "figshare_web", f"/ndownloader/files/{file}", body=False)


def _github() -> Script:
    params: dict[str, str | int] = {"q": f"{WORD} dataset", "per_page": 10, "page": 1}
    found = obj((yield Question("search", "github", "/search/repositories", params)))
    place = _first(rows(found.get("items")), "full_name", r"[\w.-]{1,100}/[\w.-]{1,100}")
    if place is None:
        return
    branch = text(obj((yield Question("record", "github", f"/repos/{place}"))).get("default_branch")) or "HEAD"
    path = f"/repos/{place}/git/trees/{quote_path(branch)}"
    tree = rows(obj((yield Question("files", "github", path, {"recursive": 1}))).get("tree"))
    if name := _first([row for row in tree if row.get("type") == "blob"], "path", r"[^\0]{1,300}"):
        yield Question("file", "github_raw", f"/{place}/{quote_path(branch)}/{quote_path(name)}", body=False)


def _tcia() -> Script:
    found = yield Question("search", "tcia_collections", "/collections", {"search": WORD, "per_page": 10})
    yield Question("body_parts", "tcia", "/getBodyPartValues", {"Modality": "US"})
    # A small public collection: the list of all series would be many megabytes.
    names = ("B-mode-and-CEUS-Liver", *(text(row.get("slug")) or "" for row in rows(found)))
    for name in [name for name in names if re.fullmatch(r"[\w -]{1,100}", name)][:2]:
        series = rows((yield Question("files", "tcia", "/getSeries", {"Collection": name, "Modality": "US"})))
        if uid := _first(series, "SeriesInstanceUID", r"[0-9.]{1,64}"):
            yield Question("file", "tcia", "/getImageWithMD5Hash", {"SeriesInstanceUID": uid}, body=False)
            return


def _synapse() -> Script:
    asked = {"queryTerm": [WORD], "size": 10, "start": 0}
    found = obj((yield Question("search", "synapse", "/search", json=asked)))
    entity = _first(rows(found.get("hits")), "id", r"syn[0-9]{1,18}")
    if entity is None:
        return
    yield Question("record", "synapse", f"/entity/{entity}")
    yield Question(
        "files", "synapse", "/entity/children", json={"parentId": entity, "includeTypes": ["file", "folder"]}
    )


def _grand_challenge() -> Script:
    found = obj((yield Question("search", "grand_challenge", "/archives/", {"limit": 10})))
    if pk := _first(rows(found.get("results")), "pk", r"[0-9a-f-]{1,36}"):
        yield Question("files", "grand_challenge", "/archives/items/", {"archive": pk, "limit": 10})


def _aimi() -> Script:
    params: dict[str, str | int] = {"restype": "container", "comp": "list", "maxresults": 1}
    yield Question("container", "aimi", "/echonetdynamic-2", params, body=False)


SCRIPTS: Mapping[str, Callable[[], Script]] = {
    "zenodo": _zenodo,
    "kaggle": _kaggle,
    "mendeley": _mendeley,
    "figshare": _figshare,
    "github": _github,
    "tcia": _tcia,
    "synapse": _synapse,
    "grand_challenge": _grand_challenge,
    "aimi": _aimi,
}
"""By source; one without a script has nothing that a guest can ask for without an id."""


def _first(listed: list[dict[str, Any]], name: str, form: str) -> str | None:
    """The first value of a field that has the right form: it becomes part of an address."""
    for row in listed:
        value = text(row.get(name))
        if value and re.fullmatch(form, value) and not {"..", "."} & set(value.split("/")):
            return value
    return None
