"""A model's predictions of the pool as a stage: made once for all trials that share the model.

In a search most trials begin with the same round 0, and predicting a large pool may take longer
than training on few labels. What is kept is what `slr_ray.replay` reads.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from slr_ray.errors import DataError
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.pseudo_labelling.held_out import held_out
from slr_ray.methods.pseudo_labelling.pool_predictions import (
    PoolPredictions,
    predict_alike,
    predict_pool,
    unpacked_predictions,
)
from slr_ray.methods.seed_run import SeedRun, round_key
from slr_ray.methods.stage import stage
from slr_ray.models.config import with_weights
from slr_ray.records.stages import State, stage_key

_SHARED = 25
"""So many times as much is kept of what round 0's model says: all trials have it in common."""


def predicted(run: SeedRun, number: int, weights: State) -> PoolPredictions:
    """What the model of the round before, whose `weights` these are, says of the pool, for the
    choice of round `number`; kept as far as `keep_predictions` says.
    """
    method = _method(run)

    def work() -> State:
        return predict_pool(
            run.problem,
            with_weights(run.problem.new_model(), weights, run.place.device),
            run.training,
            method.needs,
            run.place,
            num_views=method.num_views,
            with_validation=method.calibration == "temperature",
            others=tuple(held_out(run)) if method.held_out_folds else (),
        ).packed()

    most = method.keep_predictions * (_SHARED if number == 1 else 1)
    if len(run.problem.unlabelled) * run.problem.num_glosses > most:
        return unpacked_predictions(work())
    return unpacked_predictions(stage(run.stages, run.place, _key(run, number), work)[0])


def kept_predictions(
    run: SeedRun, number: int, *, with_validation: bool = False
) -> PoolPredictions | None:
    """What the pseudo-labels of round `number` were chosen from; None where it was not kept.

    `with_validation`: where the round did not need validation's predictions, its teacher makes them
    now; `DataError` where that model is gone.
    """
    if number == 0 or not run.stages.exists(_key(run, number)):
        return None
    kept = unpacked_predictions(run.stages.load(_key(run, number)))
    if kept.validation is not None or not with_validation:
        return kept
    before = round_key(run, number - 1)
    if not run.stages.exists(before):
        raise DataError(
            f"round {number} has kept no predictions of validation, and the model of round "
            f"{number - 1}, which could make them, is not in {run.stages.store.location} any more: "
            "choose another calibration than temperature"
        )
    method, weights = _method(run), run.stages.load(before)["model"]
    validation = predict_alike(
        run.problem,
        with_weights(run.problem.new_model(), weights, run.place.device),
        run.problem.split.validation,
        run.training,
        method.needs,
        run.place,
        num_views=method.num_views,
    )
    return replace(kept, validation=validation)


def _key(run: SeedRun, number: int) -> str:
    """Of the model, of which round's settings say no more than what is asked of it."""
    method = _method(run)
    negative = method.needs.negative
    said = None if negative is None else negative.model_dump(mode="json")
    return stage_key(
        what="predictions of the pool",
        of=round_key(run, number - 1),
        needs=asdict(method.needs) | {"negative": said},
        num_views=method.num_views,
        with_validation=method.calibration == "temperature",
        held_out_folds=method.held_out_folds,
    )


def _method(run: SeedRun) -> SslrConfig:
    assert isinstance(run.method, SslrConfig)
    return run.method
