"""The embedded corpus: parametric signers before imperfect cameras, from a seed, with no download.

It copies what makes real pools of isolated signs hard (signers who differ in body, framing, habit
and handedness; blocks of near-copies; drop-outs; rest before and after the sign; wrong labels), so
that every command can be tried at once, and it knows the true boundaries, which no real pool does.
Scores on it say whether a method works, not how well it would do on real video.
`benchmarks/embedded_difficulty.py` measures how hard a configuration is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from slr_ray.corpora.corpus import Corpus, open_cached
from slr_ray.corpora.embedded.camera import Camera, draw_camera, film
from slr_ray.corpora.embedded.manner import Timing, draw_manner, draw_timing
from slr_ray.corpora.embedded.signers import Signer, draw_signer, pose
from slr_ray.corpora.embedded.signs import Sign, lexicon, variant
from slr_ray.corpora.glosses import OfSomeGlosses
from slr_ray.poses.clip import Clip

_VERSION = 1
"""Raised whenever the same configuration comes to mean other clips: caches are keyed with it."""

# What a stream of random numbers is for: with the seed, it makes every draw independent of how many
# were made elsewhere, so a block can be generated, or only timed, by itself.
_SIGNER, _COVERAGE, _FLAGS, _TIMING, _MANNER, _FILM = range(6)


class EmbeddedConfig(OfSomeGlosses):
    """The embedded corpus: its size and its difficulty."""

    kind: Literal["embedded"] = "embedded"
    num_glosses: int = Field(12, ge=2)
    """Signs in the vocabulary; the first twelve are rich in minimal pairs."""
    num_signers: int = Field(24, ge=1)
    """People; about `signer_coverage` of them sign each gloss."""
    clips_per_block: int = Field(10, ge=1, le=500)
    """Mean clips of one signer and gloss, made in one go; blocks have 0.5 to 1.5 times as many."""
    signer_coverage: float = Field(0.8, gt=0, le=1)
    """Mean share of the signers who sign a gloss; glosses differ by up to 0.2 either way."""
    seed: int = Field(0, ge=0)
    """Another seed is another corpus: the same glosses, other signers."""
    idiosyncrasy: float = Field(1.0, ge=0)
    """Factor on how far a signer's habits lie from the citation form; 0 = none."""
    clip_variation: float = Field(1.0, ge=0)
    """Factor on how far the clips of one block differ; 0 = by the detector's noise only."""
    variant_share: float = Field(0.05, ge=0, le=1)
    """Share of blocks that show another variant of the sign: one parameter exchanged."""
    mislabelled_share: float = Field(0.03, ge=0, le=1)
    """Share of blocks whose label is another gloss's: real pools are mislabelled by the block."""
    jitter: float = Field(0.004, ge=0)
    """Detector noise on a still hand joint, standard deviation in shoulder widths."""
    drop_out_per_s: float = Field(0.12, ge=0)
    """How often a second a slow hand in free view gets lost; fast and covered hands more often."""
    left_handed_share: float = Field(0.125, ge=0, le=1)
    """Share of the signers, rounded to a whole number of them."""
    mirrored_share: float = Field(0.05, ge=0, le=1)
    """Share of the signers whose camera mirrors the picture, rounded."""
    missing_ears_share: float = Field(0.1, ge=0, le=1)
    """Share of the signers without ears in any frame, rounded."""
    missing_elbows_share: float = Field(0.1, ge=0, le=1)
    """Share of the signers without elbows in any frame, rounded."""


@dataclass(frozen=True)
class Boundary:
    """The truth about one clip: which of its frames carry the sign, and what is signed."""

    clip_id: str
    head_frames: int
    """Frames before the sign: at rest, then rising."""
    tail_frames: int
    """Frames after it: sinking, then at rest."""
    num_frames: int
    performed: str
    """The gloss that is signed; the label differs where the clip is mislabelled."""

    @property
    def head_fraction(self) -> float:
        return self.head_frames / self.num_frames

    @property
    def tail_fraction(self) -> float:
        return self.tail_frames / self.num_frames


@dataclass(frozen=True)
class _Block:
    """The clips of one signer and gloss."""

    signer_number: int
    gloss_number: int
    sign: Sign
    label: str
    signer: Signer
    camera: Camera
    timing: Timing

    def clip_id(self, number: int) -> str:
        return f"embedded-{self.signer_number:04d}-{self.gloss_number:03d}-{number:04d}"


