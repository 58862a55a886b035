"""Boundary algorithms on real trainings, in this process: progress, results and resume."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import optuna
import torch
from rich.console import Console

from slr_ray.augmentation.boundary_estimate import estimate_boundaries
from slr_ray.boundaries.algorithms import (
    FoundBoundary,
    algorithm_1,
    most_trainings,
    search_boundary,
)
from slr_ray.boundaries.answer import OWN_BOUNDARIES, tell_found, true_boundaries
from slr_ray.boundaries.own import own_boundaries
from slr_ray.boundaries.plot import boundary_drawing, estimate_drawing, own_drawing
from slr_ray.boundaries.trainings import (
    BoundaryTrainings,
    Training,
    TrainingLedger,
    boundary_views,
    ledger_facts,
)
from slr_ray.console import literal_console
from slr_ray.documents.svg import Canvas, as_file
from slr_ray.errors import ConfigError
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.pretraining import check_initialisation
from slr_ray.poses.batch import frames_seen
from slr_ray.progress import ProgressBar
from slr_ray.records.claim import claim
from slr_ray.storage import Store, absolute, below
from slr_ray.training.pretraining.loop import CollapseWarning
from slr_ray.workers.place import this_place

_STEPS_A_CLIP = 10


@dataclass(frozen=True)
class BoundaryOptions:
    """How the boundary is looked for."""

    algorithm: Literal["greedy", "search"]
    num_trainings: int
    """Of the search."""
    num_frames: int | None
    """Greedy: a clip's length; None = the median training clip's, as far as the encoder sees it."""
    step_frames: int | None
    """Greedy: None = a tenth of a clip."""
    num_repeats: int
    seed: int
    to_the_end: bool = False
    """Greedy: go on where the accuracy no longer rises."""


def run_boundary(
    prepared: Prepared, options: BoundaryOptions, out: str, num_threads: int | None
) -> FoundBoundary:
    """Run an algorithm, its trainings kept in `out`; prints and writes what it found."""
    check_initialisation(prepared)
    boundary_views(prepared)
    # Labels to probe with, of glosses to tell apart.
    prepared.pool(options.seed)
    torch.set_num_threads(num_threads or os.cpu_count() or 1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    num_frames, step_frames = _steps(prepared, options)
    at_most = (
        most_trainings(num_frames, step_frames, options.num_repeats)
        if options.algorithm == "greedy"
        else options.num_trainings
    )
    store = _folder(out)
    with store.held():
        return _run(prepared, options, (num_frames, step_frames), at_most, store)


def _run(
    prepared: Prepared,
    options: BoundaryOptions,
    steps: tuple[int, int],
    at_most: int,
    store: Store,
) -> FoundBoundary:
    ledger = TrainingLedger(store, ledger_facts(prepared))
    console = literal_console()
    console.print(
        f"{prepared.corpus.name}: {options.algorithm}, at most {at_most} trainings, "
        f"{len(ledger)} in {store.location} already; pre-training on "
        f"{prepared.pretraining_clips.described()}"
    )
    started = time.monotonic()
    with ProgressBar(console, "trainings", at_most) as bar, warnings.catch_warnings():
        # Told below with every training.
        warnings.simplefilter("ignore", CollapseWarning)

        def on_training(training: Training, known: bool) -> None:
            bar.advance()
            note = ", in the ledger" if known else f", {training.training_s:.0f} s"
            console.print(
                f"head {training.head_fraction:.3f} tail {training.tail_fraction:.3f} repeat "
                f"{training.repeat}: accuracy {training.accuracy:.3f}, embedding's standard "
                f"deviation {training.embedding_std:.2f}{note}"
            )

        score = BoundaryTrainings(prepared, ledger, this_place(), on_training=on_training)
        if options.algorithm == "greedy":
            found = algorithm_1(
                score,
                num_frames=steps[0],
                step_frames=steps[1],
                num_repeats=options.num_repeats,
                to_the_end=options.to_the_end,
            )
        else:
            found = search_boundary(score, num_trainings=options.num_trainings, seed=options.seed)
        bar.end()
    _tell(prepared, options, found, score, store, console, time.monotonic() - started)
    return found


def run_estimate(prepared: Prepared, out: str) -> tuple[float, float]:
    """Estimate the boundary of every training clip; prints and writes the overall one.

    Of every clip, where none has a gloss: nothing is trained or measured then.
    """
    store, corpus = _folder(out), prepared.corpus
    claim(store, "boundary", "corpus's estimate", {"data": corpus.fingerprint}, part="estimate")
    is_measured = corpus.is_labelled.any()
    clips = prepared.split.training if is_measured else np.arange(corpus.num_clips)
    started = time.monotonic()
    with ProgressBar(literal_console(), "clips", len(clips)) as bar:
        estimate = estimate_boundaries(corpus, clips, on_clips=bar.advance)
    head, tail = estimate.overall()
    console = literal_console()
    tell_found(console, head, tail)
    console.print(f"or each clip's own: {OWN_BOUNDARIES}", soft_wrap=True, highlight=False)
    console.print(
        f"no training, {time.monotonic() - started:.1f} s for {len(clips)} clips; "
        f"{estimate.rises.mean():.0%} begin at rest, {estimate.sinks.mean():.0%} end so; medians "
        f"{np.median(estimate.head_fraction):.3f} and {np.median(estimate.tail_fraction):.3f}"
    )
    truth = true_boundaries(corpus, clips)
    if truth is not None:
        errors = np.abs(np.stack([estimate.head_fraction, estimate.tail_fraction], 1) - truth)
        console.print(
            f"truth: {truth[:, 0].mean():.3f} and {truth[:, 1].mean():.3f}; mean absolute error a "
            f"clip: head {errors[:, 0].mean():.3f}, tail {errors[:, 1].mean():.3f} of a clip"
        )
    ids = corpus.clip_ids.take(clips).to_pylist()
    store.write_json(
        "found-estimate.json",
        {
            "head_fraction": head,
            "tail_fraction": tail,
            "clips": {
                one: [float(first), float(last)]
                for one, first, last in zip(
                    ids, estimate.head_fraction, estimate.tail_fraction, strict=True
                )
            },
        },
    )
    fractions = np.stack([estimate.head_fraction, estimate.tail_fraction], axis=1)
    title = f"estimate: {len(clips):,} clips by their own boundary"
    _draw({"own-estimate.svg": estimate_drawing(fractions, truth, title)}, store, console)
    return head, tail


def _folder(out: str) -> Store:
    store = Store(absolute(out))
    store.check_writable()
    return store


def _steps(prepared: Prepared, options: BoundaryOptions) -> tuple[int, int]:
    clips = prepared.split.training
    longest = prepared.config.training.max_frames
    lengths = frames_seen(prepared.corpus.num_frames[clips], longest)
    num_frames = options.num_frames or int(np.median(lengths))
    step_frames = options.step_frames or max(1, round(num_frames / _STEPS_A_CLIP))
    if step_frames > num_frames:
        raise ConfigError(
            f"--step-frames {step_frames} is more than a clip of {num_frames} frames; "
            "give a smaller step or a larger --num-frames"
        )
    return num_frames, step_frames


def _tell(
    prepared: Prepared,
    options: BoundaryOptions,
    found: FoundBoundary,
    score: BoundaryTrainings,
    store: Store,
    console: Console,
    wall_s: float,
) -> None:
    truth = true_boundaries(prepared.corpus, prepared.split.training)
    mean_truth = None if truth is None else (float(truth[:, 0].mean()), float(truth[:, 1].mean()))
    training_s = sum(one.training_s for one in score.asked)
    tell_found(console, found.head_fraction, found.tail_fraction)
    console.print(
        f"{found.num_trainings} trainings x {training_s / found.num_trainings:.1f} s = "
        f"{training_s:.0f} s ({wall_s:.0f} s in this call)"
    )
    gain = found.gain
    if gain is not None:
        console.print(
            f"modelled gain over the published boundary: {100 * gain.mean:.2f} points, standard "
            f"deviation {100 * gain.std:.2f}"
            + ("" if gain.is_above_noise else ": no difference was found, so that stays the answer")
        )
    own = own_boundaries(score.asked, found)
    for one in own:
        console.print(
            f"a {one.end} of its own would gain a validation clip {100 * one.loss.mean:.1f} points "
            "on average (chosen and measured on different repeats)"
        )
    record: dict[str, Any] = {
        "algorithm": options.algorithm,
        "head_fraction": found.head_fraction,
        "tail_fraction": found.tail_fraction,
        "gain": None if gain is None else {"mean": gain.mean, "std": gain.std},
        "truth": mean_truth,
        "num_trainings": found.num_trainings,
        "training_s": training_s,
        "seed": options.seed,
        "own_boundaries": {one.end: one.described() for one in own},
        "candidates": [
            {
                "head_fraction": one.head_fraction,
                "tail_fraction": one.tail_fraction,
                "accuracy": one.accuracy,
            }
            for one in found.candidates
        ],
    }
    store.write_json(f"found-{options.algorithm}.json", record)
    if mean_truth is not None:
        console.print(
            f"truth: head_fraction {mean_truth[0]:.3f}, tail_fraction {mean_truth[1]:.3f}"
        )
    points = [(one.head_fraction, one.tail_fraction, one.accuracy) for one in score.asked]
    drawing = boundary_drawing(
        points,
        (found.head_fraction, found.tail_fraction),
        mean_truth,
        f"{options.algorithm}: {found.num_trainings} trainings",
    )
    plots = {f"found-{options.algorithm}.svg": drawing}
    if own:
        title = f"{options.algorithm}: validation clips by their own boundary, and what one for "
        plots[f"own-{options.algorithm}.svg"] = own_drawing(own, f"{title}all costs them")
    _draw(plots, store, console)


def _draw(plots: Mapping[str, Canvas], store: Store, console: Console) -> None:
    for name, drawing in plots.items():
        store.write_bytes(name, as_file(drawing))
        console.print(f"plot: {below(store.location, name)}", soft_wrap=True)
