"""Records of an invented data host: their metadata on disk, the words a search finds, the JSON the host answers."""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ultracurate.core.errors import ConfigError

_STAMP = "T09:30:00.000000+00:00"


@dataclass(frozen=True)
class HostFile:
    """One file of a record: `key` is its "/" separated name, `size` bytes, `md5` hex."""

    key: str
    size: int
    md5: str


@dataclass
class HostRecord:
    """What `<folder>/<id>/record.json` holds; the files lie in `<folder>/<id>/files/<key>`."""

    id: int
    conceptid: int
    title: str
    description: str = ""
    licence: str | None = "cc0-1.0"
    keywords: list[str] = field(default_factory=list)
    access: str = "open"
    type: str = "dataset"
    version: str = "1.0"
    version_index: int = 0
    created: str = "2026-01-05"
    deleted: bool = False
    related: list[str] = field(default_factory=list)
    files: list[HostFile] = field(default_factory=list)


def save_record(folder: Path, record: HostRecord, contents: dict[str, bytes]) -> HostRecord:
    """Write a record and its files (key -> bytes) below `folder`; returns it with sizes and md5 filled in."""
    home = folder / str(record.id)
    for key, data in contents.items():
        path = home / "files" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        record.files.append(HostFile(key, len(data), digest))
    home.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(record), indent=1, ensure_ascii=False)
    (home / "record.json").write_text(text + "\n", encoding="utf-8")
    return record


def load_records(folder: Path) -> dict[int, HostRecord]:
    """All records below `folder` by id, in order of id."""
    found: dict[int, HostRecord] = {}
    for path in folder.glob("*/record.json"):
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["files"] = [HostFile(**entry) for entry in raw["files"]]
        record = HostRecord(**raw)
        found[record.id] = record
    if not found:
        raise ConfigError(f"Expected host records (<id>/record.json) in {folder}, found none. Run build_demo first.")
    return dict(sorted(found.items()))


def latest_of(records: dict[int, HostRecord], conceptid: int) -> HostRecord | None:
    """The newest version of a concept, or None if nothing has that concept id."""
    versions = [record for record in records.values() if record.conceptid == conceptid]
    return max(versions, key=lambda record: record.version_index, default=None)


class BadQueryError(ValueError):
    """The query string cannot be parsed; the real host fails on it as well."""


def matches(record: HostRecord, query: str) -> bool:
    """Whether a query finds the record: words, "phrases", `prefix*`, AND, OR, NOT, field prefixes, brackets ignored.

    Far less than the real host's query language, but it refuses what the real host refuses: an unquoted slash, a lone
    exclamation mark, an open quote, a dangling operator.
    """
    if query.count('"') % 2 or re.search(r"(&&|\|\||\bAND|\bOR|\bNOT)\s*$|(^|\s)!(\s|$)", query):
        raise BadQueryError(query)
    words = re.findall(r'(?:[\w.]+:)?(?:"[^"]*"|\[[^\]]*\]|[^\s()"\[\]]+)', query)
    if any("/" in word and not ('"' in word or "\\/" in word) for word in words):
        raise BadQueryError(query)
    groups: list[list[bool]] = [[]]
    negate = False
    for word in words:
        if word in ("OR", "||"):
            groups.append([])
        elif word in ("NOT", "-"):
            negate = True
        elif word not in ("AND", "&&"):
            groups[-1].append(_holds(record, word) is not negate)
            negate = False
    return any(all(group) for group in groups)


def _holds(record: HostRecord, word: str) -> bool:
    name, colon, value = word.partition(":")
    value = (value if colon else name).replace("\\", "").strip('"').lower()
    if colon and value.startswith("["):
        return True  # date ranges: every invented record is recent
    texts = {"title": record.title, "keywords": " ".join(record.keywords), "description": record.description}
    texts["resource_type.type"] = record.type
    place = name.removeprefix("metadata.") if colon else ""
    haystack = texts.get(place, "") if place else " ".join([*list(texts.values())[:3], str(record.id)])
    haystack = html.unescape(re.sub(r"<[^>]+>", " ", haystack)).lower()
    if value in ("", "*"):
        return True
    tail = r"\w*" if value.endswith("*") else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(value.rstrip('*'))}{tail}", haystack) is not None


