"""What of a DICOM header may be kept, and what in it identifies; nothing here ever prints a value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ultracurate.core.identifying import normal
from ultracurate.decoding._dicom.profile import confidential
from ultracurate.decoding._dicom.reading import Header

_YES_NO = ("YES", "NO")

ALLOWED: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "Modality": ("C.7.3.1", ("US", "IVUS")),
    "Manufacturer": ("C.7.5.1", None),
    "ManufacturerModelName": ("C.7.5.1", None),
    "BurnedInAnnotation": ("C.7.6.1", _YES_NO),
    "LossyImageCompression": ("C.7.6.1", ("00", "01")),
    "LossyImageCompressionRatio": ("C.7.6.1", None),
    "PatientIdentityRemoved": ("C.7.1.1", _YES_NO),
    "BitsStored": ("C.7.6.3", None),
    "EffectiveDuration": ("C.7.6.5", None),
    "NumberOfStages": ("C.8.5.4", None),
    "NumberOfViewsInStage": ("C.8.5.4", None),
    "UltrasoundColorDataPresent": ("C.8.5.6", None),
    "HeartRate": ("C.8.5.6", None),
    "TransducerData": ("C.8.5.6", None),
    "TransducerType": (
        "C.8.5.6",
        (
            *("SECTOR_PHASED", "SECTOR_MECH", "SECTOR_ANNULAR", "LINEAR", "CURVED LINEAR", "SINGLE_CRYSTAL"),
            *("SPLIT XTAL CWD", "IV_PHASED", "IV_ROT XTAL", "IV_ROT MIRROR", "ENDOCAV_PA", "ENDOCAV_MECH"),
            *("ENDOCAV_CLA", "ENDOCAV_AA", "ENDOCAV_LINEAR", "VECTOR_PHASED"),
        ),
    ),
    "FocusDepth": ("C.8.5.6", None),
    "MechanicalIndex": ("C.8.5.6", None),
    "BoneThermalIndex": ("C.8.5.6", None),
    "CranialThermalIndex": ("C.8.5.6", None),
    "SoftTissueThermalIndex": ("C.8.5.6", None),
    "SoftTissueFocusThermalIndex": ("C.8.5.6", None),
    "SoftTissueSurfaceThermalIndex": ("C.8.5.6", None),
    "DepthOfScanField": ("C.8.5.6", None),
}
"""Keywords that may be kept, each with its section of PS3.3 and, for codes, the defined terms that are taken.

All others are numbers, or names of devices: short, plain, and without a word that the same header says of a person.
"""

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,/()&+_-]{0,63}")
_NUMERIC = frozenset({"DS", "IS", "US", "SS", "UL", "SL", "FL", "FD"})
_WHOLE = frozenset({"IS", "US", "SS", "UL", "SL"})
_LARGEST = 1e9


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMES, _DATES = frozenset({"PN"}), frozenset({"DA", "DT"})
_NUMBERS = _words_of(
    "PatientID OtherPatientIDs AccessionNumber StudyID AdmissionID MedicalRecordLocator ServiceEpisodeID "
    "InsurancePlanIdentification PatientTelephoneNumbers ClinicalTrialSubjectID RequestedProcedureID "
    "PlacerOrderNumberImagingServiceRequest FillerOrderNumberImagingServiceRequest"
)
_PLACES = frozenset({"InstitutionName", "PatientAddress"})
_COMMON = _words_of(
    "anon anonym anonymous anonymised anonymized case clinic clinical center centre data deidentified demo dept "
    "department general hospital human image images institute klinik laboratory medical name noname none null patient "
    "person phantom private public removed sample school study subject test the unknown university unnamed volunteer "
    "xxx 00010101 10000101 19000101 11111111"
)
"""What stands in these fields of files that were cleaned, and words that many files share: no one's."""
_SPLIT = re.compile(r"[\W_]+")
_MAX_DEPTH = 16
_MAX_WORDS = _MAX_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class Identifying:
    """What identifies in a header.

    Attributes:
        headers: keywords of the elements of the confidentiality profile that are there and not empty, sorted;
            "private" stands for all private ones. Unique identifiers are not among them.
        values: words of names, numbers of persons, dates (YYYYMMDD) and places, as `core.identifying.normal` makes
            them. Only for comparing with file names: never printed, kept or passed on.
    """

    headers: tuple[str, ...]
    values: frozenset[str] = field(repr=False)


