"""Objectives x augmentations x seeds on Ray: pre-trained alike, evaluated alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from slr_ray.encoders.compared_kinds import section_of_kind
from slr_ray.encoders.comparison_report import objectives_document, objectives_table
from slr_ray.encoders.objective_task import BASELINES, ObjectiveTask
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import Experiment, experiment, open_corpus, open_split, problem
from slr_ray.experiment.pretraining_clips import pretraining_section
from slr_ray.methods.pretraining import (
    cancelled_flip,
    check_initialisation,
    pretraining_task,
)
from slr_ray.progress import ProgressBar
from slr_ray.records.claim import refuse_others_results
from slr_ray.records.environment import environment
from slr_ray.records.typed import ObjectiveRecord
from slr_ray.reporting.report import write_document
from slr_ray.storage import Store, absolute
from slr_ray.training.problem import check_glosses
from slr_ray.workers.execution import next_ended
from slr_ray.workers.nodes import check_resources, connected
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions


@dataclass(frozen=True)
class Comparison:
    """What is compared. `tree` is the experiment that all share."""

    tree: Mapping[str, Any]
    objectives: tuple[str, ...]
    augmentations: tuple[str, ...]
    seeds: tuple[int, ...]
    location: str

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
        return experiment(tree, f"{objective} with {augmentation} augmentation")

    def tasks(self) -> list[ObjectiveTask]:
        """Seed by seed, so that an early look sees all kinds."""
        store = absolute(self.location)
        return [
            ObjectiveTask(store, self.experiment(objective, augmentation), seed)
            for seed in self.seeds
            for objective in self.objectives
            for augmentation in self.augmentations
        ]


def run_comparison(comparison: Comparison, options: RunOptions) -> int:
    """Run what has no record yet, print the table, write the report; the exit status."""
    console = Console()
    check_resources(options)
    tasks = comparison.tasks()
    for task in tasks:
        check_initialisation(task.config)
    store = Store(absolute(comparison.location))
    refuse_others_results(store, "compare")
    store.check_writable()
    with store.held():
        return _compare(comparison, tasks, options, store, console)


def _compare(
    comparison: Comparison,
    tasks: list[ObjectiveTask],
    options: RunOptions,
    store: Store,
    console: Console,
) -> int:
    first = tasks[0]
    _refuse_other(store, comparison, first.config)
    own = problem(first.config, first.seed)
    check_glosses(own)
    task = pretraining_task(first.config, first.seed)
    console.print(
        f"{own.corpus.name}: {len(tasks)} encoders ({', '.join(comparison.objectives)} x "
        f"{', '.join(comparison.augmentations)} x {len(comparison.seeds)} seeds) on "
        f"{task.clips.described()}; {len(own.labelled)} labelled, {len(own.split.validation)} "
        f"validation, {len(own.split.test)} test clips"
    )
    for note in sorted({cancelled_flip(one.config) or "" for one in tasks} - {""}):
        console.print(note)
    failed = _run_all(tasks, options, console)
    records = [task.record() for task in tasks if task.is_done()]
    if not records:
        console.print("nothing to compare: every pre-training failed")
        return 1
    records += _baselines(tasks, store)
    section = pretraining_section(first.config)
    facts: dict[str, str | int | float | None] = {
        "corpus": own.corpus.name,
        "clips learnt from": len(task.clips),
        "labelled / validation / test clips": (
            f"{len(own.labelled)} / {len(own.split.validation)} / {len(own.split.test)}"
        ),
        "encoder": f"{first.config.model.kind}: {first.config.model.model_dump(mode='json')}",
        "pre-training": str(section.model_dump(exclude={"objective", "augmentation"})),
        "environment": str(environment()),
    }
    store.write_json("records.json", [one.model_dump() for one in records])
    console.print(objectives_table(records))
    for location in write_document(objectives_document(records, failed, facts), store.location):
        console.print(f"report: {location}", soft_wrap=True)
    for name, reason in failed.items():
        console.print(f"[red]failed:[/red] {name}: {reason}")
    return 1 if failed else 0


def _refuse_other(store: Store, comparison: Comparison, config: Experiment) -> None:
    """A folder holds one comparison, more objectives, augmentations or seeds of it included."""
    own = {
        "fingerprint": open_corpus(config.data).fingerprint,
        "split": open_split(config.data, config.split).fingerprint,
        "tree": json.loads(json.dumps(comparison.tree)),
    }
    if not store.exists("comparison.json"):
        store.write_json("comparison.json", own)
    elif store.read_json("comparison.json") != own:
        raise ConfigError(f"{store.location} holds another comparison; choose another --out")


def _baselines(tasks: list[ObjectiveTask], store: Store) -> list[ObjectiveRecord]:
    place = this_place()
    seen: set[int] = set()
    for task in tasks:
        if task.is_done() and task.seed not in seen:
            seen.add(task.seed)
            task.baselines(place)
    return [
        ObjectiveRecord.model_validate_json(store.read_bytes(f"baselines/{source}/{seed}.json"))
        for source in BASELINES
        for seed in sorted(seen)
    ]


def _run_all(tasks: list[ObjectiveTask], options: RunOptions, console: Console) -> dict[str, str]:
    """Run tasks without a record, as many at once as fit; reasons of those that failed."""
    import ray

    workers = options.workers()
    waiting = [task for task in tasks if not task.is_done()]
    failed: dict[str, str] = {}
    done = len(tasks) - len(waiting)
    with ProgressBar(console, "encoders", len(tasks), done=done) as bar:
        if not waiting:
            return failed
        with connected(options, workers):
            remote = ray.remote(_run_task).options(
                num_cpus=workers.cpus, num_gpus=workers.gpus, max_retries=2
            )
            at_once = workers.at_once(ray.cluster_resources())
            limit = min(options.max_concurrent or at_once, at_once)
            running: dict[Any, ObjectiveTask] = {}
            while waiting or running:
                while waiting and len(running) < limit:
                    task = waiting.pop(0)
                    running[remote.remote(task, max(1, int(workers.cpus)))] = task
                task, reason = next_ended(running)
                if reason is not None:
                    failed[task.folder] = reason
                bar.advance(note=f"last {task.folder}")
    return failed


def _run_task(task: ObjectiveTask, num_threads: int) -> None:
    import torch

    torch.set_num_threads(num_threads)
    task.run(this_place())
