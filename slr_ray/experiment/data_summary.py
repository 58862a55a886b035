"""What is printed about data and pools before any training."""

from __future__ import annotations

from typing import assert_never

from rich.console import Console
from rich.text import Text

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.corpora.pools import AllPoolConfig, FractionPoolConfig, SignersPoolConfig
from slr_ray.corpora.split_checks import listed, num_glosses, split_warnings
from slr_ray.experiment.consistency_config import ConsistencyConfig
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.prepared import Prepared

_SHOWN_CLIPS = 5


def pool_text(prepared: Prepared, seed: int) -> str:
    """Sizes of the pools that `seed` draws, and how many labels are hidden from the method."""
    pool = prepared.pool(seed)
    glosses = prepared.corpus.gloss_index[pool.unlabelled]
    num_hidden = int((glosses != UNLABELLED).sum())
    sizes = f"seed {seed}: {len(pool.labelled)} labelled, {len(pool.unlabelled)} unlabelled"
    hidden = f"{num_hidden} labels hidden" if num_hidden else "no label hidden"
    return f"{sizes}, {hidden} ({_written(prepared.config)})"


def measured_text(prepared: Prepared) -> str:
    """What the test set holds: a score says nothing of other glosses."""
    corpus, test = prepared.corpus, prepared.split.test
    return f"{len(test)} clips of {num_glosses(corpus, test)} of {len(corpus.glosses)} glosses"


def print_warnings(prepared: Prepared, seed: int, console: Console) -> None:
    """Clips left out, what the split does not measure, missing labels, rounds without use."""
    config, corpus, pool = prepared.config, prepared.corpus, prepared.pool(seed)
    warnings = []
    if corpus.skipped:
        shown = [f"  {one.clip_id}: {one.reason}" for one in corpus.skipped[:_SHOWN_CLIPS]]
        warnings.append("\n".join([f"{len(corpus.skipped)} broken clips left out", *shown]))
    by_step = isinstance(config.method, ConsistencyConfig)
    if not len(pool.unlabelled) and (by_step or config.rounds.num_rounds):
        left = "training is supervised" if by_step else "training ends after the first round"
        warnings.append(
            f"no unlabelled clip ({_written(config)}): nothing to pseudo-label, {left}; label "
            "fewer clips or add clips without a gloss"
        )
    if pool.missing_glosses:
        warnings.append(f"no label for: {listed(pool.missing_glosses)}")
    warnings += split_warnings(corpus, prepared.split)
    for one in warnings:
        console.print(Text(one, style="yellow"), soft_wrap=True)


def _written(config: Experiment) -> str:
    """What decides about the pool, as it is written on the command line."""
    match config.pool:
        case FractionPoolConfig(fraction=fraction):
            return f"pool.fraction={fraction:g}"
        case SignersPoolConfig(num_signers=num_signers):
            return f"pool.num_signers={num_signers}"
        case AllPoolConfig():
            return "pool.kind=all"
        case _:
            assert_never(config.pool)
