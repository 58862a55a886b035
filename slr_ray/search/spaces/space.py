"""Search spaces: a configuration tree in which some values are distributions.

A plain value is fixed. A mapping with one key of `DISTRIBUTIONS` is searched. A list under `choose`
is a conditional branch: one of its mappings is taken, told apart by `kind`. Parameter names are
dotted paths, the same as overrides on the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from slr_ray.errors import ConfigError

Tree = dict[str, Any]


def _numbers(path: str, given: Any, kinds: tuple[type, ...], at_most: int) -> list[Any]:
    is_pair = isinstance(given, list) and 2 <= len(given) <= at_most
    if not is_pair or not all(type(one) in kinds for one in given):
        word = "whole numbers" if kinds == (int,) else "numbers"
        raise ConfigError(f"{path}: a range is [low, high] in {word}, got {given!r}")
    if given[0] > given[1]:
        raise ConfigError(f"{path}: the range's low end {given[0]} is above its high {given[1]}")
    return list(given)


def _uniform(path: str, given: Any) -> BaseDistribution:
    low, high = _numbers(path, given, (int, float), 2)
    return FloatDistribution(low, high)


def _log_uniform(path: str, given: Any) -> BaseDistribution:
    low, high = _numbers(path, given, (int, float), 2)
    if low <= 0:
        raise ConfigError(f"{path}: a logarithmic range must be above 0, got {given!r}")
    return FloatDistribution(low, high, log=True)


def _int(path: str, given: Any) -> BaseDistribution:
    low, high, *step = _numbers(path, given, (int,), 3)
    if step and step[0] < 1:
        raise ConfigError(f"{path}: the step must be at least 1, got {step[0]}")
    if step and (high - low) % step[0]:
        # Optuna would leave out the high end, with a warning of its own.
        raise ConfigError(
            f"{path}: steps of {step[0]} from {low} never come to {high} in {given!r}, which is "
            "[low, high, step]; give an end that they reach, or single values under choice"
        )
    return IntDistribution(low, high, step=step[0] if step else 1)


def _log_int(path: str, given: Any) -> BaseDistribution:
    low, high = _numbers(path, given, (int,), 2)
    if low <= 0:
        raise ConfigError(f"{path}: a logarithmic range must be above 0, got {given!r}")
    return IntDistribution(low, high, log=True)


def _choice(path: str, given: Any) -> BaseDistribution:
    plain = isinstance(given, list) and all(
        one is None or isinstance(one, bool | int | float | str) for one in given
    )
    if not plain or not given:
        raise ConfigError(f"{path}: choice needs a list of plain values, got {given!r}")
    if any(one in given[:index] for index, one in enumerate(given)):
        raise ConfigError(f"{path}: choice lists a value twice, got {given!r}: name each once")
    return CategoricalDistribution(given)


DISTRIBUTIONS: dict[str, Callable[[str, Any], BaseDistribution]] = {
    "uniform": _uniform,
    "log_uniform": _log_uniform,
    "int": _int,
    "log_int": _log_int,
    "choice": _choice,
}


@dataclass(frozen=True)
class Parameter:
    """One searched value."""

    path: str
    """Dotted path in the configuration."""
    name: str
    """Optuna's name: the path, with the branch's kind behind it inside a branch, since two branches
    may search the same path over different ranges."""
    distribution: BaseDistribution

    def ends(self) -> list[Any]:
        """The values at the edges of the distribution: all choices, or low and high."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return list(distribution.choices)
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        return [distribution.low, distribution.high]


@dataclass(frozen=True)
class Branch:
    """A choice between subtrees."""

    path: str
    options: dict[str, Tree]
    """By kind; their leaves may be `Parameter`s."""

    @property
    def name(self) -> str:
        return f"{self.path}.kind"


def parse(tree: Mapping[str, Any], path: str = "", within: str = "") -> Tree:
    """A space's tree with `Parameter` and `Branch` objects; `ConfigError` names the bad path."""
    parsed: Tree = {}
    for key, value in tree.items():
        here = f"{path}.{key}" if path else str(key)
        parsed[str(key)] = _parse_value(value, here, within)
    return parsed


def _parse_value(value: Any, path: str, within: str) -> Any:
    if not isinstance(value, Mapping):
        return value
    keys = list(value)
    if len(keys) == 1 and keys[0] in DISTRIBUTIONS:
        distribution = DISTRIBUTIONS[keys[0]](path, value[keys[0]])
        return Parameter(path, f"{path}{within}", distribution)
    if keys == ["choose"]:
        return _parse_branch(value["choose"], path, within)
    return parse(value, path, within)


