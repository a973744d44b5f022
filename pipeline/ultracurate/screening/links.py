"""Addresses of data hosts inside a description: where a record that holds only text says that the data is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote

from ultracurate.screening.text import MAX_HTML, strip_html, unescape

MAX_LINKS = 50
"""Links kept of one description."""

DATA_HOSTS = frozenset(
    ["zenodo", "kaggle", "mendeley", "figshare", "tcia", "synapse", "gdrive", "aimi", "grand_challenge"]
)
"""Hosts that hold data; a DOI of another kind is mostly a paper, a GitHub address mostly code."""


@dataclass(frozen=True, slots=True)
class Link:
    """One record at one host, as a text names it."""

    host: str
    """Name of the source; `doi` where the DOI says no more."""
    record: str
    url: str
    """The record's public page, rebuilt from its id: never a query or a token."""


_STOP = r"\s\"'<>()\[\]{}|\\^`，。；、（）「」"
_ADDRESS = re.compile(
    rf"(?:https?://|(?<![\w./@-])(?:www\.)?(?=[a-z]))([a-z0-9.-]{{4,100}}\.[a-z]{{2,6}}/[^{_STOP}]{{0,500}})",
    re.IGNORECASE,
)
_DOI = re.compile(rf"(?<![\w.])(10\.\d{{4,9}}/[^{_STOP}]{{1,200}})")
_ID = r"([\w.-]{1,100})"
_GITHUB_OWN = {"topics", "sponsors", "orgs", "features", "about", "marketplace", "apps", "settings", "login", "search"}
_KAGGLE_OWN = {
    "code",
    "notebooks",
    "kernels",
    "models",
    "organizations",
    "learn",
    "discussions",
    "docs",
    "competitions",
}
_KAGGLE_OWN |= {"c", "datasets", "general", "product", "account", "search", "rankings", "terms"}

_DOIS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"10\.5281/zenodo\.(\d{1,12})"), "zenodo"),
    (re.compile(r"10\.17632/([a-z0-9]{6,16})(?:\.(\d{1,3}))?"), "mendeley"),
    (re.compile(r"10\.6084/m9\.figshare\.(?:c\.)?(\d{1,12})(?:\.v(\d{1,3}))?"), "figshare"),
    (re.compile(r"10\.7303/(syn\d{1,12})"), "synapse"),
    (re.compile(r"10\.34740/kaggle/(?:ds|dsv)/(\d{1,12})"), "doi"),
)
_FIGSHARE = (
    r"(?:articles/(?:[^/]{1,40}/)?(?:[^/]{1,300}/)?|ndownloader/articles/)"
    r"(\d{1,12})(?:/(?:versions/)?(\d{1,3}))?(?![\w-])"
)
_DRIVE = (
    r"(?:drive/(?:u/\d/)?folders/|file/d/|open\?id=|uc\?(?:export=download&)?id=|embeddedfolderview\?id=)"
    r"([\w-]{10,100})"
)
_MENDELEY = r"(?:public-files/|public-api/)?datasets/([a-z0-9]{6,16})(?:/(\d{1,3}))?"
_PAGES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (r"zenodo.org", re.compile(r"(?:api/)?(?:records?|deposit|uploads)/(\d{1,12})"), "zenodo"),
    (r"kaggle.com", re.compile(rf"(?:api/v1/datasets/download|datasets)/{_ID}/{_ID}"), "kaggle"),
    (r"kaggle.com", re.compile(rf"(?:c|competitions)/{_ID}"), "kaggle/competition"),
    (r"kaggle.com", re.compile(rf"{_ID}/{_ID}"), "kaggle/old"),
    (r"data.mendeley.com", re.compile(_MENDELEY), "mendeley"),
    (r"figshare.com", re.compile(_FIGSHARE), "figshare"),
    (r"github.com", re.compile(rf"{_ID}/{_ID}"), "github"),
    (r"raw.githubusercontent.com", re.compile(rf"{_ID}/{_ID}"), "github"),
    (r"cancerimagingarchive.net", re.compile(rf"(?:collections?|analysis-result)/{_ID}"), "tcia"),
    (r"synapse.org", re.compile(r"(?:#!synapse:|synapse:)?(syn\d{1,12})"), "synapse"),
    (r"drive.google.com", re.compile(_DRIVE), "gdrive"),
    (r"drive.usercontent.google.com", re.compile(r"download\?id=([\w-]{10,100})"), "gdrive"),
    (r"stanfordaimi.azurewebsites.net", re.compile(r"datasets/([0-9a-f-]{36})"), "aimi"),
    (r"huggingface.co", re.compile(rf"datasets/{_ID}/{_ID}"), "huggingface"),
    (r"physionet.org", re.compile(rf"content/{_ID}"), "physionet"),
    (r"osf.io", re.compile(r"([a-z0-9]{5})(?![\w])"), "osf"),
)  # fmt: skip
_URLS = {
    "zenodo": "https://zenodo.org/records/{}",
    "kaggle": "https://www.kaggle.com/datasets/{}",
    "mendeley": "https://data.mendeley.com/datasets/{}",
    "figshare": "https://figshare.com/articles/dataset/_/{}",
    "github": "https://github.com/{}",
    "tcia": "https://www.cancerimagingarchive.net/collection/{}/",
    "synapse": "https://www.synapse.org/Synapse:{}",
    "gdrive": "https://drive.google.com/open?id={}",
    "aimi": "https://stanfordaimi.azurewebsites.net/datasets/{}",
    "grand_challenge": "https://{}.grand-challenge.org/",
    "huggingface": "https://huggingface.co/datasets/{}",
    "physionet": "https://physionet.org/content/{}/",
    "osf": "https://osf.io/{}/",
    "doi": "https://doi.org/{}",
}


