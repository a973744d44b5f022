"""What the corpus as a whole permits is what its strictest dataset permits."""

from __future__ import annotations

import pytest

from tests.report.tables import run_of
from ultracurate.report.licences import licence_rows, licences_section
from ultracurate.report.model import DatasetLicence


def terms(**permits: bool | None) -> dict[str, DatasetLicence]:
    return {slug: DatasetLicence(slug, "CC0-1.0", redistribution=yes, commercial=yes) for slug, yes in permits.items()}


@pytest.mark.parametrize(
    ("busi", "verdict"),
    [
        (True, "permitted by every dataset"),
        (False, "not permitted, because of busi"),
        (None, "not established for busi"),
    ],
)
def test_the_strictest_dataset_decides(busi: bool | None, verdict: str) -> None:
    text = licences_section(run_of(1, licences=terms(busi=busi, unused=False))).text
    assert text.count(verdict) == 2


def test_a_dataset_without_terms_is_unknown_not_absent() -> None:
    rows = licence_rows(run_of(2, licences=terms(busi=True)))
    assert [(licence.dataset, licence.licence, frames) for licence, frames in rows] == [
        ("busi", "CC0-1.0", 1),
        ("thyroid-cine", "unknown", 1),
    ]
