"""Sentences chained of one signer's real isolated clips: real signs, synthetic transitions.

Clips of isolated signs do not show how people get from one sign to the next. So a score on chains
tells whether a method finds signs that real people made before real cameras, and nothing of how it
would read their sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from pydantic import Field

from slr_ray.augmentation.boundary_estimate import estimate_batch
from slr_ray.augmentation.config import BoundaryEstimateConfig
from slr_ray.config import Config
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.embedded.reach import minimum_jerk
from slr_ray.errors import ConfigError, DataError
from slr_ray.poses.body_normalisation import signing_space
from slr_ray.poses.clip import Clip
from slr_ray.poses.reading import in_batches
from slr_ray.poses.sentence import Sentence, Times
from slr_ray.poses.skeleton import INDEX

_CHUNK_CLIPS = 512
_LEAST_FRAMES = 4
"""Of a sign: a step of an encoder."""
_NEAR_FRAMES = 3
_ALONE = "without clips of other glosses to go with"
_SHOULDERS = [INDEX["leftShoulder"], INDEX["rightShoulder"]]


class ChainConfig(Config):
    """How clips make sentences."""

    shortest: int = Field(2, ge=2)
    """Glosses of a sentence, at least."""
    longest: int = Field(6, ge=2)
    """At most. A signer of fewer glosses signs shorter ones, as no gloss comes twice."""
    transition_frames: tuple[int, int] = (4, 8)
    """From one sign to the next: at least, and at most."""
    seed: int = Field(0, ge=0)
    boundary: BoundaryEstimateConfig = BoundaryEstimateConfig()
    """Where a sign begins and ends in its clip."""


@dataclass(frozen=True)
class Link:
    """A clip's sign, and the space in which its signer is found."""

    clip: int
    start: int
    end: int
    """In frames of the clip, the end not included."""
    centre: Float32[np.ndarray, "2"]
    unit: float


@dataclass(frozen=True)
class Chain:
    """A sentence: its signs, and how many frames lead from each to the next."""

    clip_id: str
    links: Sequence[Link]
    gaps: Sequence[int]


@dataclass(frozen=True)
class Chains:
    sentences: Sequence[Chain]
    left_out: Mapping[str, int]
    """How many clips are in no sentence, by reason."""


def plan_chains(corpus: Corpus, config: ChainConfig) -> Chains:
    """Which clips make which sentences; each clip at most one.

    Clips of one signer and gloss are near-copies made in one go: a sentence has at most one of
    them. Sets of different signers therefore share none, but sets of different sentences do. What
    becomes of a signer's clips hangs on nobody else's. Raises `ConfigError` where no length is
    possible, `DataError` where nothing can be chained.
    """
    if corpus.has_sentences:
        raise DataError(f"{corpus.name} has sentences already: chains are made of isolated signs")
    if config.shortest > config.longest:
        raise ConfigError(
            f"at least {config.shortest} glosses a sentence, but at most {config.longest}: lower "
            "--shortest or raise --longest"
        )
    left_out: Counter[str] = Counter()
    blocks: dict[tuple[int, float], dict[int, list[Link]]] = {}
    for link in _links(corpus, config, left_out):
        # Clips of different rates would be signed at different speeds; 30000/1001 is 29.97 written
        # in full.
        rate = round(float(np.nan_to_num(corpus.fps[link.clip])), 2)
        key = int(corpus.signer_index[link.clip]), rate
        gloss = int(corpus.gloss_index[link.clip])
        blocks.setdefault(key, {}).setdefault(gloss, []).append(link)
    sentences: list[Chain] = []
    for (signer, rate), own in sorted(blocks.items()):
        name = corpus.signers[signer]
        rng = np.random.default_rng([config.seed, *f"{name} {rate}".encode()])
        made = _sentences(rng, [own[gloss] for gloss in sorted(own)], config)
        num_used = sum(len(links) for links in made)
        left_out[_ALONE] += sum(len(block) for block in own.values()) - num_used
        for number, links in enumerate(made):
            least, most = config.transition_frames
            gaps = rng.integers(least, most + 1, len(links) - 1).tolist()
            at_rate = f"-{rate:g}fps" * (rate > 0)
            clip_id = f"synthetic-chain-{name}{at_rate}-{number:04d}"
            sentences.append(Chain(clip_id, links, gaps))
    left_out = +left_out
    if not sentences:
        reasons = ", ".join(f"{num:,} {reason}" for reason, num in left_out.items())
        raise DataError(
            f"{corpus.name}: no signer has clips of {config.shortest} glosses to chain; left out "
            f"of its {corpus.num_clips:,} clips: {reasons}"
        )
    return Chains(sentences, left_out)


