"""How the embedded corpus's signers perform a block of clips: when, and how unlike each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from slr_ray.corpora.embedded.reach import minimum_jerk
from slr_ray.corpora.embedded.signers import Manner, Signer
from slr_ray.corpora.embedded.signs import Sign


@dataclass(frozen=True)
class Timing:
    """A block's durations in frames, an array of clips each."""

    rest: Int64[np.ndarray, " clips"]
    rise: Int64[np.ndarray, " clips"]
    sign: Int64[np.ndarray, " clips"]
    sink: Int64[np.ndarray, " clips"]
    after: Int64[np.ndarray, " clips"]

    @property
    def num_frames(self) -> Int64[np.ndarray, " clips"]:
        return np.asarray(self.rest + self.rise + self.sign + self.sink + self.after)


def citation_s(sign: Sign) -> float:
    """How long the sign takes by itself at an ordinary pace."""
    return {"out": 0.55, "hold": 0.55, "slide": 0.55, "arc": 0.65}.get(sign.movement, 0.75)


def draw_timing(
    rng: np.random.Generator,
    signer: Signer,
    sign: Sign,
    clips_per_block: int,
    clip_variation: float,
) -> Timing:
    """Durations at random: the signer's habits, varied from clip to clip."""
    count = int(rng.integers((clips_per_block + 1) // 2, 3 * clips_per_block // 2 + 1))
    usual = citation_s(sign)

    def frames(seconds: float, spread: float, least: int) -> np.ndarray:
        varied = seconds * np.exp(clip_variation * rng.normal(0, spread, count))
        rounded = np.maximum(least, np.round(varied * signer.fps))
        return np.asarray(rounded, np.int64)

    return Timing(
        rest=frames(signer.head_rest_s, 0.35, 0),
        rise=frames(signer.reach_s, 0.15, 2),
        sign=frames(usual / signer.speed * float(np.exp(rng.normal(0, 0.1))), 0.12, 5),
        sink=frames(signer.reach_s, 0.15, 2),
        after=frames(signer.tail_rest_s, 0.35, 0),
    )


def draw_manner(
    rng: np.random.Generator,
    signer: Signer,
    timing: Timing,
    idiosyncrasy: float,
    clip_variation: float,
) -> Manner:
    """The frames of a block's clips, one clip after the other."""
    num_frames = timing.num_frames
    count = len(num_frames)
    clip = np.repeat(np.arange(count), num_frames)
    start = np.cumsum(num_frames) - num_frames
    frame = np.arange(num_frames.sum()) - start[clip]
    head = (timing.rest + timing.rise)[clip]
    end = head + timing.sign[clip]
    raised = raised_between(frame, head, timing.rise[clip], end, timing.sink[clip])
    progress = np.clip((frame - head) / (timing.sign[clip] - 1), 0.0, 1.0)

    def habit(scale: float, within: float, width: int) -> np.ndarray:
        """The block's own way, and around it the clips'; frames x width."""
        usual = idiosyncrasy * scale * rng.normal(size=(1, width))
        varied = clip_variation * within * rng.normal(size=(count, width))
        return np.asarray((usual + varied)[clip])

    repeats = float(rng.choice([1.0, 1.5, 2.0, 2.0, 3.0])) if idiosyncrasy > 0 else 2.0
    phase = rng.uniform(0, 2 * np.pi, (count, 2))[clip]
    sway = 0.02 * np.sin(phase + 2 * np.pi * 0.4 * frame[:, None] / signer.fps)
    return Manner(
        raised=raised,
        progress=progress,
        repeats=np.full(len(frame), repeats),
        amplitude=signer.amplitude * np.exp(habit(0.14, 0.12, 1)[:, 0]),
        place=habit(0.07, 0.03, 2),
        turn=habit(0.18, 0.08, 3),
        shape=habit(0.08, 0.06, 11),
        sway=clip_variation * (sway + 0.02 * rng.normal(size=(count, 2))[clip]),
    )


def raised_between(
    frame: Int64[np.ndarray, " frames"],
    up: Int64[np.ndarray, " frames"] | int,
    rise: Int64[np.ndarray, " frames"] | int,
    down: Int64[np.ndarray, " frames"] | int,
    sink: Int64[np.ndarray, " frames"] | int,
) -> Float[np.ndarray, " frames"]:
    """`Manner.raised` of hands that are up from the frame `up` until before the frame `down`.

    They take the `rise` frames before and the `sink` frames from there on.
    """
    # The last frame of the head is almost there, the first of the tail has just left.
    rising = (frame - (up - rise) + 0.5) / (rise + 0.5)
    sinking = (down + sink - frame - 0.5) / (sink + 0.5)
    return minimum_jerk(np.clip(np.minimum(rising, sinking), 0.0, 1.0))
