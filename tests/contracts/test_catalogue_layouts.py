"""Layouts of the catalogue on paths as the datasets have them: what each file is, its group and its labels."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from tests.contracts.test_catalogue import catalogue, shipped
from ultracurate.core import resources
from ultracurate.core.layout import ANYWHERE, fill_template, match_path
from ultracurate.ontology.rules import apply_rules
from ultracurate.terminal.access import page

FILES: list[tuple[str, str, str, str | None]] = [
    # dataset, path, kind, group
    ("stu_hospital", "Hospital/Test_Image_12.png", "image", None),
    ("stu_hospital", "STU-Hospital-4f1c/Hospital/mask_12.png", "mask", None),
    ("stu_hospital", "demo/Test_Image_2.png", "exclude", None),
    ("stu_hospital", "Dataset B/BUS/DatasetB.xlsx", "exclude", None),
    ("spj_hip", "SPJ_dataset/standard_ultrasound/standard_9.png", "image", None),
    ("spj_hip", "SPJ_dataset/substandard_ultrasound/poor labrum display/substandard_13.png", "image", None),
    ("covid_blues_full", "lus_videos/patient_15_L2_2.mp4", "clip", "15"),
    ("covid_blues_full", "COVID-BLUES-ab12/lus_videos/patient_7_R1.mp4", "clip", "7"),
    ("covid_blues_full", "clinical_variables.csv", "table", None),
    ("pocus_lung", "data/pocus_videos/convex/Pneu_AIR BRONC2.mov", "clip", None),
    ("pocus_lung", "data/pocus_videos/linear/label_uncertain/Cov_bolzano_WL 2.mpeg", "clip", None),
    ("pocus_lung", "data/pocus_images/convex/Reg_Avi_normal-A-lines.JPG", "image", None),
    ("brachial_plexus_regional", "data/Butterfly/videos/b240.mp4", "clip", None),
    ("brachial_plexus_regional", "data/Butterfly/ac_masks/b240/b240_000.jpg", "mask", None),
    ("brachial_plexus_regional", "data/Sonosite/bb_annotations/s005.txt", "annotation", None),
    ("busi_full", "archive.zip/Dataset_BUSI_with_GT/benign/benign (1).png", "image", None),
    ("busi_full", "archive.zip/Dataset_BUSI_with_GT/benign/benign (100)_mask_1.png", "mask", None),
    ("bus_uc", "BUS_UC.zip/BUS_UC/Malignant/images/010.png", "image", None),
    ("bus_uc", "BUS_UC.zip/BUS_UC/All/images/010.png", "exclude", None),
    ("bus_uclm", "a.zip/BUS-UCLM/images/ALWI_000.png", "image", "ALWI"),
    ("bus_uclm", "a.zip/BUS-UCLM/masks/ALWI_000.png", "mask", None),
    ("bus_bra", "BUSBRA.zip/BUSBRA/Images/bus_0001-l.png", "image", None),
    ("bus_bra", "BUSBRA.zip/BUSBRA/Masks/mask_0001-l.png", "mask", None),
    ("bus_bra", "BUSBRA.zip/BUSBRA/bus_data.csv", "table", None),
    ("breast_lesions_usg", "b.zip/images/case001.png", "image", "case001"),
    ("breast_lesions_usg", "b.zip/images/case001_other2.png", "mask", None),
    ("breast_lesions_usg", "b.zip/images/case001_tumor.png", "mask", None),
    ("aul", "7272660.zip/Benign/Benign/image/25.jpg", "image", None),
    ("aul", "7272660.zip/Benign/Benign/segmentation/mass/25.json", "annotation", None),
    ("hc18", "training_set.zip/training_set/010_2HC.png", "image", "train/010"),
    ("hc18", "training_set.zip/training_set/010_HC_Annotation.png", "mask", None),
    ("hc18", "test_set.zip/test_set/010_HC.png", "image", "test/010"),
    ("fetal_planes_db", "F.zip/Images/Patient00001_Plane1_1_of_2.png", "image", "00001"),
    ("fetal_planes_db", "F.zip/FETAL_PLANES_DB_data.csv", "table", None),
    ("fass", "F.zip/Set/IMAGES/P01_IMG1.png", "image", "01"),
    ("fass", "F.zip/Set/ARRAY_FORMAT/P01_IMG1.npy", "annotation", None),
    ("jnu_ifm", "j.zip/us_data/20190830T115515/image/20190830T115515_3.png", "image", "20190830T115515"),
    ("jnu_ifm", "j.zip/us_data/20190830T115515/mask/20190830T115515_3_mask.png", "mask", None),
    ("jnu_ifm", "j.zip/us_data/20190830T115515/mask_enhance/20190830T115515_3_mask.png", "exclude", None),
    ("gist514_db", "usd514_jpeg_roi/images/12.jpg", "image", None),
    ("gist514_db", "usd514_jpeg_roi/annotations/train_anno_crop_split_0.json", "annotation", None),
    ("pad_appendicitis", "US_Pictures.zip/US_Pictures/23.7 App.bmp", "image", "23"),
    ("ussimandsegm", "archive.zip/abdominal_US/AUS/images/train/a-1.png", "image", None),
    ("ussimandsegm", "archive.zip/abdominal_US/RUS/annotations/test/a-1.png", "mask", None),
    ("mmotu_2d", "OTU_2d.zip/OTU_2d/images/658.JPG", "image", None),
    ("mmotu_2d", "OTU_2d/annotations/658_binary.PNG", "mask", None),
    ("mmotu_2d", "OTU_3d.zip/OTU_3d/images/138.JPG", "exclude", None),
    ("mmotu_ceus", "OTU_3d.zip/images/138.JPG", "image", None),
    ("mmotu_ceus", "OTU_2d/images/658.JPG", "exclude", None),
    ("ccaui", "c.zip/US images/202201121748100022VAS_slice_1393.png", "image", "202201121748100022VAS"),
    ("ccaui", "c.zip/Expert mask images/202201121748100022VAS_slice_1393.png", "mask", None),
    ("focus", "FOCUS.zip/training/images/001.png", "image", None),
    ("focus", "FOCUS.zip/testing/annfiles_mask/001-cardiac.png", "mask", None),
    ("focus", "FOCUS.zip/testing/annfiles_ellipse/001.txt", "annotation", None),
    ("kaggle_nerve", "a.zip/train/1_10.tif", "image", "1"),
    ("kaggle_nerve", "train/1_10_mask.tif", "mask", None),
    ("kaggle_nerve", "a.zip/test/10.tif", "image", None),
    ("echonet_dynamic", "EchoNet-Dynamic/Videos/0X1A2B.avi", "clip", "0X1A2B"),
    ("echonet_dynamic", "EchoNet-Dynamic/FileList.csv", "table", None),
    ("tn3k", "Thyroid Dataset/tn3k/trainval-image/0001.jpg", "image", None),
    ("tn3k", "Thyroid Dataset/tn3k/test-mask/0001.jpg", "mask", None),
    ("udiat_dataset_b", "BUS/original/000001.png", "image", None),
    ("udiat_dataset_b", "BUS/GT/000001.png", "mask", None),
    ("qamebi_buid", "Benign/1 Benign Image.bmp", "image", None),
    ("qamebi_buid", "Benign/1 Benign Mask.tif", "mask", None),
    ("qamebi_buid", "Benign/1 Benign Lesion.bmp", "exclude", None),
    ("camus", "database_nifti/patient0001/patient0001_2CH_ED.nii.gz", "image", "patient0001"),
    ("camus", "database_nifti/patient0001/patient0001_4CH_half_sequence.nii.gz", "clip", "patient0001"),
    ("camus", "database_nifti/patient0001/patient0001_4CH_half_sequence_gt.nii.gz", "mask", None),
    ("kidney_us_open", "kidneyUS_images_14_june_2022/1_IM-0001-0059_anon.png", "image", "1"),
    ("camus", "c.zip/patient0450/patient0450_4CH_half_sequence_gt.nii.gz", "mask", None),
    ("camus", "patient0001/Info_2CH.cfg", "ignore", None),
    ("acouslic_ai", "acouslic-ai-train-set.zip/images/stacked_fetal_ultrasound/a-1.mha", "clip", None),
    ("acouslic_ai", "s.zip/masks/stacked_fetal_abdomen/a-1.mha", "mask", None),
    ("acouslic_ai", "circumferences/fetal_abdominal_circumferences_per_sweep.csv", "table", None),
    (
        "microseg",
        "m.zip/Micro_Ultrasound_Prostate_Segmentation_Dataset/train/micro_ultrasound_scans/microUS_train_01.nii.gz",
        "volume",
        "train/01",
    ),
    (
        "microseg",
        "m.zip/Micro_Ultrasound_Prostate_Segmentation_Dataset/train/non_expert_annotations/nonexpert_annotation_train_01.nii.gz",
        "mask",
        None,
    ),
    ("tn3k", "TN3K.rar/datasets/tn3k/trainval-image/0007.jpg", "image", None),
    ("tn3k", "tn3k/test-mask/0007.jpg", "mask", None),
    ("tn3k", "tn3k/tn3k-trainval.json", "ignore", None),
    ("tn3k", "tn3k/tn3k-trainval-fold3.json", "ignore", None),
    ("qamebi_buid", "BUID/Benign/1 Benign Image.bmp", "image", None),
    ("qamebi_buid", "BUID/Malignant/9 Malignant Lesion.bmp", "exclude", None),
    ("udiat_dataset_b", "Dataset_B/original/000001.png", "image", None),
    ("udiat_dataset_b", "Dataset_B/GT/000001.png", "mask", None),
    ("fallmud", "F.zip/NeilCronin/images/img_00001.tif", "image", None),
    ("fallmud", "F.zip/NeilCronin/aponeurosis_masks/img_00001.jpg", "mask", None),
    ("fallmud", "RyanCunningham/fascicle_masks/0.jpg", "mask", None),
    ("cactus_phantom", "Cactus Dataset/Images Dataset/A4C/1_D15_frame_600_v2.jpg", "image", None),
    ("cactus_phantom", "Cactus Dataset/Grades/A4C_grades.csv", "table", None),
    ("resect", "RESECT/NIFTI/Case1/US/Case1-US-before.nii.gz", "volume", "Case1"),
    ("resect", "RESECT/NIFTI/Case1/MRI/Case1-FLAIR.nii.gz", "exclude", None),
    ("resect", "RESECT/NIFTI/Case1/Landmarks/Case1-MRI-beforeUS.tag", "annotation", None),
    ("resect", "RESECT/NIFTI/Case1/US/Case1-US-after.nii.gz.md5", "ignore", None),
    ("segthy", "US_data/US_volunteer_dataset/ground_truth_data/US/001_P1_1_left_US.nii", "volume", "001"),
    ("segthy", "ground_truth_data/US_thyroid_label/001_P1_1_left.nii", "mask", None),
    ("luminous", "LUMINOUS_Database/B-mode/54_27_Bmode.tif", "image", "54"),
    ("luminous", "LUMINOUS_Database/Masks/54_27_Mask2.tif", "mask", None),
    (
        "kidney_us_open",
        "kidneyUS_images_14_june_2022.zip/kidneyUS_images_14_june_2022/625_IM-0223-0256_anon.png",
        "image",
        "625",
    ),
    ("kidney_us_open", "kidneyUS-main/labels/reviewed_masks_1/capsule/625_IM-0223-0256_anon.png", "mask", None),
    ("ddti", "archive/12_1.jpg", "image", "12"),
    ("ddti", "archive/12.xml", "annotation", None),
    ("ddti", "1_or_data/mask/0001.PNG", "mask", None),
    ("remind2reg", "R.zip/imagesTr/ReMIND2Reg_0001_0000.nii.gz", "volume", "ReMIND2Reg_0001"),
    ("remind2reg", "R.zip/imagesTr/ReMIND2Reg_0001_0002.nii.gz", "exclude", None),
    ("lepset", "LEPset/labeled/PC/71/0.jpg", "image", "PC/71"),
    ("ubibc", "a/train/benign/benign (1)-rotated1-sharpened.png", "exclude", None),
    ("ubibc", "a/train/benign/benign (1).png", "image", None),
]

LABELS: list[tuple[str, str, dict[str, str], set[str], set[str]]] = [
    # dataset, path, columns that a table adds, some of the anatomy and views, findings
    ("busi_full", "a/malignant/malignant (2).png", {}, {"breast", "chest"}, {"malignant"}),
    ("bus_uclm", "a/images/ALWI_000.png", {"Label": "Normal"}, {"breast"}, {"normal"}),
    ("bus_bra", "a/Images/bus_0001-l.png", {"BIRADS": "4", "Pathology": "benign"}, {"breast"}, {"benign", "bi_rads_4"}),
    ("aul", "a/Normal/image/1.jpg", {}, {"liver"}, {"normal"}),
    ("spj_hip", "SPJ_dataset/substandard_ultrasound/nonmiddle plane/x.png", {}, {"hip_joint"}, {"hip_plane_nonmiddle"}),
    ("pocus_lung", "data/pocus_videos/linear/Vir_prospective_file1.mp4", {}, {"lung"}, {"viral_pneumonia"}),
    ("pocus_lung", "data/pocus_videos/linear/label_uncertain/Cov_bolzano_WL 2.mpeg", {}, {"lung"}, set()),
    ("fetal_planes_db", "F/Images/Patient00001_Plane1_1_of_2.png", {"Plane": "Fetal femur"}, {"fetal_limb"}, set()),
    ("fetal_planes_db", "F/Images/Patient00001_Plane1_1_of_2.png", {"Plane": "Maternal cervix"}, {"pelvis"}, set()),
    ("focus", "F/training/images/001.png", {}, {"fetal_heart", "fetal_thorax", "F4CH"}, set()),
    ("jnu_ifm", "j/us_data/v/image/v_3.png", {}, set(), set()),
    ("echonet_dynamic", "E/Videos/x.avi", {}, {"left_ventricle", "heart", "A4C"}, set()),
    ("lepset", "L/labeled/NPC/1/0.jpg", {}, {"pancreas"}, {"non_pancreatic_cancer"}),
]


@pytest.mark.parametrize(("slug", "path", "kind", "group"), FILES, ids=[f"{s}:{p}" for s, p, _, _ in FILES])
def test_a_file_is_what_it_is(slug: str, path: str, kind: str, group: str | None) -> None:
    manifest = catalogue()[slug]
    match = match_path(manifest.layout, path)
    assert match is not None
    assert match.kind == kind
    if kind in ("image", "clip", "volume"):
        found = fill_template(manifest.group, match.fields) if manifest.group else None
        assert found == group
    if match.of is not None:
        picture = match_path(manifest.layout, match.of.replace(ANYWHERE, "kidneyUS_images_x/"))
        assert picture is not None, f"{match.of}: a mask of something that no rule knows"
        assert picture.kind in ("image", "clip", "volume")


@pytest.mark.parametrize(("slug", "path", "added", "seen", "found"), LABELS)
def test_a_file_is_labelled(slug: str, path: str, added: dict[str, str], seen: set[str], found: set[str]) -> None:
    manifest = catalogue()[slug]
    match = match_path(manifest.layout, path)
    assert match is not None
    labels = apply_rules(manifest, match.fields | added)
    assert seen <= {*labels.positive, *labels.view}
    assert seen or not labels.positive
    assert set(labels.pathology) == found
    assert labels.conflicts == ()


def test_every_dataset_that_is_ready_can_be_had_and_has_its_rules_tried_here() -> None:
    ready = {slug for slug, m in catalogue().items() if m.status == "ready"}
    assert len(ready) == 38
    assert ready <= {slug for slug, *_ in FILES}
    for slug in ready:
        manifest = catalogue()[slug]
        assert manifest.layout, slug
        assert manifest.access is not None, slug
        if manifest.sources[0].host == "manual":  # a person brings the files, and must be told from where
            assert page(manifest), slug


def test_every_layout_says_where_it_is_known_from() -> None:
    for slug, manifest in catalogue().items():
        said = [remark for remark in manifest.remarks if remark.startswith("Layout: ")]
        assert len(said) == bool(manifest.layout), slug


def test_every_pattern_is_kept_from_files_that_no_rule_speaks_of() -> None:
    """No layout takes whatever lies there: a stray picture has no rule."""
    for slug, manifest in catalogue().items():
        if manifest.layout:
            assert match_path(manifest.layout, "readme figures/figure one.png") is None, slug


@pytest.mark.samples
@pytest.mark.parametrize(
    ("slug", "sample", "folder"),
    [("spj_hip", "spj", "spj"), ("covid_blues_full", "covid_blues", "covid-blues")],
)
def test_the_layout_agrees_with_that_of_the_real_sample(slug: str, sample: str, folder: str) -> None:
    """The samples keep the paths of the repositories, so both manifests must say the same about each picture."""
    root = Path(os.environ.get("ULTRACURATE_ROOT_SAMPLES") or resources.manifests_dir().parents[2] / "shared/samples")
    index = root / "index.csv"
    if not index.is_file():
        pytest.skip(f"no samples at {root} (ULTRACURATE_ROOT_SAMPLES)")
    whole, part = catalogue()[slug], shipped()[sample]
    with index.open(newline="", encoding="utf-8") as stream:
        paths = [row["path"].partition("/")[2] for row in csv.DictReader(stream) if row["dataset"] == folder]
    pictures = 0
    for path in paths:
        there, here = match_path(part.layout, path), match_path(whole.layout, path)
        if there is None or there.kind not in ("image", "clip"):
            continue
        assert here is not None, path
        assert here.kind == there.kind
        assert fill_template(whole.group or "", here.fields) == fill_template(part.group or "", there.fields)
        assert set(apply_rules(part, there.fields).pathology) == set(apply_rules(whole, here.fields).pathology)
        pictures += 1
    assert pictures >= 10
