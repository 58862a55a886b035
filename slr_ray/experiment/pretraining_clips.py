"""Which clips pre-training learns from: none that the experiment measures on."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from slr_ray.corpora.splits import SplitConfig
from slr_ray.errors import ConfigError
from slr_ray.experiment.encoder_file import cached_encoder, refuse_seen_clips
from slr_ray.experiment.experiment import (
    DataConfig,
    Experiment,
    open_corpus,
    open_extra,
    open_split,
)
from slr_ray.experiment.initialisation import EncoderFile, FreshWeights
from slr_ray.training.pretraining_config import PretrainingConfig
from slr_ray.training.unlabelled import UnlabelledClips, same_clips


def pretraining_section(config: Experiment) -> PretrainingConfig:
    """The experiment's pre-training; `ConfigError` where it has none."""
    if not isinstance(config.initialisation, PretrainingConfig):
        raise ConfigError(
            f"initialisation.kind is {config.initialisation.kind!r}: "
            "set initialisation.kind=pretraining"
        )
    return config.initialisation


def pretraining_clips(config: Experiment) -> UnlabelledClips:
    """The clips that pre-training sees.

    With `clips: training`, validation and test clips are left out of the extra data, too, and so
    are all clips of signers who are only in validation or test: signers of the same name count as
    the same.
    """
    section = pretraining_section(config)
    return _chosen(config.data, config.split, section.clips, section.extra_data)


@lru_cache(maxsize=8)
def _chosen(
    data: DataConfig,
    how: SplitConfig,
    clips: Literal["training", "all"],
    extra_data: tuple[str, ...],
) -> UnlabelledClips:
    corpus = open_corpus(data)
    extras = [open_extra(location, data) for location in extra_data]
    if clips == "all":
        every = [(one, np.arange(one.num_clips)) for one in (corpus, *extras)]
        return UnlabelledClips(tuple(every))
    parts = open_split(data, how)
    measured = np.concatenate([parts.validation, parts.test])
    signer = corpus.signer_index
    held_out = {
        corpus.signers[one] for one in np.setdiff1d(signer[measured], signer[parts.training])
    }
    chosen = [(corpus, parts.training)]
    num_left_out = 0
    for extra in extras:
        left_out = [row for row, name in enumerate(extra.signers) if name in held_out]
        kept = np.flatnonzero(~np.isin(extra.signer_index, left_out))
        kept = kept[~same_clips(extra, kept, corpus, measured)]
        num_left_out += extra.num_clips - len(kept)
        if len(kept):
            chosen.append((extra, kept))
    return UnlabelledClips(tuple(chosen), num_left_out)


def refuse_measured_clips(config: Experiment) -> None:
    """`ConfigError` where the weights that training starts from know clips that it measures on."""
    source = config.initialisation
    if isinstance(source, FreshWeights):
        return
    corpus, parts = open_corpus(config.data), open_split(config.data, config.split)
    measured = {"validation": parts.validation, "test": parts.test}
    if isinstance(source, EncoderFile):
        refuse_seen_clips(cached_encoder(source.path), source, corpus, measured)
        return
    own = pretraining_clips(config).parts[0][1]
    for name, clips in measured.items():
        seen = int(np.isin(clips, own).sum())
        if seen:
            raise ConfigError(
                f"initialisation.clips is {source.clips!r}: pre-training would learn from {seen} "
                f"of the {len(clips)} {name} clips of {corpus.name}. Leave it at training; an "
                "encoder of slr_ray.pretrain --all-clips is for another corpus"
            )
