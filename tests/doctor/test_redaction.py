from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.doctor.redaction import CHARACTERS, MAIL, ORCID, ROWS, Redactor


def clean(data: Any) -> Any:
    return Redactor().body(data)


def test_an_answer_without_anything_private_stays_as_it_is() -> None:
    answer = {
        "id": 8265464,
        "title": "Basic token ultrasound: 1,000 frames at 12:34:56",
        "files": [{"key": "BrEaST-Lesions/a 1.png", "size": 12, "checksum": "md5:" + "0a" * 16, "ok": True, "x": None}],
        "sha": "0a" * 20,
        "uid": "1.3.6.1.4.1.9590.100.1.2.374115997511889073021386151921807063992",
        "uuid": "0b7dd3f8-8a5f-4bc1-9a53-2a2b7d7a1c11",
        "doi": "10.5281/zenodo.8265464",
        "score": 0.25,
        "links": {"next": "https://zenodo.org/api/records?page=2&q=ultrasound&size=25&sort=bestmatch"},
        "license": {"id": "cc-by-4.0"},
        "created": "2026-01-05T09:30:00+00:00",
    }
    assert clean(answer) == answer


SIGNED = "https://s3.example.org/b/file.zip"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"{SIGNED}?X-Amz-Signature=5ecret99&X-Amz-Expires=60", "5ecret99"),
        (f"{SIGNED}?x=1&amp;sig=5ecret99%3D&page=2", "5ecret99"),
        (f"{SIGNED}?unheard-of=5ecret99", "5ecret99"),
        (f"{SIGNED}#access_token=5ecret99", "5ecret99"),
        ("/relative/file?token=5ecret99", "5ecret99"),
        ("https://user:5ecret99@host.example/file", "5ecret99"),
        ("https://5ecret99:~!@host.example/file", "5ecret99"),
        ('{"detail": "Authorization: Bearer 5ecret99xyz"}', "5ecret99"),
        ("sent Bearer 5ecret99xyz", "5ecret99"),
        ("api_key = 5ecret99", "5ecret99"),
        ("ghp_5ecret99abcdefghijk", "5ecret99"),
        ("see eyJhbGciOi.5ecret99.x-y_z", "5ecret99"),
        ("AKIA5ECRET99ABCDEFGH", "5ECRET99"),
        ("aB3dE5gH7jK9mN1pQ3sT5vW7yZ", "aB3dE5"),
        ("write to jane.roe+us@clinic.example.org, please", "jane"),
        ("jane.roe%40clinic.example.org", "jane"),
        ("jane.roe@localhost", "jane"),
        ("ORCID 0000-0003-1415-9269", "9269"),
        ("from 203.0.113.77 to 2001:db8:aa::77", "203.0.113"),
        ("from 203.0.113.77 to 2606:4700:aa::77", "4700"),
        ("::ffff:203.0.113.77", "203.0"),
    ],
)
def test_what_is_private_in_a_text_goes(text: str, secret: str) -> None:
    for place in (text, f"before {text} after", f"({text})", json.dumps({"a": [text]}), json.dumps(json.dumps([text]))):
        kept = clean({"x": [place], place: 1})
        assert secret not in json.dumps(kept), kept


def test_the_rest_of_an_address_stays() -> None:
    kept = clean({"x": f"get {SIGNED}?version=3&sig=abc now"})["x"]
    assert kept == f"get {SIGNED}?version=3&sig=[redacted] now"


@pytest.mark.parametrize(
    "key",
    [
        "access_token", "nextPageToken", "token", "client_secret", "password", "Authorization", "Set-Cookie",
        "sessionId", "X-Amz-Signature", "sig", "apiKey", "request_id", "x-request-id", "traceId", "clientIp", "ip",
        "csrfToken", "jwt",
    ],
)  # fmt: skip
def test_fields_that_hold_secrets_keep_their_shape_only(key: str) -> None:
    answer = {key: "shy", "b": {key: ["shy", {"deep": "shy", "n": 77}]}, "c": {key: 4711, "d": [{key: ""}]}}
    kept = clean(answer)
    assert "shy" not in json.dumps(kept)
    assert kept[key] == "[redacted]"
    assert kept["b"][key][1] == {"deep": "[redacted]", "n": 0}
    assert kept["c"] == {key: 0, "d": [{key: ""}]}


