"""A sweep read back: what every place of the table gave, and which places are holes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from slr_ray.config import build
from slr_ray.evaluation.people import PeopleCounts, spans
from slr_ray.evaluation.statistics import interval
from slr_ray.records.measured import Interval, Span
from slr_ray.records.run_folder import ResultFolder
from slr_ray.records.sweeps import CellEntry, CellRecord, SweepFolder, SweepRecord
from slr_ray.sentences.people import counts_of
from slr_ray.sweeps.measurements.measurements import FIGURES
from slr_ray.sweeps.table import SETTING, Point, Selector, Table


@dataclass(frozen=True)
class SeedResult:
    """One place on one seed, its folds together."""

    figures: Mapping[str, float]
    curves: Mapping[str, Sequence[tuple[float, float]]]
    cells: Sequence[CellRecord]
    counts: Mapping[str, PeopleCounts]
    """What was got right of whom, by classifier, where answers on test clips are kept."""


@dataclass(frozen=True)
class Place:
    """One corpus, setting and point of the grid, on all its seeds."""

    block: str
    setting: str
    point: Point
    seeds: Mapping[int, SeedResult]
    missing: Mapping[str, str]
    """Cells that have no result, by name, and why."""

    def values(self, figure: str) -> dict[int, float]:
        """One value a seed; none of a figure that was not measured here."""
        return {
            seed: one.figures[figure] for seed, one in self.seeds.items() if figure in one.figures
        }

    def interval(self, figure: str) -> Interval | None:
        values = list(self.values(figure).values())
        return interval(values) if values else None

    def over_signers(self, figure: str) -> Span | None:
        """Of the mean over seeds, people drawn again; None where no answers to clips are kept."""
        counted = self.counted(figure, sorted(self.seeds))
        return None if counted is None else spans(counted[1]).get(counted[0])

    def counted(self, figure: str, seeds: Sequence[int]) -> tuple[str, list[PeopleCounts]] | None:
        """What a figure is of, and the counts of each seed; None unless people are the same."""
        source = FIGURES[figure].counted
        if source is None:
            return None
        classifier, metric = source
        counts = [self.seeds[one].counts.get(classifier) for one in seeds]
        there = [one for one in counts if one is not None]
        is_whole = len(there) == len(counts) and len({one.signers for one in there}) == 1
        return (metric, there) if is_whole else None

    def matches(self, selector: Selector) -> bool:
        there = {SETTING: self.setting, **self.point}
        return all(key in there and there[key] == value for key, value in selector.items())


@dataclass(frozen=True)
class SweepResult:
    folder: SweepFolder
    record: SweepRecord
    table: Table
    cells: Mapping[str, CellRecord]
    """Those that have a result, by key: each once, in however many places it stands."""
    places: Sequence[Place]

    def of_block(self, block: str) -> list[Place]:
        return [one for one in self.places if one.block == block]

    def find(self, block: str, setting: str, point: Point) -> Place | None:
        """The place of a setting at a point, axes that it does not go along left out."""
        own = next(one for one in self.table.settings if one.name == setting)
        at = {path: point[path] for path in self.table.axes_of(own) if path in point}
        for one in self.of_block(block):
            if one.setting == setting and one.point == at:
                return one
        return None

    @cached_property
    def holes(self) -> dict[str, str]:
        """Every cell without a result, by name, and why."""
        return {name: why for one in self.places for name, why in one.missing.items()}

    def titled(self, place: Place) -> str:
        """A place in words: the setting, and where in the grid."""
        titles = {one.name: one.title for one in self.table.settings}
        return ", ".join([titles[place.setting], *self.named(place.point)])

    def named(self, point: Point) -> list[str]:
        table = self.table
        return [
            f"{table.title_of(path)} {table.grid[path].named(value)}"
            for path, value in point.items()
        ]


def load_sweep(folder: SweepFolder) -> SweepResult:
    """The results that are there by now; `DataError` where the folder holds no sweep."""
    record = folder.read_sweep()
    grouped: dict[str, list[CellEntry]] = {}
    for entry in record.cells:
        key = json.dumps([entry.block, entry.setting, entry.point], sort_keys=True)
        grouped.setdefault(key, []).append(entry)
    table = build(Table, record.table, folder.location).narrowed(record.overrides)
    order = {
        json.dumps([block.title, setting.name, point], sort_keys=True): None
        for block in record.blocks
        for setting in table.settings
        for point in table.points(setting)
    }
    keys = dict.fromkeys(one.key for one in record.cells if one.key is not None)
    cells = {
        key: result.read_record(CellRecord)
        for key in keys
        if (result := folder.cell(key)).is_done()
    }
    places = [_place(folder, record, cells, grouped[key]) for key in order if key in grouped]
    return SweepResult(folder, record, table, cells, places)


def _place(
    folder: SweepFolder,
    record: SweepRecord,
    cells: Mapping[str, CellRecord],
    entries: Sequence[CellEntry],
) -> Place:
    missing: dict[str, str] = {}
    by_seed: dict[int, list[str]] = {}
    for entry in entries:
        if entry.key is not None and entry.key in cells:
            by_seed.setdefault(entry.seed, []).append(entry.key)
        else:
            left = record.failed.get(entry.name, record.left_because or "not measured yet")
            missing[entry.name] = f"impossible: {entry.impossible}" if entry.impossible else left
    num_folds = record.num_folds or 1
    seeds = {
        seed: _seed_result([folder.cell(key) for key in keys], [cells[key] for key in keys])
        for seed, keys in by_seed.items()
        if len(keys) == num_folds
    }
    first = entries[0]
    return Place(first.block, first.setting, first.point, seeds, missing)


def _seed_result(folds: Sequence[ResultFolder], cells: Sequence[CellRecord]) -> SeedResult:
    """Folds as one: every test clip counted once; what is no answer to a clip, mean over clips."""
    clips = [one.num_test for one in cells]
    names = [name for name in cells[0].figures if all(name in one.figures for one in cells)]
    figures = {
        name: float(np.average([one.figures[name] for one in cells], weights=clips))
        for name in names
    }
    sources = {name: FIGURES[name].counted for name in names if name in FIGURES}
    counted = {name: source for name, source in sources.items() if source is not None}
    counts = {
        classifier: counts_of(folds, "wer" in names, classifier)
        for classifier in dict.fromkeys(one for one, _ in counted.values())
        if all(one.has_predictions(classifier) for one in folds)
    }
    if len(folds) > 1:
        once = {classifier: one.once() for classifier, one in counts.items()}
        for name, (classifier, metric) in counted.items():
            if metric in once.get(classifier, {}):
                figures[name] = once[classifier][metric]
    return SeedResult(figures, _mean_curves(cells), cells, counts)


def _mean_curves(cells: Sequence[CellRecord]) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for name, points in cells[0].curves.items():
        ys = [dict(one.curves.get(name, [])) for one in cells]
        common = [x for x, _ in points if all(x in one for one in ys)]
        found[name] = [(x, float(np.mean([one[x] for one in ys]))) for x in common]
    return found


def as_csv(result: SweepResult) -> str:
    """One row a place and seed, for other programs."""
    paths = list(result.table.grid)
    figures = list(dict.fromkeys(name for one in result.table.measures for name in one.figures))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    counts = ("labelled", "training", "validation", "test", "glosses", "steps", "training_s")
    rows.writerow(["corpus", "setting", *paths, "seed", *figures, *counts])
    for place in result.places:
        for seed, one in sorted(place.seeds.items()):
            rows.writerow(
                [
                    place.block,
                    place.setting,
                    *(place.point.get(path, "") for path in paths),
                    seed,
                    *(one.figures.get(name, "") for name in figures),
                    *_counted(one.cells),
                ]
            )
    return text.getvalue()


def _counted(cells: Sequence[CellRecord]) -> list[Any]:
    """Of a seed; of folds, the mean labels, steps and seconds, and the test clips together."""
    means = [
        round(float(np.mean([getattr(one, name) for one in cells])))
        for name in ("num_labelled", "num_training", "num_validation")
    ]
    return [
        *means,
        sum(one.num_test for one in cells),
        max(one.num_glosses for one in cells),
        round(float(np.mean([one.num_steps for one in cells]))),
        round(float(np.mean([one.training_s for one in cells])), 3),
    ]
