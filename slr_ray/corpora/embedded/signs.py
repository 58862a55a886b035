"""The embedded corpus's signs: a gloss is a hand shape, a location and a movement.

The three parameters are those of Stokoe's phonology of sign; glosses that share two of them are
minimal pairs, the confusions that real vocabularies are full of. Places are in shoulder widths from
the neck, x to the picture's right and y downward, for the signer's right hand (on the picture's
left).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from slr_ray.corpora.embedded.hand import SHAPES
from slr_ray.errors import ConfigError


@dataclass(frozen=True)
class Location:
    """Where the middle of the hand is, and how the hand is turned there (see `hand_joints`)."""

    place: tuple[float, float]
    turn: tuple[float, float, float]


LOCATIONS: dict[str, Location] = {
    "chin": Location((-0.06, -0.36), (0.45, 0.25, 2.7)),
    "forehead": Location((-0.20, -0.92), (0.55, 0.1, 2.4)),
    "chest": Location((-0.05, 0.42), (1.15, 0.1, 2.9)),
    "side": Location((-0.80, -0.15), (-0.05, 0.15, 0.3)),
    "neutral": Location((-0.32, 0.55), (0.35, 0.7, 1.6)),
    "cheek": Location((-0.30, -0.55), (0.30, 0.1, 1.9)),
    "shoulder": Location((0.38, 0.12), (0.95, 0.2, 2.8)),
}

MOVEMENTS: tuple[str, ...] = (
    "out",
    "circle",
    "tap",
    "wave",
    "nod",
    "hold",
    "zigzag",
    "arc",
    "twist",
    "slide",
)


@dataclass(frozen=True)
class Sign:
    """One gloss; with `both`, the other hand mirrors the dominant one."""

    shape: str
    location: str
    movement: str
    both: bool = False

    @property
    def gloss(self) -> str:
        parts = [self.shape, self.location, self.movement] + ["both"] * self.both
        return "-".join(parts)


_FIRST = (
    Sign("flat", "chin", "out"),
    Sign("flat", "forehead", "out"),
    Sign("flat", "chest", "circle"),
    Sign("fist", "chest", "circle"),
    Sign("flat", "chest", "tap"),
    Sign("five", "side", "wave"),
    Sign("index", "side", "wave"),
    Sign("fist", "side", "nod"),
    Sign("ily", "side", "hold"),
    Sign("index", "neutral", "zigzag"),
    Sign("flat", "neutral", "tap", both=True),
    Sign("flat", "neutral", "arc", both=True),
)


def lexicon(num_glosses: int) -> tuple[Sign, ...]:
    """The first `num_glosses` signs of one fixed order; the first twelve are rich in minimal pairs.

    The order hangs on no seed, so corpora of different seeds show the same signs by other signers.
    Raises `ConfigError` beyond the number of combinations.
    """
    combinations = itertools.product(SHAPES, LOCATIONS, MOVEMENTS, (False, True))
    rest = [sign for sign in (Sign(*parts) for parts in combinations) if sign not in _FIRST]
    if num_glosses > len(_FIRST) + len(rest):
        raise ConfigError(
            f"num_glosses: the embedded corpus has {len(_FIRST) + len(rest)} signs, "
            f"{num_glosses} were asked for"
        )
    order = np.random.default_rng(12).permutation(len(rest))
    return (*_FIRST, *(rest[index] for index in order))[:num_glosses]


def variant(sign: Sign, rng: np.random.Generator) -> Sign:
    """The sign as a regional variant has it: one of its three parameters exchanged."""
    which = rng.integers(3)
    if which == 0:
        return replace(sign, shape=str(rng.choice([one for one in SHAPES if one != sign.shape])))
    if which == 1:
        places = [one for one in LOCATIONS if one != sign.location]
        return replace(sign, location=str(rng.choice(places)))
    moves = [one for one in MOVEMENTS if one != sign.movement]
    return replace(sign, movement=str(rng.choice(moves)))


def movement_path(
    movement: str,
    progress: Float[np.ndarray, " frames"],
    repeats: Float[np.ndarray, " frames"],
) -> tuple[Float[np.ndarray, "frames 2"], Float[np.ndarray, "frames 3"]]:
    """Displacement (shoulder widths) and turning (radians) of the hand at amplitude 1.

    `progress` runs from 0 to 1 over the sign; `repeats` is how often repeated movements are made.
    """
    eased = progress * progress * (3 - 2 * progress)
    swing = np.sin(2 * np.pi * repeats * progress)
    shift = np.zeros((len(progress), 2))
    turning = np.zeros((len(progress), 3))
    if movement == "out":
        shift += eased[:, None] * [-0.30, 0.32]
        turning[:, 0] = -0.35 * eased
        turning[:, 1] = 0.7 * eased
    elif movement == "circle":
        angle = 2 * np.pi * repeats * progress
        shift[:, 0], shift[:, 1] = 0.17 * np.sin(angle), 0.17 * (1 - np.cos(angle))
    elif movement == "tap":
        shift[:, 1] = -0.13 * np.abs(swing)
        turning[:, 1] = 0.2 * np.abs(swing)
    elif movement == "wave":
        shift[:, 0] = 0.07 * swing
        turning[:, 0] = 0.45 * swing
    elif movement == "nod":
        shift[:, 1] = 0.05 * np.abs(swing)
        turning[:, 1] = 0.95 * np.abs(swing)
    elif movement == "zigzag":
        saw = 2 / np.pi * np.arcsin(swing)
        shift[:, 0], shift[:, 1] = 0.22 * saw, 0.40 * (progress - 0.5)
    elif movement == "arc":
        angle = np.pi * eased
        shift[:, 0], shift[:, 1] = -0.22 * (1 - np.cos(angle)), -0.20 * np.sin(angle)
        turning[:, 2] = -1.2 * eased
    elif movement == "twist":
        turning[:, 2] = -0.9 * swing
    elif movement == "slide":
        shift[:, 0] = -0.45 * eased
    return shift, turning
