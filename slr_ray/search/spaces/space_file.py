"""A search space's file: found, read and checked before anything starts."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slr_ray.config import as_tree, merge, read_yaml, refuse_both
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.records.goals import Goals
from slr_ray.search.spaces.overrides import lay_on, over_default
from slr_ray.search.spaces.search_config import SearchConfig, built_search
from slr_ray.search.spaces.space import Tree, extremes, parameters, parse
from slr_ray.storage import absolute

_LOCATIONS = (
    "data.location",
    "data.glosses.file",
    "split.path",
    "pool.open_data",
    "initialisation.data",
    "initialisation.path",
    "initialisation.extra_data",
)

_NAME = re.compile(r"[^\s./\\][^/\\]*")
"""Of the run's folder."""
_MEASURED_ON = ("task", "data", "split")


@dataclass(frozen=True)
class Space:
    """A checked space."""

    name: str
    title: str
    """What it is about, in a line; may be empty."""
    tree: Tree
    """With `Parameter` and `Branch` objects."""
    written: dict[str, Any]
    """The file with the user's overrides, as it can be written again."""
    default: Experiment
    """What the arm `sslr_default` trains: searched values left at their defaults, or as the file's
    `default` says."""
    start_from: tuple[Experiment, ...]
    """To try first."""
    searched: tuple[Experiment, ...]
    """Every branch and both ends of every range."""
    search: SearchConfig

    @property
    def metric(self) -> str:
        """What the search maximises on validation."""
        return self.default.training.metric

    @property
    def goals(self) -> Goals:
        """The metric, further objectives and limits."""
        return Goals(self.search.objectives or (self.metric,), self.search.limits)

    @property
    def num_rounds(self) -> int:
        """The most that a trial has after round 0."""
        return max(one.rounds.num_rounds for one in (*self.start_from, *self.searched))

    def corners(self) -> list[Experiment]:
        """All experiments that are known before the search begins."""
        return [self.default, *self.start_from, *self.searched]


def spaces_folder() -> Path:
    """Where the shipped spaces are: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[2]
    beside = package.parent / "search_spaces"
    return beside if beside.is_dir() else package / "search_spaces"


def shipped_spaces() -> list[str]:
    """Their names."""
    return sorted(file.stem for file in spaces_folder().glob("*.yaml"))


def find_space(name: str) -> Path:
    """The file of a shipped space's name or of a path; `ConfigError` lists what there is."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name)
        if not path.is_file():
            raise ConfigError(f"no such search space file: {name!r}")
        return path
    found = spaces_folder() / f"{name}.yaml"
    if found.is_file():
        return found
    names = shipped_spaces()
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names)}"
    raise ConfigError(f"no search space {name!r}; {hint} (or give the path of a YAML file)")


def load_space(name: str, overrides: Mapping[str, Any], opener: Opener | None = None) -> Space:
    """Read and check a space, `overrides` (by dotted path) laid on it.

    `opener` opens encoders that the space starts from.

    An override of a searched value fixes it, in the space's default, too; one of a branch's kind
    leaves that option of it.
    Raises `ConfigError` that names path and value: every branch and both ends of every range are
    tried on the configuration.
    """
    path = find_space(name)
    return check_space(read_yaml(path), str(path), overrides, opener)


