from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.sources import SourceContext


def test_a_setting_wins_over_the_environment_and_that_over_the_public_host() -> None:
    environ = {"ULTRACURATE_HOST_ZENODO": "http://env:1/"}
    setting = SourceContext(hosts={"zenodo": "http://set:2"}, environ=environ)
    assert setting.base_url("zenodo", "https://zenodo.org") == "http://set:2"
    assert SourceContext(environ=environ).base_url("zenodo", "https://zenodo.org") == "http://env:1"
    assert SourceContext(environ={}).base_url("zenodo", "https://zenodo.org") == "https://zenodo.org"


@pytest.mark.parametrize("wrong", ["zenodo.org", "ftp://zenodo.org", "https://me:s3cr3t@h", "https://h?token=s3cr3t"])
def test_an_address_that_is_none_is_told_without_repeating_secrets(wrong: str) -> None:
    with pytest.raises(ConfigError, match="ULTRACURATE_HOST_ZENODO") as caught:
        SourceContext(hosts={"zenodo": wrong}, environ={}).base_url("zenodo", None)
    assert "s3cr3t" not in str(caught.value)


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ULTRACURATE_ROOT_SETS", str(tmp_path))
    monkeypatch.setenv("ZENODO_TOKEN", "s3cr3t")
    assert SourceContext().root("sets") == tmp_path
    assert SourceContext().token("ZENODO_TOKEN") == "s3cr3t"
    assert b"s3cr3t" not in pickle.dumps(SourceContext())
    assert "s3cr3t" not in repr(SourceContext(environ={"ZENODO_TOKEN": "s3cr3t"}))


@pytest.mark.parametrize("roots", [{}, {"sets": "/nowhere/at/all"}])
def test_a_missing_root_names_the_three_ways_to_set_it(roots: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        SourceContext(roots=roots, environ={}).root("sets")
    for way in ("roots: {sets: FOLDER}", "--root sets=FOLDER", "ULTRACURATE_ROOT_SETS=FOLDER", *roots.values()):
        assert way in str(caught.value)
