"""Small sources of sentences in every format: two clips of one upright person.

The first is `cat DOG` of the training set, the second `DOG` of the test set.
"""

from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from importer_factory import (
    FRAMES,
    body_landmarks,
    hand_landmarks,
    person,
    wholebody_points,
)

from slr_ray.poses.clip import Clip
from slr_ray.poses.shard_writing import write_shard

PICTURE = (210, 260)


@dataclass(frozen=True)
class Written:
    """A source of two sentences; `names` are their clip ids, `signers` theirs."""

    path: Path
    names: tuple[str, str]
    signers: tuple[str | None, str | None]
    texts: tuple[str | None, str | None]
    options: dict[str, Any]
    break_first: Callable[[], object]


def shard_of(folder: Path, *clip_ids: str, fps: float | None = 25.0) -> Path:
    """The person's poses under these ids, without any label."""
    positions, confidence = (array.astype(np.float32) for array in person())
    clips = [Clip(one, None, None, fps, positions, confidence) for one in clip_ids]
    path = folder / "poses.parquet"
    write_shard(path, clips, {"extractor": "a test", "version": "1", "settings": {}})
    return path


def write_phoenix14(folder: Path) -> Written:
    manual = folder / "phoenix-2014-multisigner" / "annotations" / "manual"
    manual.mkdir(parents=True)
    heading = "id|folder|signer|annotation\n"
    rows = (
        "01April_heute-0|01April_heute-0/1/*.png|Signer04|__ON__ CAT loc-CAT DOG __OFF__\n",
        "02May_heute-1|02May_heute-1/1/*.png|Signer05|DOG-PLUSPLUS __EMOTION__\n",
    )
    for split, text in (("train", rows[0]), ("test", rows[1])):
        (manual / f"{split}.corpus.csv").write_text(heading + text)
    names = ("01April_heute-0", "02May_heute-1")
    poses = shard_of(folder, *names)
    return Written(
        folder / "phoenix-2014-multisigner",
        names,
        ("signer04", "signer05"),
        (None, None),
        {"poses": str(poses)},
        lambda: (manual / "train.corpus.csv").write_text(f"{heading}01April_heute-0|__ON__\n"),
    )


def write_phoenix14t(folder: Path) -> Written:
    manual = folder / "PHOENIX-2014-T" / "annotations" / "manual"
    manual.mkdir(parents=True)
    heading = "name|video|start|end|speaker|orth|translation\n"
    names = ("11August_tagesschau-2", "12May_heute-3")
    rows = (
        f'{names[0]}|{names[0]}/1/*.png|-1|-1|Signer08|CAT DOG|er sagt "katze" , dann hund .\n',
        f"{names[1]}|{names[1]}/1/*.png|-1|-1|Signer01|DOG|ein hund .\n",
    )
    for split, text in (("train", rows[0]), ("test", rows[1])):
        (manual / f"PHOENIX-2014-T.{split}.corpus.csv").write_text(heading + text)
    # The same sentences once more: it must not be read.
    other = manual / "PHOENIX-2014-T.train-complex-annotation.corpus.csv"
    other.write_text(heading + rows[0].replace("CAT", "loc-CAT"))
    # As a folder of videos in the corpus's layout is extracted.
    poses = shard_of(folder, f"train/{names[0]}/1", f"test/{names[1]}/1")
    return Written(
        folder / "PHOENIX-2014-T",
        names,
        ("signer08", "signer01"),
        ('er sagt "katze" , dann hund .', "ein hund ."),
        {"poses": str(poses)},
        lambda: (manual / "PHOENIX-2014-T.train.corpus.csv").write_text(
            heading + rows[0].replace("CAT DOG", "__ON__")
        ),
    )


def write_csl_daily(folder: Path) -> Written:
    label = folder / "CSL-Daily" / "sentence_label"
    label.mkdir(parents=True)
    names = ("S000020_P0000_T00", "S000021_P0003_T00")
    entries: list[dict[str, Any]] = [
        {
            "name": name,
            "length": FRAMES,
            "label_gloss": glosses,
            "label_char": list(text),
            "signer": int(name[9:13]),
            "time": 0,
        }
        for name, glosses, text in (
            (names[0], ["CAT", "DOG"], "他是谁"),
            (names[1], ["DOG"], "谁"),
        )
    ]

    def write(info: list[dict[str, Any]]) -> None:
        content = {"info": info, "gloss_map": ["CAT", "DOG"]}
        (label / "csl2020ct_v2.pkl").write_bytes(pickle.dumps(content))

    write(entries)
    (label / "split_1.txt").write_text(f"name|split\n{names[0]}|train\n{names[1]}|test\n")
    return Written(
        folder / "CSL-Daily",
        names,
        ("P0000", "P0003"),
        ("他是谁", "谁"),
        {"poses": str(shard_of(folder, *names, fps=30.0))},
        lambda: write([entries[0] | {"label_gloss": []}, entries[1]]),
    )


