"""The builder of HTML: everything is escaped, and nothing can point outside by accident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.core.errors import ContractError
from ultracurate.report.markup import Html, el, join, link


@given(st.text())
def test_no_text_can_open_a_tag_or_leave_an_attribute(text: str) -> None:
    inside = el("p", text, title=text).text.removeprefix('<p title="').removesuffix("</p>")
    title, _, body = inside.partition('">')
    assert not set('<>"') & set(title)
    assert not set('<>"') & set(body)
    inside.encode()


def test_nested_pieces_numbers_and_nothing() -> None:
    assert join("a<", ["b", (1, None)], Html("<i>")).text == "a&lt;b1<i>"
    assert el("input", disabled=True, hidden=False, data_x=0.5, class_=None).text == '<input disabled data-x="0.5">'


@pytest.mark.parametrize("attribute", ["src", "href"])
def test_an_address_from_outside_is_refused(attribute: str) -> None:
    with pytest.raises(ContractError, match="must not load anything"):
        el("a", **{attribute: "javascript:alert(1)"})
    with pytest.raises(ContractError):
        el("img", src="https://example.org/a.png")


def test_link_is_text_unless_it_is_a_web_address() -> None:
    assert link("javascript:alert(1)", "terms").text == "terms"
    assert link(None, "terms").text == "terms"
    assert 'href="https://example.org/?a=1&amp;b=2"' in link("https://example.org/?a=1&b=2", "terms").text
