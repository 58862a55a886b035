"""From a table to its cells: every setting at every place of the grid, on every draw and corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from slr_ray.errors import ConfigError, UserError
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import STAGE_VERSION, Prepared
from slr_ray.methods.consistency import refuse_several_workers
from slr_ray.methods.pretraining import check_initialisation
from slr_ray.records.stages import StageStore, stage_key
from slr_ray.records.sweeps import BlockRecord, CellEntry, SweepFolder
from slr_ray.search.comparison.cells import Cell
from slr_ray.search.draws import Draw, final_draws
from slr_ray.sweeps.table import Point, Setting
from slr_ray.sweeps.table_file import CheckedTable
from slr_ray.workers.run_options import RunOptions


@dataclass
class Sweep:
    """A checked table on some corpora, ready to start or to go on."""

    folder: SweepFolder
    checked: CheckedTable
    corpora: Sequence[Mapping[str, Any]]
    """Sections of experiments, one mapping a block; an empty one leaves the table's own data."""
    seeds: Sequence[int]
    num_folds: int | None
    options: RunOptions
    command: list[str]
    place_option: str = "--storage"
    """The command's option that says where the folder is, for messages."""
    is_resumed: bool = False
    opener: Opener = field(default_factory=Opener)

    @property
    def draws(self) -> tuple[Draw, ...]:
        return final_draws(self.seeds, self.num_folds)

    def sections(self, corpus: Mapping[str, Any]) -> dict[str, Any]:
        """What a corpus and the folds say of an experiment."""
        folds = {"kind": "folds", "num_folds": self.num_folds, "fold": 0}
        return {**corpus, **({"split": folds} if self.num_folds is not None else {})}

    @cached_property
    def blocks(self) -> list[BlockRecord]:
        """The corpora, opened; `DataError` where one can't be."""
        found: list[BlockRecord] = []
        for sections in self.corpora:
            first = self.checked.table.settings[0]
            config = self.checked.experiment(first, {}, self.sections(sections), self.opener)
            prepared = self.opener.prepare(config)
            corpus, title = prepared.corpus, prepared.corpus.name
            if "initialisation" in sections:
                title = f"{' + '.join(one.name for one in prepared.extra)} → {title}"
            is_known = any(one.title == title for one in found)
            found.append(
                BlockRecord(
                    title=f"{title} ({len(found) + 1})" if is_known else title,
                    data=dict(sections.get("data", {})),
                    initialisation=dict(sections.get("initialisation", {})),
                    fingerprint=corpus.fingerprint,
                    num_clips=corpus.num_clips,
                    num_glosses=len(corpus.glosses),
                    num_signers=len(corpus.signers),
                )
            )
        return found

    @cached_property
    def plan(self) -> Plan:
        """Every cell; `ConfigError` where all are impossible."""
        made = Plan()
        for block in self.blocks:
            for setting in _waited_for_first(self.checked.table.settings):
                for point in self.checked.table.points(setting):
                    self._add(made, block, setting, point)
        if not made.cells:
            raise ConfigError(
                f"{self.checked.table.name}: no cell is possible; the first: "
                f"{made.entries[0].impossible}"
            )
        # Seed by seed, so that an early look sees all of the table.
        made.entries.sort(key=lambda one: (one.seed, one.fold or 0))
        return made

    def _add(self, made: Plan, block: BlockRecord, setting: Setting, point: Point) -> None:
        entry = CellEntry(
            block=block.title, setting=setting.name, point=point, seed=0, fold=None, key=None
        )
        try:
            config = self.checked.experiment(
                setting, point, self.sections(of_block(block)), self.opener
            )
            refuse_several_workers(config.method, self.options.trial_workers)
        except UserError as error:
            made.refuse(entry, self.draws, error)
            return
        for draw in self.draws:
            own = entry.model_copy(update={"seed": draw.seed, "fold": draw.fold})
            try:
                self._add_cell(made, own, setting, draw.of(config))
            except UserError as error:
                made.refuse(entry, [draw], error)

    def _add_cell(self, made: Plan, entry: CellEntry, setting: Setting, config: Experiment) -> None:
        prepared = self.opener.prepare(config)
        check_initialisation(prepared, self.options.trial_workers)
        pool = prepared.pool(entry.seed)
        leads: str | None = None
        if setting.equal_steps_to is not None:
            followed = made.found(entry, setting.equal_steps_to)
            leads = followed.key
            if leads is None:
                raise ConfigError(f"{setting.equal_steps_to} can't be: {followed.impossible}")
        measurement = setting.measure or self.checked.table.measure
        measurement.check(prepared, entry.seed)
        key = stage_key(
            what="cell",
            version=STAGE_VERSION,
            facts=prepared.stage_facts(),
            method=config.method.model_dump(mode="json"),
            measurement=measurement.model_dump(mode="json"),
            test_time_views=config.test_time_views,
            seed=entry.seed,
            equal_steps_to=leads,
        )
        entry = entry.model_copy(update={"key": key})
        made.entries.append(entry)
        made.labels[entry.name] = (len(pool.labelled), prepared.num_training_labels)
        if key in made.cells:
            return
        made.prepared[key] = prepared
        made.cells[key] = Cell(
            name=entry.name,
            label=entry.label,
            seed=entry.seed,
            config=config,
            measurement=measurement,
            folder=self.folder.cell(key),
            stages=StageStore(self.folder.stages(None if self.options.share_stages else key)),
            equal_steps_to=None if leads is None else made.cells[leads],
        )


def of_block(block: BlockRecord) -> dict[str, Any]:
    """The sections that a block's record tells."""
    told = {"data": block.data, "initialisation": block.initialisation}
    return {name: section for name, section in told.items() if section}


@dataclass
class Plan:
    """The cells of a sweep; those that are the same thing are there once."""

    entries: list[CellEntry] = field(default_factory=list)
    cells: dict[str, Cell] = field(default_factory=dict)
    """By key."""
    prepared: dict[str, Prepared] = field(default_factory=dict)
    """What each of them works on."""
    labels: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Labelled clips, and all that a pool may label, by the entry's name."""

    def found(self, place: CellEntry, setting: str) -> CellEntry:
        """The entry of another setting at the same place and draw."""
        at = (place.block, setting, place.point, place.seed, place.fold)
        return next(
            one
            for one in self.entries
            if (one.block, one.setting, one.point, one.seed, one.fold) == at
        )

    def refuse(self, entry: CellEntry, draws: Sequence[Draw], error: UserError) -> None:
        """Note a place that can't be, on some draws."""
        for draw in draws:
            why = {"seed": draw.seed, "fold": draw.fold, "impossible": str(error)}
            self.entries.append(entry.model_copy(update=why))

    @property
    def to_do(self) -> list[Cell]:
        return [one for one in self.cells.values() if not one.is_done()]


def _waited_for_first(settings: Sequence[Setting]) -> list[Setting]:
    waited_for = {one.equal_steps_to for one in settings}
    return sorted(settings, key=lambda one: one.name not in waited_for)
