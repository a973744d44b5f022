"""Recognises what may name a person in the path of a file: dates, numbers, initials, names, places, addresses.

Rules over text, as in the identifiers that 45 CFR 164.514(b)(2) (HIPAA Safe Harbor) lists. They find shapes, not
persons: a date in a folder may be that of a release, and a name that looks like any other word is not found at all.
So nothing is decided by them. They say how much of what identifies stands at the door of a dataset, in counts only;
what was recognised is neither returned, nor kept, nor written anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from datetime import date
from functools import lru_cache

from ultracurate.core._given_names import NAMES, NOT_NAMES
from ultracurate.core.private import MAIL

KINDS = {
    "birth_date": "dates before 2010, as of a birth",
    "date": "later dates, as of an examination",
    "header": "words of the file's own header that identify",
    "initials": "initials",
    "mail": "e-mail addresses",
    "name": "names of persons",
    "number": "long numbers, as of a patient or a record",
    "phone": "telephone numbers",
    "place": "hospitals and clinics",
    "uid": "DICOM unique identifiers",
}
"""What `look_at` may find, in words for people."""

BORN_BEFORE = 2010
"""A date of an earlier year is more likely a birth than an examination that somebody published."""
LAST_YEAR = 2035
MAX_PATH = 4096
"""Characters of a path that are looked at; file systems allow no longer ones."""
MAX_PART = 1_024
"""Characters of one part of it, spelled out (one sign can stand for 18 letters); file systems allow 255."""

_SEEN = "\x1f"
"""Stands for a date that was recognised, so that its digits are not taken for a number."""

_MONTHS = (
    "january januar janvier enero gennaio janeiro jan ene gen february februar fevrier febrero febbraio fevereiro feb "
    "fev march marz maerz mars marzo marco mar april avril abril aprile apr abr avr may mai mayo maggio maio june juni "
    "juin junio giugno junho jun july juli juillet julio luglio julho jul august aout agosto aug ago september "
    "septembre septiembre settembre setembro sept sep october oktober octobre octubre ottobre outubro oct okt november "
    "novembre noviembre novembro nov december dezember decembre diciembre dicembre dezembro dec dez dic"
)
_MONTH = rf"(?<![a-z])(?:{'|'.join(sorted(_MONTHS.split(), key=len, reverse=True))})(?![a-z])"
_DIGITS = re.compile(r"(?<!\d)\d{8,20}(?!\d)")
_PARTS = re.compile(
    r"(?<!\d)(?:(?P<year>\d{4})(?P<a>[-._ ])(?P<month>\d\d)(?P=a)(?P<day>\d\d)"
    r"|(?P<d>\d{1,2})(?P<b>[-.])(?P<m>\d{1,2})(?P=b)(?P<y>\d{4})"
    r"|(?P<d2>\d\d)(?P<c>[_ ])(?P<m2>\d\d)(?P=c)(?P<y2>\d{4})"
    r"|(?P<d3>\d\d)(?P<e>[-.])(?P<m3>\d\d)(?P=e)(?P<y3>\d\d))(?!\d)"
)
_WORDED = re.compile(
    rf"(?<!\d)(?:\d{{1,2}}[-_. ]{{0,2}}{_MONTH}[-_., ]{{0,2}}(?P<y>\d{{4}})|\d{{1,2}}[-. ]{_MONTH}[-. ](?P<short>\d\d)"
    rf"|{_MONTH}[-_. ]?\d{{1,2}}[-_., ]{{1,2}}(?P<y2>\d{{4}})|(?P<y3>\d{{4}})[-_. ]?{_MONTH}[-_. ]?\d{{1,2}})(?!\d)"
)
_BORN = re.compile(r"(?<![a-z])(?:dob|born|geb|geboren|birth(?:day|date)?|nacimiento|naissance)[ _.:=-]{0,3}[\d\x1f]")

_UID = re.compile(r"(?<![\d.])[012](?:\.\d{1,39}){5,}(?![\d.])")
_DIGEST = re.compile(r"(?<![0-9a-z])(?=[0-9a-f-]*[a-f])(?=[0-9a-f-]*\d)[0-9a-f]{8}[0-9a-f-]{8,}(?![0-9a-z])")
_PHONE = re.compile(
    r"\+\d[\d ()./-]{7,20}\d|(?<!\d)(?:\(\d{2,5}\) ?\d{3,4}[ .-]?\d{3,4}|\d{3}[-. ]\d{3}[-. ]\d{4})(?!\d)"
)
_SOCIAL = re.compile(r"(?<!\d)\d{3}-\d\d-\d{4}(?!\d)")
_LONG = re.compile(r"(?<![\d.])\d{7,}(?!\d)")
_RECORD = re.compile(
    r"(?<![a-z])(?:mrn|pid|ssn|nhs|acc(?:ession)?|pat(?:ient)?|hosp(?:ital)?|case)?[ _-]?(?:id|nr|no|number)?"
    r"(?<=[a-z])[ _.:#=-]{0,2}(?P<number>\d{5,})(?!\d)"
)

_INITIALS = re.compile(
    rf"(?<![A-Za-z0-9.])(?:(?!U\.S)[A-Z]\. ?[A-Z](?:\. ?[A-Z])?(?:\.|(?=[ _])|$)(?![A-Za-z0-9])|"
    rf"(?P<word>[A-Z]{{2,3}})[ _.-]?(?:{_SEEN}|19\d\d(?!\d)|200\d(?!\d)))"
)
_ABBREVIATIONS = (
    "AP CC CD CT CXR DL DR ECG ED ES EUS FPS GE GT HC ID IM IMG IQ IV LUS ML MLO MR MRI MV NO OCT PA PET PNG QC RF RGB"
    " ROI SAX SR SWE TTE TEE TVS US USG VID VOL VS XR"
)
_NOT_INITIALS = frozenset(_ABBREVIATIONS.split())
_CARET = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,64}\^[^\W\d_]")
_COMMA = re.compile(r"(?<![^\W\d_])([^\W\d_a-z][^\W\d_]+), ?([^\W\d_a-z][^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PLACE = re.compile(
    r"(?<![a-z])(?:hospitals?|hopital|hospitalier|clinics?|clinique|clinica|[a-z]{0,20}(?:klinik(?:um|en)?|krankenhaus)|spital"
    r"|ziekenhuis|szpital|ospedale|policlinico|infirmary|hastanesi|sygehus|sjukhus|sairaala|nemocnice"
    r"|(?:medical|health|cancer) ?cent(?:er|re))(?![a-z])|医院|病院|병원|больница|مستشفى"
)
_PACKED = re.compile(r"\.(?:gz|bz2|xz|zst)$", re.IGNORECASE)
_ENDING = re.compile(r"\.(?=[A-Za-z0-9]{0,4}[A-Za-z])[A-Za-z0-9]{1,5}$")


def look_at(path: str, words: frozenset[str] = frozenset()) -> Counter[str]:
    """Kinds of what may identify somebody in a path, each with the number of its parts (folders, file) that show it.

    Args:
        path: of a folder, a file or a member of an archive, parts separated by "/".
        words: values that identify in the header of the same file, to be recognised in its name.
    """
    known = _normal_words(words) if words else frozenset()
    found: Counter[str] = Counter()
    parts = path[:MAX_PATH].split("/")
    for place, part in enumerate(parts):
        if place == len(parts) - 1:
            part = _ENDING.sub("", _PACKED.sub("", part))
        if part:
            found.update(_kinds(part, known))
    return found


def normal(text: str) -> str:
    """Letters and digits only, in one case and without accents: how words of headers and of names are compared."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isalnum())


