"""The object store behind the local hosts: signed addresses on a port of its own, which must never see a login."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlencode

from ultracurate.phantom.hosts.faults import Uses
from ultracurate.phantom.hosts.records import HostFile
from ultracurate.phantom.hosts.wire import Answer, Request

_SECRETS = (
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "private-token",
    "x-auth-token",
    "sessiontoken",
)
_SECRET_PARAMETERS = ("access_token", "token", "api_key", "apikey", "key")
_ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>'


def xml_error(status: int, code: str, message: str) -> Answer:
    """An error as object stores write it."""
    return Answer(status, _ERROR.format(code, message).encode(), "application/xml")


class Storage:
    """Objects by path, each with the signatures that open it."""

    def __init__(self, uses: Uses) -> None:
        self._uses = uses
        self._objects: dict[str, tuple[HostFile, dict[str, Any]]] = {}
        self._deadlines: dict[tuple[str, str], float] = {}
        self._public: set[str] = set()
        self._lock, self._numbers = threading.Lock(), itertools.count(1)

    def put(self, host: str, path: str, file: HostFile, options: dict[str, Any], *, public: bool = False) -> str:
        """Store an object; returns its path on the storage port, escaped."""
        key = f"/{host}/{path.lstrip('/')}"
        with self._lock:
            self._objects[key] = file, options
            if public:
                self._public.add(key)
        return quote(key)

    def sign(self, where: str, seconds: float | None) -> str:
        """The query that opens the object at the escaped path `where` for `seconds` (None: for a week)."""
        limit = self._uses.faults.at(f"/storage{unquote(where)}").signature_seconds
        life = limit if limit is not None else seconds if seconds is not None else 7 * 86_400.0
        style = "Goog" if where.startswith("/kaggle/") else "Amz"
        with self._lock:
            signature = hashlib.sha256(f"{where} {next(self._numbers)}".encode()).hexdigest()
            self._deadlines[unquote(where), signature] = time.monotonic() + life
        algorithm = "GOOG4-RSA-SHA256" if style == "Goog" else "AWS4-HMAC-SHA256"
        parts = {
            "Algorithm": algorithm,
            "Credential": "phantom/20260105/auto/storage/request",
            "Date": "20260105T093000Z",
            "Expires": str(max(1, int(life))),
            "SignedHeaders": "host",
            "Signature": signature,
        }
        return urlencode({f"X-{style}-{name}": value for name, value in parts.items()})

    def answer(self, request: Request) -> Answer:
        """The object, or an error in XML; a HEAD is refused, as the signature is for GET."""
        found = self._objects.get(request.path)
        if found is None:
            return xml_error(404, "NoSuchKey", "The specified key does not exist.")
        if request.path not in self._public:
            signature = request.one("X-Goog-Signature") or request.one("X-Amz-Signature")
            deadline = self._deadlines.get((request.path, signature))
            if deadline is None or request.method != "GET":
                return xml_error(403, "SignatureDoesNotMatch", "The request signature does not match.")
            if time.monotonic() > deadline:
                return xml_error(403, "AccessDenied", "Request has expired")
            faults = self._uses.faults.at(f"/storage{request.path}")
            if self._uses.count("signed", request.path) <= faults.refuse_signed_first:
                return xml_error(403, "AccessDenied", "Request has expired")
        file, options = found
        return Answer(file=file, **options)


def offences(request: Request) -> Iterator[str]:
    """What a client gave away to the storage port; the values themselves are not repeated."""
    for name in _SECRETS:
        if name in request.headers:
            yield f"header {name!r} sent to the storage port with {request.method} {request.path}"
    for name in _SECRET_PARAMETERS:
        if name in request.query:
            yield f"parameter {name!r} sent to the storage port with {request.method} {request.path}"
