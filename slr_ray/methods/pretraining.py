"""SSL-SLR's first half (arXiv 2509.05188): an encoder pre-trained without labels, as a stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from slr_ray.augmentation.config import flip_probability
from slr_ray.experiment.encoder_file import FORMAT
from slr_ray.experiment.initialisation import FreshWeights, OtherGlosses
from slr_ray.experiment.prepared import STAGE_VERSION, Prepared
from slr_ray.methods.other_glosses import (
    check_other_glosses,
    num_other_steps,
    trained_on_other_glosses,
)
from slr_ray.methods.stage import stage
from slr_ray.models.config import with_dropout
from slr_ray.poses.normalisation import SigningSpace
from slr_ray.records.measured import PretrainingEpoch
from slr_ray.records.stages import StageStore, State, dumps, stage_key
from slr_ray.storage import Store
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.pretraining.loop import (
    OnPretrainingEpoch,
    PretrainedEncoder,
    PretrainingTask,
    pretrain,
)
from slr_ray.training.pretraining.plan import plan
from slr_ray.workers.place import Place


def pretraining_task(prepared: Prepared, seed: int) -> PretrainingTask:
    """What a seed of the experiment pre-trains on: no validation or test clip, no gloss."""
    config, section = prepared.config, prepared.pretraining
    return PretrainingTask(
        clips=prepared.pretraining_clips,
        model=with_dropout(config.model, section.dropout),
        normalisation=config.normalisation,
        config=section,
        max_frames=section.max_frames or config.training.max_frames,
        seed=seed if section.seed is None else section.seed,
    )


def pretraining_key(prepared: Prepared, seed: int) -> str:
    """The key of the pre-training stage: the same for all trials that can share an encoder."""
    task = pretraining_task(prepared, seed)
    split = None if task.config.clips == "all" else prepared.split.fingerprint
    return stage_key(
        what="pretraining",
        version=STAGE_VERSION,
        fingerprint=prepared.corpus.fingerprint,
        split=split,
        model=task.model.model_dump(mode="json"),
        normalisation=task.normalisation.model_dump(mode="json"),
        max_frames=task.max_frames,
        pretraining=prepared.initialisation_facts(),
        seed=task.seed,
    )


def pretrained_encoder(
    prepared: Prepared,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnPretrainingEpoch | None = None,
) -> PretrainedEncoder:
    """Pre-train as the experiment says, or take the stage where it is there already."""
    key = pretraining_key(prepared, seed)

    def work() -> State:
        checkpoint = stages.checkpoint(key)
        task = pretraining_task(prepared, seed)
        return _packed(pretrain(task, place, checkpoint=checkpoint, on_epoch=on_epoch))

    found, _ = stage(stages, place, key, work)
    return _unpacked(found)


@dataclass(frozen=True)
class Initial:
    """Weights that rounds start from, and what they took to train; those of a file nothing."""

    weights: State
    num_steps: int = 0
    training_s: float = 0.0


def initial_encoder(
    prepared: Prepared, seed: int, stages: StageStore, place: Place
) -> Callable[[], Initial] | None:
    """What gives the weights that rounds start from; None for fresh ones.

    Raises `ConfigError` at once where they know validation or test clips.
    """
    if isinstance(prepared.config.initialisation, FreshWeights):
        return None
    prepared.refuse_measured_clips()
    if prepared.encoder is not None:
        given = Initial(prepared.encoder.weights)
        return lambda: given

    # Not before a round is trained that needs them; then once for all rounds.
    @cache
    def encoder() -> Initial:
        if prepared.other is not None:
            found = trained_on_other_glosses(prepared, seed, stages, place)
            return Initial(found["encoder"], num_other_steps(prepared), found["training_s"])
        trained = pretrained_encoder(prepared, seed, stages, place)
        return Initial(trained.encoder, trained.num_steps, trained.training_s)

    return encoder


def check_initialisation(prepared: Prepared, num_workers: int = 1) -> None:
    """`ConfigError` before any work where the experiment can't start from its initial weights.

    They must not know the clips that it measures on, and a pre-training's batches and steps must
    be of use.
    """
    prepared.refuse_measured_clips()
    if isinstance(prepared.config.initialisation, OtherGlosses):
        check_other_glosses(prepared)
    if isinstance(prepared.config.initialisation, PretrainingConfig):
        plan(prepared.pretraining, len(prepared.pretraining_clips), num_workers)


def cancelled_flip(prepared: Prepared) -> str | None:
    """What people should know of views that are flipped and mirrored back; None of others."""
    section, normalisation = prepared.pretraining, prepared.config.normalisation
    canonical = isinstance(normalisation, SigningSpace) and normalisation.canonical_hand
    if not canonical or not flip_probability(section.augmentation):
        return None
    return (
        f"note: {section.augmentation.kind} views are flipped without effect, as "
        "normalisation.canonical_hand mirrors every clip to one signing hand"
    )


def save_encoder(
    prepared: Prepared, seed: int, trained: PretrainedEncoder, store: Store, name: str
) -> None:
    """Write what `load_encoder` reads."""
    config, task = prepared.config, pretraining_task(prepared, seed)
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
        "num_of_unknown_signers": task.clips.num_of_unknown_signers,
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


def _unpacked(stored: State) -> PretrainedEncoder:
    return PretrainedEncoder(
        encoder=stored["encoder"],
        epochs=[PretrainingEpoch.model_validate(one) for one in stored["epochs"]],
        num_steps=stored["num_steps"],
        training_s=stored["training_s"],
    )
