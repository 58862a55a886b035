"""A search's run before and after the work: checked, recorded, found again."""

from __future__ import annotations

import datetime
import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from slr_ray.config import merge
from slr_ray.corpora.data import ShardsConfig
from slr_ray.corpora.folds import FoldsSplitConfig
from slr_ray.errors import ConfigError, UserError
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.validation_checks import refuse_choosing
from slr_ray.methods.consistency import refuse_several_workers
from slr_ray.methods.pretraining import check_initialisation
from slr_ray.methods.pseudo_labelling.label_parts import label_parts
from slr_ray.records.environment import environment
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.runs import RunRecord
from slr_ray.search.comparison.arms import arms_for, described_arms
from slr_ray.search.context import RunContext
from slr_ray.search.described_split import folds_described, split_described
from slr_ray.search.draws import Draw, final_draws, search_draws
from slr_ray.search.spaces.space_file import Space, check_space
from slr_ray.storage import absolute
from slr_ray.workers.run_options import RunOptions


@dataclass
class SearchRun:
    """A checked run, ready to start or to go on."""

    folder: RunFolder
    space: Space
    options: RunOptions
    command: list[str]
    is_resumed: bool = False
    opener: Opener = field(default_factory=Opener)

    @cached_property
    def default(self) -> Prepared:
        """The space's default, opened: data and split are the same in all trials."""
        return self.opener.prepare(self.space.default)

    @property
    def num_folds(self) -> int | None:
        """Of the cross-validation that draws go through; None with one split."""
        split = self.space.default.split
        over_people = self.space.search.every_fold and isinstance(split, FoldsSplitConfig)
        return split.num_folds if over_people else None  # type: ignore[union-attr]

    @property
    def folds(self) -> list[int | None]:
        """What the run chooses a trial for: each fold, or the one split."""
        return [None] if self.num_folds is None else list(range(self.num_folds))

    @property
    def search_draws(self) -> tuple[Draw, ...]:
        return search_draws(self.space.search.search_seeds, self.num_folds)

    @property
    def final_draws(self) -> tuple[Draw, ...]:
        return final_draws(self.space.search.final_seeds, self.num_folds)

    @cached_property
    def is_comparing(self) -> bool:
        """Whether it goes on with a final comparison that has begun: no trial follows."""
        return self.is_resumed and self.folder.read_run().chosen is not None

    @cached_property
    def num_trials_left(self) -> int:
        """Those that have not ended."""
        if self.is_comparing:
            return 0
        ended = len(self.folder.trials()) if self.is_resumed else 0
        return max(self.space.search.num_trials - ended, 0)

    @cached_property
    def measurements(self) -> list[tuple[str, Draw]]:
        """Of the final comparison: every arm on every draw."""
        arms = arms_for(self.space.default)
        return [(arm.name, draw) for arm in arms for draw in self.final_draws]

    @cached_property
    def measurements_left(self) -> list[tuple[str, Draw]]:
        """Those without a record."""
        if not self.is_comparing:
            return self.measurements
        of_folds = [
            one for fold in range(self.num_folds or 0) for one in self.folder.fold_arms(fold)
        ]
        done = {one.store.location for one in (*self.folder.arms(), *of_folds)}
        return [
            (arm, draw)
            for arm, draw in self.measurements
            if self.folder.arm(arm, draw.seed, draw.fold).store.location not in done
        ]

    def prepared(self, draw: Draw) -> Prepared:
        """The space's default in a draw's fold, opened."""
        return self.opener.prepare(draw.of(self.space.default))

    @cached_property
    def starts(self) -> list[Prepared]:
        """One experiment of the space for all that training may start from, in every fold."""
        corners = self.space.corners()
        configs = {(one.data, one.split, one.initialisation): one for one in corners}.values()
        return [
            self.opener.prepare(Draw(0, fold).of(one)) for one in configs for fold in self.folds
        ]

    @property
    def initialisation(self) -> str:
        """A digest of what training may start from; of what lies there where a path is named."""
        facts = {json.dumps(one.initialisation_facts(), sort_keys=True) for one in self.starts}
        return hashlib.sha256("".join(sorted(facts)).encode()).hexdigest()

    @property
    def places(self) -> dict[str, str]:
        """What a cluster's machines must reach, by option."""
        data = self.space.default.data
        named = {"--data": data.location} if isinstance(data, ShardsConfig) else {}
        return {"--storage": self.folder.location, **named}

    @property
    def go_on_command(self) -> str:
        return f"python -m slr_ray.tune --resume {shlex.quote(self.folder.location)}"

    @property
    def context(self) -> RunContext:
        return RunContext(
            folder=self.folder,
            metric=self.space.metric,
            search_draws=self.search_draws,
            num_threads=max(1, int(self.options.trial_cpus)),
            share_stages=self.options.share_stages,
        )


