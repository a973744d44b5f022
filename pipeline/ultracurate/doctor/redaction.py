"""Answers of hosts without what belongs to people: secrets, names, e-mail addresses, network addresses, free text.

The shape stays, as that is what a recording is for: a text becomes a text, a list stays a list, a name an invented one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

HIDDEN = "[redacted]"
MAIL = "person@example.org"
ORCID = "0000-0002-1825-0097"  # the invented person of ORCID's own documentation
DEPTH, ROWS, KEYS, LONGEST, CHARACTERS, NAMES = 24, 10, 200, 500, 400_000, 500
"""Bounds of what is kept of one answer: depth, items of a list, of an object, characters of a text, of all texts; and
of the names that are known."""
HEADERS = re.compile(
    r"content-(?:type|length|range|encoding|md5|disposition)|accept-ranges|cache-control|date|etag|expires|last-modified"
    r"|link|location|retry-after|(?:x-)?ratelimit(?:-[a-z]+)?|server|transfer-encoding|vary|www-authenticate|x-cursor"
    r"|x-amzn-waf-action|x-goog-hash|x-total-count|deprecation|sunset"
)
"""The headers that are kept; any other may name a session, a request or this machine."""
_SECRET = re.compile(
    r".*(?:token|secret|passw|passphrase|authori[sz]ation|cookie|session|signature|credential|apikey|accesskey|privatekey"
    r"|csrf|xsrf|requestid|traceid|correlationid|clientip|ipaddress|remoteaddr|bearer).*|sig|sas|jwt|key1|pwd|auth|ip"
    r"|phone|fax|rayid|hostid"
)
_PERSON = re.compile(
    r".*(?:creator|contributor|author|owner|uploader|submitter|collaborator|curator|maintainer|committer|contact"
    r"|depositor|editor|supervisor|investigator|person|user|member|patient|assignee|createdby|modifiedby|updatedby"
    r"|removedby|sharedby|postedby|people|organi[sz]er)s?"
    r"(?:(?:first|last|given|family|full|display|user)?names?|refs?|urls?|ids?|logins?|slugs?|user|details)?(?:nullable)?"
    r"|orcid|.*email.*|e?mails?|(?:given|family|first|last|user|display)name|affiliations?|login|subjectid|patient.*date"
)
_WORDS = re.compile(
    r"(?:.*(?:description|abstract|citation|bibtex|acknowledge?ments?)|notes?|versionnotes|summary|about|biography"
    r"|references?|funding|readme|additionaldescription|accessconditions)s?(?:html|text|nullable)?"
)
_KIND = re.compile(r"type|nametype|role|kind|scheme|schemeuri|nameidentifierscheme|affiliationidentifierscheme|lang")
_HARMLESS = re.compile(
    r"q|query|search|search_for|page|page_size|pagesize|per_page|size|limit|offset|start|sort|sortby|order|type|subtype"
    r"|format|download|version|datasetversionnumber|folder_id|page(?:\[|%5b)(?:number|size)(?:\]|%5d)|client-id|resource-type-id"
    r"|recursive|ref|all_versions|modality|collection|bodypartexamined|f|rel|status|state|id|export|preview|communities|v|charset|filename\*?",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[\w.+-]{1,64}(?:@|%40|&#64;|\\u0040)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,5}")
_ORCID = re.compile(r"(?<!\d)\d{4}-\d{4}-\d{4}-\d{3}[\dXx](?!\d)")
_QUERY = re.compile(r"(?<=[?&;#])([\w.$%\[\]-]{1,80})=([^&\s\"'<>;#\\]+)")
_LOGIN = re.compile(r"(?<=://)[^/\s@\"'<>]+@")
_SAID = re.compile(
    r"((?:token|api[_-]?key|passw(?:or)?d|secret|authorization|cookie|sessionid|x-amz-[a-z-]{1,40}|x-goog-[a-z-]{1,40})"
    r"[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token)\s+)?)[^\s\"',;<>&]+",
    re.IGNORECASE,
)
_AFTER = re.compile(r"\b((?:bearer|basic|token)\s+)(?=\S*\d)[\w.~+/=-]{6,}", re.IGNORECASE)
_KNOWN = re.compile(
    r"\b(?:gh[a-z]_[A-Za-z0-9]{8,}|github_pat_\w{8,}|KGAT_\w{8,}|hf_\w{8,}|eyJ[\w-]{4,}(?:\.[\w-]+)*|(?:AKIA|ASIA)[A-Z0-9]{12,})"
)
_GAP = r"(?:[\s_+.,-]|%20)+"
"""Between the words of a name, also where it is part of an address."""
_RUN = re.compile(r"[A-Za-z0-9+=]{20,}")
_IP4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{4,39}(?:\.\d{1,3}){0,3}(?![\w:])")


class Redactor:
    """Redacts the answers of one recording: the same person has the same invented name in all of them."""

    def __init__(self) -> None:
        self._people: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._left = 0
        self.cut = False
        """Whether the last answer was shortened."""

    def body(self, data: Any) -> Any:
        """The answer as it may be kept; names that it states as those of people are replaced in all its texts."""
        self.cut, self._left = False, CHARACTERS
        kept = self._shorten(data, 0)
        before = len(self._people)
        self._collect(kept, False, 0)
        if len(self._people) != before:
            self._pattern = None
        return self._clean(kept, False, False, "")

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers that are safe to keep, in lower case, sorted."""
        kept = {}
        for name, value in sorted((name.lower(), value) for name, value in headers.items()):
            if name == "www-authenticate":  # what follows the scheme may be a challenge made for this request
                kept[name] = re.match(r"[A-Za-z]{0,20}", value)[0]  # type: ignore[index]  # it matches anything
            elif HEADERS.fullmatch(name):
                kept[name] = value if _digest_header(name, value) else self._short(value)
        return kept

    def text(self, text: str) -> str:
        """A text without addresses of people and machines, signatures, tokens, and names that are known by now."""
        text = _LOGIN.sub("", text)
        text = _QUERY.sub(_parameter, text)
        text = _SAID.sub(rf"\1{HIDDEN}", text)
        text = _AFTER.sub(rf"\1{HIDDEN}", text)
        text = _KNOWN.sub(HIDDEN, text)
        text = _MAIL.sub(MAIL, text)
        text = _ORCID.sub(ORCID, text)
        text = _RUN.sub(lambda run: HIDDEN if _random(run[0]) else run[0], text)
        text = _IP4.sub(lambda found: _network(found[0]), text)
        text = _IP6.sub(lambda found: _network(found[0]), text)
        if self._people:
            if self._pattern is None:
                names = sorted(self._people, key=len, reverse=True)
                either = "|".join(_GAP.join(map(re.escape, name.split())) for name in names)
                self._pattern = re.compile(rf"(?<![^\W_])(?:{either})(?![^\W_])", re.IGNORECASE)
            text = self._pattern.sub(lambda found: self._people.get(_name_key(found[0]), "person"), text)
        return text

    def _short(self, value: str) -> str:
        return self.text(value) if len(value) <= LONGEST else _said(value)

    def _shorten(self, value: Any, depth: int) -> Any:
        """A copy within the bounds: everything after this has a known cost."""
        self._left -= 8
        if isinstance(value, dict | list) and (depth >= DEPTH or self._left < 0):
            self.cut = self.cut or bool(value)
            return type(value)()
        if isinstance(value, dict):
            self.cut = self.cut or len(value) > KEYS
            kept = list(value.items())[:KEYS]
            return {(k if len(k) <= 80 else "[long key]"): self._shorten(one, depth + 1) for k, one in kept}
        if isinstance(value, list):
            self.cut = self.cut or len(value) > ROWS
            return [self._shorten(one, depth + 1) for one in value[:ROWS]]
        if isinstance(value, str):
            inner = _inner(value) if depth < DEPTH else None
            if inner is not None:
                return json.dumps(self._shorten(inner, depth + 1))
            # Never cut in the middle: half an e-mail address is not seen as one any more.
            if len(value) > min(LONGEST, self._left) or (depth >= DEPTH and value[:1] in ("{", "[")):
                return _said(value)
            self._left -= len(value)
        return value

    def _collect(self, value: Any, person: bool, depth: int) -> None:
        """Learn the names that fields about people hold."""
        if isinstance(value, dict):
            for key, one in value.items():
                name = _plain(key)
                ours = (person or bool(_PERSON.fullmatch(name))) and not _KIND.fullmatch(name)
                self._collect(one, ours, depth + 1)
        elif isinstance(value, list):
            for one in value:
                self._collect(one, person, depth + 1)
        elif isinstance(value, str):
            inner = _inner(value)
            if inner is not None and depth < DEPTH:
                self._collect(inner, person, depth + 1)
            elif person and _is_name(value):
                self._person(value)

    def _person(self, name: str) -> str:
        key = _name_key(name)
        if key not in self._people:
            if not key or len(self._people) >= NAMES:
                return "person"
            self._people[key] = f"person-{len(set(self._people.values())) + 1}"
            last, comma, first = name.partition(",")
            if comma and first.strip():  # texts have it in the other order
                self._people.setdefault(_name_key(f"{first} {last}"), self._people[key])
        return self._people[key]

    def _clean(self, value: Any, person: bool, secret: bool, name: str) -> Any:
        if isinstance(value, dict):
            cleaned: dict[str, Any] = {}
            for key, one in value.items():
                plain = _plain(key)
                ours = (person or bool(_PERSON.fullmatch(plain))) and not _KIND.fullmatch(plain)
                shown = self.text(key)
                while shown in cleaned:  # two keys with an address each
                    shown += "'"
                cleaned[shown] = self._clean(one, ours, secret or bool(_SECRET.fullmatch(plain)), plain)
            return cleaned
        if isinstance(value, list):
            return [self._clean(one, person, secret, name) for one in value]
        if isinstance(value, str):
            return self._clean_text(value, person, secret, name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value if not secret and not person and -(1 << 63) < value < 1 << 63 else 0
        return value

    def _clean_text(self, value: str, person: bool, secret: bool, name: str) -> str:
        if not value.strip():
            return value
        if secret:
            return HIDDEN
        inner = _inner(value)
        if inner is not None:
            return json.dumps(self._clean(inner, person, secret, name))
        if _WORDS.fullmatch(name):
            return _said(value)
        if not person:
            return self.text(value)
        if "orcid" in name or _ORCID.search(value):
            return ORCID
        if "mail" in name or "@" in value:
            return MAIL
        if re.match(r"https?:|/", value):
            return "https://example.org/person"
        return self._person(value) if _is_name(value) else HIDDEN


def _inner(text: str) -> Any:
    """What JSON inside a text holds; None if it is none."""
    if text[:1] not in ("{", "["):
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if data and isinstance(data, dict | list) else None


def _said(text: str) -> str:
    """What stands for a text that is not kept."""
    kind = "HTML" if re.search(r"<[a-zA-Z/]", text) else "text"
    return f"[{kind}, {len(text)} characters]"


def _name_key(name: str) -> str:
    return re.sub(_GAP, " ", name).strip().casefold()


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _is_name(value: str) -> bool:
    """Whether a text in a field about a person may stand for that person elsewhere too."""
    other = value.startswith(("http:", "https:", "/", "[")) or "@" in value or _ORCID.search(value)
    return 3 <= len(value.strip()) <= 120 and not other


def _parameter(found: re.Match[str]) -> str:
    """A parameter of an address: its value stays if it is known to say nothing."""
    harmless = _HARMLESS.fullmatch(found[1]) and re.fullmatch(r"[\w.:+%*-]{0,60}", found[2])
    return found[0] if harmless and not _random(found[2]) else f"{found[1]}={HIDDEN}"


def _random(run: str) -> bool:
    """Whether a run of characters looks drawn by chance, and is no digest in hex."""
    if re.fullmatch(r"[0-9a-f]{32,128}|[0-9]+", run) or len(run) < 20:
        return False
    kinds = [bool(re.search(kind, run)) for kind in ("[a-z]", "[A-Z]", "[0-9]")]
    return all(kinds) or (kinds[2] and len(run) > 30)


def _digest_header(name: str, value: str) -> bool:
    """Digests in base64 look like secrets and are none."""
    return name in ("x-goog-hash", "content-md5") and bool(re.fullmatch(r"[\w =,+/-]{1,120}", value))


def _network(text: str) -> str:
    try:
        return "192.0.2.1" if ip_address(text).version == 4 else "2001:db8::1"  # addresses of documentation (RFC 5737)
    except ValueError:
        return text