def links(text: str) -> list[Link]:
    """Records of known hosts that an HTML text names, in its order, each once and at most `MAX_LINKS`."""
    plain = unescape(unescape(text[:MAX_HTML]))
    found: dict[tuple[str, str], Link] = {}
    places: list[tuple[int, str, Callable[[str], Link | None]]]
    places = [(match.start(), match[1], of_address) for match in _ADDRESS.finditer(plain)]
    places += [(match.start(), match[1], of_doi) for match in _DOI.finditer(plain)]
    for _, written, read in sorted(places, key=lambda place: place[0]):
        link = read(written.rstrip(".,;:!?*_~\u2026"))
        if link is not None:
            found.setdefault((link.host, link.record.lower()), link)
        if len(found) >= MAX_LINKS:
            break
    return list(found.values())


_COPY = re.compile(
    r"\b(?:mirror|copy|duplicate|clone|re-?upload|re-?post|backup|new version|updated version) of|identical |"
    r"same (?:data|files|images|content)\w* as|(?:originally|first|already) (?:published|deposited|uploaded|released)|"
    r"\breplaces|\bsupersedes?\b|previous version|earlier version|older version|copied from|taken over from",
    re.IGNORECASE,
)
_COMPANION = re.compile(
    r"\b(?:companion|sister|sequel|complement|addition) (?:data ?set |set |record )?(?:to|of)\b|\bcomplements\b|"
    r"\bcontinu(?:ed in|es|ation of)\b|\bsee also\b",
    re.IGNORECASE,
)
_AFTER_COPY = 200
"""Characters behind such words in which the address must stand."""


def copied_from(text: str) -> list[Link]:
    """Records of which an HTML text says that it is a copy or another version."""
    return _behind(_COPY, text)


def companions_of(text: str) -> list[Link]:
    """Records that an HTML text calls its companion: of one study, but with other data."""
    return _behind(_COMPANION, text)


def _behind(said: re.Pattern[str], text: str) -> list[Link]:
    plain = strip_html(text)
    found = []
    for match in islice(said.finditer(plain), MAX_LINKS):
        behind = plain[match.end() : match.end() + _AFTER_COPY]
        found += links(re.split(r"[.;!?]\s", behind)[0])[:1]
    return found


def outside(text: str) -> list[str]:
    """Names of the hosts that an HTML text leads to, known or not; those of papers, licences and people are none."""
    found: list[str] = []
    for sentence in re.split(r"[.;!?]\s|\n", strip_html(text)):
        named = [match[1].lower().removeprefix("www.") for match in _WEB.finditer(sentence)]
        dois = (of_doi(match[1].rstrip(".,;:")) for match in _DOI.finditer(sentence))
        if not _PAPER.search(sentence) and any(link and link.host == "doi" for link in dois):
            named.append("a DOI")
        elif not named and _ELSEWHERE.search(sentence):
            named.append("a place without an address")
        found += [host for host in named if not _NO_DATA.search(host)]
    return list(dict.fromkeys(found))[:MAX_LINKS]


