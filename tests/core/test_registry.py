from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ultracurate.core.errors import ConfigError, ContractError
from ultracurate.core.registry import Registry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An importable package `plugs` with a registry in `plugs.registry_home`-free form."""
    folder = tmp_path / "plugs"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [n for n in sys.modules if n == "plugs" or n.startswith("plugs.")]:
        del sys.modules[name]


def plug(folder: Path, name: str, before: str = "") -> None:
    text = f"{before}\nimport tests.core.test_registry as home\n\n@home.KINDS.register('{name}')\ndef {name}(): ...\n"
    (folder / f"{name}.py").write_text(text)


KINDS: Registry[object] = Registry("kind", "plugs")


@pytest.fixture
def kinds(package: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    fresh: Registry[object] = Registry("kind", "plugs")
    monkeypatch.setattr(sys.modules[__name__], "KINDS", fresh)
    return fresh


def test_a_file_is_all_that_a_plug_in_needs(package: Path, kinds: Registry[object]) -> None:
    plug(package, "beta")
    plug(package, "alpha")
    plug(package, "_private")
    assert kinds.names() == ("alpha", "beta")
    assert [item.__name__ for item in kinds] == ["alpha", "beta"]  # type: ignore[attr-defined]
    assert kinds.get("beta") is sys.modules["plugs.beta"].beta


def test_nothing_is_imported_before_the_first_look_up(package: Path, kinds: Registry[object]) -> None:
    plug(package, "alpha", "raise RuntimeError('imported')")
    kinds.register("mine")(object())
    assert "plugs.alpha" not in sys.modules
    with pytest.raises(RuntimeError, match="imported"):
        kinds.names()


def test_an_unknown_name_lists_the_known_ones(package: Path, kinds: Registry[object]) -> None:
    plug(package, "alpha")
    with pytest.raises(ConfigError, match=r"No kind is called 'alpa'\. Did you mean 'alpha'\? Known: alpha"):
        kinds.get("alpa")


def test_two_things_of_one_name_are_refused(kinds: Registry[object]) -> None:
    class First: ...

    class Second: ...

    kinds.register("a")(First)
    kinds.register("a")(First)  # the same one again is fine
    with pytest.raises(ContractError, match=r"Two kinds are called 'a'.*First.*Second"):
        kinds.register("a")(Second)


def test_equal_class_names_in_two_modules_are_two_things(kinds: Registry[object]) -> None:
    kinds.register("a")(type("Same", (), {"__module__": "one"}))
    with pytest.raises(ContractError, match="Two kinds"):
        kinds.register("a")(type("Same", (), {"__module__": "two"}))


def test_a_module_that_cannot_be_imported_stays_an_error(package: Path, kinds: Registry[object]) -> None:
    plug(package, "alpha")
    plug(package, "beta", "import no_such_module_anywhere")
    plug(package, "gamma")
    for _ in range(2):  # a second look-up must not answer from half a registry
        with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
            kinds.get("gamma")


def test_threads_never_see_half_a_registry(package: Path, kinds: Registry[object]) -> None:
    for name in ("alpha", "beta", "gamma"):
        plug(package, name, "import time; time.sleep(0.05)")
    seen: list[tuple[str, ...]] = []
    threads = [threading.Thread(target=lambda: seen.append(kinds.names())) for _ in range(4)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert seen == [("alpha", "beta", "gamma")] * 4