@pytest.mark.parametrize(
    "people",
    [
        {"creators": [{"name": "Roe, Jane", "affiliation": "Clinic of Nowhere", "orcid": "0000-0003-1415-9269"}]},
        {"authors": [{"full_name": "Jane Roe", "id": 4711, "url_name": "Jane_Roe"}]},
        {"creatorName": "Jane Roe", "creatorUrl": "jane-roe", "creatorNameNullable": "Jane Roe"},
        {"owner": {"login": "jane-roe", "avatar_url": "https://avatars.example/u/4711"}},
        {"contributors": [{"personName": {"first": "Jane", "last": "Roe"}}]},
        {"uploaded_by": 1, "createdBy": "jane roe"},
        {"user": "Jane Roe"},
        {"contact": {"givenName": "Jane", "familyName": "Roe", "phone": "555 4711"}},
        {"removed_by": {"user": "Jane Roe"}},
        {"collaborators": [{"username": "jane.roe", "role": "writer"}]},
        {"e-mail": "jane.roe@clinic.example.org"},
        {"PatientID": "Jane Roe"},
    ],
)
def test_people_become_invented_ones(people: dict[str, Any]) -> None:
    kept = clean({"metadata": people})
    shown = json.dumps(kept).lower()
    assert "roe" not in shown
    assert "4711" not in shown
    assert "9269" not in shown
    assert "nowhere" not in shown
    assert list(kept["metadata"]) == list(people)


def test_a_name_that_one_field_states_is_replaced_everywhere_and_in_later_answers() -> None:
    redactor = Redactor()
    answer = {
        "title": "Frames of Jane Roe (Roe, Jane), second edition",
        "ref": "jane-roe/frames",
        "creators": [{"name": "Roe, Jane"}, {"name": "Doe, John"}],
        "html_url": "https://github.com/Jane_Roe/frames",
    }
    kept = redactor.body(answer)
    assert kept["title"] == "Frames of person-1 (person-1), second edition"
    assert kept["ref"] == "person-1/frames"
    assert kept["html_url"] == "https://github.com/person-1/frames"
    assert [one["name"] for one in kept["creators"]] == ["person-1", "person-2"]
    assert (
        redactor.body({"title": "JANE ROE and John%20Doe; Janet Roes"})["title"] == "person-1 and person-2; Janet Roes"
    )
    assert redactor.text("/repos/jane-roe/frames") == "/repos/person-1/frames"


def test_what_kind_a_person_is_stays() -> None:
    kept = clean({"contributors": [{"name": "Roe, Jane", "type": "DataCurator", "nameType": "Personal"}]})
    assert kept["contributors"] == [{"name": "person-1", "type": "DataCurator", "nameType": "Personal"}]


def test_orcid_and_mail_get_those_of_documentation() -> None:
    kept = clean({"creators": [{"orcid": "0000-0003-1415-9269", "email": "a@b.example"}], "x": "a@b.example"})
    assert kept == {"creators": [{"orcid": ORCID, "email": MAIL}], "x": MAIL}
    assert clean({"creators": [{"orcid": "0000-0003-1415-9269"}, {"name": "Roe"}]})["creators"][1] == {
        "name": "person-1"
    }


@pytest.mark.parametrize("key", ["description", "descriptionNullable", "abstract", "notes", "citation", "references"])
def test_free_text_is_only_counted(key: str) -> None:
    assert clean({key: "Thanks to Jane Roe."}) == {key: "[text, 19 characters]"}
    assert clean({key: ["<p>Thanks to Jane</p>"]}) == {key: ["[HTML, 21 characters]"]}


