from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.doctor.credentials import WAYS, Found, look
from ultracurate.doctor.web import settings, shown_origin, web_sources
from ultracurate.sources import SourceContext, create_source

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "s3cr3tValue0123456789"
SAS = f"https://acc0unt.blob.core.windows.net/echo-set?sv=2019-02-02&sr=c&sig={SECRET}%3D&sp=rl"


def found(home: Path, *, hosts: dict[str, str] | None = None, **environ: str) -> tuple[dict[str, Found], list[str]]:
    """By place, with the warnings; nothing of a value may ever be in them."""
    context = SourceContext(environ={"HOME": str(home), **environ}, hosts=hosts or {})
    rows, warnings = look(context, web_sources(), NOW)
    shown = repr(rows) + repr(warnings)
    for value in environ.values():
        assert value not in shown
    assert SECRET not in shown
    assert SECRET[:4] not in shown
    return {row.where: row for row in rows}, warnings


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_nothing_is_found_on_an_empty_machine(tmp_path: Path) -> None:
    rows, warnings = found(tmp_path)
    assert {row.where for row in rows.values() if row.found or row.used or row.notes} == set()
    assert warnings == []
    assert {row.source for row in rows.values()} == set(WAYS) & {web.source for web in web_sources()}


class Watched(Mapping[str, str]):
    """An environment that remembers what was looked up."""

    def __init__(self, home: Path) -> None:
        self.asked: set[str] = set()
        self._home = str(home)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        if name == "HOME":
            return self._home
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("HOME",))

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize("web", web_sources(), ids=lambda web: web.source)
def test_every_variable_that_a_source_looks_up_is_known_here(tmp_path: Path, web: object) -> None:
    source = web.source  # type: ignore[attr-defined]
    environ = Watched(tmp_path)
    create_source(source, SourceContext(environ=environ))
    known = {name for way in WAYS.get(source, ()) for name in way.variables} | {"HOME", "KAGGLE_CONFIG_DIR"}
    known.add("ULTRACURATE_MENDELEY_SITE_SEARCH")  # a setting, no credential
    assert {name for name in environ.asked if not name.startswith("ULTRACURATE_HOST_")} <= known


