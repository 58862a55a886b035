"""Objectives x augmentations x seeds on Ray: pre-trained alike, evaluated alike."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from slr_ray.corpora.folds import FoldsSplitConfig
from slr_ray.corpora.split_checks import num_glosses, split_warnings
from slr_ray.documents.pages import write_document
from slr_ray.encoders.compared import Kind, compared
from slr_ray.encoders.compared_kinds import section_of_kind
from slr_ray.encoders.comparison_report import objectives_document, objectives_table
from slr_ray.encoders.objective_task import ObjectiveTask
from slr_ray.encoders.records import EncoderFolder
from slr_ray.errors import ConfigError
from slr_ray.experiment.data_summary import labels_text
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.pretraining import cancelled_flip, check_initialisation
from slr_ray.progress import ProgressBar
from slr_ray.records.claim import claim
from slr_ray.records.environment import environment
from slr_ray.records.run_folder import ray_files
from slr_ray.storage import Store, absolute
from slr_ray.training.problem import check_glosses
from slr_ray.workers.nodes import check_resources, connected
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions
from slr_ray.workers.session import prints_kept
from slr_ray.workers.task_pool import run_pool
from slr_ray.workers.waiting import NodeWatch

_FORMAT = 2
"""Of the records in a folder: those of another one can't be gone on with."""


@dataclass(frozen=True)
class ObjectiveComparison:
    """What is compared. `tree` is the experiment that all share."""

    tree: Mapping[str, Any]
    objectives: tuple[str, ...]
    augmentations: tuple[str, ...]
    seeds: tuple[int, ...]
    location: str
    every_fold: bool = False
    """Whether every fold of `split.kind: folds` is compared, so that everybody is tested once."""
    opener: Opener = field(default_factory=Opener)

    def experiment(self, objective: str, augmentation: str) -> Experiment:
        """The experiment of one objective and augmentation; `ConfigError` where it can't be."""
        given = self.tree.get("initialisation", {})
        if not isinstance(given, Mapping):
            raise ConfigError(f"initialisation: expected a section, got {given!r}")
        section = {
            "kind": "pretraining",
            **given,
            "objective": section_of_kind(given, "objective", objective, self.objectives),
            "augmentation": section_of_kind(
                given, "augmentation", augmentation, self.augmentations
            ),
        }
        tree = {**self.tree, "initialisation": section}
        return self.opener.build(tree, f"{objective} with {augmentation} augmentation")

    def tasks(self) -> list[ObjectiveTask]:
        """Seed by seed and fold by fold, so that an early look sees all kinds."""
        store = absolute(self.location)
        kinds = [
            self.experiment(objective, augmentation)
            for objective in self.objectives
            for augmentation in self.augmentations
        ]
        if not self.every_fold:
            return [ObjectiveTask(store, one, seed) for seed in self.seeds for one in kinds]
        split = kinds[0].split
        assert isinstance(split, FoldsSplitConfig)
        return [
            ObjectiveTask(store, one.model_copy(update={"split": own}), seed, own.fold)
            for seed in self.seeds
            for own in split.every()
            for one in kinds
        ]


def run_comparison(comparison: ObjectiveComparison, options: RunOptions) -> int:
    """Run what has no record yet, print the table, write the report; the exit status."""
    # Bound to the stream as it is now: what Ray prints later goes elsewhere.
    console = Console(file=sys.stdout)
    check_resources(options)
    tasks = comparison.tasks()
    prepared = [comparison.opener.prepare(task.config) for task in tasks]
    for one in prepared:
        check_initialisation(one)
    for note in sorted({cancelled_flip(one) or "" for one in prepared} - {""}):
        console.print(note)
    store = Store(absolute(comparison.location))
    store.check_writable()
    with store.held():
        return _compare(comparison, tasks, prepared, options, store, console)


