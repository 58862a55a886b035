"""How long sentences are: as they are, at another speed, at the least."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, Int64

from slr_ray.poses.batch import frames_seen
from slr_ray.poses.sentence import FRAMES_A_STEP, num_steps_of
from slr_ray.sentences.steps import Sequences, min_steps
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.config import SentencesConfig


def drawn_frames(
    num_frames: Int[np.ndarray, " sentences"],
    settings: SentencesConfig,
    max_frames: int | None,
    draw: np.random.Generator,
) -> Int64[np.ndarray, " sentences"]:
    """How many frames each sentence of `num_frames` has at a speed drawn for it."""
    chosen = draw.random(len(num_frames)) < settings.resample_probability
    share = draw.uniform(settings.shortest, settings.longest, len(num_frames))
    wanted = np.round(num_frames * np.where(chosen, share, 1.0)).astype(np.int64)
    seen: np.ndarray = frames_seen(wanted, max_frames)
    return seen


def least_frames(sequences: Sequences) -> Int64[np.ndarray, " sentences"]:
    """The fewest frames in which CTC can tell each sequence."""
    return np.array([FRAMES_A_STEP * (min_steps(one) - 1) + 1 for one in sequences], np.int64)


def labelled_lengths(
    problem: Problem, max_frames: int | None
) -> tuple[Int64[np.ndarray, " labelled"], Int64[np.ndarray, " labelled"]]:
    """Glosses and steps of each labelled sentence."""
    glosses = [len(one) for one in problem.sequences(problem.labelled)]
    frames = frames_seen(problem.source.num_frames[problem.labelled], max_frames)
    return np.array(glosses, np.int64), num_steps_of(frames)