@lru_cache(maxsize=256)
def _normal_words(words: frozenset[str]) -> frozenset[str]:
    made = {normal(word[:MAX_PATH]) for word in words}
    return frozenset(word for word in made if len(word) >= 3 and word not in NOT_NAMES)


@lru_cache(maxsize=4096)  # folders come again with every file in them
def _kinds(part: str, known: frozenset[str]) -> frozenset[str]:
    """Kinds in one part of a path."""
    part = unicodedata.normalize("NFKC", part)[:MAX_PART]
    kinds: set[str] = set()
    if known and _of_header(part, known):
        kinds.add("header")
    for kind, pattern in (("mail", MAIL), ("uid", _UID)):
        part, times = pattern.subn(" ", part)
        if times:
            kinds.add(kind)
    plain = _plain(part)
    plain = _DIGEST.sub(" ", plain)
    part, plain = _take_dates(part, kinds), _take_dates(plain, kinds)
    if _BORN.search(plain):
        kinds.add("birth_date")
    for kind, pattern in (("phone", _PHONE), ("number", _SOCIAL)):
        plain, times = pattern.subn(" ", plain)
        if times:
            kinds.add(kind)
    if any(_significant(found[0], 6) for found in _LONG.finditer(plain)) or any(
        _significant(found["number"], 4) for found in _RECORD.finditer(plain)
    ):
        kinds.add("number")
    if any(found["word"] not in _NOT_INITIALS for found in _INITIALS.finditer(part)):
        kinds.add("initials")
    if _names_somebody(part, "birth_date" in kinds):
        kinds.add("name")
    if _PLACE.search(_plain(_CAMEL.sub(" ", part)).replace("_", " ").replace("-", " ")):
        kinds.add("place")
    return frozenset(kinds)