@pytest.mark.parametrize(
    "name", ["ZENODO_TOKEN", "FIGSHARE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "KAGGLE_API_TOKEN", "SYNAPSE_AUTH_TOKEN"]
)
def test_a_variable_is_found_and_used(tmp_path: Path, name: str) -> None:
    environ: Any = {name: SECRET}
    rows, warnings = found(tmp_path, **environ)
    assert (rows[name].found, rows[name].used) == (True, True)
    assert sum(row.found for row in rows.values()) == 1
    assert warnings == []


def test_the_first_of_several_is_used(tmp_path: Path) -> None:
    write(tmp_path / ".kaggle" / "access_token", SECRET)
    write(tmp_path / ".kaggle" / "kaggle.json", json.dumps({"username": "u", "key": SECRET}))
    rows, _ = found(tmp_path, GH_TOKEN=SECRET, GITHUB_TOKEN=SECRET + "2", KAGGLE_USERNAME="someone", KAGGLE_KEY=SECRET)
    assert [row.where for row in rows.values() if row.used] == ["GITHUB_TOKEN", "~/.kaggle/access_token"]
    assert [row.where for row in rows.values() if row.found and not row.used] == [
        "GH_TOKEN",
        "KAGGLE_USERNAME with KAGGLE_KEY",
        "kaggle.json in KAGGLE_CONFIG_DIR or ~/.kaggle",
    ]


def test_half_a_pair_is_told(tmp_path: Path) -> None:
    rows, warnings = found(tmp_path, KAGGLE_USERNAME="someone")
    assert not rows["KAGGLE_USERNAME with KAGGLE_KEY"].found
    assert warnings == ["KAGGLE_USERNAME with KAGGLE_KEY: KAGGLE_KEY is not set: both are needed"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_may_read_is_told(tmp_path: Path, mode: int) -> None:
    write(tmp_path / ".kaggle" / "access_token.txt", SECRET, mode)
    _, warnings = found(tmp_path)
    assert len(warnings) == 1
    assert f"mode {mode:03o}" in warnings[0]
    assert "chmod 600" in warnings[0]


def test_so_is_the_file_that_the_kaggle_variable_names(tmp_path: Path) -> None:
    path = write(tmp_path / "token", SECRET, 0o644)
    _, warnings = found(tmp_path, KAGGLE_API_TOKEN=str(path))
    assert ["mode 644" in warning for warning in warnings] == [True]
    write(path, SECRET)
    assert found(tmp_path, KAGGLE_API_TOKEN=str(path))[1] == []


def test_kaggle_json_lies_where_the_variable_says(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "kaggle.json", json.dumps({"username": "u", "key": SECRET}))
    where = "kaggle.json in KAGGLE_CONFIG_DIR or ~/.kaggle"
    assert found(tmp_path, KAGGLE_CONFIG_DIR=str(tmp_path / "elsewhere"))[0][where].used
    assert not found(tmp_path)[0][where].found


def test_a_login_that_the_source_cannot_use_is_told_without_it(tmp_path: Path) -> None:
    write(tmp_path / ".kaggle" / "kaggle.json", json.dumps({"name": SECRET}))
    _, warnings = found(tmp_path)
    assert ["kaggle: kaggle.json expects" in warning for warning in warnings] == [True]


def test_a_synapse_file_counts_when_it_holds_a_token(tmp_path: Path) -> None:
    write(tmp_path / ".synapseConfig", "[default]\nusername = me\n#authtoken = x\n")
    rows, warnings = found(tmp_path)
    assert not rows["~/.synapseConfig"].found
    assert any("holds no token" in warning for warning in warnings)
    write(tmp_path / ".synapseConfig", f"[default]\nusername = me\nauthtoken = {SECRET}\n")
    rows, warnings = found(tmp_path)
    assert rows["~/.synapseConfig"].used
    assert warnings == []


@pytest.mark.parametrize(
    ("end", "said", "warns"),
    [
        ("&se=2026-12-31T00%3A00%3A00Z", "good until 2026-12-31 00:00 UTC", False),
        ("&se=2026-11-22", "ends soon, at 2026-11-22 00:00 UTC", True),
        ("&se=2026-11-20T11:59:00Z", "expired at 2026-11-20 11:59 UTC", True),
        ("&se=2026-11-20T13:30:00%2B02:00", "expired at 2026-11-20 11:30 UTC", True),
        ("", "states no time", True),
        (f"&se={SECRET}", "states no time", True),
        ("&se=0001-01-01T00:00:00%2B23:00", "no possible time", True),
    ],
)
def test_a_signed_link_says_when_it_ends_and_nothing_else(tmp_path: Path, end: str, said: str, warns: bool) -> None:
    rows, warnings = found(tmp_path, ULTRACURATE_AIMI_SAS=SAS + end)
    (note,) = rows["ULTRACURATE_AIMI_SAS"].notes
    assert said in note.text
    assert "echo-set" not in note.text
    assert any(said in warning for warning in warnings) == warns


def test_of_several_links_each_is_told(tmp_path: Path) -> None:
    links = f"{SAS}&se=2027-01-01\n{SAS}&se=2026-01-01"
    notes = [note.text for note in found(tmp_path, ULTRACURATE_AIMI_SAS=links)[0]["ULTRACURATE_AIMI_SAS"].notes]
    assert notes[0] == "link 1 good until 2027-01-01 00:00 UTC"
    assert notes[1].startswith("link 2 expired")


def test_a_token_is_withheld_from_a_host_that_a_setting_moved(tmp_path: Path) -> None:
    rows, warnings = found(tmp_path, hosts={"zenodo": "https://mirror.example"}, ZENODO_TOKEN=SECRET)
    assert (rows["ZENODO_TOKEN"].found, rows["ZENODO_TOKEN"].used) == (True, False)
    assert ["withheld" in warning for warning in warnings] == [True]


def test_a_token_that_goes_to_a_host_of_the_environment_is_told(tmp_path: Path) -> None:
    rows, warnings = found(tmp_path, ULTRACURATE_HOST_ZENODO="https://mirror.example/own/path", ZENODO_TOKEN=SECRET)
    assert rows["ZENODO_TOKEN"].used
    assert warnings == ["ZENODO_TOKEN: sent to https://mirror.example, as ULTRACURATE_HOST_ZENODO says"]


def test_an_address_that_is_none_is_told_and_not_shown(tmp_path: Path) -> None:
    wrong = f"https://me:{SECRET}@mirror.example"
    _, warnings = found(tmp_path, ULTRACURATE_HOST_ZENODO=wrong, ZENODO_TOKEN=SECRET)
    assert any(warning.startswith("zenodo: The address of source 'zenodo' must look like") for warning in warnings)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"https://me:{SECRET}@mirror.example:8443/{SECRET}?sig={SECRET}#x", "https://mirror.example:8443"),
        ("http://[::1]:80/x", "http://[::1]:80"),
        (SECRET, "not an address"),
        ("http://[", "not an address"),
        ("http://a:99999", "not an address"),
        (f"ftp://{SECRET}", "not an address"),
        (f"https://{SECRET} and more", "not an address"),
    ],
)
def test_of_an_address_only_the_origin_is_shown(address: str, shown: str) -> None:
    assert shown_origin(address) == shown


def test_settings_in_effect_are_listed_and_misspelt_ones_told(tmp_path: Path) -> None:
    environ = {
        "ULTRACURATE_HOST_ZENODO": f"http://127.0.0.1:1/{SECRET}?token={SECRET}",
        "ULTRACURATE_HOST_ZENDOO": "http://127.0.0.1:1",
        "ULTRACURATE_ROOT_SAMPLES": str(tmp_path),
        "ULTRACURATE_ROOT_GONE": str(tmp_path / "gone"),
        "ULTRACURATE_ROOT_EMPTY": "",
        "ULTRACURATE_AIMI_SAS": SECRET,
    }
    rows = {row["variable"]: row for row in settings(SourceContext(environ=environ))}
    assert list(rows) == sorted(set(environ) - {"ULTRACURATE_ROOT_EMPTY", "ULTRACURATE_AIMI_SAS"})
    assert rows["ULTRACURATE_HOST_ZENODO"]["value"] == "http://127.0.0.1:1"
    assert rows["ULTRACURATE_HOST_ZENODO"]["note"] == ""
    assert "no host has this name" in rows["ULTRACURATE_HOST_ZENDOO"]["note"]
    assert rows["ULTRACURATE_ROOT_SAMPLES"] == {
        "variable": "ULTRACURATE_ROOT_SAMPLES",
        "value": str(tmp_path),
        "note": "",
    }
    assert "no such folder" in rows["ULTRACURATE_ROOT_GONE"]["note"]
    assert SECRET not in repr(rows)


def test_hosts_are_chosen_by_the_name_of_a_source_or_of_a_host() -> None:
    (web,) = web_sources(["github"])
    assert (web.main, len(web.chosen)) == ("github", 5)
    assert [web.chosen for web in web_sources(["github_raw", "datacite"])] == [("github_raw",), ("datacite",)]
    assert {"local", "http", "manual"}.isdisjoint(web.source for web in web_sources())
    with pytest.raises(ConfigError, match=r"'zendoo' is no host\. Known: .*zenodo"):
        web_sources(["zendoo"])