def record_json(record: HostRecord, records: dict[int, HostRecord], base: str) -> dict[str, Any]:
    """The host's answer for one record, links absolute on `base` (scheme and host, no slash at the end)."""
    api, identifier = f"{base}/api/records/{record.id}", str(record.id)
    doi = f"10.5281/zenodo.{record.id}"
    newest = latest_of(records, record.conceptid)
    metadata: dict[str, Any] = {
        "title": record.title,
        "doi": doi,
        "publication_date": record.created,
        "description": f"<p>{record.description}</p>",
        "access_right": record.access,
        "creators": [{"name": "Phantom, Ada", "affiliation": "Institute of Invented Echoes"}],
        "resource_type": {"title": record.type.title(), "type": record.type},
        "version": record.version,
        "relations": {
            "version": [
                {
                    "index": record.version_index,
                    "is_last": newest is not None and newest.id == record.id,
                    "parent": {"pid_type": "recid", "pid_value": str(record.conceptid)},
                }
            ]
        },
    }
    if record.keywords:
        metadata["keywords"] = record.keywords
    if record.licence:
        metadata["license"] = {"id": record.licence}
    if record.related:
        metadata["related_identifiers"] = [
            {"identifier": link, "relation": "isSupplementTo", "scheme": "url"} for link in record.related
        ]
    files = [] if record.access != "open" else [_file_json(entry, api) for entry in record.files]
    return {
        "created": record.created + _STAMP,
        "modified": record.created + _STAMP,
        "updated": record.created + _STAMP,
        "id": record.id,
        "recid": identifier,
        "conceptrecid": str(record.conceptid),
        "doi": doi,
        "conceptdoi": f"10.5281/zenodo.{record.conceptid}",
        "doi_url": f"https://doi.org/{doi}",
        "metadata": metadata,
        "title": record.title,
        "links": {
            "self": api,
            "self_html": f"{base}/records/{record.id}",
            "files": f"{api}/files",
            "archive": f"{api}/files-archive",
            "latest": f"{api}/versions/latest",
            "versions": f"{api}/versions",
            "parent": f"{base}/api/records/{record.conceptid}",
        },
        "revision": 1,
        "files": files,
        "owners": [{"id": "1"}],
        "status": "published",
        "state": "done",
        "submitted": True,
        "stats": {"downloads": 0, "unique_downloads": 0, "views": 0, "unique_views": 0},
    }


def _file_json(entry: HostFile, api: str) -> dict[str, Any]:
    # The real host leaves spaces and slashes of keys unescaped in these links.
    return {
        "id": f"{entry.md5[:8]}-{entry.md5[8:12]}-4{entry.md5[13:16]}-8{entry.md5[17:20]}-{entry.md5[20:32]}",
        "key": entry.key,
        "size": entry.size,
        "checksum": f"md5:{entry.md5}",
        "links": {"self": f"{api}/files/{entry.key}/content"},
    }


def files_json(record: HostRecord, base: str) -> dict[str, Any]:
    """The host's answer for a record's file listing."""
    api = f"{base}/api/records/{record.id}"
    entries = [
        {
            "key": entry.key,
            "checksum": f"md5:{entry.md5}",
            "size": entry.size,
            "status": "completed",
            "file_id": entry.md5[:32],
            "storage_class": "L",
            "metadata": {},
            "links": {
                "self": f"{api}/files/{quote(entry.key, safe='')}",
                "content": f"{api}/files/{quote(entry.key, safe='')}/content",
            },
        }
        for entry in record.files
    ]
    return {
        "enabled": True,
        "default_preview": None,
        "order": [],
        "entries": entries,
        "links": {"self": f"{api}/files"},
    }
