"""Google Drive's download pages over invented folders: direct files, the virus page, quota, sign-in, folder view.

A record is a shared folder, or a shared file where its only file has no folder: then the record's id is the file's.
Others get their ids from `file_id` and `folder_id`. The keyword "quota" makes a record too popular to download.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode

from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.wire import Answer, Request, World, redirect

SCAN_LIMIT = 1 << 20
"""Bytes that are scanned for viruses; larger files come behind a warning (100 MB at the real one)."""
_PAGE = "<!DOCTYPE html><html><head><title>{}</title></head><body>{}</body></html>"


@dataclass(frozen=True)
class Node:
    """A file, or a folder with what is in it as (name, id, is a folder)."""

    record: HostRecord
    name: str
    file: HostFile | None = None
    inside: tuple[tuple[str, str, bool], ...] = ()


class Drive:
    """gdrive (the site) and gdrive_content (where large files come from)."""

    def answer(self, request: Request, world: World) -> Answer:
        """The answer to one request."""
        parts = request.path.strip("/").split("/")
        if request.host == "gdrive_content":
            known = parts[0] in ("download", "uc")
            return self._download(request, world, request.one("id")) if known else _missing()
        if parts[0] == "accounts":
            text = '<form action="/signin"><input type="email" name="identifier"></form>'
            return _page("Google Drive: Sign-in", text)
        if parts[0] == "uc":
            if request.one("export") == "download" and _find(world, request.one("id")):
                return redirect(f"{world.url('gdrive_content')}/download?{urlencode(request.query, doseq=True)}", 303)
            return self._download(request, world, request.one("id"))
        if parts[0] == "embeddedfolderview":
            return self._folder(request, world, request.one("id"))
        if parts[:2] in (["file", "d"], ["drive", "folders"]) and len(parts) > 2:
            node = _find(world, parts[2])  # a page that scripts fill: nothing to read in it
            return _refused(node, request, world) or _page(node.name, "<script></script>") if node else _missing()
        return _missing()

    def _download(self, request: Request, world: World, number: str) -> Answer:
        node = _find(world, number)
        if node is None or node.file is None:
            return _missing()
        refused = _refused(node, request, world)
        if refused is not None:
            return refused
        if "quota" in node.record.keywords:
            return _quota()
        if node.file.size > SCAN_LIMIT and not (request.host == "gdrive_content" and request.one("confirm") == "t"):
            return _virus_page(node.file, node.name, number, world)
        plain = node.name.encode("ascii", "replace").decode().replace('"', "_")
        disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(node.name)}"
        return Answer(kind="application/octet-stream", file=node.file, headers={"Content-Disposition": disposition})

    def _folder(self, request: Request, world: World, number: str) -> Answer:
        node = _find(world, number)
        if node is None or node.file is not None:
            return _missing()
        refused = _refused(node, request, world)
        if refused is not None:
            return refused
        shown = node.inside[: world.faults.at(f"/{request.host}{request.path}").page_size(len(node.inside))]
        site, rows = world.url("gdrive"), []
        for name, inner, is_folder in shown:
            link = f"{site}/drive/folders/{inner}" if is_folder else f"{site}/file/d/{inner}/view?usp=drive_web"
            icon = "application/vnd.google-apps.folder" if is_folder else "application/octet-stream"
            rows.append(f'<a href="{link}">\n<img src="/16/type/{icon}" alt="">\n{escape(name)}\n</a>')
        return _page(node.name, "\n".join(rows))


def file_id(record: HostRecord, key: str) -> str:
    """The id of one file of a record."""
    return record.id if len(record.files) == 1 and "/" not in key else _id("1", record, key)


def folder_id(record: HostRecord, path: str) -> str:
    """The id of a folder of a record; the record's own for the empty path."""
    return _id("1f", record, path) if path else record.id


def _id(start: str, record: HostRecord, path: str) -> str:
    digest = hashlib.sha256(f"{record.id}/{path}".encode()).digest()
    return (start + base64.urlsafe_b64encode(digest).decode())[:33]


def _find(world: World, number: str) -> Node | None:
    key = ("gdrive", tuple(map(id, world.shelf.of("gdrive").values())))
    if key not in world.memo:
        records = list(world.shelf.of("gdrive").values())
        # The records are kept along, so that no other one can ever have the id of one of them.
        world.memo[key] = records, {number: node for record in records for number, node in _nodes(record).items()}
    nodes: dict[str, Node] = world.memo[key][1]
    return nodes.get(number)


def _nodes(record: HostRecord) -> dict[str, Node]:
    if record.deleted:
        return {}
    inside: dict[str, dict[str, tuple[str, bool]]] = {"": {}}
    files = {}
    for file in record.files:
        parts = file.key.split("/")
        for depth, name in enumerate(parts):
            path, above = "/".join(parts[: depth + 1]), "/".join(parts[:depth])
            last = depth == len(parts) - 1
            inside.setdefault(above, {})[name] = (file_id(record, path) if last else folder_id(record, path), not last)
        files[file_id(record, file.key)] = Node(record, parts[-1], file)
    folders = {}
    for path, entries in inside.items():
        rows = tuple((name, number, is_folder) for name, (number, is_folder) in entries.items())
        folders[folder_id(record, path)] = Node(record, path.rpartition("/")[2] or record.title, inside=rows)
    return folders | files


def _page(title: str, text: str, status: int = 200) -> Answer:
    return Answer(status, _PAGE.format(escape(title), text).encode(), "text/html; charset=utf-8")


def _missing() -> Answer:
    return _page("Error 404 (Not Found)", "<p>The requested URL was not found on this server.</p>", 404)


def _refused(node: Node, request: Request, world: World) -> Answer | None:
    if node.record.access == "open":
        return None
    return redirect(f"{world.url('gdrive')}/accounts/v3/signin/identifier?{urlencode({'continue': request.path})}")


def _quota() -> Answer:
    text = (
        '<p class="uc-error-caption">Sorry, this file cannot be viewed or downloaded now.</p>'
        '<p class="uc-error-subcaption">Too many users have viewed or downloaded this file recently.</p>'
    )
    return _page("Google Drive - Quota exceeded", text)


def _virus_page(file: HostFile, name: str, number: str, world: World) -> Answer:
    hidden = {"id": number, "export": "download", "confirm": "t", "uuid": _uuid(number), "at": "APH8r&x=1"}
    inputs = "".join(f'<input type="hidden" name="{key}" value="{escape(value)}">' for key, value in hidden.items())
    text = (
        f'<p class="uc-warning-caption">Google Drive can\'t scan this file for viruses.</p>'
        f'<span class="uc-name-size"><a href="/open?id={number}">{escape(name)}</a> ({file.size >> 20}M)</span>'
        f'<form id="download-form" action="{world.url("gdrive_content")}/download" method="get">'
        f'<input type="submit" id="uc-download-link" value="Download anyway"/>{inputs}</form>'
    )
    return _page("Google Drive - Virus scan warning", text)


def _uuid(number: str) -> str:
    digest = hashlib.sha256(number.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


HOST = Drive()
