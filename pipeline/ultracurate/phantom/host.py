"""Answers of the local host: Zenodo's search and file API over invented records.

Wire shapes follow recorded answers of the InvenioRDM software that runs zenodo.org (https://developers.zenodo.org).
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from ultracurate.phantom.faults import Faults, HostState, Request
from ultracurate.phantom.records import BadQueryError, HostRecord, files_json, latest_of, matches, record_json

PAGE_LIMIT = 25
WINDOW = 10_000  # hits that the search index can page through
_MODIFIED = 1_767_605_400.0  # 2026-01-05 09:30 UTC: fixed, so that answers repeat
_SORTS = {"bestmatch", "newest", "oldest", "updated-desc", "updated-asc", "version", "mostviewed", "mostdownloaded"}


class HostHandler(BaseHTTPRequestHandler):
    """Answers one connection; `state` and `host_records` are set by the server."""

    state: HostState
    host_records: dict[int, HostRecord]
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "nginx", ""

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error quiet; `requests` is the log."""

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer a HEAD: the headers of GET."""
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        self.where, self.query = unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)
        faults = self.state.faults
        agent = self.headers.get("User-Agent", "")
        if faults.block_agents and agent.startswith(faults.block_agents):
            return self._send(403, b"<html><h1>403 Forbidden</h1></html>", "application/octet-stream")
        if faults.fail_first and self.state.take(self.state.failed, self.where, faults.fail_first):
            return self._fail(faults)
        static = re.fullmatch(r"/static/(.+)", self.where)
        if static:
            return self._file(self.state.folder / "static", static[1])
        if self.where.rstrip("/") == "/api/records":
            return self._search()
        found = re.fullmatch(r"/(?:api/)?records/(\d+)(?:/(.*))?", self.where)
        if found:
            return self._record(int(found[1]), found[2] or "")
        return self._json(404, {"status": 404, "message": "The requested URL was not found on the server."})

    def _fail(self, faults: Faults) -> None:
        extra = {"Retry-After": faults.retry_after} if faults.retry_after is not None else {}
        if faults.fail_status == 429:
            return self._json(429, {"status": 429, "message": "30 per 1 minute"}, extra)
        page = b"<html><body><h1>Service temporarily unavailable</h1></body></html>"
        return self._send(faults.fail_status, page, "text/html", extra)

    def _search(self) -> None:
        one = {name: values[-1] for name, values in self.query.items()}
        try:
            page, size = int(one.get("page", 1)), int(one.get("size", 10))
        except ValueError:
            return self._refuse("size", "Not a valid integer.")
        if size > PAGE_LIMIT:
            hint = f"Please use authenticated requests to increase the limit to {4 * PAGE_LIMIT}."
            return self._refuse("size", f"Page size cannot be greater than {PAGE_LIMIT}. {hint}")
        if page < 1 or size < 1:
            return self._refuse("page" if page < 1 else "size", "Must be greater than or equal to 1.")
        if page * size > WINDOW:
            return self._refuse("page", f"Maximum number of {WINDOW} results have been reached.")
        query, sort = one.get("q", ""), one.get("sort", "bestmatch" if one.get("q") else "newest")
        if sort not in _SORTS:
            return self._refuse("sort", f"Invalid sort option '{sort}'.")
        try:
            hits = [r for r in self.host_records.values() if not r.deleted and matches(r, query)]
        except BadQueryError:
            return self._json(500, {"status": 500, "message": "Internal server error."})
        if one.get("all_versions") not in ("true", "1"):
            hits = [r for r in hits if latest_of(self.host_records, r.conceptid) is r]
        if "type" in one:
            hits = [r for r in hits if r.type == one["type"]]
        hits.sort(key=lambda r: (r.created, r.id), reverse=sort in ("newest", "updated-desc"))
        shown = hits[(page - 1) * size : page * size]
        body = {
            "hits": {"hits": [self._json_of(r) for r in shown], "total": len(hits)},
            "aggregations": {},
            "links": self._links(one, page, size, sort, len(hits)),
        }
        return self._json(200, body)

    def _links(self, one: dict[str, str], page: int, size: int, sort: str, total: int) -> dict[str, str]:
        def link(number: int) -> str:
            return f"{self._base}/api/records?" + urlencode({**one, "page": number, "size": size, "sort": sort})

        links = {"self": link(page)}
        if page > 1:
            links["prev"] = link(page - 1)
        if page * size < total:
            links["next"] = link(page + 1)
        return links

    def _record(self, number: int, rest: str) -> None:
        record = self.host_records.get(number)
        if record is None:
            newest = latest_of(self.host_records, number)
            if newest is not None and rest in ("", "versions/latest"):
                return self._redirect(f"/api/records/{newest.id}")
            return self._json(404, {"status": 404, "message": "The persistent identifier does not exist."})
        if record.deleted:
            reason = {"removal_reason": {"id": "retracted"}, "removal_date": record.created, "is_visible": True}
            return self._json(410, {"status": 410, "message": "Record deleted", "tombstone": reason})
        if rest == "":
            return self._json(200, self._json_of(record))
        if rest == "versions/latest":
            newest = latest_of(self.host_records, record.conceptid) or record
            return self._redirect(f"/api/records/{newest.id}")
        if rest == "versions":
            same = [r for r in self.host_records.values() if r.conceptid == record.conceptid]
            return self._json(200, {"hits": {"hits": [self._json_of(r) for r in same], "total": len(same)}})
        if record.access != "open" and rest.startswith("files"):
            return self._json(403, {"status": 403, "message": "Permission denied."})
        if rest == "files":
            return self._json(200, files_json(self._shown(record), self._base))
        content = re.fullmatch(r"files/(.+?)(?:/content)?", rest)
        keys = {entry.key: entry for entry in record.files}
        if content is None or content[1] not in keys:
            return self._json(404, {"status": 404, "message": "Record not found"})
        return self._file(self.state.folder / str(number) / "files", content[1], keys[content[1]].md5)

    @property
    def _base(self) -> str:
        return f"http://{self.headers.get('Host') or '127.0.0.1'}"

    def _shown(self, record: HostRecord) -> HostRecord:
        wrong = self.state.faults.wrong_md5
        return replace(record, files=[replace(f, md5=f.md5[::-1]) if f.key in wrong else f for f in record.files])

    def _json_of(self, record: HostRecord) -> dict[str, Any]:
        return record_json(self._shown(record), self.host_records, self._base)

    def _file(self, root: Path, key: str, md5: str | None = None) -> None:
        faults = self.state.faults
        path = (root / key).resolve()
        if not path.is_relative_to(root.resolve()) or not path.is_file():
            return self._json(404, {"status": 404, "message": "Record not found"})
        if key in faults.html_instead:
            return self._send(200, b"<!doctype html><title>Just a moment</title>", "text/html; charset=utf-8")
        if key in faults.empty_instead:
            return self._send(202, b"", "text/html", {"x-amzn-waf-action": "challenge"})
        data = path.read_bytes()
        etag = f'"md5:{md5 or len(data)}{time.monotonic_ns() if faults.change_etag else ""}"'
        extra = {
            "ETag": etag,
            "Last-Modified": formatdate(_MODIFIED, usegmt=True),
            "Accept-Ranges": "bytes",
            "Content-Disposition": f"attachment; filename={path.name.encode('ascii', 'replace').decode()}",
        }
        start, stop = 0, len(data)
        asked = self.headers.get("Range")
        valid = self.headers.get("If-Range") in (None, etag, extra["Last-Modified"])
        if asked and valid and not faults.ignore_range:
            span = _span(asked, len(data))
            if span is None:
                return self._send(416, b"", "text/html", {"Content-Range": f"bytes */{len(data)}"})
            start, stop = span
            extra["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
            return self._send(206, data[start:stop], "application/octet-stream", extra, body_of_file=True)
        return self._send(200, data, "application/octet-stream", extra, body_of_file=True)

    def _refuse(self, name: str, message: str) -> None:
        errors = [{"field": name, "messages": [message]}]
        return self._json(400, {"status": 400, "message": "A validation error occurred.", "errors": errors})

    def _redirect(self, path: str) -> None:
        return self._send(301, b"", "text/html", {"Location": self._base + path})

    def _json(self, status: int, body: dict[str, Any], extra: dict[str, str] | None = None) -> None:
        return self._send(status, json.dumps(body, ensure_ascii=False).encode(), "application/json", extra)

    def _send(
        self, status: int, body: bytes, kind: str, extra: dict[str, str] | None = None, body_of_file: bool = False
    ) -> None:
        faults = self.state.faults
        with self.state.lock:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.state.requests.append(Request(self.command, self.where, self.query, headers, status))
            seen = len(self.state.requests)
        limit = 30 if self.where.rstrip("/") == "/api/records" else 133
        self.send_response(status)
        # The real host sends retry-after on its 200 answers too.
        sent = {"Content-Type": kind, "Retry-After": "59", "X-RateLimit-Limit": str(limit)}
        sent |= {"X-RateLimit-Remaining": str(max(limit - seen, 1)), "X-RateLimit-Reset": str(int(time.time()) + 60)}
        for name, value in (sent | (extra or {})).items():
            self.send_header(name, value)
        cut = body_of_file and faults.cut_after is not None and len(body) > faults.cut_after
        cut = cut and self.command == "GET" and self.state.take(self.state.cut, self.where, faults.cut_times)
        if body_of_file and faults.no_length and faults.only in self.where:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: faults.cut_after] if cut else body)
        if cut:
            self.close_connection = True


def _span(header: str, size: int) -> tuple[int, int] | None:
    """The half-open byte span of a single-range header, or None if it cannot be satisfied."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start, stop = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
    return (start, stop) if start < stop else None
