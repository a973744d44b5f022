"""From a shard's sample back to the bytes that came."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.e2e.lab import encode, picture
from tests.e2e.test_kill import build
from ultracurate.cli import app
from ultracurate.core.parts import read_table
from ultracurate.core.store import Store


def called(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Options that name a run of four pictures, one of which is all marks."""
    home = tmp_path_factory.mktemp("lab")
    recipe = build(home, datasets=1, pictures=3, strip={"method": "classic", "audit": False})
    marked = picture(77, side=192).copy()
    marked[4:180:14] = 255
    marked[5:180:14] = 255
    (home / "data" / "ward_0" / "z.png").write_bytes(encode(marked))
    work = home / "work"
    called("run", "all", "--recipe", str(recipe), "--work", str(work), "--json")
    return "--recipe", str(recipe), "--work", str(work)


def sources(finished: tuple[str, ...]) -> dict[str, bytes]:
    folder = Path(finished[1]).parent / "data" / "ward_0"
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path.read_bytes() for path in folder.iterdir()}


def told(finished: tuple[str, ...]) -> list[dict[str, Any]]:
    found = []
    for path in (Path(finished[3]) / "shards" / "lab").glob("*.tar"):
        with tarfile.open(path) as tar:
            names = [name for name in tar.getnames() if name.endswith(".json")]
            found += [json.loads(tar.extractfile(name).read()) for name in names]  # type: ignore[union-attr]
    return found


def test_a_shards_sample_leads_back_to_the_bytes_that_came(finished: tuple[str, ...], tmp_path: Path) -> None:
    facts = told(finished)
    assert facts
    for words in facts:
        answer = json.loads(called("original", words["sample_id"], *finished, "--to", str(tmp_path), "--json"))
        (one,) = answer["originals"]
        data = Path(one["file"]).read_bytes()
        assert sources(finished)[one["frame_sha256"]] == data
        assert hashlib.sha256(data).hexdigest() == one["frame_sha256"]
        assert one["cleaning"]["verdict"] == words["verdict"]
        assert round(one["cleaning"]["invented_share"], 6) == words["invented_share"]


def test_its_digest_names_it_too(finished: tuple[str, ...], tmp_path: Path) -> None:
    digest, data = next(iter(sources(finished).items()))
    said = called("original", digest, *finished, "--to", str(tmp_path / "new"))
    (file,) = (tmp_path / "new").iterdir()
    assert file.read_bytes() == data
    assert digest in said


def test_what_was_set_aside_is_found_and_says_why(finished: tuple[str, ...], tmp_path: Path) -> None:
    store = Store(finished[3])
    (folder,) = store.names("strip")
    rejects = [name for name in store.names(f"strip/{folder}") if name.startswith("rejects-")]
    aside = read_table(store, f"strip/{folder}/{rejects[0]}").to_pylist()
    assert [row["reason"] for row in aside] == ["too_much_masked"]
    said = called("original", aside[0]["sample_id"], *finished, "--to", str(tmp_path))
    assert "set_aside too_much_masked" in said
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() in sources(finished).values()


def test_an_unknown_name_and_an_empty_work_directory_say_what_to_do(finished: tuple[str, ...], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["original", "nobody", *finished, "--to", str(tmp_path)])
    assert "Check its spelling" in str(done.exception)
    done = CliRunner().invoke(app, ["original", "x", *finished[:2], "--work", str(tmp_path / "none")])
    assert "Give the work directory of its run" in str(done.exception)
    assert list(tmp_path.glob("*.png")) == []
