"""SSL-SLR's first half (papers/002): an encoder pre-trained on clips without labels, as a stage."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.splits import SignerSplitConfig
from slr_ray.errors import ConfigError
from slr_ray.methods.encoder import FORMAT, cached_encoder, refuse_seen_clips
from slr_ray.methods.experiment import (
    STAGE_VERSION,
    Experiment,
    initialisation_facts,
    open_corpus,
    open_extra,
    open_split,
)
from slr_ray.methods.initialisation import EncoderFile, FreshWeights
from slr_ray.records import PretrainingEpoch
from slr_ray.storage import Store
from slr_ray.training.devices import Place
from slr_ray.training.pretraining import (
    OnPretrainingEpoch,
    PretrainedEncoder,
    PretrainingTask,
    pretrain,
)
from slr_ray.training.pretraining_config import PretrainingConfig
from slr_ray.training.round import State
from slr_ray.training.stages import StageStore, dumps, stage_key
from slr_ray.training.unlabelled import UnlabelledClips


def pretraining_section(config: Experiment) -> PretrainingConfig:
    """The experiment's pre-training; `ConfigError` where it has none."""
    if not isinstance(config.initialisation, PretrainingConfig):
        raise ConfigError(
            f"initialisation.kind is {config.initialisation.kind!r}: "
            "set initialisation.kind=pretraining"
        )
    return config.initialisation


def pretraining_task(config: Experiment, seed: int) -> PretrainingTask:
    """What a seed of the experiment pre-trains on: no validation or test clip, no gloss."""
    section = pretraining_section(config)
    dropout = config.model.dropout if section.dropout is None else section.dropout
    return PretrainingTask(
        clips=pretraining_clips(config),
        model=config.model.model_copy(update={"dropout": dropout}),
        normalisation=config.normalisation,
        config=section,
        max_frames=section.max_frames or config.training.max_frames,
        seed=seed if section.seed is None else section.seed,
    )


def pretraining_clips(config: Experiment) -> UnlabelledClips:
    """The clips that pre-training sees.

    With a split by signer, clips of validation and test signers are left out of the extra data,
    too: signers of the same name count as the same.
    """
    section = pretraining_section(config)
    corpus = open_corpus(config.data)
    everything = section.clips == "all"
    held_out: set[str] = set()
    if everything:
        clips = np.arange(corpus.num_clips)
    else:
        parts = open_split(config.data, config.split)
        clips = parts.training
        if isinstance(config.split, SignerSplitConfig):
            measured = np.concatenate([parts.validation, parts.test])
            held_out = {corpus.signers[one] for one in np.unique(corpus.signer_index[measured])}
    chosen: list[tuple[Corpus, np.ndarray]] = [(corpus, clips.astype(np.int64))]
    for location in section.extra_data:
        extra = open_extra(location)
        left_out = [row for row, name in enumerate(extra.signers) if name in held_out]
        kept = np.flatnonzero(~np.isin(extra.signer_index, left_out))
        if len(kept):
            chosen.append((extra, kept))
    return UnlabelledClips(tuple(chosen))


def pretraining_key(config: Experiment, seed: int) -> str:
    """The key of the pre-training stage: the same for all trials that can share an encoder."""
    task = pretraining_task(config, seed)
    split = None
    if task.config.clips == "training":
        # The kind decides whether held out signers are left out of the extra data.
        split = [config.split.kind, open_split(config.data, config.split).fingerprint]
    return stage_key(
        what="pretraining",
        version=STAGE_VERSION,
        fingerprint=open_corpus(config.data).fingerprint,
        split=split,
        model=task.model.model_dump(mode="json"),
        normalisation=task.normalisation.model_dump(mode="json"),
        max_frames=task.max_frames,
        pretraining=initialisation_facts(config),
        seed=task.seed,
    )


def pretrained_encoder(
    config: Experiment,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnPretrainingEpoch | None = None,
) -> PretrainedEncoder:
    """Pre-train as the experiment says, or take the stage where it is there already."""
    key = pretraining_key(config, seed)
    # One worker holds the stage for all of them: two would wait for each other.
    with stages.claimed(key) if place.leads else nullcontext():
        if place.agreed(stages.exists(key)):
            return _unpacked(stages.load(key))
        trained = pretrain(
            pretraining_task(config, seed),
            place,
            checkpoint=stages.checkpoint(key),
            on_epoch=on_epoch,
        )
        if place.leads:
            stages.save(key, _packed(trained))
        place.wait_for_all()
    return trained


def pretrained(
    config: Experiment,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnPretrainingEpoch | None = None,
) -> State:
    """The weights of `pretrained_encoder`."""
    return pretrained_encoder(config, seed, stages, place, on_epoch).encoder


def initial_encoder(
    config: Experiment, seed: int, stages: StageStore, place: Place
) -> Callable[[], State] | None:
    """What gives the weights that rounds start from; None for fresh ones.

    Raises `ConfigError` at once where an encoder file has seen validation or test clips.
    """
    source = config.initialisation
    if isinstance(source, FreshWeights):
        return None
    if isinstance(source, EncoderFile):
        encoder = cached_encoder(source.path)
        parts = open_split(config.data, config.split)
        measured = {"validation": parts.validation, "test": parts.test}
        refuse_seen_clips(encoder, source, open_corpus(config.data), measured)
        return lambda: encoder.weights

    @lru_cache(maxsize=1)
    def weights() -> State:
        return pretrained(config, seed, stages, place)

    return weights


def save_encoder(
    config: Experiment, seed: int, trained: PretrainedEncoder, store: Store, name: str
) -> None:
    """Write what `load_encoder` reads."""
    task = pretraining_task(config, seed)
    content: dict[str, Any] = {
        "format": FORMAT,
        "model": trained.encoder,
        "model_config": config.model.model_dump(mode="json"),
        "normalisation": task.normalisation.model_dump(mode="json"),
        "max_frames": task.max_frames,
        "pretraining": task.config.model_dump(mode="json"),
        "split": config.split.model_dump(mode="json"),
        "seed": task.seed,
        "corpora": [corpus.name for corpus, _ in task.clips.parts],
        "fingerprints": [corpus.fingerprint for corpus, _ in task.clips.parts],
        "clip_hashes": torch.from_numpy(task.clips.hashes()),
        "epochs": [one.model_dump() for one in trained.epochs],
        "num_steps": trained.num_steps,
        "training_s": trained.training_s,
    }
    store.write_bytes(name, dumps(content))


def _packed(trained: PretrainedEncoder) -> State:
    return {
        "encoder": trained.encoder,
        "epochs": [one.model_dump() for one in trained.epochs],
        "num_steps": trained.num_steps,
        "training_s": trained.training_s,
    }


def _unpacked(stage: State) -> PretrainedEncoder:
    return PretrainedEncoder(
        encoder=stage["encoder"],
        epochs=[PretrainingEpoch.model_validate(one) for one in stage["epochs"]],
        num_steps=stage["num_steps"],
        training_s=stage["training_s"],
    )
