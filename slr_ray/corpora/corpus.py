"""A corpus: every clip of some pose shards, memory-mapped.

Opening a corpus streams its shards once into flat arrays in a cache on this machine; afterwards any
process maps the same pages, so memory does not grow with the number of clips or of trials.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from filelock import FileLock
from jaxtyping import Int

from slr_ray.config import Config
from slr_ray.corpora.arrays import UNKNOWN_SIGNER, UNLABELLED, write_arrays
from slr_ray.corpora.cache import cache_folder, drop_outdated, use
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.shards import ShardReader, Skipped
from slr_ray.poses.skeleton import NUM_JOINTS
from slr_ray.storage import is_uri, parted

_FORMAT = 3


@dataclass(frozen=True)
class Corpus:
    """Clips by index 0..num_clips-1, in the order of their shards.

    >>> clip = corpus.clip(0)
    >>> clip.gloss in corpus.glosses, clip.num_frames == len(corpus.frames_of(0))
    (True, True)

    `gloss_index` and `signer_index` point into the sorted `glosses` and `signers`; `UNLABELLED`
    (-1) marks clips without a gloss, `UNKNOWN_SIGNER` (-1) those of whom nobody knows who signs.
    `fingerprint` is the sha256 of every clip's content: two corpora with the same fingerprint give
    the same results.
    """

    folder: Path
    name: str
    fingerprint: str
    glosses: tuple[str, ...]
    signers: tuple[str, ...]
    num_clips: int
    provenance: tuple[dict[str, Any], ...]
    skipped: tuple[Skipped, ...]
    data: Config | None = None
    """The section `data` of an experiment on this corpus; None where it is no experiment's."""
    kept: Int[np.ndarray, " clips"] | None = field(default=None, compare=False)
    """Which clips of the folder these are, ascending, where they are not all (`glosses.py`)."""

    @cached_property
    def gloss_index(self) -> np.ndarray:
        return self._index("gloss_index")

    @cached_property
    def signer_index(self) -> np.ndarray:
        return self._index("signer_index")

    @cached_property
    def offsets(self) -> np.ndarray:
        """Clip i of the folder owns the frames offsets[i]..offsets[i + 1] of `frames`."""
        return self._map("offsets", np.int64)

    @cached_property
    def fps(self) -> np.ndarray:
        """Frames a second by clip, NaN where unknown."""
        return self._of_kept(self._map("fps", np.float32))

    @cached_property
    def frames(self) -> np.ndarray:
        """All frames of all clips of the folder: frames x 54 x (x, y, confidence)."""
        return self._map("frames", np.float32).reshape(-1, NUM_JOINTS, 3)

    @cached_property
    def clip_ids(self) -> pa.ChunkedArray:
        return self.all_clip_ids if self.kept is None else self.all_clip_ids.take(self.kept)

    @cached_property
    def all_clip_ids(self) -> pa.ChunkedArray:
        """Those of the whole folder."""
        with pa.memory_map(str(self.folder / "clip_ids.arrow")) as source:
            return pa.ipc.open_file(source).read_all().column("clip_id")

    @cached_property
    def num_frames(self) -> np.ndarray:
        return self._of_kept(np.diff(self.offsets))

    def frames_of(self, index: int) -> np.ndarray:
        """One clip's frames x 54 x (x, y, confidence), as a view of the map."""
        place = index if self.kept is None else self.kept[index]
        return self.frames[self.offsets[place] : self.offsets[place + 1]]

    def gloss_of(self, index: int) -> str | None:
        gloss = int(self.gloss_index[index])
        return None if gloss == UNLABELLED else self.glosses[gloss]

    @property
    def signers_or_unknown(self) -> tuple[str | None, ...]:
        """The signers, then None where some clip's is unknown: `UNKNOWN_SIGNER` is that place."""
        has_unknown = bool((self.signer_index == UNKNOWN_SIGNER).any())
        return (*self.signers, None) if has_unknown else self.signers

    def signers_of(self, clips: Int[np.ndarray, " clips"]) -> list[str]:
        """Names of the known signers of some clips, sorted, each once."""
        found = np.unique(self.signer_index[clips])
        return [self.signers[one] for one in found if one != UNKNOWN_SIGNER]

    def signer(self, clip: int) -> str | None:
        """The name of a clip's signer, None where unknown."""
        index = int(self.signer_index[clip])
        return None if index == UNKNOWN_SIGNER else self.signers[index]

    def clip(self, index: int) -> Clip:
        """One clip, copied out of the map."""
        frames = np.array(self.frames_of(index))
        fps = float(self.fps[index])
        return Clip(
            clip_id=self.clip_ids[int(index)].as_py(),
            gloss=self.gloss_of(index),
            signer=self.signer(index),
            fps=None if np.isnan(fps) else fps,
            positions=frames[..., :2],
            confidence=frames[..., 2],
        )

    def _index(self, array: str) -> np.ndarray:
        index = self._of_kept(self._map(array, np.int32))
        if self.kept is None:
            return index
        # Both indices stay sorted by name, so that ranks among what is left are the new numbers.
        known = index >= 0
        index[known] = np.unique(index[known], return_inverse=True)[1]
        return index

    def _of_kept(self, by_clip: np.ndarray) -> np.ndarray:
        return by_clip if self.kept is None else by_clip[self.kept]

    def _map(self, array: str, dtype: type[np.generic]) -> np.ndarray:
        # A plain view of the map: every slice of a memmap is an object that costs microseconds.
        return np.asarray(np.memmap(self.folder / f"{array}.bin", dtype=dtype, mode="r"))


