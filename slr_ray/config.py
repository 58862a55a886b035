"""How every configuration is read: field default < file < `section.field=value`.

One pydantic tree serves YAML, command line and search. Classes live beside the code that they
configure; this module holds what they share.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from yaml.composer import ComposerError

from slr_ray.errors import ConfigError

ConfigT = TypeVar("ConfigT", bound="Config")


class Config(BaseModel):
    """Base of every configuration section: immutable; unknown keys, infinity and NaN are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )
    renamed: ClassVar[Mapping[str, str]] = {}
    """Words of earlier versions and what they are called now."""


class Record(Config):
    """Base of what is measured and written: a result may be infinite or no number."""

    model_config = ConfigDict(allow_inf_nan=True)


def is_whole(value: object, least: int) -> bool:
    """Whether a caller in Python gave a whole number, NumPy's as well, of at least so much."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


class _Loader(yaml.SafeLoader):
    """YAML in which 1e-3 is a number and `yes` a word, as in YAML 1.2; PyYAML reads 1.1.

    A key that stands twice is an error, as there: PyYAML takes the last one and says nothing. So is
    a value that contains itself: a configuration ends somewhere.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        node = super().compose_node(parent, index)
        # An alias of what is still being read.
        if node is not None and node.end_mark is None:
            raise ComposerError(None, None, "this value contains itself", node.start_mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: dict[tuple[str, str], yaml.Node] = {}
        for key, _ in node.value:
            first = seen.setdefault((key.tag, str(key.value)), key)
            if first is not key:
                problem = f"the key {key.value!r} is there twice, first in line "
                problem += str(first.start_mark.line + 1)
                raise ComposerError(None, None, problem, key.start_mark)
        return node


_BOOL = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [one for one in resolvers if one[0] != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def _load(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)  # a SafeLoader


_COUNTS_INSTEAD = {"num_epochs": "num_steps"}
"""Fields, and which other one of their section counts instead where it has a value. A configuration
that was written whole has both; who gives the first over a layer with the other means the first.
"""


def deciding(dotted: str) -> tuple[str, ...]:
    """The paths on which it hangs what a field comes to: its own, and what counts instead of it."""
    section, dot, last = dotted.rpartition(".")
    instead = _COUNTS_INSTEAD.get(last)
    return (dotted,) if instead is None else (dotted, f"{section}{dot}{instead}")


def refuse_both(layer: Any, origin: str) -> None:
    """`ConfigError` where a layer that people write gives a field and what counts instead of it."""
    if isinstance(layer, Mapping):
        for key, value in layer.items():
            refuse_both(value, origin)
            for other in deciding(str(key))[1:]:
                if value is not None and layer.get(other) is not None:
                    raise ConfigError(f"{origin}: give {key} or {other}, not both")
    elif isinstance(layer, list | tuple):
        for one in layer:
            refuse_both(one, origin)


def _take_back(section: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Empty in `section`, in place, what would count instead of a field that is `given` over it."""
    for field, instead in _COUNTS_INSTEAD.items():
        below = section.get(instead)
        if given.get(field) is not None and instead not in given and below is not None:
            section[instead] = None


def set_dotted(tree: dict[str, Any], dotted: str, value: Any) -> None:
    """Lay `value` on the tree at the dotted path, in place, making the mappings on the way."""
    section, last = _section_of(tree, dotted)
    _take_back(section, {last: value})
    section[last] = value


def _section_of(tree: dict[str, Any], dotted: str) -> tuple[dict[str, Any], str]:
    """The mapping that holds the end of a dotted path, and what it is called there."""
    *parents, last = dotted.split(".")
    for parent in parents:
        child = tree.setdefault(parent, {})
        if not isinstance(child, dict):
            raise ConfigError(f"{dotted}: {parent!r} holds the value {child!r}, not a section")
        tree = child
    return tree, last


def as_tree(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` as `{"a": {"b": 1}}`, one layer."""
    tree: dict[str, Any] = {}
    for dotted, value in values.items():
        section, last = _section_of(tree, str(dotted))
        section[last] = value
    return tree


def parse_overrides(overrides: Iterable[str]) -> dict[str, Any]:
    """`["training.num_epochs=5"]` as `{"training.num_epochs": 5}`; values are read as YAML."""
    parsed: dict[str, Any] = {}
    for override in overrides:
        dotted, equals, text = override.partition("=")
        if not equals or not dotted:
            raise ConfigError(f"{override!r} is not an override; write section.field=value")
        try:
            parsed[dotted] = _load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"{override!r}: the value is not valid YAML ({error})") from None
    refuse_both(parsed, "command line")
    return parsed


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`, section by section.

    A section whose `kind` changes starts afresh: the fields of another kind mean nothing there.
    What counts instead of a field that `over` gives is emptied: see `_COUNTS_INSTEAD`.
    """
    merged = dict(base)
    _take_back(merged, over)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            other_kind = "kind" in value and value["kind"] != below.get("kind")
            merged[key] = dict(value) if other_kind else merge(below, value)
        else:
            merged[key] = value
    return merged


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; `ConfigError` names the file and line where it is broken."""
    try:
        return parse_yaml(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise ConfigError(f"no such file: {path}") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None


def parse_yaml(content: bytes, origin: str) -> dict[str, Any]:
    """The mapping in a YAML file's content; `ConfigError` as `read_yaml`."""
    try:
        tree = _load(content.decode())
    except UnicodeDecodeError:
        raise ConfigError(f"{origin} is not a text file") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}:" if where else ""
        problem = getattr(error, "problem", None) or error
        raise ConfigError(f"{origin}:{line} not valid YAML: {problem}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{origin}: expected a mapping at the top level, found {tree!r}")
    return tree


def build(cls: type[ConfigT], tree: Mapping[str, Any], origin: str) -> ConfigT:
    """Validate `tree` as `cls`; `ConfigError` lists each wrong field with its value."""
    try:
        return cls.model_validate(tree)
    except ValidationError as error:
        problems = []
        for item in error.errors(include_url=False):
            fields, classes = _followed(cls, item["loc"])
            dotted = ".".join(fields)
            if item["type"] == "union_tag_not_found":
                kinds = ", ".join(one.model_fields["kind"].default for one in classes)
                problems.append(f"{dotted}: name which one with {dotted}.kind; there are {kinds}")
            elif item["type"] == "extra_forbidden":
                problems.append(f"{dotted}: no such field{_instead(cls, item['loc'])}")
            elif item["type"] == "missing":
                problems.append(f"{dotted}: missing; it has no default")
            else:
                told, given = item["msg"].removeprefix("Value error, "), item["input"]
                # What is wrong between fields names them itself; the whole section says no more.
                if item["type"] != "value_error" or not isinstance(given, Mapping):
                    told += f" (got {given!r})"
                problems.append(f"{dotted}: {told}" if dotted else told)
        raise ConfigError(f"{origin}: " + "; ".join(problems)) from None


def _sections(annotation: Any) -> list[type[BaseModel]]:
    """The configuration classes that an annotation names, through unions and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        return [found for argument in typing.get_args(annotation) for found in _sections(argument)]
    return []


def alternatives(cls: type[BaseModel], field: str) -> dict[str, type[BaseModel]]:
    """The classes that a field may hold, by their `kind`."""
    return {
        one.model_fields["kind"].default: one
        for one in _sections(cls.model_fields[field].annotation)
        if "kind" in one.model_fields
    }


def _followed(
    cls: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[list[str], list[type[BaseModel]]]:
    """A location as the user writes it, without the kinds by which pydantic tells alternatives, and
    the classes that may stand there.
    """
    fields: list[str] = []
    classes: list[type[BaseModel]] = [cls]
    for part in location:
        named = [one for one in classes if part in one.model_fields]
        if named:
            classes = [
                found
                for one in named
                for found in _sections(one.model_fields[str(part)].annotation)
            ]
        else:
            of_kind = [
                one
                for one in classes
                if "kind" in one.model_fields and one.model_fields["kind"].default == part
            ]
            if of_kind:
                classes = of_kind
                continue
        fields.append(str(part))
    return fields, classes


def _instead(cls: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """What there is where a field is not: in the section's own kind, where it has one."""
    _, classes = _followed(cls, location[:-1])
    wrong = str(location[-1])
    for one in classes:
        now = one.renamed.get(wrong) if issubclass(one, Config) else None
        if now is not None:
            return f"; it is called {now!r} now"
    kinds = [one.model_fields["kind"].default for one in classes if "kind" in one.model_fields]
    of_kind = f" of kind {kinds[0]!r}" if len(classes) == len(kinds) == 1 else ""
    names = sorted({name for one in classes for name in one.model_fields})
    close = difflib.get_close_matches(wrong, names, n=1)
    return of_kind + (
        f", did you mean {close[0]!r}?" if close else f"; there are {', '.join(names)}"
    )
