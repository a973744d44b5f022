"""Text of strangers as plain words: HTML, entities, accents, odd letters and endless lengths are dealt with here."""

from __future__ import annotations

import html
import re
import unicodedata

MAX_HTML = 200_000
"""Characters of a description that are looked at; a longer one was made to keep somebody busy."""
US = "uszz"
"""What the abbreviation US becomes; it means ultrasound only beside an organ or an image."""

_TAG = re.compile(r"<[^<>]*>")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|[\w.+-]{1,64}@[\w.-]{1,255}")
_MARKS = re.compile("[\u0300-\u036f]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_ABBREVIATION = re.compile(r"(?<![A-Za-z.])US(?![A-Za-z.]|\s?\$)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans({"ı": "i", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "æ": "ae", "œ": "oe"})


def strip_html(text: str) -> str:
    """The text without tags and with its entities decoded, also those that were escaped twice."""
    bare = _TAG.sub(" ", text[:MAX_HTML])
    return unescape(unescape(bare))


def unescape(text: str) -> str:
    """Text with its HTML entities decoded; a number of too many digits, which Python refuses, is no character."""
    return html.unescape(_HUGE.sub("\ufffd", text))


_HUGE = re.compile(r"&#[0-9]{8,};?")


def fold(text: str) -> str:
    """Lower case, without accents and invisible characters, in one Unicode form (NFKC)."""
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).translate(_LETTERS).casefold()
    return unicodedata.normalize("NFKC", _MARKS.sub("", plain))


def words(text: str) -> list[str]:
    """The folded words of a plain text; `_`, `-` and `/` part them, US in capitals becomes `US`, addresses go."""
    text = _ADDRESS.sub(" ", text)
    if not text.isupper():
        text = _ABBREVIATION.sub(f" {US} ", text.replace("_", " "))
        text = _CAMEL.sub(" ", text)
    return _WORD.findall(fold(text))


def content_words(text: str, limit: int = 400) -> frozenset[str]:
    """The words that tell one record from another: no filler, no digit alone, at most `limit` characters read."""
    found = words(strip_html(text[: limit * 8])[:limit])
    return frozenset(word for word in found if word not in _FILLER and len(word) > 1)


_FILLER = frozenset(
    words(
        """
    the of and for in on with from to by an using via this is are was were dataset data set sets images image
    ultrasound ultrasonography us uszz de la el los las del der die das und des les et di il le con per para da do dos
    v1 v2 v3 version copy new
        """
    )
)
