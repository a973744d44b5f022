from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.sources import SourceError, hide_private
from ultracurate.sources._urls import move, origin, quote_path, redact, redact_text, safe_name


def test_a_shown_address_has_neither_login_nor_query() -> None:
    assert redact("https://me:pw@host:81/a%20b.zip?sig=1&se=2#x") == "https://host:81/a%20b.zip?[redacted]"
    assert redact("https://host/a") == "https://host/a"


@given(st.text(st.characters(min_codepoint=48, max_codepoint=122, categories=["L", "N"]), min_size=8))
def test_no_query_value_survives_redaction(secret: str) -> None:
    secret = f"S3-{secret}"
    text = f"GET https://h/p?sig={secret} then /q?token={secret}&x=1 and http://u:{secret}@h/"
    assert secret not in redact_text(text)


def test_redacting_twice_changes_nothing() -> None:
    once = redact_text("at https://h/p?a=b now")
    assert redact_text(once) == once


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://Host/a") == origin("https://host:443/b")
    assert origin("https://host/a") != origin("http://host/a")
    assert origin("http://host:1/a") != origin("http://host:2/a")


def test_only_links_of_the_public_host_move() -> None:
    assert move("https://zenodo.org/api/x?y=1", "https://zenodo.org", "http://l:1") == "http://l:1/api/x?y=1"
    assert move("https://zenodo.org.evil/api", "https://zenodo.org", "http://l:1") == "https://zenodo.org.evil/api"


def test_keys_are_quoted_but_keep_their_folders() -> None:
    assert quote_path("train set/Überblick (1)#2?.zip") == "train%20set/%C3%9Cberblick%20%281%29%232%3F.zip"


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a\\b", "a\0b", "./x"])
def test_names_that_lead_out_are_refused(key: str) -> None:
    with pytest.raises(SourceError, match="relative path"):
        safe_name(key, "Record 1")


@given(st.text(max_size=200))
def test_what_is_hidden_leaves_json_readable(text: str) -> None:

    raw = json.dumps({"a": f"{text}?sig=abc&x=1", "b": f"{text} me@example.org {text}"})
    hidden = hide_private(raw)
    assert "me@example.org" not in hidden
    assert set(json.loads(hidden)) == {"a", "b"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("write to a.b+c@uni-x.example.edu!", "write to [e-mail]!"),
        (
            "https://s3.example/a?X-Amz-Signature=0f&X-Amz-Date=1",
            "https://s3.example/a?X-Amz-Signature=[redacted]&X-Amz-Date=[redacted]",
        ),
        (
            "https://blob.example/c?sv=2019&amp;sig=a%2B&amp;se=2026",
            "https://blob.example/c?sv=2019&amp;sig=[redacted]&amp;se=[redacted]",
        ),
        (
            "https://zenodo.example/r/1?token=eyJ.abc&download=1",
            "https://zenodo.example/r/1?token=[redacted]&download=1",
        ),
        ("see https://example.org/a?page=2", "see https://example.org/a?page=2"),
    ],
)
def test_private_words_of_a_text_are_hidden(said: str, kept: str) -> None:
    assert hide_private(said) == kept
