"""Small shipped nets by name, each loaded once for a process and run on one thread."""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import ConfigError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


@lru_cache(maxsize=8)
def session(name: str) -> InferenceSession:
    """The net in `imaging/weights/<name>.onnx`, on the CPU.

    One thread: parallel work is the executor's business, and sums come out the same on any machine of a kind.

    Raises:
        ConfigError: no net of that name is shipped.
    """
    # Builds of Microsoft note an id in the home folder and report on themselves unless told so before the import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    weights = files("ultracurate.imaging") / "weights" / f"{name}.onnx"
    if not weights.is_file():
        raise ConfigError(f"Expected a shipped net, found no weights for {name!r}. Install the package again.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(weights.read_bytes(), options, providers=["CPUExecutionProvider"])


def run(name: str, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The first output of the net `name` for its one input, float32."""
    net = session(name)
    found = net.run(None, {net.get_inputs()[0].name: inputs})[0]
    return np.asarray(found, np.float32)