def _compare(
    comparison: ObjectiveComparison,
    tasks: list[ObjectiveTask],
    prepared: list[Prepared],
    options: RunOptions,
    store: Store,
    console: Console,
) -> int:
    # One a fold: what differs between tasks of a fold is asked of none of these.
    folds = {task.fold: one for task, one in zip(tasks, prepared, strict=True)}
    first = prepared[0]
    facts = {
        "format": _FORMAT,
        "data": first.corpus.fingerprint,
        "split": [one.split.fingerprint for one in folds.values()],
        "settings": json.loads(json.dumps(comparison.tree)),
    }
    # More objectives, augmentations or seeds of it belong into the same folder.
    claim(store, "compare", "comparison", facts)
    problems = [one.problem(tasks[0].seed) for one in folds.values()]
    for problem in problems:
        check_glosses(problem)
    own, num_test = first.problem(tasks[0].seed), sum(len(one.split.test) for one in problems)
    labels = f"{labels_text(first, own.labelled)} labelled, {len(own.split.validation)} validation"
    by_fold = f" x {len(folds)} folds" if comparison.every_fold else ""
    console.print(
        f"{own.corpus.name}: {len(tasks)} encoders ({', '.join(comparison.objectives)} x "
        f"{', '.join(comparison.augmentations)} x {len(comparison.seeds)} seeds{by_fold}) on "
        f"{first.pretraining_clips.described()}; {labels}"
        f"{' (all of fold 0)' if by_fold else ''}, {num_test} test clips"
    )
    for fold, one in folds.items():
        where = "" if fold is None else f"fold {fold}: "
        for warning in split_warnings(own.corpus, one.split):
            console.print(f"warning: {where}{warning}", markup=False)
    failed = _run_all(tasks, options, store, console)
    kinds = compared(_results(tasks, folds), len(folds))
    if not kinds:
        console.print("nothing to compare: every kind lacks a pre-training that failed")
        return 1
    described: dict[str, str | int | float | None] = {
        "corpus": own.corpus.name,
        "clips learnt from": len(first.pretraining_clips),
        "labelled": labels_text(first, own.labelled),
        "validation clips": len(own.split.validation),
        "test clips, signers": f"{num_test}, {len(kinds[0].people['knn'][0].signers)}",
        "folds by signer": len(folds) if comparison.every_fold else None,
        "glosses in the test set": (
            f"{num_glosses(own.corpus, own.split.test)} of {own.num_glosses}"
        ),
        "encoder": f"{first.config.model.kind}: {first.config.model.model_dump(mode='json')}",
        "pre-training": str(first.pretraining.model_dump(exclude={"objective", "augmentation"})),
        "environment": str(environment()),
    }
    records = [record.model_dump() for one in kinds for record in one.records]
    store.write_json("records.json", records)
    console.print(objectives_table(kinds))
    for location in write_document(objectives_document(kinds, failed, described), store.location):
        console.print(f"report: {location}", soft_wrap=True)
    for name, reason in failed.items():
        console.print(f"[red]failed:[/red] {name}: {reason}")
    return 1 if failed else 0


def _results(
    tasks: list[ObjectiveTask], folds: Mapping[int | None, Prepared]
) -> Iterator[tuple[Kind, int, EncoderFolder]]:
    """Every encoder that is done, then what they are compared with: once a seed and fold."""
    done = [task for task in tasks if task.is_done()]
    for task in done:
        yield (task.objective, task.augmentation), task.seed, task.result
    # Baselines depend on no objective.
    places: dict[tuple[int, int | None], ObjectiveTask] = {}
    for task in done:
        places.setdefault((task.seed, task.fold), task)
    for task in places.values():
        for source, folder in task.baselines(folds[task.fold], this_place()).items():
            yield (source, ""), task.seed, folder


def _run_all(
    tasks: list[ObjectiveTask], options: RunOptions, store: Store, console: Console
) -> dict[str, str]:
    """Run tasks without a record, as many at once as fit; reasons of those that failed."""
    import ray

    workers = options.workers()
    done = sum(task.is_done() for task in tasks)
    with ProgressBar(console, "encoders", len(tasks), done=done) as bar:
        if done == len(tasks):
            return {}
        with connected(options, workers, {"--out": store.location}), prints_kept(store.join("ray")):
            fitting = workers.at_once(ray.cluster_resources())
            watch = NodeWatch(workers, lambda _, line: console.print(line), grows=False)
            return run_pool(
                [task for task in tasks if not task.is_done()],
                workers,
                max(1, int(workers.cpus)),
                ray_files(store),
                at_once=min(options.max_concurrent or fitting, fitting),
                on_end=lambda task, _: bar.advance(note=f"last {task.name}"),
                on_wait=watch.look,
            )
