"""A corpus's flat arrays, streamed to disk: what `Corpus` maps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from slr_ray.poses.clip import Clip

UNLABELLED = -1
UNKNOWN_GLOSS = -2
"""In an audit: a clip's gloss is none of the corpus's. `UNLABELLED` says that nobody knows it."""
UNKNOWN_SIGNER = -1
_IDS_A_BATCH = 4096


def write_arrays(folder: Path, clips: Iterable[Clip]) -> dict[str, Any]:
    """Write the arrays of `clips` below a folder; returns what tells of them all."""
    glosses: dict[str, int] = {}
    signers: dict[str, int] = {}
    digest = hashlib.sha256()
    count = offset = 0
    schema = pa.schema([("clip_id", pa.string())])
    names = ("frames", "gloss_index", "signer_index", "offsets", "fps")
    streams = {name: (folder / f"{name}.bin").open("wb") for name in names}
    try:
        with (
            pa.OSFile(str(folder / "clip_ids.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, schema) as ids,
        ):
            pending: list[str] = []
            streams["offsets"].write(np.int64(0).tobytes())
            for clip in clips:
                frames = np.concatenate([clip.positions, clip.confidence[..., None]], axis=-1)
                content = np.ascontiguousarray(frames, np.float32).tobytes()
                gloss = UNLABELLED
                if clip.gloss is not None:
                    gloss = glosses.setdefault(clip.gloss, len(glosses))
                signer = UNKNOWN_SIGNER
                if clip.signer is not None:
                    signer = signers.setdefault(clip.signer, len(signers))
                header = json.dumps([clip.clip_id, clip.gloss, clip.signer, clip.num_frames])
                digest.update(header.encode())
                digest.update(content)
                offset += clip.num_frames
                count += 1
                streams["frames"].write(content)
                streams["gloss_index"].write(np.int32(gloss).tobytes())
                streams["signer_index"].write(np.int32(signer).tobytes())
                streams["offsets"].write(np.int64(offset).tobytes())
                streams["fps"].write(np.float32(clip.fps or np.nan).tobytes())
                pending.append(clip.clip_id)
                if len(pending) == _IDS_A_BATCH:
                    ids.write_batch(pa.record_batch([pa.array(pending, pa.string())], schema))
                    pending = []
            if pending:
                ids.write_batch(pa.record_batch([pa.array(pending, pa.string())], schema))
    finally:
        for stream in streams.values():
            stream.close()
    if count:
        _sort_index(folder / "gloss_index.bin", glosses)
        _sort_index(folder / "signer_index.bin", signers)
    return {
        "fingerprint": digest.hexdigest(),
        "glosses": sorted(glosses),
        "signers": sorted(signers),
        "num_clips": count,
    }


def _sort_index(path: Path, appearance: dict[str, int]) -> None:
    """Renumber an index from order of appearance to sorted order, in place."""
    ranks = np.full(len(appearance) + 1, UNLABELLED, np.int32)
    for rank, name in enumerate(sorted(appearance)):
        ranks[appearance[name]] = rank
    index = np.memmap(path, dtype=np.int32, mode="r+")
    index[:] = ranks[index]
    index.flush()
