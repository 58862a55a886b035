"""A table's file: found, read, and every cell's configuration built before anything starts."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slr_ray.config import (
    Config,
    as_tree,
    build,
    deciding,
    merge,
    read_yaml,
    refuse_both,
    set_dotted,
)
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.search.spaces.space_file import located, spaces_folder
from slr_ray.sweeps.table import Point, Setting, Table


@dataclass(frozen=True)
class CheckedTable:
    """A table whose every place is a configuration that can be built."""

    written: Table
    """As the file has it."""
    overrides: Mapping[str, Any]
    """The user's, by dotted path."""
    varied: frozenset[str]
    """Those in which settings differ from each other: who says something of one keeps it."""
    origin: str

    @cached_property
    def table(self) -> Table:
        """With the user's values of the grid."""
        return self.written.narrowed(self.overrides)

    @property
    def of_settings(self) -> list[str]:
        """The overrides that are not about the grid; kinds first: what fields there are hangs on
        them.
        """
        rest = [one for one in self.overrides if one not in self.written.grid]
        return sorted(rest, key=lambda one: not one.endswith(".kind"))

    def experiment(
        self, setting: Setting, point: Point, sections: Mapping[str, Any], opener: Opener
    ) -> Experiment:
        """The experiment of one place; `sections` are those of a corpus and the split.

        Raises `ConfigError` that names file, setting and place.
        """
        return self._built(setting, point, sections, opener, self._where(setting, point))[0]

    def check(self, opener: Opener) -> None:
        """Build the experiment of every place; `ConfigError` where one can't be built.

        Also where an override changes nothing.
        """
        used: set[str] = set()
        for setting in self.table.settings:
            for point in self.table.points(setting):
                used |= self._built(setting, point, {}, opener, self._where(setting, point))[1]
        useless = [one for one in self.of_settings if one not in used]
        if useless:
            raise ConfigError(
                f"{useless[0]}: no setting of {self.table.name} takes it: each lacks the field, or "
                "differs from the others in it"
            )

    def _where(self, setting: Setting, point: Point) -> str:
        at = ", ".join(f"{path}={value}" for path, value in point.items())
        return f"{self.origin}: settings.{setting.name}" + (f" at {at}" if at else "")

    def _built(
        self,
        setting: Setting,
        point: Point,
        sections: Mapping[str, Any],
        opener: Opener,
        where: str,
    ) -> tuple[Experiment, set[str]]:
        """The experiment of a place, and the overrides that it takes."""
        tree = merge(merge(self.table.base, sections), setting.config)
        # A kind before the fields that it has.
        for path in sorted(point, key=lambda one: not one.endswith(".kind")):
            tree = merge(tree, as_tree({path: point[path]}))
        tree, own = copy.deepcopy(tree), as_tree(point)
        plain, taken = opener.build(tree, where), set[str]()
        for dotted in self.of_settings:
            is_own = dotted in self.varied and _sets(setting.config, dotted)
            of_new_kind = f"{dotted.rpartition('.')[0]}.kind" in taken
            if is_own or _sets(own, dotted) or not (of_new_kind or _has_field(plain, dotted)):
                continue
            set_dotted(tree, dotted, self.overrides[dotted])
            taken.add(dotted)
        return (opener.build(tree, where) if taken else plain), taken


def tables() -> dict[str, Path]:
    """The shipped tables by name."""
    folder = spaces_folder() / "tables"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def find_table(name: str) -> Path:
    """The file of a shipped table's name or of a path; `ConfigError` lists what there is."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name)
        if not path.is_file():
            raise ConfigError(f"no such table file: {name!r}")
        return path
    shipped = tables()
    if name in shipped:
        return shipped[name]
    close = difflib.get_close_matches(name, shipped, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(shipped)}"
    raise ConfigError(f"no table {name!r}; {hint} (or give the path of a YAML file)")


def load_table(name: str, overrides: Mapping[str, Any], opener: Opener) -> CheckedTable:
    """Read and check a table.

    An override of a path of the grid gives its values; any other one is for every setting that has
    the field. Where settings differ in it, as ablations do, those that set it keep theirs. Raises
    `ConfigError` that names file, field and value.
    """
    path = find_table(name)
    return check_table(read_yaml(path), str(path), overrides, opener)


def check_table(
    written: Mapping[str, Any], origin: str, overrides: Mapping[str, Any], opener: Opener
) -> CheckedTable:
    """The table of a mapping; see `load_table`."""
    refuse_both(written, origin)
    table = _located(build(Table, written, origin))
    table.check(origin)
    grid = {path: value for path, value in overrides.items() if path in table.grid}
    plain = CheckedTable(table, grid, frozenset(), origin)
    plain.check(opener)
    own = [
        plain.experiment(one, next(plain.table.points(one)), {}, opener)
        for one in plain.table.settings
    ]
    varied = frozenset(
        path for path in overrides if any(len(set(_values(own, one))) > 1 for one in deciding(path))
    )
    checked = CheckedTable(table, dict(overrides), varied, origin)
    if len(overrides) > len(grid):
        checked.check(opener)
    return checked


def _located(table: Table) -> Table:
    """With absolute paths: a sweep may go on in another working folder."""
    settings = [one.model_copy(update={"config": located(one.config)}) for one in table.settings]
    return table.model_copy(update={"base": located(table.base), "settings": tuple(settings)})


def _values(configs: Sequence[Config], dotted: str) -> list[str]:
    """What those configurations that have a field hold there."""
    found: list[str] = []
    for config in configs:
        if _has_field(config, dotted):
            value: Any = config
            for part in dotted.split("."):
                value = getattr(value, part)
            found.append(repr(value))
    return found


def _has_field(config: Config, dotted: str) -> bool:
    """Whether a configuration has a field, whatever it holds."""
    section: Any = config
    for part in dotted.split("."):
        if not isinstance(section, Config) or part not in type(section).model_fields:
            return False
        section = getattr(section, part)
    return True


def _sets(tree: Mapping[str, Any], dotted: str) -> bool:
    """Whether a partial configuration says what a field comes to."""
    return any(_names(tree, one) for one in deciding(dotted))


def _names(tree: Mapping[str, Any], dotted: str) -> bool:
    section: Any = tree
    for part in dotted.split("."):
        if not isinstance(section, Mapping):
            return True
        if part not in section:
            return False
        section = section[part]
    return True