def open_shards(
    location: str, *, skip_broken: bool = False, how_to_skip: str = "--skip-broken"
) -> Corpus:
    """The corpus in a Parquet file, a folder of them, or a cloud URI.

    Raises `DataError` where the location or a clip is unusable; with `skip_broken`, unusable clips
    are listed in `Corpus.skipped` instead; `how_to_skip` is what the error tells users to pass.
    """
    reader = ShardReader(location, skip_broken=skip_broken, how_to_skip=how_to_skip)
    reader.check()
    stamps = [[one.path, one.size, str(one.mtime_ns)] for one in reader.files]
    key = hashlib.sha256(json.dumps([_FORMAT, stamps, skip_broken]).encode()).hexdigest()[:24]
    # Resolved: `.` has no name of its own.
    place = location if is_uri(location) else str(Path(location).resolve())
    name = parted(place)[1].removesuffix(".parquet")
    return open_cached(
        key,
        name,
        lambda: reader,
        provenance=reader.provenance,
        skipped=lambda: reader.skipped,
        source=f"{place} {skip_broken}",
    )


def open_cached(
    key: str,
    name: str,
    clips: Callable[[], Iterable[Clip]],
    *,
    provenance: Callable[[], Sequence[dict[str, Any]]],
    skipped: Callable[[], Sequence[Skipped]] = tuple,
    source: str = "",
) -> Corpus:
    """The corpus cached under `key`, built from `clips` where it is not there yet.

    `source` is where the clips lie: a new copy takes the place of older ones of the same source.
    One process of a machine builds; others wait for it. A build that was killed leaves nothing.
    """
    root = cache_folder()
    folder = root / key
    with FileLock(root / f"{key}.lock"):
        is_new = not (folder / "meta.json").exists()
        if is_new:
            _build(folder, clips(), provenance, skipped)
        use(folder, source)
    if is_new:
        drop_outdated(folder, source)
    meta = json.loads((folder / "meta.json").read_text())
    return Corpus(
        folder=folder,
        name=name,
        fingerprint=meta["fingerprint"],
        glosses=tuple(meta["glosses"]),
        signers=tuple(meta["signers"]),
        num_clips=meta["num_clips"],
        provenance=tuple(meta["provenance"]),
        skipped=tuple(Skipped(**one) for one in meta["skipped"]),
    )


def _build(
    folder: Path,
    clips: Iterable[Clip],
    provenance: Callable[[], Sequence[dict[str, Any]]],
    skipped: Callable[[], Sequence[Skipped]],
) -> None:
    # One name a key: the next build removes what a killed one left. The caller holds the lock.
    temporary = folder.with_name(f".writing-{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        meta = write_arrays(temporary, clips)
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
