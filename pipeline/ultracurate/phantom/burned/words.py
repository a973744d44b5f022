"""Invented words of devices and readers, in two pools that share none: one to train with, one kept for tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ultracurate.phantom.burned.fonts import ARABIC, CYRILLIC, GREEK, HAN, HANGUL, KANA

Rng = np.random.Generator


@dataclass(frozen=True)
class Words:
    """One pool. Texts in braces take numbers: {a} 1..99, {b:.1f} 0.1..9.9, {c} 10..400, {k} 0.01..1.99."""

    hospitals: tuple[str, ...]
    families: tuple[str, ...]
    givens: tuple[str, ...]
    identifiers: tuple[str, ...]
    dates: tuple[str, ...]
    parameters: tuple[str, ...]
    presets: tuple[str, ...]
    labels: tuple[str, ...]
    results: tuple[str, ...]
    brands: tuple[str, ...]
    notices: tuple[str, ...]
    foreign: dict[str, tuple[str, ...]]


SEEN_WORDS = Words(
    hospitals=("ST ALDER INFIRMARY", "Westmoor Clinic", "KELDAR GENERAL", "Hazelbrook Radiology", "MARSH LANE HOSPITAL",
               "Univ. Clinic Ternau", "Polyclinic Osterby"),
    families=("QUILLFEATHER", "MOSSGROVE", "Tarnwick", "OAKENHOLT", "Briarstone", "WEXCOMBE", "Larkmere", "FENNIMORE",
              "Adlerov", "Nakamori", "OKONEDI", "van Turlen"),
    givens=("ZELPHA", "Odric", "MIRABEL", "Tobias", "YSOLDE", "Caspar", "ELOWEN", "Barnaby", "Ines", "RAJU"),
    identifiers=("ID: {n}", "{n}", "ZQ{n}", "PID {n}", "MRN:{n}", "Acc# {n}"),
    dates=("{y}-{m}-{d}", "{d}.{m}.{y}", "{m}/{d}/{y}", "{y}/{m}/{d} {H}:{M}:{S}", "{H}:{M}:{S}", "DOB {d}/{m}/{y}"),
    parameters=("FR {a}Hz", "{b:.1f} cm", "2D", "G {a}", "Gn {a}", "DR {a}", "MI {k:.1f}", "TIS {k:.1f}", "TIB{k:.1f}",
                "PRS {a}", "P Low", "C {a}", "Frq {b:.1f} MHz", "{a}Hz", "{a}%", "D {b:.1f}", "E{a}/P{a}", "Map {a}",
                "AO {a}%", "XRES", "HGen", "S/A {a}", "Dyn R {a}", "{b:.1f}/{b:.1f}", "M{a}", "Power {a} dB"),
    presets=("Abd Gen", "Breast", "Thyroid", "OB", "MSK", "Vascular", "Adult Echo", "Small Parts", "LV9-3", "C5-2e",
             "L12-4", "S4-2"),
    labels=("RT UOQ", "LT LOQ", "RT 3", "lt5", "LT 3:00", "RT AXILLA", "SAG", "TRANS", "LIVER", "LT LOBE", "CCA", "LV",
            "RA", "GB", "MASS", "M1", "M2", "R", "CYST", "RK", "BLADDER", "LT OVARY", "node", "RT KIDNEY SAG"),
    results=("Dist {b:.2f} cm", "D1 {b:.1f} mm", "+ D {b:.2f}cm", "A {b:.2f} cm2", "Vol {b:.1f} ml", "HR {c} bpm",
             "EF {a} %", "L {b:.1f} mm", "x D2 {b:.2f} cm", "HC {c}.{a} mm", "GA {a}w{w}d", "Vel {c} cm/s"),
    brands=("ATLAS", "boreal", "ORRERY", "Veltron", "NX-7", "corvid", "MIRU"),
    notices=("NOT FOR DIAGNOSIS", "COPY", "Demo", "ARCHIVE", "www.hazelbrook.test", "Teaching file {a}"),
    foreign={
        CYRILLIC: ("ПЕЧЕНЬ", "Почка пр.", "Глубина {b:.1f} см", "УЗЛ {a}", "Левая доля"),
        GREEK: ("ΗΠΑΡ", "Βάθος {b:.1f}", "Δεξιά"),
        ARABIC: ("كبد", "كلية يمنى", "يسار"),
        HAN: ("肝脏", "深度 {b:.1f}", "左叶", "胆囊", "右肾"),
        KANA: ("カンゾウ", "ヒダリ", "ゲイン {a}"),
        HANGUL: ("간", "왼쪽", "깊이 {b:.1f}"),
    },
)  # fmt: skip

HELD_WORDS = Words(
    hospitals=("Brackwater Memorial", "SAINT ORLO CENTRE", "Fjordheim Sykehus", "Clinica Montarel", "GREYFELL NHS"),
    families=("Umberlyne", "CROWHURSTE", "Salvatiera", "HOLLOWBECK", "Ingebrandt", "DUNMARROW", "Petrescovu"),
    givens=("Quenby", "HESTERINA", "Lorcan", "VILMAR", "Anneke", "Saoirse", "DMITRO"),
    identifiers=("No. {n}", "Pat-ID={n}", "#{n}", "KV {n}", "Case {n}"),
    dates=("{d}-{m}-{y}", "{y}{m}{d}", "{d} {m} {y}, {H}.{M}", "born {y}.{m}.{d}", "{H}h{M}"),
    parameters=("Freq.: {b:.1f}", "Depth: {b:.1f}", "Gain={a}", "Persist {a}", "LD {a}", "TIc {k:.2f}", "Pwr:{a}%",
                "Focus {a}", "Rej {a}", "Enh: {a}", "Line dens. {a}", "THI-{a}", "CF {b:.1f}M", "WF {c}", "[{a}] FPS",
                "Smooth {a}", "R/S {b:.1f}", "Edge {a}", "Zoom {a}0%"),
    presets=("Carotid", "Prostate", "Hip inf.", "Nerve", "Gyn", "Pediatric", "Lung B", "P10-4", "vF12", "EC7-3"),
    labels=("LEFT MAMMA", "Rt. 10 h", "LONG AX", "SPLEEN", "PV", "ICA", "MV", "IVC", "UT", "FETAL HEAD", "nodule 1",
            "TENDON", "Lt. iliac", "AO", "LA app.", "Segm. VII", "N4", "iii"),
    results=("span {b:.1f}", "Diam {b:.2f}mm", "Area= {b:.1f} cm²", "V: {b:.2f} cc", "RI 0.{a}", "FL {b:.1f} cm",
             "PS {c}.{a} cm/s", "IMT 0.{a} mm", "EFW {c} g", "B {b:.2f}", "Angle {a}°", "BPD: {c}"),
    brands=("glacier", "SOLUM", "Quantis", "H-40", "tessera", "EIKON"),
    notices=("RESEARCH ONLY", "Specimen", "PREVIEW", "greyfell.example", "Lecture {a}", "© Montarel"),
    foreign={
        CYRILLIC: ("СЕЛЕЗЁНКА", "Желчный", "Ус. {a} дБ", "Правый"),
        GREEK: ("ΝΕΦΡΟΣ", "Κέρδος {a}", "Αριστερά"),
        ARABIC: ("طحال", "المرارة"),
        HAN: ("脾臓", "腎 {b:.1f}", "甲状腺", "右葉"),
        KANA: ("ミギ", "ジンゾウ", "フカサ {b:.1f}"),
        HANGUL: ("신장", "오른쪽", "이득 {a}"),
    },
)  # fmt: skip


def fill(template: str, rng: Rng) -> str:
    """The template with numbers, dates and times of no meaning."""
    if "{" not in template:
        return template
    return template.format(
        a=int(rng.integers(1, 99)),
        b=float(rng.uniform(0.1, 9.9)),
        c=int(rng.integers(10, 400)),
        k=float(rng.uniform(0.01, 1.99)),
        w=int(rng.integers(7)),
        n=int(rng.integers(10**5, 10**8)),
        y=int(rng.integers(1930, 2026)),
        m=f"{int(rng.integers(1, 13)):02d}",
        d=f"{int(rng.integers(1, 29)):02d}",
        H=f"{int(rng.integers(24)):02d}",
        M=f"{int(rng.integers(60)):02d}",
        S=f"{int(rng.integers(60)):02d}",
    )
