"""Builds HTML from typed pieces in which every string is escaped unless it is already `Html`."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ultracurate.core.errors import ContractError


@dataclass(frozen=True)
class Html:
    """Text that is already markup; only this module and the inlined assets make it from strings."""

    text: str


Node = Html | str | int | None | Iterable["Node"]
Attribute = str | int | float | bool | None

_VOID = frozenset({"img", "input", "meta", "link", "br"})
# Control characters, and the marks that reverse the reading direction: both can make a line lie about its content.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_ALLOWED_ADDRESS = {"href": ("#", "https://", "http://", "data:,"), "src": ("data:image/",)}


def escape(text: str) -> str:
    """The text as it is safe inside an element or a quoted attribute."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return html.escape(_INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text), quote=True)


def join(*nodes: Node) -> Html:
    """Several pieces as one; None vanishes."""
    return Html("".join(_pieces(nodes)))


def _pieces(nodes: Iterable[Node]) -> Iterable[str]:
    for node in nodes:
        if node is None:
            continue
        if isinstance(node, Html):
            yield node.text
        elif isinstance(node, str):
            yield escape(node)
        elif isinstance(node, int):
            yield str(node)
        else:
            yield from _pieces(node)


def el(tag: str, *children: Node, **attributes: Attribute) -> Html:
    """One element; `class_` and `data_kind` become `class` and `data-kind`, True a bare attribute, None nothing."""
    opening = tag + "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{''.join(_pieces(children))}</{tag}>")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    allowed = _ALLOWED_ADDRESS.get(name)
    if allowed and not text.startswith(allowed):
        raise ContractError(
            f"Report: expected an address that begins with one of {allowed} in {name}, found {text[:40]!r}. "
            "The page must not load anything; use link() for addresses from tables."
        )
    return f' {name}="{escape(text)}"'


def link(address: str | None, text: str) -> Html:
    """A link that is followed only by a click, or plain text where the address is not an ordinary web address."""
    if address and address.startswith(("https://", "http://")):
        return el("a", text, href=address, rel="noreferrer noopener", class_="out")
    return join(text)


def section(name: str, title: str, lead: Node, *body: Node) -> Html:
    """One part of the page, with the anchor that the navigation points to."""
    return el(
        "section",
        el("h2", title, id=f"{name}-title"),
        el("p", lead, class_="lead"),
        *body,
        id=name,
        aria_labelledby=f"{name}-title",
    )


def data_table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[Node]], numbers: Iterable[int] = ()) -> Html:
    """A table whose first cell of each row is its heading; `numbers` are the columns to set as figures."""
    figures = frozenset(numbers)

    def kind(place: int) -> str | None:
        return "num" if place in figures else None

    body = [
        el(
            "tr",
            [
                el("th", cell, scope="row") if place == 0 else el("td", cell, class_=kind(place))
                for place, cell in enumerate(row)
            ],
        )
        for row in rows
    ]
    return el(
        "div",
        el(
            "table",
            el("caption", caption),
            el("thead", el("tr", [el("th", h, scope="col", class_=kind(i)) for i, h in enumerate(heads)])),
            el("tbody", body),
        ),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption,
    )
