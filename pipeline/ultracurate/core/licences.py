"""The licence ids a manifest may state: SPDX identifiers, `restricted`, `unknown`; and their main terms.

Ids follow the SPDX licence list (https://spdx.org/licenses); the terms are our short reading of each licence,
for warnings and cards, never legal advice.
"""

from __future__ import annotations

import datetime
import difflib
import re
from dataclasses import dataclass

from pydantic import field_validator

from ultracurate.core.layout import Strict

RESTRICTED = "restricted"
"""An agreement, non-commercial or mixed terms without an SPDX id."""
UNKNOWN = "unknown"
"""Somebody looked and found no licence, or sources that disagree."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence allows; None where nobody can say without reading the source."""

    redistribution: bool | None
    commercial: bool | None
    derivatives: bool | None  # may a changed copy (a cropped, cleaned frame) be passed on
    share_alike: bool = False
    attribution: bool = True


_OPEN = Terms(True, True, True)
_FREE = Terms(True, True, True, attribution=False)
_COPYLEFT = Terms(True, True, True, share_alike=True)
_UNSTATED = Terms(None, None, None)


def _creative_commons() -> dict[str, Terms]:
    kinds = {
        "BY": _OPEN,
        "BY-SA": _COPYLEFT,
        "BY-ND": Terms(True, True, False),
        "BY-NC": Terms(True, False, True),
        "BY-NC-SA": Terms(True, False, True, share_alike=True),
        "BY-NC-ND": Terms(True, False, False),
    }
    return {f"CC-{kind}-{version}": terms for kind, terms in kinds.items() for version in ("2.0", "2.5", "3.0", "4.0")}


TERMS: dict[str, Terms] = {
    **_creative_commons(),
    **dict.fromkeys(("CC0-1.0", "PDDL-1.0", "Unlicense", "0BSD", "MIT-0", "WTFPL", "CC-PDDC"), _FREE),
    **dict.fromkeys(
        (
            "Apache-2.0",
            "MIT",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "BSD-4-Clause",
            "BSD-3-Clause-Clear",
            "ISC",
            "Zlib",
            "BSL-1.0",
            "Artistic-2.0",
            "AFL-3.0",
            "ECL-2.0",
            "NCSA",
            "PostgreSQL",
            "PSF-2.0",
            "Python-2.0",
            "X11",
            "UPL-1.0",
            "ODC-By-1.0",
            "CDLA-Permissive-1.0",
            "CDLA-Permissive-2.0",
            "etalab-2.0",
            "OGL-UK-3.0",
            "OGL-Canada-2.0",
            "NLOD-2.0",
            "DL-DE-BY-2.0",
            "MulanPSL-2.0",
        ),
        _OPEN,
    ),
    **dict.fromkeys(("DL-DE-ZERO-2.0",), _FREE),
    **dict.fromkeys(
        (
            "ODbL-1.0",
            "CDLA-Sharing-1.0",
            "GPL-2.0-only",
            "GPL-2.0-or-later",
            "GPL-3.0-only",
            "GPL-3.0-or-later",
            "LGPL-2.1-only",
            "LGPL-2.1-or-later",
            "LGPL-3.0-only",
            "LGPL-3.0-or-later",
            "AGPL-3.0-only",
            "AGPL-3.0-or-later",
            "MPL-2.0",
            "EPL-2.0",
            "EUPL-1.2",
            "GFDL-1.3-only",
            "GFDL-1.3-or-later",
            "OSL-3.0",
            "CECILL-2.1",
        ),
        _COPYLEFT,
    ),
    **dict.fromkeys(("PolyForm-Noncommercial-1.0.0", "C-UDA-1.0"), Terms(True, False, True)),
    RESTRICTED: _UNSTATED,
    UNKNOWN: _UNSTATED,
}
"""Every id that a manifest may state, with its terms."""

_WRITTEN_AS = {
    "cc0": "CC0-1.0",
    "cc-zero": "CC0-1.0",
    "publicdomain-zero-1.0": "CC0-1.0",
    "apache2.0": "Apache-2.0",
    "apache-license-2.0": "Apache-2.0",
    "mit-license": "MIT",
    "bsd-3": "BSD-3-Clause",
    "bsd-2": "BSD-2-Clause",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "odc-odbl": "ODbL-1.0",
}


def nearest(licence: str) -> str | None:
    """The known id that looks most like this text, as a proposal for an error message."""
    if found := find_licence(licence):
        return found
    folded = {known.lower(): known for known in TERMS}
    close = difflib.get_close_matches(licence.lower().replace(" ", "-"), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def find_licence(text: str) -> str | None:
    """The SPDX id behind a host's way to write it (`cc-by-4.0`, `CC BY 4.0`, a licence URL); None if unsure.

    A Creative Commons licence without a version stays unknown: versions differ in their terms.
    """
    folded = text.strip().lower()
    if url := re.fullmatch(r"https?://creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)(/.*)?", folded):
        folded = f"publicdomain-{url[2]}-{url[3]}" if url[1] == "publicdomain" else f"cc-{url[2]}-{url[3]}"
    if url := re.fullmatch(r"https?://(?:www\.)?spdx\.org/licenses/(.+?)(?:\.html|\.json)?", folded):
        folded = url[1]
    folded = re.sub(r"[\s_]+", "-", folded)
    by_fold = {known.lower(): known for known in TERMS}
    return by_fold.get(folded) or _WRITTEN_AS.get(folded)


class Licence(Strict):
    """The licence of the data (not of code that happens to lie beside it), and where that was read."""

    id: str
    """SPDX id, `restricted` (an agreement, or terms without an SPDX id) or `unknown` (looked, found none)."""
    redistribution: bool | None = None
    """Whether copies may be passed on; absent: as the SPDX id says."""
    commercial: bool | None = None
    """Whether commercial use is allowed; absent: as the SPDX id says."""
    evidence: str | None = None
    """Where the licence was read: a URL, or a file in the dataset."""
    read: datetime.date | None = None
    """When it was read."""
    note: str | None = None

    @field_validator("id")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in TERMS:
            close = nearest(value)
            todo = (
                f"Did you mean '{close}'?"
                if close
                else "Use 'restricted' for an agreement, 'unknown' if none was found."
            )
            raise ValueError(f"expected an SPDX licence id, 'restricted' or 'unknown', found {value!r}. {todo}")
        return value

    @property
    def terms(self) -> Terms:
        """Terms of the SPDX id, with what this manifest states itself on top."""
        known = TERMS[self.id]
        return Terms(
            redistribution=known.redistribution if self.redistribution is None else self.redistribution,
            commercial=known.commercial if self.commercial is None else self.commercial,
            derivatives=False if self.redistribution is False else known.derivatives,
            share_alike=known.share_alike,
            attribution=known.attribution,
        )
