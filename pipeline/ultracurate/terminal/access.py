"""What a person must do before a dataset can be used: accounts, forms, downloads by hand, a missing layout."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ultracurate.core.errors import ConfigError

if TYPE_CHECKING:
    from ultracurate.core.dataset import DatasetManifest, SourceRef
    from ultracurate.core.licences import Licence

Kind = Literal["look", "form", "account", "manual", "folder", "layout"]
LicenceKind = Literal["open", "non-commercial", "restricted", "unknown"]
Roots = Mapping[str, str]
"""Folder by the name of its root, as a recipe gives them."""

NOTHING = "nothing"
"""What `todo` says where no step is left."""

WAITS: dict[Kind, tuple[str, str]] = {
    "layout": ("waits for a layout", "wait for a layout"),
    "account": ("needs an account", "need an account"),
    "form": ("needs a form", "need a form"),
    "manual": ("must be downloaded by hand", "must be downloaded by hand"),
    "folder": ("needs a local folder", "need a local folder"),
    "look": ("has an access that nobody looked up", "have an access that nobody looked up"),
}
"""How a total names a kind of step, for one dataset and for several, in the order of the totals."""

OPTIONAL = {"zenodo": "ZENODO_TOKEN", "github": "GITHUB_TOKEN"}
"""Hosts that work without a token and allow more requests with one."""

_KAGGLE = "set KAGGLE_API_TOKEN (or keep ~/.kaggle/kaggle.json)"
_ACCOUNTS = {
    "kaggle": f"make an account at https://www.kaggle.com and {_KAGGLE}",
    "synapse": "make an account, accept the terms at {page} and set SYNAPSE_AUTH_TOKEN",
    "aimi": "sign the agreement at {page}, then set ULTRACURATE_AIMI_SAS to the signed address that it gives",
    "grand_challenge": "join at {page}, make a token there and set GRAND_CHALLENGE_AUTHORIZATION",
}
"""Hosts that let nobody in without an account, with what to do there."""

_PAGES = {
    "zenodo": "https://zenodo.org/records/{record}",
    "kaggle": "https://www.kaggle.com/{record}",
    "mendeley": "https://data.mendeley.com/datasets/{record}",
    "figshare": "https://figshare.com/articles/dataset/_/{record}",
    "github": "https://github.com/{record}",
    "tcia": "https://www.cancerimagingarchive.net/collection/{record}/",
    "synapse": "https://www.synapse.org/Synapse:{record}",
    "gdrive": "https://drive.google.com/drive/folders/{record}",
    "grand_challenge": "https://grand-challenge.org/archives/{record}/",
}
_PAGE = re.compile(r"\bPage: (https?://[^\s'\"<>]+)")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, with its kind for the totals."""

    kind: Kind
    text: str


def todo(manifest: DatasetManifest, roots: Roots | None = None) -> list[str]:
    """What a person must do for this dataset, first things first; `["nothing"]` where a run can just start."""
    return [step.text for step in steps(manifest, roots)] or [NOTHING]


def steps(manifest: DatasetManifest, roots: Roots | None = None) -> list[Step]:
    """The steps behind `todo`: how to get the files from the first source, then what the manifest lacks.

    The environment is not looked at: a token that is already set is still named.

    Args:
        manifest: of the dataset.
        roots: folders of the run; what already lies in them needs no step. Without a run there are none.
    """
    where = page(manifest)
    return [*_getting(manifest, where or "the dataset's page", roots or {}), *_layout(manifest)]


def page(manifest: DatasetManifest) -> str | None:
    """Address of the page where the dataset's first source is described; None where none is known."""
    source = manifest.sources[0]
    if source.url:
        return source.url
    if source.host == "kaggle" and source.record:
        record = source.record if source.record.startswith("competitions/") else f"datasets/{source.record}"
        return _PAGES["kaggle"].format(record=record)
    if source.record and source.host in _PAGES:
        return _PAGES[source.host].format(record=source.record)
    return next((found[1].rstrip(".,;") for remark in manifest.remarks if (found := _PAGE.search(remark))), None)


def licence_kind(licence: Licence) -> LicenceKind:
    """The licence in one word; `open` allows commercial use and passing on changed copies."""
    terms = licence.terms
    if terms.commercial is False:
        return "non-commercial"
    if terms.redistribution is False or terms.derivatives is False or licence.id == "restricted":
        return "restricted"
    return "open" if terms.redistribution else "unknown"


