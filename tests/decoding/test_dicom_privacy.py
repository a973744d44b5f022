"""What leaves a DICOM header: a short list of technical values, and never one that identifies."""

from __future__ import annotations

import io
import logging
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import keyword_dict
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ultracurate.core.errors import RowError
from ultracurate.core.identifying import look_at
from ultracurate.decoding._dicom import profile
from ultracurate.decoding.dicom import ALLOWED, cardiac_times, identifying, iter_dicom, probe_dicom, technical
from ultracurate.phantom.dicom_files import encode

STILL = np.zeros((1, 8, 8), np.uint8)
PERSON: dict[str, Any] = {
    "PatientName": "Quillfeather^Zelphä Odric",
    "PatientID": "MRN-0042771",
    "PatientBirthDate": "19700131",
    "StudyDate": "20190511",
    "AccessionNumber": "ACC881234",
    "InstitutionName": "Larkmere General Hospital",
    "ReferringPhysicianName": "Mossgrove^Odric",
    "StudyDescription": "abdomen of Zelphä",
    "ProtocolName": "thyroid",
}
DEVICE: dict[str, Any] = {
    "Manufacturer": "Phantom Works",
    "ManufacturerModelName": "Model X-1",
    "TransducerData": ["C5-2", "", ""],
    "TransducerType": "CURVED LINEAR",
    "MechanicalIndex": "1.2",
    "DepthOfScanField": "160",
    "BurnedInAnnotation": "YES",
}


def nested() -> dict[str, Any]:
    """A name two sequences deep and a private one."""
    inner, outer = Dataset(), Dataset()
    inner.PersonName = "Tarnwick^Caspar"
    outer.PersonIdentificationCodeSequence = Sequence([inner])
    return {"RequestAttributesSequence": Sequence([outer])}


def with_private(data: bytes) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    block = dataset.private_block(0x0011, "PHANTOM", create=True)
    block.add_new(0x01, "LO", "Briarstone Ysolde")
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "deflated", "big", "rle"])
def test_identifying_elements_are_found_at_any_depth(syntax: str) -> None:
    found = identifying(with_private(encode(STILL, syntax, **PERSON, **nested(), SpecificCharacterSet="ISO_IR 100")))
    assert {"private", "PersonName", "PatientName", "StudyDescription", "ProtocolName"} <= set(found.headers)
    assert list(found.headers) == sorted(found.headers)
    assert not {"SOPInstanceUID", "Modality", "Manufacturer", "Rows"} & set(found.headers)
    assert found.values == {
        *("quillfeather", "zelpha", "odric", "quillfeatherzelphaodric", "mrn0042771", "0042771", "19700131"),
        *("20190511", "acc881234", "larkmere", "mossgrove", "mossgroveodric", "tarnwick", "caspar", "tarnwickcaspar"),
    }
    # Words of free text are not for comparing: half of all folders are called after an organ.
    assert not {"abdomen", "thyroid", "hospital", "general"} & found.values


def test_what_identifies_is_never_shown() -> None:
    found = identifying(encode(STILL, **PERSON))
    for text in (repr(found), str(found), f"{found}"):
        assert not any(word in text.lower() for word in found.values)


def test_words_of_the_header_are_recognised_in_file_names() -> None:
    words = identifying(encode(STILL, **PERSON)).values
    assert look_at("scans/Quillfeather_01.dcm", words)["header"] == 1
    assert look_at("scans/0042771/still.dcm", words)["header"] == 1
    assert look_at("scans/abdomen/still.dcm", words)["header"] == 0


@pytest.mark.parametrize("name", ["", "Anonymous", "ANON^PATIENT", "xxx", "^^^^"])
def test_cleaned_files_hold_no_words(name: str) -> None:
    data = encode(STILL, PatientName=name, PatientID="", PatientBirthDate="19000101", StudyID="1")
    assert identifying(data).values == frozenset()


def test_technical_values_are_kept_with_their_type() -> None:
    kept = technical(encode(STILL, **PERSON, **DEVICE))
    assert kept == {
        "Modality": "US",
        "Manufacturer": "Phantom Works",
        "ManufacturerModelName": "Model X-1",
        "TransducerData": "C5-2",
        "TransducerType": "CURVED LINEAR",
        "MechanicalIndex": 1.2,
        "DepthOfScanField": 160,
        "BurnedInAnnotation": "YES",
        "BitsStored": 8,
    }
    assert isinstance(kept["DepthOfScanField"], int)


