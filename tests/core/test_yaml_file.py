from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.core.yaml_file import read_yaml_file


def read(folder: Path, text: str) -> Any:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml_file(path)


def test_only_true_and_false_are_booleans(tmp_path: Path) -> None:
    assert read(tmp_path, "[yes, no, on, off, y, n, true, False]") == ["yes", "no", "on", "off", "y", "n", True, False]


def test_keys_may_be_words_too(tmp_path: Path) -> None:
    assert read(tmp_path, "{on: 1, no: 2}") == {"on": 1, "no": 2}


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "x:\n  - {a: 1, a: 2}\n"])
def test_a_key_given_twice_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.yaml, line .*'a' is given twice"):
        read(tmp_path, text)


def test_a_list_as_a_key_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        read(tmp_path, "? [a, b]\n: 1\n")


def test_the_same_key_in_two_places_is_fine(tmp_path: Path) -> None:
    assert read(tmp_path, "- {a: 1}\n- {a: 2}\n") == [{"a": 1}, {"a": 2}]


def test_no_code_is_ever_built(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read(tmp_path, "!!python/object/apply:os.system [true]")


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_yaml_file(tmp_path / "x.yaml")
