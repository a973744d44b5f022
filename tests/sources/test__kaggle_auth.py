from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import MakeContext
from ultracurate.core.errors import ConfigError
from ultracurate.sources._kaggle_auth import MAX_BYTES, Login, find_login
from ultracurate.sources._kaggle_records import PUBLIC


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".kaggle").mkdir()
    return tmp_path


def login(make_context: MakeContext, home: Path, hosts: dict[str, str] | None = None, **environ: str) -> Login:
    return find_login(make_context(hosts=hosts or {}, environ={"HOME": str(home), **environ}), PUBLIC)


def pair(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_logins_are_looked_for_in_the_documented_order(make_context: MakeContext, home: Path) -> None:
    folder = home / ".kaggle"
    (folder / "kaggle.json").write_text(json.dumps({"username": "ada", "key": "k1"}))
    found = login(make_context, home)
    assert (found.token, found.scheme) == (pair("ada:k1"), "Basic")
    found = login(make_context, home, KAGGLE_USERNAME="ben", KAGGLE_KEY="k2")
    assert (found.token, found.scheme) == (pair("ben:k2"), "Basic")
    (folder / "access_token.txt").write_text("KGAT_second\n")
    assert login(make_context, home, KAGGLE_USERNAME="ben", KAGGLE_KEY="k2").token == "KGAT_second"
    (folder / "access_token").write_text("  KGAT_first\n")
    assert login(make_context, home).token == "KGAT_first"
    found = login(make_context, home, KAGGLE_API_TOKEN="KGAT_env")
    assert (found.token, found.scheme) == ("KGAT_env", "Bearer")


def test_nobody_is_a_login_too(make_context: MakeContext, tmp_path: Path) -> None:
    assert login(make_context, tmp_path) == Login()
    assert login(make_context, tmp_path, KAGGLE_USERNAME="ben") == Login()  # half a pair is none


def test_an_empty_token_file_is_passed_over(make_context: MakeContext, home: Path) -> None:
    (home / ".kaggle" / "access_token").write_text("\n")
    (home / ".kaggle" / "access_token.txt").write_text("KGAT_second")
    assert login(make_context, home).token == "KGAT_second"


@pytest.mark.parametrize("written", ["{home}/mine", "~/mine"])
def test_the_token_variable_may_name_a_file(make_context: MakeContext, home: Path, written: str) -> None:
    (home / "mine").write_text("KGAT_file\n")
    assert login(make_context, home, KAGGLE_API_TOKEN=written.format(home=home)).token == "KGAT_file"


def test_another_folder_may_hold_the_old_file(make_context: MakeContext, home: Path, tmp_path: Path) -> None:
    (home / ".kaggle" / "kaggle.json").write_text(json.dumps({"username": "ada", "key": "k1"}))
    other = tmp_path / "other"
    other.mkdir()
    (other / "kaggle.json").write_text(json.dumps({"username": "ben", "key": "k2"}))
    assert login(make_context, home, KAGGLE_CONFIG_DIR=str(other)).token == pair("ben:k2")


@pytest.mark.parametrize("what", ["variable", "access_token", "kaggle.json", "pair"])
def test_no_login_goes_where_a_recipe_sends_it(make_context: MakeContext, home: Path, what: str) -> None:
    environ: Any = {}
    if what == "variable":
        environ = {"KAGGLE_API_TOKEN": "KGAT_s3cr3t"}
    elif what == "pair":
        environ = {"KAGGLE_USERNAME": "ben", "KAGGLE_KEY": "s3cr3t"}
    else:
        (home / ".kaggle" / what).write_text('{"username": "a", "key": "s"}' if what == "kaggle.json" else "KGAT_x")
    assert login(make_context, home, **environ).token is not None
    elsewhere = {"kaggle": "https://kaggle.example.org/api/v1"}
    assert login(make_context, home, elsewhere, **environ).token is None
    own = {"ULTRACURATE_HOST_KAGGLE": "https://kaggle.example.org/api/v1"}  # the user's own environment may
    assert login(make_context, home, elsewhere, **environ, **own).token is not None
    assert login(make_context, home, {"kaggle": "http://127.0.0.1:7777/api/v1"}, **environ).token is not None


@pytest.mark.parametrize(
    ("variable", "why"),
    [("/nowhere/token", "no such file"), ("two words", "one token"), ('{"key":"s3cr3t"}', "one token")],
)
def test_an_unusable_variable_is_told_without_its_value(
    make_context: MakeContext, tmp_path: Path, variable: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        login(make_context, tmp_path, KAGGLE_API_TOKEN=variable)
    assert variable not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert "kaggle.com/settings" in str(caught.value)


@pytest.mark.parametrize("held", ["[]", "no json", '{"username": "a"}', '{"username": 7, "key": "s3cr3t"}', "[" * 9999])
def test_a_broken_kaggle_json_is_told_without_its_content(make_context: MakeContext, home: Path, held: str) -> None:
    (home / ".kaggle" / "kaggle.json").write_text(held)
    with pytest.raises(ConfigError, match=r"kaggle\.json expects") as caught:
        login(make_context, home)
    assert "s3cr3t" not in str(caught.value)


def test_a_huge_file_is_not_read_and_a_pipe_is_not_waited_for(make_context: MakeContext, home: Path) -> None:
    token: Any = home / ".kaggle" / "access_token"
    os.mkfifo(token)
    assert login(make_context, home).token is None
    token.unlink()
    token.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="at most"):
        login(make_context, home)


def test_a_login_is_not_shown(make_context: MakeContext, tmp_path: Path) -> None:
    assert "KGAT_env" not in repr(login(make_context, tmp_path, KAGGLE_API_TOKEN="KGAT_env"))