def test_a_long_text_is_never_cut_in_the_middle() -> None:
    text = "x " * 245 + "jane.roe@clinic.example.org and more of it"
    assert clean({"x": text}) == {"x": f"[text, {len(text)} characters]"}


def test_two_keys_that_become_one_are_both_kept() -> None:
    assert clean({"a@b.example": 1, "c@d.example": 2}) == {MAIL: 1, MAIL + "'": 2}


def test_lists_are_shortened_and_that_is_told() -> None:
    redactor = Redactor()
    assert redactor.body(list(range(100))) == list(range(ROWS))
    assert redactor.cut
    assert redactor.body([1]) == [1]
    assert not redactor.cut


def nest(depth: int) -> Any:
    data: Any = "jane.roe@clinic.example.org"
    for _ in range(depth):
        data = [data, {"a": data}] if depth < 15 else [data]
    return data


@pytest.mark.parametrize(
    "hostile",
    [
        nest(14),  # 2^14 leaves
        nest(900),
        {str(n): ["y" * 400] * 9 for n in range(5000)},
        {f"owner{'s' * (n % 3)}": {f"name{n}": f"Some Body {n}"} for n in range(3000)},
        {"owners": [[f"A Person {n} {m}" for n in range(10)] for m in range(10)], "x": ["A Person " * 50] * 10},
        ["@" * 490, "a." * 240, "?" * 490, "&a" * 240 + "=", "=" * 490, "{" * 490, "[" * 490, "1:" * 240, "a%40" * 120],
        {"x": 10**40, "y": -(10**40), "z": float("inf"), "w": float("nan")},
        "\0\x1b[2J\ud800".encode("utf-8", "replace").decode(),
        "[" * 5000,
        json.dumps(json.dumps(json.dumps({"token": "jane.roe@clinic.example.org"}))),
        {"": {"": ""}},
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_hostile_answers_cost_little(hostile: Any) -> None:
    start = time.monotonic()
    kept = json.dumps(clean(hostile), allow_nan=False)
    assert time.monotonic() - start < 5
    assert len(kept) < 4 * CHARACTERS
    assert "jane" not in kept


_LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
_TREE = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5)
)


@settings(max_examples=60, deadline=None)
@given(_TREE, st.text(alphabet="abcdefghi01289.-", min_size=1, max_size=12))
def test_no_address_survives_in_any_answer(tree: Any, word: str) -> None:
    planted = f"x{word}y@clinic.example.org"
    kept = json.dumps(clean({"tree": tree, "a": [planted, {planted: tree}, f"<{planted}>"]}), allow_nan=False)
    assert "clinic" not in kept


def test_only_known_headers_stay() -> None:
    came = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Disposition": "attachment;filename=a.png",
        "ETag": '"9d99fcb6cae05ead66933a5001ee72f2"',
        "X-RateLimit-Remaining": "29",
        "x-goog-hash": "md5=ouqsg1mcq5sIBtQnGjK3bQ==",
        "Link": "<https://api.example/x?page=2&per_page=10>; rel=next",
        "Location": f"{SIGNED}?X-Goog-Signature=abc",
        "WWW-Authenticate": 'Bearer realm="x", nonce="5ecret99"',
        "Set-Cookie": "session=5ecret99",
        "Authorization": "Bearer 5ecret99",
        "X-Request-Id": "5ecret99",
        "CF-RAY": "5ecret99",
        "X-Forwarded-For": "203.0.113.77",
        "Via": "1.1 squid-of-jane",
        "X-Unheard-Of": "5ecret99",
    }
    assert Redactor().headers(came) == {
        "content-disposition": "attachment;filename=a.png",
        "content-type": "application/json; charset=utf-8",
        "etag": '"9d99fcb6cae05ead66933a5001ee72f2"',
        "link": "<https://api.example/x?page=2&per_page=10>; rel=next",
        "location": f"{SIGNED}?X-Goog-Signature=[redacted]",
        "www-authenticate": "Bearer",
        "x-goog-hash": "md5=ouqsg1mcq5sIBtQnGjK3bQ==",
        "x-ratelimit-remaining": "29",
    }
