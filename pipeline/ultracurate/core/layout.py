"""Where a dataset's files lie: path patterns with named fields, and which rule a path falls under.

A pattern matches the whole `path` column, parts separated by "/":

- `*` is any run of characters inside one part, `**` any run across parts (`**/` may also be empty);
- `{name}` captures a run of at least one character inside one part, as long as possible from the left;
- `{name:regex}` captures what the regular expression matches (it may cross "/"; braces must pair up);
- everything else is literal. Case counts, except in the ending: from the last "." of the pattern on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Literal, get_args

from pydantic import ConfigDict, Field, model_validator

from ultracurate.core.config import Settings

Kind = Literal["image", "clip", "volume", "mask", "annotation", "table", "ignore", "exclude"]

AnnotationFormat = Literal["coco", "labelme", "voc", "mask", "binary_mask", "indexed_mask"]
FORMATS = frozenset(get_args(AnnotationFormat))
"""How an annotation may be written: what `decoding.annotations.parse` reads."""
NAMING = frozenset({"coco", "labelme", "voc"})
"""Formats whose files name their pictures themselves; the others are pictures of one mask."""

_PICTURES = "png jpg jpeg bmp tif tiff gif webp jp2 j2k jpx dcm dicom"
_VIDEOS = "mp4 m4v mov qt mkv webm avi wmv asf mpg mpeg m2ts ts"
_ARRAYS = "nii mha mhd nrrd nhdr npy npz mat h5 hdf5"
PICTURE_ENDINGS = frozenset(f"{_PICTURES} {_VIDEOS} {_ARRAYS}".split())
"""Endings that count as pictures for a dataset without layout rules; the decoder has the last word."""

_PACKED = frozenset(["gz", "bz2", "xz", "zst"])

REASONS = {
    "not_ultrasound": "another modality, a program window or a strip of text",
    "derived_figure": "a picture drawn over or made from pictures of the set",
    "augmented_copy": "rotated, sharpened or otherwise made from a picture of the set",
    "other_edition": "the same pictures again, in another size or format",
    "licence_text": "the licence itself",
    "not_a_picture": "text, settings or other data that is no picture",
    "system_file": "left behind by an operating system or an archiver",
    "documentation": "a read-me, a paper, a program",
    "unreadable_archive": "an archive in a format that is not read",
    "not_needed": "nothing that a corpus uses",
}
"""Why a rule keeps a file out: the first word of `reason`; details may follow after a colon."""

MAX_PATH = 1024
"""Characters of a path that is looked at; a longer one, made to keep a pattern busy, falls under no rule."""

ANYWHERE = "**/"  # in `of`: the picture lies in some folder below, and its name is unique there
_ANYWHERE = re.compile(r"(^|(?<=/))\*\*/(?=[^/]+$)")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEMPLATE_FIELD = re.compile(r"\{([^{}]*)\}")


class Strict(Settings):
    """Base of what a manifest is made of: strict settings whose field docstrings reach the JSON schema."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class LayoutRule(Strict):
    """One kind of file, by path: the first rule that matches decides."""

    match: str = Field(min_length=1)
    """Pattern over the whole path, for example `data/{class}/images/{name}.png`."""
    kind: Kind
    """What the file is; `ignore` and `exclude` keep it out and need a reason."""
    reason: str | None = Field(default=None, min_length=1)
    """Why the file stays out: one of the known words, then a colon and details if there are any."""
    set: dict[str, str] = Field(default_factory=dict)
    """Fields that every file of this rule gets, beside the captured ones."""
    of: str | None = Field(default=None, min_length=1)
    """For a mask or annotation: path of the picture it belongs to, built from the fields; `{file}` is the picture's
    name as a COCO, LabelMe or VOC file states it; `**/` before the name: in any folder below."""
    format: AnnotationFormat | None = None
    """How an annotation is written; without it, its content decides. A mask has classes by number (`indexed_mask`) or
    one, its brighter half (`binary_mask`); without it, its samples decide."""
    array: str | None = Field(default=None, min_length=1)
    """Path of the array inside an HDF5, MAT or NPZ file, where there are several."""
    axis: int | None = Field(default=None, ge=0, le=4)
    """Axis along which frames or slices lie, as stored, where the format does not say."""
    fps: float | None = Field(default=None, gt=0, le=1000)
    """Frames per second of clips whose files do not say."""

    @model_validator(mode="after")
    def _check(self) -> LayoutRule:
        captured = pattern_fields(self.match)
        if self.kind in ("ignore", "exclude") and not self.reason:
            raise ValueError(f"a rule of kind '{self.kind}' needs a reason: say in a few words why the file stays out")
        if self.kind not in ("ignore", "exclude") and self.reason:
            raise ValueError(f"a rule of kind '{self.kind}' takes no reason: only ignore and exclude do")
        if self.reason and (word := self.reason.partition(":")[0]) not in REASONS:
            raise ValueError(f"reason: expected one of {', '.join(REASONS)} (then ': details'), found {word!r}")
        if twice := captured & self.set.keys():
            raise ValueError(f"field {sorted(twice)} is captured by the pattern and given under 'set': keep one")
        if wrong := [name for name in self.set if not _FIELD_NAME.fullmatch(name)]:
            raise ValueError(
                f"field names {wrong} under 'set': expected letters, digits and _, not starting with a digit"
            )
        if self.kind not in ("image", "clip", "volume") and (self.array or self.axis is not None or self.fps):
            raise ValueError(f"'array', 'axis' and 'fps' say how pictures are read, found kind '{self.kind}'")
        self._check_annotation(captured)
        return self

    def _check_annotation(self, captured: frozenset[str]) -> None:
        if self.format is not None and self.kind not in ("mask", "annotation"):
            raise ValueError(f"'format' says how a mask or an annotation is written, found kind '{self.kind}'")
        if self.kind == "mask" and self.format in NAMING:
            raise ValueError(
                f"expected a format among {', '.join(sorted(FORMATS - NAMING))} for kind 'mask', found "
                f"'{self.format}': a file of shapes is of kind 'annotation'"
            )
        if self.of is None:
            return
        if self.kind not in ("mask", "annotation"):
            raise ValueError(f"'of' names the picture of a mask or an annotation, found kind '{self.kind}'")
        if "*" in _ANYWHERE.sub("", self.of, count=1):
            raise ValueError("'of' names one picture: '*' may stand in it only once, as '**/' before its name")
        if missing := template_fields(self.of) - captured - self.set.keys() - self._inside():
            hint = f"; {{file}} needs a format among {', '.join(sorted(NAMING))}" if "file" in missing else ""
            raise ValueError(f"'of' uses {sorted(missing)}, which this rule does not capture or set{hint}")

    def _picture(self, fields: Mapping[str, str]) -> str:
        """`of` for a match. An empty field stands for no folder; whether there is such a picture is seen later."""
        known = {**fields, **{name: f"{{{name}}}" for name in self._inside()}}
        return _TEMPLATE_FIELD.sub(lambda found: known[found[1]], self.of or "")

    def _inside(self) -> frozenset[str]:
        """Fields of `of` that only the content of the file tells."""
        return frozenset({"file"} if self.format in NAMING else ()) - self.fields()

    def fields(self) -> frozenset[str]:
        """Names of the fields that a match of this rule carries."""
        return pattern_fields(self.match) | self.set.keys()


