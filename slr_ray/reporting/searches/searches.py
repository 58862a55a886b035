"""Several searches that may be held against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slr_ray.errors import ConfigError
from slr_ray.locations import absolute
from slr_ray.reporting.run import METRIC_NAMES, Run, load_run

_LETTERS = "ABCDEFGH"
"""As many as figures have colours."""
_SHOWN = 19
"""Characters of a fingerprint, which may begin with the name of its kind."""

Searches = Mapping[str, Run]
"""By the letter that tables and figures have for each, in the order given."""


def load_searches(locations: Sequence[str]) -> Searches:
    """Read runs to be compared.

    `ConfigError` where their values are not of the same clips in the same metric, and where one is
    named twice or there are more than figures can tell apart.
    """
    if len(locations) > len(_LETTERS):
        raise ConfigError(
            f"{len(locations)} searches: figures can tell {len(_LETTERS)} apart; name fewer of them"
        )
    runs = [load_run(one) for one in locations]
    places = Counter(absolute(one.location).rstrip("/") for one in runs)
    twice = [place for place, count in places.items() if count > 1]
    if twice:
        raise ConfigError(f"{twice[0]} is named twice: name each search once")
    first = runs[0]
    for other in runs[1:]:
        for what in _MEASURED_ON:
            ours, theirs = _MEASURED_ON[what](first), _MEASURED_ON[what](other)
            if ours != theirs:
                raise ConfigError(
                    f"{first.location} and {other.location} can't be compared, as their {what} "
                    f"differ: {ours} and {theirs}"
                )
    return dict(zip(_LETTERS, runs, strict=False))


def _metric(run: Run) -> str:
    return METRIC_NAMES[run.metric]


def _corpus(run: Run) -> str:
    return f"{run.record.corpus} with fingerprint {run.record.fingerprint[:_SHOWN]}"


def _split(run: Run) -> str:
    """With its fingerprint; records of earlier versions have none."""
    split = run.record.split
    parts = ("training", "validation", "test")
    clips = "/".join(str(split.get(one, {}).get("num_clips", "–")) for one in parts)
    folds = f" in {run.record.num_folds} folds" if run.record.num_folds else ""
    fingerprint = str(split.get("fingerprint", "none"))[:_SHOWN]
    return f"{clips} clips{folds} with fingerprint {fingerprint}"


_MEASURED_ON: dict[str, Callable[[Run], str]] = {
    "metrics": _metric,
    "corpora": _corpus,
    "splits": _split,
}
"""What must be the same for values to mean the same, in words."""


def alike(searches: Searches) -> str:
    """What all of them were measured on."""
    run = next(iter(searches.values()))
    return f"All of them were measured on {_corpus(run)}, split into {_split(run)}."


def unlike(searches: Searches) -> list[str]:
    """What differs beside the space and should be known when figures are read, in sentences."""
    told = []
    for what, values in (
        ("labelled pools", [_pool(one) for one in searches.values()]),
        ("seeds of trials", [str(one.record.search_seeds) for one in searches.values()]),
        ("seeds of the comparison", [str(one.record.final_seeds) for one in searches.values()]),
        ("limits", [one.goals.limits_text() or "none" for one in searches.values()]),
    ):
        if len(set(values)) > 1:
            each = "; ".join(
                f"{name}: {value}" for name, value in zip(searches, values, strict=True)
            )
            told.append(f"The searches have different {what}. {each}.")
    return told


def _pool(run: Run) -> str:
    pool: Mapping[str, Any] = run.record.base_config.get("pool", {})
    drawn = run.record.split.get("labelled_per_seed", {})
    clips = sorted({one.get("num_clips", 0) for one in drawn.values()})
    told = ", ".join(f"{name} {value}" for name, value in pool.items())
    sizes = " to ".join(f"{one:,}" for one in dict.fromkeys((clips[0], clips[-1]))) if clips else ""
    return ", ".join(one for one in (told, f"{sizes} labelled clips" * bool(sizes)) if one) or "–"
