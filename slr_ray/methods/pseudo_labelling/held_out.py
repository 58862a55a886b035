"""Labelled clips as they look to models that have not learnt from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Int

from slr_ray.methods.pseudo_labelling.label_parts import label_parts
from slr_ray.methods.seed_run import SeedRun, first_model
from slr_ray.methods.stage import stage
from slr_ray.models.config import with_weights
from slr_ray.models.model import Model
from slr_ray.records.stages import State, stage_key
from slr_ray.training.labels.sampling import true_labels
from slr_ray.training.loop import train
from slr_ray.training.round import Round


@dataclass(frozen=True)
class HeldOut:
    """A model and the labelled clips that it has not learnt from."""

    model: Model
    clips: Int[np.ndarray, " clips"]


def held_out(run: SeedRun) -> Iterator[HeldOut]:
    """Each part of the labelled clips with a model of round 0's kind, trained on the other parts.

    The trainings are stages; as rounds' settings shape none of them, trials share them.
    """
    num_folds = run.method.held_out_folds
    for fold, part in enumerate(label_parts(run.problem, num_folds, run.seed)):
        if not len(part):
            continue
        facts = {"what": "held out", "fold": fold, "num_folds": num_folds}
        key = stage_key(**run.facts, **facts, seed=run.seed)
        state, _ = stage(run.stages, run.place, key, partial(_trained, run, part, key))
        model = with_weights(run.problem.new_model(), state["model"], run.place.device)
        yield HeldOut(model, part)


def _trained(run: SeedRun, part: Int[np.ndarray, " part"], key: str) -> State:
    problem = run.problem
    known = np.setdiff1d(problem.labelled, part)
    labels = true_labels(known, problem.glosses(known))
    trained = train(
        first_model(run, 0),
        replace(problem, labelled=known),
        run.training,
        Round(number=0, seed=run.seed, training_set=labels),
        run.place,
        checkpoint=run.stages.checkpoint(key),
    )
    return {"model": trained.model_state}
