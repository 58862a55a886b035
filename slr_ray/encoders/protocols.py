"""SSL-SLR's evaluations of a frozen encoder (arXiv 2509.05188, section 6.3), beside two references.

Every number is that of clips that neither pre-training nor the classifier saw, chosen on
validation, measured once on the test set. With a split by signer their signers are new to the
classifier and to a pre-training on the same split; another pre-training may have seen them
(`encoder.seen_signers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int

from slr_ray.encoders.records import Classification, ClassificationRecord, GeometryRecord
from slr_ray.evaluation.collapse import measure_collapse
from slr_ray.evaluation.inertia import intra_class_inertia
from slr_ray.evaluation.linear import linear_probe
from slr_ray.evaluation.metrics import measure
from slr_ray.evaluation.mlp import mlp_probe
from slr_ray.evaluation.neighbours import neighbour_probe, normalised
from slr_ray.evaluation.probe import Probe, RepresentedSet
from slr_ray.experiment.encoder_file import Encoder
from slr_ray.methods.nearest_neighbour import pose_vectors
from slr_ray.models.config import ModelConfig, new_encoder
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import NormalisationConfig, num_channels
from slr_ray.training.problem import Problem
from slr_ray.training.representation import represented_set
from slr_ray.workers.place import Place

Source = Literal["encoder", "fresh", "poses"]
SOURCES: dict[Source, str] = {
    "encoder": "pre-trained encoder",
    "fresh": "fresh encoder",
    "poses": "normalised poses",
}
"""What is evaluated: the encoder, the same architecture with random weights, and no encoder."""


@dataclass(frozen=True)
class Represented:
    """Representations of a problem's clips by one source."""

    training: RepresentedSet
    """The labelled pool."""
    validation: RepresentedSet
    test: RepresentedSet


def fresh_model(config: ModelConfig, normalisation: NormalisationConfig, seed: int) -> Model:
    """An encoder with random weights; global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return new_encoder(config, num_channels(normalisation)).eval()


def represent(
    source: Source, encoder: Encoder, problem: Problem, seed: int, place: Place
) -> Represented:
    """Representations of the labelled, validation and test clips; `seed` draws fresh weights."""
    model: Model | None = encoder.model
    if source != "encoder":
        fresh = source == "fresh"
        model = fresh_model(encoder.model_config, encoder.normalisation, seed) if fresh else None
    return represented(model, problem, encoder.max_frames, place)


def represented(
    model: Model | None, problem: Problem, max_frames: int | None, place: Place
) -> Represented:
    """The labelled, validation and test clips; as poses without a model."""

    def of(clips: Int[np.ndarray, " clips"]) -> RepresentedSet:
        if model is None:
            return RepresentedSet(pose_vectors(problem, clips).numpy(), problem.glosses(clips))
        return represented_set(
            model.to(place.device), problem, clips, max_frames=max_frames, device=place.device
        )

    return Represented(of(problem.labelled), of(problem.split.validation), of(problem.split.test))


def classify(
    protocol: Classification, clips: Represented, num_glosses: int, seed: int
) -> ClassificationRecord:
    """Fit on training, choose on validation, measure once on test."""
    return answered(protocol, clips, num_glosses, seed)[0]


def answered(
    protocol: Classification, clips: Represented, num_glosses: int, seed: int
) -> tuple[ClassificationRecord, Float[np.ndarray, "clips glosses"]]:
    """`classify`, and the probabilities of the test clips that it measured."""
    probe = _probe(protocol, clips, num_glosses, seed)
    probabilities = probe.classify(clips.test.representations)
    record = ClassificationRecord(
        setting=probe.setting,
        validation=probe.validation,
        test=measure(probabilities, clips.test.glosses),
    )
    return record, probabilities


def geometry(clips: Represented) -> GeometryRecord:
    """Inertia and collapse of the test clips.

    Inertia is that of the L2-normalised representations, so that sources of different scale can be
    compared.
    """
    test = clips.test
    inertia = intra_class_inertia(normalised(test.representations), test.glosses)
    collapse = measure_collapse(test.representations)
    return GeometryRecord(
        inertia=inertia.within,
        inertia_share=inertia.share,
        spread=collapse.spread,
        effective_rank=collapse.effective_rank,
        mean_cosine=collapse.mean_cosine,
    )


def _probe(protocol: Classification, clips: Represented, num_glosses: int, seed: int) -> Probe:
    match protocol:
        case "linear":
            return linear_probe(clips.training, clips.validation, num_glosses)
        case "mlp":
            return mlp_probe(clips.training, clips.validation, num_glosses, seed)
        case "knn":
            return neighbour_probe(clips.training, clips.validation, num_glosses)
