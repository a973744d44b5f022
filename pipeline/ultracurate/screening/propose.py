"""The draft of a dataset manifest for an accepted candidate: what the host states, and blanks for what it does not."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection
from typing import Any

import yaml
from pydantic import ValidationError

from ultracurate.core.dataset import FileRef
from ultracurate.core.errors import UltracurateError, printable
from ultracurate.core.licences import TERMS, UNKNOWN
from ultracurate.screening.contents import kinds
from ultracurate.screening.text import fold, strip_html
from ultracurate.screening.verdicts import Screened
from ultracurate.sources import Candidate, RemoteFile
from ultracurate.sources._urls import strip_secrets

MAX_TITLE, MAX_SLUG, MAX_FILES = 300, 48, 200
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,100}(?:\.[\w-]{1,60}){1,5}")
_DOI = re.compile(r"10\.\d{4,9}/\S{1,200}")
_MEDIA = (("picture", "image"), ("clip", "clip"), ("volume", "volume"))
_SMALL = frozenset(["a", "an", "and", "dataset", "data", "for", "from", "in", "of", "on", "the", "to", "with", "using"])
_TODO = """\
# To do before `status` can be `ready`; see docs for each field, and leave out what nobody knows:
# aliases: []            other names in papers
# citation:              the paper that describes the set
# modality:              an id of ontology/modality.yaml, for example b_mode
# species: []            human, porcine, phantom, synthetic
# annotations: []        class, mask, box, landmark, value, report
# patient_key:           true if the files say which picture is of which patient
# expected: {images: 0, source: where that count is stated}
# layout:                one rule for each kind of file: match, kind
# group:                 a template over fields that keeps a patient's pictures together
# labels: []             which field means which anatomy or pathology
"""


def draft(screened: Screened, *, read: datetime.date, taken: Collection[str] = ()) -> str:
    """The text of `<slug>.yaml`, which `core.dataset.load_manifest` reads; its first key is the slug.

    Args:
        screened: a candidate that was accepted.
        read: the day its host was asked.
        taken: slugs that are in use.
    """
    candidate = screened.candidate
    title = one_line(strip_html(candidate.title), MAX_TITLE) or one_line(f"{candidate.host} {candidate.record}", 80)
    data: dict[str, Any] = {"slug": slug(title, candidate, taken), "title": title}
    if version := one_line(candidate.version or "", 80):
        data["version"] = version
    data["status"] = "needs_layout"
    data["licence"] = _licence(candidate, read)
    if candidate.doi and _DOI.fullmatch(candidate.doi) and printable(candidate.doi) == candidate.doi:
        data["doi"] = candidate.doi
    if candidate.access == "open":
        data["access"] = "open"
    listed, note = _files(candidate)
    source: dict[str, Any] = {"host": candidate.host}
    if record := one_line(candidate.record or "", 200):
        source["record"] = record
    data["sources"] = [source | ({"files": listed} if listed else {})]
    found = kinds(candidate.files)
    if media := [medium for kind, medium in _MEDIA if found[kind]]:  # type: ignore[index]
        data["media"] = media
    why = one_line(screened.why, 200)
    head = f"# Proposed from a search: score {screened.score:g}; {why}\n" if why else ""
    body = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    return head + body + (f"# {note}\n" if note else "") + _TODO


def slug(title: str, candidate: Candidate, taken: Collection[str] = ()) -> str:
    """A name made of the title's words that is not taken; of host and record where the title has no Latin letters."""
    words = [word for word in re.findall(r"[a-z0-9]+", fold(title)) if word not in _SMALL]
    name = ""
    for word in words:
        if len(name) + len(word) >= MAX_SLUG:
            break
        name = f"{name}_{word}".lstrip("_")
    if len(name) < 3:
        name = "_".join(re.findall(r"[a-z0-9]+", fold(f"{candidate.host} {candidate.record or ''}")))[:MAX_SLUG].strip(
            "_"
        )
    made, number = name or "dataset", 2
    while made in taken:
        made, number = f"{name or 'dataset'}_{number}", number + 1
    return made


def one_line(text: str, limit: int) -> str:
    """The text on one line without control characters and e-mail addresses, shortened at `limit` characters."""
    line = " ".join(printable(_MAIL.sub("", text[: limit * 20])).replace("\N{REPLACEMENT CHARACTER}", " ").split())
    line = "".join(char for char in line if char.isprintable())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _licence(candidate: Candidate, read: datetime.date) -> dict[str, Any]:
    known = candidate.licence_spdx if candidate.licence_spdx in TERMS else None
    made: dict[str, Any] = {"id": known or UNKNOWN}
    if address := one_line(strip_secrets(candidate.url), 300):
        made["evidence"] = address
    made["read"] = read
    stated = one_line(candidate.licence_raw or "", 200)
    if known is None:
        made["note"] = f"The host states: {stated}" if stated else "The host states none."
    return made


def _files(candidate: Candidate) -> tuple[list[dict[str, Any]], str]:
    """Files with size and digest, all or none: a manifest that lists some means only those."""
    if not candidate.files:
        return [], "The files were not listed by the host's answer."
    if len(candidate.files) > MAX_FILES:
        return [], f"The host lists {len(candidate.files)} files; without a list here all of them are meant."
    made = [_file(file) for file in candidate.files]
    if any(file is None for file in made):
        return [], "A file's name, size or digest is not one that a manifest can state; all files are meant."
    return [file for file in made if file is not None], ""


def _file(file: RemoteFile) -> dict[str, Any] | None:
    stated = {"name": file.name, "size": file.size, "checksum": file.checksum}
    made = {key: value for key, value in stated.items() if value is not None}
    if printable(file.name) != file.name or not file.name.isprintable() or (file.size or 0) >= 1 << 63:
        return None
    try:
        FileRef.model_validate(made)
    except (ValidationError, UltracurateError):
        return None
    return made
