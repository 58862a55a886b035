"""A corpus's flat arrays, streamed to disk: what `Corpus` maps."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.shards import Skipped

FORMAT = 4
"""Of the folder; another number is another folder."""
UNLABELLED = -1
UNKNOWN_GLOSS = -2
"""In an audit: a clip's gloss is none of the corpus's. `UNLABELLED` says that nobody knows it."""
UNKNOWN_SIGNER = -1
UNKNOWN_TIME = -1
"""Start and end of a gloss of a sentence, where nobody knows them."""
_NAMES = (
    "frames",
    "gloss_index",
    "signer_index",
    "offsets",
    "fps",
    "sequence_offsets",
    "sequence_glosses",
    "sequence_times",
)
_IDS_A_BATCH = 4096


def build_folder(
    folder: Path,
    clips: Iterable[Clip],
    provenance: Callable[[], Sequence[dict[str, Any]]],
    skipped: Callable[[], Sequence[Skipped]],
) -> None:
    """Make a corpus's folder, whole or not at all; the caller holds its lock.

    Raises `DataError` where no clip can be used.
    """
    # One name a key: the next build removes what a killed one left.
    temporary = folder.with_name(f".writing-{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        meta = _write_arrays(temporary, clips)
        if meta["num_clips"] == 0:
            raise DataError("no usable clip: " + _first_reasons(skipped()))
        meta["provenance"] = list(provenance())
        meta["skipped"] = [vars(one) for one in skipped()]
        (temporary / "meta.json").write_text(json.dumps(meta))
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _first_reasons(skipped: Sequence[Skipped]) -> str:
    if not skipped:
        return "the shards have no rows"
    return f"all {len(skipped)} were skipped, the first because: {skipped[0].reason}"


def _write_arrays(folder: Path, clips: Iterable[Clip]) -> dict[str, Any]:
    """Write the arrays of `clips` below a folder; returns what tells of them all.

    Raises `DataError` where some clips have a gloss and others a sentence.
    """
    glosses: dict[str, int] = {}
    signers: dict[str, int] = {}
    digest = hashlib.sha256()
    count = offset = 0
    isolated = continuous = None
    num_signed = 0
    schema = pa.schema([("clip_id", pa.string()), ("text", pa.string())])
    streams = {name: (folder / f"{name}.bin").open("wb") for name in _NAMES}
    try:
        with (
            pa.OSFile(str(folder / "clip_ids.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, schema) as ids,
        ):
            pending: list[dict[str, str | None]] = []
            streams["offsets"].write(np.int64(0).tobytes())
            streams["sequence_offsets"].write(np.int64(0).tobytes())
            for clip in clips:
                frames = np.concatenate([clip.positions, clip.confidence[..., None]], axis=-1)
                content = np.ascontiguousarray(frames, np.float32).tobytes()
                gloss = UNLABELLED
                if clip.gloss is not None:
                    gloss = glosses.setdefault(clip.gloss, len(glosses))
                    isolated = isolated or clip
                signer = UNKNOWN_SIGNER
                if clip.signer is not None:
                    signer = signers.setdefault(clip.signer, len(signers))
                header: list[Any] = [clip.clip_id, clip.gloss, clip.signer, clip.num_frames]
                text = None
                if (sentence := clip.sentence) is not None:
                    signed = [glosses.setdefault(one, len(glosses)) for one in sentence.glosses]
                    times = sentence.times or [(UNKNOWN_TIME, UNKNOWN_TIME)] * len(signed)
                    header += [sentence.glosses, sentence.times]
                    text = sentence.text
                    num_signed += len(signed)
                    streams["sequence_glosses"].write(np.array(signed, np.int32).tobytes())
                    streams["sequence_times"].write(np.array(times, np.int32).tobytes())
                    continuous = continuous or clip
                if isolated is not None and continuous is not None:
                    raise DataError(_mixed(isolated, continuous))
                digest.update(json.dumps(header).encode())
                digest.update(content)
                offset += clip.num_frames
                count += 1
                streams["frames"].write(content)
                streams["gloss_index"].write(np.int32(gloss).tobytes())
                streams["signer_index"].write(np.int32(signer).tobytes())
                streams["offsets"].write(np.int64(offset).tobytes())
                streams["fps"].write(np.float32(clip.fps or np.nan).tobytes())
                streams["sequence_offsets"].write(np.int64(num_signed).tobytes())
                pending.append({"clip_id": clip.clip_id, "text": text})
                if len(pending) == _IDS_A_BATCH:
                    ids.write_batch(pa.RecordBatch.from_pylist(pending, schema))
                    pending = []
            if pending:
                ids.write_batch(pa.RecordBatch.from_pylist(pending, schema))
    finally:
        for stream in streams.values():
            stream.close()
    _sort_index(folder / "gloss_index.bin", glosses)
    _sort_index(folder / "sequence_glosses.bin", glosses)
    _sort_index(folder / "signer_index.bin", signers)
    return {
        "fingerprint": digest.hexdigest(),
        "glosses": sorted(glosses),
        "signers": sorted(signers),
        "num_clips": count,
    }


def _mixed(isolated: Clip, continuous: Clip) -> str:
    return (
        f"clip {isolated.clip_id!r} is one sign, {isolated.gloss!r}, and clip "
        f"{continuous.clip_id!r} a sentence: a corpus has either. Put isolated signs and sentences "
        "into folders of their own"
    )


def _sort_index(path: Path, appearance: dict[str, int]) -> None:
    """Renumber an index from order of appearance to sorted order, in place."""
    if not path.stat().st_size:
        return  # no file of no bytes can be mapped
    ranks = np.full(len(appearance) + 1, UNLABELLED, np.int32)
    for rank, name in enumerate(sorted(appearance)):
        ranks[appearance[name]] = rank
    index = np.memmap(path, dtype=np.int32, mode="r+")
    index[:] = ranks[index]
    index.flush()
