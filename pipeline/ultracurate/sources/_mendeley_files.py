"""Files of one version of a Mendeley dataset: folder by folder, or the whole as a zip where the host cuts its lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ultracurate.sources._ask import Ask
from ultracurate.sources._base import RemoteFile, SourceError, SourceState
from ultracurate.sources._fields import count, obj, rows, text
from ultracurate.sources._http import Transport
from ultracurate.sources._urls import safe_name
from ultracurate.sources._values import apart, digest

PUBLIC = "https://data.mendeley.com"
MAX_FOLDERS = 500
"""Each takes a request; a version with more is taken as a zip."""
MAX_DEPTH = 64
ZIP_TRIES = 6
"""How often the host is asked whether it has built the zip: about half a minute."""
_FILE_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_SPAN = re.compile(r"items [0-9]{1,9}-[0-9]{1,9}/([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a dataset."""

    id: str
    number: str
    newest: bool
    """The host gives it without being asked for a version."""

    @property
    def what(self) -> str:
        """In words, for messages."""
        return f"Mendeley dataset {self.id}/{self.number}"


def listing(http: Transport, base: str, version: Version) -> tuple[tuple[RemoteFile, ...], bool]:
    """The files the host lists, by their paths, and whether those are all: a folder stops at 1,000 files."""
    folders = _folders(http, base, version)
    if len(folders) > MAX_FOLDERS:
        return (), False
    found: dict[str, RemoteFile] = {}
    whole = True
    for folder, path in {"root": "", **folders}.items():
        entries, complete = _entries(http, base, version, folder)
        whole = whole and complete
        for entry in entries:
            id = text(entry.get("id")) or ""
            if not _FILE_ID.fullmatch(id):
                raise SourceError(SourceState.BAD_ANSWER, f"{version.what} lists a file without an id")
            # A file says itself where it is, for a host that lists more than the folder that was asked for.
            found.setdefault(id, _file(version, folders.get(text(entry.get("folder_id")) or "", path), id, entry))
    return apart(sorted(found.items(), key=lambda item: item[1].name)), whole


def whole_zip(http: Transport, base: str, version: Version) -> RemoteFile:
    """The zip of all files, which the host builds when it is asked; `partial_listing` where it does not."""
    advice = f"Fetch it by hand from {PUBLIC}/datasets/{version.id}/{version.number}, then add it as a `local` source."
    # Not get_json: the same question is asked again until its answer is another one, so none is kept.
    ask = Ask(
        f"{base}/api/datasets-v2/datasets/{version.id}/zip",
        f"{version.what}, its zip",
        kind="mendeley",
        params={"version": version.number},
        headers={"Accept": "application/json"},
        accept=frozenset({202}),
    )
    state = ""
    for attempt in range(ZIP_TRIES):
        if attempt:
            http.pause(attempt - 1)
        try:
            about = obj(json.loads(http.get_text(ask).text))
        except SourceError as exc:
            if exc.state.resumable or exc.state is SourceState.BLOCKED:
                raise
            state = exc.found
            break
        except (ValueError, RecursionError):
            state = "the answer about it is no JSON"
            break
        state = f"it is {_word(about.get('status')) or 'nowhere'}"
        if about.get("status") == "FINISH":
            return RemoteFile(
                name=f"{version.id}-{version.number}.zip",
                url=f"{PUBLIC}/public-api/zip/{version.id}/download/{version.number}",
                size=count(about.get("size")),
                checksum=digest("sha256", about.get("sha256_hash")),
            )
    raise SourceError(
        SourceState.PARTIAL_LISTING,
        f"{version.what} has more files than the host lists, and its zip cannot be had: {state}",
        advice=advice,
    )


def _folders(http: Transport, base: str, version: Version) -> dict[str, str]:
    """Paths of all folders by their ids."""
    ask = Ask(
        f"{base}/public-api/datasets/{version.id}/folders/{version.number}",
        f"{version.what}, its folders",
        kind="mendeley",
    )
    try:
        data = http.get_json(ask).data
    except SourceError as exc:
        if exc.state is SourceState.NOT_FOUND:  # a dataset that never had one
            return {}
        raise
    if not isinstance(data, list):
        raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: expected a list, found another shape")
    listed = {id: row for row in rows(data) if (id := text(row.get("id"))) and text(row.get("name"))}
    return {id: _path(listed, id, version) for id in listed}


def _path(listed: Mapping[str, Mapping[str, Any]], id: str, version: Version) -> str:
    """A folder's path from the names above it; a parent that is not listed is the top."""
    names: list[str] = []
    while id in listed:
        names.append(text(listed[id].get("name")) or "")
        if len(names) > MAX_DEPTH:
            raise SourceError(
                SourceState.BAD_ANSWER, f"{version.what} has folders inside each other, or more than {MAX_DEPTH} deep"
            )
        id = text(listed[id].get("parent_id")) or ""
    return safe_name("/".join(reversed(names)), version.what)


def _entries(http: Transport, base: str, version: Version, folder: str) -> tuple[Iterator[dict[str, Any]], bool]:
    """Files of one folder, and whether those are all."""
    place = {"folder_id": folder}
    pinned = {**place, "version": version.number}
    # Seen both ways: hosts that refuse a version here, and lists that want one.
    tries = [place, pinned] if version.newest else [pinned]
    what = f"{version.what}, its files"
    url = f"{base}/public-api/datasets/{version.id}/files"
    for params in tries:
        ask = Ask(url, what, kind="mendeley", params=params, accept=frozenset({206}))
        try:
            answer = http.get_json(ask)
            break
        except SourceError as exc:
            refused = exc.status in (400, 403, 404) and exc.state is not SourceState.BLOCKED
            if not refused or params is tries[-1]:
                raise
    if not isinstance(answer.data, list):
        raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected a list, found another shape")
    total = _SPAN.fullmatch(answer.headers.get("content-range", ""))
    complete = answer.status == 200 if total is None else int(total[1]) <= len(answer.data)
    return iter(rows(answer.data)), complete


def _file(version: Version, folder: str, id: str, entry: dict[str, Any]) -> RemoteFile:
    content = obj(entry.get("content_details"))
    name, state = text(entry.get("filename")) or "", text(entry.get("status"))
    size = count(entry.get("size"))
    return RemoteFile(
        name=safe_name(f"{folder}/{name}" if folder else name, version.what),
        url=f"{PUBLIC}/public-files/datasets/{version.id}/files/{id}/file_downloaded",
        size=count(content.get("size")) if size is None else size,
        checksum=digest("sha256", content.get("sha256_hash")),
        problem=None if state in (None, "COMPLETED") else f"its upload is {_word(state)}, not COMPLETED",
    )


def _word(state: Any) -> str | None:
    """A state as the host names it, in letters; another text is not repeated."""
    shown = text(state)
    return shown if shown is None or re.fullmatch(r"[A-Za-z_ ]{1,40}", shown) else "unknown"
