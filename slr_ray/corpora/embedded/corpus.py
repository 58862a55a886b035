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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field

from slr_ray.corpora.corpus import Corpus, open_cached
from slr_ray.corpora.embedded.manner import Timing, draw_manner, draw_timing
from slr_ray.corpora.embedded.people import (
    Draw,
    OfPeople,
    Person,
    filmed,
    people,
    signed_by,
    stream,
)
from slr_ray.corpora.embedded.signers import pose, posture
from slr_ray.corpora.embedded.signs import Sign, lexicon, variant
from slr_ray.poses.clip import Clip

_VERSION = 1
"""Raised whenever the same configuration comes to mean other clips: caches are keyed with it."""


class EmbeddedConfig(OfPeople):
    """The embedded corpus: its size and its difficulty."""

    kind: Literal["embedded"] = "embedded"
    num_glosses: int = Field(12, ge=2)
    """Signs in the vocabulary; the first twelve are rich in minimal pairs."""
    clips_per_block: int = Field(10, ge=1, le=500)
    """Mean clips of one signer and gloss, made in one go; blocks have 0.5 to 1.5 times as many."""
    signer_coverage: float = Field(0.8, gt=0, le=1)
    """Mean share of the signers who sign a gloss; glosses differ by up to 0.2 either way."""
    mislabelled_share: float = Field(0.03, ge=0, le=1)
    """Share of blocks whose label is another gloss's: real pools are mislabelled by the block."""


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

    who: Person
    gloss_number: int
    sign: Sign
    label: str
    timing: Timing

    def clip_id(self, number: int) -> str:
        return f"embedded-{self.who.number:04d}-{self.gloss_number:03d}-{number:04d}"


def open_embedded(config: EmbeddedConfig) -> Corpus:
    """The whole corpus of `config`, generated into the cache on its first use."""
    return open_generated(config, "embedded", _VERSION, lambda: generate(config))


def open_generated(
    config: OfPeople, name: str, version: int, clips: Callable[[], Iterator[Clip]]
) -> Corpus:
    """The corpus of these clips, which `version` of the code makes from `config` alone."""
    settings = config.model_dump(exclude={"glosses"})
    content = json.dumps([version, settings], sort_keys=True)
    key = hashlib.sha256(name.encode() + content.encode()).hexdigest()[:24]
    record = {"extractor": name, "version": version, "settings": settings}
    return open_cached(key, name, clips, provenance=lambda: [record])


def generate(config: EmbeddedConfig) -> Iterator[Clip]:
    """The clips by signer and gloss; memory is that of one block, whatever the corpus's size.

    Raises `ConfigError` where more glosses are asked for than there are.
    """
    for block in _blocks(config):
        who = block.who
        manner = draw_manner(
            stream(config.seed, Draw.MANNER, who.number, block.gloss_number),
            who.signer,
            block.timing,
            config.idiosyncrasy,
            config.clip_variation,
        )
        arm = posture(who.signer, block.sign, manner)
        other = arm if block.sign.both else replace(arm, raised=np.zeros_like(arm.raised))
        skeleton = pose(who.signer, arm, other, manner.sway)
        clip = np.repeat(np.arange(len(block.timing.rest)), block.timing.num_frames)
        positions, confidence = filmed(config, who, skeleton, clip, block.gloss_number)
        ends = np.cumsum(block.timing.num_frames).tolist()
        for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            yield Clip(
                clip_id=block.clip_id(number),
                gloss=block.label,
                signer=who.name,
                fps=who.signer.fps,
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


def _blocks(config: EmbeddedConfig) -> Iterator[_Block]:
    signs = lexicon(config.num_glosses)
    signed = signed_by(config, config.num_glosses, config.signer_coverage, spread=0.2)
    for who in people(config):
        for gloss in np.flatnonzero(signed[:, who.number]).tolist():
            rng = stream(config.seed, Draw.TIMING, who.number, gloss)
            sign, label = signs[gloss], signs[gloss].gloss
            if rng.random() < config.mislabelled_share:
                wrong = (gloss + int(rng.integers(1, len(signs)))) % len(signs)
                label = signs[wrong].gloss
            if rng.random() < config.variant_share:
                sign = variant(sign, rng)
            timing = draw_timing(
                rng, who.signer, sign, config.clips_per_block, config.clip_variation
            )
            yield _Block(who, gloss, sign, label, timing)
