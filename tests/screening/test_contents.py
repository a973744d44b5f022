from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screening.made import files
from ultracurate.screening.contents import has_images, is_text_only, kind, kinds, needs_look


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b/scan.PNG", "picture"),
        ("benign (1)_mask.png", "picture"),
        ("clip 3.MP4", "clip"),
        ("case.nii.gz", "volume"),
        ("sweep.mha", "volume"),
        ("x.dcm", "medical"),
        ("DICOM/IM_0001", "medical"),
        ("case03/view1", "medical"),
        ("P002_1", "medical"),
        ("(4)", "medical"),
        ("README2", "other"),
        ("Makefile1", "other"),
        ("series/IMG00012", "medical"),
        ("S1/1.2.840.113619.2.55.3", "medical"),
        ("data.h5", "array"),
        ("best_model.h5", "weights"),
        ("net.pth", "weights"),
        ("rf.mat", "array"),
        ("train.tfrecord", "array"),
        ("all.zip", "archive"),
        ("all.tar.gz", "archive"),
        ("set.z01", "archive"),
        ("set.7z.003", "archive"),
        ("set.part2.rar", "archive"),
        ("set.r00", "archive"),
        ("list.csv.zip", "table"),
        ("list.csv", "table"),
        ("numbers.xlsx", "table"),
        ("README.md", "text"),
        ("README", "other"),
        ("paper.pdf", "text"),
        ("run.py", "code"),
        ("code.py.zip", "archive"),
        ("Fig1.png", "figure"),
        ("figure_2.tif", "figure"),
        ("Figure S3.jpg", "figure"),
        ("Supplementary Figure 4.png", "figure"),
        ("Graphical abstract.jpg", "figure"),
        ("graphical_abstract.png", "figure"),
        ("fig2a.tiff", "figure"),
        ("confusion_matrix.png", "figure"),
        ("flowchart.svg", "figure"),
        ("figs_of_liver_0001.png", "figure"),
        ("image_1.png", "picture"),
        ("tableau.png", "picture"),
        ("graphite.png", "picture"),
        ("curved_probe_01.png", "picture"),
        ("local_4.png", "picture"),
        ("", "other"),
        (".png", "other"),
        ("noise.wav", "other"),
    ],
)
def test_kinds_of_names(name: str, expected: str) -> None:
    assert kind(name) == expected


@pytest.mark.parametrize(
    ("names", "images", "look", "text"),
    [
        (["a.png", "b.png", "c.png", "d.png", "x.csv"], True, False, False),
        (["Fig1.png", "Fig2.png", "data.csv"], False, False, False),
        (["setup.jpg", "values.csv", "notes.docx"], False, False, False),
        (["thyroid.png"], True, False, False),
        (["video.avi", "values.csv"], True, False, False),
        (["data.mat"], True, False, False),
        (["data.zip", "readme.txt"], False, True, False),
        (["data.zip", "Fig1.png", "values.xlsx"], False, True, False),
        (["data.zip", "a.dcm"], True, False, False),
        (["paper.pdf", "README.md"], False, False, True),
        (["net.pth", "train.py"], False, False, False),
        ([f"figure_{n:04d}.png" for n in range(100)], True, False, False),
        ([], False, False, True),
        (["__MACOSX/a.png", ".DS_Store", "x.csv"], False, False, False),
    ],
)
def test_what_a_record_holds(names: list[str], images: bool, look: bool, text: bool) -> None:
    listed = files(*names)
    assert has_images(kinds(listed)) is images
    assert needs_look(listed) is look
    assert is_text_only(kinds(listed)) is text


@given(st.lists(st.text(max_size=60), max_size=20))
def test_any_name_has_a_kind(names: list[str]) -> None:
    assert sum(kinds(names).values()) <= len(names)
    assert not (has_images(kinds(names)) and needs_look(names))
