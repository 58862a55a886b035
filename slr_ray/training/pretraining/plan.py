"""How many steps a pre-training takes on how many clips; refused before work where it can't be."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from slr_ray.errors import ConfigError
from slr_ray.training.pretraining.config import PretrainingConfig


@dataclass(frozen=True)
class PretrainingPlan:
    """What follows from a configuration, the number of clips and that of workers."""

    batch_size: int
    """Clips a step over all workers: the configured number, at most all clips, a multiple of the
    number of workers."""
    steps_per_epoch: int
    num_steps: int
    micro_batches: tuple[slice, ...]
    """A worker's share of a batch in parts that differ by at most one clip."""


def plan(config: PretrainingConfig, num_clips: int, num_workers: int) -> PretrainingPlan:
    """The plan; `ConfigError` where batches are too small or the steps would change nothing."""
    wanted = min(config.batch_size, num_clips)
    own = wanted // num_workers
    if own < 2:
        raise ConfigError(
            f"a batch of {wanted} clips is too small for {num_workers} worker(s): each needs at "
            "least 2 clips. Raise initialisation.batch_size or give more clips"
        )
    batch_size = own * num_workers
    per_epoch = num_clips // batch_size
    num_steps = config.num_steps or config.num_epochs * per_epoch
    if num_steps == 1 and config.schedule == "warmup_cosine":
        raise ConfigError(
            "one step of pre-training would leave the weights as they are, for the learning rate "
            "of warmup_cosine ends at 0: more initialisation.num_epochs (or num_steps), or a "
            f"smaller initialisation.batch_size than {config.batch_size} on {num_clips} clips"
        )
    micro_batches = _micro_batches(own, config.micro_batch_size or own)
    least = min(one.stop - one.start for one in micro_batches) * num_workers
    if least < 2 and config.objective.mixes_clips:
        raise ConfigError(
            f"initialisation.micro_batch_size={config.micro_batch_size} cuts {own} clips into "
            f"parts of which one has a single clip, and {config.objective.kind} compares the clips "
            "of a part: raise it"
        )
    return PretrainingPlan(batch_size, per_epoch, num_steps, micro_batches)


def _micro_batches(num_clips: int, most: int) -> tuple[slice, ...]:
    """As few parts of at most `most` clips as there can be, the longer ones first."""
    parts = -(-num_clips // most)
    size, longer = divmod(num_clips, parts)
    starts = [row * size + min(row, longer) for row in range(parts + 1)]
    return tuple(slice(start, stop) for start, stop in pairwise(starts))
