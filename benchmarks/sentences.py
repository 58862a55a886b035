"""Seconds of decoding and of dense labels.

    OMP_NUM_THREADS=1 python -m benchmarks.sentences [--num-sentences 1000] [--num-steps 50]
        [--num-glosses 100] [--batch-size 16]

Probabilities are made up: those of a model that has learnt to spike, and says every other sentence
with one wrong gloss, and those of one that has learnt nothing. Seconds are the processor's, so that
others on the machine do not count. Dense labels are made in every step of training, batch by batch:
the last line is the goal's 1 ms a sentence over the slowest of them; 1 or more is within.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.special import log_softmax

from slr_ray.sentences.beam_search import beam_search
from slr_ray.sentences.config import DenseLabelsConfig
from slr_ray.sentences.decoding import best_paths
from slr_ray.sentences.dense_labels import dense_labels
from slr_ray.sentences.lattice import forced_alignment, log_likelihoods

_GOAL_S = 1e-3
_LENGTH = 5
"""Glosses of each sentence."""


def made_up(
    num_sentences: int, num_steps: int, num_glosses: int, *, learnt: bool, seed: int = 0
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Log probabilities and the true sequences."""
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((num_sentences, num_steps, num_glosses + 1), np.float32)
    sequences = list(rng.integers(0, num_glosses, (num_sentences, _LENGTH)))
    if learnt:
        logits[:, :, 0] += 8
        for row, sequence in enumerate(sequences):
            said = sequence.copy()
            if row % 2:
                said[rng.integers(_LENGTH)] = rng.integers(num_glosses)
            steps = np.sort(rng.choice(num_steps // 2, _LENGTH, replace=False)) * 2
            logits[row, steps, said + 1] += 14
    found: np.ndarray = log_softmax(logits, axis=2)
    return found, sequences


def _in_batches(
    log_probs: np.ndarray,
    num_steps: np.ndarray,
    sequences: list[np.ndarray],
    config: DenseLabelsConfig,
    size: int,
) -> None:
    for start in range(0, len(log_probs), size):
        rows = slice(start, start + size)
        dense_labels(log_probs[rows], num_steps[rows], sequences[rows], config)


def _seconds(call: Callable[[], object], num_repeats: int) -> float:
    """Of the fastest of several calls."""
    taken = []
    for _ in range(num_repeats):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return max(min(taken), 1e-9)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--num-sentences", type=int, default=1_000)
    parser.add_argument("--num-steps", type=int, default=50)
    parser.add_argument("--num-glosses", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--num-repeats", type=int, default=3)
    asked = parser.parse_args(arguments)
    count = asked.num_sentences
    num_steps = np.full(count, asked.num_steps)
    print(f"{count} sentences x {asked.num_steps} steps x {asked.num_glosses} glosses")
    slowest = 0.0
    for learnt in (False, True):
        log_probs, sequences = made_up(count, asked.num_steps, asked.num_glosses, learnt=learnt)
        print("a model that has learnt to spike" if learnt else "a model that has learnt nothing")
        whole: dict[str, Callable[[], object]] = {
            "best path": partial(best_paths, log_probs, num_steps),
            "beam search, 5": partial(beam_search, log_probs, num_steps, 5),
            "beam search, 10": partial(beam_search, log_probs, num_steps, 10),
            "likelihood": partial(log_likelihoods, log_probs, num_steps, sequences),
            "forced alignment": partial(forced_alignment, log_probs, num_steps, sequences),
        }
        for name, call in whole.items():
            print(f"  {name:<24} {_seconds(call, asked.num_repeats):8.3f} s")
        for source in ("refined", "forced"):
            config = DenseLabelsConfig.model_validate({"source": source})
            label = partial(_in_batches, log_probs, num_steps, sequences, config, asked.batch_size)
            seconds = _seconds(label, asked.num_repeats) / count
            slowest = max(slowest, seconds)
            print(f"  dense labels, {source:<10} {1e3 * seconds:8.3f} ms a sentence")
    print(f"ratio: {_GOAL_S / slowest:.2f}")


if __name__ == "__main__":
    main()
