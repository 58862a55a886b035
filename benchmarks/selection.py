"""Seconds and memory of calibration, refinements, rejections, rules and weights on a large pool.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.selection [--num-clips 1000000] [--num-glosses 1000]

Each runs in a process of its own on the same made-up probabilities, which fill 4 GB in the default
size; its peak memory includes them. Seconds are the processor's, so that others on the machine do
not count. The last line is the goal's 10 s and 8 GB over the worst of them, whichever is nearer: 1
or more is within.

One thread for matrix products: they are small here, and threads that wait for each other cost
`SemanticBlend` four times as many seconds as they save.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

import numpy as np

from slr_ray.config import alternatives
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.selection.blocks import apply_step, blocks
from slr_ray.selection.calibration import apply_temperature, undo_smoothing
from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import Evidence
from slr_ray.selection.refine.debias import Debias
from slr_ray.selection.refine.distribution_alignment import DistributionAlignment
from slr_ray.selection.refine.semantic_blend import SemanticBlend
from slr_ray.selection.refine.temperature import Temperature

_GOAL_S, _GOAL_GB = 10.0, 8.0
_WIDTH = 96


def made_up(num_clips: int, num_glosses: int, seed: int) -> tuple[np.ndarray, Evidence]:
    """Probabilities of clips, some sure and some not, and all evidence that there is."""
    rng = np.random.default_rng(seed)
    probabilities = np.empty((num_clips, num_glosses), np.float32)
    for rows in blocks(num_clips, num_glosses):
        block = probabilities[rows]
        rng.standard_exponential(out=block, dtype=np.float32, method="zig")
        sure = np.arange(len(block)), rng.integers(0, num_glosses, len(block))
        block[sure] += rng.uniform(0, 20 * num_glosses, len(block)).astype(np.float32)
        block /= block.sum(axis=1, keepdims=True)
    glosses = rng.integers(0, num_glosses, 5 * num_glosses)
    gloss = rng.integers(0, num_glosses, num_clips)
    return probabilities, Evidence(
        labelled_counts=np.bincount(glosses, minlength=num_glosses),
        representations=rng.standard_normal((num_clips, _WIDTH), np.float32),
        labelled_representations=rng.standard_normal((len(glosses), _WIDTH), np.float32),
        labelled_glosses=glosses,
        validation_representations=rng.standard_normal((len(glosses), _WIDTH), np.float32),
        energy=rng.standard_normal(num_clips, np.float32),
        validation_energy=rng.standard_normal(len(glosses), np.float32),
        deviation=rng.random(num_clips, np.float32) / 10,
        view_glosses=np.repeat(gloss[:, None], 4, axis=1),
        ends_cut_glosses=gloss,
    )


def parts() -> dict[str, Callable[[np.ndarray, Evidence], object]]:
    """By name, each part of choosing on its own."""
    done: dict[str, Callable[[np.ndarray, Evidence], object]] = {
        "calibration: undo_smoothing": lambda given, _: undo_smoothing(given, 0.1),
        "calibration: temperature": lambda given, _: apply_temperature(given, 1.3),
    }
    for one in (Temperature(), Debias(), DistributionAlignment(), SemanticBlend()):
        done[f"refine: {type(one).__name__}"] = lambda given, evidence, one=one: apply_step(  # type: ignore[misc]
            given, one.step(given, evidence)
        )
    for kind, reject in alternatives(SslrConfig, "reject").items():
        done[f"reject: {kind}"] = lambda _, evidence, reject=reject: reject().stays(evidence)  # type: ignore[misc]
    for kind, rule in alternatives(SslrConfig, "selection").items():
        done[f"select: {kind}"] = lambda given, evidence, rule=rule: rule().select(  # type: ignore[misc]
            candidates(given, evidence)
        )
    for kind, weight in alternatives(SslrConfig, "weight").items():
        done[f"weight: {kind}"] = lambda given, evidence, weight=weight: weight().weigh(  # type: ignore[misc]
            candidates(given, evidence), np.arange(len(given))
        )
    return done


def candidates(given: np.ndarray, evidence: Evidence) -> Candidates:
    return Candidates(given, np.ones(len(given), bool), 1, 1.0, evidence)


def _measured(
    part: Callable[[np.ndarray, Evidence], object],
    given: np.ndarray,
    evidence: Evidence,
    answer: Connection,
) -> None:
    started = time.process_time()
    part(given, evidence)
    seconds = max(time.process_time() - started, 1e-9)
    answer.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--num-clips", type=int, default=1_000_000)
    parser.add_argument("--num-glosses", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    if not sys.platform.startswith("linux"):
        raise SystemExit("the processes share the probabilities by fork: Linux only")
    given, evidence = made_up(asked.num_clips, asked.num_glosses, asked.seed)
    print(f"{asked.num_clips} clips x {asked.num_glosses} glosses: {given.nbytes / 1e9:.2f} GB")
    # Forked: each part writes on pages of its own, and the next one finds what was made up.
    processes = multiprocessing.get_context("fork")
    worst = np.inf
    for name, part in parts().items():
        answer, question = processes.Pipe(duplex=False)
        child = processes.Process(target=_measured, args=(part, given, evidence, question))
        child.start()
        question.close()
        seconds, gigabytes = answer.recv()
        child.join()
        worst = min(worst, _GOAL_S / seconds, _GOAL_GB / gigabytes)
        print(f"{name:<32} {seconds:6.2f} s {gigabytes:6.2f} GB")
    print(f"ratio: {worst:.2f}")


if __name__ == "__main__":
    main()
