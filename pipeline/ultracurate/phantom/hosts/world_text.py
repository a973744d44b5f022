"""Grammar of invented records: topics with gaps, what fills them, and how each host dresses a description."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.entities import codepoint2name
from random import Random
from typing import TypeVar

T = TypeVar("T")
_GAP = re.compile(r"\{(\w+)\}")
_ENOUGH_TO_HALVE = 8
"""Fillers of a gap from which each half of them still varies."""


@dataclass(frozen=True)
class Topic:
    """One subject that deposits are made about; texts hold `{gap}`s that `Writer.fill` closes."""

    name: str
    titles: tuple[str, ...]
    bodies: tuple[str, ...]
    keywords: tuple[str, ...]
    layouts: tuple[str, ...]
    """Names of `world_files.LAYOUTS` that such a deposit comes in."""
    language: str = "en"


def topic(name: str, titles: str, bodies: str, keywords: str, layouts: str, language: str = "en") -> Topic:
    """A topic from texts separated by "|", keywords by ",", layouts by blanks."""
    words = tuple(word.strip() for word in keywords.split(","))
    return Topic(name, tuple(titles.split("|")), tuple(bodies.split("|")), words, tuple(layouts.split()), language)


FILLERS: dict[str, tuple[str, ...]] = {
    "scanner": (
        *("GE Voluson E8", "GE LOGIQ E9", "Philips EPIQ 7", "Philips iU22", "Siemens ACUSON S2000", "Mindray Resona 7"),
        *("Samsung RS80A", "Canon Aplio i800", "Hitachi Arietta 70", "Esaote MyLab 9", "SonoScape S60"),
        *("Butterfly iQ", "Clarius C3 HD", "Toshiba Aplio 500", "Aloka ProSound", "Telemed MicrUs", "BK 5000"),
    ),
    "probe": ("linear", "convex", "phased array", "curvilinear", "high-frequency linear", "endocavity", "matrix"),
    "mhz": ("2-5", "3.5", "5-12", "7.5", "4-15", "1-5", "10", "18"),
    "place": (
        *("a tertiary hospital", "two regional centres", "a university clinic", "three community hospitals"),
        *("an outpatient department", "a teaching hospital in northern Italy", "a centre in Dhaka"),
        *("a clinic in Lagos", "a private practice", "a screening programme"),
        *("a referral centre in São Paulo", "a women's hospital in Wuhan", "five sites in Poland", "a rural district"),
    ),
    "country": (
        *("Spain", "Egypt", "Brazil", "China", "India", "Bangladesh", "Poland", "Kenya", "Norway", "Viet Nam", "Iran"),
        *("Canada", "Japan", "Türkiye", "Mexico", "Ghana", "Portugal", "Germany", "Iraq", "South Africa"),
    ),
    "year": tuple(str(year) for year in range(2009, 2026)),
    "reader": (
        *("two radiologists", "one sonographer", "an experienced physician", "three raters", "a panel of experts"),
        *("a senior resident under supervision", "two blinded readers", "medical students and a radiologist"),
    ),
    "tool": ("LabelMe", "CVAT", "ITK-SNAP", "3D Slicer", "VGG Image Annotator", "MATLAB", "Roboflow", "Supervisely"),
    "net": ("U-Net", "ResNet-50", "EfficientNet", "a vision transformer", "nnU-Net", "DenseNet-121", "YOLOv8", "VGG16"),
    "journal": ("the accompanying article", "our paper (under review)", "a master thesis", "the linked publication"),
    "split": ("train and test", "train, validation and test", "five folds", "internal and external"),
    "material": ("aluminium", "carbon fibre", "stainless steel", "titanium", "concrete", "PLA", "wood", "copper"),
    "liquid": ("water", "ethanol", "ionic liquid", "milk", "orange juice", "palm oil", "glycerol", "waste water"),
    "khz": ("20", "24", "28", "37", "40", "45", "80", "500"),
    "software": ("SPSS", "R", "Stata", "GraphPad", "Excel", "JASP", "Python"),
    "rodent": ("mouse", "rat", "vole", "hamster", "degu"),
    "bat": ("Myotis", "Pipistrellus", "Eptesicus", "Rhinolophus", "Nyctalus", "Tadarida"),
    "fish": ("salmon", "herring", "anchovy", "cod", "krill", "eel"),
    "drug": ("doxorubicin", "curcumin", "quercetin", "insulin", "temozolomide", "ibuprofen"),
    "plant": ("moringa", "green tea", "turmeric", "olive leaf", "grape pomace", "seaweed", "soy", "quinoa"),
    "condition": ("diabetes", "preeclampsia", "cirrhosis", "heart failure", "sepsis", "endometriosis", "COVID-19"),
    "unit": ("emergency department", "intensive care unit", "antenatal clinic", "operating theatre", "ward"),
    "degree": ("mild", "severe", "chronic", "early", "advanced", "recurrent"),
    "letter": ("A", "B", "C", "D", "S1", "S2", "S3", "II", "III"),
    "abbr": ("US", "ECHO", "SONO", "UMI", "BUS", "Scan", "Uni", "Med", "Deep", "Open"),
    "abbr2": ("Net", "DB", "Seg", "Set", "Bench", "-1K", "-24", "Base", "Atlas", "-X"),
}
_NUMBERS = {"n": (24, 980), "m": (1000, 14000), "k": (3, 22), "p": (10, 95)}
_TYPOS = ("ultrsound", "ultra sound", "Ultrasoud", "ultrasund", "ultrasond", "UltraSound")
_NOISE = (
    "Please cite {journal} if you use this material.",
    "The study was approved by the local ethics committee (no. {year}-{n}).",
    "Written consent was waived because of the retrospective design.",
    "Contact: data.desk{k}@example.org",
    "Questions to lab{n}@example.org or +00 555 {n} {n}.",
    "See the README for the folder structure.",
    "Funded by a national grant (project {letter}-{m}).",
    "Part of the material was shown at a workshop in {year}.",
    "File names are random and carry no personal information.",
    "Version history: first upload in {year}.",
    "Abbreviations are explained in the metadata.",
    "If you find an error, write to issues@example.org.",
    "MRI and CT of the same persons are not part of this deposit.",
    "The protocol follows the guideline of the national society.",
    "Updates are announced in the repository of the group.",
    "Statistical analysis was done in {software}.",
)


def part(texts: tuple[T, ...], half: int | None) -> tuple[T, ...]:
    """Every other one of them, from the first (half 0) or the second (half 1); all for None, or of fewer than two."""
    return texts if half is None or len(texts) < 2 else texts[half::2]


class Writer:
    """Composes texts from templates, or from one half of them, with its own chance."""

    def __init__(self, chance: Random, half: int | None = None) -> None:
        self.chance, self.half = chance, half

    def fill(self, text: str) -> str:
        """The text with every gap closed; a gap nobody knows raises KeyError."""
        return _GAP.sub(lambda found: self._filler(found[1]), text)

    def _filler(self, name: str) -> str:
        if name in _NUMBERS:
            return str(self.chance.randint(*_NUMBERS[name]))
        known = FILLERS[name]
        return self.chance.choice(part(known, self.half) if len(known) >= _ENOUGH_TO_HALVE else known)

    def noise(self, most: int = 3) -> list[str]:
        """0 to `most` sentences that say nothing about what is in the files."""
        return [self.fill(text) for text in self.chance.sample(part(_NOISE, self.half), self.chance.randint(0, most))]

    def keywords(self, topic: Topic, share: float = 0.7) -> tuple[str, ...]:
        """Some of the topic's keywords; none in 1 - `share` of the cases."""
        if self.chance.random() > share:
            return ()
        few = self.chance.sample(topic.keywords, self.chance.randint(1, len(topic.keywords)))
        return tuple(word.title() if self.chance.random() < 0.2 else word for word in few)

    def misspell(self, text: str) -> str:
        """The text with one "ultrasound" spelt as hurried people do."""
        return re.sub("ultrasound", self.chance.choice(_TYPOS), text, count=1, flags=re.IGNORECASE)

    def dress(self, host: str, sentences: list[str]) -> str:
        """Sentences as a description of that host: HTML (zenodo, figshare), markdown (kaggle) or plain (mendeley)."""
        if not sentences:
            return ""
        if host == "kaggle":
            return self._markdown(sentences)
        if host == "mendeley" or self.chance.random() < 0.1:
            return " ".join(sentences)
        return self._html(sentences)

    def _markdown(self, sentences: list[str]) -> str:
        if len(sentences) < 3 or self.chance.random() < 0.5:
            return "\n\n".join(sentences)
        head, *rest = sentences
        return f"## Context\n{head}\n\n## Content\n" + "\n".join(f"- {text}" for text in rest)

    def _html(self, sentences: list[str]) -> str:
        # html.unescape of the result gives the text back: accents and signs come as entities in half of the deposits.
        safe = [html.escape(text, quote=self.chance.random() < 0.5) for text in sentences]
        if self.chance.random() < 0.5:
            safe = ["".join(_entity(sign) for sign in text) for text in safe]
        style = self.chance.randrange(3)
        if style == 0 or len(safe) < 3:
            return "<p>" + " ".join(safe) + "</p>"
        if style == 1:
            return "".join(f"<p>{text}</p>\n<p>&nbsp;</p>\n" for text in safe)
        items = "".join(f"<li>{text}</li>" for text in safe[1:])
        return f"<p><strong>{safe[0]}</strong></p>\n<ul>{items}</ul>"


def _entity(sign: str) -> str:
    name = codepoint2name.get(ord(sign)) if ord(sign) > 127 else None
    return f"&{name};" if name else sign