_ELSEWHERE = re.compile(
    r"download|netdisk|dropbox|one ?drive|google drive|cloud|ftp|hosted|"
    r"(?:images?|data\w*|videos?|scans?|files) (?:can be|are|is) "
    r"(?:obtained|available|accessed|stored|found|requested|shared)",
    re.IGNORECASE,
)
"""A sentence that leads to data elsewhere, though its address cannot be read."""
_PAPER = re.compile(
    r"cite|citation|article|paper|journal|publication|published in|reference|described in|method", re.IGNORECASE
)
"""Words of a sentence whose DOI is that of a text, not of data."""
_WEB = re.compile(
    r"(?:(?:https?|s?ftp|s3|gs)://|(?<![\w./@-])(?=[a-z0-9-]+(?:\.[a-z0-9-]+)+/\w))(?:[^\s/@<>\"']{0,100}@)?([a-z0-9.-]{2,100}\.[a-z]{2,10})(?=[/:?\s]|$)",
    re.IGNORECASE,
)
_NO_DATA = re.compile(
    r"(?:^|\.)(?:doi\.org|creativecommons\.org|opensource\.org|orcid\.org|pubmed\.ncbi\.nlm\.nih\.gov|arxiv\.org|"
    r"w3\.org|gnu\.org|opendatacommons\.org|youtube\.com|youtu\.be|twitter\.com|x\.com|linkedin\.com|zenodo\.org|kaggle\.com|"
    r"mendeley\.com|figshare\.com|github\.com)$"
)


def of_doi(doi: str) -> Link | None:
    """The record behind a DOI, with or without `https://doi.org/`; None if it is no DOI."""
    folded = re.sub(r"^(?:https?://)?(?:dx\.)?(?:www\.)?doi\.org/|^doi:\s*", "", doi.strip().lower())
    if not re.fullmatch(r"10\.\d{4,9}/\S{1,200}", folded):
        return None
    for pattern, host in _DOIS:
        if match := pattern.match(folded):
            if host == "doi":
                break
            return _link(host, "/".join(part for part in match.groups() if part))
    return _link("doi", folded)


def of_address(address: str) -> Link | None:
    """The record behind a web address (`host/path`, the scheme may be there); None for hosts nobody knows."""
    host, _, path = re.sub(r"^https?://", "", address.strip(), flags=re.IGNORECASE).partition("/")
    host = host.lower().rpartition("@")[2].partition(":")[0].removeprefix("www.")
    path = unquote(path)[:600]
    if host in ("doi.org", "dx.doi.org"):
        return of_doi(path.partition("?")[0])
    if host == "zenodo.org" and (match := re.match(r"(?:doi|badge/doi)/(10\.\S{1,100}?)(?:\.svg)?$", path)):
        return of_doi(match[1])
    if (match := re.fullmatch(r"([a-z0-9-]{2,80})\.grand-challenge\.org", host)) and match[1] != "www":
        return _link("grand_challenge", match[1])
    for known, pattern, name in _PAGES:
        if (host == known or host.endswith("." + known)) and (match := pattern.match(_folded(name, path))):
            return _page(name, [part for part in match.groups() if part])
    return None


def _folded(name: str, path: str) -> str:
    """Ids of these hosts are lower case, and their addresses are written in any."""
    return path.lower() if name in ("mendeley", "synapse", "aimi", "tcia", "osf", "zenodo", "figshare") else path


def _page(name: str, parts: list[str]) -> Link | None:
    if name == "kaggle/competition":
        return Link("kaggle", f"competitions/{parts[0]}", f"https://www.kaggle.com/competitions/{parts[0]}")
    if name == "github":
        owner, repo = parts[0], parts[1].removesuffix(".git")
        return None if owner.lower() in _GITHUB_OWN or not repo else _link("github", f"{owner}/{repo}")
    if name == "kaggle/old":
        return None if parts[0].lower() in _KAGGLE_OWN else _link("kaggle", "/".join(parts))
    return _link(name, "/".join(parts))


def _link(host: str, record: str) -> Link:
    return Link(host, record, _URLS[host].format(record))
