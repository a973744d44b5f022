"""In which files an invented deposit comes: pictures, clips and volumes in any packing, tables, code and words."""

from __future__ import annotations

from collections.abc import Callable

from ultracurate.phantom.hosts.records import HostFile
from ultracurate.phantom.hosts.world_files import Packer

Layout = Callable[[Packer], tuple[list[HostFile], str]]
"""Makes the files and a sentence that says what they are."""

_MB = 1_000_000
_STILLS = "png png png jpg jpg jpeg bmp tif JPG"
_CLIPS = "mp4 avi mp4 mov"
_VOLUMES = "nii.gz nii.gz mha nrrd mhd"
_PLAIN = ("data.zip", "archive.zip", "files.zip", "dataset.zip", "New folder.zip", "1.zip", "all.zip", "upload (1).zip")
_OPAQUE = ("archive.7z", "files.rar", "data.tar.gz", "dataset.rar", "data.7z", "all.tar", "set.tar.xz")
_CLASSES = ("benign", "malignant", "normal", "positive", "negative", "class_0", "class_1", "stone", "cyst", "plane A")
_SPLITS = ("train", "test", "val")


def _loose(endings: str, low: int, high: int, most: int = 12, extras: bool = True) -> Layout:
    def make(packer: Packer) -> tuple[list[HostFile], str]:
        ending = packer.chance.choice(endings.split(" "))
        number = most * 4 if packer.chance.random() < 0.1 else most
        files = [packer.blob(name, low, high) for name in packer.series(ending, min(4, most), number)]
        return files + (packer.extras() if extras else []), f"Single files ({ending or 'without ending'})."

    return make


def _zipped(endings: str, names: tuple[str, ...], folders: tuple[str, ...] = (), extras: bool = True) -> Layout:
    def make(packer: Packer) -> tuple[list[HostFile], str]:
        chance = packer.chance
        ending = chance.choice(endings.split(" "))
        members = [f"{chance.choice(folders)}/{name}" if folders else name for name in packer.series(ending)]
        if chance.random() < 0.3:
            members.append(chance.choice(("README.txt", "labels.csv", "info.xlsx")))
        key = chance.choice(names).format(code=f"{chance.randrange(16**4):04x}")
        return [packer.zip(key, members), *(packer.extras() if extras else [])], f"One zip file ({ending or 'dcm'})."

    return make


def _parts(packer: Packer) -> tuple[list[HostFile], str]:
    ending = packer.chance.choice(("png", "jpg", "bmp"))
    files = [packer.zip(f"{part}.zip", [f"{part}/{name}" for name in packer.series(ending)]) for part in _SPLITS]
    return [*files, packer.zip("masks.zip", packer.series("png"))], "Images and masks are in separate archives."


def _folders(packer: Packer) -> tuple[list[HostFile], str]:
    chance, ending = packer.chance, packer.chance.choice(("png", "jpg"))
    classes = chance.sample(_CLASSES, chance.randint(2, 4))
    places = [f"{part}/{name}" for part in chance.choice((_SPLITS[:2], ("images",))) for name in classes]
    names = [f"{place}/{name}" for place in places for name in packer.series(ending, 4, 8)]
    return [packer.blob(name, 20_000, 400_000) for name in dict.fromkeys(names)], "One folder a class."


def _single(names: tuple[str, ...], low: int, high: int, sentence: str) -> Layout:
    def make(packer: Packer) -> tuple[list[HostFile], str]:
        key = packer.chance.choice(names).format(code=f"{packer.chance.randrange(16**4):04x}")
        return [packer.blob(key, low, high), *packer.extras()], sentence

    return make


def _some(names: tuple[str, ...], low: int, high: int, most: int = 4) -> Layout:
    def make(packer: Packer) -> tuple[list[HostFile], str]:
        keys = packer.chance.sample(names, packer.chance.randint(1, min(most, len(names))))
        return [packer.blob(key, low, high) for key in keys], ""

    return make


_TABLE_NAMES = (
    "data.csv",
    "Table_S1.xlsx",
    "raw data.xlsx",
    "results.csv",
    "dataset.xlsx",
    "S2_Table.xls",
    "figure_3.csv",
)
_NAMED = (
    "images_{code}.zip",
    "dataset-{code}.zip",
    "US_images.zip",
    "scans.zip",
    "frames_{code}.zip",
    "ultrasound.zip",
)

