"""How hard is a corpus? Balanced accuracy of 1-nearest-neighbour on signers it has not seen.

    python benchmarks/embedded_difficulty.py                      # the embedded corpus's defaults
    python benchmarks/embedded_difficulty.py --shards wild.parquet

Clips are resampled to 16 frames, flipped where the left hand is the more prominent one, centred on
the neck and divided by the shoulder width; nothing is learnt and nothing is aligned, so the number
says how much of the vocabulary is plain to see. Measured with the labels of all training signers
and with those of a few.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.corpora.corpus import Corpus, open_shards
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, open_embedded
from slr_ray.poses.skeleton import INDEX, LEFT_HAND, MIRROR, RIGHT_HAND

_NECK, _LEFT, _RIGHT = INDEX["neck"], INDEX["leftShoulder"], INDEX["rightShoulder"]


def features(corpus: Corpus, num_steps: int = 16) -> NDArray[np.float32]:
    """Clips x numbers: wrists beside the body, hand shapes at one size, what is seen."""
    rows = []
    for index in range(corpus.num_clips):
        frames = np.array(corpus.frames[corpus.offsets[index] : corpus.offsets[index + 1]])
        nearest = np.linspace(0, len(frames) - 1, num_steps).round().astype(int)
        positions, seen = frames[..., :2].astype(np.float64), frames[..., 2] > 0
        centre = np.median(positions[:, _NECK], axis=0)
        width = np.median(np.linalg.norm(positions[:, _LEFT] - positions[:, _RIGHT], axis=-1))
        relative = np.clip((positions - centre) / max(width, 1e-3), -4, 4)
        if _prominence(relative, seen, LEFT_HAND) > _prominence(relative, seen, RIGHT_HAND):
            relative, seen = relative[:, MIRROR] * [-1.0, 1.0], seen[:, MIRROR]
        relative, seen = relative[nearest], seen[nearest]
        parts = []
        for hand in (LEFT_HAND, RIGHT_HAND):
            found = seen[:, hand.start, None]
            wrist = relative[:, hand.start]
            shape = relative[:, hand] - wrist[:, None]
            size = np.ptp(shape, axis=1).max(axis=-1).clip(0.02)
            shape = (2 * shape / size[:, None, None]).reshape(num_steps, -1)
            parts += [wrist * found, shape * found, found]
        rows.append(np.concatenate(parts, axis=1).ravel())
    return np.asarray(rows, np.float32)


def _prominence(relative: NDArray[np.float64], seen: NDArray[np.bool_], hand: slice) -> float:
    """How much a hand is seen, and how high: the dominant one has more."""
    found = seen[:, hand.start]
    return float((found * (1 + np.clip(1.6 - relative[:, hand.start, 1], 0, 2))).mean())


def nearest_neighbour(
    known: NDArray[np.float32], glosses: NDArray[np.int32], asked: NDArray[np.float32]
) -> NDArray[np.int32]:
    """The gloss of each asked clip's nearest known clip."""
    squared = (known**2).sum(axis=1) - 2 * asked @ known.T
    return np.asarray(glosses[squared.argmin(axis=1)], np.int32)


def balanced_accuracy(glosses: NDArray[np.int32], guesses: NDArray[np.int32]) -> float:
    """Mean over glosses of the share of their clips that is recognised."""
    return float(np.mean([np.mean(guesses[glosses == one] == one) for one in np.unique(glosses)]))


def measure(corpus: Corpus, num_labelled: int | None, num_repeats: int, seed: int) -> list[float]:
    """Balanced accuracy on a random fifth of the signers, by repeat.

    Labels come from all other signers, or from `num_labelled` of them.
    """
    points = features(corpus)
    glosses, signers = np.asarray(corpus.gloss_index), np.asarray(corpus.signer_index)
    labelled = glosses != UNLABELLED
    scores = []
    for repeat in range(num_repeats):
        order = np.random.default_rng([seed, repeat]).permutation(len(corpus.signers))
        num_tested = max(1, round(0.2 * len(order)))
        teachers = order[num_tested:][:num_labelled]
        known = np.flatnonzero(np.isin(signers, teachers) & labelled)
        asked = np.flatnonzero(np.isin(signers, order[:num_tested]) & labelled)
        guesses = nearest_neighbour(points[known], glosses[known], points[asked])
        scores.append(balanced_accuracy(glosses[asked], guesses))
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--shards", help="measure these pose shards instead")
    parser.add_argument("--corpus-seed", type=int, default=0, help="the embedded corpus's seed")
    parser.add_argument("--idiosyncrasy", type=float, default=None)
    parser.add_argument("--few", type=int, default=2, help="labelled signers in the second line")
    parser.add_argument("--repeats", type=int, default=10, help="random signer splits")
    parser.add_argument("--seed", type=int, default=0, help="of the splits")
    options = parser.parse_args()
    if options.shards:
        corpus = open_shards(options.shards)
    else:
        config = EmbeddedConfig(seed=options.corpus_seed)
        if options.idiosyncrasy is not None:
            config = config.model_copy(update={"idiosyncrasy": options.idiosyncrasy})
        corpus = open_embedded(config)
    print(
        f"{corpus.name}: {corpus.num_clips} clips, {len(corpus.glosses)} glosses, "
        f"{len(corpus.signers)} signers"
    )
    for label, number in (("all training signers", None), (f"{options.few} signers", options.few)):
        scores = measure(corpus, number, options.repeats, options.seed)
        print(
            f"1-NN, labels of {label}: {np.mean(scores):.3f} +- {np.std(scores):.3f} "
            f"({options.repeats} splits)"
        )


if __name__ == "__main__":
    main()
