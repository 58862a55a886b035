"""Clips to learn from without glosses, from one corpus or several."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow.compute as pc
from jaxtyping import Bool, Float, Int

from slr_ray.corpora.arrays import UNKNOWN_SIGNER
from slr_ray.corpora.corpus import Corpus
from slr_ray.training.labels.sampling import of_similar_length


@dataclass(frozen=True)
class UnlabelledClips:
    """Clips of several corpora under one index; glosses are not part of it."""

    parts: tuple[tuple[Corpus, Int[np.ndarray, "_"]], ...] = ()
    """Each corpus with the index of its clips."""
    num_left_out: int = 0
    """Clips of extra data that an experiment knows, or whose signers it measures on."""

    def __len__(self) -> int:
        return sum(len(clips) for _, clips in self.parts)

    @cached_property
    def num_frames(self) -> Int[np.ndarray, " clips"]:
        return np.concatenate([corpus.num_frames[clips] for corpus, clips in self.parts])

    def described(self) -> str:
        """How many clips of which corpora, in a message's words."""
        told = []
        if self.parts:
            of_each = (f"{len(clips)} of {corpus.name}" for corpus, clips in self.parts)
            told.append(", ".join(of_each))
        if self.num_left_out:
            told.append(
                f"{self.num_left_out} of extra data left out, as their signers are held out or the "
                "same clips are in the data"
            )
        if self.num_of_unknown_signers:
            told.append(
                f"{self.num_of_unknown_signers} of unknown signers, who may be people that results "
                "are measured on"
            )
        return f"{len(self)} clips ({'; '.join(told)})"

    def frames_of(self, index: int) -> Float[np.ndarray, "frames 54 3"]:
        """One clip's x, y and confidence of every joint, in image coordinates."""
        corpus: Corpus = self.parts[self._part[index]][0]
        return corpus.frames_of(int(self._clip[index]))

    def hashes(self) -> Int[np.ndarray, " clips"]:
        """`clip_hashes` of all of them, ascending."""
        return np.sort(np.concatenate([clip_hashes(*part) for part in self.parts]))

    @cached_property
    def num_of_unknown_signers(self) -> int:
        """Clips of which no name tells whether they show people who are held out."""
        unknown = (corpus.signer_index[clips] == UNKNOWN_SIGNER for corpus, clips in self.parts)
        return sum(int(one.sum()) for one in unknown)

    def signers(self) -> list[str]:
        """Names of the clips' known signers, sorted."""
        return sorted({one for corpus, clips in self.parts for one in corpus.signers_of(clips)})

    @cached_property
    def _part(self) -> Int[np.ndarray, " clips"]:
        return np.repeat(np.arange(len(self.parts)), [len(clips) for _, clips in self.parts])

    @cached_property
    def _clip(self) -> Int[np.ndarray, " clips"]:
        return np.concatenate([clips for _, clips in self.parts])


NO_CLIPS = UnlabelledClips()


def clip_hashes(corpus: Corpus, clips: Int[np.ndarray, " clips"]) -> Int[np.ndarray, " clips"]:
    """A 64-bit hash of each clip's id and poses, in the order of `clips`.

    Tells whether two sets of clips overlap without keeping the clips. Two corpora may use the same
    ids for different clips, hence the poses.
    """
    ids = corpus.clip_ids.take(clips).to_pylist() if len(clips) else []
    found = np.empty(len(clips), np.int64)
    for row, (clip, clip_id) in enumerate(zip(clips, ids, strict=True)):
        digest = hashlib.blake2b(clip_id.encode(), digest_size=8)
        digest.update(np.ascontiguousarray(corpus.frames_of(int(clip))).data)
        found[row] = int.from_bytes(digest.digest(), "little", signed=True)
    return found


def same_clips(
    corpus: Corpus,
    clips: Int[np.ndarray, " clips"],
    other: Corpus,
    others: Int[np.ndarray, " others"],
) -> Bool[np.ndarray, " clips"]:
    """Which of `clips` are among the clips `others` of another corpus, by id and poses."""
    found = np.zeros(len(clips), bool)
    if not len(clips) or not len(others):
        return found
    # Poses are read only where ids agree: most corpora share none.
    ids, other_ids = corpus.clip_ids.take(clips), other.clip_ids.take(others)
    rows = np.flatnonzero(pc.is_in(ids, value_set=other_ids.combine_chunks()))
    other_rows = np.flatnonzero(pc.is_in(other_ids, value_set=ids.combine_chunks()))
    hashes = clip_hashes(other, others[other_rows])
    found[rows] = np.isin(clip_hashes(corpus, clips[rows]), hashes)
    return found


def epoch_rows(
    num_frames: Int[np.ndarray, " clips"], batch_size: int, rng: np.random.Generator
) -> Iterator[Int[np.ndarray, " batch"]]:
    """Rows of one shuffled pass, in full batches; what does not fill a batch is left out.

    Clips of similar length share a batch (within chunks of 16 batches), so that little is padded.
    """
    sizes = np.full(len(num_frames) // batch_size, batch_size)
    rows = rng.permutation(len(num_frames))[: sizes.sum()]
    yield from of_similar_length(rows, num_frames, sizes, rng)
