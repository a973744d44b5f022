from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.screening.links import MAX_LINKS, copied_from, links, of_address, of_doi, outside


@pytest.mark.parametrize(
    ("text", "host", "record"),
    [
        ('<a href="https://zenodo.org/records/123?token=abc">here</a>', "zenodo", "123"),
        ("zenodo.org/record/123.", "zenodo", "123"),
        ("https://zenodo.org/api/records/123/files/x.zip/content", "zenodo", "123"),
        ("https://zenodo.org/doi/10.5281/zenodo.123", "zenodo", "123"),
        ("![b](https://zenodo.org/badge/DOI/10.5281/zenodo.123.svg)", "zenodo", "123"),
        ("DOI:10.5281/ZENODO.123", "zenodo", "123"),
        ("https://doi.org/10.17632/3ksd7w7jkx.2", "mendeley", "3ksd7w7jkx/2"),
        ("http://dx.doi.org/10.17632/3KSD7W7JKX", "mendeley", "3ksd7w7jkx"),
        ("https://data.mendeley.com/datasets/3ksd7w7jkx/1", "mendeley", "3ksd7w7jkx/1"),
        ("https://figshare.com/articles/dataset/Some_title/14371652/2", "figshare", "14371652/2"),
        ("https://uni.figshare.com/articles/dataset/Some_title/14371652", "figshare", "14371652"),
        ("10.6084/m9.figshare.14371652.v2", "figshare", "14371652/2"),
        ("www.kaggle.com/datasets/some-one/a_set?select=x", "kaggle", "some-one/a_set"),
        ("https://www.kaggle.com/someone/a-set", "kaggle", "someone/a-set"),
        ("https://www.kaggle.com/c/nerve/data", "kaggle", "competitions/nerve"),
        ("(https://github.com/o/r.git)", "github", "o/r"),
        ("https://raw.githubusercontent.com/o/r/main/x.csv", "github", "o/r"),
        ("https://www.cancerimagingarchive.net/collection/breast-lesions-usg/", "tcia", "breast-lesions-usg"),
        ("https://www.synapse.org/#!Synapse:syn52383425/wiki/", "synapse", "syn52383425"),
        ("https://drive.google.com/drive/folders/1c5n0fVKrM9-SZE1?usp=sharing", "gdrive", "1c5n0fVKrM9-SZE1"),
        ("https://drive.google.com/uc?export=download&amp;id=1c5n0fVKrM9", "gdrive", "1c5n0fVKrM9"),
        ("https://hc18.grand-challenge.org/", "grand_challenge", "hc18"),
        ("see 10.1016/j.dib.2019.104863,", "doi", "10.1016/j.dib.2019.104863"),
    ],
)
def test_known_hosts(text: str, host: str, record: str) -> None:
    assert [(link.host, link.record) for link in links(f"Data: {text} and more")] == [(host, record)]


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/x",
        "https://www.kaggle.com/competitions",
        "https://github.com/topics/ultrasound",
        "https://notzenodo.org/records/1",
        "https://zenodo.org.evil.example/records/1",
        "https://example.org/zenodo.org/records/1",
        "someone@github.com/x",
        "10.12/short",
        "<b>zenodo</b>",
        "https://figshare.com/s/0123456789abcdef",
    ],
)
def test_everything_else(text: str) -> None:
    assert links(text) == []


def test_each_once_in_order_and_not_for_ever() -> None:
    text = "https://zenodo.org/records/2 https://doi.org/10.5281/zenodo.1 https://zenodo.org/record/2"
    assert [link.record for link in links(text)] == ["2", "1"]
    many = " ".join(f"https://zenodo.org/records/{n}" for n in range(1, 500))
    assert len(links(many)) == MAX_LINKS


def test_no_token_survives() -> None:
    text = "https://user:hunter2@zenodo.org/records/5?token=s3cret https://github.com/o/r?access_token=s3cret"
    found = links(text)
    assert "s3cret" not in repr(found)
    assert "hunter2" not in repr(found)


def test_addresses_and_dois_by_themselves() -> None:
    assert of_doi("https://doi.org/10.5281/zenodo.9") == of_doi("10.5281/Zenodo.9")
    assert of_doi("not a doi") is None
    assert of_address("https://www.zenodo.org/records/7#files") == of_doi("10.5281/zenodo.7")
    assert of_address("") is None


@given(st.text(max_size=500))
def test_any_text(text: str) -> None:
    for link in links(text):
        assert link.record
        assert "?" not in link.url or link.host == "gdrive" or link.host == "doi"


@given(
    st.lists(st.integers(1, 10**9), max_size=20, unique=True), st.sampled_from([" ", "<br>", '"', ") ", "\n", "&nbsp;"])
)
def test_all_are_found_whatever_stands_between(records: list[int], gap: str) -> None:
    text = gap.join(f"https://zenodo.org/records/{record}" for record in records)
    assert [link.record for link in links(text)] == [str(record) for record in records]


@pytest.mark.parametrize(
    "piece",
    [
        "http",
        "https://",
        "10.1234/",
        "a.",
        "zenodo.org/",
        '<a href="',
        "&amp;",
        ".a",
        "-",
        "figshare.com/articles/",
        "/",
        "10.",
    ],
)
def test_time_is_linear(piece: str) -> None:
    start = time.perf_counter()
    links(piece * (2_000_000 // len(piece)))
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("Mirror of https://zenodo.org/records/12 for a faster download.", ["12"]),
        ("<p>A re-upload of <a>doi.org/10.5281/zenodo.13</a></p>", ["13"]),
        ("This version replaces 10.5281/zenodo.14, which has errors.", ["14"]),
        ("A companion to https://zenodo.org/records/15: other patients.", []),
        ("A copy of our form is below. Data: https://zenodo.org/records/16", []),
    ],
)
def test_what_a_record_says_it_is_a_copy_of(text: str, records: list[str]) -> None:
    assert [link.record for link in copied_from(text)] == records


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        (
            "Scans: https://pan.example.com/s/1?pwd=x and http://a@files.example.org:80/b",
            ["pan.example.com", "files.example.org"],
        ),
        ("Get them at ftp://data.example.org/scans", ["data.example.org"]),
        ("See data.example.org/scans for more", ["data.example.org"]),
        ("All of it: https://osf.io/ab3de/", ["osf.io"]),
        ("They lie at doi:10.5061/dryad.abc", ["a DOI"]),
        ("Please cite our article https://doi.org/10.1016/j.x.1", []),
        ("CC BY: https://creativecommons.org/licenses/by/4.0/, see also https://zenodo.org/records/1", []),
        ("The scans can be obtained from our cloud", ["a place without an address"]),
        ("Nothing here", []),
    ],
)
def test_where_a_text_leads(text: str, hosts: list[str]) -> None:
    assert outside(text) == hosts


@pytest.mark.parametrize("bad", ["copy of " * 30_000, "https://" * 30_000, "10.1000/" * 30_000, "a." * 60_000])
def test_hostile_texts_of_copies_cost_little(bad: str) -> None:
    start = time.process_time()
    copied_from(bad)
    outside(bad)
    assert time.process_time() - start < 3
