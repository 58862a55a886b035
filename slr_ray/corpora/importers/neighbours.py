"""Other shards beside the one that an import writes: a folder of shards is read as one corpus."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slr_ray.poses.shards import is_shard


def shards_with(clip_ids: set[str], written: Path) -> list[str]:
    """Names of the shards in the folder of `written` that hold some of its clip ids.

    Files that are no pose shards are left to the readers, which name them.
    """
    wanted = pa.array(sorted(clip_ids), pa.string())
    names = []
    for other in sorted(written.parent.iterdir()):
        if not is_shard(other.name) or other.name == written.name:
            continue
        try:
            ids = pq.read_table(other, columns=["clip_id"]).column("clip_id").cast(pa.string())
        except (pa.ArrowException, OSError, KeyError):
            continue
        if pc.any(pc.is_in(ids, value_set=wanted)).as_py():
            names.append(other.name)
    return names
