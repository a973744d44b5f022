"""Fonts that burned-in text is written with: those of the system's folders, and four that are always there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ultracurate.core.errors import ConfigError
from ultracurate.phantom.textures import Grey

LATIN, CYRILLIC, GREEK, ARABIC, HAN, KANA, HANGUL = "latin", "cyrillic", "greek", "arabic", "han", "kana", "hangul"


@dataclass(frozen=True)
class Font:
    """One font: possible file names and the Debian package that brings them, or the library that `brings` it along.

    `strikes` are the only sizes (px) of a font made of pixels. `share` evens out how large fonts look at the same size.
    """

    package: str = ""
    files: tuple[str, ...] = ()
    scripts: tuple[str, ...] = (LATIN,)
    strikes: tuple[int, ...] = ()
    share: float = 1.0
    brings: str = ""


_EUROPE = (LATIN, CYRILLIC, GREEK)
_TERMINUS = (12, 14, 16, 18, 20, 22, 24, 28)

SEEN_FONTS: dict[str, Font] = {
    "opencv": Font(brings="opencv"),
    "opencv bold": Font(brings="opencv bold"),
    "pixels": Font(brings="pillow pixels", strikes=(11, 22)),
    "dejavu sans": Font("fonts-dejavu-core", ("DejaVuSans.ttf",), (*_EUROPE, ARABIC)),
    "dejavu sans bold": Font("fonts-dejavu-core", ("DejaVuSans-Bold.ttf",), (*_EUROPE, ARABIC)),
    "dejavu mono": Font("fonts-dejavu-core", ("DejaVuSansMono.ttf",), _EUROPE),
    "dejavu condensed": Font("fonts-dejavu-extra", ("DejaVuSansCondensed.ttf",), _EUROPE),
    "dejavu serif": Font("fonts-dejavu-core", ("DejaVuSerif.ttf",), _EUROPE),
    "liberation sans": Font("fonts-liberation", ("LiberationSans-Regular.ttf",), _EUROPE, share=1.1),
    "liberation sans bold": Font("fonts-liberation", ("LiberationSans-Bold.ttf",), _EUROPE, share=1.1),
    "liberation mono": Font("fonts-liberation", ("LiberationMono-Regular.ttf",), _EUROPE, share=1.1),
    "roboto": Font("fonts-roboto-unhinted", ("Roboto-Regular.ttf",), _EUROPE),
    "roboto condensed": Font("fonts-roboto-unhinted", ("RobotoCondensed-Regular.ttf",), _EUROPE, share=1.1),
    "lato": Font("fonts-lato", ("Lato-Medium.ttf", "Lato-Regular.ttf")),
    "hack": Font("fonts-hack", ("Hack-Regular.ttf",), _EUROPE),
    "inconsolata": Font("fonts-inconsolata", ("Inconsolata.otf", "Inconsolata-Regular.ttf", "Inconsolata.ttf")),
    "terminus": Font("fonts-terminus-otb", ("terminus-normal.otb",), (LATIN, CYRILLIC), _TERMINUS),
    "microhei": Font("fonts-wqy-microhei", ("wqy-microhei.ttc",), (LATIN, HAN, KANA)),
    "nanum gothic": Font("fonts-nanum", ("NanumGothic.ttf",), (LATIN, HANGUL)),
}
"""Fonts that nets may be trained on."""

HELD_FONTS: dict[str, Font] = {
    "aileron": Font(brings="pillow"),
    "liberation serif": Font("fonts-liberation", ("LiberationSerif-Bold.ttf",), _EUROPE, share=1.15),
    "liberation narrow": Font("fonts-liberation", ("LiberationSansNarrow-Bold.ttf",), _EUROPE, share=1.2),
    "free sans": Font("fonts-freefont-ttf", ("FreeSans.ttf",), _EUROPE, share=1.1),
    "free sans bold": Font("fonts-freefont-ttf", ("FreeSansBold.ttf",), _EUROPE, share=1.1),
    "free mono bold": Font("fonts-freefont-ttf", ("FreeMonoBold.ttf",), _EUROPE, share=1.15),
    "open sans": Font("fonts-open-sans", ("OpenSans-Semibold.ttf", "OpenSans-SemiBold.ttf"), _EUROPE),
    "cantarell": Font("fonts-cantarell", ("Cantarell-Regular.otf", "Cantarell-VF.otf")),
    "noto mono": Font("fonts-noto-mono", ("NotoSansMono-Regular.ttf", "NotoMono-Regular.ttf"), _EUROPE),
    "fira code": Font("fonts-firacode", ("FiraCode-Medium.ttf", "FiraCode-Regular.ttf"), _EUROPE),
    "unifont": Font("fonts-unifont", ("unifont.otf", "unifont.ttf"), (*_EUROPE, HANGUL), (16,)),
    "kacst office": Font("fonts-kacst", ("KacstOffice.ttf",), (ARABIC,), share=1.3),
    "vl gothic": Font("fonts-vlgothic", ("VL-Gothic-Regular.ttf",), (LATIN, HAN, KANA)),
}
"""Fonts kept for tests: no shipped net was trained on one of these."""

FONTS = SEEN_FONTS | HELD_FONTS

PACKAGES = tuple(sorted({font.package for font in FONTS.values() if font.package}))
"""Debian packages that bring all fonts: apt-get install --no-install-recommends of these."""

DRAWN = tuple(name for name, font in FONTS.items() if font.brings)
"""Fonts that come with Pillow and OpenCV; OpenCV 5 draws every Hershey font in one face, so one half has them all."""


@lru_cache(maxsize=1)
def _installed() -> dict[str, Path]:
    """File name -> file of every font in the system's and the user's folders."""
    share = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    home = Path.home()
    folders = [Path(part) / "fonts" for part in share if part]
    folders += [home / ".local/share/fonts", home / ".fonts", Path("/Library/Fonts"), home / "Library/Fonts"]
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.[ot]t[fcb]")) if folder.is_dir() else []:
            found.setdefault(path.name, path)
    return found


def missing() -> dict[str, str]:
    """Fonts that this machine lacks: name -> Debian package."""
    here = _installed()
    return {name: font.package for name, font in FONTS.items() if font.files and not here.keys() & set(font.files)}


def font_file(name: str) -> Path:
    """The file of the font called `name`; ConfigError when it is not installed or not a font of a file."""
    font = FONTS.get(name)
    if font is None or not font.files:
        raise ConfigError(f"Expected a font of {', '.join(n for n, f in FONTS.items() if f.files)}, found {name!r}.")
    here = _installed()
    for file in font.files:
        if file in here:
            return here[file]
    raise ConfigError(
        f"Expected the font {font.files[0]} in the system's font folders, found none of that name. "
        f"Install it: apt-get install {font.package}, or all of them: make fonts."
    )


@lru_cache(maxsize=256)
def _face(name: str, size: int, shaped: bool) -> ImageFont.FreeTypeFont:
    engine = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
    if FONTS[name].brings:
        face = ImageFont.load_default(size)
        assert isinstance(face, ImageFont.FreeTypeFont), "Pillow is built with FreeType"
        return face
    return ImageFont.truetype(str(font_file(name)), size, layout_engine=engine)


def _opencv(text: str, size: int, smooth: bool, bold: bool) -> Grey:
    face = cv2.FONT_HERSHEY_DUPLEX if bold else cv2.FONT_HERSHEY_SIMPLEX
    scale = 0.72 * size / cv2.getTextSize("H", face, 1.0, 1)[0][1]
    (width, height), base = cv2.getTextSize(text, face, scale, 1)
    cover = np.zeros((height + base + 6, width + 6), np.uint8)
    cv2.putText(cover, text, (3, height + 3), face, scale, 255, 1, cv2.LINE_AA)
    return cover if smooth else np.where(cover > 127, 255, 0).astype(np.uint8)


def _pixels(text: str, size: int) -> Grey:
    """Letters of 6 x 11 dots, doubled for large ones."""
    face = ImageFont.load_default_imagefont()
    _, _, right, bottom = (int(v) for v in face.getbbox(text.encode("latin-1", "replace")))
    tile = Image.new("1", (max(right, 1), max(bottom, 1)))
    ImageDraw.Draw(tile).text((0, 0), text.encode("latin-1", "replace").decode("latin-1"), fill=1, font=face)
    cover = np.asarray(tile, np.uint8) * np.uint8(255)
    times = 1 if size < 17 else 2
    return np.repeat(np.repeat(cover, times, axis=0), times, axis=1)


def ink(text: str, name: str, size: int, smooth: bool = True) -> Grey:
    """Coverage 0..255 of one line, (h, w) uint8 cut to its ink.

    `size` is the em in px; a font made of pixels takes its nearest size. Without `smooth` each pixel is on or off, as
    on old devices.
    """
    font = FONTS[name]
    if font.brings.startswith("opencv"):
        cover = _opencv(text, size, smooth, "bold" in font.brings)
    elif font.brings == "pillow pixels":
        cover = _pixels(text, size)
    else:
        size = min(font.strikes, key=lambda strike: abs(strike - size)) if font.strikes else round(size * font.share)
        face = _face(name, size, shaped=any("\u0600" <= sign <= "\u06ff" for sign in text))
        left, top, right, bottom = (int(v) for v in face.getbbox(text))
        tile = Image.new("L", (max(right - left, 1) + 2, max(bottom - top, 1) + 2))
        pen = ImageDraw.Draw(tile)
        pen.fontmode = "L" if smooth and not font.strikes else "1"
        pen.text((1 - left, 1 - top), text, fill=255, font=face)
        cover = np.asarray(tile, np.uint8)
    rows, columns = np.flatnonzero(cover.max(axis=1)), np.flatnonzero(cover.max(axis=0))
    if not len(rows):
        return np.zeros((1, 1), np.uint8)
    return np.ascontiguousarray(cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