@pytest.mark.parametrize(
    ("tags", "lost"),
    [
        ({"Manufacturer": "Zelphä Works"}, "Manufacturer"),
        ({"ManufacturerModelName": "Odric's scanner"}, "ManufacturerModelName"),
        ({"ManufacturerModelName": "scanner of Odric"}, "ManufacturerModelName"),
        ({"Manufacturer": "x" * 65}, "Manufacturer"),
        ({"TransducerType": "DOE JANE"}, "TransducerType"),
        ({"BurnedInAnnotation": "MAYBE"}, "BurnedInAnnotation"),
        ({"MechanicalIndex": "1e300"}, "MechanicalIndex"),
        ({"Modality": "ZZ"}, "Modality"),
    ],
)
def test_an_allowed_element_does_not_carry_anything_else(tags: dict[str, Any], lost: str) -> None:
    assert lost not in technical(encode(STILL, **{**PERSON, **DEVICE, **tags}))


def test_the_lists_are_sound_and_apart() -> None:
    for keyword, (section, terms) in ALLOWED.items():
        assert keyword in keyword_dict
        assert section.startswith("C.")
        assert terms is None or (terms and all(term == term.upper() for term in terms))
        assert not profile.confidential(keyword_dict[keyword])
    for keyword in (*PERSON, "OtherPatientIDs", "PatientAddress", "DeviceSerialNumber", "StationName", "ImageComments"):
        assert profile.confidential(keyword_dict[keyword])
    assert len(profile.CONFIDENTIAL) > 550
    assert profile.confidential(0x60003000)
    assert profile.confidential(0x60024000)
    assert profile.confidential(0x50000010)
    assert not profile.confidential(0x60000010)


def test_the_public_facts_hold_no_word_of_the_person() -> None:
    data = with_private(encode(STILL, **PERSON, **nested()))
    words = identifying(data).values
    text = f"{probe_dicom(data)} {technical(data)} {cardiac_times(data)}".lower()
    assert not any(word in text for word in words)


@pytest.fixture
def records() -> Iterator[list[str]]:
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    listener = Listener(level=0)
    logging.getLogger().addHandler(listener)
    yield found
    logging.getLogger().removeHandler(listener)


SECRET, PLACE = "QUILLFEATHER", "000000000001"
MISPLACED: list[dict[str, tuple[str, Any]]] = [
    {"Rows": ("LO", SECRET)},
    {"NumberOfFrames": ("IS", PLACE)},
    {"MechanicalIndex": ("DS", PLACE)},
    {"PhotometricInterpretation": ("CS", SECRET)},
    {"SOPClassUID": ("UI", SECRET)},
    {"PixelSpacing": ("DS", PLACE)},
    {"FrameTime": ("DS", PLACE)},
    {"FrameTimeVector": ("LO", SECRET)},
    {"FrameIncrementPointer": ("LO", SECRET)},
    {"SequenceOfUltrasoundRegions": ("LO", SECRET)},
    {"SpecificCharacterSet": ("CS", SECRET)},
    {"PatientBirthDate": ("DA", SECRET)},
    {"Modality": ("CS", SECRET + "^ZELPHA")},
    {"BitsStored": ("PN", SECRET)},
    {"RedPaletteColorLookupTableDescriptor": ("PN", SECRET)},
]


@pytest.mark.parametrize("tags", MISPLACED, ids=lambda tags: next(iter(tags)))
def test_no_error_and_no_log_repeats_a_value(tags: dict[str, tuple[str, Any]], records: list[str]) -> None:
    data = encode(STILL, PatientName=SECRET, PhotometricInterpretation="MONOCHROME2")
    dataset = pydicom.dcmread(io.BytesIO(data))
    for keyword, (vr, value) in tags.items():
        if keyword in dataset:
            del dataset[keyword]
        with pydicom.config.disable_value_validation():
            dataset.add_new(keyword_dict[keyword], vr, value)
    out = io.BytesIO()
    with pydicom.config.disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(out)
    spoilt = out.getvalue().replace(PLACE.encode(), SECRET.encode())  # no library writes words as numbers
    assert spoilt.count(SECRET.encode()) >= 2
    records.clear()
    told = []
    for call in (probe_dicom, technical, identifying, cardiac_times, lambda d: list(iter_dicom(d, lambda *_: True))):
        try:
            call(spoilt)
        except RowError as error:
            told.append("".join(traceback.format_exception(error)))
    assert not any(SECRET in text for text in [*told, *records])
