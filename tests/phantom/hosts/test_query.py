from __future__ import annotations

import pytest

from ultracurate.phantom.hosts.query import BadQueryError, parse
from ultracurate.phantom.hosts.records import HostRecord

RECORDS = {
    "breast": HostRecord(
        "zenodo",
        "1",
        "Breast ultrasound",
        "<p>B-mode &amp; Doppler of lesions.</p>",
        ("BUS", "masks"),
        created="2024-03-01",
    ),
    "heart": HostRecord("zenodo", "2", "Echocardiography clips", "Ultrasound 超声图像", created="2025-12-31"),
    "weld": HostRecord("zenodo", "3", "Weld/seam testing", "Ultrasonic", kind="image", created="2023-01-01"),
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "breast heart weld"),
        ("*", "breast heart weld"),
        ("ultrasound", "breast heart"),
        ("ULTRASOUND lesions", "breast"),
        ("ultrasound AND breast", "breast"),
        ("breast OR clips", "breast heart"),
        ("breast clips", ""),
        ('"breast ultrasound"', "breast"),
        ('"ultrasound breast"', ""),
        ("echocardio*", "heart"),
        ("ultraso*", "breast heart weld"),
        ("title:ultrasound", "breast"),
        ("keywords:bus", "breast"),
        ("resource_type.type:image", "weld"),
        ("nothing.known:ultrasound", ""),
        ("ultrasound NOT breast", "heart"),
        ("ultrasound -breast", "heart"),
        ("ultrasound AND (breast OR (clips AND doppler))", "breast"),
        ("(ultrasound OR weld) NOT (breast OR clips)", "weld"),
        ("B-mode", "breast"),
        ("超声", "heart"),
        (r"weld\/seam", "weld"),
        ('"weld/seam"', "weld"),
        (r"\"breast", "breast"),
        ("created:[2024-01-01 TO 2025-12-31]", "breast heart"),
        ("created:[2024-01-01 TO 2025-12-30]", "breast"),
        ("publication_date:[* TO 2023]", "weld"),
        ("ultrasound AND publication_date:[2025-06-01 TO *]", "heart"),
        ("created:2025-12-31", "heart"),
    ],
)
def test_what_a_query_finds(query: str, found: str) -> None:
    test = parse(query)
    assert [name for name, record in RECORDS.items() if test(record)] == found.split()


@pytest.mark.parametrize(
    "query",
    [
        "sea/ice",
        "!",
        "ultrasound &&",
        "ultrasound AND",
        '"open',
        "(open",
        "closed)",
        "a OR OR b",
        "created:[x TO y]",
        "[1 TO 2",
        "(" * 500 + "a" + ")" * 500,
        "NOT",
    ],
)
def test_what_the_real_parser_refuses_is_refused(query: str) -> None:
    with pytest.raises(BadQueryError):
        parse(query)
