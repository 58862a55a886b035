"""Objectives x augmentations x seeds on Ray: pre-trained alike, evaluated alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from slr_ray.errors import ConfigError
from slr_ray.methods.encoder import Encoder, load_encoder
from slr_ray.methods.encoder_evaluation import Source, check_glosses, classify, geometry, represent
from slr_ray.methods.experiment import Experiment, experiment, open_corpus, problem
from slr_ray.methods.pretraining import (
    check_initialisation,
    pretrained_encoder,
    pretraining_key,
    pretraining_task,
    save_encoder,
)
from slr_ray.methods.pretraining_clips import pretraining_section
from slr_ray.progress import ProgressBar
from slr_ray.records import ObjectiveRecord
from slr_ray.reporting.objectives import objectives_document, objectives_table
from slr_ray.reporting.report import write_document
from slr_ray.search.cluster import check_resources, connected
from slr_ray.search.compared_kinds import section_of_kind
from slr_ray.search.environment import environment
from slr_ray.search.execution import next_ended
from slr_ray.search.result_folder import refuse_others_results
from slr_ray.search.run_options import RunOptions
from slr_ray.storage import Store, absolute
from slr_ray.training.devices import Place, this_place
from slr_ray.training.pretraining_plan import plan
from slr_ray.training.stages import StageStore

_BASELINES: tuple[Source, ...] = ("fresh", "poses")


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


@dataclass(frozen=True)
class ObjectiveTask:
    """One encoder: pre-trained as a stage, evaluated, recorded. Plain data, sent to a process."""

    location: str
    config: Experiment
    seed: int

    @property
    def objective(self) -> str:
        return pretraining_section(self.config).objective.kind

    @property
    def augmentation(self) -> str:
        return pretraining_section(self.config).augmentation.kind

    @property
    def folder(self) -> str:
        return f"encoders/{self.objective}-{self.augmentation}/{self.seed}"

    def is_done(self) -> bool:
        """Whether the record is there; the test set is not touched again then."""
        return Store(self.location).exists(f"{self.folder}/record.json")

    def record(self) -> ObjectiveRecord:
        content = Store(self.location).read_bytes(f"{self.folder}/record.json")
        return ObjectiveRecord.model_validate_json(content)

    def run(self, place: Place) -> None:
        """Pre-train, write the encoder, evaluate it once on the test set."""
        store = Store(self.location)
        stages = StageStore(store.join("stages"))
        trained = pretrained_encoder(self.config, self.seed, stages, place)
        save_encoder(self.config, self.seed, trained, store, f"{self.folder}/encoder.pt")
        encoder = load_encoder(f"{self.location.rstrip('/')}/{self.folder}/encoder.pt")
        task = pretraining_task(self.config, self.seed)
        batch_size = plan(task.config, len(task.clips), place.world_size).batch_size
        record = measured(self.config, self.seed, "encoder", encoder, place).model_copy(
            update={
                "objective": self.objective,
                "augmentation": self.augmentation,
                "embedding_std": trained.epochs[-1].embedding_std,
                "num_steps": trained.num_steps,
                "clips_per_s": trained.num_steps * batch_size / trained.training_s,
                "training_s": trained.training_s,
            }
        )
        store.write_bytes(f"{self.folder}/record.json", record.model_dump_json(indent=1).encode())
        # The encoder file has all that the stage had.
        stages.store.delete(f"{pretraining_key(self.config, self.seed)}.pt")

    def baselines(self, place: Place) -> None:
        """The same evaluation of a fresh encoder and of no encoder, once a seed."""
        store = Store(self.location)
        encoder = load_encoder(f"{self.location.rstrip('/')}/{self.folder}/encoder.pt")
        for source in _BASELINES:
            name = f"baselines/{source}/{self.seed}.json"
            if not store.exists(name):
                record = measured(self.config, self.seed, source, encoder, place)
                store.write_bytes(name, record.model_dump_json(indent=1).encode())


def measured(
    config: Experiment, seed: int, source: Source, encoder: Encoder, place: Place
) -> ObjectiveRecord:
    """Linear evaluation, k-NN and geometry of one source; the test set is used once for each."""
    own = problem(config, seed)
    clips = represent(source, encoder, own, seed, place)
    knn = classify("knn", clips, own.num_glosses, seed)
    linear = None if source == "poses" else classify("linear", clips, own.num_glosses, seed)
    lie = geometry(clips)
    return ObjectiveRecord(
        objective=source,
        augmentation="",
        seed=seed,
        linear=None if linear is None else linear.test,
        knn=knn.test,
        validation=(linear or knn).validation,
        inertia_share=lie.inertia_share,
        effective_rank=lie.effective_rank,
        embedding_std=None,
        num_steps=0,
        clips_per_s=None,
        training_s=0.0,
    )


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
        for source in _BASELINES
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
