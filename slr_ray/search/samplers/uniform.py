"""Random search."""

from __future__ import annotations

from typing import Literal

from optuna.samplers import BaseSampler

from slr_ray.search.samplers.sampler import PerTrialSampler, SamplerConfig
from slr_ray.search.spaces.space import Tree


class Random(SamplerConfig):
    """Each parameter by itself, evenly over its range: what every other sampler has to beat."""

    kind: Literal["random"] = "random"

    def build(self, space: Tree, seed: int) -> BaseSampler:
        return PerTrialSampler(seed)

    def described(self, space: Tree) -> str:
        return "random search"