def chained(corpus: Corpus, chain: Chain) -> Clip:
    """A sentence as a clip, in the picture of its first sign's clip."""
    links = chain.links
    frames, times = join([corpus.frames_of(link.clip) for link in links], links, chain.gaps)
    glosses = tuple(corpus.glosses[corpus.gloss_index[link.clip]] for link in links)
    first = corpus.clip(links[0].clip)
    return Clip(
        clip_id=chain.clip_id,
        gloss=None,
        signer=first.signer,
        fps=first.fps,
        positions=frames[..., :2],
        confidence=frames[..., 2],
        sentence=Sentence(glosses, times),
    )


def join(
    clips: Sequence[Float[np.ndarray, "_ 54 3"]], links: Sequence[Link], gaps: Sequence[int]
) -> tuple[Float32[np.ndarray, "frames 54 3"], Times]:
    """Frames and times of a sentence: signs as they are, reaches of so many frames between them.

    What comes before the first sign in its clip and after the last stays.
    """
    parts: list[np.ndarray] = []
    times = []
    at = 0
    for number, (frames, link) in enumerate(zip(clips, links, strict=True)):
        begin = 0 if number == 0 else link.start
        end = len(frames) if number == len(gaps) else link.end
        sign = _moved(frames[begin:end], link, links[0])
        if number > 0:
            parts.append(_transition(parts[-1], sign, gaps[number - 1]))
            at += gaps[number - 1]
        parts.append(sign)
        times.append((at + link.start - begin, at + link.end - begin))
        at += len(sign)
    return np.concatenate(parts).astype(np.float32), tuple(times)


def _transition(before: np.ndarray, after: np.ndarray, num_frames: int) -> np.ndarray:
    """A reach of every joint that is found near both ends; of the others nothing is known."""
    start, end = _nearest(before[::-1]), _nearest(after)
    share = minimum_jerk(np.arange(1, num_frames + 1) / (num_frames + 1))
    frames = start + share[:, None, None] * (end - start)
    frames[:, (start[:, 2] == 0) | (end[:, 2] == 0)] = 0
    return np.asarray(frames)


def _nearest(frames: np.ndarray) -> np.ndarray:
    """Each joint as it is first found, missing where it is not in the first few frames.

    So a single drop-out at the end of a sign does not lose the hand in the whole transition.
    """
    near = frames[:_NEAR_FRAMES]
    first = (near[..., 2] > 0).argmax(axis=0)
    return np.asarray(near[first, np.arange(near.shape[1])])


def _moved(frames: Float[np.ndarray, "_ 54 3"], link: Link, first: Link) -> np.ndarray:
    """Frames as if the signer sat where they sit in the first clip."""
    moved = np.array(frames, np.float64)
    in_space = (moved[..., :2] - link.centre) / link.unit
    moved[..., :2] = (in_space * first.unit + first.centre) * (moved[..., 2:] > 0)
    return moved


def _links(corpus: Corpus, config: ChainConfig, left_out: Counter[str]) -> Iterator[Link]:
    """The signs that can be chained, by clip; counts the others."""
    known = corpus.is_labelled & (corpus.signer_index >= 0)
    left_out["without gloss or signer"] += int((~known).sum())
    rows = np.flatnonzero(known)
    found: dict[int, Link] = {}
    longest = int(corpus.num_frames.max())
    for places, batch in in_batches(corpus, rows, _CHUNK_CLIPS, longest):
        ends = estimate_batch(batch, config.boundary)
        num_frames = batch.num_frames.numpy()
        start = np.round(ends.head_fraction * num_frames).astype(int)
        end = num_frames - np.round(ends.tail_fraction * num_frames).astype(int)
        centre, unit = (one.numpy() for one in signing_space(batch))
        seen = batch.joint_mask[:, :, _SHOULDERS].all(dim=-1).any(dim=-1).numpy()
        for row, clip in enumerate(rows[places].tolist()):
            if not seen[row]:
                left_out["without shoulders, so that places can't be compared"] += 1
            elif end[row] - start[row] < _LEAST_FRAMES:
                left_out[f"with a sign of fewer than {_LEAST_FRAMES} frames"] += 1
            else:
                found[clip] = Link(
                    clip, int(start[row]), int(end[row]), centre[row], float(unit[row])
                )
    for clip in sorted(found):
        yield found[clip]


def _sentences(
    rng: np.random.Generator, blocks: Sequence[Sequence[Link]], config: ChainConfig
) -> list[list[Link]]:
    """Sentences of one signer: each takes clips of different blocks, the fuller ones sooner."""
    left = [[block[one] for one in rng.permutation(len(block))] for block in blocks]
    made = []
    while (size := sum(map(bool, left))) >= config.shortest:
        length = min(size, int(rng.integers(config.shortest, config.longest + 1)))
        sizes = np.array([len(block) for block in left])
        chosen = rng.choice(len(left), length, replace=False, p=sizes / sizes.sum())
        made.append([left[one].pop() for one in chosen])
    return made
