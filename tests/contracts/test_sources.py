"""Every source, also one that is added tomorrow, keeps the protocol."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import ultracurate.sources
from ultracurate.core.errors import ConfigError, ContractError
from ultracurate.sources import Source, SourceContext, create_source, source, source_names
from ultracurate.sources._base import SOURCES


@pytest.fixture(params=source_names())
def made(request: pytest.FixtureRequest) -> Source:
    return create_source(request.param, SourceContext(environ={}))


def test_every_file_of_the_package_is_found() -> None:
    folder = Path(str(ultracurate.sources.__file__)).parent
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert files == set(source_names())
    assert {"http", "local", "zenodo"} <= files


def test_it_keeps_the_protocol(made: Source) -> None:
    assert isinstance(made, Source)
    for name in ("search", "describe", "list_files", "fetch"):
        ours = inspect.signature(getattr(made, name))
        wanted = inspect.signature(getattr(Source, name))
        assert list(ours.parameters) == list(wanted.parameters)[1:]
        assert ours.return_annotation == wanted.return_annotation


def test_it_knows_its_name(made: Source) -> None:
    assert made.host in source_names()
    assert made.host == type(made).__module__.rpartition(".")[2]


def test_it_asks_nothing_when_it_is_made_or_finds_nothing(made: Source) -> None:
    assert list(made.search("ultrasound", 0)) == []


def test_an_unknown_name_helps() -> None:
    with pytest.raises(ConfigError, match=r"'zenod'.*[Dd]id you mean 'zenodo'.*local"):
        create_source("zenod", SourceContext())


def test_a_name_is_given_once() -> None:
    class Second:
        pass

    before = dict(SOURCES._items)
    with pytest.raises(ContractError, match="zenodo"):
        source("zenodo")(Second)
    assert before == SOURCES._items


def test_looking_up_sources_loads_nothing_heavy() -> None:
    code = (
        "import sys, ultracurate.sources as s; assert 'requests' not in sys.modules; s.source_names(); "
        "print([m for m in ('cv2', 'dask', 'torch', 'pydicom', 'av', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
