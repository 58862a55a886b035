"""SSL-SLR's first half (arXiv 2509.05188): an encoder pre-trained without labels, as a stage."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

import torch

from slr_ray.augmentation.config import flip_probability
from slr_ray.experiment.encoder_file import FORMAT, cached_encoder
from slr_ray.experiment.experiment import (
    STAGE_VERSION,
    Experiment,
    initialisation_facts,
    open_corpus,
    open_split,
)
from slr_ray.experiment.initialisation import EncoderFile, FreshWeights
from slr_ray.experiment.pretraining_clips import (
    pretraining_clips,
    pretraining_section,
    refuse_measured_clips,
)
from slr_ray.poses.normalisation import SigningSpace
from slr_ray.records.stages import StageStore, State, dumps, stage_key
from slr_ray.records.typed import PretrainingEpoch
from slr_ray.storage import Store
from slr_ray.training.pretraining import (
    OnPretrainingEpoch,
    PretrainedEncoder,
    PretrainingTask,
    pretrain,
)
from slr_ray.training.pretraining_config import PretrainingConfig
from slr_ray.training.pretraining_plan import plan
from slr_ray.workers.place import Place


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


def pretraining_key(config: Experiment, seed: int) -> str:
    """The key of the pre-training stage: the same for all trials that can share an encoder."""
    task = pretraining_task(config, seed)
    split = None
    if task.config.clips == "training":
        split = open_split(config.data, config.split).fingerprint
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

    Raises `ConfigError` at once where they know validation or test clips.
    """
    source = config.initialisation
    if isinstance(source, FreshWeights):
        return None
    refuse_measured_clips(config)
    if isinstance(source, EncoderFile):
        encoder = cached_encoder(source.path)
        return lambda: encoder.weights

    @lru_cache(maxsize=1)
    def weights() -> State:
        return pretrained(config, seed, stages, place)

    return weights


def check_initialisation(config: Experiment, num_workers: int = 1) -> None:
    """`ConfigError` before any work where the experiment can't start from its initial weights.

    They must not know the clips that it measures on, and a pre-training's batches and steps must
    be of use.
    """
    refuse_measured_clips(config)
    if isinstance(config.initialisation, PretrainingConfig):
        plan(config.initialisation, len(pretraining_clips(config)), num_workers)


def cancelled_flip(config: Experiment) -> str | None:
    """What people should know of views that are flipped and mirrored back; None of others."""
    section = pretraining_section(config)
    canonical = (
        isinstance(config.normalisation, SigningSpace) and config.normalisation.canonical_hand
    )
    if not canonical or not flip_probability(section.augmentation):
        return None
    return (
        f"note: {section.augmentation.kind} views are flipped without effect, as "
        "normalisation.canonical_hand mirrors every clip to one signing hand"
    )


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
        "signers": task.clips.signers(),
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
