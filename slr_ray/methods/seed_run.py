"""From an experiment and a seed to everything that its rounds depend on."""

from __future__ import annotations

from slr_ray.experiment.linear_evaluation import LinearEvaluationConfig
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.consistency import stream_settings
from slr_ray.methods.pretraining import initial_encoder
from slr_ray.methods.sslr import OnEpoch, SeedRun
from slr_ray.records.stages import StageStore
from slr_ray.workers.place import Place


def prepare_seed(
    prepared: Prepared,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnEpoch | None = None,
) -> SeedRun:
    """One seed of an experiment, with its rounds in `stages`.

    Raises `ConfigError` where its initial weights know validation or test clips, or several workers
    were to train what only one can.
    """
    config, problem = prepared.config, prepared.problem(seed)
    return SeedRun(
        problem=problem,
        training=config.training,
        method=config.rounds,
        seed=seed,
        facts=prepared.stage_facts(),
        stages=stages,
        place=place,
        on_epoch=on_epoch,
        encoder=initial_encoder(prepared, seed, stages, place),
        frozen=isinstance(config.method, LinearEvaluationConfig),
        stream=stream_settings(config.method, problem, place.world_size),
    )
