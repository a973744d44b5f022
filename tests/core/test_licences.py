from __future__ import annotations

import pytest

from ultracurate.core.licences import TERMS, Licence, find_licence, nearest


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("cc-by-4.0", "CC-BY-4.0"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0"),
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/legalcode", "CC-BY-NC-ND-4.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://spdx.org/licenses/MIT.html", "MIT"),
        ("cc-zero", "CC0-1.0"),
        ("Apache License 2.0", "Apache-2.0"),
        ("CC BY", None),  # versions differ, so no guess
        ("non-commercial use only", None),
        ("", None),
    ],
)
def test_how_hosts_write_licences(written: str, expected: str | None) -> None:
    assert find_licence(written) == expected


def test_every_id_finds_itself() -> None:
    for licence in TERMS:
        assert find_licence(licence) == licence
        assert nearest(licence.lower()) == licence


def test_terms_of_the_families() -> None:
    assert TERMS["CC-BY-4.0"].commercial is True
    assert TERMS["CC-BY-NC-4.0"].commercial is False
    assert TERMS["CC-BY-NC-ND-4.0"].derivatives is False
    assert TERMS["CC-BY-SA-4.0"].share_alike
    assert not TERMS["CC0-1.0"].attribution
    for unstated in ("restricted", "unknown"):
        assert (TERMS[unstated].redistribution, TERMS[unstated].commercial) == (None, None)


def test_a_manifest_may_state_more_than_the_id() -> None:
    assert Licence(id="restricted", redistribution=False).terms.redistribution is False
    assert Licence(id="restricted", redistribution=False).terms.derivatives is False
    assert Licence(id="unknown").terms.commercial is None
    assert Licence(id="CC-BY-4.0", commercial=False).terms.commercial is False
    assert Licence(id="CC-BY-4.0").terms == TERMS["CC-BY-4.0"]
