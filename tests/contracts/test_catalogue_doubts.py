"""What the papers and the hosts contradict each other about must stand in the remarks of the dataset it concerns."""

from __future__ import annotations

import pytest

from tests.contracts.test_catalogue import catalogue

EIGHT_BOLD = ["covid_blues_full", "dfhi", "feft", "fetal_planes_db", "jnu_ifm", "pocus_lung", "porcine_spinal_cord"]
"""Printed in bold in OpenUS-46 but not in the US-43d list; psfhs is the eighth."""

DOUBTS = [
    # EchoAtlas paper: links, references and records
    ("usl_liver_motion", "ACOUSLIC-AI"),  # the link leads to another dataset
    ("usl_liver_motion", "liver"),  # the references are about the motion of the liver
    ("acouslic_ai", "USL"),  # two rows link to this record
    ("psfhs", "7851339"),  # the record in the reference is not the one linked
    ("fh_ps_aop", "7851339"),  # it is this set's record
    ("hc18", "1327317"),  # two records, one in each paper
    ("unity_imaging", "EchoNet-LVH"),  # the references describe other sets
    ("unity_imaging", "Fix-A-Step"),
    ("luminous", "Canada"),  # the country is printed as US
    ("echoatlas_cardiac", "CAMUS"),  # the link is the host of a benchmark that is said to be left out
    ("fetal_planes_db", "FOCUS"),  # in pretraining, though a benchmark that is left out is made of it
    ("mmotu_2d", "1,639"),  # one printed count for two parts
    ("mmotu_ceus", "OTU_3d"),  # called 3D, is contrast-enhanced
    # EchoAtlas paper: counts
    ("busi_full", "1,707"),
    ("busi_full", "780"),
    ("stmus_nda", "3,917"),
    ("stmus_nda", "8,169"),
    ("deepacsa", "1,444"),
    ("deepacsa", "20,000"),
    ("stu_hospital", "43"),
    ("stu_hospital", "42"),
    ("aul", "11,468"),
    ("remind2reg", "752"),  # printed as 952 and as 752
    ("ddti", "645"),
    ("ddti", "388"),
    ("ddti", "637"),
    ("ddti", "389"),
    ("ddti", "347"),
    # EchoAtlas paper: results
    ("thyroid_us_cineclip", "ACC"),
    ("thyroid_us_cineclip", "86.48"),
    ("brain_benchmark", "MSE"),
    ("usenhance_2023", "837"),
    ("usenhance_2023", "landmark"),  # columns of the enhancement table repeat the landmark rows
    ("camus", "4.6"),  # said to be 19 % better, is 4.6 % by the table
    ("usreport", "METEOR"),
    # USF-MAE paper
    ("bus_bra", "none of"),  # held out by the text, counted in the table
    ("gist514_db", "263"),  # classes swapped
    ("gist514_db", "251"),
    ("bus_bra", "722"),  # patients given as images
    ("bus_bra", "342"),
    ("ussimandsegm", "1,543"),
    ("ussimandsegm", "1,544"),
    ("porcine_spinal_cord", "12,468"),
    ("porcine_spinal_cord", "2,245"),
    ("tn3k", "345"),
    ("tn3k", "3,838"),
    ("echocp", "ImageCHD"),  # cites another set
    ("ubpd", "105US"),  # cites another set
    ("bus_uclm", "misspelt"),
    ("cardiac_uda", "misspelt"),
    ("ubpd", "misspelt"),
    ("cactus_phantom", "phantom"),  # a phantom, counted with patients
    ("luss_phantom", "phantom"),
    ("porcine_spinal_cord", "pigs"),  # animals, counted with patients
    ("camus", "not bold"),
    ("psfhs", "not in the US-43d list"),
    *((slug, "not in the US-43d list") for slug in EIGHT_BOLD),
    ("thyroid_us_cineclip", "the EchoAtlas paper uses it as a benchmark"),
    ("camus", "the EchoAtlas paper"),
    # UltraDINO paper
    ("fetal_planes_db", "5,272"),
    ("fetal_planes_db", "5,271"),
    ("fass", "942"),
    # M2DINO paper
    ("fm_uia_2026", "40,387"),
    ("fm_uia_2026", "40,388"),
    ("fm_uia_2026", "12,696"),
    ("fm_uia_2026", "11,910"),
    ("fm_uia_2026", "3 tasks"),
    ("fm_uia_2026", "Table 3"),
    # Names and pictures
    ("abdomenus_bgi", "ussimandsegm"),  # two sets called AbdomenUS
    ("ussimandsegm", "BGI"),
    ("fm_uia_2026", "collection"),  # made of public sets
    ("busi_full", "duplicates"),
    ("ubibc", "8,520"),  # of 9,016 files are augmentations
    ("porcine_spinal_cord", "repeat"),
    ("bus_uc", "repeats"),  # folder All
    ("bus_uc", "Ultrasound Cases"),  # a teaching site that other sets drew from too
]
"""(dataset, a word or number that must be in its remarks)."""

