from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.imaging import nets
from ultracurate.imaging._field_input import GRID, field_maps
from ultracurate.imaging.sector import NET


def test_a_net_is_loaded_once_and_gives_the_same_answer_twice() -> None:
    maps = np.random.default_rng(1).integers(0, 256, (1, 3, GRID, GRID)).astype(np.float32)
    first = nets.run(NET, maps)
    assert first.shape == (1, 2, GRID, GRID)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.array_equal(first, nets.run(NET, maps))
    assert nets.session(NET) is nets.session(NET)


def test_a_net_runs_on_one_thread() -> None:
    options = nets.session(NET).get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_an_unknown_net_is_named() -> None:
    with pytest.raises(ConfigError, match="no-such-net"):
        nets.session("no-such-net")


def test_onnxruntime_is_loaded_only_when_a_net_is_used() -> None:
    code = "import sys, ultracurate.imaging.sector; sys.exit('onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, env=os.environ.copy())
    assert done.returncode == 0


@pytest.mark.parametrize("shape", [(40, 50), (600, 800), (600, 800, 3), (33, 2000), (1, 1), (129, 127, 3)])
def test_maps_have_one_size_whatever_the_picture(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)
    maps = field_maps(image)
    assert maps.shape == (3, GRID, GRID)
    assert maps.dtype == np.uint8
    if len(shape) == 2:
        assert not maps[1].any()  # no colour


def test_maps_show_brightness_colour_and_texture() -> None:
    image = np.zeros((256, 256, 3), np.uint8)
    image[:, 64:128] = 100  # flat grey
    image[:, 128:192] = np.random.default_rng(3).integers(60, 140, (256, 64, 1))  # grey texture
    image[:, 192:] = (200, 0, 0)  # colour
    bright, colour, rough = (part[:, GRID // 8 :: GRID // 4][:, :4].mean(axis=0) for part in field_maps(image))
    assert bright[0] == 0
    assert (bright[1:] > 140).all()
    assert colour[3] == 200
    assert not colour[:3].any()
    assert rough[2] > 200
    assert rough[[0, 1, 3]].max() < 10


def test_the_library_leaves_nothing_at_home_and_reports_to_nobody(tmp_path: Path) -> None:
    """It would note an id of the machine in the home folder and send events; both stop with one variable."""
    code = (
        "import numpy as np\nfrom ultracurate.imaging.sector import find_sector\n"
        "find_sector(np.random.default_rng(0).integers(0, 255, (200, 300), dtype=np.uint8))\n"
        "import time; time.sleep(1)\n"
    )
    places = {name: str(tmp_path / name) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for place in places.values():
        Path(place).mkdir()
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    subprocess.run([sys.executable, "-B", "-c", code], env=keep | places, check=True, timeout=100)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