LAYOUTS: dict[str, Layout] = {
    # What may hold ultrasound.
    "stills": _loose(_STILLS, 20_000, 400_000),
    "clips": _loose(_CLIPS, 900_000, 60 * _MB),
    "volumes": _loose(_VOLUMES, _MB, 90 * _MB),
    "dicom_bare": _loose("dcm  ", 300_000, 9 * _MB),
    "folders": _folders,
    "zip_named": _zipped(_STILLS, _NAMED),
    "zip_plain": _zipped(_STILLS, _PLAIN, ("images", "masks", "1", "a", "data")),
    "zip_clips": _zipped(_CLIPS, (*_PLAIN, "videos.zip")),
    "zip_volumes": _zipped(_VOLUMES, (*_PLAIN, "volumes_{code}.zip")),
    "zip_dicom": _zipped("dcm  ", _PLAIN, ("DICOM/PA1/ST1/SE1", "S0001", "study")),
    "zips_split": _parts,
    "opaque": _single(_OPAQUE, 40 * _MB, 2_000 * _MB, "The archive holds the images (PNG)."),
    "mat": _single(
        ("data.mat", "frames_{code}.h5", "dataset.hdf5", "images.npz", "train.tfrecord"),
        *(30 * _MB, 900 * _MB),
        "One file holds all image frames as an array.",
    ),
    # Tables, texts, code.
    "tables": _some(_TABLE_NAMES, 2_000, 900_000),
    "csv": _some(("data.csv", "dataset.csv", "values.tsv", "codebook.csv"), 2_000, 2 * _MB, 2),
    "xlsx": _some(("data.xlsx", "Supplementary Table 1.xlsx", "raw_data.xls", "S1_File.xlsx"), 9_000, 900_000, 2),
    "sav": _some(("database.sav", "analysis.dta", "cohort.rds", "syntax.sps", "data.sas7bdat"), 9_000, 3 * _MB, 3),
    "zip_tables": _zipped("csv csv xlsx tsv", _PLAIN, ("tables", "data", "raw"), extras=False),
    "zip_docs": _zipped("xlsx docx csv", _PLAIN, ("forms", "answers"), extras=False),
    "opaque_tables": _single(_OPAQUE, 30_000, 4 * _MB, "The archive holds spreadsheets only."),
    "zip_code": _zipped(
        "py py ipynb m R", ("code.zip", "scripts.zip", "repo-main.zip", "v1.0.zip"), ("src", "notebooks")
    ),
    "code": _some(("train.py", "model.py", "figures.ipynb", "analysis.R"), 900, 90_000, 5),
    "weights": _some(("unet_weights.h5", "best_model.pth", "model.onnx", "checkpoint.pt"), _MB, 400 * _MB, 3),
    "json": _some(("annotations.json", "labels.json", "log.jsonl", "coco_train.json"), 9_000, 9 * _MB, 2),
    "zip_json": _zipped("json xml txt", _PLAIN, ("labels", "annotations"), extras=False),
    "omics": _some(("counts.tsv.gz", "metadata.csv", "peaks.mzML", "reads_R1.fastq.gz", "otu.biom"), _MB, 900 * _MB),
    "spectra": _some(
        ("raman.txt", "XRD_sample1.xy", "FTIR.csv", "uvvis.dsp", "nmr.jdx", "fig2.opj"), 9_000, 900_000, 5
    ),
    "segy": _some(("line01.sgy", "cores.las", "velocities.csv", "model.rsf"), _MB, 90 * _MB, 3),
    "cad": _some(("holder.stl", "assembly.step", "part.SLDPRT", "drawing.dxf"), 90_000, 9 * _MB),
    "mat_signals": _some(
        ("signals.mat", "waveforms.h5", "ascan.mat", "channel_1.tdms", "record.npy"), _MB, 400 * _MB, 3
    ),
    "zip_signals": _zipped("mat csv dat bin npy", _PLAIN, ("raw", "run1", "signals"), extras=False),
    "wav": _loose("wav wav WAV flac", 200_000, 40 * _MB),
    # Pictures of something else.
    "ndt_images": _loose("png jpg bmp tif", 20_000, 400_000),
    "zip_ndt": _zipped(
        "png jpg tif", (*_PLAIN, "US_images.zip", "ultrasound.zip"), ("images", "defects", "train", "masks")
    ),
    "opaque_ndt": _single(_OPAQUE, 40 * _MB, 900 * _MB, "The archive holds the images (PNG) and labels."),
    "sonar_images": _loose("jpg png", 20_000, 900_000),
    "zip_sonar": _zipped("jpg png", _PLAIN, ("images", "train", "labels")),
    "spectrograms": _loose("png jpg", 20_000, 200_000),
    "photos": _loose("jpg JPG png tif", 90_000, 5 * _MB),
    "zip_photos": _zipped("jpg png", _PLAIN, ("images", "masks")),
    "zip_micro": _zipped("tif tif jpg czi png", _PLAIN, ("control", "treated", "Fig 3", "images")),
    "zip_oct": _zipped("tif png jpg", _PLAIN, ("images", "layers")),
    "highspeed": _loose("avi mp4 cine tif", _MB, 90 * _MB),
    "lecture": _loose("mp4 mov", 30 * _MB, 900 * _MB, 2),
    "slides": _some(("slides.pptx", "handout.pdf", "course.pptx"), _MB, 40 * _MB, 2),
    "xray": _loose("png jpg dcm", 90_000, 3 * _MB),
    "zip_xray": _zipped("png jpg dcm", _PLAIN, ("images", "train", "NORMAL")),
    "zip_ct": _zipped("dcm dcm png ", _PLAIN, ("DICOM/PA1/ST1/SE1", "S0001", "study")),
    "volumes_ct": _loose("nii.gz nrrd mha", 9 * _MB, 200 * _MB),
    "zip_mr": _zipped("nii.gz dcm png", _PLAIN, ("images", "sub-01")),
    "volumes_mr": _loose("nii.gz mha nii", 3 * _MB, 90 * _MB),
    # Nothing but words.
    "text": _some(
        ("README.txt", "README.md", "description.pdf", "how_to_get_the_data.docx", "link.txt", "index.html"),
        300,
        90_000,
        2,
    ),
}