def write_gloss_table(folder: Path) -> Written:
    table = folder / "glosses.json"
    names = ("a1", "b1")
    entries: dict[str, dict[str, Any]] = {
        names[0]: {
            "gloss": ["CAT", "DOG"],
            "start_ms": [0, 80],
            "end_ms": [40, 160],
            "german": "Katze, Hund",
            "signer": "ann",
            "split": "train",
        },
        names[1]: {"gloss": ["DOG"], "signer": "ben", "split": "test"},
    }
    table.write_text(json.dumps(entries))
    broken = {**entries, names[0]: entries[names[0]] | {"end_ms": [40, 60]}}
    return Written(
        table,
        names,
        ("ann", "ben"),
        ("Katze, Hund", None),
        {"poses": str(shard_of(folder, *names))},
        lambda: table.write_text(json.dumps(broken)),
    )


def isharah_points() -> np.ndarray:
    """The person as frames x 86 x 2."""
    positions, _ = person()
    lips = np.full((FRAMES, 19, 2), 0.5)
    parts = [hand_landmarks(positions, "_1"), hand_landmarks(positions, "_0"), lips]
    return np.concatenate([*parts, body_landmarks(positions)[:, :25]], axis=1)


def write_isharah(folder: Path) -> Written:
    root = folder / "isharah" / "SI"
    root.mkdir(parents=True)
    names = ("01_0001", "02_0007")
    heading = "id|gloss|text\n"
    (root / "SI_train.txt").write_text(f"{heading}{names[0]}|CAT DOG|قط كلب\n", encoding="utf-8")
    (root / "SI_test.txt").write_text(f"{heading}{names[1]}|DOG|كلب\n", encoding="utf-8")

    def write(first: np.ndarray) -> None:
        content = {
            names[0]: {"keypoints": first},
            names[1]: {"keypoints": isharah_points()},
        }
        (root / "pose_data_SI.pkl").write_bytes(pickle.dumps(content))

    write(isharah_points())
    return Written(
        folder / "isharah",
        names,
        ("01", "02"),
        ("قط كلب", "كلب"),
        {},
        lambda: write(isharah_points()[:, :54]),
    )


def mska_points() -> np.ndarray:
    """The person's 133 points in pixels of PHOENIX's pictures."""
    return wholebody_points() * np.array([*PICTURE, 1])


def write_mska(folder: Path) -> Written:
    import torch

    root = folder / "pickles"
    root.mkdir()
    names = ("train/11August_tagesschau-2", "test/12May_heute-3")

    def entry(name: str, gloss: str, points: np.ndarray) -> dict[str, Any]:
        keypoint = torch.from_numpy(points)
        text = f"{gloss.lower()} ."
        return {
            "name": name,
            "gloss": gloss,
            "num_frames": FRAMES,
            "keypoint": keypoint,
            "text": text,
        }

    def write(first: np.ndarray) -> None:
        for file, name, gloss, points in (
            ("Phoenix-2014T.train", names[0], "CAT DOG", first),
            ("Phoenix-2014T.test", names[1], "DOG", mska_points()),
        ):
            content = {name: entry(name, gloss, points)}
            (root / file).write_bytes(pickle.dumps(content))

    write(mska_points())
    (root / "gloss2ids.pkl").write_bytes(pickle.dumps({"<si>": 0, "CAT": 4}))
    return Written(
        root,
        names,
        (None, None),
        ("cat dog .", "dog ."),
        {"picture_size": PICTURE},
        lambda: write(mska_points()[:, :79]),
    )


def write_twostream(folder: Path) -> tuple[Path, tuple[str, str]]:
    """The same poses as TwoStream keeps them: keypoints in one file, annotations gzipped."""
    root = folder / "phoenix-2014t"
    root.mkdir()
    names = ("train/11August_tagesschau-2", "test/12May_heute-3")
    keypoints = {name: {"keypoints": mska_points().astype(np.float32)} for name in names}
    (root / "phoenix-2014t-keypoints.pkl").write_bytes(pickle.dumps(keypoints))
    for split, name, gloss in (("train", names[0], "CAT DOG"), ("test", names[1], "DOG")):
        entries = [{"name": name, "gloss": gloss, "text": "x .", "num_frames": FRAMES}]
        with gzip.open(root / f"phoenix-2014t.{split}", "wb") as stream:
            stream.write(pickle.dumps(entries))
    return root, names


WRITERS: dict[str, Callable[[Path], Written]] = {
    "phoenix14": write_phoenix14,
    "phoenix14t": write_phoenix14t,
    "csl_daily": write_csl_daily,
    "gloss_table": write_gloss_table,
    "isharah": write_isharah,
    "mska": write_mska,
}
