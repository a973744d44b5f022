"""What was planted in the demo data, so that a test can say whether the pipeline found it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

PlantKind = Literal["bytes", "pixels", "near", "cross_class", "cross_dataset", "leak"]


@dataclass(frozen=True)
class Plant:
    """A planted copy: `copy` repeats `original`, both as `<dataset>:<path>` with the path the index stage sees.

    bytes: same file. pixels: other bytes, same decoded pixels. near: recompressed, brighter, or without calipers.
    cross_class: same file under another label. cross_dataset: same pixels in another dataset. leak: near copy across
    the official split.
    """

    kind: PlantKind
    original: str
    copy: str


@dataclass
class DemoTruth:
    """Everything a test may expect of the demo data.

    `expected` counts, by dataset: `images` and `clips` that decode and are worth keeping before any dedup, `masks`,
    `frames` in all clips, `unreadable` files, `poor` images (empty or tiny), `hostile` members, `patients`.
    `paths` lists what each count is made of, by dataset and the same words. `identities` are words that must appear in
    no output. `search_only` names records that no manifest covers, by the reason to leave them out.
    """

    seed: int
    scale: float
    records: dict[str, int] = field(default_factory=dict)
    expected: dict[str, dict[str, int]] = field(default_factory=dict)
    paths: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    plants: list[Plant] = field(default_factory=list)
    identities: list[str] = field(default_factory=list)
    search_only: dict[str, int] = field(default_factory=dict)

    def add(self, dataset: str, kind: str, *paths: str) -> None:
        """Count `paths` of `dataset` as `kind`."""
        self.paths.setdefault(dataset, {}).setdefault(kind, []).extend(paths)
        self.count(dataset, kind, len(paths))

    def count(self, dataset: str, kind: str, number: int) -> None:
        """Add `number` to a count that has no paths of its own."""
        counts = self.expected.setdefault(dataset, {})
        counts[kind] = counts.get(kind, 0) + number

    def plant(self, kind: PlantKind, original: tuple[str, str], copy: tuple[str, str]) -> None:
        """Note a planted copy; both are (dataset, path)."""
        self.plants.append(Plant(kind, ":".join(original), ":".join(copy)))

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> DemoTruth:
        """Read what `save` wrote."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["plants"] = [Plant(**plant) for plant in raw["plants"]]
        return cls(**raw)
