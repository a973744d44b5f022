"""Every trap of the real hosts is caught: one that a client as people write it falls into, and ours does not.

Each test of `test_traps_*.py` starts local hosts (`Duel`) that have one trap, sends a naive client into it first and
says what comes of that, then sends ours and says that it ends well; leaving a `Duel` fails unless both have asked.
`@trap(...)` names the traps that a test proves. Here is the list of all traps, and the proof that none was forgotten.
"""

from __future__ import annotations

import sys

import pytest

from tests.e2e import (
    test_traps_connections,
    test_traps_files,
    test_traps_listings,
    test_traps_storage,
    test_traps_windows,
)
from tests.e2e.naive import CAUGHT, Duel, zenodo

MODULES = (
    test_traps_connections,
    test_traps_files,
    test_traps_listings,
    test_traps_storage,
    test_traps_windows,
)

FACTS = (  # what breaks naive clients at the real hosts
    "Zenodo sends retry-after with a 200",
    "a restricted Zenodo record answers 200 with files: []",
    "Zenodo keys hold spaces, parentheses, slashes, other letters",
    "Figshare's page address answers 202 with 0 bytes",
    "Kaggle says code>=400 in the body of a 200",
    "a Kaggle CSV arrives as <name>.csv.zip",
    "Kaggle serves no HEAD",
    "Mendeley cuts a list at 100 with 206",
    "Mendeley cuts a folder at 1,000 with 206",
    "NBIA answers 200 with an empty body",
    "NBIA lists hold {}",
    "a Git LFS pointer in place of data",
    "GitHub archives come without Content-Length",
    "NBIA zips come without Content-Length",
    "codeload cannot resume",
    "Google Drive's virus page answers 200",
    "Google Drive's quota page answers 200",
    "a signed address of Mendeley's zip expires",
    "a signed address of figshare's expires",
    "a signed address of Kaggle's expires",
    "a signed address is no identity of a file",
)
BEHAVIOURS = (  # what the local hosts imitate, each switched on by itself
    "page limits with the real error bodies",
    "retry-after on a 200",
    "429 once, then well",
    "429 with an HTTP date",
    "503 as a web page",
    "410 with a tombstone",
    "restricted files: []",
    "a concept id redirects",
    "302 to a storage host that must see no login",
    "a signed address expires after n seconds",
    "Range honoured with 206",
    "Range ignored",
    "a wrong Content-Range",
    "an ETag that changes midway",
    "an ETag that ends in -14",
    "a connection cut at byte n",
    "chunked without a length, and cut",
    "202, empty, from a firewall",
    "a web page in place of a file",
    "a csv in a zip",
    "a partial JSON list with 206",
    "a 200 with an empty body",
    "{} rows",
    "an unescaped link with spaces and a slash",
    "another's DOI and no conceptdoi",
    "two files of one name in different folders",
    "names that differ in case only",
    "a file of 0 bytes",
    "a wrong md5 in the metadata",
    "no md5 in the metadata",
    "HEAD answers 404",
    "1,001 files",
    "a slow drip below the read timeout",
)


def test_no_trap_was_forgotten() -> None:
    assert sorted(CAUGHT) == sorted((*FACTS, *BEHAVIOURS))


@pytest.mark.parametrize("name", [*FACTS, *BEHAVIOURS])
def test_a_trap_has_a_test_that_pytest_runs(name: str) -> None:
    assert CAUGHT[name]
    for test in CAUGHT[name]:
        assert test.__name__.startswith("test_")
        assert sys.modules[test.__module__] in MODULES
        assert getattr(sys.modules[test.__module__], test.__name__) is test  # no later test of that name hides it


def test_a_duel_that_only_one_side_fights_proves_nothing() -> None:
    with pytest.raises(RuntimeError, match="both clients ask; found None"), Duel(zenodo()) as duel:
        duel.naive.get(duel.url("zenodo", "/api/records/77"))
    with pytest.raises(RuntimeError, match="found 0 requests before ours, 1 in all"), Duel(zenodo()) as duel:
        next(duel.ours("zenodo").search("ultrasound", 1))
