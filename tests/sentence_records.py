"""Believable records of trainings on sentences, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from record_factory import run_record, trial_record

from slr_ray.records.measured import EpochRecord, RoundRecord, SeedRecord, SentenceMetrics
from slr_ray.records.run_folder import ResultFolder
from slr_ray.records.runs import ArmRecord
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.sentences.word_errors import WordErrors, errors_in, paired
from slr_ray.storage import Store

SIGNED = ("abc", "bc", "cabd", "ad", "bdcab", "dda")


def said(true: str, share: float, rng: np.random.Generator) -> str:
    """Each gloss right with a probability of `share`, else another one, none, or one more."""
    kept = [
        gloss if rng.random() < share else str(rng.choice(["x", "", f"{gloss}y"])) for gloss in true
    ]
    return "".join(kept)


def prediction(
    clip_id: str, true: str, found: str, *, signer: str | None = "ann", timed: bool = True
) -> SentencePrediction:
    """Of which each letter is a gloss of ten frames."""
    starts = tuple(10 * place for place in range(len(true)))
    own = tuple(10 * place for place in range(len(found)))
    return SentencePrediction(
        clip_id=clip_id,
        signer=signer,
        num_frames=10 * max(len(true), len(found)) + 5,
        glosses=tuple(true),
        starts=starts if timed else None,
        ends=tuple(one + 8 for one in starts) if timed else None,
        predicted=tuple(found),
        predicted_starts=own,
        predicted_ends=tuple(one + 10 for one in own),
        spikes=tuple(one + 4 for one in own),
    )


def answers(share: float, seed: int = 0) -> list[SentencePrediction]:
    """Of five signers, who sign the same sentences."""
    rng = np.random.default_rng(seed)
    return [
        prediction(f"{signer}-{true}", true, said(true, share, rng), signer=signer)
        for signer in ("ann", "ben", "cem", "dan", "eva")
        for true in SIGNED
    ]


def metrics(given: Sequence[SentencePrediction]) -> SentenceMetrics:
    errors = WordErrors.together(errors_in(paired(one.glosses, one.predicted)) for one in given)
    return SentenceMetrics(
        num_clips=len(given),
        num_glosses=errors.num_glosses,
        loss=2.5,
        gloss_accuracy=errors.gloss_accuracy,
        wer=errors.rate,
        substitutions=errors.substitutions,
        deletions=errors.deletions,
        insertions=errors.insertions,
        non_blank_share=0.2,
        frame_accuracy=0.6,
        segment_f1_10=0.7,
        segment_f1_25=0.5,
        segment_f1_50=0.3,
        boundary_f1_10=0.8,
        boundary_f1_25=0.65,
        boundary_f1_50=0.35,
    )


def seed_record(seed: int, share: float) -> SeedRecord:
    """Validation climbs to `share` over four epochs."""
    epochs = [
        EpochRecord(
            round=0,
            epoch=epoch,
            num_steps=20 * (epoch + 1),
            training_loss=10.0 - epoch,
            learning_rate=0.001,
            validation=metrics(answers(share * (epoch + 1) / 4, seed)),
        )
        for epoch in range(4)
    ]
    round_ = RoundRecord(
        round=0,
        num_true_labels=40,
        num_pseudo_labels=0,
        num_steps=80,
        training_s=20.0,
        reused=False,
        validation=epochs[-1].validation,
        audit=None,
    )
    return SeedRecord(
        seed=seed,
        num_labelled=40,
        num_unlabelled=0,
        stopped_because="all rounds done",
        best_round=0,
        rounds=[round_],
        epochs=epochs,
    )


def arm_record(arm: str, seed: int, share: float, given: list[SentencePrediction]) -> ArmRecord:
    trained = seed_record(seed, share)
    return ArmRecord(
        arm=arm,
        seed=seed,
        num_steps=80,
        training_s=20.0,
        validation=trained.rounds[0].validation,
        test=metrics(given),
        f1_per_gloss={},
        confusion=[],
        trained=trained,
    )


def write_run(location: str, shares: dict[str, list[float]], **changes: Any) -> None:
    """A run on sentences; `shares` are right glosses of each arm, one value a seed."""
    store = Store(location)
    for number in range(12):
        seeds = [seed_record(0, 0.5 + 0.03 * number)]
        value = seeds[0].rounds[0].validation
        assert isinstance(value, SentenceMetrics)
        trial = trial_record(number, seeds=seeds, value=value.gloss_accuracy)
        store.write_json(f"trials/{number:04d}/record.json", trial.model_dump())
    for arm, values in shares.items():
        for seed, share in enumerate(values):
            folder = ResultFolder(store.join(f"final/{arm}/{seed}"))
            given = answers(share, seed)
            folder.write_predictions(given)
            folder.write_record(arm_record(arm, seed, share, given))
    fields = {"metric": "gloss_accuracy", "glosses": list("abcd"), "final_seeds": [0, 1, 2]}
    store.write_json("run.json", run_record(**{**fields, **changes}).model_dump())
