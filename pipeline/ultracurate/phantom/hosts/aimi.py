"""A container of an Azure blob store behind a shared access signature, as Stanford AIMI hands out.

A record is a container; `sas` makes the query that opens it. The listing follows
https://learn.microsoft.com/rest/api/storageservices/list-blobs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.wire import Answer, Request, World

PAGE = 5_000
"""Blobs in one listing."""
PUT_LIMIT = 4 << 20
"""Blobs of more bytes were sent in blocks, for which the store keeps no md5."""
_KEY = b"phantom account key"
_BOM = "\ufeff"  # the real store begins its XML with one
_SIGNED = ("sp", "st", "se", "sr", "sv")
_MODIFIED = "Mon, 05 Jan 2026 09:30:00 GMT"


def sas(container: str, *, until: str = "2099-01-01T00:00:00Z", permissions: str = "rl") -> str:
    """The query that opens a container until a moment (UTC); `permissions` holds r (read) and l (list)."""
    parts = {"sp": permissions, "st": "2026-01-01T00:00:00Z", "se": until, "sr": "c", "sv": "2019-02-02"}
    return urlencode({**parts, "sig": _signature(container, parts)})


def _signature(container: str, parts: dict[str, str]) -> str:
    text = "\n".join([*(parts[name] for name in _SIGNED), container])
    return base64.b64encode(hmac.digest(_KEY, text.encode(), "sha256")).decode()


class Aimi:
    """aimi: one storage account with a container for each record."""

    def answer(self, request: Request, world: World) -> Answer:
        """A listing or a blob, for those who have the signature."""
        container, _, name = request.path.lstrip("/").partition("/")
        refused = self._refused(request, container)
        if refused is not None:
            return refused
        record = world.shelf.of("aimi").get(container)
        if record is None or record.deleted:
            return _error(404, "ContainerNotFound", "The specified container does not exist.")
        if not name:
            if request.one("restype") != "container" or request.one("comp") != "list":
                return _error(400, "InvalidQueryParameterValue", "Value for one of the query parameters is invalid.")
            return _listing(request, world, record)
        for file in record.files:
            if file.key == name:
                return _blob(request, world, file)
        return _error(404, "BlobNotFound", "The specified blob does not exist.")

    def failure(self, request: Request, faults: Faults) -> Answer:
        """Errors are XML here too."""
        return _error(faults.fail_status, "ServerBusy", "Operations per second is over the account limit.")

    def _refused(self, request: Request, container: str) -> Answer | None:
        if "authorization" in request.headers:
            return _error(400, "InvalidAuthenticationInfo", "Authentication information is not in the correct format.")
        parts = {name: request.one(name) for name in _SIGNED}
        sent = request.one("sig")
        if not sent or not hmac.compare_digest(sent.encode(), _signature(container, parts).encode()):
            return _denied("Signature did not match.")
        ends = datetime.fromisoformat(parts["se"]).replace(tzinfo=UTC)
        if datetime.now(UTC) >= ends:
            return _denied(f"Signed expiry time [{parts['se']}] must be after the present time.")
        needed = "l" if request.one("comp") == "list" else "r"
        if needed not in parts["sp"]:
            text = "This request is not authorized to perform this operation using this permission."
            return _error(403, "AuthorizationPermissionMismatch", text)
        return None


def _error(status: int, code: str, message: str, detail: str = "") -> Answer:
    more = f"<AuthenticationErrorDetail>{escape(detail)}</AuthenticationErrorDetail>" if detail else ""
    inside = f"<Code>{code}</Code><Message>{escape(message)}</Message>{more}"
    text = f'{_BOM}<?xml version="1.0" encoding="utf-8"?><Error>{inside}</Error>'
    return Answer(status, text.encode(), "application/xml", {"x-ms-error-code": code})


def _denied(detail: str) -> Answer:
    message = "Server failed to authenticate the request, make sure the signature is correct."
    return _error(403, "AuthenticationFailed", message, detail)


def _etag(file: HostFile) -> str:
    return f"0x8D{hashlib.sha256(f'{file.key} {file.size}'.encode()).hexdigest()[:12].upper()}"


def _md5(world: World, file: HostFile) -> str | None:
    stated = world.faults.digest(file) if file.size <= PUT_LIMIT else None
    return stated and base64.b64encode(bytes.fromhex(stated)).decode()


def _listing(request: Request, world: World, record: HostRecord) -> Answer:
    prefix, marker = request.one("prefix"), request.one("marker")
    size = min(PAGE, request.number("maxresults", PAGE))
    if size < 1:
        return _error(400, "OutOfRangeQueryParameterValue", "One of the query parameters is out of range.")
    size = world.faults.at(f"/{request.host}{request.path}").page_size(size)
    files = sorted((file for file in record.files if file.key.startswith(prefix)), key=lambda file: file.key)
    names = [file.key for file in files]
    starts = {_marker(name): place for place, name in enumerate(names)}
    if marker and marker not in starts:
        return _error(400, "InvalidQueryParameterValue", "Value for the query parameter 'marker' is invalid.")
    start = starts.get(marker, 0)
    shown, after = files[start : start + size], names[start + size : start + size + 1]
    following = _marker(after[0]) if after else ""
    blobs = "".join(_entry(world, file) for file in shown)
    place = escape(world.url("aimi"))
    text = (
        f'{_BOM}<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="{place}/"'
        f' ContainerName="{escape(record.id)}"><Prefix>{escape(prefix)}</Prefix><MaxResults>{size}</MaxResults>'
        f"<Blobs>{blobs}</Blobs><NextMarker>{escape(following)}</NextMarker></EnumerationResults>"
    )
    return Answer(body=text.encode(), kind="application/xml")


def _marker(name: str) -> str:
    return "2!" + base64.b64encode(name.encode()).decode()


def _entry(world: World, file: HostFile) -> str:
    md5 = _md5(world, file)
    digest = "<Content-MD5 />" if md5 is None else f"<Content-MD5>{md5}</Content-MD5>"
    return (
        f"<Blob><Name>{escape(file.key)}</Name><Properties><Last-Modified>{_MODIFIED}</Last-Modified>"
        f"<Etag>{_etag(file)}</Etag><Content-Length>{file.size}</Content-Length>"
        f"<Content-Type>application/octet-stream</Content-Type>{digest}<BlobType>BlockBlob</BlobType>"
        "</Properties></Blob>"
    )


def _blob(request: Request, world: World, file: HostFile) -> Answer:
    md5, headers = _md5(world, file), {"x-ms-version": "2019-02-02", "x-ms-blob-type": "BlockBlob"}
    if md5:  # of the whole blob, so a range has it under another name
        headers["x-ms-blob-content-md5" if "range" in request.headers else "Content-MD5"] = md5
    return Answer(file=file, etag=f'"{_etag(file)}"', headers=headers)


HOST = Aimi()
