"""Poses that occur more than once in a corpus: whole clips, and frames that clips share.

Recordings cut twice, re-uploaded or sorted under another name leak from training into the test set;
their clips need not be equal, but their frames are, to the last bit.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
from jaxtyping import UInt64

from slr_ray.config import Record
from slr_ray.corpora.corpus import Corpus

_MAX_LISTED = 200
NO_POSE = 0
"""Hash of a frame without any joint: such frames are equal and mean nothing."""


class IdenticalClips(Record):
    """Clips with the same poses, frame for frame."""

    clip_ids: list[str]
    signers: list[str | None]
    glosses: list[str | None]


class SharedFrames(Record):
    """Equal frames in clips of two signers, or (`first` = `second`) in several clips of one.

    None stands for all clips of unknown signers; between two signers it comes second.
    """

    first: str | None
    second: str | None
    num_frames: int
    """Distinct frames."""
    num_clips: int
    """Clips of either signer that hold one of them."""


class Duplicates(Record):
    num_identical_clips: int
    """Clips beyond the first of each set of identical ones."""
    num_identical_across_signers: int
    """Sets of identical clips that name more than one signer."""
    num_identical_across_glosses: int
    """Sets of identical clips that name more than one gloss: at most one label is right."""
    identical: list[IdenticalClips]
    """The first 200 sets."""
    between_signers: list[SharedFrames]
    """Most shared frames first."""
    within_signers: list[SharedFrames]


def frame_hashes(corpus: Corpus) -> UInt64[np.ndarray, " frames"]:
    """64 bits of BLAKE2b over each frame's positions; `NO_POSE` where no joint was found.

    Reads the corpus once, in order; 8 bytes a frame stay in memory. Among ten million frames two
    different ones agree with a probability of about 3 in a million.
    """
    hashes = np.full(len(corpus.frames), NO_POSE, np.uint64)
    for index in range(corpus.num_clips):
        start, end = corpus.offsets[index : index + 2]
        frames = np.asarray(corpus.frames[start:end])
        positions = np.ascontiguousarray(frames[..., :2])
        for row in np.flatnonzero((frames[..., 2] > 0).any(axis=1)):
            digest = hashlib.blake2b(positions[row].tobytes(), digest_size=8).digest()
            hashes[start + row] = int.from_bytes(digest, "little")
    return hashes


def find_duplicates(corpus: Corpus) -> Duplicates:
    """Every clip and every frame that occurs twice."""
    hashes = frame_hashes(corpus)
    identical = _identical_clips(corpus, hashes)
    between, within = _shared_frames(corpus, hashes)
    return Duplicates(
        num_identical_clips=sum(len(one.clip_ids) - 1 for one in identical),
        num_identical_across_signers=sum(len(set(one.signers) - {None}) > 1 for one in identical),
        num_identical_across_glosses=sum(len(set(one.glosses) - {None}) > 1 for one in identical),
        identical=identical[:_MAX_LISTED],
        between_signers=between,
        within_signers=within,
    )


def _identical_clips(corpus: Corpus, hashes: np.ndarray) -> list[IdenticalClips]:
    groups: dict[bytes, list[int]] = defaultdict(list)
    for index in range(corpus.num_clips):
        content = hashes[corpus.offsets[index] : corpus.offsets[index + 1]]
        groups[hashlib.blake2b(content.tobytes(), digest_size=16).digest()].append(index)
    return [
        IdenticalClips(
            clip_ids=[corpus.clip_ids[index].as_py() for index in group],
            signers=[corpus.signer(index) for index in group],
            glosses=[_label(corpus, index) for index in group],
        )
        for group in groups.values()
        if len(group) > 1
    ]


def _label(corpus: Corpus, index: int) -> str | None:
    sentence = corpus.sentence(index)
    return corpus.gloss_of(index) if sentence is None else " ".join(sentence.glosses)


def _shared_frames(
    corpus: Corpus, hashes: np.ndarray
) -> tuple[list[SharedFrames], list[SharedFrames]]:
    clip_of_frame = np.repeat(np.arange(corpus.num_clips, dtype=np.int32), corpus.num_frames)
    order = np.argsort(hashes, kind="stable")
    sorted_hashes = hashes[order]
    starts = np.flatnonzero(np.r_[True, sorted_hashes[1:] != sorted_hashes[:-1]])
    ends = np.r_[starts[1:], len(order)]
    repeated = (ends - starts > 1) & (sorted_hashes[starts] != NO_POSE)
    names = corpus.signers_or_unknown
    num_frames: Counter[tuple[int, int]] = Counter()
    clips: dict[tuple[int, int], set[int]] = defaultdict(set)
    for start, end in zip(starts[repeated], ends[repeated], strict=True):
        holders = np.unique(clip_of_frame[order[start:end]])
        by_signer: dict[int, list[int]] = defaultdict(list)
        for holder in holders.tolist():
            by_signer[int(corpus.signer_index[holder]) % len(names)].append(holder)
        pairs = list(combinations(sorted(by_signer), 2))
        pairs += [(signer, signer) for signer, held in by_signer.items() if len(held) > 1]
        for first, second in pairs:
            num_frames[first, second] += 1
            clips[first, second].update(by_signer[first], by_signer[second])
    found = [
        SharedFrames(
            first=names[first],
            second=names[second],
            num_frames=count,
            num_clips=len(clips[first, second]),
        )
        for (first, second), count in num_frames.most_common()
    ]
    return (
        [one for one in found if one.first != one.second],
        [one for one in found if one.first == one.second],
    )
