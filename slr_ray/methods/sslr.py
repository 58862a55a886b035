"""SSLR (arXiv 2504.16640): train, pseudo-label the unlabelled pool, extend, train again.

Read `rounds` first: it is the paper's loop. What the paper leaves open (confidence threshold, clips
a round, stopping) and what we add are options of `SslrConfig`, all searchable; on sentences, which
the paper does not try, of `SentenceRoundsConfig`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from slr_ray.experiment.rounds.sentences import SentenceRoundsConfig
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.pseudo_labelling.choosing import NOTHING_CHOSEN, Chosen, choose
from slr_ray.methods.pseudo_labelling.choosing_sentences import choose_sentences
from slr_ray.methods.pseudo_labelling.predicted import predicted
from slr_ray.methods.pseudo_labelling.pseudo_labels import (
    PseudoLabels,
    training_set,
    unpacked_labels,
)
from slr_ray.methods.seed_run import SeedRun, first_model, round_key
from slr_ray.methods.stage import stage
from slr_ray.models.config import with_weights
from slr_ray.models.model import Model
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.records.measured import EpochRecord, RoundRecord, SeedRecord
from slr_ray.records.stages import State
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
            return {"nothing_left": chosen.nothing_left}
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
    problem, training, method = run.problem, run.training, run.method
    if isinstance(method, SentenceRoundsConfig):
        model = with_weights(problem.new_recogniser(), before.model_state, run.place.device)
        assert isinstance(model, SentenceModel)
        return choose_sentences(problem, training, method, run.place, model, before.pseudo, number)
    assert isinstance(method, SslrConfig)
    predictions = predicted(run, number, before.model_state)
    return choose(problem, training, method, predictions, before.pseudo, number)


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
