"""A table: named settings, a grid, what is measured, what is compared with what."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from slr_ray.config import Config
from slr_ray.sweeps.measurements import MeasurementConfig, TrainedMeasurement

SETTING, FIGURE = "setting", "figure"
"""What rows and columns may be besides the grid's paths."""
Selector = dict[str, Any]
"""Places of the table by `setting` and paths of the grid; of what it leaves out, all."""
Point = dict[str, Any]
"""One value of each axis, by path."""


class Axis(Config):
    """A setting that the grid goes along."""

    title: str | None = None
    """In tables and figures; the path's last part without one."""
    values: tuple[Any, ...] = Field(min_length=1)
    names: tuple[str, ...] | None = None
    """What to call the values in tables."""

    @model_validator(mode="after")
    def _named_once_each(self) -> Axis:
        if self.names is not None and len(self.names) != len(self.values):
            raise ValueError(f"{len(self.names)} names for {len(self.values)} values")
        if any(one in self.values[:index] for index, one in enumerate(self.values)):
            raise ValueError("name each value once")
        return self

    def named(self, value: Any) -> str:
        if self.names is not None:
            return self.names[self.values.index(value)]
        return f"{value:g}" if isinstance(value, float) else str(value)

    @property
    def is_numeric(self) -> bool:
        numbers = (isinstance(one, int | float) and type(one) is not bool for one in self.values)
        return all(numbers) and len(self.values) > 1


class Setting(Config):
    """One row's configuration."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    config: dict[str, Any] = Field({})
    """Laid on the table's `base`."""
    equal_steps_to: str | None = None
    """The setting whose gradient steps it takes at the same place of the grid."""
    axes: tuple[str, ...] | None = None
    """Paths of the grid that it goes along; all without it."""
    measure: MeasurementConfig | None = None
    """Where another than the table's."""


class Compared(Config):
    """A difference that the table is about: `of` minus `against`, at every place they share."""

    of: Selector = Field(min_length=1)
    against: Selector = Field(min_length=1)
    published: str | None = None
    """What the paper says of it."""

    @model_validator(mode="after")
    def _like_with_like(self) -> Compared:
        if self.of.keys() != self.against.keys():
            raise ValueError("of and against name the same things, such as setting, in both")
        return self


class PublishedFigure(Config):
    at: Selector
    figure: str
    value: float
    """As a share where the figure is one: 0.7795, not 77.95."""


class Published(Config):
    source: str
    figures: tuple[PublishedFigure, ...] = ()


class Table(Config):
    """The whole file."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    base: dict[str, Any] = Field({})
    """What all settings have in common: a configuration, or a part of one."""
    settings: tuple[Setting, ...] = Field(min_length=1)
    grid: dict[str, Axis] = Field({})
    """By dotted path; a list of values stands for an axis without a title."""
    measure: MeasurementConfig = TrainedMeasurement()
    seeds: Annotated[int, Field(ge=1)] = 3
    """Label draws, each with weights of its own."""
    folds: Annotated[int, Field(ge=2)] | None = None
    """Cross-validation by signer: every clip is tested once a seed."""
    columns: str = FIGURE
    """What stands in the columns: a path of the grid, `setting`, or `figure`. The rest is rows."""
    figures: tuple[str, ...] = Field(("accuracy",), min_length=1)
    """Those of the measurement that the table shows; differences and curves are of the first."""
    compare: tuple[Compared, ...] = ()
    published: Published | None = None
    same: tuple[str, ...] = ()
    """What is as in the paper, a sentence each."""
    different: tuple[str, ...] = ()
    """What is not."""

    @field_validator("grid", mode="before")
    @classmethod
    def _lists_are_axes(cls, grid: Any) -> Any:
        if not isinstance(grid, Mapping):
            return grid
        return {
            path: {"values": one} if isinstance(one, list) else one for path, one in grid.items()
        }

    @model_validator(mode="after")
    def _names_what_is_there(self) -> Table:
        names = [one.name for one in self.settings]
        if len(set(names)) < len(names):
            raise ValueError(f"settings: name each once, got {', '.join(names)}")
        for one in self.settings:
            self._check_setting(one)
        if self.columns not in (FIGURE, SETTING, *self.grid):
            raise ValueError(
                f"columns: {self.columns!r} is none of {', '.join((FIGURE, SETTING, *self.grid))}"
            )
        known = {name: None for one in self.measures for name in one.figures}
        places = [
            (f"compare.{side}", getattr(one, side)) for one in self.compare for side in _SIDES
        ]
        shown = list(self.figures)
        if self.published is not None:
            places += [("published", one.at) for one in self.published.figures]
            shown += [one.figure for one in self.published.figures]
        for name in shown:
            if name not in known:
                raise ValueError(f"figures: {name!r} is none of {', '.join(known)}")
        for origin, place in places:
            self._check_selector(origin, place)
        return self

    def _check_setting(self, setting: Setting) -> None:
        leads = setting.equal_steps_to
        if leads is not None:
            followed = next((one for one in self.settings if one.name == leads), None)
            if followed is None or followed is setting or followed.equal_steps_to is not None:
                raise ValueError(
                    f"settings.{setting.name}: equal_steps_to is {leads!r}, which must be another "
                    "setting that takes its own steps"
                )
            if self.axes_of(followed) != self.axes_of(setting):
                raise ValueError(
                    f"settings.{setting.name}: goes along other axes than {leads!r}, whose steps "
                    "it takes"
                )
        unknown = set(setting.axes or ()) - set(self.grid)
        if unknown:
            raise ValueError(f"settings.{setting.name}: axes {sorted(unknown)} are not in the grid")

    def _check_selector(self, origin: str, place: Selector) -> None:
        there = {path: list(axis.values) for path, axis in self.grid.items()}
        there[SETTING] = [one.name for one in self.settings]
        for key, value in place.items():
            if key not in there:
                raise ValueError(f"{origin}: {key!r} is neither setting nor in the grid")
            if value not in there[key]:
                raise ValueError(f"{origin}: {key} has no {value!r}; there are {there[key]}")

    @property
    def measures(self) -> list[MeasurementConfig]:
        return [self.measure, *(one.measure for one in self.settings if one.measure is not None)]

    def axes_of(self, setting: Setting) -> list[str]:
        return [path for path in self.grid if setting.axes is None or path in setting.axes]

    def points(self, setting: Setting) -> Iterator[Point]:
        """Every place of the grid that a setting goes along."""
        paths = self.axes_of(setting)
        for values in itertools.product(*(self.grid[path].values for path in paths)):
            yield dict(zip(paths, values, strict=True))

    def title_of(self, path: str) -> str:
        return self.grid[path].title or path.rsplit(".", 1)[-1].replace("_", " ")


_SIDES = ("of", "against")
