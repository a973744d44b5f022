"""What may name a person in a path is recognised and counted; what only looks alike is let alone."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.decoding.samples import samples_folder
from ultracurate.core._given_names import NAMES, NOT_NAMES
from ultracurate.core.identifying import KINDS, MAX_PART, MAX_PATH, look_at, normal

FOUND = [
    ("DOE^JANE/scan.png", {"name"}),
    ("Doe, Jane/scan.png", {"name"}),
    ("user/Müller, Jürgen/1.png", {"name"}),
    ("PatientMaria/x.png", {"name"}),
    ("maria_garcia/x.png", {"name"}),
    ("CORNELIUS BRAMBLEWICK 19480229/scan.png", {"name", "birth_date"}),
    ("SMITH_JOHN_1961-03-04/a.png", {"name", "birth_date"}),
    ("scan_19610304.png", {"birth_date"}),
    ("04031961.dcm", {"birth_date"}),
    ("12311961.dcm", {"birth_date"}),
    ("04.03.1961/a.png", {"birth_date"}),
    ("4-3-1961.png", {"birth_date"}),
    ("03-04-87.png", {"birth_date"}),
    ("07-08-31.png", {"birth_date"}),
    ("1961_03_04.png", {"birth_date"}),
    ("12Mar1987_a.png", {"birth_date"}),
    ("AUG-12-1959.png", {"birth_date"}),
    ("1959_Aug_3.png", {"birth_date"}),
    ("3. märz 1959.png", {"birth_date"}),
    ("3 août 1959.png", {"birth_date"}),
    ("born 1987/x.png", {"birth_date"}),
    ("DOB-870304/x.png", {"birth_date"}),
    ("20190830T115515_3.png", {"date"}),
    ("202201121748100022VAS_slice_1393.png", {"date"}),
    ("kidneyUS_images_14_june_2022/1_IM-0001-0059_anon.png", {"date"}),
    ("2024-09-26_1.jpg", {"date"}),
    ("30.08.19/a.png", {"date"}),
    ("MRN1234567.dcm", {"number"}),
    ("id_00012345.png", {"number"}),
    ("PatientID 54321/1.png", {"number"}),
    ("accession-982734.png", {"number"}),
    ("1234567890123.png", {"number"}),
    ("123-45-6789.png", {"number"}),
    ("1.2.826.0.1.3680043.8.498.1234/1.dcm", {"uid"}),
    ("J.S./a.png", {"initials"}),
    ("A.B_left.png", {"initials"}),
    ("JS_1987/1.png", {"initials"}),
    ("AB_20190312.mp4", {"initials", "date"}),
    ("St. Alder Infirmary/a.png", {"place"}),
    ("Universitätsklinikum Muster/a.png", {"place"}),
    ("GeneralHospital/a.png", {"place"}),
    ("北京医院/1.png", {"place"}),
    ("someone@example.org.png", {"mail"}),
    ("+49 170 1234567.png", {"phone"}),
    ("(555) 123-4567.jpg", {"phone"}),
]
"""Paths and what must be found in them, and nothing else."""

LET_ALONE = [
    "data/benign/images/benign (277).png",
    "training_set/010_2HC.png",
    "Images/Patient00001_Plane1_1_of_2.png",
    "lus_videos/patient_15_L2_2.mp4",
    "bus_0001-l.png",
    "EchoNet-Dynamic/Videos/0X1A2B3C4D5E6F7A8B.avi",
    "3f2a9b1c0d4e5f60718293a4b5c6d7e8.png",
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6.png",
    "00000001.png",
    "IM-0001-0059.dcm",
    "frame_screenshot_W1280H960FPS60_MJPG_X51_AbdVasc.png",
    "Reg_Avi_Figure-5-Right-lung-effusion-(white-star).jpg",
    "US_2019/CT_2008/train.png",
    "v1.2.10/image.nii.gz",
    "spacing 0.12345678.mha",
    "U.S. images/1.png",
    "Left, Right/1.png",
    "Douglas pouch/Mark II.png",
    "99999999.99/31.31.2020/2019-13-01.txt",
    "Tumor 1_2_10.png",
    "",
    "/",
]


@pytest.mark.parametrize(("path", "kinds"), FOUND, ids=[path for path, _ in FOUND])
def test_what_may_name_somebody_is_found(path: str, kinds: set[str]) -> None:
    assert set(look_at(path)) == kinds


@pytest.mark.parametrize("path", [path for path in LET_ALONE if not path.startswith("99")])
def test_what_names_nobody_is_let_alone(path: str) -> None:
    assert not look_at(path)


def test_a_day_that_does_not_exist_is_no_date() -> None:
    assert not {"date", "birth_date"} & set(look_at("31.02.1961/2019-13-01/99999999.txt"))


def test_each_part_of_a_path_counts_once_for_a_kind() -> None:
    assert look_at("1961-03-04_1962-03-04/1963-03-04/x/1964-03-04.png") == Counter(birth_date=3)


def test_words_of_the_header_are_found_in_names_in_any_spelling() -> None:
    words = frozenset({"BRAMBLEWICK", "Zoë", "ZQ76543", "x", "Anonymized"})
    for path in ("bramblewick/1.png", "a/dr_Bramblewick_2.png", "oldbramblewickscans.png", "zoe/1.png", "ZQ-76543.dcm"):
        assert look_at(path, words)["header"] == 1, path
    for path in ("bramble/wick.png", "zoen/1.png", "x/1.png", "anonymized/1.png"):
        assert not look_at(path, words)["header"], path
    assert not look_at("bramblewick/1.png")


def test_only_kinds_and_numbers_come_back() -> None:
    for path, _ in FOUND:
        found = look_at(path, frozenset({"JANE"}))
        assert set(found) <= set(KINDS)
        assert all(isinstance(number, int) and number > 0 for number in found.values())


def test_the_list_of_names_is_small_plain_and_holds_no_word_of_the_trade() -> None:
    assert len(NAMES) <= 300
    assert all(name.isascii() and name.islower() and len(name) >= 3 for name in NAMES)
    assert not NAMES & NOT_NAMES


def test_accents_and_case_do_not_matter() -> None:
    assert normal("Müller, Zoë-1") == "mullerzoe1"


@given(st.text(max_size=200), st.frozensets(st.text(max_size=20), max_size=3))
@example("\x1f" * 50, frozenset({"\x1f"}))
@example("²0190830/٢٠١٩٠٨٣٠.png", frozenset())
def test_any_name_can_be_looked_at(path: str, words: frozenset[str]) -> None:
    assert set(look_at(path, words)) <= set(KINDS)


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "a",
        "A.",
        "1.2.",
        "a@",
        " ",
        "A, B",
        "1-",
        "+1 ",
        "ab^",
        "0123abcdef-",
        "born ",
        "1 ",
        "id ",
        "krankenhaus",
        "\u3316",
        "\ufdfa",
    ],
)
def test_a_long_name_of_repetitions_is_looked_at_in_the_time_of_one_test(unit: str) -> None:
    name = unit * (2 * MAX_PATH // len(unit))
    assert look_at(name) == look_at(name[:MAX_PATH])


def test_a_name_is_cut_after_its_signs_are_spelled_out() -> None:
    sign = "\u3316"  # six letters
    assert look_at(sign * 100 + "_1961-03-04") == Counter(birth_date=1)
    assert look_at(sign * (MAX_PART // 6 + 1) + "_1961-03-04") == Counter()
    assert look_at(sign * (MAX_PART // 6 + 1) + "/1961-03-04") == Counter(birth_date=1)


def test_a_name_before_a_caret_has_at_most_64_letters() -> None:
    assert look_at("q" * 64 + "^Z")["name"] == 1
    assert look_at("q" * 65 + "^Z")["name"] == 0


@pytest.mark.samples
def test_false_alarms_on_real_names_are_few() -> None:
    with (samples_folder() / "index.csv").open(encoding="utf-8") as file:
        paths = [row["path"] for row in csv.DictReader(file)]
    alarmed = [path for path in paths if look_at(path)]
    assert len(paths) > 250
    assert [look_at(path) for path in alarmed] == [Counter(date=1)], "one screenshot is dated, and rightly found"
