"""Cross-validation over people: every fold and seed a training and a result of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import cycle

import numpy as np
import torch
from rich.console import Console

from slr_ray.documents.markdown import to_markdown
from slr_ray.documents.terminal import terminal_table
from slr_ray.evaluation.people import POOLED_METRICS, spans
from slr_ray.evaluation.statistics import interval
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.records.claim import claim
from slr_ray.records.folds import FoldRecord, FoldsRecord, PooledMetric
from slr_ray.records.measured import Span
from slr_ray.records.run_folder import ResultFolder
from slr_ray.records.trained_folder import TrainedFolder
from slr_ray.sentences.people import counts_of
from slr_ray.single.folds_page import folds_document, folds_table, metrics_table
from slr_ray.single.on_workers import check_workers, train_on_workers
from slr_ray.single.train import SeedTraining, metrics_text, tell_before, tell_early_end
from slr_ray.storage import Store, absolute
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import GroupOptions

_OF_SENTENCES = ("wer", "frame_accuracy", "segment_f1_50", "boundary_f1_50")
"""Those in time are left out where no true times are known."""


def prepare_folds(config: Experiment, opener: Opener) -> list[Prepared]:
    """Every fold of an experiment with `split.kind: folds`, opened."""
    return [opener.prepare(config.in_fold(one)) for one in range(config.folds_split.num_folds)]


def run_folds(
    folds: Sequence[Prepared],
    seeds: Sequence[int],
    out: str,
    num_threads: int | None,
    console: Console,
    group: GroupOptions | None = None,
) -> FoldsRecord:
    """Train and measure every fold on every seed, then tell of all people together.

    Finished folds are not repeated; more seeds may be added later. The summary is folds.json and
    folds.md in `out`. With `group` on its workers, as many folds at a time as fit. Raises
    `ConfigError` where a fold can't be trained, or where the folder holds another experiment.
    """
    check_workers(folds, group)
    for prepared in folds:
        for seed in seeds:
            prepared.pool(seed)
    store = Store(absolute(out))
    store.check_writable()
    torch.set_num_threads(num_threads or os.cpu_count() or 1)
    folder = TrainedFolder(store)
    with store.held():
        facts = {
            "data": folds[0].fingerprint,
            # The paths in the configuration stand for what lies there.
            "initialisation": folds[0].initialisation_facts(),
            "split": [one.split.fingerprint for one in folds],
            "configuration": folds[0].config.model_dump(mode="json"),
        }
        claim(store, "train", "experiment", facts)
        trainings = [
            SeedTraining(store.location, prepared.config, seed, fold)
            for seed in seeds
            for fold, prepared in enumerate(folds)
        ]
        if group is not None:
            train_on_workers(trainings, folds[0], group, num_threads, store, console)
        for one, prepared in zip(trainings, cycle(folds), strict=False):
            tell_before(prepared, one.seed, console)
            one.train_opened(prepared, this_place(), console)
            measured = one.result.measured()
            tell_early_end(prepared, measured, console)
            console.print(f"fold {one.fold} test: {metrics_text(measured.test)}")
        record = summarise(folds, seeds, folder)
        written = folder.write_folds(record, to_markdown(folds_document(record)))
    for table in (folds_table(record), metrics_table(record)):
        console.print(terminal_table(table, len(table.rows)))
    console.print(f"summary: {written}", soft_wrap=True)
    return record


def summarise(
    folds: Sequence[Prepared], seeds: Sequence[int], folder: TrainedFolder
) -> FoldsRecord:
    """What all folds and seeds say together; every test clip counts once a seed."""
    corpus = folds[0].corpus
    results = [[folder.result(seed, number) for number in range(len(folds))] for seed in seeds]
    metrics = _together(results, folds[0].config.task == "continuous")
    tested = np.concatenate([one.split.test for one in folds])
    return FoldsRecord(
        corpus=corpus.name,
        fingerprint=folds[0].fingerprint,
        num_folds=len(folds),
        seeds=list(seeds),
        num_clips=len(tested),
        num_signers=len(corpus.signers_of(tested)),
        metrics=metrics,
        folds=[
            _fold_record(number, one, seeds, folder, metrics) for number, one in enumerate(folds)
        ],
    )


def _together(
    results: Sequence[Sequence[ResultFolder]], of_sentences: bool
) -> dict[str, PooledMetric]:
    """Shares of clips, or word errors and segments, of all folds of each seed."""
    counts = [counts_of(folds, of_sentences) for folds in results]
    over_signers, by_seed = spans(counts), [one.once() for one in counts]
    return {
        name: _pooled([one[name] for one in by_seed], over_signers.get(name))
        for name in (_OF_SENTENCES if of_sentences else POOLED_METRICS)
        if all(name in one for one in by_seed)
    }


def _pooled(by_seed: list[float], over_signers: Span | None) -> PooledMetric:
    return PooledMetric(by_seed=by_seed, over_seeds=interval(by_seed), over_signers=over_signers)


def _fold_record(
    number: int,
    prepared: Prepared,
    seeds: Sequence[int],
    folder: TrainedFolder,
    names: Iterable[str],
) -> FoldRecord:
    tests = [folder.result(seed, number).measured().test for seed in seeds]
    scores = {name: [getattr(one, name) for one in tests] for name in names}
    parts = prepared.split
    num_labelled = float(np.mean([len(prepared.pool(seed).labelled) for seed in seeds]))
    return FoldRecord(
        fold=number,
        signers=prepared.corpus.signers_of(parts.test),
        num_test_clips=len(parts.test),
        num_labelled=num_labelled,
        label_share=num_labelled / prepared.num_training_labels,
        num_validation=prepared.num_validation,
        test={name: float(np.mean(found)) for name, found in scores.items() if None not in found},
    )
