"""What a boundary is worth: pre-train with it, then linear evaluation on the validation clips.

Every finished training is a line of `trainings.jsonl`; none is ever done twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from slr_ray.augmentation.config import BoundaryAugmentation
from slr_ray.boundaries.algorithms import told_apart
from slr_ray.errors import ConfigError, DataError
from slr_ray.evaluation.linear import linear_probe
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.pretraining import (
    pretrained_encoder,
    pretraining_key,
    pretraining_task,
)
from slr_ray.models.config import new_encoder
from slr_ray.poses.normalisation import num_channels
from slr_ray.records.claim import claim
from slr_ray.records.measured import PretrainingEpoch
from slr_ray.records.stages import StageStore
from slr_ray.storage import Store, below
from slr_ray.training.representation import represented_set
from slr_ray.workers.place import Place

LEDGER = "trainings.jsonl"


@dataclass(frozen=True)
class Training:
    """One pre-training with linear evaluation."""

    head_fraction: float
    tail_fraction: float
    repeat: int
    accuracy: float
    """Of linear evaluation on the validation clips."""
    balanced_accuracy: float
    embedding_std: float
    """At the end of pre-training; near 0 the encoder collapsed and the accuracy says little."""
    training_s: float
    """Wall time of pre-training and evaluation."""
    correct: str
    """One digit a validation clip: 1 where it was recognised."""

    def recognised(self) -> Bool[np.ndarray, " clips"]:
        return np.asarray(np.frombuffer(self.correct.encode(), np.uint8) == ord("1"))


class TrainingLedger:
    """The finished trainings of one experiment in a folder; replaced whole at each."""

    def __init__(self, store: Store, facts: dict[str, Any]) -> None:
        """`ConfigError` where the folder holds trainings of another experiment."""
        self.store = store
        self._done: dict[tuple[float, float, int], Training] = {}
        claim(store, "boundary", "experiment's trainings", facts, part="trainings")
        if store.exists(LEDGER):
            for number, line in enumerate(store.read_bytes(LEDGER).decode().splitlines(), 1):
                try:
                    training = Training(**json.loads(line))
                except (ValueError, TypeError) as error:
                    raise DataError(
                        f"{below(store.location, LEDGER)} line {number} is damaged: {error}. "
                        "Delete it"
                    ) from None
                self._done[_key_of(training)] = training

    def __len__(self) -> int:
        return len(self._done)

    def find(self, head_fraction: float, tail_fraction: float, repeat: int) -> Training | None:
        return self._done.get(_key(head_fraction, tail_fraction, repeat))

    def add(self, training: Training) -> None:
        self._done[_key_of(training)] = training
        lines = [json.dumps(asdict(one)) for one in self._done.values()]
        self.store.write_bytes(LEDGER, ("\n".join(lines) + "\n").encode())


OnTraining = Callable[[Training, bool], None]
"""Hears of each training that was asked for, and whether it was in the ledger already."""


class BoundaryTrainings:
    """A `Score`: accuracy of linear evaluation, by boundary and repeat."""

    def __init__(
        self,
        prepared: Prepared,
        ledger: TrainingLedger,
        place: Place,
        *,
        on_training: OnTraining | None = None,
        on_epoch: Callable[[PretrainingEpoch], None] | None = None,
    ) -> None:
        """`ConfigError` where the experiment pre-trains nothing, or with other views."""
        boundary_views(prepared)
        self.prepared, self.ledger, self.place = prepared, ledger, place
        self.on_training, self.on_epoch = on_training, on_epoch
        self.asked: list[Training] = []
        """Distinct trainings in the order they were asked for, those in the ledger included."""

    def __call__(self, head_fraction: float, tail_fraction: float, repeat: int) -> float:
        training = self.ledger.find(head_fraction, tail_fraction, repeat)
        known = training is not None
        if training is None:
            training = self._train(head_fraction, tail_fraction, repeat)
            self.ledger.add(training)
        self.asked.append(training)
        if self.on_training is not None:
            self.on_training(training, known)
        return training.accuracy

    def _train(self, head_fraction: float, tail_fraction: float, repeat: int) -> Training:
        started = time.monotonic()
        prepared = with_boundary(self.prepared, head_fraction, tail_fraction)
        config = prepared.config
        stages = StageStore(self.ledger.store.join("stages"))
        trained = pretrained_encoder(prepared, repeat, stages, self.place, self.on_epoch)
        encoder = new_encoder(config.model, num_channels(config.normalisation))
        encoder.load_state_dict(trained.encoder)
        encoder.to(self.place.device)
        own = prepared.problem(repeat)
        max_frames = pretraining_task(prepared, repeat).max_frames
        labelled, validation = (
            represented_set(encoder, own, clips, max_frames=max_frames, device=self.place.device)
            for clips in (own.labelled, own.split.validation)
        )
        probe = linear_probe(labelled, validation, own.num_glosses)
        predicted = probe.classify(validation.representations).argmax(axis=1)
        # The ledger has what is needed; hundreds of encoders would fill a disk.
        stages.store.delete(f"{pretraining_key(prepared, repeat)}.pt")
        return Training(
            *told_apart(head_fraction, tail_fraction),
            repeat=repeat,
            accuracy=probe.validation.accuracy,
            balanced_accuracy=probe.validation.balanced_accuracy,
            embedding_std=trained.epochs[-1].embedding_std,
            training_s=time.monotonic() - started,
            correct="".join("1" if one else "0" for one in predicted == validation.glosses),
        )


def boundary_views(prepared: Prepared) -> BoundaryAugmentation:
    """The augmentation of the experiment's pre-training; `ConfigError` where it has no boundary."""
    found = prepared.pretraining.augmentation
    if not isinstance(found, BoundaryAugmentation):
        section = "initialisation.augmentation"
        raise ConfigError(
            f"{section}.kind is {found.kind!r}, which has no boundary to look for; for the views "
            f"of whole clips beside it: {section}.standard.kind=standard (or strong)"
        )
    if found.per_clip is not None:
        raise ConfigError(
            "initialisation.augmentation.per_clip gives each clip its own boundary: there is none "
            "to look for. Leave it out"
        )
    return found


def with_boundary(prepared: Prepared, head_fraction: float, tail_fraction: float) -> Prepared:
    """The experiment with another boundary in the augmentation of its pre-training."""
    head, tail = told_apart(head_fraction, tail_fraction)
    augmentation = boundary_views(prepared).model_copy(
        update={"head_fraction": head, "tail_fraction": tail}
    )
    section = prepared.pretraining.model_copy(update={"augmentation": augmentation})
    return prepared.with_config(prepared.config.model_copy(update={"initialisation": section}))


def ledger_facts(prepared: Prepared) -> dict[str, Any]:
    """What every training of a ledger has in common."""
    plain = with_boundary(prepared, 0.0, 0.0).config
    return {
        "data": prepared.corpus.fingerprint,
        "split": prepared.split.fingerprint,
        "settings": plain.model_dump(mode="json", exclude={"data", "method"}),
    }


def _key_of(training: Training) -> tuple[float, float, int]:
    return _key(training.head_fraction, training.tail_fraction, training.repeat)


def _key(head_fraction: float, tail_fraction: float, repeat: int) -> tuple[float, float, int]:
    return *told_apart(head_fraction, tail_fraction), repeat
