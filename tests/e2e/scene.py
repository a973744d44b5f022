"""One user with every login that there is, in a world of wicked hosts, and what is left behind of their work."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hostile import Wicked, recipe
from tests.e2e.lab import Finished, call
from tests.e2e.planted import Search, credentials
from ultracurate.sources import SourceContext

HOSTS = ("zenodo", "kaggle", "mendeley", "figshare", "github", "synapse", "tcia", "grand_challenge")
"""Those that can be searched."""
NAMES = re.compile(
    r"work/(?!reports/|logs/|shards/)[\w.]+/\w+/part-\w+\.parquet\[(file_name|path|url|member)\]: e-mail"
)
"""Where alone an address in the name of a file may stand: tables between the stages, in columns that are the name."""
HURRIED = """
import sys
from functools import partial
from ultracurate.cli import main
from ultracurate.stages import _sources
_sources.SourceContext = partial(_sources.SourceContext, backoff=0.01)
sys.argv[0] = "ultracurate"
main()
"""
"""The program in a process of its own, as a user starts it, but without long waits for hosts that fail."""
DEBUG = f"import logging; logging.basicConfig(level=logging.DEBUG){HURRIED}"


@dataclass
class Scene:
    """One user with logins, one world of wicked hosts, and all that was said so far."""

    home: Path
    world: Wicked
    environ: dict[str, str]
    said: str = ""

    def call(self, *args: str) -> Finished:
        """A command in this process."""
        done = call(*args)
        self.said += done.out + done.err
        return done

    def start(self, *args: str) -> subprocess.Popen[str]:
        """A command as a user starts it, but with everybody's debug log on standard error."""
        environ = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ} | self.environ
        command = [sys.executable, "-c", DEBUG, *args]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environ, cwd=self.home, stdout=pipe, stderr=pipe, text=True)

    def user(self, *args: str) -> int:
        """The same until its end; the answer is its exit code."""
        with self.start(*args) as process:
            out, err = process.communicate(timeout=100)
        assert "urllib3" in err, "no debug log"
        self.said += out + err
        return process.returncode

    def search(self, *more: str, hosts: tuple[str, ...] = HOSTS) -> list[str]:
        """Arguments of a search that writes drafts."""
        asked = [word for host in hosts for word in ("--host", host)]
        place = ["--work", str(self.home / "search"), "--propose", str(self.home / "drafts")]
        return ["discover", "ultrasound", *asked, *place, "--set", "limits.*=0", *more]

    def build(self, *command: str, only: str = "", **more: Any) -> list[str]:
        """Arguments of a command on the recipe, or on those of its datasets whose names contain `only`."""
        data = recipe(self.world, **more)
        data["datasets"] = [entry for entry in data["datasets"] if only in entry["slug"]]
        path = self.home / "planted.json"
        path.write_text(json.dumps(data))
        return [*command, "--recipe", str(path), "--work", str(self.home / "work")]

    def found(self, *, names: bool = False) -> list[str]:
        """All that leaked; addresses in names of files only with `names`."""
        search = Search(self.world.signatures)
        findings = search.text("said", self.said)
        for folder in ("search", "drafts", "work"):
            findings += [f"{folder}/{finding}" for finding in search.folder(self.home / folder)]
        return [finding for finding in findings if names or not NAMES.fullmatch(finding)]


@contextlib.contextmanager
def scene_of(folder: Path, monkeypatch: pytest.MonkeyPatch, world: Wicked, kind: str = "variables") -> Iterator[Scene]:
    """A scene in a folder, with the logins in this process's environment too, and without long waits in it."""
    with world:
        environ = credentials(folder / "home", kind)
        environ |= {f"ULTRACURATE_HOST_{name.upper()}": address for name, address in world.hosts.items()}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("ultracurate.stages._sources.SourceContext", partial(SourceContext, backoff=0.01))
        yield Scene(folder, world, environ)
