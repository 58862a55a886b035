"""A run before and after the work: checked, recorded, found again."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slr_ray.config import merge
from slr_ray.errors import UserError
from slr_ray.experiment.experiment import Experiment, draw, experiment, open_corpus, open_split
from slr_ray.methods.pretraining import check_initialisation
from slr_ray.records.environment import environment
from slr_ray.records.typed import RunRecord
from slr_ray.search.job import Job
from slr_ray.search.space_file import Space, check_space
from slr_ray.storage import Store, absolute, below, parted
from slr_ray.workers.run_options import RunOptions


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
            metric=self.space.metric,
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

    Every pre-training or encoder of the space must be blind to what is measured.

    Raises `DataError` or `ConfigError` where any of it is impossible.
    """
    base = run.base()
    corpus = open_corpus(base.data)
    parts = open_split(base.data, base.split)
    search = run.space.search
    seeds = sorted({*search.search_seeds, *search.final_seeds})
    corners = run.space.corners()
    for config in {(one.data, one.split, one.initialisation): one for one in corners}.values():
        check_initialisation(config, run.options.trial_workers)
    pools = {seed: draw(base, seed) for seed in seeds}
    return {
        "kind": base.split.kind,
        "fingerprint": parts.fingerprint,
        "untrained_glosses": list(parts.untrained_glosses),
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
        if record.split.get("fingerprint") != split["fingerprint"]:
            raise UserError(
                f"{run.location}: the split changed since the run began: other clips train or "
                "measure; restore the split file, or start a new run"
            )
        record = record.model_copy(update={"num_samples": search.num_samples})
    else:
        record = RunRecord(
            name=parted(run.location)[1],
            created=now(),
            command=run.command,
            base_config=base.model_dump(mode="json"),
            space=run.space.written,
            metric=run.space.metric,
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
    done = record.model_copy(update={"finished": now(), "wall_s": (record.wall_s or 0.0) + wall_s})
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
    space = check_space(dict(record.space), below(location, "run.json"), overrides)
    options = RunOptions.model_validate(Store(location).read_json("options.json"))
    given = {
        key: value
        for key, value in changes.items()
        if key in RunOptions.model_fields and value is not None
    }
    options = RunOptions.model_validate(merge(options.model_dump(), given))
    return Run(location, space, options, command, is_resumed=True)


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
