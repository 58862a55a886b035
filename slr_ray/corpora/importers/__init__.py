"""Importers: pose data in other formats as clips, one file a format."""

from __future__ import annotations

from functools import partial

from slr_ray.annotations import READERS
from slr_ray.corpora.importers.formats import (
    asl_signs,
    coco_wholebody,
    mp_data,
    openpose,
    pose_files,
    spoter_csv,
)
from slr_ray.corpora.importers.sentences import isharah, mska
from slr_ray.corpora.importers.sentences.joined import open_joined
from slr_ray.corpora.importers.source import Importer

IMPORTERS: dict[str, Importer] = {
    "spoter_csv": spoter_csv.open_source,
    "mp_data": mp_data.open_source,
    "asl_signs": asl_signs.open_source,
    "pose": pose_files.open_source,
    "openpose": openpose.open_source,
    "coco_wholebody": coco_wholebody.open_source,
    **{name: partial(open_joined, read) for name, read in READERS.items()},
    "isharah": isharah.open_source,
    "mska": mska.open_source,
}
"""Every source format by the name that the command line takes."""