def open_embedded(config: EmbeddedConfig) -> Corpus:
    """The whole corpus of `config`, generated into the cache on its first use."""
    settings = config.model_dump(exclude={"glosses"})
    content = json.dumps([_VERSION, settings], sort_keys=True)
    key = hashlib.sha256(b"embedded" + content.encode()).hexdigest()[:24]
    record = {"extractor": "embedded", "version": _VERSION, "settings": settings}
    return open_cached(key, "embedded", lambda: generate(config), provenance=lambda: [record])


def generate(config: EmbeddedConfig) -> Iterator[Clip]:
    """The clips by signer and gloss; memory is that of one block, whatever the corpus's size.

    Raises `ConfigError` where more glosses are asked for than there are.
    """
    for block in _blocks(config):
        key = (block.signer_number, block.gloss_number)
        manner = draw_manner(
            _rng(config, _MANNER, *key),
            block.signer,
            block.timing,
            config.idiosyncrasy,
            config.clip_variation,
        )
        skeleton = pose(block.signer, block.sign, manner)
        clip = np.repeat(np.arange(len(block.timing.rest)), block.timing.num_frames)
        positions, confidence = film(
            skeleton,
            clip,
            block.signer.fps,
            block.camera,
            config.jitter,
            config.drop_out_per_s,
            _rng(config, _FILM, *key),
        )
        positions, confidence = positions.astype(np.float32), confidence.astype(np.float32)
        ends = np.cumsum(block.timing.num_frames).tolist()
        for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            yield Clip(
                clip_id=block.clip_id(number),
                gloss=block.label,
                signer=f"signer{block.signer_number:04d}",
                fps=block.signer.fps,
                positions=positions[start:end],
                confidence=confidence[start:end],
            )


def boundaries(config: EmbeddedConfig) -> Iterator[Boundary]:
    """The truth about each clip of `generate`, in the same order, without posing a skeleton."""
    signs = lexicon(config.num_glosses)
    for block in _blocks(config):
        timing = block.timing
        for number, num_frames in enumerate(timing.num_frames.tolist()):
            yield Boundary(
                clip_id=block.clip_id(number),
                head_frames=int(timing.rest[number] + timing.rise[number]),
                tail_frames=int(timing.sink[number] + timing.after[number]),
                num_frames=num_frames,
                performed=signs[block.gloss_number].gloss,
            )


def _rng(config: EmbeddedConfig, *stream: int) -> np.random.Generator:
    return np.random.default_rng([config.seed, *stream])


def _blocks(config: EmbeddedConfig) -> Iterator[_Block]:
    signs = lexicon(config.num_glosses)
    signed = _coverage(config)
    flags = [
        _chosen(config, number, share)
        for number, share in enumerate(
            (
                config.left_handed_share,
                config.mirrored_share,
                config.missing_ears_share,
                config.missing_elbows_share,
            )
        )
    ]
    for person in range(config.num_signers):
        rng = _rng(config, _SIGNER, person)
        signer = draw_signer(rng, config.idiosyncrasy)
        left_handed, mirrored, no_ears, no_elbows = (bool(flag[person]) for flag in flags)
        camera = draw_camera(
            rng,
            flipped=left_handed != mirrored,
            has_ears=not no_ears,
            has_elbows=not no_elbows,
        )
        for number in np.flatnonzero(signed[:, person]).tolist():
            rng = _rng(config, _TIMING, person, number)
            sign, label = signs[number], signs[number].gloss
            if rng.random() < config.mislabelled_share:
                wrong = (number + int(rng.integers(1, len(signs)))) % len(signs)
                label = signs[wrong].gloss
            if rng.random() < config.variant_share:
                sign = variant(sign, rng)
            timing = draw_timing(rng, signer, sign, config.clips_per_block, config.clip_variation)
            yield _Block(person, number, sign, label, signer, camera, timing)


def _coverage(config: EmbeddedConfig) -> np.ndarray:
    """Glosses x signers, true where the signer signs the gloss; every gloss has a signer."""
    signed = np.zeros((config.num_glosses, config.num_signers), bool)
    for gloss in range(config.num_glosses):
        rng = _rng(config, _COVERAGE, gloss)
        share = min(1.0, config.signer_coverage + rng.uniform(-0.2, 0.2))
        count = max(1, round(share * config.num_signers))
        signed[gloss, rng.permutation(config.num_signers)[:count]] = True
    return signed


def _chosen(config: EmbeddedConfig, flag: int, share: float) -> np.ndarray:
    """Signers with some trait: an exact share of them, so that small corpora have it too."""
    order = _rng(config, _FLAGS, flag).permutation(config.num_signers)
    return np.asarray(order < round(share * config.num_signers))
