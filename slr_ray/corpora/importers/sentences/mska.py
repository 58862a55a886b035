"""MSKA's and TwoStream's pickles: whole-body keypoints of PHOENIX and CSL-Daily by HRNet.

MSKA (Guan et al., 2024; sutwangyan/MSKA): a pickle a split, `Phoenix-2014T.train`, of
`{name: {name, gloss, num_frames, keypoint: frames x 133 x 3, text}}`. TwoStream (Chen et al.,
NeurIPS 2022; FangyunWei/SLRT): `{name: {'keypoints': frames x 133 x 3}}` in one file, and a gzipped
list of `{name, gloss, text, num_frames}` a split. Points are COCO-WholeBody's, x, y and score, in
pixels: PHOENIX's pictures have 210x260, CSL-Daily's 512x512. Format after their published loaders;
not run on the files themselves. All pickles are in memory while they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from slr_ray.annotations.annotation import Annotation, Annotations, split_in_name, words_of
from slr_ray.annotations.csl_daily import signer_in
from slr_ray.annotations.pickles import read_pickle
from slr_ray.corpora.importers.formats.wholebody import joints
from slr_ray.corpora.importers.gloss_tree import files_below
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.sentences.pickled import pickled_source
from slr_ray.corpora.importers.source import ImportOptions, Source, require_exists
from slr_ray.errors import DataError
from slr_ray.text import known

_SUFFIXES = (".train", ".dev", ".test", ".pkl", ".pickle", ".gz", ".gzip")
_KEYPOINTS = ("keypoint", "keypoints")
_POINTS = 133


def open_source(path: Path, options: ImportOptions) -> Source:
    """One pickle, or all below a folder, joined by name."""
    require_exists(path)
    remarks = Remarks()
    files = [one for one in files_below(path, "*") if path.is_file() or _is_pickle(one[1])]
    if not files:
        raise DataError(f"{str(path)!r} holds no {', '.join(_SUFFIXES)} file")
    annotations, poses = _read_files(files, remarks)
    return pickled_source(
        annotations,
        poses,
        (_POINTS, 3),
        joints,
        {"extractor": "HRNet", "version": None, "settings": {"skeleton": "COCO-WholeBody"}},
        options,
        remarks,
    )


def _is_pickle(name: PurePosixPath) -> bool:
    return name.suffix.lower() in _SUFFIXES


def _read_files(
    files: list[tuple[Path, PurePosixPath]], remarks: Remarks
) -> tuple[Annotations, dict[str, Any]]:
    """The entries that tell glosses, and the keypoints, by name."""
    annotations, poses = Annotations(), {}
    for file, name in files:
        entries = _entries(read_pickle(file))
        if not entries:
            remarks.add("files without entries of clips, left out", str(name))
        for key, entry in entries.items():
            points = next((entry[one] for one in _KEYPOINTS if one in entry), None)
            if points is not None:
                poses[key] = points
            if "gloss" in entry:
                annotations.add(_annotation(key, file, entry))
    annotations.check()
    return annotations, poses


def _entries(content: Any) -> dict[str, Mapping[str, Any]]:
    """By name; empty where a file holds something else, such as the numbers of glosses."""
    pairs: Any = content.items() if isinstance(content, Mapping) else ()
    if isinstance(content, list):
        pairs = [(one.get("name"), one) for one in content if isinstance(one, Mapping)]
    return {str(name): one for name, one in pairs if isinstance(one, Mapping)}


def _annotation(name: str, file: Path, entry: Mapping[str, Any]) -> Annotation:
    path = PurePosixPath(name)
    gloss, signer = entry["gloss"], entry.get("signer")
    glosses = words_of(gloss if isinstance(gloss, str) else " ".join(map(str, gloss or ())))
    return Annotation(
        name,
        f"{file}, {name}",
        glosses,
        signer=signer_in(path.name) or known(None if signer is None else str(signer)),
        text=known(str(entry.get("text") or "")),
        split=split_in_name(file.name) or split_in_name(path.parts[0]),
    )
