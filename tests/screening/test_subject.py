from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screening.labelled import rows
from tests.screening.made import candidate, files
from ultracurate.core.dataset import load_all
from ultracurate.core.resources import manifests_dir
from ultracurate.screening import besides, fields, terms
from ultracurate.screening.subject import PLACES, score, worth_a_look
from ultracurate.screening.text import fold, strip_html, words
from ultracurate.screening.verdicts import BESIDES


def judge(title: str, description: str = "", keywords: tuple[str, ...] = (), **more: Any) -> bool:
    bare = candidate(title=title, description=description, keywords=keywords, files=())
    found = score(bare, **more)
    return found.accepted and found.besides < BESIDES


def test_labelled_texts() -> None:
    answers = [(judge(title, text, keywords), truth, title) for title, text, keywords, truth in rows()]
    right = sum(said and truth for said, truth, _ in answers)
    said, true = sum(said for said, _, _ in answers), sum(truth for _, truth, _ in answers)
    wrong = [title for said, truth, title in answers if said != truth]
    assert len(answers) >= 150
    assert right / said >= 0.98, wrong
    assert right / true >= 0.98, wrong


def test_texts_written_after_the_vocabulary_was_settled() -> None:
    fresh = rows("fresh")
    answers = [(judge(title, text, keywords), truth, title) for title, text, keywords, truth in fresh]
    wrong = [title for said, truth, title in answers if said != truth]
    assert len(fresh) >= 50
    assert len(wrong) <= 0.1 * len(fresh), wrong


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Colon wall thickness", "Intestinal ultrasound of patients with colitis."),
        ("Hüftscreening", "Ultrasound of the newborn infant hip, coronal plane."),
        ("Elastograms of nodules", "Shear wave pictures of the thyroid with histology as reference."),
        ("Glioma surgery", "Intraoperative ultrasound before each resection, tracked."),
        ("Two devices, one patient", "Liver scans exported from a Voluson and a LOGIQ scanner."),
        ("Cavidad abdominal", "Ecografía del hígado, sonda convexa."),
        ("Over kistleri", "Ultrason görüntüleri, 40 hasta."),
    ],
)
def test_words_that_other_fields_share_do_not_hide_the_matter(title: str, text: str) -> None:
    assert judge(title, text)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        (
            "Pouch cell maps",
            "Ultrasound scan images of lithium cells. Breast ultrasound images need like networks, "
            "but none are in here.",
        ),
        ("Fish counts", "Frames of an acoustic camera (DIDSON), an ultrasound imaging sonar."),
        ("Elastic constants", "Resonant ultrasound of single crystals, pictures of the samples."),
        ("Pipe wall thickness", "Ultrasound scan images of a gas main."),
    ],
)
def test_pictures_of_other_fields_are_left_out(title: str, text: str) -> None:
    assert not judge(title, text)


def test_every_dataset_of_the_catalogue_passes_with_a_usual_sentence() -> None:
    manifests = load_all(manifests_dir())
    lost = [
        manifest.slug
        for manifest in manifests.values()
        if not judge(manifest.title, "This dataset contains ultrasound images acquired from patients.")
    ]
    assert lost == []


def test_a_known_name_in_the_title_is_enough() -> None:
    names = {"CAMUS", "JNU-IFM", "S", "2000", "Sliver", "DDTI"}
    for title in ("JNU-IFM", "The JNU IFM data", "ddti", "DDTI thyroid, zip", "sliver"):
        assert judge(title, known_names=names), title
    for title in ("Sliver of moon", "S", "2000", "Albert Camus, letters of 1950", "sonata 2000"):
        assert not judge(title, known_names=names - {"CAMUS"}), title


def test_what_else_a_study_did_does_not_hide_its_pictures() -> None:
    study = "Patients filled a questionnaire and tests of nerve conduction were done; risk factors were noted. {} "
    study += "Statistical analysis was done in SPSS. Source code and trained weights are given."
    title = "Data for: automated assessment of carpal tunnel syndrome"
    assert judge(title, study.format("Ultrasound videos of the median nerve were recorded and segmented."))
    assert not judge(title, study.format("Some underwent ultrasound."))


def test_reasons_are_told_heaviest_first() -> None:
    found = score(candidate(title="Ultrasonic welding", description="Images of welds", keywords=("liver",)))
    assert not found.accepted
    assert "ultrasonic welding" in found.against[0] or "welds" in found.against[0]
    assert any("(title)" in said for said in found.against)
    liked = score(candidate())
    assert liked.for_[0].startswith("thyroid ultrasound (title)")
    assert liked.against == ()