@dataclass(frozen=True, slots=True)
class Match:
    """What the layout says about one path."""

    kind: Kind
    fields: dict[str, str]
    reason: str | None  # a key of REASONS, for ignore and exclude
    rule_index: int  # -1: no rules at all, decided by the ending
    detail: str = ""  # what the rule says beside the reason
    of: str | None = None  # path of the picture that this mask or annotation belongs to; may still hold {file}
    rule: LayoutRule | None = None


def ending_of(path: str) -> str:
    """The ending of a path in lower case without its dot; of `x.nii.gz` it is `nii`."""
    parts = PurePosixPath(path).name.lower().split(".")
    if len(parts) > 2 and parts[-1] in _PACKED:
        return parts[-2]
    return parts[-1] if len(parts) > 1 else ""


def match_path(rules: Sequence[LayoutRule], path: str) -> Match | None:
    """The first rule that matches `path`, with its fields; None when no rule does (`no_layout_rule`)."""
    if len(path) > MAX_PATH:
        return None
    if not rules:
        return Match("image", {}, None, -1) if ending_of(path) in PICTURE_ENDINGS else None
    for index, rule in enumerate(rules):
        if found := compile_pattern(rule.match).fullmatch(path):
            fields = {**found.groupdict(default=""), **rule.set}
            of = rule._picture(fields) if rule.of else None
            reason, _, detail = (rule.reason or "").partition(":")
            return Match(rule.kind, fields, reason or None, index, detail.strip(), of, rule)
    return None