def _parse_branch(options: Any, path: str, within: str) -> Branch:
    is_list = isinstance(options, list) and len(options) >= 1
    if not is_list or not all(
        isinstance(one, Mapping) and isinstance(one.get("kind"), str) for one in options
    ):
        raise ConfigError(
            f"{path}: choose needs a list of mappings, each with its kind, a text; got {options!r}"
        )
    kinds = [one["kind"] for one in options]
    if len(set(kinds)) < len(kinds):
        raise ConfigError(f"{path}: choose lists a kind twice: {', '.join(kinds)}")
    return Branch(
        path,
        {
            kind: parse(option, path, f"{within}[{kind}]")
            for kind, option in zip(kinds, options, strict=True)
        },
    )


def suggest(tree: Tree, trial: optuna.trial.BaseTrial) -> tuple[Tree, dict[str, Any]]:
    """A plain tree with suggested values, and those values by dotted path."""
    params: dict[str, Any] = {}

    def fill(node: Any) -> Any:
        if isinstance(node, Parameter):
            params[node.path] = _suggest_one(trial, node)
            return params[node.path]
        if isinstance(node, Branch):
            kind = trial.suggest_categorical(node.name, list(node.options))
            params[node.name] = kind
            return fill(node.options[str(kind)])
        if isinstance(node, dict):
            return {key: fill(value) for key, value in node.items()}
        return node

    filled = fill(tree)
    return filled, params


def _suggest_one(trial: optuna.trial.BaseTrial, parameter: Parameter) -> Any:
    distribution = parameter.distribution
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(parameter.name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(
            parameter.name,
            distribution.low,
            distribution.high,
            step=distribution.step,
            log=distribution.log,
        )
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(
        parameter.name, distribution.low, distribution.high, log=distribution.log
    )


def extremes(tree: Tree) -> Iterator[Tree]:
    """Plain trees that together show every branch and both ends of every range."""

    def alternatives(node: Any) -> list[Any]:
        if isinstance(node, Parameter):
            return node.ends()
        if isinstance(node, Branch):
            return [one for option in node.options.values() for one in alternatives(option)]
        if isinstance(node, dict):
            choices = {key: alternatives(value) for key, value in node.items()}
            count = max((len(one) for one in choices.values()), default=1)
            # Every alternative once, side by side: all pairs would be too many to check.
            return [
                {key: one[min(row, len(one) - 1)] for key, one in choices.items()}
                for row in range(count)
            ]
        return [node]

    yield from alternatives(tree)


def parameters(tree: Tree) -> list[Parameter]:
    """All searched values, branch choices included as categorical parameters."""
    found: list[Parameter] = []

    def walk(node: Any) -> None:
        if isinstance(node, Parameter):
            found.append(node)
        elif isinstance(node, Branch):
            kinds = CategoricalDistribution(list(node.options))
            found.append(Parameter(node.name, node.name, kinds))
            for option in node.options.values():
                walk(option)
        elif isinstance(node, dict):
            for value in node.values():
                walk(value)

    walk(tree)
    return found


def as_optuna_params(tree: Tree, plain: Tree) -> tuple[dict[str, Any], list[str]]:
    """A plain configuration as Optuna parameters, to be tried first.

    Returns the parameters and the paths at which the configuration lies outside the space.
    """
    params: dict[str, Any] = {}
    outside: list[str] = []

    def walk(node: Any, value: Any, path: str) -> None:
        if isinstance(node, Parameter):
            internal_ok = value is not None or isinstance(
                node.distribution, CategoricalDistribution
            )
            if internal_ok and _contains(node.distribution, value):
                params[node.name] = value
            else:
                outside.append(node.path)
        elif isinstance(node, Branch):
            kind = str((value or {}).get("kind"))
            if kind in node.options:
                params[node.name] = kind
                walk(node.options[kind], value, path)
            else:
                outside.append(node.name)
        elif isinstance(node, dict):
            for key, below in node.items():
                walk(below, (value or {}).get(key), f"{path}.{key}" if path else key)
        elif node != value:
            outside.append(path)

    walk(tree, plain, "")
    return params, outside


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (ValueError, TypeError):
        return False
