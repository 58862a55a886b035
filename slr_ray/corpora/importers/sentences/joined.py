"""Sentences that annotations name, joined to poses that are pose shards already.

PHOENIX, CSL-Daily and tables of one's own hold no poses: `slr_ray.extract` or another import makes
them, and `--poses` names the result. A clip is a sentence's where its id is the sentence's name, or
a folder on its path is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from slr_ray.annotations.annotation import Annotation, Annotations
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.sentences.frame_times import times_in_frames
from slr_ray.corpora.importers.source import (
    ImportOptions,
    Item,
    Source,
    broken_item,
    require_exists,
)
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.shards import ShardReader, Skipped
from slr_ray.text import normal_name


def open_joined(read: Callable[[Path], Annotations], path: Path, options: ImportOptions) -> Source:
    """The annotated clips of the shards at `options.poses`, in the shards' order."""
    require_exists(path)
    assert options.poses is not None, "asked for by read_options"
    remarks = Remarks()
    annotations = read(path)
    for note in annotations.notes:
        remarks.add(note)
    reader = ShardReader(options.poses, skip_broken=True)
    names = {row.name: row for row in annotations.rows}
    named = names.keys() | {one.clip_id for one in annotations.broken}
    matched, others = _matched(reader, named)
    clips = {clip_id: name for clip_id, name in matched.items() if name in names}
    if not clips:
        raise DataError(
            f"no clip of {options.poses} is named as a sentence of {path}: clips are called "
            f"{', '.join(others[:3])}, sentences {', '.join(list(names)[:3])}"
        )
    if others:
        remarks.add(f"clips of {options.poses} that no annotation names, left out", *others)
    there = set(clips.values())
    absent = [row for row in annotations.rows if row.name not in there]
    items = _items(reader, clips, names, absent, annotations, options, remarks)
    return Source(
        num_clips=len(annotations.rows) + len(annotations.broken),
        provenance=_provenance(reader),
        items=items,
        remarks=remarks,
        splits=annotations.splits(),
    )


def _matched(reader: ShardReader, names: set[str]) -> tuple[dict[str, str], list[str]]:
    """The sentence of each clip by its id, and the clips that are no sentence."""
    clips: dict[str, str] = {}
    others: list[str] = []
    seen: dict[str, str] = {}
    for clip_id in reader.clip_ids():
        path = PurePosixPath(normal_name(clip_id))
        named = (one for one in (str(path), *reversed(path.parts)) if one in names)
        name = next(named, None)
        if name is None:
            others.append(clip_id)
            continue
        if name in seen:
            raise DataError(
                f"two clips of {reader.location} are named as sentence {name!r}: {seen[name]!r} "
                f"and {clip_id!r}"
            )
        clips[clip_id], seen[name] = name, clip_id
    return clips, others


def _items(
    reader: ShardReader,
    clips: dict[str, str],
    names: dict[str, Annotation],
    absent: list[Annotation],
    annotations: Annotations,
    options: ImportOptions,
    remarks: Remarks,
) -> Iterator[Item]:
    """Those that can't be come first, so that an import that is to stop for them stops at once."""
    without = f"it has no poses: no clip of {reader.location} is named so"
    for entry in [
        *annotations.broken,
        *(Skipped(row.origin, row.name, without) for row in absent),
    ]:
        yield broken_item(entry)
    for clip in reader:
        if clip.clip_id in clips:
            row = names[clips[clip.clip_id]]
            read = partial(_sentence, clip, row, annotations.fps, options, remarks)
            yield Item(row.name, row.origin, read)
    for one in reader.skipped:
        if one.clip_id in clips:
            row = names[clips[one.clip_id]]
            yield broken_item(Skipped(row.origin, row.name, f"its poses are broken: {one.reason}"))


def _sentence(
    clip: Clip,
    row: Annotation,
    corpus_fps: float | None,
    options: ImportOptions,
    remarks: Remarks,
) -> Clip:
    fps = options.fps_or(clip.fps)
    if fps is None and corpus_fps is not None:
        fps = corpus_fps
        remarks.add(
            f"clips whose poses name no frame rate, taken as the corpus's own of {fps:g} a second; "
            "--fps says otherwise",
            row.name,
        )
    sentence = None
    if row.glosses is not None:
        times = times_in_frames(row, fps, clip.num_frames, remarks)
        sentence = Sentence(row.glosses, times, row.text)
    signer = options.signer_or(row.signer or clip.signer)
    return replace(clip, clip_id=row.name, gloss=None, signer=signer, fps=fps, sentence=sentence)


def _provenance(reader: ShardReader) -> dict[str, object]:
    """Where the poses come from, and nothing of the shard that they lay in meanwhile."""
    first, *others = reader.provenance() or [{}]
    if others:
        first = {"settings": {"mixed": [first, *others]}}
    return {"extractor": "unknown", "version": None, "settings": {}, **first}