def _plain(text: str) -> str:
    """Lower case without accents; other scripts as they are."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


def _of_header(part: str, known: frozenset[str]) -> bool:
    """Whether a word of the header is a word of the name, or, where it is long enough to be no accident, inside."""
    own = {normal(word) for word in re.split(r"[\W_]+", part)}
    if own & known:
        return True
    squeezed = normal(part)
    return any(word in squeezed for word in known if len(word) >= 6)


def _take_dates(text: str, kinds: set[str]) -> str:
    """The text with a mark in place of every date; adds the kinds of the dates."""

    def mark(year: int | None, found: re.Match[str]) -> str:
        if year is None:
            return found[0]
        kinds.add("birth_date" if year < BORN_BEFORE else "date")
        return _SEEN

    text = _DIGITS.sub(lambda found: mark(_year_of_digits(found[0]), found), text)
    text = _PARTS.sub(lambda found: mark(_year_of_parts(found), found), text)
    return _WORDED.sub(lambda found: mark(_year(next(filter(None, found.groups()))), found), text)


def _year_of_digits(digits: str) -> int | None:
    """Year of YYYYMMDD, DDMMYYYY, MMDDYYYY, or of YYYYMMDD with a time behind it (DICOM DT, PS3.5 6.2)."""
    year = _valid(digits[:4], digits[4:6], digits[6:8])
    if len(digits) == 8:
        return year or _either(digits[4:], digits[:2], digits[2:4])
    if len(digits) >= 12 and int(digits[8:10]) < 24 and int(digits[10:12]) < 60:
        return year
    return None


def _year_of_parts(found: re.Match[str]) -> int | None:
    if found["year"]:
        return _valid(found["year"], found["month"], found["day"])
    if found["d"]:
        return _either(found["y"], found["d"], found["m"])
    if found["d2"]:
        return _either(found["y2"], found["d2"], found["m2"])
    return _either(found["y3"], found["d3"], found["m3"])


def _either(year: str, first: str, second: str) -> int | None:
    """Day before month, or month before day."""
    return _valid(year, second, first) or _valid(year, first, second)


def _valid(year: str, month: str, day: str) -> int | None:
    number = _year(year)
    try:
        return number and date(number, int(month), int(day)).year
    except ValueError:
        return None


def _year(text: str) -> int | None:
    """The year, of two digits too, if somebody who is scanned can have been born in it."""
    number = int(text)
    if len(text) == 2:
        number += 2000 if number < 30 else 1900
    return number if 1900 <= number <= LAST_YEAR else None


def _significant(digits: str, least: int) -> bool:
    """Whether a number is more than a counter with zeros before it."""
    return len(digits.lstrip("0")) >= least


def _names_somebody(part: str, born: bool) -> bool:
    """LAST^FIRST, "Last, First", a frequent given name, or words that are no common ones beside a birth date."""
    if _CARET.search(part):
        return True
    if any(not {_plain(a), _plain(b)} & NOT_NAMES for a, b in _COMMA.findall(part)):
        return True
    words = _WORD.findall(_CAMEL.sub(" ", part))
    if any(_plain(word) in NAMES for word in words):
        return True
    return born and any(len(w) >= 3 and w[0].isupper() and _plain(w) not in NOT_NAMES | _MONTH_WORDS for w in words)


_MONTH_WORDS = frozenset(_MONTHS.split())