def pattern_fields(pattern: str) -> frozenset[str]:
    """Names of the fields that a pattern captures."""
    return frozenset(compile_pattern(pattern).groupindex)


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The pattern as an anchored regular expression; a ValueError says what is wrong with it."""
    if pattern.startswith("/") or pattern != pattern.strip():
        raise ValueError(f"pattern {pattern!r}: expected a relative path without blanks around it")
    tokens = _tokens(pattern)
    dots = [place for place, (kind, text) in enumerate(tokens) if kind == "text" and text == "."]
    last_slash = max((place for place, token in enumerate(tokens) if token == ("text", "/")), default=-1)
    ending = dots[-1] if dots and dots[-1] > last_slash else len(tokens)
    parts = [_regex(kind, text) for kind, text in tokens]
    expression = "".join(parts[:ending]) + (f"(?i:{''.join(parts[ending:])})" if ending < len(tokens) else "")
    try:
        return re.compile(expression, re.DOTALL)
    except re.error as exc:
        raise ValueError(f"pattern {pattern!r} is not valid: {exc}. A field may be captured only once") from None


def literal_start(pattern: str) -> str:
    """What every path that a pattern matches begins with, but for the case of its ending."""
    start = ""
    for kind, text in _tokens(pattern):
        if kind != "text":
            break
        start += text
    return start


def template_fields(template: str) -> frozenset[str]:
    """Names between braces in a template such as `{site}/{patient}`; ValueError if braces do not pair up."""
    if re.search(r"[{}]", _TEMPLATE_FIELD.sub("", template)):
        raise ValueError(f"template {template!r}: braces do not pair up")
    names = frozenset(_TEMPLATE_FIELD.findall(template))
    if "" in names:
        raise ValueError(f"template {template!r}: empty braces, expected a field name between them")
    return names


def fill_template(template: str, fields: Mapping[str, str]) -> str | None:
    """The template with its fields filled in; None when a field is missing or empty, never a guess."""
    if any(not fields.get(name) for name in template_fields(template)):
        return None
    return _TEMPLATE_FIELD.sub(lambda found: fields[found[1]], template)


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """The pattern cut into ("text", character), ("star", `*`, `**` or `**/`), ("field", inside of braces)."""
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(pattern):
        char = pattern[place]
        if char == "*":
            star = next(s for s in ("**/", "**", "*") if pattern.startswith(s, place))
            if star == "**/" and place and pattern[place - 1] != "/":
                star = "**"  # `a**/b`: the slash must stay in the path
            tokens.append(("star", star))
            place += len(star)
        elif char == "{":
            end = _closing_brace(pattern, place)
            tokens.append(("field", pattern[place + 1 : end]))
            place = end + 1
        elif char == "}":
            raise ValueError(f"pattern {pattern!r}: a closing brace without an opening one")
        else:
            tokens.append(("text", char))
            place += 1
    return tokens


def _closing_brace(pattern: str, start: int) -> int:
    depth = 0
    for place in range(start, len(pattern)):
        depth += {"{": 1, "}": -1}.get(pattern[place], 0)
        if depth == 0:
            return place
    raise ValueError(f"pattern {pattern!r}: the brace at character {start + 1} is never closed")


def _regex(kind: str, text: str) -> str:
    if kind == "star":
        return {"*": "[^/]*", "**": ".*", "**/": "(?:.*/)?"}[text]
    if kind == "text":
        return re.escape(text)
    name, colon, expression = text.partition(":")
    if not _FIELD_NAME.fullmatch(name):
        raise ValueError(f"field {name!r}: expected letters, digits and _, not starting with a digit")
    if colon and not expression:
        raise ValueError(f"field {name!r}: nothing after the colon, expected a regular expression")
    if _repeats_a_choice(expression):
        raise ValueError(
            f"field {name!r}: {expression!r} repeats a group that holds a repetition or a choice, which can take for "
            "ever. Write it without, for example [ab]+ for (a|b)+ or (?:a+)"
        )
    return f"(?P<{name}>{expression or '[^/]+'})"


_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?[^)(]*?[:=!>])?|\)|[*+?]|\{\d*,?\d*\}|\||.", re.DOTALL)


def _repeats_a_choice(expression: str) -> bool:
    """Whether a group that holds a repetition or `|` is itself repeated: such a search can take exponential time."""
    pieces = _PIECE.findall(expression)
    varied = [False]  # for each open group: whether it matches in more than one way
    for place, piece in enumerate(pieces):
        following = pieces[place + 1] if place + 1 < len(pieces) else ""
        if piece.startswith("("):
            varied.append(False)
        elif piece == ")" and len(varied) > 1:
            inside = varied.pop()
            if inside and (following in ("*", "+") or (following.startswith("{") and following != "{1}")):
                return True
            varied[-1] |= inside
        elif piece in ("*", "+", "?", "|") or piece.startswith("{"):
            varied[-1] = True
    return False
