"""Whether a record's terms forbid any use, and what a person should read; a missing licence is no prohibition."""

from __future__ import annotations

import re

from ultracurate.core.licences import TERMS
from ultracurate.screening.text import fold, strip_html
from ultracurate.sources import Candidate

_RESERVED = re.compile(
    r"all rights (?:are )?reserved|tous droits reserves|alle rechte vorbehalten|todos los derechos reservados|"
    r"todos os direitos reservados|tutti i diritti riservati|tum haklari saklidir|все права защищены|版权所有"
)
_FORBIDDEN = re.compile(
    r"no[ -](?:re-?use|permission|licen[cs]e (?:is )?granted|use (?:is )?(?:permitted|allowed))|"
    r"(?:re-?use|any use|use of (?:the|this|these) (?:data(?:set)?|images|files)|download(?:ing)?)"
    r"[^.]{0,60} (?:is|are) (?:strictly |expressly )?(?:not (?:permitted|allowed)|prohibited|forbidden)|"
    r"(?:may|must|can|shall) ?not be (?:re-?)?(?:used|copied|downloaded)(?! (?:for (?:commercial|clinical)|comm))|"
    r"do not (?:re-?)?use (?:the|this|these)|for viewing only|view(?:ing)? only|permission (?:is )?(?:denied|refused)|"
    r"not licensed for (?:any )?(?:re-?)?use|use prohibited"
)
MAX_TEXT = 20_000


def forbids(candidate: Candidate) -> str:
    """The words by which the record forbids any use; empty where it does not.

    `All rights reserved` in a description is a footer where the host states an open licence beside it.
    """
    stated = fold(strip_html((candidate.licence_raw or "")[:MAX_TEXT]))
    text = fold(strip_html(candidate.description[:MAX_TEXT]))
    open_ = candidate.licence_spdx in TERMS and TERMS[candidate.licence_spdx].derivatives is not None
    for words, patterns in (
        (stated, (_RESERVED, _FORBIDDEN)),
        (text, (_FORBIDDEN,) if open_ else (_RESERVED, _FORBIDDEN)),
    ):
        for pattern in patterns:
            if match := pattern.search(words):
                return match[0][:80]
    return ""


def note(candidate: Candidate) -> str:
    """What about the licence a person should know before taking the record in; empty for a free one."""
    if candidate.licence_spdx is None:
        stated = " ".join((candidate.licence_raw or "").split())[:80]
        return f"licence not recognised: {stated!r}" if stated else "no licence stated"
    terms = TERMS.get(candidate.licence_spdx)
    if terms is not None and terms.derivatives is False:
        return f"{candidate.licence_spdx}: changed copies may not be passed on"
    if terms is not None and terms.commercial is False:
        return f"{candidate.licence_spdx}: not for commercial use"
    return ""
