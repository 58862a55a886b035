"""A corpus: every clip of some pose shards, memory-mapped.

Opening a corpus streams its shards once into flat arrays in a cache on this machine; afterwards any
process maps the same pages, so memory does not grow with the number of clips or of trials.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from filelock import FileLock
from jaxtyping import Bool, Int, Int64

from slr_ray.config import Config
from slr_ray.corpora.arrays import (
    FORMAT,
    UNKNOWN_SIGNER,
    UNKNOWN_TIME,
    UNLABELLED,
    build_folder,
)
from slr_ray.corpora.cache import cache_folder, drop_outdated, use
from slr_ray.poses.clip import Clip
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.shards import ShardReader, Skipped
from slr_ray.poses.skeleton import NUM_JOINTS
from slr_ray.storage import is_uri, parted


@dataclass(frozen=True)
class Corpus:
    """Clips by index 0..num_clips-1, in the order of their shards.

    >>> clip = corpus.clip(0)
    >>> clip.gloss in corpus.glosses, clip.num_frames == len(corpus.frames_of(0))
    (True, True)

    `gloss_index` and `signer_index` point into the sorted `glosses` and `signers`; `UNLABELLED`
    (-1) marks clips without a gloss, `UNKNOWN_SIGNER` (-1) those of whom nobody knows who signs.
    Clips of continuous signing have no gloss but a `sentence`; `is_labelled` says of which clips
    one or the other is known. No corpus has both kinds.
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
    def has_sentences(self) -> bool:
        """Whether this is continuous signing; its clips without a label are sentences, too."""
        return bool(len(self.sequence_glosses))

    @cached_property
    def is_labelled(self) -> Bool[np.ndarray, " clips"]:
        """Whether a clip's gloss, or its sentence, is known."""
        if self.has_sentences:
            return np.asarray(np.diff(self.sequence_offsets) > 0)
        return np.asarray(self.gloss_index != UNLABELLED)

    @cached_property
    def sequence_offsets(self) -> np.ndarray:
        """Clip i has sequence_offsets[i]..sequence_offsets[i + 1] of all that is signed."""
        return self._map("sequence_offsets", np.int64)

    @cached_property
    def sequence_glosses(self) -> np.ndarray:
        """Every gloss of every sentence: indices into `glosses`."""
        return self._map("sequence_glosses", np.int32)

    @cached_property
    def signed(self) -> Int64[np.ndarray, "signed 2"]:
        """Clip and gloss of every sign of a known gloss: one for a clip, or all of its sentence."""
        if self.has_sentences:
            clips = np.repeat(np.arange(self.num_clips), np.diff(self.sequence_offsets))
            return np.stack([clips, self.sequence_glosses], axis=1).astype(np.int64)
        clips = np.flatnonzero(self.is_labelled)
        return np.stack([clips, self.gloss_index[clips]], axis=1).astype(np.int64)

    def glosses_in(self, clips: Int[np.ndarray, " clips"]) -> Int64[np.ndarray, " glosses"]:
        """Those that are signed in some clips, ascending, each once."""
        return np.unique(self.signed[np.isin(self.signed[:, 0], clips), 1])

    def sequence(self, index: int) -> Int64[np.ndarray, " glosses"]:
        """What is signed in a sentence, as indices into `glosses`; empty where nobody knows."""
        return self.sequence_glosses[self._place_in_sequences(index)].astype(np.int64)

    def sequence_times(self, index: int) -> Int64[np.ndarray, "glosses 2"] | None:
        """Start and end of each gloss of a sentence in frames, the end not included."""
        times = self._sequence_times[self._place_in_sequences(index)].astype(np.int64)
        return times if len(times) and times[0, 0] != UNKNOWN_TIME else None

    def sentence(self, index: int) -> Sentence | None:
        """What is known of a sentence; None where nobody knows what is signed."""
        glosses = self.sequence(index)
        if not len(glosses):
            return None
        times = self.sequence_times(index)
        return Sentence(
            tuple(self.glosses[one] for one in glosses),
            None if times is None else tuple((start, end) for start, end in times.tolist()),
            self._texts[int(index)].as_py(),
        )

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
        return self._column("clip_id")

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
        """One clip, copied out of the map; `IndexError` where there is none of that index."""
        if not 0 <= index < self.num_clips:
            raise IndexError(f"clip {index}: this corpus has the clips 0 to {self.num_clips - 1}")
        frames = np.array(self.frames_of(index))
        fps = float(self.fps[index])
        return Clip(
            clip_id=self.clip_ids[int(index)].as_py(),
            gloss=self.gloss_of(index),
            signer=self.signer(index),
            fps=None if np.isnan(fps) else fps,
            positions=frames[..., :2],
            confidence=frames[..., 2],
            sentence=self.sentence(index),
        )

    def _index(self, array: str) -> np.ndarray:
        index = self._of_kept(self._map(array, np.int32))
        if self.kept is None:
            return index
        # Both indices stay sorted by name, so that ranks among what is left are the new numbers.
        known = index >= 0
        index[known] = np.unique(index[known], return_inverse=True)[1]
        return index

    @cached_property
    def _sequence_times(self) -> np.ndarray:
        return self._map("sequence_times", np.int32).reshape(-1, 2)

    @cached_property
    def _texts(self) -> pa.ChunkedArray:
        return self._column("text")

    def _column(self, name: str) -> pa.ChunkedArray:
        with pa.memory_map(str(self.folder / "clip_ids.arrow")) as source:
            return pa.ipc.open_file(source).read_all().column(name)

    def _place_in_sequences(self, index: int) -> slice:
        # By place in the folder: `data.glosses` takes no part of a corpus of sentences.
        return slice(*self.sequence_offsets[index : index + 2])

    def _of_kept(self, by_clip: np.ndarray) -> np.ndarray:
        return by_clip if self.kept is None else by_clip[self.kept]

    def _map(self, array: str, dtype: type[np.generic]) -> np.ndarray:
        path = self.folder / f"{array}.bin"
        if not path.stat().st_size:
            return np.zeros(0, dtype)  # it can't be mapped: no clip has a sentence
        # A plain view of the map: every slice of a memmap is an object that costs microseconds.
        return np.asarray(np.memmap(path, dtype=dtype, mode="r"))


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
    key = hashlib.sha256(json.dumps([stamps, skip_broken]).encode()).hexdigest()[:24]
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
    folder = root / f"{key}-{FORMAT}"
    with FileLock(root / f"{folder.name}.lock"):
        is_new = not (folder / "meta.json").exists()
        if is_new:
            build_folder(folder, clips(), provenance, skipped)
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
