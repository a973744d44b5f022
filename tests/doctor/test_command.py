from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.doctor.conftest import context_for
from ultracurate.core.errors import ConfigError
from ultracurate.doctor import installed
from ultracurate.doctor.command import doctor
from ultracurate.doctor.credentials import WAYS
from ultracurate.doctor.findings import findings
from ultracurate.doctor.show import print_findings
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import SourceContext

SECRET = "s3cr3tValue0123456789"


@pytest.fixture
def environ(local: LocalHosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalHosts:
    """This process's environment, as a person has it."""
    credentials = {name for ways in WAYS.values() for way in ways for name in way.variables} | {"KAGGLE_CONFIG_DIR"}
    for name in [name for name in os.environ if name in credentials or name.startswith("ULTRACURATE_")]:
        monkeypatch.delenv(name)
    for name, value in context_for(local, HOME=str(tmp_path), ZENODO_TOKEN=SECRET, COLUMNS="200").environ.items():  # type: ignore[union-attr]
        monkeypatch.setenv(name, value)
    return local


def run(*words: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(doctor)
    found = CliRunner().invoke(app, words)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def test_without_live_nothing_is_asked_and_it_says_so(environ: LocalHosts) -> None:
    code, shown = run()
    assert code == 0
    assert environ.requests == []
    assert "No host was asked. Add --live" in shown
    assert "ZENODO_TOKEN" in shown
    assert "All that is needed is there." in shown
    assert SECRET not in shown


def test_json_is_one_object_with_everything(environ: LocalHosts) -> None:
    code, shown = run("--json")
    found = json.loads(shown)
    assert code == 0
    assert set(found) == {
        "ok", "live", "installed", "machine", "credentials", "without_credentials", "settings", "hosts", "recorded",
        "warnings", "missing",
    }  # fmt: skip
    assert (found["ok"], found["live"], found["hosts"]) == (True, False, [])
    assert [row["where"] for row in found["credentials"] if row["used"]] == ["ZENODO_TOKEN"]
    assert {row["variable"] for row in found["settings"]} >= {"ULTRACURATE_HOST_ZENODO"}
    assert all(row["value"] == environ.url for row in found["settings"])  # the origin only
    assert {"gdrive", "mendeley", "tcia"} <= set(found["without_credentials"])
    assert SECRET not in shown


def test_live_asks_the_hosts_that_are_named(environ: LocalHosts) -> None:
    code, shown = run("--live", "--host", "zenodo", "--host", "github_raw")
    assert code == 0
    assert sorted(request.host for request in environ.requests) == ["github_raw", "zenodo"]
    assert "29 of 30 left" in shown
    assert "no credential was sent" in shown


def test_live_ends_with_3_when_a_host_does_not_answer(environ: LocalHosts) -> None:
    environ.faults = Faults(only="/zenodo/", fail_first=9)
    code, shown = run("--live", "--host", "zenodo", "--json")
    found = json.loads(shown)
    assert (code, found["ok"]) == (3, False)
    assert [line.startswith("zenodo: answered 503") for line in found["missing"]] == [True]


def test_a_host_that_nothing_needs_is_a_warning_only(environ: LocalHosts) -> None:
    code, shown = run("--live", "--host", "figshare_web", "--json")
    found = json.loads(shown)
    assert (code, found["missing"]) == (0, [])
    assert any(line.startswith("figshare_web") for line in found["warnings"])


def test_hosts_that_give_no_answer_stand_in_one_line(environ: LocalHosts, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:  # bound and not listening: every connection is refused
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for name in ("ZENODO", "DATACITE", "GITHUB_MEDIA"):
            monkeypatch.setenv(f"ULTRACURATE_HOST_{name}", nobody)
        code, some = run(
            "--live", "--host", "zenodo", "--host", "datacite", "--host", "github_raw", "--host", "github_media"
        )
        alone = run("--live", "--host", "github_media")
        nothing = run("--live", "--host", "zenodo", "--host", "github_media")
    assert code == 3
    assert "Unreachable: github_media, datacite, zenodo\n" in some
    assert "Missing:" not in some
    assert "Warning: github_media" not in some
    assert "the connection failed" in some, "the table says why"
    assert alone[0] == 0
    assert "Unreachable: github_media" in alone[1]
    assert nothing[0] == 3
    assert "No host answered: there is no network here, or a proxy is needed (set HTTPS_PROXY)" in nothing[1]
    assert "Unreachable:" not in nothing[1]


def test_a_host_in_trouble_answers_all_the_same(environ: LocalHosts) -> None:
    environ.faults = Faults(only="/zenodo/", fail_first=9)
    shown = run("--live", "--host", "zenodo")[1]
    assert "Missing: zenodo: answered 503" in shown
    assert "Unreachable:" not in shown


def test_packages_are_left_out_when_hosts_are_named(environ: LocalHosts, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "without it" in run()[1]
    assert "without it" not in run("--host", "zenodo")[1]
    monkeypatch.setattr(installed, "requires", lambda name: ["no-such-package-at-all>=3"])
    code, shown = run("--host", "zenodo")
    assert code == 3
    assert "Missing: no-such-package-at-all" in shown


def test_record_writes_and_says_what_to_do_with_it(environ: LocalHosts, tmp_path: Path) -> None:
    code, shown = run("--live", "--host", "zenodo", "--record", str(tmp_path / "answers"))
    assert code == 0
    assert (tmp_path / "answers" / "zenodo" / "search.json").is_file()
    assert "read the files before you give them to anybody" in shown


def test_record_wants_live(environ: LocalHosts, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expects --live"):
        run("--record", str(tmp_path / "answers"))
    assert not (tmp_path / "answers").exists()
    assert environ.requests == []


def test_a_host_that_nobody_knows_is_an_error_before_anything_is_asked(environ: LocalHosts) -> None:
    with pytest.raises(ConfigError, match="'zendoo' is no host"):
        run("--live", "--host", "zendoo")
    assert environ.requests == []


def test_a_missing_dependency_ends_with_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(installed, "requires", lambda name: ["no-such-package-at-all>=3", "av>=14; extra == 'video'"])
    found = findings(SourceContext(environ={"HOME": "/nowhere"}), False, None, [])
    assert found["missing"] == ["no-such-package-at-all: missing: pip install ultracurate"]
    assert not found["ok"]
    print_findings(found)
    shown = capsys.readouterr().out
    assert "Missing: no-such-package-at-all" in shown
    assert "All that is needed" not in shown


def test_a_missing_extra_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "requires", lambda name: ["no-such-package-at-all>=3; extra == 'video'"])
    assert findings(SourceContext(environ={"HOME": "/nowhere"}), False, None, [])["ok"]


def test_names_from_outside_are_shown_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"HOME": "/nowhere", "ULTRACURATE_ROOT_X": "/no/[red]such\x1b[2J"}
    print_findings(findings(SourceContext(environ=environ), False, None, []))
    shown = capsys.readouterr().out
    assert "/no/[red]such\N{REPLACEMENT CHARACTER}[2J" in shown
    assert "\x1b" not in shown
