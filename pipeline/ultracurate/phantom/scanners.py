"""Slices and projections of other scanners, drawn from ellipses, ribs and the noise each machine has."""

from __future__ import annotations

import cv2
import numpy as np

from ultracurate.phantom.flows import smooth_field
from ultracurate.phantom.textures import Float, Grey, Real

Shape = tuple[int, int]


class _Plane:
    """A square plane (N, N) to draw values on; coordinates -1..1, x to the right, y down, bent a little by `bend`."""

    def __init__(self, side: int, rng: np.random.Generator, bend: float = 0.05) -> None:
        self.rng = rng
        axis = np.linspace(-1, 1, side, dtype=np.float32)
        self.x = axis[None] + bend * smooth_field((side, side), rng, side * 0.15)
        self.y = axis[:, None] + bend * smooth_field((side, side), rng, side * 0.15)
        self.value: Float = np.zeros((side, side), np.float32)
        self.soft = 2.0 / side

    def ellipse(self, x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Float:
        """Membership 0..1 (N, N), soft over about a pixel."""
        dx, dy = self.x - x, self.y - y
        along, across = np.cos(turn) * dx + np.sin(turn) * dy, np.cos(turn) * dy - np.sin(turn) * dx
        radius = np.hypot(along / rx, across / ry)
        return np.asarray(np.clip((1 - radius) * min(rx, ry) / self.soft + 0.5, 0, 1), np.float32)

    def put(self, share: Float, value: Float | float) -> None:
        """Blend `value` in by `share`."""
        self.value = np.asarray(self.value * (1 - share) + value * share, np.float32)

    def field(self, scale: float) -> Float:
        """A smooth random field, features about `scale` of the side."""
        return smooth_field((self.value.shape[0], self.value.shape[1]), self.rng, scale * self.value.shape[0])

    def ring(self, x: float, y: float, rx: float, ry: float, thick: float, value: float, inner: float) -> None:
        """An ellipse of `value` whose inside is `inner`."""
        self.put(self.ellipse(x, y, rx, ry), value)
        self.put(self.ellipse(x, y, rx - thick, ry - thick), inner)


def _finish(plane: _Plane, size: Shape, noise: float, blur: float, rician: bool = False) -> Grey:
    """Scanner noise, blur, and the square put onto the screen: filling it, or centred on black with corner text."""
    rng = plane.rng
    value: Real = plane.value
    draws = rng.normal(0, noise, value.shape)
    value = np.hypot(value + draws, rng.normal(0, noise, value.shape)) if rician else value + draws
    grey = np.clip(cv2.GaussianBlur(value.astype(np.float32), (0, 0), blur) * 255, 0, 255).astype(np.uint8)
    height, width = size
    draw = rng.random()
    if draw < 0.5:  # as exported: the matrix itself, cut to where the body is
        rows, columns = np.flatnonzero(grey.max(axis=1) > 40), np.flatnonzero(grey.max(axis=0) > 40)
        if len(rows) > 40 and len(columns) > 40 and draw < 0.25:
            grey = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return np.ascontiguousarray(grey)
    side = min(size)
    picture = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    screen = np.zeros(size, np.uint8)
    x = (width - side) // 2
    screen[(height - side) // 2 : (height - side) // 2 + side, x : x + side] = picture
    if draw > 0.75:
        for line in range(4):
            text, y = f"{int(rng.integers(1, 999))} S{int(rng.integers(1, 99))}", 16 + 14 * line
            cv2.putText(screen, text, (4, y), cv2.FONT_HERSHEY_PLAIN, 0.8, 220, 1)
            cv2.putText(screen, text, (width - 90, height - y), cv2.FONT_HERSHEY_PLAIN, 0.8, 220, 1)
    return screen


def _side(size: Shape, rng: np.random.Generator) -> int:
    return int(np.clip(min(size) * rng.uniform(0.6, 1.1), 128, 640))


def abdomen_ct(size: Shape, rng: np.random.Generator) -> Grey:
    """An axial slice: fat ring, organs of nearly one grey, white spine and ribs, black air, the table below."""
    p = _Plane(_side(size, rng), rng, 0.03)
    rx, ry = rng.uniform(0.78, 0.95), rng.uniform(0.55, 0.72)
    p.put(p.ellipse(0, 0, rx, ry), 0.28)
    p.put(p.ellipse(0, 0, rx - 0.08, ry - 0.08), 0.5)
    p.put(p.ellipse(0, 0, rx - 0.14, ry - 0.14), 0.3)
    p.put(p.ellipse(-0.38, -0.05, 0.32, 0.36, 0.4), rng.uniform(0.55, 0.68))
    p.put(p.ellipse(0.45, 0.0, 0.17, 0.24, -0.4), rng.uniform(0.55, 0.7))
    for side in (-1, 1):
        p.put(p.ellipse(0.35 * side, 0.22, 0.12, 0.15), rng.uniform(0.6, 0.85))
    for _ in range(int(rng.integers(4, 12))):
        x, y, r = rng.uniform(-0.3, 0.5), rng.uniform(-0.4, 0.15), rng.uniform(0.04, 0.1)
        p.put(p.ellipse(x, y, r, r * 0.8), float(rng.choice([0.02, 0.5, 0.62, 0.9])))
    p.put(p.ellipse(0, 0.3, 0.13, 0.12), 0.93)
    p.put(p.ellipse(0, 0.44, 0.04, 0.12), 0.9)
    p.put(p.ellipse(0.08, 0.14, 0.05, 0.05), rng.uniform(0.55, 0.9))
    for turn in np.linspace(0.2, np.pi - 0.2, int(rng.integers(5, 9))) * rng.choice([-1, 1]):
        p.put(p.ellipse((rx - 0.11) * np.cos(turn), (ry - 0.11) * np.sin(turn), 0.07, 0.025, turn + 1.57), 0.95)
    if rng.random() < 0.6:
        p.put(np.asarray((np.abs(p.y - 0.85 + 0.1 * p.x**2) < 0.012) * 1.0, np.float32), 0.4)
    return _finish(p, size, rng.uniform(0.01, 0.05), rng.uniform(0.5, 1.1))


def chest_ct(size: Shape, rng: np.random.Generator) -> Grey:
    """An axial slice of the chest: black lungs with bright vessels, the heart between them."""
    p = _Plane(_side(size, rng), rng, 0.03)
    p.put(p.ellipse(0, 0, 0.92, 0.66), 0.3)
    p.put(p.ellipse(0, 0, 0.85, 0.58), 0.52)
    for side in (-1, 1):
        lung = p.ellipse(0.42 * side, -0.02, 0.34, 0.45, 0.15 * side)
        p.put(lung, 0.04)
        tree = np.clip(p.field(0.012) - rng.uniform(1.6, 2.2), 0, 1) * 1.5
        p.put(np.asarray(lung * np.clip(tree, 0, 1), np.float32), 0.6)
    p.put(p.ellipse(0.1, -0.08, 0.26, 0.24), rng.uniform(0.52, 0.75))
    p.put(p.ellipse(0, 0.38, 0.1, 0.1), 0.95)
    for turn in np.linspace(0, 2 * np.pi, int(rng.integers(10, 18))):
        p.put(p.ellipse(0.83 * np.cos(turn), 0.56 * np.sin(turn), 0.07, 0.022, turn + 1.57), 0.92)
    return _finish(p, size, rng.uniform(0.01, 0.05), rng.uniform(0.5, 1.0))


def head_ct(size: Shape, rng: np.random.Generator) -> Grey:
    """An axial slice of the head: a white skull around nearly flat brain, dark ventricles."""
    p = _Plane(_side(size, rng), rng, 0.02)
    rx, ry = rng.uniform(0.62, 0.72), rng.uniform(0.78, 0.9)
    p.put(p.ellipse(0, 0, rx + 0.04, ry + 0.04), 0.3)
    p.ring(0, 0, rx, ry, rng.uniform(0.05, 0.1), 0.98, 0.5)
    p.put(p.ellipse(0, 0, rx - 0.12, ry - 0.12), 0.5 + 0.03 * p.field(0.03))
    for side in (-1, 1):
        p.put(p.ellipse(0.1 * side, -0.1, 0.06, 0.25, 0.25 * side), 0.22)
    if rng.random() < 0.4:
        p.put(p.ellipse(0.3, 0.2, 0.12, 0.1), 0.75)
    return _finish(p, size, rng.uniform(0.01, 0.04), rng.uniform(0.5, 1.0))


def head_mr_axial(size: Shape, rng: np.random.Generator) -> Grey:
    """An axial slice: bright scalp, dark skull, folded grey and white matter, ventricles."""
    p = _Plane(_side(size, rng), rng, 0.03)
    rx, ry = rng.uniform(0.62, 0.75), rng.uniform(0.78, 0.92)
    p.put(p.ellipse(0, 0, rx, ry), rng.uniform(0.5, 0.95))
    p.put(p.ellipse(0, 0, rx - 0.06, ry - 0.06), 0.06)
    brain = p.ellipse(0, 0, rx - 0.11, ry - 0.11)
    p.put(brain, _folds(p))
    for side in (-1, 1):
        p.put(p.ellipse(0.09 * side, -0.08, 0.06, 0.26, 0.3 * side), float(rng.choice([0.08, 0.95])))
    p.put(np.asarray(brain * (np.abs(p.x) < 0.008), np.float32), 0.1)
    p.value = p.value * (1 + 0.15 * p.field(0.4))
    return _finish(p, size, rng.uniform(0.01, 0.04), rng.uniform(0.5, 1.1), rician=True)


def head_mr_side(size: Shape, rng: np.random.Generator) -> Grey:
    """A sagittal slice: brain with brain stem and cerebellum, face and neck below."""
    p = _Plane(_side(size, rng), rng, 0.03)
    p.put(p.ellipse(0, -0.2, 0.82, 0.72), 0.75)
    p.put(p.ellipse(-0.25, 0.45, 0.45, 0.5), 0.45 + 0.25 * p.field(0.03))
    p.put(p.ellipse(0.3, 0.7, 0.28, 0.5), 0.5 + 0.2 * p.field(0.03))
    p.put(p.ellipse(0, -0.2, 0.76, 0.66), 0.06)
    p.put(p.ellipse(0, -0.24, 0.7, 0.58), _folds(p))
    p.put(p.ellipse(0.38, 0.22, 0.25, 0.2), 0.5 + 0.25 * np.sin(p.y * 70) * 0.6)
    p.put(p.ellipse(0.12, 0.3, 0.08, 0.3, -0.3), 0.65)
    p.put(p.ellipse(0.02, -0.12, 0.25, 0.08, 0.1), 0.12)
    for step in range(4):
        p.put(p.ellipse(0.35, 0.5 + 0.14 * step, 0.08, 0.05), 0.6)
    p.put(p.ellipse(-0.55, 0.3, 0.12, 0.09), 0.04)
    p.value = p.value * (1 + 0.2 * p.field(0.4))
    return _finish(p, size, rng.uniform(0.01, 0.04), rng.uniform(0.5, 1.1), rician=True)


def abdomen_mr(size: Shape, rng: np.random.Generator) -> Grey:
    """An axial slice of the trunk: fat bright or suppressed, organs of clearly different grey, coil shading."""
    p = _Plane(_side(size, rng), rng, 0.04)
    rx, ry = rng.uniform(0.8, 0.95), rng.uniform(0.5, 0.68)
    fat = float(rng.choice([0.2, 0.85]))
    p.put(p.ellipse(0, 0, rx, ry), fat)
    p.put(p.ellipse(0, 0, rx - 0.1, ry - 0.1), 0.25)
    p.put(p.ellipse(0, 0, rx - 0.15, ry - 0.15), 0.7 * fat)
    p.put(p.ellipse(-0.4, -0.05, 0.33, 0.33, 0.4), rng.uniform(0.35, 0.6) + 0.03 * p.field(0.01))
    p.put(p.ellipse(0.5, 0.02, 0.15, 0.22, -0.4), rng.uniform(0.4, 0.9))
    for side in (-1, 1):
        p.put(p.ellipse(0.36 * side, 0.2, 0.11, 0.14), rng.uniform(0.6, 0.95))
        p.put(p.ellipse(0.36 * side, 0.2, 0.04, 0.06), rng.uniform(0.2, 0.9))
    for _ in range(int(rng.integers(4, 12))):
        x, y, r = rng.uniform(-0.2, 0.5), rng.uniform(-0.35, 0.1), rng.uniform(0.03, 0.1)
        p.put(p.ellipse(x, y, r, r * rng.uniform(0.5, 1), rng.uniform(0, 3)), float(rng.uniform(0, 1)))
    p.put(p.ellipse(0, 0.28, 0.12, 0.11), rng.uniform(0.3, 0.6))
    p.put(p.ellipse(0, 0.41, 0.04, 0.04), rng.uniform(0.1, 0.95))
    p.value = p.value * np.clip(0.8 + 0.25 * p.field(0.35), 0.3, 1.5)
    return _finish(p, size, rng.uniform(0.01, 0.05), rng.uniform(0.5, 1.3), rician=True)


def any_slice(size: Shape, rng: np.random.Generator) -> Grey:
    """A body part that no atlas knows: rings and blobs in rings and blobs, each of its own grey, on black air."""
    p = _Plane(_side(size, rng), rng, float(rng.uniform(0.02, 0.09)))
    rx, ry = rng.uniform(0.45, 0.95, 2)
    y0 = float(rng.uniform(-0.2, 0.2))
    p.put(p.ellipse(0, y0, rx, ry), float(rng.uniform(0.2, 0.95)))
    body = p.ellipse(0, y0, rx - 0.05, ry - 0.05)
    p.put(body, float(rng.uniform(0.05, 0.6)))
    if rng.random() < 0.4:
        p.put(p.ellipse(0, y0, rx - 0.1, ry - 0.1), _folds(p))
    for _ in range(int(rng.integers(3, 25))):
        turn, out = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.85)
        x, y = out * rx * np.cos(turn), y0 + out * ry * np.sin(turn)
        r = float(rng.uniform(0.02, 0.3))
        blob = p.ellipse(x, y, r, r * float(rng.uniform(0.3, 1)), float(rng.uniform(0, 3.1)))
        p.put(np.asarray(blob * body, np.float32), float(rng.uniform(0, 1)))
    p.value = p.value * (1 + float(rng.uniform(0, 0.06)) * p.field(0.012)) * np.clip(1 + 0.2 * p.field(0.4), 0.4, 1.6)
    return _finish(p, size, rng.uniform(0.005, 0.05), rng.uniform(0.5, 1.3), rician=rng.random() < 0.6)


def chest_xray(size: Shape, rng: np.random.Generator) -> Grey:
    """A frontal chest film: dark lungs under ribs, heart shadow, spine, collar bones."""
    p = _Plane(_side(size, rng), rng, 0.03)
    p.value = np.asarray(0.62 + 0.08 * p.field(0.3) - 0.15 * np.abs(p.x), np.float32)
    for side in (-1, 1):
        p.put(p.ellipse(0.42 * side, -0.05, 0.33, 0.62, -0.1 * side) * 0.85, 0.2)
        for rib in np.linspace(-0.7, 0.55, int(rng.integers(7, 11))):
            arc = p.y - rib - 0.35 * np.clip(np.abs(p.x) - 0.1, 0, None) ** 1.3
            lit = np.exp(-((arc / 0.018) ** 2)) * (np.sign(p.x) == side) * (np.abs(p.x) < 0.85)
            p.value = np.asarray(p.value + 0.12 * lit, np.float32)
        p.value += 0.18 * p.ellipse(0.35 * side, -0.75, 0.35, 0.03, -0.25 * side)
    p.value += 0.28 * p.ellipse(0.12, 0.2, 0.26, 0.3, 0.5) + 0.2 * p.ellipse(0, 0, 0.09, 1.1)
    p.value += 0.25 * p.ellipse(0, 0.95, 0.9, 0.35)
    if rng.random() < 0.3:
        p.value = np.asarray(1 - p.value, np.float32)
    return _finish(p, size, rng.uniform(0.005, 0.03), rng.uniform(0.6, 1.5))


def bone_scan(size: Shape, rng: np.random.Generator) -> Grey:
    """A whole-body count of gamma rays: a narrow grainy figure, black on white or white on black; tall."""
    p = _Plane(384, rng, 0.01)
    parts: list[tuple[float, float, float, float]] = [
        (0, -0.85, 0.09, 0.1),
        (0, -0.5, 0.2, 0.26),
        (0, -0.45, 0.035, 0.45),
        (0, -0.08, 0.17, 0.11),
    ]
    for side in (-1, 1):
        parts += [(0.27 * side, -0.4, 0.05, 0.3), (0.32 * side, 0.0, 0.04, 0.2), (0.1 * side, 0.3, 0.06, 0.3)]
        parts += [(0.1 * side, 0.75, 0.045, 0.25)]
    for x, y, rx, ry in parts:
        p.value += p.ellipse(x, y, rx, ry) * float(rng.uniform(0.1, 0.35))
    for _ in range(int(rng.integers(2, 10))):
        p.value += 0.5 * p.ellipse(rng.uniform(-0.15, 0.15), rng.uniform(-0.8, 0.4), 0.03, 0.03)
    counts = rng.poisson(np.clip(p.value, 0, None) * rng.uniform(8, 60)) / 25.0
    grey = np.clip(counts, 0, 1)
    film = cv2.resize((255 * grey).astype(np.uint8), (round(size[0] * 0.45), size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(255 - film if rng.random() < 0.5 else film, np.uint8)


def limb_xray(size: Shape, rng: np.random.Generator) -> Grey:
    """One or two long bones with a joint in pale flesh, on black or grey film."""
    p = _Plane(_side(size, rng), rng, 0.03)
    p.value += float(rng.uniform(0.02, 0.3))
    turn = float(rng.uniform(-0.6, 0.6))
    wide = float(rng.uniform(0.25, 0.55))
    p.put(p.ellipse(0, 0, wide, 1.6, turn) * 0.9, float(rng.uniform(0.3, 0.5)))
    for bone in range(int(rng.integers(1, 3))):
        x = float(rng.uniform(-0.05, 0.05)) + bone * wide * 0.5
        thick = wide * float(rng.uniform(0.15, 0.3))
        for y in (-0.72, 0.72):
            p.ring(x - y * np.sin(turn), y, thick, 0.66, thick * 0.3, float(rng.uniform(0.8, 1)), 0.62)
        p.put(p.ellipse(x, 0.02, thick * 1.8, 0.16) * 0.8, 0.8)
    p.value = p.value * (1 + 0.1 * p.field(0.3))
    if rng.random() < 0.25:
        p.value = np.asarray(1 - p.value, np.float32)
    return _finish(p, size, rng.uniform(0.005, 0.03), rng.uniform(0.6, 1.5))


def hand_xray(size: Shape, rng: np.random.Generator) -> Grey:
    """Fingers of bone in pale flesh on a black film."""
    p = _Plane(_side(size, rng), rng, 0.03)
    p.value += 0.05
    p.put(p.ellipse(0, 0.35, 0.4, 0.45) * 0.9, 0.35)
    for index, turn in enumerate(np.linspace(-0.5, 0.5, 5)):
        x, y = 0.0, 0.5
        for bone in range(4):
            long = (0.42, 0.28, 0.2, 0.14)[bone] * (0.8 if index in (0, 4) else 1.0)
            cx, cy = x + np.sin(turn) * long * 0.5, y - np.cos(turn) * long * 0.5
            p.put(p.ellipse(cx, cy, 0.09, long * 0.62, turn) * 0.7, 0.38)
            p.ring(cx, cy, 0.042, long * 0.47, 0.015, 0.92, 0.7)
            x, y = x + np.sin(turn) * long, y - np.cos(turn) * long
    for _ in range(7):
        p.put(p.ellipse(rng.uniform(-0.2, 0.2), rng.uniform(0.55, 0.75), 0.07, 0.06), 0.85)
    return _finish(p, size, rng.uniform(0.005, 0.02), rng.uniform(0.6, 1.2))


def _folds(p: _Plane) -> Float:
    """Grey and white matter: a field cut into bands that turn like gyri."""
    field = p.field(0.02)
    white, grey = (0.62, 0.42) if p.rng.random() < 0.6 else (0.4, 0.6)
    cuts = np.abs(field) < 0.18
    return np.asarray(np.where(cuts, 0.15, np.where(field > -0.3, white, grey)), np.float32)
