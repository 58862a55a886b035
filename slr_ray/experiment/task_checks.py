"""What does not go with isolated signs, and what not with sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from slr_ray.augmentation.config import (
    AugmentationConfig,
    BoundaryAugmentation,
    StandardAugmentation,
    StrongAugmentation,
)
from slr_ray.errors import ConfigError
from slr_ray.experiment.consistency_config import SentenceConsistencyConfig
from slr_ray.experiment.rounds.sentences import SentenceRoundsConfig
from slr_ray.models.streams.part_streams import PartStreamsConfig

if TYPE_CHECKING:
    from slr_ray.experiment.experiment import Experiment

_METRIC = "gloss_accuracy"
_OF_SENTENCES = {"sslr_sentences": "sslr", "consistency_sentences": "consistency"}


def check_task(built: Experiment, origin: str) -> None:
    """`ConfigError` that names the first setting that does not fit the experiment's task."""
    unfit = _unfit_for_sentences if built.task == "continuous" else _unfit_for_signs
    for told in unfit(built):
        raise ConfigError(f"{origin}: {told}")


def _unfit_for_signs(built: Experiment) -> Iterator[str]:
    if built.sentences is not None:
        yield "sentences: this section is for task=continuous; leave it out, or set the task"
    if built.method.kind in _OF_SENTENCES:
        yield (
            f"method.kind {built.method.kind!r} is for sentences: set task=continuous, or "
            f"method.kind={_OF_SENTENCES[built.method.kind]}"
        )
    if built.training.metric == _METRIC:
        yield (
            f"training.metric is {_METRIC!r}, which is measured on sentences: set task=continuous, "
            "or another metric"
        )


def _unfit_for_sentences(built: Experiment) -> Iterator[str]:
    settings, training = built.sentences, built.training
    # First, as commands that pre-train bring a preset of their own.
    if built.initialisation.kind != "fresh":
        yield (
            f"initialisation.kind {built.initialisation.kind!r} is for isolated signs, as are the "
            "commands that pre-train and evaluate encoders: with task=continuous leave it out, in "
            "slr_ray.train or slr_ray.tune"
        )
    if settings is None:
        yield (
            f"task=continuous, but preset {built.preset!r} is for isolated signs: leave the preset "
            "out, or set preset=continuous"
        )
        return
    if not isinstance(built.model, PartStreamsConfig):
        yield (
            f"model.kind {built.model.kind!r} gives one answer a clip, and task=continuous wants "
            "one a step: set model.kind=part_streams"
        )
    elif built.model.answer == "both" and not settings.early_weight:
        yield (
            "model.answer is 'both', but sentences.early_weight=0 leaves the early head untrained: "
            "set model.answer=fused, or a weight above 0"
        )
    if built.method.kind not in ("supervised", *_OF_SENTENCES):
        yield (
            f"method.kind {built.method.kind!r} is for isolated signs: with task=continuous set "
            f"method.kind={', '.join(_OF_SENTENCES)} or supervised"
        )
    if isinstance(built.method, SentenceRoundsConfig):
        is_by_segment = built.method.selection.kind == "segment_wise"
        if is_by_segment and not settings.has_dense_labels:
            yield (
                "method.selection.kind 'segment_wise' chooses segments for dense labels, but "
                "sentences.dplr gives none: set sentences.dplr.source=refined and a weight above "
                "0, or another selection"
            )
    if built.pool.open_data:
        yield (
            "pool.open_data adds clips of isolated signs to the pool: with task=continuous leave "
            "it out"
        )
    if built.normalisation.drop_handless_frames:
        yield (
            "normalisation.drop_handless_frames: the times of a sentence's glosses need all "
            "frames; set it to false"
        )
    if training.metric != _METRIC:
        yield (
            f"training.metric is {training.metric!r}, which is measured on isolated signs: with "
            f"task=continuous set training.metric={_METRIC}"
        )
    for name, off in (("label_smoothing", 0.0), ("mixup", 0.0), ("class_balance", "none")):
        value = getattr(training, name)
        if value != off:
            yield (
                f"training.{name} is {value}, but CTC has no labels of clips to apply it to: with "
                f"task=continuous set it to {off}"
            )
    if built.test_time_views > 1:
        yield (
            f"test_time_views is {built.test_time_views}, but the answers to a sentence's views "
            "are sequences, which have no mean: with task=continuous set it to 1"
        )
    yield from _unfit_views(built)
    if settings.has_dense_labels and training.ema_decay is None:
        yield (
            "sentences.dplr: the averaged weights give dense labels, but training.ema_decay is "
            "null: set training.ema_decay=0.99, or sentences.dplr.source=none"
        )


def _unfit_views(built: Experiment) -> Iterator[str]:
    """Views that lose signs, or that leave too few frames for the glosses."""
    yield from _unfit_view("augmentation", built.augmentation)
    if isinstance(built.method, SentenceConsistencyConfig) and built.method.strong is not None:
        yield from _unfit_view("method.strong", built.method.strong)


def _unfit_view(section: str, views: AugmentationConfig) -> Iterator[str]:
    if isinstance(views, BoundaryAugmentation):
        yield (
            f"{section}.kind 'boundary' permutes the ends of a clip of one sign: with "
            f"task=continuous set {section}.kind=strong"
        )
    lossy = {StrongAugmentation: "cut_probability", StandardAugmentation: "crop_probability"}
    for kind, name in lossy.items():
        if isinstance(views, kind) and getattr(views, name):
            yield (
                f"{section}.{name} is {getattr(views, name):g}, but a sentence's ends may carry "
                "signs: with task=continuous set it to 0"
            )
    if isinstance(views, StrongAugmentation | StandardAugmentation) and views.speed_probability:
        yield (
            f"{section}.speed_probability is {views.speed_probability:g}: with task=continuous "
            "set it to 0; sentences.shortest and sentences.longest change the speed"
        )
