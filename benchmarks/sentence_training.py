"""An epoch on sentences, on one core: seconds, memory, and the loop's own share.

    python -m benchmarks.sentence_training

1,000 sentences of 200 frames, made of embedded sentences one behind another. `training.loop.train`
trains one epoch of the preset `continuous` with dense labels from the first step on; beside it the
bare model: forward pass, losses, gradient and optimiser on one batch that lies ready. What the
first takes longer is the loop's own: reading, augmentation, another speed, features, the teacher's
pass and its dense labels, averaged weights. Times are those of the processor, so that on one core
it does not matter what else the machine does. The last line is the bare model's share of the loop.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from slr_ray.corpora.data import open_data
from slr_ray.corpora.embedded.sentences import EmbeddedSentencesConfig
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.poses.clip import Clip
from slr_ray.poses.reading import read
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.shard_writing import write_shard
from slr_ray.training.batches import model_input
from slr_ray.training.loop import train
from slr_ray.training.optimisation import new_optimiser
from slr_ray.training.problem import Problem, labelled_set
from slr_ray.training.round import Round
from slr_ray.training.sentences.loss import sentence_losses
from slr_ray.workers.place import Place

_SEED = 0
_PLACE = Place(torch.device("cpu"))


def sentences(num_sentences: int, num_frames: int) -> Iterator[Clip]:
    """Sentences of so many frames; a gloss that does not end in them is left out."""
    corpus = open_data(EmbeddedSentencesConfig(num_sentences=40, num_signers=12))
    draw = np.random.default_rng(_SEED)
    for number in range(num_sentences):
        frames: list[np.ndarray] = []
        glosses: list[str] = []
        count = 0
        while count < num_frames:
            clip = int(draw.integers(corpus.num_clips))
            times = corpus.sequence_times(clip)
            assert times is not None
            ends = count + times[:, 1] <= num_frames
            glosses += [corpus.glosses[one] for one in corpus.sequence(clip)[ends]]
            frames.append(corpus.frames_of(clip))
            count += len(frames[-1])
        joined = np.concatenate(frames)[:num_frames]
        yield Clip(
            f"sentence-{number}",
            None,
            corpus.signers[number % len(corpus.signers)],
            25.0,
            np.ascontiguousarray(joined[..., :2]),
            np.ascontiguousarray(joined[..., 2]),
            Sentence(tuple(glosses)),
        )


def opened(shard: Path) -> tuple[Experiment, Problem]:
    """All sentences labelled and trained on, but two that validate."""
    tree = {
        "task": "continuous",
        "data": {"kind": "shards", "location": str(shard)},
        "split": {"kind": "sentences"},
        "training": {"num_epochs": 1},
        "sentences": {"dplr": {"source": "refined", "start_epoch": 0}},
    }
    config = build_experiment(tree, "benchmark")
    own = Opener().prepare(config).problem(_SEED)
    every = np.arange(own.corpus.num_clips)
    split = dataclasses.replace(own.split, validation=own.split.validation[:2])
    return config, dataclasses.replace(own, split=split, labelled=every)


def whole_loop(config: Experiment, own: Problem) -> None:
    """A round as it is in use."""
    torch.manual_seed(_SEED)
    round_ = Round(number=0, seed=_SEED, training_set=labelled_set(own))
    train(own.new_recogniser(), own, config.training, round_, _PLACE)


def bare_model(config: Experiment, own: Problem) -> Callable[[], None]:
    """What makes as many steps as an epoch has, on one batch."""
    training, settings = config.training, config.sentences
    assert settings is not None
    torch.manual_seed(_SEED)
    model = own.new_recogniser().train()
    optimiser = new_optimiser(model.parameters(), training.optimiser)
    rows = own.labelled[: training.batch_size]
    inputs, mask = model_input(
        read(own.clips, rows, training.max_frames), own.normalisation, None, None
    )
    sequences = own.sequences(rows)

    def steps() -> None:
        for _ in range(-(-len(own.labelled) // training.batch_size)):
            loss = sentence_losses(model(inputs, mask), sequences, settings, 0.0).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()

    return steps


def processor_seconds(call: Callable[[], None]) -> float:
    """Of all threads of this process."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--num-sentences", type=int, default=1000)
    parser.add_argument("--num-frames", type=int, default=200)
    parser.add_argument("--num-repeats", type=int, default=1)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)

    with tempfile.TemporaryDirectory() as folder:
        shard = Path(folder) / "sentences.parquet"
        write_shard(shard, list(sentences(given.num_sentences, given.num_frames)), {})
        config, own = opened(shard)
    calls = {"an epoch": lambda: whole_loop(config, own), "bare model": bare_model(config, own)}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(given.num_repeats):
        for name, call in calls.items():
            taken[name].append(processor_seconds(call))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    glosses = np.mean([len(one) for one in own.sequences(own.labelled)])
    weights = sum(one.numel() for one in own.new_recogniser().parameters())
    print(
        f"{given.num_sentences} sentences of {given.num_frames} frames and {glosses:.1f} glosses, "
        f"{weights:,} weights, batches of {config.training.batch_size}"
    )
    for name, median in medians.items():
        print(f"{name}: {median:.1f} s of one core, {given.num_sentences / median:.0f} sentences/s")
    print(f"memory: {memory:.2f} GiB at most, the clips in it")
    print(f"ratio: {medians['bare model'] / medians['an epoch']:.2f}")


if __name__ == "__main__":
    main()
