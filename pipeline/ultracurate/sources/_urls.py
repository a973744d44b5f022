"""Addresses: rebuilt from ids, moved to the configured host, and shown without their secrets."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit, urlunsplit

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
    """Free text with every address in it redacted, and every bare query after a path."""
    text = re.sub(r"https?://[^\s\"'<>]+", lambda match: redact(match[0]), text)
    return re.sub(r"\?(?!\[redacted\])[^\s\"'<>]*=[^\s\"'<>]*", HIDDEN, text)


MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}")
_PARAMETER = (
    r"x-amz-[a-z-]{1,40}|x-goog-[a-z-]{1,40}|awsaccesskeyid|signature|sig|se|token|access_token|api_?key|key|expires"
    r"|password|auth|policy|key-pair-id"
)
_SIGNED = re.compile(rf"([?&](?:amp;)?(?:{_PARAMETER})=)[^&\"'\s<>\\]{{1,4096}}", re.IGNORECASE)


def hide_private(text: str) -> str:
    """Text of a host as it may be kept: without e-mail addresses, and without what signs an address.

    What it replaces holds no quote and no backslash, so JSON stays JSON.
    """
    return _SIGNED.sub(r"\1[redacted]", MAIL.sub("[e-mail]", text))


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