def check_data(run: SearchRun) -> dict[str, Any]:
    """Open the corpus, split it and draw every pool; returns what the record says of the split.

    Every pre-training or encoder of the space must be blind to what is measured.

    Raises `DataError` or `ConfigError` where any of it is impossible.
    """
    corners = run.space.corners()
    for one in corners:
        refuse_choosing(one.training, "a search")
        refuse_several_workers(one.method, run.options.trial_workers)
    for start in run.starts:
        check_initialisation(start, run.options.trial_workers)
    calibrated = [one for one in corners if one.rounds.held_out_folds]
    draws = sorted({*run.search_draws, *run.final_draws}, key=lambda one: one.seed)
    pools = {draw: run.prepared(draw).pool(draw.seed) for draw in draws}
    for num_folds, config in {one.rounds.held_out_folds: one for one in calibrated}.items():
        for draw in draws:
            prepared = run.opener.prepare(draw.of(config))
            label_parts(prepared.problem(draw.seed), num_folds, draw.seed)
    if run.num_folds is not None:
        return folds_described([run.prepared(Draw(0, fold)) for fold in run.folds], pools)
    return split_described(run.default, pools)


def begin(run: SearchRun, split: dict[str, Any]) -> RunRecord:
    """Write the run's record; for a resumed run, read it and check that it is the same run."""
    corpus, search, location = run.default.corpus, run.space.search, run.folder.location
    fingerprint = run.default.fingerprint
    if run.is_resumed:
        record = run.folder.read_run()
        if record.fingerprint != fingerprint:
            raise UserError(
                f"{location}: the data changed since the run began (fingerprint "
                f"{fingerprint[:12]} instead of {record.fingerprint[:12]}); start a new run"
            )
        if record.split.get("fingerprint") != split["fingerprint"]:
            raise UserError(
                f"{location}: the split changed since the run began: other clips train or "
                "measure; restore the split file, or start a new run"
            )
        # Runs of earlier versions do not say.
        if record.initialisation not in (None, run.initialisation):
            raise UserError(
                f"{location}: what training starts from changed since the run began: "
                "initialisation.path, .data or .extra_data holds something else; restore it, or "
                "start a new run"
            )
        changes = {"num_trials": search.num_trials, "price_per_hour": run.options.price_per_hour}
        record = record.model_copy(update=changes)
    else:
        record = RunRecord(
            name=run.folder.name,
            created=now(),
            command=run.command,
            base_config=run.space.default.model_dump(mode="json"),
            space=run.space.written,
            metric=run.space.metric,
            objectives=list(search.objectives),
            constraints=search.limits,
            num_trials=search.num_trials,
            search_seeds=list(search.search_seeds),
            final_seeds=list(search.final_seeds),
            num_folds=run.num_folds,
            arms=described_arms(arms_for(run.space.default)),
            glosses=list(corpus.glosses),
            corpus=corpus.name,
            fingerprint=fingerprint,
            initialisation=run.initialisation,
            provenance=list(corpus.provenance),
            num_skipped_clips=len(corpus.skipped),
            split=split,
            environment=environment(),
            finished=None,
            wall_s=0.0,
            price_per_hour=run.options.price_per_hour,
        )
    run.folder.write_run(record)
    run.folder.write_options(run.options)
    return record


def begin_final(run: SearchRun, record: RunRecord, chosen: list[int]) -> RunRecord:
    """Write down, before the test set is touched, which trials are measured on it."""
    record = record.model_copy(update={"chosen": chosen})
    run.folder.write_run(record)
    return record


def finish(run: SearchRun, record: RunRecord, wall_s: float) -> None:
    """Mark the run as complete; `wall_s` is the time of all its starts."""
    run.folder.write_run(record.model_copy(update={"finished": now(), "wall_s": wall_s}))


def resumed(location: str, changes: Mapping[str, Any], command: list[str]) -> SearchRun:
    """The run at `location` with its own space and options; `changes` replace options."""
    folder = RunFolder(absolute(location))
    record = folder.read_run()
    if record.finished is not None:
        raise UserError(
            f"{folder.location} finished at {record.finished} and has used its test set: "
            "start a new run instead of resuming it. python -m slr_ray.report draws its report"
        )
    overrides = {}
    if changes.get("num_trials") is not None:
        if record.chosen is not None:
            raise UserError(
                f"--num-trials {changes['num_trials']}: {folder.location} is in its final "
                "comparison and uses its test set, so no trial may follow. Leave the option out "
                "to go on with the comparison, or start a new run"
            )
        overrides["search.num_trials"] = changes["num_trials"]
    opener = Opener()
    space = check_space(dict(record.space), folder.record_location, overrides, opener)
    options = RunOptions.model_validate(folder.read_options())
    given = {
        key: value
        for key, value in changes.items()
        if key in RunOptions.model_fields and value is not None
    }
    before, options = options, RunOptions.model_validate(merge(options.model_dump(), given))
    for name in ("deterministic", "max_concurrent"):
        if before.deterministic and getattr(before, name) != getattr(options, name):
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(
                f"{option} {getattr(options, name)}: the run is deterministic with "
                f"{getattr(before, name)}; leave out {option}, or start a new run"
            )
    return SearchRun(folder, space, options, command, is_resumed=True, opener=opener)


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
