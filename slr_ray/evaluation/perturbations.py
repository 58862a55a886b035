"""What cameras and detectors do to clips, in graded strengths: to measure a recogniser with.

Everything happens in image coordinates, before any normalisation, as it would in the field; for
training, `augmentation/` has transforms of its own. DFConv and DPLR (arXiv 2303.11771) were tried
so under other scales and translations at inference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, assert_never

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from slr_ray.config import Config
from slr_ray.poses.reading import ReadableClips
from slr_ray.poses.skeleton import MIRROR

Kind = Literal[
    "scale",
    "translation",
    "rotation",
    "mirror",
    "dropped_joints",
    "dropped_frames",
    "frame_rate",
]
CLEAN: dict[Kind, float] = {
    "scale": 1.0,
    "translation": 0.0,
    "rotation": 0.0,
    "mirror": 0.0,
    "dropped_joints": 0.0,
    "dropped_frames": 0.0,
    "frame_rate": 1.0,
}
"""Every kind and the strength at which it changes nothing."""
_CENTRE = 0.5

Positive = Annotated[float, Field(gt=0, le=10)]
Rate = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Degrees = Annotated[float, Field(ge=-180, le=180)]


@dataclass(frozen=True)
class Perturbation:
    """One kind at one strength."""

    kind: Kind
    strength: float


class Perturbations(Config):
    """The strengths of each kind that are tried; an empty list leaves a kind out.

    Joints that leave the picture stay known: it is the recogniser that is tried, not the detector.
    """

    scale: tuple[Positive, ...] = (0.4, 0.6, 0.8, 1.25, 1.6, 2.0)
    """Factor about the picture's centre: 0.5 is a person half as large, twice as far away."""
    translation: tuple[Positive, ...] = (0.05, 0.1, 0.2, 0.3, 0.5)
    """Shift in picture sizes, in a direction that is drawn for each clip."""
    rotation: tuple[Degrees, ...] = (-40.0, -30.0, -20.0, -10.0, 10.0, 20.0, 30.0, 40.0)
    """Degrees about the picture's centre, clockwise as one sees it."""
    mirror: tuple[Share, ...] = (1.0,)
    """Share of the clips that a mirrored camera shows: left and right are exchanged."""
    dropped_joints: tuple[Share, ...] = (0.1, 0.2, 0.3, 0.5, 0.7)
    """Share of the joints, frame by frame, that are not found."""
    dropped_frames: tuple[Share, ...] = (0.1, 0.3, 0.5, 0.7, 0.9)
    """Share of the frames in which nothing is found; one frame of a clip always stays."""
    frame_rate: tuple[Rate, ...] = (0.75, 0.5, 0.33, 0.25, 0.125)
    """Share of the frames that a slower camera takes, evenly spaced."""
    picture_aspect: float = Field(1.0, gt=0)
    """Width of the pictures over their height, for rotation: poses do not hold it."""
    seed: int = Field(0, ge=0)
    """Of all that is drawn: directions, clips that are mirrored, joints and frames that go."""

    def all(self) -> Iterator[Perturbation]:
        """Each kind at each strength, in order."""
        for kind in CLEAN:
            for strength in sorted(set(getattr(self, kind))):
                yield Perturbation(kind, strength)


def perturbed(
    frames: Float[np.ndarray, "frames 54 3"],
    what: Perturbation,
    rng: np.random.Generator,
    picture_aspect: float = 1.0,
) -> Float[np.ndarray, "left 54 3"]:
    """One clip's x, y (image fractions) and confidence as they would then have been; a new array.

    A stronger perturbation with the same `rng` loses, or mirrors, what a weaker one does and more.
    Joints that are missing stay missing, at 0.
    """
    strength, moved = what.strength, frames.copy()
    found = frames[..., 2:] > 0
    match what.kind:
        case "scale":
            moved[..., :2] = (frames[..., :2] - _CENTRE) * strength + _CENTRE
        case "translation":
            angle = rng.uniform(0, 2 * np.pi)
            moved[..., :2] += strength * np.array([np.cos(angle), np.sin(angle)], frames.dtype)
        case "rotation":
            moved[..., :2] = _turned(frames[..., :2], strength, picture_aspect)
        case "mirror":
            if rng.random() < strength:
                order = list(MIRROR)
                moved, found = frames[:, order], found[:, order]
                moved[..., 0] = 1 - moved[..., 0]
        case "dropped_joints":
            found = found & (rng.random(frames.shape[:2]) >= strength)[..., None]
        case "dropped_frames":
            draws = rng.random(len(frames))
            found = found & ((draws >= strength) | (draws == draws.max()))[:, None, None]
        case "frame_rate":
            kept = _slower(len(frames), strength)
            moved, found = moved[kept], found[kept]
        case _:
            assert_never(what.kind)
    return np.where(found, moved, np.zeros((), frames.dtype))


@dataclass(frozen=True)
class PerturbedClips:
    """Clips under one perturbation; a clip's draw hangs on seed, kind and index alone.

    `num_frames` is that of the clips as they are: an upper bound, as in `WithHands`.
    """

    clips: ReadableClips
    what: Perturbation
    seed: int = 0
    picture_aspect: float = 1.0

    @property
    def num_frames(self) -> Int[np.ndarray, " clips"]:
        return self.clips.num_frames

    def frames_of(self, index: int) -> Float[np.ndarray, "frames 54 3"]:
        rng = np.random.default_rng([self.seed, list(CLEAN).index(self.what.kind), index])
        return perturbed(self.clips.frames_of(index), self.what, rng, self.picture_aspect)


def _turned(
    positions: Float[np.ndarray, "frames 54 2"], degrees: float, picture_aspect: float
) -> Float[np.ndarray, "frames 54 2"]:
    angle = np.deg2rad(degrees)
    # A circle in the picture is an ellipse in fractions of a picture that is no square.
    x, y = (positions[..., 0] - _CENTRE) * picture_aspect, positions[..., 1] - _CENTRE
    turned = [np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y]
    turned[0] /= picture_aspect
    placed: np.ndarray = np.stack(turned, axis=-1) + _CENTRE
    return placed.astype(positions.dtype)


def _slower(num_frames: int, share: float) -> Int[np.ndarray, " kept"]:
    """The frames that are there whenever a slower camera takes one, the first always."""
    times = np.arange(max(1, int(np.ceil(num_frames * share)))) / share
    return times.round().astype(np.int64).clip(max=num_frames - 1)
