"""SSLR (arXiv 2504.16640): train, pseudo-label the unlabelled pool, extend, train again.

Read `rounds` first: it is the paper's loop. What the paper leaves open (confidence threshold, clips
a round, stopping) and what we add are options of `SslrConfig`, all searchable; on sentences, which
the paper does not try, of `SentenceRoundsConfig`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from slr_ray.errors import DataError
from slr_ray.experiment.rounds.sentences import SentenceRoundsConfig
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.pseudo_labelling.choosing import NOTHING_CHOSEN, Chosen, choose
from slr_ray.methods.pseudo_labelling.choosing_sentences import choose_sentences
from slr_ray.methods.pseudo_labelling.held_out import held_out
from slr_ray.methods.pseudo_labelling.pool_predictions import (
    PoolPredictions,
    predict_alike,
    unpacked_predictions,
)
from slr_ray.methods.pseudo_labelling.pseudo_labels import (
    PseudoLabels,
    training_set,
    unpacked_labels,
)
from slr_ray.methods.seed_run import SeedRun, first_model
from slr_ray.methods.stage import stage
from slr_ray.models.config import AnyRecogniser
from slr_ray.models.model import Model
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.records.measured import EpochRecord, RoundRecord, SeedRecord
from slr_ray.records.stages import State, stage_key
from slr_ray.training.labels.sampling import TrainingSet
from slr_ray.training.linear import fit_classifier
from slr_ray.training.loop import train
from slr_ray.training.problem import labelled_set
from slr_ray.training.round import Round, Trained


@dataclass(frozen=True)
class FinishedRound:
    """A round that was trained or found among the stages."""

    record: RoundRecord
    epochs: list[EpochRecord]
    model_state: State
    pseudo: PseudoLabels


def rounds(run: SeedRun) -> Iterator[FinishedRound]:
    """SSLR's loop; yields each round as it ends. It returns when the paper's criteria stop it.

    Round 0 is supervised. Each later round predicts the unlabelled pool with the last round's
    model, selects, extends the labelled set and trains again, until nothing is left to add or
    validation no longer improves.
    """
    labelled = labelled_set(run.problem)
    done: list[FinishedRound] = []
    while True:
        number = len(done)
        finished = _stage(run, labelled, number, done[-1] if done else None)
        if finished is None:
            return
        done.append(finished)
        yield finished
        if number == run.method.num_rounds or _converged(run, done):
            return
        if not len(run.problem.unlabelled):
            return


def seed_record(run: SeedRun, done: list[FinishedRound]) -> SeedRecord:
    """The record of the rounds so far."""
    return SeedRecord(
        seed=run.seed,
        num_labelled=len(run.problem.labelled),
        num_unlabelled=len(run.problem.unlabelled),
        stopped_because=_stop_reason(run, done),
        best_round=best_round(run, done),
        rounds=[one.record for one in done],
        epochs=[epoch for one in done for epoch in one.epochs],
    )


def best_round(run: SeedRun, done: list[FinishedRound]) -> int:
    """The round that validated best; the earlier of equals."""
    scores = [getattr(one.record.validation, run.training.metric) for one in done]
    return int(np.argmax(scores))


def _stop_reason(run: SeedRun, done: list[FinishedRound]) -> str:
    """Why the loop ended after these rounds."""
    if len(done) > run.method.num_rounds:
        return "all rounds done"
    if _converged(run, done):
        return f"validation did not improve for {run.method.patience_rounds} rounds"
    if not len(run.problem.unlabelled):
        return "no unlabelled clip"
    key = round_key(run, len(done))
    if run.stages.exists(key):
        reason: str = run.stages.load(key).get("nothing_left", "not ended")
        return reason
    return "not ended"


def _converged(run: SeedRun, done: list[FinishedRound]) -> bool:
    patience = run.method.patience_rounds
    return patience is not None and len(done) - 1 - best_round(run, done) >= patience


def round_key(run: SeedRun, number: int) -> str:
    """The key of a round's stage."""
    # num_rounds and patience decide only how many rounds there are, never what one of them gives.
    without = {"num_rounds", "patience_rounds", "keep_predictions"}
    settings = run.method.model_dump(mode="json", exclude=without) if number else None
    return stage_key(**run.facts, seed=run.seed, round=number, method=settings)


