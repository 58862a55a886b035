"""A table: named settings, a grid, what is measured, what is compared with what."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NoReturn

from pydantic import Field, field_validator, model_validator

from slr_ray.config import Config, build
from slr_ray.errors import ConfigError
from slr_ray.sweeps.measurements.measurements import MeasurementConfig
from slr_ray.sweeps.measurements.trained import TrainedMeasurement

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
        if self.names is not None and len(set(self.names)) < len(self.names):
            raise ValueError(f"name each value by a name of its own, got {', '.join(self.names)}")
        if any(one in self.values[:index] for index, one in enumerate(self.values)):
            raise ValueError("name each value once")
        return self

    def named(self, value: Any) -> str:
        if self.names is not None:
            return self.names[self.values.index(value)]
        return f"{value:g}" if isinstance(value, float) else str(value)

    def with_values(self, given: Any, origin: str) -> Axis:
        """Other values, a list or a single one; those that are known keep their names."""
        values = given if isinstance(given, list) else [given]
        names = self.names
        if names is not None:
            names = tuple(self.named(one) if one in self.values else str(one) for one in values)
        return build(Axis, {"title": self.title, "values": values, "names": names}, origin)

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


class Claim(Config):
    """What the paper says of a difference, and how that reads in figures."""

    says: str
    by: str = "The paper"
    """Who says so."""
    at: Literal["every", "several"] | None = None
    """Of which places it says so: of every one, or of at least two. None: it is only quoted."""
    more_than: float = 0.0
    """By how much `of` is ahead or behind: in points where the figure is a share."""
    relative: bool = False
    """Whether that is in per cent of the figure of `against`."""
    expects: Literal["ahead", "behind", "no difference"] = "ahead"
    figure: str | None = None
    """The table's first one without it."""
    where: dict[str, tuple[Any, ...]] = Field({})
    """Values of the grid's paths that it is about; all without it."""


class Compared(Config):
    """A difference that the table is about: `of` minus `against`, at every place they share."""

    of: Selector = Field(min_length=1)
    against: Selector = Field(min_length=1)
    figures: tuple[str, ...] | None = Field(None, min_length=1)
    """Those that it is computed of; all that the table shows without it."""
    published: tuple[Claim, ...] = ()
    """What the paper says of it: a text, a claim, or several claims."""

    @field_validator("published", mode="before")
    @classmethod
    def _one_is_a_list(cls, given: Any) -> Any:
        if isinstance(given, str):
            return [{"says": given}]
        return [given] if isinstance(given, Mapping) else given or []

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
    transfer: bool = False
    """Every block is from one corpus to another: pre-trained there, measured here."""
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
    """Those of the measurement that the table shows; curves are of the first."""
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

    def check(self, origin: str) -> None:
        """`ConfigError` where one part names what another one lacks."""

        def refuse(told: str) -> NoReturn:
            raise ConfigError(f"{origin}: {told}")

        names = [one.name for one in self.settings]
        if len(set(names)) < len(names):
            refuse(f"settings: name each once, got {', '.join(names)}")
        titled: dict[str, str] = {}
        for one in self.settings:
            other = titled.setdefault(one.title, one.name)
            if other != one.name:
                refuse(
                    f"settings.{other} and settings.{one.name} have one title, {one.title!r}: "
                    "tables and figures tell settings apart by it"
                )
        for setting in self.settings:
            told = self._wrong_in(setting)
            if told is not None:
                refuse(f"settings.{setting.name}: {told}")
        columns = (FIGURE, SETTING, *self.grid)
        if self.columns not in columns:
            refuse(f"columns: {self.columns!r} is none of {', '.join(columns)}")
        known = dict.fromkeys(name for one in self.measures for name in one.figures)
        published = () if self.published is None else self.published.figures
        of_compared = [name for one in self.compare for name in self.figures_of(one)]
        for name in (*self.figures, *of_compared, *(one.figure for one in published)):
            if name not in known:
                refuse(f"figures: {name!r} is none of {', '.join(known)}")
        places = [
            (f"compare.{side}", getattr(one, side)) for one in self.compare for side in _SIDES
        ]
        places += [("published", one.at) for one in published]
        places += [
            ("compare.published.where", {path: value})
            for compared in self.compare
            for claim in compared.published
            for path, values in claim.where.items()
            for value in values
        ]
        there: dict[str, list[Any]] = {path: list(one.values) for path, one in self.grid.items()}
        there[SETTING] = names
        for where, selector in places:
            for key, value in selector.items():
                if key not in there:
                    refuse(f"{where}: {key!r} is neither setting nor in the grid")
                if value not in there[key]:
                    refuse(f"{where}: {key} has no {value!r}; there are {there[key]}")
        for compared in self.compare:
            told = self._wrong_in_comparison(compared)
            if told is not None:
                refuse(f"compare: {told}")

    def _wrong_in(self, setting: Setting) -> str | None:
        unknown = set(setting.axes or ()) - set(self.grid)
        if unknown:
            return f"axes {sorted(unknown)} are not in the grid"
        leads = setting.equal_steps_to
        if leads is None:
            return None
        followed = [one for one in self.settings if one.name == leads and one is not setting]
        if not followed or followed[0].equal_steps_to is not None:
            return (
                f"equal_steps_to is {leads!r}, which must be another setting that takes steps of "
                "its own"
            )
        if self.axes_of(followed[0]) != self.axes_of(setting):
            return f"goes along other axes than {leads!r}, whose steps it takes"
        return None

    def _wrong_in_comparison(self, compared: Compared) -> str | None:
        """Each place of `of` has one of `against` beside it, which may stand for several."""
        if SETTING not in compared.of:
            return None
        axes = {one.name: self.axes_of(one) for one in self.settings}
        of, against = compared.of[SETTING], compared.against[SETTING]
        more = [one for one in axes[against] if one not in (*axes[of], *compared.against)]
        if not more:
            return None
        return (
            f"{against!r} goes along {', '.join(more)} and {of!r} does not: have {against!r} as of "
            f"and {of!r} as against, or name a value of it in both"
        )

    def narrowed(self, overrides: Mapping[str, Any]) -> Table:
        """With the user's values on those axes that `overrides` name."""
        grid = {
            path: axis.with_values(overrides[path], path) if path in overrides else axis
            for path, axis in self.grid.items()
        }
        return self.model_copy(update={"grid": grid})

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

    def figures_of(self, compared: Compared) -> list[str]:
        """What a difference is computed of: what it names, and what claims are about."""
        own = compared.figures or self.figures
        claimed = [one.figure or self.figures[0] for one in compared.published if one.at]
        return list(dict.fromkeys((*own, *claimed)))

    def title_of(self, path: str) -> str:
        return self.grid[path].title or path.rsplit(".", 1)[-1].replace("_", " ")


_SIDES = ("of", "against")