TWO_NAMES = {
    "acouslic_ai": ("AA", "ACOUSLIC"),
    "aul": ("AULI", "AUL"),
    "ccaui": ("ArteryUS", "CCAUI"),
    "microseg": ("MUPSD", "MicroSeg", "MUP"),
    "mu_regpro": ("TRUS", "regPro"),
    "s1_breast": ("LOGIQ", "S1"),
    "qamebi_buid": ("BUDataset", "BUID"),
    "stmus_nda": ("MUST", "STMUS_NDA"),
    "segthy": ("ThySeg", "Segthy"),
    "udiat_dataset_b": ("UDIAT", "BUS (Dataset B)"),
    "cardiac_uda": ("CardiacUDA", "CardiacUCD", "CardiacUDC"),
    "fass": ("FetalAbdomenSeg", "FASS"),
    "jnu_ifm": ("JNU", "JNU-IFM"),
    "ubpd": ("UBPD", "UPBD"),
    "kaggle_nerve": ("UNS", "BP"),
    "pocus_lung": ("Butterfly", "Pocus"),
}
"""One record under several names: all of them are aliases of one manifest."""

CONFIRMED = {
    frozenset({"focus", "fetal_planes_db"}),
    frozenset({"dfhi", "fetal_planes_db"}),
    frozenset({"dfhi", "hc18"}),
    frozenset({"tg3k", "opencas_thyroid"}),
}
SUSPECTED = {
    frozenset({"echoatlas_cardiac", "camus"}),
    frozenset({"psfhs", "fh_ps_aop"}),
    frozenset({"psfhs", "jnu_ifm"}),
    frozenset({"fh_ps_aop", "jnu_ifm"}),
    frozenset({"ubibc", "busi_full"}),
    frozenset({"tffpu", "pocus_lung"}),
    frozenset({"us_2ulm", "bus_uclm"}),
    frozenset({"dupi", "tdupi"}),
    frozenset({"pcos_anagha", "pcos_2000"}),
}


@pytest.mark.parametrize(("slug", "words"), DOUBTS, ids=[f"{slug}:{words}" for slug, words in DOUBTS])
def test_a_contradiction_stands_in_the_remarks(slug: str, words: str) -> None:
    manifest = catalogue()[slug]
    said = " ".join((*manifest.remarks, manifest.licence.note or "", manifest.licence.evidence or ""))
    assert words.casefold() in said.casefold()


@pytest.mark.parametrize("slug", TWO_NAMES)
def test_one_record_under_two_names_is_one_manifest(slug: str) -> None:
    assert set(TWO_NAMES[slug]) <= set(catalogue()[slug].aliases)


def test_the_overlaps_of_the_catalogue_are_those_that_are_known() -> None:
    from tests.contracts.test_catalogue import shipped

    stated = {(frozenset({slug, o.dataset}), o.status) for slug, m in shipped().items() for o in m.overlaps}
    assert {(pair, "confirmed") for pair in CONFIRMED} <= stated
    assert {(pair, "suspected") for pair in SUSPECTED} <= stated
