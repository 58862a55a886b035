"""Objectives x augmentations x seeds on Ray: pre-trained alike, evaluated alike."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from slr_ray.corpora.split_checks import num_glosses, split_warnings
from slr_ray.encoders.compared_kinds import section_of_kind
from slr_ray.encoders.comparison_report import objectives_document, objectives_table
from slr_ray.encoders.objective_task import ObjectiveTask
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.pretraining import cancelled_flip, check_initialisation
from slr_ray.progress import ProgressBar
from slr_ray.records.claim import claim
from slr_ray.records.environment import environment
from slr_ray.reporting.report import write_document
from slr_ray.storage import Store, absolute
from slr_ray.training.problem import check_glosses
from slr_ray.workers.nodes import check_resources, connected
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions
from slr_ray.workers.session import prints_kept
from slr_ray.workers.task_pool import run_pool


@dataclass(frozen=True)
class ObjectiveComparison:
    """What is compared. `tree` is the experiment that all share."""

    tree: Mapping[str, Any]
    objectives: tuple[str, ...]
    augmentations: tuple[str, ...]
    seeds: tuple[int, ...]
    location: str
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
        """Seed by seed, so that an early look sees all kinds."""
        store = absolute(self.location)
        return [
            ObjectiveTask(store, self.experiment(objective, augmentation), seed)
            for seed in self.seeds
            for objective in self.objectives
            for augmentation in self.augmentations
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
        return _compare(comparison, tasks, options, store, console)


def _compare(
    comparison: ObjectiveComparison,
    tasks: list[ObjectiveTask],
    options: RunOptions,
    store: Store,
    console: Console,
) -> int:
    first = comparison.opener.prepare(tasks[0].config)
    facts = {
        "data": first.corpus.fingerprint,
        "split": first.split.fingerprint,
        "settings": json.loads(json.dumps(comparison.tree)),
    }
    # More objectives, augmentations or seeds of it belong into the same folder.
    claim(store, "compare", "comparison", facts)
    own = first.problem(tasks[0].seed)
    check_glosses(own)
    console.print(
        f"{own.corpus.name}: {len(tasks)} encoders ({', '.join(comparison.objectives)} x "
        f"{', '.join(comparison.augmentations)} x {len(comparison.seeds)} seeds) on "
        f"{first.pretraining_clips.described()}; {len(own.labelled)} labelled, "
        f"{len(own.split.validation)} validation, {len(own.split.test)} test clips"
    )
    for warning in split_warnings(own.corpus, own.split):
        console.print(f"warning: {warning}", markup=False)
    failed = _run_all(tasks, options, store, console)
    records = [task.record() for task in tasks if task.is_done()]
    if not records:
        console.print("nothing to compare: every pre-training failed")
        return 1
    # Once a seed: they depend on no objective.
    of_seed = {task.seed: task for task in reversed(tasks) if task.is_done()}
    baselines = [of_seed[seed].baselines(first, this_place()) for seed in sorted(of_seed)]
    records += [one for of_source in zip(*baselines, strict=True) for one in of_source]
    described: dict[str, str | int | float | None] = {
        "corpus": own.corpus.name,
        "clips learnt from": len(first.pretraining_clips),
        "labelled / validation / test clips": (
            f"{len(own.labelled)} / {len(own.split.validation)} / {len(own.split.test)}"
        ),
        "glosses in the test set": (
            f"{num_glosses(own.corpus, own.split.test)} of {own.num_glosses}"
        ),
        "encoder": f"{first.config.model.kind}: {first.config.model.model_dump(mode='json')}",
        "pre-training": str(first.pretraining.model_dump(exclude={"objective", "augmentation"})),
        "environment": str(environment()),
    }
    store.write_json("records.json", [one.model_dump() for one in records])
    console.print(objectives_table(records))
    for location in write_document(objectives_document(records, failed, described), store.location):
        console.print(f"report: {location}", soft_wrap=True)
    for name, reason in failed.items():
        console.print(f"[red]failed:[/red] {name}: {reason}")
    return 1 if failed else 0


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
            return run_pool(
                [task for task in tasks if not task.is_done()],
                workers,
                max(1, int(workers.cpus)),
                store.join("ray"),
                at_once=min(options.max_concurrent or fitting, fitting),
                on_end=lambda task, _: bar.advance(note=f"last {task.name}"),
            )
