"""What a trained recogniser answers on its experiment's test clips, clean and perturbed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.data import DataConfig, ShardsConfig
from slr_ray.errors import ConfigError
from slr_ray.evaluation.people import POOLED_METRICS, SignerCounts, difference_spans, spans
from slr_ray.evaluation.perturbations import Perturbation, PerturbedClips
from slr_ray.experiment.opener import Opener
from slr_ray.methods.measured import answers
from slr_ray.methods.recogniser import Recogniser, load_recogniser
from slr_ray.poses.reading import ReadableClips
from slr_ray.records.measured import Metric
from slr_ray.records.predictions import ClipPrediction
from slr_ray.records.robustness import PerturbedScore, RobustnessPoint, Score
from slr_ray.storage import absolute


@dataclass(frozen=True)
class Examinee:
    """A recogniser and labelled clips that it did not train on."""

    recogniser: Recogniser
    corpus: Corpus
    clips: Int[np.ndarray, " test"]

    def answers(
        self, what: Perturbation | None, seed: int = 0, picture_aspect: float = 1.0
    ) -> list[ClipPrediction]:
        """On every clip under one perturbation; None = as it is."""
        source: ReadableClips = self.corpus
        if what is not None:
            source = PerturbedClips(self.corpus, what, seed, picture_aspect)
        found = self.recogniser.probabilities(source, self.clips)
        return answers(self.corpus, self.clips, found)


def clean_scores(clean: Sequence[ClipPrediction]) -> dict[Metric, Score]:
    """Each metric of the answers on unperturbed clips."""
    counts = SignerCounts.of(clean)
    values, found = counts.once(), spans([counts])
    return {
        name: Score(value=values[name], over_signers=found.get(name)) for name in POOLED_METRICS
    }


def point(
    what: Perturbation, found: Sequence[ClipPrediction], clean: Sequence[ClipPrediction]
) -> RobustnessPoint:
    """The answers under a perturbation against those on the same clips without it."""
    own, reference = SignerCounts.of(found), SignerCounts.of(clean)
    values, before = own.once(), reference.once()
    intervals, changes = spans([own]), difference_spans([own], [reference])
    return RobustnessPoint(
        kind=what.kind,
        strength=what.strength,
        metrics={
            name: PerturbedScore(
                value=values[name],
                over_signers=intervals.get(name),
                change=values[name] - before[name],
                change_over_signers=changes.get(name),
            )
            for name in POOLED_METRICS
        },
    )


def open_examinee(checkpoint: str, data: str | None = None) -> Examinee:
    """A checkpoint with the test clips of its experiment; `data` is where its poses lie now.

    Raises `ConfigError` where these are not the data, or not the split, that it was trained on:
    nothing else tells which clips it has never seen.
    """
    recogniser = load_recogniser(checkpoint)
    config = recogniser.config.data if data is None else _moved(recogniser.config.data, data)
    opener = Opener()
    corpus, parts = opener.corpus(config), opener.split(config, recogniser.config.split)
    told = f"{checkpoint} was trained on"
    if corpus.fingerprint != recogniser.fingerprint:
        raise ConfigError(
            f"{told} other clips than those of {corpus.name} (fingerprint "
            f"{recogniser.fingerprint[:12]} instead of {corpus.fingerprint[:12]}), so that its "
            "test clips can't be told from those it has seen. Give the poses of its training: "
            "--data"
        )
    if recogniser.split not in (None, parts.fingerprint):
        raise ConfigError(
            f"{told} another split of {corpus.name}, so that its test clips can't be told from "
            f"those it has seen: restore {getattr(recogniser.config.split, 'path', 'the split')}"
        )
    return Examinee(recogniser, corpus, parts.test)


def _moved(data: DataConfig, location: str) -> DataConfig:
    if not isinstance(data, ShardsConfig):
        raise ConfigError(
            f"--data {location}: the checkpoint was trained on the embedded corpus; leave it out"
        )
    return data.model_copy(update={"location": absolute(location)})
