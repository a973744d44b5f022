"""Our own figures of speed and quality: every number that the project states comes from here."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from ultracurate.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Promise:
    """One bound that the project set itself."""

    name: str
    value: float
    bound: float

    @property
    def met(self) -> bool:
        """Whether the value is within the bound."""
        return self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures by name; the baseline they are compared with, where there is one; the promises they bear on."""

    figures: dict[str, Any]
    baseline: str | None = None
    must: list[Promise] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """The JSON form: figures, machine, baseline, must."""
        must = [asdict(promise) | {"met": promise.met} for promise in self.must]
        return {"figures": self.figures, "machine": machine(), "baseline": self.baseline, "must": must}


MEASURES: Registry[Callable[..., Measurement]] = Registry("measurement", "ultracurate.measure", "ultracurate.measures")


def machine() -> dict[str, Any]:
    """What a figure was measured on."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
