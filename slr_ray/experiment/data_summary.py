"""What is printed about data and pools before any training."""

from __future__ import annotations

from typing import assert_never

import numpy as np
from jaxtyping import Int
from rich.console import Console
from rich.text import Text

from slr_ray.corpora.folds import FoldsSplitConfig
from slr_ray.corpora.pools import (
    AllPoolConfig,
    FractionPoolConfig,
    PerGlossPoolConfig,
    SignersPoolConfig,
)
from slr_ray.corpora.split_checks import listed, num_glosses, split_warnings
from slr_ray.experiment.consistency_config import StepByStep
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.prepared import Prepared

_SHOWN_CLIPS = 5


def pool_text(prepared: Prepared, seed: int) -> str:
    """Sizes of the pools that `seed` draws, and how many labels are hidden from the method.

    Labels that choose are labels, too: those of validation are counted beside those of training.
    """
    pool, parts = prepared.pool(seed), prepared.split
    num_hidden = prepared.num_labels(pool.unlabelled)
    budget = f"labelled for training {labels_text(prepared, pool.labelled)}"
    if prepared.num_validation:
        budget += f", + {prepared.num_validation:,} for validation"
    else:
        budget += f", validation's {len(parts.validation):,} among them, so that nothing chooses"
    hidden = f"{num_hidden:,} labels hidden" if num_hidden else "no label hidden"
    if pool.num_left_out:
        hidden += f", {clips_text(pool.num_left_out)} left out"
    written = _written(prepared.config)
    return f"seed {seed}: {budget}; {len(pool.unlabelled):,} unlabelled, {hidden} ({written})"


def labels_text(prepared: Prepared, labelled: Int[np.ndarray, " labelled"]) -> str:
    """A labelled pool against what it was drawn from, whatever share was asked for."""
    total = prepared.num_training_labels
    some = " with a gloss" if total < len(prepared.split.training) else ""
    share = 100 * len(labelled) / total
    return f"{clips_text(len(labelled))}, {share:.1f} % of {total:,} training clips{some}"


def clips_text(count: int) -> str:
    return "1 clip" if count == 1 else f"{count:,} clips"


def measured_text(prepared: Prepared) -> str:
    """What the test set holds: a score says nothing of other glosses."""
    corpus, test = prepared.corpus, prepared.split.test
    return f"{len(test)} clips of {num_glosses(corpus, test)} of {len(corpus.glosses)} glosses"


def print_extra(prepared: Prepared, console: Console) -> None:
    """What is learnt from beside the pools: by pre-training, in an open pool."""
    for one in (prepared.other, prepared.unlabelled):
        if one is not None:
            console.print(f"pre-training on {one.described()}")
    if prepared.config.pool.open_data:
        console.print(f"open pool: {prepared.open_pool.described()}")


def print_warnings(prepared: Prepared, seed: int, console: Console) -> None:
    """Clips left out, what the split does not measure, missing labels, rounds without use."""
    config, corpus, pool = prepared.config, prepared.corpus, prepared.pool(seed)
    warnings = []
    if corpus.skipped:
        shown = [f"  {one.clip_id}: {one.reason}" for one in corpus.skipped[:_SHOWN_CLIPS]]
        warnings.append("\n".join([f"{len(corpus.skipped)} broken clips left out", *shown]))
    by_step = isinstance(config.method, StepByStep)
    if not len(pool.unlabelled) + len(prepared.open_pool) and (by_step or config.rounds.num_rounds):
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
        case FractionPoolConfig(fraction=fraction, of=of):
            written = f"pool.fraction={fraction:g}" + (" pool.of=corpus" if of == "corpus" else "")
        case PerGlossPoolConfig(num_clips=num_clips):
            written = f"pool.num_clips={num_clips}"
        case SignersPoolConfig(num_signers=num_signers):
            written = f"pool.num_signers={num_signers}"
        case AllPoolConfig():
            return "pool.kind=all"
        case _:
            assert_never(config.pool)
    skew = config.pool.unlabelled_skew
    return written if skew is None else f"{written} pool.unlabelled_skew={skew:g}"


def split_text(config: Experiment) -> str:
    """How clips are divided, in words."""
    split = config.split
    if isinstance(split, FoldsSplitConfig):
        return f"fold {split.fold} of {split.num_folds} by signer"
    return f"split by {split.kind}"
