"""Command line options that several commands have in common, and what they say as configuration.

Nothing of torch or Ray is imported here, so that help is fast.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeAlias

import typer

from slr_ray.config import parse_overrides, set_dotted
from slr_ray.errors import ConfigError

OBJECTIVES = ("sl_fpn", "simclr", "moco", "simsiam", "byol")
AUGMENTATIONS = ("boundary", "standard", "strong")
"""Of views for pre-training. Both are here for the help texts; a test holds them against the
configuration."""

Data: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Pose shards: a Parquet file, a folder of them, or a cloud URI. "
        "Without it: the embedded corpus."
    ),
]
ExtraData: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="More pose shards to learn from; may be repeated.")
]
LabelledFraction: TypeAlias = Annotated[
    float | None, typer.Option(help="Share of the training clips that keep their labels.")
]
LabelledPerGloss: TypeAlias = Annotated[
    int | None, typer.Option(help="Training clips of each gloss that keep their labels.")
]
LabelledSigners: TypeAlias = Annotated[
    int | None, typer.Option(help="Training signers whose clips all keep their labels.")
]
Address: TypeAlias = Annotated[
    str | None, typer.Option(help="A Ray cluster's address, or auto. Without it: this machine.")
]
NumWorkers: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Train with so many workers, through Ray; default: this process."
    ),
]
MinWorkers: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="Go on with so few where nodes went; more join when they come."),
]
CpusPerWorker: TypeAlias = Annotated[
    float | None, typer.Option(help="Processors of each worker; default: 1.")
]
GpusPerWorker: TypeAlias = Annotated[
    float | None, typer.Option(help="GPUs of each worker; default: none.")
]
WaitForNodes: TypeAlias = Annotated[
    bool,
    typer.Option("--wait-for-nodes", help="Wait for an autoscaler to add the nodes that it needs."),
]
WaitAtMost: TypeAlias = Annotated[
    str | None, typer.Option(help="End where no node was large enough for so long (30m).")
]
SharedStorage: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--shared-storage", help="All machines of the cluster have the folders that are named."
    ),
]
NumThreads: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Threads; default: all, with --workers its processors.")
]
SkipBroken: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--skip-broken", help="Leave unusable clips out and list them, instead of stopping."
    ),
]
Overrides: TypeAlias = Annotated[
    list[str] | None, typer.Argument(help="section.field=value, e.g. training.num_epochs=20")
]


def data_and_pool(
    data: str | None,
    overrides: Iterable[str] | None = None,
    *,
    skip_broken: bool = False,
    labelled_fraction: float | None = None,
    labelled_per_gloss: int | None = None,
    labelled_signers: int | None = None,
) -> dict[str, Any]:
    """What the options say of an experiment's data and pool, by section; nothing where none does.

    Raises `ConfigError` where they contradict each other, or an override contradicts one of them.
    """
    pools: dict[str, dict[str, Any]] = {
        "--labelled-fraction": {"kind": "fraction", "fraction": labelled_fraction},
        "--labelled-per-gloss": {"kind": "per_gloss", "num_clips": labelled_per_gloss},
        "--labelled-signers": {"kind": "signers", "num_signers": labelled_signers},
    }
    given = {option: pool for option, pool in pools.items() if None not in pool.values()}
    if len(given) > 1:
        words = "both" if len(given) == 2 else "all"
        raise ConfigError(f"give {' or '.join(given)}, not {words}")
    if skip_broken and data is None:
        raise ConfigError("--skip-broken is about your own clips: give --data too")
    sections: dict[str, Any] = {}
    if data is not None:
        skipping = {"skip_broken": True} if skip_broken else {}
        sections["data"] = {"kind": "shards", "location": data, **skipping}
    options = {"data": f"--data {data}"}
    for option, pool in given.items():
        sections["pool"] = pool
        options["pool"] = f"{option} {list(pool.values())[-1]}"
    for name, section in sections.items():
        _refuse_contradiction(name, section, options[name], overrides or [])
    return sections


def _refuse_contradiction(
    name: str, section: Mapping[str, Any], option: str, overrides: Iterable[str]
) -> None:
    """`ConfigError` where an override says something else of a section than an option does."""
    for dotted, value in parse_overrides(overrides).items():
        root, _, field = dotted.partition(".")
        if root == name and (not field or section.get(field, value) != value):
            raise ConfigError(f"{dotted}={value} contradicts {option}; leave out one of the two")


def folds_section(num_folds: int, overrides: Iterable[str]) -> dict[str, Any]:
    """The section `split` of `--folds`; `ConfigError` where an override contradicts it."""
    section = {"kind": "folds", "num_folds": num_folds}
    fold = parse_overrides(overrides).get("split.fold")
    if fold is not None:
        raise ConfigError(f"split.fold={fold}: --folds takes every fold; leave out one of the two")
    _refuse_contradiction("split", section, f"--folds {num_folds}", overrides)
    return {**section, "fold": 0}


def laid_over(sections: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """A tree of what options say, and the user's `section.field=value` on top of it."""
    tree = copy.deepcopy(dict(sections))
    for dotted, value in parse_overrides(overrides).items():
        set_dotted(tree, dotted, value)
    return tree


def seconds_of(option: str, text: str | None) -> float | None:
    """A time span as people write it, in seconds; `ConfigError` that names the option."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if found is None or float(found[1]) == 0:
        raise ConfigError(f"{option} {text!r}: write a time above 0 such as 90s, 45m or 8h")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def refuse_beside(given: Mapping[str, Any], why: str) -> None:
    """`ConfigError` where options are given that another one rules out."""
    named = [name for name, value in given.items() if value not in (None, [])]
    if named:
        raise ConfigError(f"{why}; leave out {', '.join(named)}")
