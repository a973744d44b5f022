"""Text of strangers as it may be kept and shown: without e-mail addresses, and without what signs an address."""

from __future__ import annotations

import re

_AT = r"(?:@|%40|&#0{0,4}64;|&#x0{0,4}40;|&commat;|\\u0040)"
"""The sign itself, and as addresses, HTML and JSON may write it."""
MAIL = re.compile(rf"[A-Za-z0-9._%+-]{{1,64}}{_AT}[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{1,5}}", re.IGNORECASE)
_PARAMETER = (
    r"x-amz-[a-z-]{1,40}|x-goog-[a-z-]{1,40}|awsaccesskeyid|signature|sig|se|sas|jwt|[a-z]{0,20}[_-]?token|api_?key|key|expires"
    r"|client_secret|secret|password|auth|policy|key-pair-id"
)
_AND = r"(?:[?&#]|%3f|%26|\\u0026|\\u003f)(?:amp;|#38;)?"
_SIGNED = re.compile(rf"({_AND}(?:{_PARAMETER})(?:=|%3d|\\u003d))[^&\"'\s<>\\]{{1,4096}}", re.IGNORECASE)


_SIGNS = ("@", "%40", "&#", "&commat;", "\\u0040", "&COMMAT;")


def hide_private(text: str) -> str:
    """Text without e-mail addresses and signatures.

    What it replaces holds no quote and no backslash, so JSON stays JSON.
    """
    if any(sign in text for sign in _SIGNS):  # most texts hold none, and the search for addresses is slow
        text = MAIL.sub("[e-mail]", text)
    return hide_signatures(text)


def hide_signatures(text: str) -> str:
    """Text without what signs an address or opens an account."""
    return _SIGNED.sub(r"\1[redacted]", text)
