"""A whole run: check, search, compare on the test set, report."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field
from rich.console import Console

from slr_ray.config import Config, merge
from slr_ray.errors import ConfigError, RunFailed, UserError
from slr_ray.methods.experiment import Experiment, draw, experiment, open_corpus, open_split
from slr_ray.records import RunRecord, TrialRecord
from slr_ray.search.arms import Arm, copy_best_checkpoint
from slr_ray.search.environment import environment
from slr_ray.search.execution import Workers
from slr_ray.search.job import Job, trial_folder
from slr_ray.search.space import Tree
from slr_ray.search.space_file import Space, check_space, resolved
from slr_ray.storage import Store, absolute, cache_root


class RunOptions(Config):
    """How a run uses machines; none of it changes what a trial computes."""

    time_budget_s: float | None = Field(None, gt=0)
    max_failures: int = Field(1, ge=0)
    max_concurrent: int | None = Field(None, ge=1)
    trial_workers: int = Field(1, ge=1)
    trial_cpus: float = Field(1.0, gt=0)
    trial_gpus: float = Field(0.0, ge=0)
    address: str | None = None
    wait_for_nodes: bool = False
    share_stages: bool = True

    def workers(self) -> Workers:
        """The resources of one trial; `ConfigError` where no machine could give them."""
        if self.trial_workers > 1 and self.trial_gpus % 1:
            raise ConfigError(
                f"--trial-gpus {self.trial_gpus:g} with --trial-workers {self.trial_workers}: "
                "several workers can't share a GPU; give whole GPUs or one worker"
            )
        return Workers(self.trial_workers, self.trial_cpus, self.trial_gpus)


@dataclass
class Run:
    """A checked run, ready to start or to go on."""

    location: str
    space: Space
    options: RunOptions
    command: list[str]
    is_resumed: bool = False

    @property
    def job(self) -> Job:
        threads = max(1, int(self.options.trial_cpus))
        search = self.space.search
        return Job(
            location=self.location,
            metric=search.metric,
            search_seeds=search.search_seeds,
            num_threads=threads,
            share_stages=self.options.share_stages,
        )

    @property
    def store(self) -> Store:
        return Store(self.location)

    def base(self) -> Experiment:
        """The configuration of the default arm: what all trials share is the same in it."""
        return experiment(self.space.default_tree(), self.space.name)


def check_data(run: Run) -> dict[str, Any]:
    """Open the corpus, split it and draw every pool; returns what the record says of the split.

    Raises `DataError` or `ConfigError` where any of it is impossible.
    """
    base = run.base()
    corpus = open_corpus(base.data)
    parts = open_split(base.data, base.split)
    search = run.space.search
    seeds = sorted({*search.search_seeds, *search.final_seeds})
    pools = {seed: draw(base, seed) for seed in seeds}
    return {
        "kind": base.split.kind,
        **{
            name: {
                "num_clips": len(clips),
                "signers": sorted({corpus.signers[one] for one in corpus.signer_index[clips]}),
            }
            for name, clips in (
                ("training", parts.training),
                ("validation", parts.validation),
                ("test", parts.test),
            )
        },
        "labelled_per_seed": {
            str(seed): {
                "num_clips": len(pool.labelled),
                "signers": sorted(
                    {corpus.signers[one] for one in corpus.signer_index[pool.labelled]}
                ),
                "missing_glosses": list(pool.missing_glosses),
            }
            for seed, pool in pools.items()
        },
    }


def begin(run: Run, split: dict[str, Any]) -> RunRecord:
    """Write the run's record; for a resumed run, read it and check that it is the same run."""
    base = run.base()
    corpus = open_corpus(base.data)
    search = run.space.search
    if run.is_resumed:
        record = load_run_record(run.location)
        if record.fingerprint != corpus.fingerprint:
            raise UserError(
                f"{run.location}: the data changed since the run began (fingerprint "
                f"{corpus.fingerprint[:12]} instead of {record.fingerprint[:12]}); start a new run"
            )
        record = record.model_copy(update={"num_samples": search.num_samples})
    else:
        record = RunRecord(
            name=run.location.rstrip("/").rsplit("/", 1)[-1],
            created=_now(),
            command=run.command,
            base_config=base.model_dump(mode="json"),
            space=run.space.written,
            metric=search.metric,
            num_samples=search.num_samples,
            search_seeds=list(search.search_seeds),
            final_seeds=list(search.final_seeds),
            glosses=list(corpus.glosses),
            corpus=corpus.name,
            fingerprint=corpus.fingerprint,
            provenance=list(corpus.provenance),
            num_skipped_clips=len(corpus.skipped),
            split=split,
            environment=environment(),
            finished=None,
            wall_s=0.0,
        )
    write_run_record(run.location, record)
    run.store.write_json("options.json", run.options.model_dump(mode="json"))
    return record


def finish(run: Run, record: RunRecord, wall_s: float) -> None:
    """Mark the run as complete."""
    done = record.model_copy(update={"finished": _now(), "wall_s": (record.wall_s or 0.0) + wall_s})
    write_run_record(run.location, done)


def load_run_record(location: str) -> RunRecord:
    """The record of a run; `UserError` where there is none."""
    store = Store(location)
    if not store.exists("run.json"):
        raise UserError(f"{location!r} is no run: it has no run.json")
    return RunRecord.model_validate_json(store.read_bytes("run.json"))


