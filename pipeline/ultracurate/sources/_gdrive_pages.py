"""The web pages of Google Drive, read with the standard library: a folder's view, the warning before a large file."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

MOST_ENTRIES = 5_000
MOST_PAGE = 2 << 20
"""Characters of a page that are read; a folder of 5,000 entries has fewer."""
_ENTRY = re.compile(r"/(?:(file)/d|drive/folders)/([A-Za-z0-9_-]{10,100})(?:/|$)")
_KEY = re.compile(r"(?:^|&)resourcekey=([A-Za-z0-9_-]{1,100})(?:&|$)")


@dataclass
class Entry:
    """One thing in a folder."""

    name: str
    kind: str
    """file, folder, or other (a document that lives at Google only)."""
    id: str = ""
    key: str | None = None
    """Old files want this key beside their id; it is part of the link that their owner published."""


@dataclass
class Page(HTMLParser):
    """What a page says: its title, its links, its download form and its error."""

    title: str = ""
    error: str = ""
    action: str = ""
    """Where the form `download-form` leads, with its hidden `inputs`."""
    inputs: dict[str, str] = field(default_factory=dict)
    confirm: str = ""
    """An older link that says yes to the warning."""
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._into: str = ""
        self._entry: Entry | None = None
        self._in_form = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of forms, inputs, links and error texts."""
        named = {name: value or "" for name, value in attrs}
        classes = named.get("class", "").split()
        if tag == "title":
            self._into = "title"
        elif {"uc-error-caption", "uc-error-subcaption"} & set(classes):
            self._into = "error"
        elif tag == "form":
            self._in_form = named.get("id") == "download-form"
            self.action = named.get("action", "") if self._in_form else self.action
        elif tag == "input" and self._in_form and len(self.inputs) < 30:
            if named.get("type") == "hidden" and named.get("name"):
                self.inputs[named["name"]] = named.get("value", "")
        elif tag == "a":
            self._link(named.get("href", ""))

    def handle_endtag(self, tag: str) -> None:
        """Close what was open."""
        if tag == "a":
            self._entry = None
        elif tag == "form":
            self._in_form = False
        elif tag in ("title", "p", "div"):
            self._into = ""

    def handle_data(self, data: str) -> None:
        """Text of the title, of an error, or of the link that is open."""
        if self._entry is not None:
            self._entry.name = (self._entry.name + data)[:2000]
        elif self._into == "title":
            self.title = (self.title + data)[:500]
        elif self._into == "error":
            self.error = f"{self.error} {data}".strip()[:500]

    def _link(self, href: str) -> None:
        try:
            parts = urlsplit(href)
        except ValueError:
            return
        if parts.path == "/uc" and "confirm=" in parts.query:
            self.confirm = href
        found, key = _ENTRY.search(parts.path), _KEY.search(parts.query)
        if len(self.entries) >= MOST_ENTRIES:
            return
        if found:
            self._entry = Entry("", "file" if found[1] else "folder", found[2], key[1] if key else None)
        elif parts.hostname == "docs.google.com":
            self._entry = Entry("", "other", href)
        if self._entry is not None:
            self.entries.append(self._entry)


def read_page(content: str) -> Page:
    """A page, parsed as far as it can be."""
    page = Page()
    if content.count("<") > 2 * content.count(">") + 100:  # an open tag is looked for again and again to the end
        return page
    with contextlib.suppress(AssertionError, ValueError):  # the parser's own words for a broken page
        page.feed(content[:MOST_PAGE])
        page.close()
    for entry in page.entries:
        entry.name = entry.name.strip()
    page.title = page.title.strip()
    return page


def stated_name(disposition: str) -> str | None:
    """The file name in a Content-Disposition header (RFC 6266), the extended form first."""
    if extended := re.search(r"filename\*\s*=\s*UTF-8''([^;\s]+)", disposition, re.IGNORECASE):
        return unquote(extended[1], errors="replace")
    plain = re.search(r'filename\s*=\s*(?:"([^"]*)"|([^;\s]+))', disposition, re.IGNORECASE)
    if plain is None:
        return None
    name: str = plain[1] if plain[1] is not None else plain[2]
    try:
        return name.encode("latin-1").decode("utf-8")  # headers are read as Latin-1, and sent as UTF-8
    except UnicodeError:
        return name
