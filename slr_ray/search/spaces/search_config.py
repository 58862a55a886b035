"""How a space is searched: the section `search` of its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator, model_validator

from slr_ray.config import Config, build, merge
from slr_ray.errors import ConfigError
from slr_ray.records.goals import FigureName
from slr_ray.search.samplers.cma_es import CmaEs
from slr_ray.search.samplers.samplers import Sampler
from slr_ray.search.samplers.tpe import Tpe
from slr_ray.search.schedulers.no_stopping import NoStopping
from slr_ray.search.schedulers.scheduler import SchedulerConfig
from slr_ray.search.schedulers.schedulers import Scheduler
from slr_ray.search.schedulers.successive_halving import SuccessiveHalving

Seed = Annotated[int, Field(ge=0)]


class SearchConfig(Config):
    """How a space is searched; what is asked for most has its option on the command line."""

    renamed: ClassVar[Mapping[str, str]] = {
        "num_samples": "num_trials",
        "early_stopping": "scheduler.kind",
    }

    num_trials: int = Field(16, ge=1)
    """Trials, those of `start_from` among them."""
    search_seeds: tuple[Seed, ...] = Field((0, 1), min_length=1)
    """Label draws that each trial averages over."""
    final_seeds: tuple[Seed, ...] = Field((0, 1, 2), min_length=1)
    """Label draws of the final comparison."""
    every_fold: bool = False
    """Measure in every fold of `split.kind: folds`, so that everybody is tested once, and not in
    one split. Trials go through folds and search seeds in rotation, the final comparison through
    all pairs; each fold takes the trial that validated best in it."""
    seed: Seed = 0
    """Of the sampler."""
    sampler: Sampler = Tpe()
    """What draws the next trial."""
    scheduler: Scheduler | None = None
    """Which trials are stopped early. None = `successive_halving`; with several objectives `none`,
    as a trial that lags behind in the first one may lead in another."""
    objectives: tuple[FigureName, ...] = ()
    """What trials are to be good in, `training.metric` first: it still chooses the best trial. The
    others make a Pareto front. Empty = the metric alone."""
    constraints: dict[FigureName, float] = Field(default_factory=dict)
    """Limits that the best trial has to keep: the most of a cost, loss or calibration error, the
    least of the rest."""

    @property
    def stopping(self) -> SchedulerConfig:
        """The scheduler that is meant."""
        if self.scheduler is not None:
            return self.scheduler
        return NoStopping() if len(self.objectives) > 1 else SuccessiveHalving()

    @property
    def limits(self) -> dict[str, float]:
        """The constraints by plain names."""
        return {str(name): limit for name, limit in self.constraints.items()}

    @field_validator("search_seeds", "final_seeds", "objectives")
    @classmethod
    def _once_each(cls, named: tuple[Any, ...], info: Any) -> tuple[Any, ...]:
        if len(set(named)) < len(named):
            raise ValueError(f"name each {'seed' if 'seeds' in info.field_name else 'one'} once")
        return named

    @model_validator(mode="after")
    def _several_objectives(self) -> SearchConfig:
        if len(self.objectives) < 2:
            return self
        if isinstance(self.sampler, CmaEs):
            raise ValueError("sampler cma_es knows one objective; take tpe")
        if not isinstance(self.stopping, NoStopping):
            raise ValueError(
                f"scheduler {self.scheduler.kind} would stop trials by the first of several "  # type: ignore[union-attr]
                "objectives, which may lead in another; set search.scheduler.kind=none"
            )
        return self


def built_search(given: Any, origin: str) -> SearchConfig:
    """The section as a configuration; the kinds that it leaves out are the default ones."""
    kinds = {"sampler": {"kind": Tpe().kind}, "scheduler": {"kind": SuccessiveHalving().kind}}
    if not isinstance(given, Mapping):
        raise ConfigError(f"{origin}: expected a mapping of its fields, got {given!r}")
    named = {key: one for key, one in kinds.items() if isinstance(given.get(key), Mapping)}
    return build(SearchConfig, merge(named, given), origin)
