"""Kaggle's datasets and files in its own words, the same for both of its APIs."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any
from urllib.parse import quote

from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.wire import World

PAGE = 20
FILES_PAGE = 200
_LICENCES = {
    "CC0-1.0": ("CC0: Public Domain", "CC0-1.0"),
    "CC-BY-4.0": ("Attribution 4.0 International (CC BY 4.0)", "CC-BY-4.0"),
    "CC-BY-SA-4.0": ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
    "CC-BY-NC-4.0": ("Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)", "CC-BY-NC-4.0"),
    "CC-BY-NC-SA-4.0": ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0"),
    "MIT": ("MIT", "MIT"),
    "Apache-2.0": ("Apache 2.0", "apache-2.0"),
    "ODbL-1.0": ("Data files © Original Authors", "copyright-authors"),
}


def number(text: str) -> int:
    """A lasting number of seven digits for a name."""
    return zlib.crc32(text.encode()) % 9_000_000 + 1_000_000


def _threefold(fields: dict[str, Any]) -> dict[str, Any]:
    """Optional fields as the host writes them: plain, `<name>Nullable` and `has<Name>`."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        found |= {f"{name}Nullable": value, name: value, f"has{name[0].upper()}{name[1:]}": value not in (None, "")}
    return found


def list_json(record: HostRecord, world: World) -> dict[str, Any]:
    """A dataset as lists show it: without description and files."""
    owner = record.id.partition("/")[0]
    optional = {
        "title": record.title,
        "subtitle": "",
        "creatorName": "Ada Phantom",
        "creatorUrl": owner,
        "totalBytes": record.size,
        "url": f"https://www.kaggle.com/datasets/{quote(record.id)}",
        "licenseName": licence_names(record)[0],
        "description": "",
        "ownerName": "Ada Phantom",
        "ownerRef": owner,
        "currentVersionNumber": record.version,
        "usabilityRating": 0.75,
    }
    tags = [
        {**_threefold({"name": word, "description": "", "fullPath": f"subject > {word}"}), "ref": word, "totalCount": 9}
        for word in record.keywords
    ]
    return {
        **_threefold(optional),
        "id": number(record.id),
        "ref": record.id,
        "lastUpdated": f"{record.created}T09:30:00.627Z",
        "downloadCount": 0,
        "isPrivate": False,
        "isFeatured": False,
        "kernelCount": 0,
        "topicCount": 0,
        "viewCount": 0,
        "voteCount": 0,
        "tags": tags,
        "files": [],
        "versions": [],
    }


def view_json(record: HostRecord, world: World) -> dict[str, Any]:
    """A dataset with its description, its versions and its first files."""
    versions = [
        {
            "versionNumber": number,
            "creationDate": f"{record.created}T09:30:00.627Z",
            "creatorName": "Ada Phantom",
            "versionNotes": "Initial release" if number == 1 else f"Update {number}",
            "status": "Ready",
        }
        for number in range(record.version, 0, -1)
    ]
    files = [] if record.access == "terms" else [_file(file, record) for file in record.files[:PAGE]]
    shown = _threefold({"description": record.description})
    return {**list_json(record, world), **shown, "versions": versions, "files": files}


def info_json(record: HostRecord) -> dict[str, Any]:
    """The metadata of a dataset; licence names here are meant for machines."""
    owner, _, slug = record.id.partition("/")
    return {
        "datasetId": number(record.id),
        "datasetSlug": slug,
        "ownerUser": owner,
        "usabilityRating": 0.75,
        "totalViews": 0,
        "totalVotes": 0,
        "totalDownloads": 0,
        "title": record.title,
        "subtitle": "",
        "description": record.description,
        "isPrivate": False,
        "keywords": list(record.keywords),
        "licenses": [{"name": licence_names(record)[1]}],
        "collaborators": [],
        "data": [],
    }


def files_json(record: HostRecord, token: str, size: int, world: World) -> dict[str, Any]:
    """One page of the files, none with a checksum; `nextPageToken` is empty at the end. ValueError: a bad token."""
    start = int(json.loads(base64.urlsafe_b64decode(token))) if token else 0
    stop = start + world.faults.page_size(max(1, min(size, FILES_PAGE)))
    more = base64.urlsafe_b64encode(str(stop).encode()).decode() if stop < len(record.files) else ""
    shown = [_file(file, record) for file in record.files[start:stop]]
    return {"datasetFiles": shown, "nextPageToken": more, "nextPageTokenNullable": more, "errorMessage": None}


def _file(file: HostFile, record: HostRecord) -> dict[str, Any]:
    ending = re.search(r"\.[A-Za-z0-9]+$", file.key)
    return {
        "ref": file.key,
        "name": file.key,
        "creationDate": f"{record.created}T09:30:00.627Z",
        "fileType": ending[0] if ending else "",
        "url": "https://www.kaggle.com/",
        "totalBytes": file.size,
        "columns": [],
    }


def licence_names(record: HostRecord) -> tuple[str, str]:
    """The licence as shown to people, and its machine name."""
    if record.licence is None:
        return "Unknown", "unknown"
    return _LICENCES.get(record.licence, ("Other (specified in description)", "other"))
