"""The embedded corpora's people: who they are, before which camera, and what each of them signs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from pydantic import Field

from slr_ray.corpora.embedded.camera import Camera, draw_camera, film
from slr_ray.corpora.embedded.signers import Signer, draw_signer
from slr_ray.corpora.glosses import OfSomeGlosses


class OfPeople(OfSomeGlosses):
    """What the embedded corpora have in common: their people and how hard these are to read."""

    num_signers: int = Field(24, ge=1)
    """People; `signer_coverage` says how many of them sign the same."""
    seed: int = Field(0, ge=0)
    """Another seed is another corpus: the same glosses, other signers."""
    idiosyncrasy: float = Field(1.0, ge=0)
    """Factor on how far a signer's habits lie from the citation form; 0 = none."""
    clip_variation: float = Field(1.0, ge=0)
    """Factor on how far a signer's clips of the same differ; 0 = by the detector's noise only."""
    variant_share: float = Field(0.05, ge=0, le=1)
    """How often a signer has another variant of a sign: one parameter exchanged."""
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


class Draw(IntEnum):
    """What a stream of random numbers is for.

    With the seed, it makes every draw independent of how many were made elsewhere, so that a part
    of a corpus can be made, or only timed, by itself.
    """

    SIGNER = 0
    COVERAGE = 1
    FLAGS = 2
    TIMING = 3
    MANNER = 4
    FILM = 5
    SEQUENCE = 6
    HABIT = 7
    UTTERANCE = 8


def stream(seed: int, draw: Draw, *key: int) -> np.random.Generator:
    return np.random.default_rng([seed, draw, *key])


@dataclass(frozen=True)
class Person:
    number: int
    signer: Signer
    camera: Camera

    @property
    def name(self) -> str:
        return f"signer{self.number:04d}"


def people(config: OfPeople) -> Iterator[Person]:
    """The corpus's signers; those of one seed are the same in every embedded corpus."""
    shares = (
        config.left_handed_share,
        config.mirrored_share,
        config.missing_ears_share,
        config.missing_elbows_share,
    )
    flags = [_chosen(config, flag, share) for flag, share in enumerate(shares)]
    for number in range(config.num_signers):
        rng = stream(config.seed, Draw.SIGNER, number)
        signer = draw_signer(rng, config.idiosyncrasy)
        left_handed, mirrored, no_ears, no_elbows = (bool(flag[number]) for flag in flags)
        camera = draw_camera(
            rng, flipped=left_handed != mirrored, has_ears=not no_ears, has_elbows=not no_elbows
        )
        yield Person(number, signer, camera)


def signed_by(
    config: OfPeople, num_items: int, coverage: float, spread: float
) -> Bool[np.ndarray, "items signers"]:
    """True where the signer signs the item, a gloss or a sentence; every item has a signer.

    Items differ in how many sign them: a share of `coverage` give or take `spread`.
    """
    signed = np.zeros((num_items, config.num_signers), bool)
    for item in range(num_items):
        rng = stream(config.seed, Draw.COVERAGE, item)
        share = min(1.0, coverage + rng.uniform(-spread, spread))
        count = max(1, round(share * config.num_signers))
        signed[item, rng.permutation(config.num_signers)[:count]] = True
    return signed


def _chosen(config: OfPeople, flag: int, share: float) -> Bool[np.ndarray, " signers"]:
    """Signers with some trait: an exact share of them, so that small corpora have it too."""
    order = stream(config.seed, Draw.FLAGS, flag).permutation(config.num_signers)
    return np.asarray(order < round(share * config.num_signers))


def filmed(
    config: OfPeople,
    who: Person,
    skeleton: Float[np.ndarray, "frames 54 2"],
    clip: Int[np.ndarray, " frames"],
    item: int,
) -> tuple[Float32[np.ndarray, "frames 54 2"], Float32[np.ndarray, "frames 54"]]:
    """Positions and confidence of what they sign of an item, see `film`."""
    positions, confidence = film(
        skeleton,
        clip,
        who.signer.fps,
        who.camera,
        config.jitter,
        config.drop_out_per_s,
        stream(config.seed, Draw.FILM, who.number, item),
    )
    return positions.astype(np.float32), confidence.astype(np.float32)
