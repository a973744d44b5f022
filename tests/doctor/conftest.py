from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import SourceContext

PICTURE = HostFile("frames/a 1.png", b"\x89PNG" + b"speckle" * 40)
DICOM = HostFile("P-7/US/1/1.dcm", bytes(128) + b"DICM")
RECORDS = [
    HostRecord("zenodo", "8101", "Ultrasound of the thyroid", files=(PICTURE,)),
    HostRecord("kaggle", "roe-lab/thyroid-ultrasound", "Thyroid ultrasound", files=(PICTURE,)),
    HostRecord("mendeley", "abc123def4", "Ultrasound of the liver", files=(HostFile("b.png", PICTURE.body),)),
    HostRecord("figshare", "9101", "Ultrasound of the breast", files=(HostFile("c.png", PICTURE.body),)),
    HostRecord("github", "roe-lab/us-dataset", "Ultrasound dataset", files=(PICTURE,)),
    HostRecord("tcia", "B-mode-and-CEUS-Liver", "Ultrasound of the liver", files=(DICOM,)),
    HostRecord("synapse", "syn901", "Ultrasound of the heart", files=(PICTURE,)),
]


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def local(no_proxy: None) -> Iterator[LocalHosts]:
    with LocalHosts(RECORDS) as server:
        yield server


def context_for(server: LocalHosts, **environ: str) -> SourceContext:
    """Everything in the environment, as the command has it."""
    moved = {f"ULTRACURATE_HOST_{name.upper()}": url for name, url in server.hosts.items()}
    return SourceContext(environ={"HOME": "/nowhere", **moved, **environ})


Json = dict[str, Any]
