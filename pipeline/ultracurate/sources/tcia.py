"""The Cancer Imaging Archive: ultrasound series through NBIA's REST interface, other files from the site.

A record is a collection (its slug, name, page or DOI): one zip for each series of modality US. Where NBIA does not have
the collection, its downloads at the site are the files. `downloads/<id>` is one of these. Each zip holds a table of md5
digests of its images; the host states nothing of the zip itself, which it makes anew each time.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ultracurate.core.errors import ConfigError
from ultracurate.core.log import event
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import Candidate, Fetched, RemoteFile, SourceError, SourceState, select_files, source
from ultracurate.sources._context import SourceContext
from ultracurate.sources._fields import count, packed, rows, text
from ultracurate.sources._tcia_site import ASPERA, LIMITED, SITE, Site, candidate, one_licence
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

NBIA = "https://services.cancerimagingarchive.net/nbia-api/services/v1"
_RECORD = re.compile(
    r"(?:https?://(?:www\.)?cancerimagingarchive\.net/collection/)?(?P<name>[A-Za-z0-9][A-Za-z0-9_. -]{0,198})/?"
    r"|(?:https?://(?:dx\.)?doi\.org/)?(?P<doi>10\.7937/[^\s?#]{1,100})"
    r"|downloads/(?P<download>[0-9]{1,12})"
)
_UID = re.compile(r"[0-9.]{1,64}")
_SERIES = re.compile(rf"{re.escape(NBIA)}/getImageWithMD5Hash\?SeriesInstanceUID=([0-9.]{{1,64}})")


@source("tcia")
class TciaSource(WebSource):
    """The archive without a login: all that NBIA still holds is open."""

    hosts = {"tcia": NBIA, "tcia_collections": SITE}  # noqa: RUF012 - read only
    limits = {"tcia": 60.0}  # noqa: RUF012
    parallel = 2

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._site = Site(self.http, self.base("tcia_collections"))

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Collections that the site finds for a query, each once; their files are not listed."""
        seen: set[str | None] = set()
        if limit < 1:
            return
        for row in self._site.collections(query):
            found = candidate(row)
            if found is None or found.record in seen:
                continue
            seen.add(found.record)
            yield found
            if len(seen) >= limit:
                return

    def describe(self, ref: SourceRef) -> Candidate:
        """The collection with its ultrasound series or its downloads; or one download."""
        match = _parse(ref)
        if match["download"]:
            return self._download(match["download"])
        key = (match["name"] or match["doi"]).strip("/").lower()
        row = self._site.collection(key)
        found = (candidate(row) if row else None) or Candidate("tcia", key, key, "", "")
        names = {key, (text((row or {}).get("collection_short_title")) or key).lower()}
        known = self._nbia("getCollectionValues", {}, "TCIA's list of collections")
        name = next((name for one in known if (name := text(one.get("Collection"))) and name.lower() in names), None)
        if name is not None:
            return self._series(found, name)
        if row is None:
            raise SourceError(SourceState.NOT_FOUND, f"TCIA has no collection {ref.record!r}")
        listed = row.get("collection_downloads")
        numbers = [number for one in (listed if isinstance(listed, list) else []) if (number := count(one)) is not None]
        return self._with_downloads(found, self._site.downloads(numbers))

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The zips of the series, or the downloads; what only Aspera or a contract gives is an error."""
        found = self.describe(ref)
        where = f"TCIA record {found.record}"
        files = [file for file in found.files if not file.problem]
        wanted = {file.name for file in ref.files}
        hindered = Counter(file.problem for file in found.files if file.problem and (not wanted or file.name in wanted))
        if found.access == "restricted" or (hindered[LIMITED] and not files):
            raise SourceError(
                SourceState.RESTRICTED,
                f"{where} is controlled data",
                advice=f"Read at {found.url} how to apply, then add the files as a `manual` or `local` source.",
            )
        if hindered[ASPERA] and (not files or wanted - {file.name for file in files}):
            raise SourceError(
                SourceState.MANUAL,
                f"{where} is {ASPERA}",
                advice=f"Open {found.url}, download it with the IBM Aspera Connect plug-in, and add it as a `manual` "
                "or `local` source.",
            )
        if not files:
            raise SourceError(SourceState.NOT_FOUND, f"{where} ({found.url}) holds no ultrasound series and no files")
        return select_files(files, ref.files, where)

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        """Download; a series must hold as many images as the archive says, as nothing else tells a cut zip."""
        got = super().fetch(file, target)
        match = _SERIES.fullmatch(file.url)
        if match is None or (file.checksum and file.size is not None):
            return got
        problem = self._problem(match[1], got.path)
        if problem:
            got.path.unlink(missing_ok=True)
            raise SourceError(
                SourceState.CHECKSUM_MISMATCH,
                f"TCIA series {match[1]}: {problem}",
                advice="Run the same command again; if it stays so, write to the archive's help desk.",
            )
        return got

    def _problem(self, uid: str, path: Path) -> str | None:
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as exc:
            return f"expected a zip archive, found a damaged one ({type(exc).__name__})"
        stated = self._nbia("getSeriesSize", {"SeriesInstanceUID": uid}, f"Size of TCIA series {uid}")
        row = stated[0] if stated else {}
        expected, total = count(row.get("ObjectCount")), count(row.get("TotalSizeInBytes"))
        images = [member for member in members if member.filename.lower().endswith(".dcm")]
        if expected is not None and len(images) != expected:
            return f"expected {expected} images, found {len(images)}"
        size, total = (
            sum(image.file_size for image in images),
            count(stated[0].get("TotalSizeInBytes")) if stated else 0,
        )
        if total and size != total:  # the digests inside the zip decide; the archive's own sizes are sometimes old
            event("tcia.other_size", series=uid, stated=total, found=size)
        return None

    def _series(self, found: Candidate, name: str) -> Candidate:
        where = f"Series of TCIA collection {name}"
        series = self._nbia("getSeries", {"Collection": name, "Modality": "US"}, where)
        files: dict[str, RemoteFile] = {}
        licences, total, doi = [], 0, None
        for row in series:
            uid = text(row.get("SeriesInstanceUID") or row.get("Series UID")) or ""
            if not _UID.fullmatch(uid) or row.get("Modality", "US") != "US":
                continue
            patient = text(row.get("PatientID") or row.get("Subject ID")) or "unknown"
            folder = re.sub(r"[^\w.-]", "_", patient).lstrip(".")[:100] or "unknown"
            files[uid] = RemoteFile(f"{folder}/{uid}.zip", f"{NBIA}/getImageWithMD5Hash?SeriesInstanceUID={uid}")
            total += count(row.get("FileSize", row.get("File Size"))) or 0
            licences.append((text(row.get("LicenseName") or row.get("License Name")), text(row.get("LicenseURI"))))
            doi = doi or text(row.get("CollectionURI") or row.get("Data Description URI"))
        licence_raw, licence_spdx = one_licence(licences)
        return replace(
            found,
            record=name,
            url=found.url or f"https://www.cancerimagingarchive.net/collection/{name.lower()}/",
            doi=found.doi or re.sub(r"^https?://(?:dx\.)?doi\.org/", "", doi or "") or None,
            licence_raw=licence_raw,
            licence_spdx=licence_spdx,
            access="open",
            files=tuple(files.values()),
            files_listed=True,
            total_bytes=total or None,
            raw=found.raw or packed(series[:1]),
        )

    def _download(self, number: str) -> Candidate:
        row = self._site.download(number)
        if count(row.get("id")) != int(number):
            raise SourceError(SourceState.BAD_ANSWER, f"TCIA download {number}: found another shape of answer")
        url = "https://www.cancerimagingarchive.net/browse-collections/"
        title = text(row.get("download_title")) or number
        found = Candidate("tcia", f"downloads/{number}", title, "", url, access="open", raw=packed(row))
        found = self._with_downloads(found, [row])
        return replace(found, access="restricted") if any(file.problem == LIMITED for file in found.files) else found

    def _with_downloads(self, found: Candidate, table: list[dict[str, Any]]) -> Candidate:
        files: dict[str, RemoteFile] = {}
        for row in table:
            file = self._site.file(row)
            if file is not None:
                name = file.name if file.name not in files else f"{count(row.get('id'))}/{file.name}"
                files[name] = replace(file, name=name)
        licence_raw, licence_spdx = one_licence([(text(row.get("data_license")), None) for row in table])
        return replace(
            found,
            licence_raw=licence_raw,
            licence_spdx=licence_spdx,
            files=tuple(files.values()),
            files_listed=True,
        )

    def _nbia(self, method: str, params: dict[str, str | int], what: str) -> list[dict[str, Any]]:
        """The rows of an answer; no rows are an empty body, and empty rows occur."""
        ask = Ask(f"{self.base('tcia')}/{method}", what, kind="tcia", params=params, empty=[])
        data = self.http.get_json(ask).data
        if not isinstance(data, list):
            raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected a list, found another shape")
        return rows(data)


def _parse(ref: SourceRef) -> re.Match[str]:
    match = _RECORD.fullmatch((ref.record or "").strip())
    if match is None:
        raise ConfigError(
            "A tcia source expects `record`: the name, page or DOI (10.7937/...) of a collection, or downloads/NUMBER; "
            f"found {ref.record!r}. Correct it in the dataset's manifest."
        )
    return match
