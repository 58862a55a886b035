"""One experiment outside a search, in this process and without Ray."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from slr_ray.errors import ConfigError
from slr_ray.experiment.data_summary import pool_text, print_warnings
from slr_ray.experiment.encoder_file import cached_encoder, seen_warning
from slr_ray.experiment.experiment import Experiment, problem
from slr_ray.experiment.initialisation import EncoderFile
from slr_ray.experiment.pretraining_clips import pretraining_clips
from slr_ray.methods.pretraining import check_initialisation
from slr_ray.progress import ProgressBar
from slr_ray.records.claim import refuse_others_results
from slr_ray.records.typed import ArmRecord, EpochRecord, Metrics
from slr_ray.search.arms import Arm, ArmTask, arm_folder
from slr_ray.search.job import Job
from slr_ray.storage import absolute
from slr_ray.training.pretraining_config import PretrainingConfig
from slr_ray.workers.place import this_place


def run_single(config: Experiment, seed: int, out: Path, num_threads: int | None) -> ArmRecord:
    """Train and evaluate `config` on one seed, results in `out`; finished work is not repeated."""
    check_initialisation(config)
    threads = num_threads or os.cpu_count() or 1
    job = Job(absolute(str(out)), config.training.metric, (seed,), threads)
    refuse_others_results(job.store, "train")
    job.store.check_writable()
    torch.set_num_threads(job.num_threads)
    with job.store.held():
        return _run(config, seed, out, job)


def _run(config: Experiment, seed: int, out: Path, job: Job) -> ArmRecord:
    own = problem(config, seed)
    console = Console()
    console.print(
        f"{own.corpus.name}: {pool_text(config, seed)}, "
        f"{len(own.split.validation)} validation, {len(own.split.test)} test clips"
    )
    print_warnings(config, seed, console)
    source = config.initialisation
    if isinstance(source, PretrainingConfig):
        console.print(f"pre-training on {pretraining_clips(config).described()}")
    if isinstance(source, EncoderFile):
        measured = np.concatenate([own.split.validation, own.split.test])
        warning = seen_warning(cached_encoder(source.path), own.corpus, measured)
        if warning is not None:
            console.print(f"warning: {warning}", markup=False)
    tree = config.model_dump(mode="json")
    _refuse_other(
        job,
        {
            "data": own.corpus.fingerprint,
            "split": own.split.fingerprint,
            "configuration": tree,
        },
    )
    arm: Arm = "fsl" if config.method.kind == "supervised" else "sslr_best"
    task = ArmTask(job, arm, seed, tree)
    rounds = config.rounds
    epochs = config.training.num_epochs + rounds.num_rounds * (
        rounds.num_epochs or config.training.num_epochs
    )
    with ProgressBar(console, "training", epochs) as bar:

        def on_epoch(record: EpochRecord) -> None:
            every = config.training.evaluate_every_epochs
            bar.advance(
                every,
                f"round {record.round} epoch {record.epoch} validation "
                f"{getattr(record.validation, job.metric):.3f}",
            )

        task.run(this_place(), _ignore, on_epoch)
        bar.end()
    content = job.store.read_bytes(f"{arm_folder(arm, seed)}/record.json")
    record = ArmRecord.model_validate_json(content)
    if record.trained is not None:
        for one in record.trained.rounds:
            pseudo = f", {one.num_pseudo_labels} pseudo-labels" if one.round else ""
            console.print(f"round {one.round}{pseudo}: validation {_text(one.validation)}")
        console.print(f"chosen: round {record.trained.best_round}")
    console.print(f"test: {_text(record.test)}")
    console.print(f"checkpoint: {out / arm_folder(arm, seed) / 'checkpoint.pt'}", soft_wrap=True)
    return record


def _refuse_other(job: Job, facts: dict[str, Any]) -> None:
    """A folder holds one experiment: its finished result must not answer for another one."""
    if not job.store.exists("experiment.json"):
        job.store.write_json("experiment.json", facts)
        return
    held = job.store.read_json("experiment.json")
    changed = [name for name, value in facts.items() if held.get(name) != value]
    if changed:
        raise ConfigError(
            f"{job.location} holds another experiment (other {', '.join(changed)}); "
            "choose another --out"
        )


def _text(metrics: Metrics) -> str:
    return (
        f"accuracy {metrics.accuracy:.3f}, balanced accuracy {metrics.balanced_accuracy:.3f}, "
        f"macro-F1 {metrics.macro_f1:.3f}"
    )


def _ignore(metrics: dict[str, Any]) -> None:
    """Progress comes through the epochs."""