def check_space(
    written: dict[str, Any],
    origin: str,
    overrides: Mapping[str, Any],
    opener: Opener | None = None,
) -> Space:
    """The space of a mapping; see `load_space`."""
    written = copy.deepcopy(written)
    lay_on(written, overrides)
    refuse_both(written, origin)
    written = located(written)
    rest = dict(written)
    name = rest.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(f"{origin}: name: a space needs a name, got {name!r}")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{origin}: name: the folders of runs are called by it, so it has no slash and begins "
            f"neither with a dot nor with a space, got {name!r}"
        )
    title = rest.pop("title", "")
    search = built_search(rest.pop("search", {}), f"{origin}: search")
    default = rest.pop("default", {})
    start_from = rest.pop("start_from", [])
    _refuse_unknown(rest, origin)
    if not isinstance(default, Mapping) or not isinstance(start_from, list):
        raise ConfigError(f"{origin}: default is a mapping and start_from a list of mappings")
    with _named(origin):
        tree = parse(rest)
    make = (opener or Opener()).build
    try:
        searched = tuple(make(plain, origin) for plain in extremes(tree))
    except ConfigError as error:
        laid = f" with {', '.join(overrides)} as overridden" if overrides else ""
        raise ConfigError(f"{error} (checked at the ends of the ranges{laid})") from None
    _check_searched(tree, origin, overrides)
    other = {one.split.kind for one in searched} - {"folds"}
    if search.every_fold and other:
        raise ConfigError(
            f"{origin}: search.every_fold needs split.kind=folds, got {', '.join(sorted(other))}"
        )
    fixed, told = fixed_part(tree), f"{origin}: start_from or default"
    space = Space(
        name=name,
        title=str(title),
        tree=tree,
        written=written,
        default=make(
            over_default(merge(fixed, undotted(default, f"{origin}: default")), fixed, overrides),
            told,
        ),
        start_from=tuple(
            make(merge(fixed, undotted(one, f"{origin}: start_from")), told) for one in start_from
        ),
        searched=searched,
        search=search,
    )
    _check_search(space, origin)
    return space


def _check_search(space: Space, origin: str) -> None:
    """`ConfigError` where the space can't be searched as asked."""
    search, metric = space.search, space.metric
    if search.objectives and search.objectives[0] != metric:
        raise ConfigError(
            f"{origin}: search.objectives: the first one chooses epoch, round and best trial, so "
            f"it is training.metric, {metric}; got {search.objectives[0]}: set training.metric, or "
            "another order"
        )
    for section in _MEASURED_ON:
        if len({getattr(one, section) for one in space.corners()}) > 1:
            paths = [one.path for one in parameters(space.tree)]
            own = [one for one in paths if one.partition(".")[0] == section]
            raise ConfigError(
                f"{origin}: {own[0] if own else f'default or start_from: {section}'}: it decides "
                "which clips measure, and all trials and the space's default are compared on the "
                "same ones; give one value, and make a search of its own for each other one"
            )
    with _named(origin):
        search.stopping.build(space.num_rounds, None)
        search.sampler.check(space.tree, max(search.num_trials - len(space.start_from), 0))


@contextmanager
def _named(origin: str) -> Iterator[None]:
    """What raises in the body does not know of the file."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error}") from None


def _refuse_unknown(sections: Mapping[str, Any], origin: str) -> None:
    unknown = [str(key) for key in sections if key not in Experiment.model_fields]
    if not unknown:
        return
    if unknown[0] == "published":
        raise ConfigError(f"{origin}: published: no such section; it is called 'default' now")
    known = ["name", "title", "search", "default", "start_from", *Experiment.model_fields]
    close = difflib.get_close_matches(unknown[0], known, n=1)
    hint = f", did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"
    raise ConfigError(f"{origin}: {unknown[0]}: no such section{hint}")


def _check_searched(tree: Tree, origin: str, overrides: Mapping[str, Any]) -> None:
    """`ConfigError` where nothing is searched, or what trials are compared by."""
    found = parameters(tree)
    if any(one.path == "training.metric" for one in found):
        raise ConfigError(
            f"{origin}: training.metric: trials are compared by it, so it can't be searched; give "
            "one value"
        )
    if not found:
        fixing = f", by {', '.join(overrides)}" if overrides else ""
        raise ConfigError(f"{origin}: nothing is searched: every value is fixed{fixing}")


def located(node: Any, path: str = "") -> Any:
    """A written space or configuration with absolute paths: a run may go on in another folder."""
    if isinstance(node, Mapping):
        same_place = ("choose", "choice", "default", "start_from")
        return {
            key: located(value, path if key in same_place else f"{path}.{key}".lstrip("."))
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [located(one, path) for one in node]
    return absolute(node) if path in _LOCATIONS and isinstance(node, str) else node


def fixed_part(tree: Tree) -> Tree:
    """The plain values of a space; what is searched is left to the configuration's defaults."""
    fixed: Tree = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            fixed[key] = fixed_part(value)
        elif not hasattr(value, "path"):
            fixed[key] = value
    return fixed


def undotted(given: Any, origin: str) -> Tree:
    """`as_tree` of what a file says; `ConfigError` where it is no mapping."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"{origin}: expected a mapping of dotted paths to values, got {given!r}")
    return as_tree(given)
