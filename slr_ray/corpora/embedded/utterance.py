"""How the embedded corpus's signers perform a sentence: sign after sign, without rest between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
from jaxtyping import Float

from slr_ray.corpora.embedded.manner import citation_s, raised_between
from slr_ray.corpora.embedded.reach import along_reaches
from slr_ray.corpora.embedded.signers import Manner, Posture, Signer, posture
from slr_ray.corpora.embedded.signs import Sign, variant
from slr_ray.poses.sentence import Times

_LEAST_FRAMES = 4
"""Of a sign; with two of a transition, a gloss has at least a step and a half of four frames."""
_HOLD_DELETION = 0.1
"""Share of the signs that lose what is almost still at either end, here 15 % of their time."""
_STILL = 0.15


@dataclass(frozen=True)
class Habit:
    """How one signer makes one gloss, in whatever sentence."""

    sign: Sign
    duration_s: float
    repeats: float
    amplitude: float
    place: Float[np.ndarray, "2"]
    turn: Float[np.ndarray, "3"]
    shape: Float[np.ndarray, "11"]


def draw_habit(
    rng: np.random.Generator, signer: Signer, sign: Sign, idiosyncrasy: float, variant_share: float
) -> Habit:
    """As unlike other signers' as in the isolated corpus; repeated movements once less."""
    if rng.random() < variant_share:
        sign = variant(sign, rng)
    return Habit(
        sign=sign,
        duration_s=citation_s(sign) / signer.speed * float(np.exp(rng.normal(0, 0.1))),
        repeats=float(rng.choice([1.0, 1.0, 1.0, 1.5, 2.0])) if idiosyncrasy > 0 else 1.0,
        amplitude=signer.amplitude * float(np.exp(idiosyncrasy * rng.normal(0, 0.14))),
        place=idiosyncrasy * rng.normal(0, 0.07, 2),
        turn=idiosyncrasy * rng.normal(0, 0.18, 3),
        shape=idiosyncrasy * rng.normal(0, 0.08, 11),
    )


@dataclass(frozen=True)
class Utterance:
    """A sentence as the two arms perform it, and when each of its signs is made."""

    dominant: Posture
    other: Posture
    sway: Float[np.ndarray, "frames 2"]
    times: Times


def utter(
    rng: np.random.Generator, signer: Signer, habits: Sequence[Habit], clip_variation: float
) -> Utterance:
    """Hands rise once, make the signs one after the other, and sink once.

    Between two signs, place, turn and shape of the hand go from the end of the one to the start of
    the other by a reach; the other hand does so between the signs of both hands that it makes.
    """

    def frames(seconds: float, spread: float, least: int) -> int:
        varied = seconds * np.exp(clip_variation * rng.normal(0, spread))
        return max(least, round(float(varied) * signer.fps))

    # The longer the sentence, the shorter its signs.
    tempo = 1.2 + 0.08 * len(habits)
    made = []
    for habit in habits:
        cut = _STILL if rng.random() < _HOLD_DELETION else 0.0
        duration = frames((1 - 2 * cut) * habit.duration_s / tempo, 0.12, _LEAST_FRAMES)
        made.append(_sign(rng, signer, habit, np.linspace(cut, 1 - cut, duration), clip_variation))
    rest, rise = frames(signer.head_rest_s, 0.35, 0), frames(signer.reach_s, 0.15, 2)
    starts = [rest + rise]
    for one, following in pairwise(made):
        far = np.linalg.norm(following.place[0] - one.place[-1])
        share = 0.25 + 0.35 * min(float(far), 1.0)
        starts.append(starts[-1] + len(one.raised) + frames(share * signer.reach_s, 0.15, 2))
    ends = [start + len(one.raised) for start, one in zip(starts, made, strict=True)]
    sink, after = frames(signer.reach_s, 0.15, 2), frames(signer.tail_rest_s, 0.35, 0)

    frame = np.arange(ends[-1] + sink + after)
    raised = raised_between(frame, starts[0], rise, ends[-1], sink)
    dominant = _joined(raised, starts, made)
    other = replace(dominant, raised=np.zeros(len(frame)))
    both = [place for place, habit in enumerate(habits) if habit.sign.both]
    if both:
        raised = np.zeros(len(frame))
        for first, last in _runs(both):
            # Within a sentence this hand rises at leisure, during the sign before: anticipation.
            early = rise if first == 0 else round(rise * rng.uniform(1.0, 2.0))
            up = raised_between(frame, starts[first], early, ends[last], sink)
            raised = np.maximum(raised, up)
        other = _joined(raised, [starts[one] for one in both], [made[one] for one in both])
    phase = rng.uniform(0, 2 * np.pi, 2)
    sway = np.sin(phase + 2 * np.pi * 0.4 * frame[:, None] / signer.fps) + rng.normal(size=2)
    times = tuple(zip(starts, ends, strict=True))
    return Utterance(dominant, other, 0.02 * clip_variation * sway, times)


def _sign(
    rng: np.random.Generator,
    signer: Signer,
    habit: Habit,
    progress: Float[np.ndarray, " frames"],
    clip_variation: float,
) -> Posture:
    """A sign in its sentence: smaller than by itself, and unlike other times."""
    frames = len(progress)

    def around(usual: Float[np.ndarray, " width"], spread: float) -> np.ndarray:
        return np.tile(usual + clip_variation * rng.normal(0, spread, len(usual)), (frames, 1))

    smaller = rng.uniform(0.7, 1.0) * float(np.exp(clip_variation * rng.normal(0, 0.12)))
    manner = Manner(
        raised=np.ones(frames),
        progress=progress,
        repeats=np.full(frames, habit.repeats),
        amplitude=np.full(frames, habit.amplitude * smaller),
        place=around(habit.place, 0.03),
        turn=around(habit.turn, 0.08),
        shape=around(habit.shape, 0.06),
        sway=np.zeros((frames, 2)),
    )
    return posture(signer, habit.sign, manner)


def _joined(
    raised: Float[np.ndarray, " frames"], starts: Sequence[int], made: Sequence[Posture]
) -> Posture:
    """One arm through signs that begin at `starts`."""
    known = [start + np.arange(len(one.raised)) for start, one in zip(starts, made, strict=True)]
    values = [np.hstack([one.place, one.turn, one.shape, one.resting_shape]) for one in made]
    path = along_reaches(np.concatenate(known), np.concatenate(values), len(raised))
    return Posture(raised, *np.split(path, [2, 5, 16], axis=1))


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of numbers that follow each other, of ascending ones."""
    runs = []
    for _, group in groupby(enumerate(places), lambda one: one[1] - one[0]):
        members = [place for _, place in group]
        runs.append((members[0], members[-1]))
    return runs
