"""Train, choose the round on validation, measure that model once on the test set."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from slr_ray.corpora.corpus import Corpus
from slr_ray.evaluation.metrics import confusion, f1_scores, measure
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.checkpoints import checkpoint_content
from slr_ray.methods.measured_sentences import sentence_answers, sentence_record
from slr_ray.methods.nearest_neighbour import nearest_neighbour
from slr_ray.methods.seed_run import OnEpoch, prepare_seed
from slr_ray.methods.sslr import best_round, rounds, seed_record
from slr_ray.models.config import with_weights
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.records.measured import MeasuredRecord, SeedRecord
from slr_ray.records.predictions import ClipPrediction
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.records.stages import StageStore, State
from slr_ray.training.prediction import predict_on
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.measuring import answers_on, measured
from slr_ray.workers.place import Place


@dataclass(frozen=True)
class Measured:
    """What one experiment gave with one seed."""

    record: MeasuredRecord
    checkpoint: State | None
    """What `load_recogniser` reads; None where nothing was trained."""
    predictions: list[ClipPrediction] | list[SentencePrediction]
    """On the test clips."""


def train_and_measure(
    prepared: Prepared,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnEpoch | None = None,
    *,
    last_model: bool = False,
) -> Measured:
    """All rounds, those that are stages already included; the test set is used once.

    The round's model that validated best is measured, or the last one, which needs no validation
    label.
    """
    run = prepare_seed(prepared, seed, stages, place, on_epoch)
    done = list(rounds(run))
    last_model = last_model or prepared.config.training.with_validation
    chosen = len(done) - 1 if last_model else best_round(run, done)
    trained = seed_record(run, done).model_copy(update={"best_round": chosen})
    state = done[chosen].model_state
    config, problem = prepared.config, run.problem
    model = with_weights(problem.new_recogniser(), state, place.device)
    checkpoint = checkpoint_content(prepared, state)
    if isinstance(model, SentenceModel):
        parts = (problem.split.validation, problem.split.test)
        said = [answers_on(problem, model, clips, config.training, place) for clips in parts]
        chosen_by = measured(problem, parts[0], said[0])
        record = sentence_record(problem, seed, chosen_by, said[1], trained)
        return Measured(record, checkpoint, sentence_answers(problem, said[1]))
    validation, test = (
        predict_on(problem, model, clips, config.training, place, num_views=num_views)
        for clips, num_views in (
            (problem.split.validation, 1),
            (problem.split.test, problem.test_time_views),
        )
    )
    # With rounds that another arm or the search had trained: what the method takes alone.
    training_s = sum(one.training_s for one in trained.rounds)
    return Measured(
        _record(problem, seed, validation, test, trained, training_s),
        checkpoint,
        answers(prepared.corpus, problem.split.test, test),
    )


def measure_neighbours(prepared: Prepared, seed: int) -> Measured:
    """The nearest labelled clip's gloss: the baseline that needs no training."""
    started = time.monotonic()
    problem = prepared.problem(seed)
    validation, test = (
        nearest_neighbour(problem, clips)
        for clips in (problem.split.validation, problem.split.test)
    )
    wall_s = time.monotonic() - started
    record = _record(problem, seed, validation, test, None, wall_s)
    return Measured(record, None, answers(prepared.corpus, problem.split.test, test))


def answers(
    corpus: Corpus,
    clips: Int[np.ndarray, " clips"],
    probabilities: Float[np.ndarray, "clips glosses"],
) -> list[ClipPrediction]:
    """What a model answered on labelled clips, in their order."""
    names, ids = corpus.glosses, corpus.clip_ids.take(clips).to_pylist()
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :5]
    return [
        ClipPrediction(
            clip_id=ids[row],
            signer=corpus.signer(int(clip)),
            gloss=names[gloss],
            top5=tuple(names[one] for one in best[row]),
            probability=float(probabilities[row, gloss]),
        )
        for row, (clip, gloss) in enumerate(zip(clips, corpus.gloss_index[clips], strict=True))
    ]


def _record(
    problem: Problem,
    seed: int,
    validation: np.ndarray,
    test: np.ndarray,
    trained: SeedRecord | None,
    training_s: float,
) -> MeasuredRecord:
    glosses = problem.glosses(problem.split.test)
    counts = confusion(test.argmax(axis=1), glosses, problem.num_glosses)
    f1: dict[str, Any] = dict(zip(problem.corpus.glosses, f1_scores(counts), strict=True))
    return MeasuredRecord(
        seed=seed,
        num_steps=sum(one.num_steps for one in trained.rounds) if trained else 0,
        training_s=training_s,
        validation=measure(validation, problem.glosses(problem.split.validation)),
        test=measure(test, glosses),
        f1_per_gloss={name: float(score) for name, score in f1.items() if not np.isnan(score)},
        confusion=counts.tolist(),
        trained=trained,
    )