def write_run_record(location: str, record: RunRecord) -> None:
    Store(location).write_bytes("run.json", record.model_dump_json(indent=1).encode())


def resumed(location: str, changes: Mapping[str, Any], command: list[str]) -> Run:
    """The run at `location` with its own space and options; `changes` replace options."""
    location = absolute(location)
    record = load_run_record(location)
    if record.finished is not None:
        raise UserError(
            f"{location} finished at {record.finished} and has used its test set: "
            "start a new run instead of resuming it"
        )
    overrides = {}
    if changes.get("num_samples") is not None:
        overrides["search.num_samples"] = changes["num_samples"]
    space = check_space(dict(record.space), f"{location}/run.json", overrides)
    options = RunOptions.model_validate(Store(location).read_json("options.json"))
    given = {
        key: value
        for key, value in changes.items()
        if key in RunOptions.model_fields and value is not None
    }
    options = RunOptions.model_validate(merge(options.model_dump(), given))
    return Run(location, space, options, command, is_resumed=True)


def trial_records(run: Run) -> list[TrialRecord]:
    """Records of the trials that ended, by number."""
    return [
        TrialRecord.model_validate_json(run.store.read_bytes(name))
        for name in run.store.names("trials", suffix="/record.json")
    ]


def best_trial(records: list[TrialRecord]) -> TrialRecord | None:
    """The complete trial with the highest value; the earlier of equals."""
    complete = [one for one in records if one.status == "complete" and one.value is not None]
    return max(complete, key=lambda one: (one.value or 0.0, -one.number), default=None)


def arm_trees(run: Run, best: TrialRecord) -> dict[Arm, Tree]:
    """What each arm of the final comparison trains."""
    import yaml

    content = run.store.read_bytes(f"{trial_folder(best.number)}/config.yaml")
    tree: Tree = yaml.safe_load(content)
    default = resolved(run.space.default_tree())
    # Against the same model and training as the best trial: the comparison is about the labels.
    supervised = merge(tree, {"method": {"kind": "supervised"}})
    return {
        "sslr_best": tree,
        "sslr_default": default,
        "fsl": supervised,
        "fsl_equal_steps": supervised,
        "nearest_neighbour": supervised,
    }


def execute(run: Run, console: Console) -> int:
    """Search, compare and report; the exit status: 0, or 1 where a trial or an arm failed."""
    from slr_ray.search.cluster import connected
    from slr_ray.search.final import compare
    from slr_ray.search.live import LiveView
    from slr_ray.search.study import SearchStudy
    from slr_ray.search.tuning import TuneLimits, search

    started = time.monotonic()
    record = begin(run, check_data(run))
    job, options, settings = run.job, run.options, run.space.search
    workers = options.workers()
    study = SearchStudy(
        local_journal(run),
        run.space.tree,
        seed=settings.seed,
        early_stopping=settings.early_stopping,
    )
    if not run.is_resumed:
        for plain in run.space.start_from:
            outside = study.enqueue(resolved(plain))
            if outside:
                console.print(f"published setting outside the space at {', '.join(outside)}")
    num_arms = 5 * len(settings.final_seeds)
    view = LiveView(console, settings.metric, settings.num_samples, num_arms)
    for one in trial_records(run):
        view.found(one)
    attempt = len(list(run.store.names("attempts")))
    run.store.write_json(f"attempts/{attempt}.json", {"started": _now(), "command": run.command})
    with connected(options, workers), view.showing():
        limits = TuneLimits(
            settings.num_samples,
            options.time_budget_s,
            options.max_failures,
            options.max_concurrent,
        )
        search(job, study, limits, workers, view, attempt)
        records = trial_records(run)
        best = best_trial(records)
        if best is None:
            raise RunFailed(
                "no trial completed, so there is nothing to compare: "
                + (records[0].error or "all were stopped early" if records else "no time for one")
                + f". Records are in {run.location}/trials"
            )
        view.begin_final()
        failed_arms = compare(job, arm_trees(run, best), settings.final_seeds, workers, view)
    for arm in failed_arms:
        console.print(f"[red]failed:[/red] {arm.arm}, seed {arm.seed}: {arm.error}")
    failed = [one for one in records if one.status == "failed"]
    for one in failed:
        console.print(f"[red]failed:[/red] trial {one.number}: {one.error}")
    if not any(arm.arm == "sslr_best" for arm in failed_arms):
        copy_best_checkpoint(job, settings.final_seeds)
    if not failed_arms:
        finish(run, record, time.monotonic() - started)
    return 1 if failed or failed_arms else 0


def local_journal(run: Run) -> Any:
    """The study's journal: in the run's folder, or in the cache for a run behind a URI."""
    import hashlib
    from pathlib import Path

    if run.store.is_local:
        return Path(run.store.local_path("optuna.journal"))
    key = hashlib.sha256(run.location.encode()).hexdigest()[:24]
    return cache_root() / "journals" / f"{key}.journal"


def new_location(storage: str, space: str) -> str:
    """A folder below `storage` named after the space and the time."""
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return f"{absolute(storage).rstrip('/')}/{space}-{stamp}"


def command_line() -> list[str]:
    """What the user typed, as `python -m slr_ray...` would be typed again."""
    return ["python", "-m", "slr_ray.tune", *sys.argv[1:]]


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
