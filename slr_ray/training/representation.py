"""Representations of clips: what an encoder makes of them."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int

from slr_ray.evaluation.probe import RepresentedSet
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import NormalisationConfig, readable
from slr_ray.poses.reading import ReadableClips, in_batches
from slr_ray.selection.evidence import Needs
from slr_ray.training.batches import model_input
from slr_ray.training.config import TrainingConfig
from slr_ray.training.prediction import BATCH_CLIPS, autocast, evaluating
from slr_ray.training.problem import Problem


@torch.inference_mode()
def represent_clips(
    model: Model,
    source: ReadableClips,
    clips: Int[np.ndarray, " clips"],
    *,
    normalisation: NormalisationConfig,
    max_frames: int | None,
    device: torch.device,
    precision: str = "float32",
) -> Float[np.ndarray, "clips width"]:
    """Representations without augmentation and dropout, in the order of `clips`.

    Clips of similar length share a batch, so that little is padded. `model` must be on `device`.
    Raises `ValueError` without a clip.
    """
    if not len(clips):
        raise ValueError("no clip to represent")
    found: torch.Tensor | None = None
    batches = in_batches(readable(source, normalisation), clips, BATCH_CLIPS, max_frames)
    with evaluating(model):
        for places, batch in batches:
            inputs, mask = model_input(batch.to(device), normalisation, None, None)
            with autocast(device, precision):
                represented = model.represent(inputs, mask).float().cpu()
            if found is None:
                found = torch.empty(len(clips), represented.shape[1])
            found[torch.from_numpy(places)] = represented
    assert found is not None
    return found.numpy()


@torch.inference_mode()
def energies(
    model: Model, represented: Float[np.ndarray, "clips width"], device: torch.device
) -> Float[np.ndarray, " clips"]:
    """Free energy -logsumexp(logits) of clips (Liu et al. 2020) from what `represent_clips` gave.

    `model` must be on `device`.
    """
    found = np.empty(len(represented), np.float32)
    with evaluating(model):
        for start in range(0, len(represented), BATCH_CLIPS):
            part = slice(start, start + BATCH_CLIPS)
            logits = model.classifier(torch.from_numpy(represented[part]).to(device))
            found[part] = -logits.logsumexp(dim=1).cpu().numpy()
    return found


def represent_on(
    problem: Problem,
    model: Model,
    clips: Int[np.ndarray, " clips"],
    *,
    max_frames: int | None,
    device: torch.device,
    precision: str = "float32",
) -> Float[np.ndarray, "clips width"]:
    """`represent_clips` for clips of a problem, normalised as it says."""
    return represent_clips(
        model,
        problem.source,
        clips,
        normalisation=problem.normalisation,
        max_frames=max_frames,
        device=device,
        precision=precision,
    )


def represented_set(
    model: Model,
    problem: Problem,
    clips: Int[np.ndarray, " clips"],
    *,
    max_frames: int | None,
    device: torch.device,
    precision: str = "float32",
) -> RepresentedSet:
    """`represent_on` for labelled clips, with their glosses."""
    found = represent_on(
        problem, model, clips, max_frames=max_frames, device=device, precision=precision
    )
    return RepresentedSet(found, problem.glosses(clips))


def pool_evidence(
    problem: Problem,
    model: Model,
    clips: Int[np.ndarray, " clips"],
    needs: Needs,
    config: TrainingConfig,
    device: torch.device,
) -> dict[str, np.ndarray]:
    """The fields of `Evidence` that come of representations, of unlabelled `clips`, as needed.

    And how many labelled clips each gloss has, which is always known.
    """
    glosses = problem.glosses(problem.labelled)
    evidence = {"labelled_counts": np.bincount(glosses, minlength=problem.num_glosses)}
    if not (needs.representations or needs.energy):
        return evidence
    represented = partial(
        represent_on,
        problem,
        model,
        max_frames=config.max_frames,
        device=device,
        precision=config.precision,
    )
    whose_clips = {"": clips}
    if needs.validation:
        whose_clips["validation_"] = problem.split.validation
    for whose, them in whose_clips.items():
        found = represented(them)
        if needs.representations:
            evidence[f"{whose}representations"] = found
        if needs.energy:
            evidence[f"{whose}energy"] = energies(model, found, device)
    if needs.representations:
        evidence["labelled_representations"] = represented(problem.labelled)
        evidence["labelled_glosses"] = glosses
    return evidence
