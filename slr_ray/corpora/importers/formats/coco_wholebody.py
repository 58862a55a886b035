"""Arrays and JSON of whole-body detectors: 133 points (COCO-WholeBody) or 136 (Halpe) a person.

GLOSS/CLIP.npy or .npz: frames x points x (x, y, confidence), with an axis of people or without; a
.npz may hold confidences of their own. GLOSS/CLIP.json: what mmpose's inferencer and demos write (a
list of `{frame_id, instances}`, `instance_info` in the demos), or AlphaPose's list of
`{image_id, keypoints}`. Coordinates are pixels as a rule, and the size of the picture is seldom in
the file. A file right in the folder that was named has no gloss. The formats name no signer.
"""

from __future__ import annotations

from pathlib import Path

from slr_ray.corpora.importers.formats.wholebody import joints
from slr_ray.corpora.importers.formats.wholebody_arrays import people_of_arrays
from slr_ray.corpora.importers.formats.wholebody_json import people_of_json
from slr_ray.corpora.importers.gloss_tree import source_of_files
from slr_ray.corpora.importers.people import one_person
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.source import ImportOptions, Source
from slr_ray.poses.clip import Clip

_SUFFIXES = (".npy", ".npz", ".json")


def open_source(path: Path, options: ImportOptions) -> Source:
    """One file or every one below a folder; `DataError` where there is none."""
    return source_of_files(path, _SUFFIXES, {"skeleton": "COCO-WholeBody"}, _read, options)


def _read(
    file: Path, clip_id: str, gloss: str | None, options: ImportOptions, remarks: Remarks
) -> Clip:
    read = people_of_json if file.suffix.lower() == ".json" else people_of_arrays
    people = read(file)
    landmarks = one_person(people, options.picture_size, clip_id, remarks)
    fps = options.fps_or(people.fps)
    return Clip(clip_id, gloss, options.fallback_signer, fps, *joints(*landmarks))
