"""What does not go with labels of validation that train: everything that chooses by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from slr_ray.errors import ConfigError
from slr_ray.experiment.consistency_config import ConsistencyConfig
from slr_ray.experiment.linear_evaluation import LinearEvaluationConfig
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.training.config import TrainingConfig

if TYPE_CHECKING:
    from slr_ray.experiment.experiment import Experiment

_TRAINS = "training.with_validation=true leaves nothing to choose by"


def check_validation(built: Experiment, origin: str) -> None:
    """`ConfigError` that names the first setting that chooses by clips that train."""
    if built.training.with_validation:
        for told in _choosing(built):
            raise ConfigError(f"{origin}: {_TRAINS}: {told}")


def refuse_choosing(training: TrainingConfig, what: str) -> None:
    """`ConfigError` where `what` chooses by validation and its labels train."""
    if training.with_validation:
        raise ConfigError(f"{_TRAINS}, and {what} does; leave it out here")


def _choosing(built: Experiment) -> Iterator[str]:
    training, method = built.training, built.method
    if training.keep != "last":
        yield "add training.keep=last, which takes the last epoch's model"
    if training.patience_epochs is not None:
        yield "set training.patience_epochs=null"
    if built.rounds.patience_rounds is not None:
        yield "set method.patience_rounds=null"
    if isinstance(method, SslrConfig) and method.calibration == "temperature":
        yield "set method.calibration=folds, whose temperature needs no validation clip"
    if isinstance(method, SslrConfig | ConsistencyConfig) and method.reject is not None:
        yield "set method.reject=null, as it rejects what is unlike clips that the model is new to"
    if isinstance(method, LinearEvaluationConfig):
        yield "method.kind=linear chooses its regularisation by them"
