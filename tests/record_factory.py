"""Believable records of a run, made through the record classes, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml

from slr_ray.config import as_tree, merge
from slr_ray.records.audits.audit import Audit
from slr_ray.records.measured import EpochRecord, Metrics, RoundRecord, SeedRecord
from slr_ray.records.runs import ArmRecord, RunRecord, TrialRecord
from slr_ray.search.comparison.arms import described_arms
from slr_ray.storage import Store

GLOSSES = ("hello", "thanks", "iloveyou", "yes", "no", "please", "sorry", "help", "eat", "goodbye")
NUM_CLIPS = 120
STEPS = {
    "fsl": 400,
    "fsl_equal_steps": 1600,
    "sslr_default": 1600,
    "sslr_best": 1600,
    "sslr_last": 1600,
    "nearest_neighbour": 0,
}


def metrics(accuracy: float) -> Metrics:
    return Metrics(
        num_clips=NUM_CLIPS,
        loss=float(-np.log(max(accuracy, 0.01))),
        accuracy=accuracy,
        top5_accuracy=min(1.0, accuracy + 0.2),
        balanced_accuracy=max(0.0, accuracy - 0.02),
        macro_f1=max(0.0, accuracy - 0.03),
        calibration_error=0.08,
    )


def audit(round_: int, glosses: tuple[str, ...], rng: np.random.Generator) -> Audit:
    counts = (400 * np.linspace(0.05, 1, 20) ** 2).astype(int)
    selected = np.where(np.arange(20) >= 16 - round_, counts, 0)
    num_selected = int(selected.sum())
    shares = rng.dirichlet(np.full(len(glosses), 3.0))
    return Audit(
        num_unlabelled=int(counts.sum()),
        num_selected=num_selected,
        num_added=num_selected // (round_ + 1),
        num_changed=3 * (round_ - 1),
        selected_per_gloss={
            gloss: int(share * num_selected) for gloss, share in zip(glosses, shares, strict=True)
        },
        confidence_counts=counts.tolist(),
        selected_confidence_counts=selected.tolist(),
        precision=0.93 - 0.03 * round_,
        pool_accuracy=0.60 + 0.03 * round_,
        precision_per_gloss={gloss: float(rng.uniform(0.6, 1)) for gloss in glosses},
        calibration_error=0.07,
    )


def seed_record(
    seed: int,
    accuracy: float,
    num_rounds: int,
    glosses: tuple[str, ...] = GLOSSES,
    num_epochs: int = 12,
    reused: bool = False,
    round_steps: int = 400,
) -> SeedRecord:
    """Validation accuracy climbs over the rounds and ends at `accuracy`."""
    rng = np.random.default_rng(seed)
    rounds, epochs = [], []
    for round_ in range(num_rounds):
        reached = accuracy - 0.12 * (1 - (round_ + 1) / num_rounds)
        rounds.append(
            RoundRecord(
                round=round_,
                num_true_labels=60,
                num_pseudo_labels=0 if round_ == 0 else 400 * round_,
                num_steps=round_steps,
                training_s=20.0,
                reused=reused and round_ == 0,
                validation=metrics(reached),
                audit=None if round_ == 0 else audit(round_, glosses, rng),
            )
        )
        for epoch in range(num_epochs):
            share = 1 - np.exp(-4 * (epoch + 1) / num_epochs)
            at = 0.1 + (reached - 0.1) * share if round_ == 0 else reached - 0.03 * (1 - share)
            epochs.append(
                EpochRecord(
                    round=round_,
                    epoch=epoch,
                    num_steps=round_steps * round_ + round_steps * (epoch + 1) // num_epochs,
                    training_loss=float(2.3 * (1 - share) + 0.2 + rng.uniform(0, 0.05)),
                    learning_rate=0.001,
                    validation=metrics(float(at + rng.normal(0, 0.005))),
                )
            )
    return SeedRecord(
        seed=seed,
        num_labelled=60,
        num_unlabelled=2800,
        stopped_because="all rounds done",
        best_round=num_rounds - 1,
        rounds=rounds,
        epochs=epochs,
    )


def arm_record(
    arm: Any, seed: int, accuracy: float, glosses: tuple[str, ...] = GLOSSES
) -> ArmRecord:
    rng = np.random.default_rng([seed, len(arm)])
    confusion = []
    for gloss in range(len(glosses)):
        wrong = rng.dirichlet(np.full(len(glosses), 0.1)) * (1 - accuracy)
        wrong[gloss] += accuracy
        confusion.append(rng.multinomial(NUM_CLIPS // 10, wrong / wrong.sum()).tolist())
    learns = arm != "nearest_neighbour"
    num_rounds = 4 if arm.startswith("sslr") else 1
    return ArmRecord(
        arm=arm,
        seed=seed,
        num_steps=STEPS[arm],
        training_s=0.05 * STEPS[arm],
        validation=metrics(accuracy + 0.02),
        test=metrics(accuracy),
        f1_per_gloss={
            gloss: float(np.clip(accuracy + rng.normal(0, 0.12), 0, 1)) for gloss in glosses
        },
        confusion=confusion,
        trained=seed_record(
            seed, accuracy + 0.02, num_rounds, glosses, round_steps=STEPS[arm] // num_rounds
        )
        if learns
        else None,
    )


def trial_record(number: int, status: Any = "complete", **changes: Any) -> TrialRecord:
    """A trial whose value depends on its confidence threshold and, less, its learning rate."""
    rng = np.random.default_rng(number)
    rate = float(10 ** rng.uniform(-4, -2))
    params: dict[str, Any] = {"training.learning_rate": rate}
    kind = str(rng.choice(["threshold", "top_per_gloss"]))
    params["method.selection.kind"] = kind
    if kind == "threshold":
        params["method.selection.confidence"] = float(rng.uniform(0.5, 0.99))
    else:
        params["method.selection.num_clips"] = int(rng.integers(1, 33))
    params["method.num_rounds"] = int(rng.integers(1, 9))
    value = 0.72 - 0.5 * (params.get("method.selection.confidence", 0.7) - 0.8) ** 2
    value += 0.02 * np.log10(rate / 0.001) + rng.normal(0, 0.01)
    failed = status == "failed"
    fields: dict[str, Any] = {
        "number": number,
        "status": status,
        "params": params,
        "value": None if failed else float(value),
        "seeds": [] if failed else [seed_record(0, float(value), 3, num_epochs=2, reused=True)],
        "error": "Traceback ...\nRuntimeError: loss is not finite in round 2" if failed else None,
        "wall_s": 70.0,
        "training_s": 60.0,
        "source": "start_from" if number == 0 else "searched",
    }
    return TrialRecord(**{**fields, **changes})


def in_folds(trial: TrialRecord, num_folds: int) -> TrialRecord:
    """The same, having reached in each fold what it reached."""
    (seed,) = trial.seeds
    seeds = [seed.model_copy(update={"fold": fold}) for fold in range(num_folds)]
    return trial.model_copy(update={"seeds": seeds})


def run_record(**changes: Any) -> RunRecord:
    fields: dict[str, Any] = {
        "name": "sslr_thresholds",
        "created": "2026-03-02T10:15:00+00:00",
        "command": ["python", "-m", "slr_ray.tune", "--space", "sslr_thresholds"],
        "base_config": {"method": {"kind": "sslr"}},
        "space": {
            "method": {
                "selection": {
                    "choose": [
                        {"kind": "threshold", "confidence": {"uniform": [0.5, 0.99]}},
                        {"kind": "top_per_gloss", "num_clips": {"int": [1, 32]}},
                    ]
                },
                "num_rounds": {"int": [1, 8]},
            },
            "training": {"learning_rate": {"log_uniform": [0.0001, 0.01]}},
        },
        "metric": "accuracy",
        "num_trials": 24,
        "search_seeds": [0],
        "final_seeds": [0, 1, 2, 3, 4],
        "arms": [one.model_dump() for one in described_arms()],
        "glosses": list(GLOSSES),
        "corpus": "wild12",
        "fingerprint": "sha256:5f3c9a1b",
        "provenance": [{"extractor": "mediapipe", "version": "1.2.2", "shards": 4}],
        "num_skipped_clips": 17,
        "split": {
            "kind": "by_signer",
            "training": {"num_clips": 2860, "signers": [f"s{index:03d}" for index in range(30)]},
            "validation": {"num_clips": 240, "signers": ["s030", "s031", "s032"]},
            "test": {"num_clips": 120, "signers": ["s033", "s034", "s035"]},
            "labelled_per_seed": {
                str(seed): {"num_clips": 60, "signers": ["s001", "s002"], "missing_glosses": []}
                for seed in range(5)
            },
        },
        "environment": {
            "python": "3.11.9",
            "platform": "Linux x86_64",
            "cpu": "16 cores",
            "gpu": None,
            "packages": {"torch": "2.13.0", "ray": "2.60.0"},
            "commit": "3f40f25",
        },
        "finished": "2026-03-02T11:02:00+00:00",
        "wall_s": 2820.0,
    }
    return RunRecord(**{**fields, **changes})


def write_run(
    location: str,
    accuracies: Mapping[str, list[float]],
    trials: list[TrialRecord] | None = None,
    **changes: Any,
) -> None:
    """Write a run whose arms reach `accuracies`, one value a seed, counted from seed 0."""
    record = run_record(**changes)
    store = Store(location)
    glosses = tuple(record.glosses)
    if trials is None:
        trials = [trial_record(number) for number in range(22)]
        trials += [trial_record(22, "failed"), trial_record(23, "pruned")]
    for trial in trials:
        store.write_json(f"trials/{trial.number:04d}/record.json", trial.model_dump())
        tree = merge(record.base_config, as_tree(trial.params))
        store.write_bytes(f"trials/{trial.number:04d}/config.yaml", yaml.safe_dump(tree).encode())
    for arm, values in accuracies.items():
        for seed, accuracy in enumerate(values):
            made = arm_record(arm, seed, accuracy, glosses)
            store.write_json(f"final/{arm}/{seed}/record.json", made.model_dump())
    store.write_json("run.json", record.model_dump())


WIN = {
    "fsl": [0.52, 0.55, 0.50, 0.56, 0.53],
    "fsl_equal_steps": [0.57, 0.58, 0.56, 0.60, 0.56],
    "sslr_default": [0.60, 0.62, 0.57, 0.64, 0.61],
    "sslr_best": [0.68, 0.70, 0.66, 0.72, 0.69],
    "sslr_last": [0.67, 0.69, 0.66, 0.70, 0.68],
    "nearest_neighbour": [0.42, 0.41, 0.44, 0.40, 0.43],
}
LOSS = {**WIN, "sslr_best": [0.48, 0.49, 0.45, 0.50, 0.48], "sslr_default": WIN["fsl"]}
TIE = {**WIN, "sslr_best": [0.60, 0.54, 0.58, 0.57, 0.59]}
