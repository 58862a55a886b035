"""From an experiment and a seed to everything that its rounds depend on."""

from __future__ import annotations

from slr_ray.experiment.experiment import Experiment, problem, stage_facts
from slr_ray.experiment.linear_evaluation import LinearEvaluationConfig
from slr_ray.methods.pretraining import initial_encoder
from slr_ray.methods.sslr import OnEpoch, Setting
from slr_ray.records.stages import StageStore
from slr_ray.workers.place import Place


def setting(
    config: Experiment,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnEpoch | None = None,
) -> Setting:
    """One seed of an experiment, with its rounds in `stages`.

    Raises `ConfigError` where its initial weights know validation or test clips.
    """
    return Setting(
        problem=problem(config, seed),
        training=config.training,
        method=config.rounds,
        seed=seed,
        facts=stage_facts(config),
        stages=stages,
        place=place,
        on_epoch=on_epoch,
        encoder=initial_encoder(config, seed, stages, place),
        frozen=isinstance(config.method, LinearEvaluationConfig),
    )