def read_identifying(header: Header) -> Identifying:
    """`Identifying` of an open file, sequences within sequences included.

    Raises:
        RowError: a sequence is damaged.
    """
    headers: set[str] = set()
    values: set[str] = set()
    rest, looked = [(header, 0)], 0
    while rest:
        part, depth = rest.pop()
        for tag in part.dataset.keys():  # noqa: SIM118 - a dataset iterates over converted elements
            element = part.element(tag)
            if element is None or not _filled(element):
                continue
            if tag.is_private:
                if not tag.is_private_creator:
                    headers.add("private")
                continue
            keyword, vr = _keyword(tag), _vr(element, tag)
            if confidential(int(tag)):
                headers.add(keyword or f"{int(tag):08X}")
                looked += 1
                if looked <= _MAX_VALUES and len(values) < _MAX_WORDS:
                    values.update(_words(part, keyword, vr))
            if vr == "SQ" and depth < _MAX_DEPTH:
                rest += [(item, depth + 1) for item in part.items_at(tag)]
    return Identifying(tuple(sorted(headers)), frozenset(values))


def read_technical(header: Header, words: frozenset[str]) -> dict[str, str | int | float]:
    """Values of `ALLOWED` in an open file; `words` are those that identify in it."""
    from pydicom.datadict import dictionary_VR

    kept: dict[str, str | int | float] = {}
    for keyword, (_, terms) in ALLOWED.items():
        vr = dictionary_VR(keyword)
        if vr in _NUMERIC:
            number = header.number(keyword)
            if number is not None and abs(number) <= _LARGEST:
                kept[keyword] = int(number) if vr in _WHOLE else number
            continue
        word = header.word(keyword)
        if word in terms if terms is not None else _of_device(word, words):
            kept[keyword] = word
    return kept


def _of_device(word: str, words: frozenset[str]) -> bool:
    return _DEVICE.fullmatch(word) is not None and not words & {*map(normal, _SPLIT.split(word)), normal(word)}


def _words(part: Header, keyword: str, vr: str) -> set[str]:
    """Words of one identifying value by which a file name could repeat it."""
    value: Any = part.value(keyword, text=True) if keyword else None
    many = value if type(value).__name__ == "MultiValue" else [value]
    texts = [str(text)[:256] for text in many if text is not None and not isinstance(text, (bytes, list))][:64]
    found: set[str] = set()
    for text in texts:
        pieces = [normal(piece) for piece in _SPLIT.split(text)]
        if vr in _DATES:
            found |= {normal(text)[:8]} if len(normal(text)) >= 8 else set()
        elif vr in _NAMES and not _COMMON.issuperset(filter(None, pieces)):
            found |= {normal(text), *pieces}
        elif keyword in _PLACES:
            found |= set(pieces)
        elif keyword in _NUMBERS:
            # A whole number is told by its digits; "MRN" alone is anybody's.
            found |= {word for word in (normal(text), *pieces) if len(word) >= 4 and any(map(str.isdigit, word))}
    return {word for word in found if len(word) >= 3 and word not in _COMMON and len(set(word)) > 1}


def _filled(element: Any) -> bool:
    value = element.value
    if isinstance(value, bytes):
        return bool(value.strip(b" \0"))
    return value is not None and (not hasattr(value, "__len__") or len(value) > 0)


def _keyword(tag: Any) -> str:
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag)


def _vr(element: Any, tag: Any) -> str:
    """The VR that the file gives, else the dictionary's."""
    from pydicom.datadict import dictionary_has_tag, dictionary_VR

    known = dictionary_VR(tag) if dictionary_has_tag(tag) else ""
    return str(known or element.VR or "")
