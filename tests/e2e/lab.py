"""A hospital's own dataset in a temporary folder: files, manifest and recipe, small enough to run in a second."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import yaml
from PIL import Image

from ultracurate import cli
from ultracurate.core.config import load_recipe
from ultracurate.core.dataset import load_all
from ultracurate.core.parts import PartRef, read_table
from ultracurate.core.plan import Planner, retry_id
from ultracurate.core.runner import Quiet, RunResult, run
from ultracurate.core.spec import Spec, resolve
from ultracurate.core.stage import Stage
from ultracurate.core.store import Store
from ultracurate.execution.serial import SerialExecutor
from ultracurate.ontology.tree import Ontology


def picture(seed: int, side: int = 80) -> npt.NDArray[np.uint8]:
    """(side, side) uint8 grey blotches, so unlike each other that dedup keeps all of them, too small to be judged."""
    coarse = np.random.default_rng(seed).integers(20, 236, (8, 8), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def encode(image: npt.NDArray[np.uint8], fmt: str = "PNG", **options: Any) -> bytes:
    """The picture as a file of a Pillow format."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, fmt, **options)
    return out.getvalue()


def png(seed: int) -> bytes:
    """A good picture as PNG."""
    return encode(picture(seed))


@dataclass
class Lab:
    """A dataset folder with its manifest and recipe, and the work directory of its runs."""

    home: Path
    work: Path = field(init=False)
    done: RunResult | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.work = self.home / "work"
        for folder in (self.data, self.manifests):
            folder.mkdir(parents=True, exist_ok=True)
        self.describe()
        self.recipe()

    @property
    def data(self) -> Path:
        """Where the files of the dataset lie."""
        return self.home / "data"

    @property
    def manifests(self) -> Path:
        """The lab's own folder of manifests."""
        return self.home / "manifests"

    @property
    def recipe_file(self) -> Path:
        """The lab's recipe."""
        return self.home / "lab.yaml"

    @property
    def shards(self) -> Path:
        """Where a finished run shows its shards."""
        return self.work / "shards" / "lab"

    def add(self, name: str, data: bytes) -> Path:
        """Put a file into the dataset."""
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def good(self, count: int = 3) -> None:
        """Put some pictures into the dataset with which nothing is wrong."""
        for number in range(count):
            self.add(f"good_{number}.png", png(number))

    def describe(self, **more: Any) -> Path:
        """Write the dataset's manifest, with some fields different or more."""
        manifest = {
            "slug": "lab",
            "title": "Pictures of our own ward",
            "licence": {"id": "restricted", "evidence": "our own archive"},
            "access": "manual",
            "sources": [{"host": "local", "root": "lab"}],
        }
        path = self.manifests / "lab.yaml"
        path.write_text(yaml.safe_dump(manifest | more), encoding="utf-8")
        return path

    def recipe(self, **more: Any) -> Path:
        """Write the recipe, with some fields different or more."""
        recipe = {
            "name": "lab",
            "datasets": ["lab"],
            "manifests": ["manifests"],
            "roots": {"lab": "data"},
            "stages": {"strip": {"method": "none"}},
        }
        self.recipe_file.write_text(yaml.safe_dump(recipe | more), encoding="utf-8")
        return self.recipe_file

    def spec(self, *sets: str) -> Spec:
        """The resolved run; only the lab's own manifests are read, which keeps tests quick."""
        return resolve(load_recipe(self.recipe_file, sets), load_all(self.manifests), Ontology.load().stamp)

    def run(
        self,
        *sets: str,
        last: str | None = None,
        retry: str | None = None,
        then: tuple[str, Callable[[], object]] | None = None,
    ) -> RunResult:
        """Run the recipe in this process, one part after the other; `then` happens in its middle, after that stage."""
        listener = Meddler(then) if then else None
        self.done = run(Store(self.work), self.spec(*sets), SerialExecutor(), last, listener, retry)
        return self.done

    def cli(self, *args: str) -> Finished:
        """A command with this lab's recipe and work directory."""
        self.done = None
        return call(*args, "--recipe", str(self.recipe_file), "--work", str(self.work))

    def table(self, stage: str, kind: str = "part") -> pa.Table:
        """All rows, rejects or errors of a stage as it stands now; errors only where no later attempt took them up."""
        if self.done is not None and stage in self.done.parts:
            parts = self.done.parts[stage]
        else:
            state = Planner(Store(self.work), self.spec()).look()[stage]
            if state is None or not state.complete:
                raise LookupError(f"stage {stage} has not run")
            parts = state.done
        ids = {part.id for part in parts}
        holds = {
            "part": [part for part in parts if part.rows],
            "rejects": [part for part in parts if part.rejects],
            "errors": [part for part in parts if part.errors and retry_id(part) not in ids],
        }
        paths = [part.path(kind) for part in holds[kind]]
        tables = [read_table(Store(self.work), path) for path in paths]
        return pa.concat_tables(tables) if tables else pa.table({})

    def rows(self, stage: str, kind: str = "part") -> list[dict[str, Any]]:
        """The same as plain rows."""
        found: list[dict[str, Any]] = self.table(stage, kind).to_pylist()
        return found

    def sharded(self) -> dict[str, bytes]:
        """Every member of every finished tar by its name."""
        members = {}
        for path in sorted(self.shards.glob("*.tar")):
            with tarfile.open(path) as tar:
                for info in tar:
                    reader = tar.extractfile(info)
                    members[info.name] = reader.read() if reader else b""
        return members

    def published(self) -> dict[str, bytes]:
        """Every file of the finished shards by its name."""
        return {path.name: path.read_bytes() for path in sorted(self.shards.iterdir())}

    def paths_in_shards(self) -> list[str]:
        """Paths in the dataset of the pictures that reached the shards, sorted."""
        return sorted(row["path"] for row in self.rows("shard"))


class Meddler(Quiet):
    """Does something to the files while a run is going on."""

    def __init__(self, then: tuple[str, Callable[[], object]]) -> None:
        self.stage, self.deed = then

    def stage_done(self, stage: Stage, parts: Sequence[PartRef], published: str) -> None:
        """The moment has come."""
        if stage.name == self.stage:
            self.deed()


@dataclass(frozen=True)
class Finished:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as the one JSON object that it has to be."""
        data = json.loads(self.out)
        assert isinstance(data, dict), f"expected one JSON object, found {type(data).__name__}"
        return data


def call(*args: str, environ: Mapping[str, str] | None = None) -> Finished:
    """Run the program's entry point in this process, as `ultracurate ARGS` would."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with (
        mock.patch.object(sys, "argv", ["ultracurate", *args]),
        mock.patch.dict("os.environ", environ or {}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as exc:
            code = exc.code or 0
    return Finished(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())
