"""Objectives x views x seeds as a table, for `compare`: in one call, every encoder a file."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from slr_ray.console import literal_console
from slr_ray.encoders.protocols import SOURCES
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import pretraining_of
from slr_ray.experiment.opener import Opener
from slr_ray.methods.pretraining import pretrained_encoder, pretraining_key, save_encoder
from slr_ray.objectives.objectives import TITLES
from slr_ray.records.claim import claim
from slr_ray.records.sweeps import SweepFolder
from slr_ray.search.run import command_line
from slr_ray.storage import Store, absolute, below
from slr_ray.sweeps.plan import Sweep
from slr_ray.sweeps.run import measure_and_tell
from slr_ray.sweeps.summary import print_plan
from slr_ray.sweeps.table import SETTING
from slr_ray.sweeps.table_file import check_table
from slr_ray.workers.nodes import check_resources
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions

_FORMAT = 3
"""Of the results in a folder: those of another one can't be gone on with."""
_OBJECTIVE, _AUGMENTATION = "initialisation.objective", "initialisation.augmentation"
_FIGURES = (
    *("linear", "linear_top5", "linear_balanced", "mlp", "knn"),
    *("inertia_share", "effective_rank", "embedding_std", "pretraining_s"),
)


@dataclass(frozen=True)
class ObjectiveComparison:
    """What is compared. `tree` is the experiment that all share."""

    tree: Mapping[str, Any]
    """Fields of `initialisation.objective` and `.augmentation` are for every kind that has them."""
    objectives: Sequence[str]
    augmentations: Sequence[str]
    num_seeds: int
    location: str
    num_folds: int | None = None
    """Every fold is compared, so that everybody is tested once."""

    def sweep(self, options: RunOptions) -> Sweep:
        """The table, ready to start; `ConfigError` where one of its cells can't be."""
        opener = Opener()
        table, overrides = self._table()
        sweep = Sweep(
            # The table's own folder, so that its cells lie in the comparison's.
            folder=SweepFolder(below(absolute(self.location), "table")),
            checked=check_table(table, "compare", overrides, opener),
            corpora=[{}],
            seeds=range(self.num_seeds),
            num_folds=self.num_folds,
            options=options,
            command=command_line("compare"),
            place_option="--out",
            opener=opener,
        )
        refused = [one.impossible for one in sweep.plan.entries if one.impossible is not None]
        if refused:
            raise ConfigError(refused[0])
        return sweep

    def _table(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A table as its file would have it, and what the user says of objectives and views."""
        base = copy.deepcopy(dict(self.tree))
        given = base.setdefault("initialisation", {})
        if not isinstance(given, dict):
            raise ConfigError(f"initialisation: expected a section, got {given!r}")
        given["kind"] = "pretraining"
        axes = ((_OBJECTIVE, self.objectives), (_AUGMENTATION, self.augmentations))
        overrides: dict[str, Any] = {}
        first: dict[str, Any] = {}
        for dotted, kinds in axes:
            name = dotted.rpartition(".")[2]
            overrides |= _fields(dotted, given.pop(name, {}), kinds)
            first[name] = {"kind": kinds[0]}
        measure = {"kind": "encoder", "semi_fraction": None}
        others: list[dict[str, Any]] = [
            {
                "name": source,
                "title": SOURCES[source],
                "axes": [],
                # Weights that nobody trains need views that can be drawn, too.
                "config": {"initialisation": first},
                "measure": {**measure, "source": source},
            }
            for source in ("fresh", "poses")
        ]
        titles = [TITLES.get(one, one) for one in self.objectives]
        table = {
            "name": "compare",
            "title": "Self-supervised objectives compared",
            "base": base,
            "grid": {
                f"{_OBJECTIVE}.kind": {
                    "title": "objective",
                    "values": list(self.objectives),
                    "names": titles,
                },
                f"{_AUGMENTATION}.kind": {"title": "views", "values": list(self.augmentations)},
            },
            "measure": measure,
            "settings": [{"name": "encoder", "title": SOURCES["encoder"]}, *others],
            "figures": list(_FIGURES),
            "compare": self._compared(),
        }
        return table, overrides

    def _compared(self) -> list[dict[str, Any]]:
        """Views within each objective, SL-FPN with its peers, every encoder with a fresh one."""
        pairs: list[tuple[str, str, str]] = []
        for first, second in pairwise(self.augmentations):
            pairs.append((f"{_AUGMENTATION}.kind", first, second))
        if "sl_fpn" in self.objectives:
            peers = [one for one in self.objectives if one != "sl_fpn"]
            pairs += [(f"{_OBJECTIVE}.kind", "sl_fpn", one) for one in peers]
        pairs.append((SETTING, "encoder", "fresh"))
        return [{"of": {path: ours}, "against": {path: theirs}} for path, ours, theirs in pairs]


def _fields(dotted: str, section: Any, kinds: Sequence[str]) -> dict[str, Any]:
    """A section's fields by dotted path, its kind left out, which must be one that is compared.

    What `boundary` prints for every command names the kind of views that its fields are for.
    """
    if not isinstance(section, Mapping):
        raise ConfigError(f"{dotted}: a section, written {dotted}.field=value, got {section!r}")
    if section.get("kind", kinds[0]) not in kinds:
        raise ConfigError(
            f"{dotted}.kind is {section['kind']!r}, but {', '.join(kinds)} are compared; "
            f"name kinds with --{dotted.rpartition('.')[2]}s only"
        )
    return {f"{dotted}.{name}": value for name, value in section.items() if name != "kind"}


def run_comparison(comparison: ObjectiveComparison, options: RunOptions) -> int:
    """Measure what has no result yet, print the table, write report and encoders; the status."""
    # Bound to the stream as it is now: what Ray prints later goes elsewhere.
    console = literal_console(file=sys.stdout)
    check_resources(options, options.workers())
    sweep = comparison.sweep(options)
    store = Store(absolute(comparison.location))
    store.check_writable()
    with store.held():
        splits = {one.split.fingerprint for one in sweep.plan.prepared.values()}
        facts = {
            "format": _FORMAT,
            "data": sweep.blocks[0].fingerprint,
            "split": sorted(splits),
            "settings": json.loads(json.dumps(comparison.tree)),
        }
        # More objectives, augmentations or seeds of it belong into the same folder.
        claim(store, "compare", "comparison", facts)
        print_plan(sweep, console, with_estimate=False)
        record = measure_and_tell(sweep, None, console, store.location)
        hand_out_encoders(sweep, store)
    return 1 if record.failed else 0


def hand_out_encoders(sweep: Sweep, store: Store) -> None:
    """Turn every finished pre-training's stage into encoders/OBJECTIVE-VIEWS/SEED/encoder.pt."""
    for entry in sweep.plan.entries:
        if entry.setting != "encoder" or entry.key is None:
            continue
        cell, prepared = sweep.plan.cells[entry.key], sweep.plan.prepared[entry.key]
        stage, section = pretraining_key(prepared, entry.seed), pretraining_of(prepared.config)
        if not (cell.is_done() and cell.stages.exists(stage)):
            continue
        fold = "" if entry.fold is None else f"fold_{entry.fold}/"
        kind = f"{section.objective.kind}-{section.augmentation.kind}"
        trained = pretrained_encoder(prepared, entry.seed, cell.stages, this_place())
        name = f"encoders/{fold}{kind}/{entry.seed}/encoder.pt"
        save_encoder(prepared, entry.seed, trained, store, name)
        # The file has all that the stage had.
        cell.stages.store.delete(f"{stage}.pt")
