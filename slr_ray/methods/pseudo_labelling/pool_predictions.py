"""What a round's model says of the unlabelled pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from slr_ray.methods.pseudo_labelling.held_out import HeldOut
from slr_ray.models.model import Model
from slr_ray.records.stages import State
from slr_ray.selection.evidence import Evidence, Needs
from slr_ray.training.config import TrainingConfig
from slr_ray.training.passes import Passes
from slr_ray.training.prediction import predict_on
from slr_ray.training.problem import Problem
from slr_ray.training.representation import pool_evidence
from slr_ray.workers.place import Place


@dataclass(frozen=True)
class PoolPredictions:
    """One model's predictions."""

    probabilities: Float[np.ndarray, "unlabelled glosses"]
    """As the model gave them, until `pseudo_labels.refine` works on them in place."""
    validation: Float[np.ndarray, "validation glosses"] | None
    """Of the validation clips, predicted alike; None where nobody needs them."""
    evidence: Evidence
    held_out: Float[np.ndarray, "held_out glosses"] | None = None
    """Of labelled clips by models that have not learnt from them, in the same way; None where
    nobody needs them."""
    held_out_glosses: Int[np.ndarray, " held_out"] | None = None

    def of(self, rows: Int[np.ndarray, " rows"]) -> PoolPredictions:
        """Those of some clips of the pool, in their order."""
        return replace(
            self, probabilities=self.probabilities[rows], evidence=self.evidence.of(rows)
        )

    def packed(self) -> State:
        """As a stage holds it."""
        arrays = {
            "probabilities": self.probabilities,
            **{name: getattr(self, name) for name in _OPTIONAL},
            **{one.name: getattr(self.evidence, one.name) for one in fields(Evidence)},
        }
        return {
            name: torch.from_numpy(array) for name, array in arrays.items() if array is not None
        }


_OPTIONAL = ("validation", "held_out", "held_out_glosses")


def unpacked_predictions(packed: State) -> PoolPredictions:
    """What `packed` gave."""
    arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in packed.items()}
    own = {name: arrays.pop(name, None) for name in ("probabilities", *_OPTIONAL)}
    return PoolPredictions(**own, evidence=Evidence(**arrays))


def predict_alike(
    problem: Problem,
    model: Model,
    clips: Int[np.ndarray, " clips"],
    config: TrainingConfig,
    needs: Needs,
    place: Place,
    *,
    num_views: int,
) -> Float[np.ndarray, "clips glosses"]:
    """Clips as the pool's are predicted: the mean over dropout passes, or over `num_views`."""
    if needs.dropout_passes:
        passes = Passes(problem, model, config, place)
        return passes.with_dropout(clips, needs.dropout_passes).mean
    return predict_on(problem, model, clips, config, place, num_views=num_views)


def predict_pool(
    problem: Problem,
    model: Model,
    config: TrainingConfig,
    needs: Needs,
    place: Place,
    *,
    num_views: int,
    with_validation: bool,
    others: Sequence[HeldOut] = (),
) -> PoolPredictions:
    """Predict the unlabelled pool, with the evidence that is needed and none besides.

    `others` are models with the labelled clips that they have not learnt from.
    """

    def alike(by: Model, clips: Int[np.ndarray, " clips"]) -> Float[np.ndarray, "clips _"]:
        return predict_alike(problem, by, clips, config, needs, place, num_views=num_views)

    passes = Passes(problem, model, config, place)
    evidence = pool_evidence(problem, model, problem.unlabelled, needs, config, place.device)
    if needs.dropout_passes:
        dropped = passes.with_dropout(problem.unlabelled, needs.dropout_passes, needs.negative)
        probabilities, evidence["deviation"] = dropped.mean, dropped.deviation
        if dropped.excluded is not None:
            evidence["excluded"] = dropped.excluded
    else:
        probabilities = alike(model, problem.unlabelled)
    if needs.views:
        evidence["view_glosses"] = passes.view_glosses(problem.unlabelled, needs.views)
    if needs.ends_cut:
        evidence["ends_cut_glosses"] = passes.ends_cut_glosses(
            problem.unlabelled, needs.head_fraction, needs.tail_fraction
        )
    held_out = [alike(one.model, one.clips) for one in others]
    known = [problem.glosses(one.clips) for one in others]
    return PoolPredictions(
        probabilities,
        validation=alike(model, problem.split.validation) if with_validation else None,
        evidence=Evidence(**evidence),
        held_out=np.concatenate(held_out) if others else None,
        held_out_glosses=np.concatenate(known) if others else None,
    )