def totals(manifests: Sequence[DatasetManifest], roots: Roots | None = None) -> dict[str, int]:
    """How many of these datasets wait for each kind of step, and for none; a dataset may wait for several."""
    found = [{step.kind for step in steps(manifest, roots)} for manifest in manifests]
    counts: Counter[str] = Counter(kind for kinds in found for kind in kinds)
    return {kind: counts[kind] for kind in WAITS if counts[kind]} | {NOTHING: sum(not kinds for kinds in found)}


def waiting(counts: dict[str, int], of: int) -> str:
    """The totals as a sentence: `38 of 46 wait for a layout; 12 need an account; 8 need nothing`."""
    parts = [f"{counts[kind]} {WAITS[kind][counts[kind] > 1]}" for kind in WAITS if counts.get(kind)]
    none = counts.get(NOTHING, 0)
    parts += [f"{none} {'needs' if none == 1 else 'need'} nothing"]
    number, _, rest = parts[0].partition(" ")
    return "; ".join([f"{number} of {of} {rest}", *parts[1:]])


def optional_tokens(manifests: Iterable[DatasetManifest]) -> dict[str, int]:
    """Variables that nobody needs, but that raise a host's limits, with the number of datasets at that host."""
    return dict(Counter(OPTIONAL[m.sources[0].host] for m in manifests if m.sources[0].host in OPTIONAL))


def _getting(manifest: DatasetManifest, where: str, roots: Roots) -> list[Step]:
    source = manifest.sources[0]
    found: list[Step] = []
    if source.host == "local":
        return _local(source, roots)
    if source.host == "manual" and _is_here(source, roots):
        return []
    if manifest.access is None and source.host != "manual":
        found.append(Step("look", f"read at {where} how the files are had, then state it under `access`"))
    if manifest.access == "request":
        found.append(Step("form", f"fill the request form at {where} and wait for the answer"))
    if source.host in _ACCOUNTS:
        registered = f"accept the terms at {where} and {_KAGGLE}"
        kaggle_terms = source.host == "kaggle" and manifest.access == "registration"
        found.append(Step("account", registered if kaggle_terms else _ACCOUNTS[source.host].format(page=where)))
    elif manifest.access == "registration":
        found.append(Step("form", f"register at {where}"))
    if source.host == "manual" or manifest.access == "manual":
        found.append(_by_hand(manifest, roots))
    return found


def _local(source: SourceRef, roots: Roots) -> list[Step]:
    """Nothing where the folder is there, or where the manifest itself says where it is."""
    if not source.root:
        return []
    if source.root not in roots:
        return [Step("folder", f"say where the folder is: --root {source.root}=PATH")]
    folder = Path(roots[source.root], source.path or "")
    if folder.exists():
        return []
    return [Step("folder", f"there is no {folder}: make it, or name another place with --root {source.root}=PATH")]


def _by_hand(manifest: DatasetManifest, roots: Roots) -> Step:
    """From the page, by the manifest's own steps, to the folder where the files are looked for."""
    from ultracurate.sources.manual import DEFAULT_ROOT, place

    ref = next((ref for ref in manifest.sources if ref.host == "manual"), None)
    root, path = place(ref) if ref else (DEFAULT_ROOT, manifest.slug)
    text = (
        f"download by hand from {page(manifest)}" if page(manifest) else "find a place to get it from (none is known)"
    )
    own = [step.strip().rstrip(".") for step in ref.steps if step.strip()] if ref else []
    if own:
        start = f"at {page(manifest)}: " if page(manifest) else ""
        text = start + "; ".join(f"{number}. {step}" for number, step in enumerate(own, 1)) + "; then"
    else:
        text += ","
    if root in roots:
        return Step("manual", f"{text} put it into {Path(roots[root], path or '')}")
    folder = f"FOLDER/{path}" if path else "FOLDER"
    return Step("manual", f"{text} put it into {folder}, then run with --root {root}=FOLDER")


def _is_here(source: SourceRef, roots: Roots) -> bool:
    """Whether a person has already brought the files, as the source itself sees it."""
    from ultracurate.sources import SourceContext, SourceError
    from ultracurate.sources.manual import ManualSource

    try:
        return bool(ManualSource(SourceContext(roots=roots, environ={})).list_files(source))
    except (ConfigError, SourceError):  # a run says what is wrong with it
        return False


def _layout(manifest: DatasetManifest) -> list[Step]:
    if manifest.status == "ready":
        return []
    if manifest.layout:
        return [Step("layout", "check the layout in its manifest against the files, then take out needs_layout")]
    return [Step("layout", "someone must look at the files and write the layout (needs_layout)")]
