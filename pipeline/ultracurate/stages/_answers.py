"""Answers of hosts to a search, kept as they come: a search that was killed goes on where it stopped."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path


class AnswerFolder:
    """Answers by key in a folder of the work directory's scratch space; several threads may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        """What was kept under a key."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, key: str, answer: bytes) -> None:
        """Keep an answer: after a kill it is there whole, or not there."""
        path = self._path(key)
        beside = path.with_name(f"{uuid.uuid4().hex}.tmp")
        for _ in range(3):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                beside.write_bytes(answer)
                beside.replace(path)
                return
            except (FileNotFoundError, FileExistsError):  # another run has just cleared its own search away
                continue

    def clear(self) -> None:
        """Forget everything, when the search is over."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key
