from __future__ import annotations

import time

import pytest

from tests.screening.made import candidate, files
from ultracurate.screening.passing import denies, has_no_images, in_passing, sentences, to_come
from ultracurate.screening.subject import score
from ultracurate.screening.verdicts import BESIDES


@pytest.mark.parametrize(
    "text",
    [
        "Radiographs, compared with lung ultrasound in the paper",
        "Valve disease was confirmed by echocardiography",
        "A gauge that is borrowed from medical ultrasound imaging",
        "Patients who had only ultrasound",
        "Crystals grown under ultrasound",
        "Masses; ultrasound had found them",
        "Tones in the ultrasound range",
    ],
)
def test_named_in_passing(text: str) -> None:
    (sentence,) = [one for one in sentences(text, 99) if {"ultrasound", "echocardiography"} & set(one)]
    place = next(n for n, word in enumerate(sentence) if word in ("ultrasound", "echocardiography"))
    assert in_passing(sentence, place, 1)


@pytest.mark.parametrize(
    "text",
    [
        "Ultrasound of the neck, compared with CT",
        "Needles under ultrasound guidance",
        "Images of the thyroid, taken with an ultrasound scanner",
    ],
)
def test_the_matter_itself(text: str) -> None:
    (sentence,) = sentences(text, 99)
    assert not in_passing(sentence, sentence.index("ultrasound"), 1)


def test_a_text_becomes_bounded_sentences() -> None:
    assert list(sentences("One two. Three\n- four; five", 99)) == [["one", "two"], ["three"], ["four"], ["five"]]
    assert list(sentences("a b c. d e f.", 4)) == [["a", "b", "c"], ["d"]]
    started = time.process_time()
    assert list(sentences("\n. " * 100_000, 50)) == []
    assert time.process_time() - started < 2


def test_what_is_denied_is_no_image() -> None:
    assert denies(["the", "images", "cannot", "be", "shared"])
    assert not denies(["the", "images", "are", "shared", "here"])
    told = "Volumes of 80 patients, one row a patient. The ultrasound images stay at the clinic."
    found = score(candidate(title="Thyroid ultrasound volumes", description=told, files=()))
    assert found.accepted
    assert found.besides >= BESIDES
    assert any("not shared" in why for why in found.besides_why)


def test_only_readings_are_no_images() -> None:
    assert has_no_images(["only", "the", "readings", "are", "given"])
    assert not has_no_images(["the", "readings", "are", "given", "with", "the", "images"])
    told = "Ultrasound images of the wrist were read twice; only the readings are given."
    found = score(candidate(title="Wrist ultrasound of weavers", description=told, files=()))
    assert found.besides >= BESIDES


def test_a_treatment_to_come_is_not_the_matter() -> None:
    assert to_come(["myomas", "before", "focused", "ultrasound"], 2)
    assert not to_come(["focused", "ultrasound", "before", "noon"], 0)
    told = "Sonograms of the uterus, two planes each."
    assert score(candidate(title="Myomas before HIFU", description=told, files=())).accepted
    assert not score(candidate(title="Myomas after HIFU", description="Temperature curves.", files=())).accepted


def test_an_address_ends_a_sentence() -> None:
    told = "All files are available under https://data.example.org/sets/9/ Ultrasound images of the spleen of cyclists"
    assert [one[0] for one in sentences(told, 99)] == ["all", "ultrasound"]
    assert score(candidate(title="Cyclists", description=told, files=())).accepted


def test_times_beside_pictures_are_not_in_passing() -> None:
    sentence = ["gastric", "volume", "before", "and", "after", "lunch", "ultrasound", "stills"]
    assert not in_passing(sentence, 6, 1)
    assert in_passing(sentence[:-1], 6, 1)


def test_small_print_and_names_of_files_say_nothing_of_the_matter() -> None:
    print_ = "Masks have the name of their image. Labels were drawn by two radiologists. Train and test parts."
    plain = candidate(title="Grading of planks by ultrasound", description="Travel times in planks of larch.", files=())
    wordy = candidate(
        title=plain.title, description=f"{plain.description} {print_}", files=files("images/masks_1.png", "train.png")
    )
    assert score(wordy).score <= score(plain).score < 1


def test_keywords_do_not_flow_into_each_other() -> None:
    apart = score(candidate(title="Hands", description="", keywords=("doppler", "ultrasound"), files=()))
    whole = score(candidate(title="Hands", description="", keywords=("lung", "fetal ultrasound"), files=()))
    assert all("doppler ultrasound" not in why for why in apart.for_)
    assert any("fetal ultrasound (keywords)" in why for why in whole.for_)


def test_a_title_about_something_else_outweighs_a_mention() -> None:
    for title in ("Abdominal CT with masks", "Cytology of the thyroid", "Heart sounds of children"):
        told = "Collected at two hospitals; patients had an ultrasound of the neck as well."
        assert not score(candidate(title=title, description=told, files=())).accepted, title
