"""What a search is after: figures of a trial, limits on them, trials that no other one beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from slr_ray.records.measured import SeedRecord
from slr_ray.records.runs import RunRecord, TrialRecord, best_trial

FigureName = Literal[
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "top5_accuracy",
    "loss",
    "calibration_error",
    "gloss_accuracy",
    "wer",
    "training_s",
    "num_steps",
    "num_labels",
]
"""Those on validation, of isolated signs or of sentences, and the cost of one label draw: seconds
and gradient steps of all rounds, those that trials share as if it had trained them itself,
pre-training included; labelled clips."""

TITLES: dict[str, str] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "top5_accuracy": "top-5 accuracy",
    "calibration_error": "calibration error",
    "loss": "loss",
    "gloss_accuracy": "1 − WER",
    "wer": "WER",
    "training_s": "training, s",
    "num_steps": "gradient steps",
    "num_labels": "labelled clips",
}
_COSTS = ("training_s", "num_steps", "num_labels")
MEASURED = tuple(name for name in TITLES if name not in _COSTS)
"""Those that validation gives, of isolated signs or of sentences."""


def is_share(name: str) -> bool:
    """Whether a figure is a share of clips or glosses, which people read in percent."""
    return name in MEASURED and name != "loss"


def smaller_is_better(name: str) -> bool:
    return name in ("loss", "calibration_error", "wer", *_COSTS)


def figures(trial: TrialRecord) -> dict[str, float]:
    """Every figure of a trial, mean over its draws; none of one without a round."""
    seeds = [one for one in trial.seeds if one.rounds]
    if not seeds:
        return {}
    found = [_of_seed(one) for one in seeds]
    return {name: sum(one[name] for one in found) / len(found) for name in found[0]}


def _of_seed(seed: SeedRecord) -> dict[str, float]:
    best = seed.rounds[seed.best_round].validation
    return {
        **{name: getattr(best, name) for name in MEASURED if name in type(best).model_fields},
        "training_s": sum(one.training_s + one.training_before_s for one in seed.rounds),
        "num_steps": sum(one.num_steps + one.steps_before for one in seed.rounds),
        "num_labels": seed.num_labelled,
    }


@dataclass(frozen=True)
class Goals:
    """What a run was asked for."""

    objectives: Sequence[str]
    """The first chooses the best trial."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """The most of what is better small, the least of the rest."""

    @classmethod
    def of(cls, run: RunRecord) -> Goals:
        return cls(run.objectives or [run.metric], run.constraints)

    @property
    def figures(self) -> list[str]:
        """All that is asked of a trial, the objectives first."""
        return list(dict.fromkeys([*self.objectives, *self.limits]))

    def excess(self, found: Mapping[str, float]) -> dict[str, float]:
        """By how much each limit is broken, as a share of it; at most 0 where it is kept."""
        beyond = {
            name: (found[name] - limit) * (1 if smaller_is_better(name) else -1)
            for name, limit in self.limits.items()
        }
        return {name: one / (abs(self.limits[name]) or 1.0) for name, one in beyond.items()}

    def kept(self, trial: TrialRecord) -> bool:
        """Whether a trial keeps every limit."""
        if not self.limits:
            return True
        found = figures(trial)
        return bool(found) and all(one <= 0 for one in self.excess(found).values())

    def best(
        self, trials: Sequence[TrialRecord], metric: str, fold: int | None = None
    ) -> TrialRecord | None:
        """Of the trials that keep every limit the best one, in a fold where given."""
        return best_trial([one for one in trials if self.kept(one)], metric, fold)

    def front(self, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
        """Complete trials within the limits that no other one beats in all objectives at once."""
        points = {
            one.number: self._point(one)
            for one in trials
            if one.status == "complete" and one.seeds and self.kept(one)
        }
        return [
            one
            for one in trials
            if one.number in points
            and not any(_beats(other, points[one.number]) for other in points.values())
        ]

    def _point(self, trial: TrialRecord) -> list[float]:
        found = figures(trial)
        return [found[name] * (-1 if smaller_is_better(name) else 1) for name in self.objectives]

    def beyond_text(self, outside: TrialRecord) -> str:
        """Why no trial is best where all break a limit, of which `outside` is the best one."""
        found = figures(outside)
        reached = ", ".join(f"{name} {found[name]:.4g}" for name in self.limits)
        return (
            f"no complete trial keeps {self.limits_text()}, so none is compared; trial "
            f"{outside.number}, the best of the others, has {reached}"
        )

    def limits_text(self) -> str:
        """For reading, such as training_s <= 600."""
        return ", ".join(
            f"{name} {'<=' if smaller_is_better(name) else '>='} {limit:g}"
            for name, limit in self.limits.items()
        )


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Better in something and worse in nothing."""
    return all(a >= b for a, b in zip(one, other, strict=True)) and list(one) != list(other)