def kept_predictions(
    run: SeedRun, number: int, *, with_validation: bool = False
) -> PoolPredictions | None:
    """What the pseudo-labels of round `number` were chosen from; None where it was not kept.

    `with_validation`: where the round did not need validation's predictions, its teacher makes them
    now; `DataError` where that model is gone.
    """
    key = round_key(run, number)
    packed = run.stages.load(key).get("predictions") if run.stages.exists(key) else None
    if packed is None:
        return None
    kept = unpacked_predictions(packed)
    if kept.validation is not None or not with_validation:
        return kept
    assert isinstance(run.method, SslrConfig)
    before = round_key(run, number - 1)
    if not run.stages.exists(before):
        raise DataError(
            f"round {number} has kept no predictions of validation, and the model of round "
            f"{number - 1}, which could make them, is not in {run.stages.store.location} any more: "
            "choose another calibration than temperature"
        )
    teacher = _teacher(run, run.stages.load(before)["model"])
    assert isinstance(teacher, Model)
    validation = predict_alike(
        run.problem,
        teacher,
        run.problem.split.validation,
        run.training,
        run.method.needs,
        run.place,
        num_views=run.method.num_views,
    )
    return replace(kept, validation=validation)


def _stage(
    run: SeedRun, labelled: TrainingSet, number: int, before: FinishedRound | None
) -> FinishedRound | None:
    """Round `number`, from the stages or trained now; None where nothing is left to add."""
    key = round_key(run, number)
    found, was_there = stage(
        run.stages, run.place, key, lambda: _train_round(run, labelled, number, before, key)
    )
    return _unpacked(found, reused=was_there)


def _train_round(
    run: SeedRun,
    labelled: TrainingSet,
    number: int,
    before: FinishedRound | None,
    key: str,
) -> State:
    problem, training, method = run.problem, run.training, run.method
    model = first_model(run, number)
    if run.frozen:
        assert isinstance(model, Model)
        fitted = fit_classifier(model, problem, training, run.place)
        return _packed(run, number, labelled, fitted, NOTHING_CHOSEN)
    chosen, choosing_s = NOTHING_CHOSEN, 0.0
    if before is not None:
        started = time.monotonic()
        chosen = _choose(run, before, number)
        choosing_s = time.monotonic() - started
        if chosen.nothing_left is not None:
            return {"nothing_left": chosen.nothing_left, "predictions": chosen.predictions}
        if method.start == "continue":
            model.load_state_dict(before.model_state)
    pseudo = chosen.pseudo
    trained = train(
        model,
        problem,
        training,
        Round(
            number=number,
            seed=run.seed,
            training_set=training_set(labelled, pseudo, problem.num_glosses),
            true_share=method.true_share if number else None,
            pseudo_augmentation=(
                method.pseudo_augmentation if isinstance(method, SslrConfig) else None
            ),
            steps_before=before.epochs[-1].num_steps if before else 0,
            num_epochs=method.num_epochs if number else None,
            stream=run.stream,
        ),
        run.place,
        checkpoint=run.stages.checkpoint(key),
        on_epoch=run.on_epoch,
    )
    return _packed(run, number, labelled, trained, chosen, choosing_s)


def _choose(run: SeedRun, before: FinishedRound, number: int) -> Chosen:
    """The pseudo-labels of round `number`, given by the model of the round before."""
    problem, training, method, place = run.problem, run.training, run.method, run.place
    teacher = _teacher(run, before.model_state)
    if isinstance(method, SentenceRoundsConfig):
        assert isinstance(teacher, SentenceModel)
        return choose_sentences(problem, training, method, place, teacher, before.pseudo, number)
    assert isinstance(method, SslrConfig)
    assert isinstance(teacher, Model)
    others = tuple(held_out(run)) if method.held_out_folds else ()
    return choose(problem, training, method, place, teacher, before.pseudo, number, others)


def _teacher(run: SeedRun, state: State) -> AnyRecogniser:
    """A round's model, which pseudo-labels for the next one."""
    model = run.problem.new_recogniser().to(run.place.device)
    model.load_state_dict(state)
    return model


def _packed(
    run: SeedRun,
    number: int,
    labelled: TrainingSet,
    trained: Trained,
    chosen: Chosen,
    choosing_s: float = 0.0,
) -> State:
    pseudo = chosen.pseudo
    before = run.encoder() if number == 0 and run.encoder is not None else None
    record = RoundRecord(
        round=number,
        num_true_labels=len(labelled),
        num_pseudo_labels=len(pseudo),
        num_steps=trained.num_steps,
        training_s=trained.training_s,
        choosing_s=choosing_s,
        steps_before=before.num_steps if before else 0,
        training_before_s=before.training_s if before else 0.0,
        reused=False,
        validation=trained.validation,
        audit=chosen.audit,
    )
    return {
        "record": record.model_dump(),
        "epochs": [epoch.model_dump() for epoch in trained.epochs],
        "model": trained.model_state,
        **pseudo.packed(),
        "predictions": chosen.predictions,
    }


def _unpacked(stored: State, *, reused: bool) -> FinishedRound | None:
    if stored.get("nothing_left"):
        return None
    return FinishedRound(
        record=RoundRecord.model_validate({**stored["record"], "reused": reused}),
        epochs=[EpochRecord.model_validate(one) for one in stored["epochs"]],
        model_state=stored["model"],
        pseudo=unpacked_labels(stored),
    )