def test_the_sum_is_linear_in_places() -> None:
    assert PLACES["title"] > PLACES["keywords"] > PLACES["lead"] > PLACES["text"]
    scores = [
        score(candidate(title="Sonography", description="", files=())).score,
        score(candidate(title="x", description="", keywords=("sonography",), files=())).score,
        score(candidate(title="x", description="sonography", files=())).score,
        score(candidate(title="x", description="word " * 80 + "sonography", files=())).score,
    ]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4


def test_names_of_files_count() -> None:
    vague = candidate(title="Data of the thyroid study", description="", files=files("data.zip"))
    assert not score(vague).accepted
    assert score(vague, ["thyroid ultrasound images/1.png", "thyroid ultrasound images/2.png"]).accepted
    calls = candidate(title="Ultrasound", description="", files=files("a.wav", "b.wav"))
    assert not score(calls).accepted


def test_html_entities_accents_and_odd_letters() -> None:
    assert judge("&Eacute;chographie f&amp;oelig;tale", "<p>Vid&eacute;os</p>")
    assert judge("ECOGRAFÍA MAMARIA", "IMÁGENES")
    assert judge("Ultra\u00adsound \u200bimages")
    assert not judge("<b title='ultrasound'>Rocks</b>")
    assert words("BreastUltrasound_img-01/Ünïcode") == ["breast", "ultrasound", "img", "01", "unicode"]
    assert strip_html("a<br>b &lt;c&gt;") == "a b <c>"


@pytest.mark.parametrize(
    "typo", ["ultrasoud", "ultrsound", "utrasound", "ultraosund", "ultrassound", "ulttrasound", "ultrasaund"]
)
def test_typing_errors(typo: str) -> None:
    assert judge(f"Breast {typo} images")


def test_the_country_is_no_modality() -> None:
    assert judge("Thyroid US images")
    assert not judge("US census tracts")
    assert not judge("Survey images of US cities")
    assert not judge("Tell us about images")


def test_a_search_that_says_little_is_worth_a_look_unless_it_says_something_else() -> None:
    bare: dict[str, Any] = {"files": (), "files_listed": False, "description": ""}
    assert worth_a_look(candidate(title="Sliver", **bare))
    assert worth_a_look(candidate(title="Breast ultrasound", **bare))
    assert not worth_a_look(candidate(title="Ultrasonic welding of steel", **bare))
    assert not worth_a_look(candidate(title="Rainfall", files=(), files_listed=False, description="Monthly sums"))


def test_recorded_answers_of_other_fields_are_refused() -> None:
    titles = (
        "Assessment report on biodiversity, chapter 5",
        "Lexical data of a language family",
        "Price panel of Mali",
        "Supplementary file 1_Wind forcing on the current.docx",
        "Isoforms in the human brain",
        "Dataset of dendritic cells, scRNA",
    )
    for title in titles:
        assert not judge(title, "<p>Figures and tables of the chapter.</p>"), title


def test_the_vocabulary_is_folded_and_no_term_stands_on_both_sides() -> None:
    for table in (terms.FOR, fields.AGAINST, besides.BESIDES, terms.UNSPACED_FOR, fields.UNSPACED_AGAINST):
        for group, weight, listed in table:
            assert group
            assert 0 <= weight <= 7
            assert all(listed)
    pro = {term for _, _, listed in terms.FOR for term in listed}
    assert pro.isdisjoint(term for _, _, listed in fields.AGAINST for term in listed)
    assert all(term == fold(term) for term in pro)


@given(st.text(max_size=400), st.text(max_size=400), st.lists(st.text(max_size=20), max_size=5))
def test_any_text_gets_a_score(title: str, description: str, keywords: list[str]) -> None:
    found = score(candidate(title=title, description=description, keywords=tuple(keywords)))
    json.dumps([found.score, found.for_, found.against])
    assert -100 < found.score < 100


@pytest.mark.parametrize(
    "bad",
    ["<" * 200_000, "a" * 500_000, "&amp;" * 60_000, "ultra " * 90_000, "a_" * 100_000, "U" + "+" * 200_000 + "@"],
)
def test_hostile_texts_cost_little(bad: str) -> None:
    start = time.process_time()
    score(candidate(title=bad, description=bad))
    assert time.process_time() - start < 2
