"""The DICOM series inside an invented TCIA collection, and the zip archives the archive makes of them."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord

ARCHIVE_LIMIT = 256 << 20
"""Bytes of members; archives are made in memory."""
_CREATIVE = re.compile(r"CC-(BY(?:-[A-Z]{2})*)-(\d\.\d)")
_WORDS = {"BY": "Attribution", "NC": "NonCommercial", "SA": "ShareAlike", "ND": "NoDerivatives"}


@dataclass
class Series:
    """One series: files `<patient>/<modality>/<series>/<name>` of a record; a series named by a UID keeps it."""

    record: HostRecord
    patient: str
    modality: str
    uid: str
    number: int
    files: list[HostFile] = field(default_factory=list)

    @property
    def study(self) -> str:
        """StudyInstanceUID: one study for each patient."""
        return uid_of(f"{self.record.id}/{self.patient}")

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size for file in self.files)

    def row(self) -> dict[str, Any]:
        """As `getSeries` lists it; facts that are not known are left out."""
        licence, uri = licence_of(self.record)
        row = {
            "SeriesInstanceUID": self.uid,
            "StudyInstanceUID": self.study,
            "Modality": self.modality,
            "SeriesDate": f"{self.record.created} 00:00:00.0",
            "BodyPartExamined": self.record.keywords[0].upper() if self.record.keywords else None,
            "SeriesNumber": self.number,
            "Collection": self.record.id,
            "PatientID": self.patient,
            "Manufacturer": "Phantom Medical",
            "ImageCount": len(self.files),
            "FileSize": self.bytes,
            "LicenseName": licence,
            "LicenseURI": uri,
            "CollectionURI": doi_of(self.record),
        }
        return {name: value for name, value in row.items() if value is not None}

    def metadata_row(self) -> dict[str, Any]:
        """As `getSeriesMetaData` lists it: other names, other dates, numbers as text."""
        year, month, day = self.record.created.split("-")
        return {
            "Series UID": self.uid,
            "Collection": self.record.id,
            "Data Description URI": doi_of(self.record),
            "Subject ID": self.patient,
            "Study UID": self.study,
            "Study Date": f"{month}-{day}-{year}",
            "Manufacturer": "Phantom Medical",
            "Modality": self.modality,
            "SOP Class UID": "1.2.840.10008.5.1.4.1.1.6.1",
            "Number of Images": str(len(self.files)),
            "File Size": str(self.bytes),
            "Series Number": f"{self.number}.000000",
            "License Name": licence_of(self.record)[0],
        }

    def archive(self, faults: Faults, *, digests: bool, new_names: bool) -> HostFile:
        """A zip of the series; with `digests` it holds a table of md5 as well."""
        if self.bytes > ARCHIVE_LIMIT:
            raise ValueError(f"Series {self.uid}: expected at most {ARCHIVE_LIMIT} bytes, found {self.bytes}")
        out, table = _Stream(), ["Filename,MD5Hash"]
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, file in enumerate(self.files, 1):
                name = f"1-{number:03}.dcm" if new_names else f"{number:08}.dcm"
                archive.writestr(zipfile.ZipInfo(name), b"".join(file.pieces()), zipfile.ZIP_DEFLATED)
                if (md5 := faults.digest(file)) is not None:
                    table.append(f"{name},{md5}")
            archive.writestr(zipfile.ZipInfo("LICENSE"), f"{licence_of(self.record)[0]}\n")
            if digests:
                archive.writestr(zipfile.ZipInfo("md5hashes.csv"), "\n".join(table) + "\n")
        return HostFile(f"{self.uid}.zip", out.getvalue())


class _Stream(io.BytesIO):
    """A sink without places, as a socket is: members then state their size and CRC behind their data."""

    def tell(self) -> int:
        raise OSError("not seekable")

    def seek(self, *_: int) -> int:
        raise OSError("not seekable")


def series_of(records: Iterable[HostRecord]) -> list[Series]:
    """All series of the collections that the archive itself holds: controlled ones live elsewhere."""
    found: dict[str, Series] = {}
    for record in records:
        if record.deleted or record.access != "open":
            continue
        for file in record.files:
            if (parts := dicom_parts(file)) is None:
                continue
            patient, modality, name = parts
            uid = name if re.fullmatch(r"\d+(\.\d+)+", name) else uid_of(f"{record.id}/{patient}/{modality}/{name}")
            series = found.setdefault(uid, Series(record, patient, modality, uid, len(found) + 1))
            series.files.append(file)
    return list(found.values())


def dicom_parts(file: HostFile) -> tuple[str, str, str] | None:
    """Patient, modality and series that a file belongs to; None for a file of another kind."""
    parts = file.key.split("/")
    return (parts[0], parts[1], parts[2]) if len(parts) == 4 else None


def uid_of(name: str) -> str:
    """A DICOM UID that stands for a name."""
    return f"2.25.{int(hashlib.sha256(name.encode()).hexdigest()[:24], 16)}"


def doi_of(record: HostRecord) -> str:
    """Address of a collection's DOI."""
    return f"https://doi.org/{record.doi or f'10.7937/phantom-{record.id.lower()}'}"


def licence_of(record: HostRecord) -> tuple[str | None, str | None]:
    """Name and address of a collection's licence, in the archive's words."""
    found = _CREATIVE.fullmatch(record.licence or "")
    if found is None:
        return record.licence, None
    kind, version = found.groups()
    words = "-".join(_WORDS[part] for part in kind.split("-"))
    address = f"https://creativecommons.org/licenses/{kind.lower()}/{version}/"
    return f"Creative Commons {words} {version} International License", address
