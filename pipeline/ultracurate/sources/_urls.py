"""Addresses: rebuilt from ids, moved to the configured host, and shown without their secrets."""

from __future__ import annotations

import base64
import re
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit, urlunsplit

from ultracurate.core.private import hide_private
from ultracurate.sources._base import SourceError, SourceState

HIDDEN = "?[redacted]"
UNREADABLE = "[not an address]"


def strip_secrets(url: str) -> str:
    """The address without login, query and fragment: its lasting identity, as signatures change."""
    try:
        parts = urlsplit(url)
    except ValueError:  # "http://[": nothing in it can be told from a secret
        return UNREADABLE
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def redact(url: str) -> str:
    """The address as it may be shown: a query is replaced by a mark, a login is dropped."""
    shown = strip_secrets(url)
    return shown if shown == UNREADABLE or not urlsplit(url).query else shown + HIDDEN


def redact_text(text: str) -> str:
    """Free text with every address in it redacted, and every bare query after a path, and no e-mail address."""
    text = re.sub(r"https?://[^\s\"'<>]+", lambda match: redact(match[0]), text)
    return hide_private(re.sub(r"\?(?!\[redacted\])[^\s\"'<>?=]*=[^\s\"'<>]*", HIDDEN, text))


def hide_token(text: str, token: str | None) -> str:
    """Text without the token that was sent, as some hosts say back what they were asked, plain or as they read it."""
    if not token:
        return text
    said = [token]
    try:
        login = base64.b64decode(token, validate=True).decode()
        said += [login, login.partition(":")[2]] if ":" in login else []
    except ValueError:  # no login of scheme Basic
        pass
    for word in filter(None, said):
        for form in dict.fromkeys((word, quote(word, safe=""), word.replace("/", "\\/"))):
            text = text.replace(form, "[redacted]")
    return text


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: credentials given for one origin go to no other (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def move(url: str, public: str | None, configured: str | None) -> str:
    """A link of the public host moved to the configured one; any other link stays as it is."""
    if public and configured and (url == public or url.startswith((public + "/", public + "?"))):
        return configured + url[len(public) :]
    return url


def quote_path(key: str) -> str:
    """A file key as part of an address: spaces and non-ASCII are escaped, "/" stays a separator."""
    return quote(key, safe="/")


def safe_name(key: str, where: str) -> str:
    """The key as a relative path; one that leads out of its record is refused."""
    parts = PurePosixPath(key)
    bad = not key or parts.is_absolute() or {"..", "."} & set(key.split("/")) or "\\" in key or "\0" in key
    if bad:
        raise SourceError(
            SourceState.BAD_ANSWER, f"{where} lists a file named {key!r}; expected a relative path without '..'"
        )
    return key
