"""Several predictions of the same clips: with dropout, from views, without a clip's ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from slr_ray.augmentation.boundary_estimate import ends_finder
from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.reading import ReadableClips, in_batches
from slr_ray.selection.negative import Negative
from slr_ray.training.batches import model_input
from slr_ray.training.config import TrainingConfig
from slr_ray.training.prediction import BATCH_CLIPS, VIEWS_SEED, autocast, evaluating, predict
from slr_ray.training.problem import Problem
from slr_ray.workers.place import Place


@dataclass(frozen=True)
class DropoutPasses:
    """What several passes with dropout say of clips."""

    mean: Float[np.ndarray, "clips glosses"]
    deviation: Float[np.ndarray, " clips"]
    """Standard deviation of the probability of the mean's gloss."""
    excluded: Bool[np.ndarray, "clips glosses"] | None
    """The glosses that each clip is not, where negative labels are asked for."""


@dataclass(frozen=True)
class Passes:
    """How a problem's clips are predicted more than once."""

    problem: Problem
    model: nn.Module
    config: TrainingConfig
    place: Place

    def with_dropout(
        self, clips: Int[np.ndarray, " clips"], num_passes: int, negative: Negative | None = None
    ) -> DropoutPasses:
        """Monte-Carlo dropout (Gal and Ghahramani 2016); the same passes at every call."""
        shape = (len(clips), self.problem.num_glosses)
        mean, deviation = np.empty(shape, np.float32), np.empty(len(clips), np.float32)
        excluded = None if negative is None else np.empty(shape, bool)
        with _dropping(self.model):
            for places, passes in self._batches(clips, num_passes, None):
                means = passes.mean(dim=0)
                gloss = means.argmax(dim=1)
                own = passes[:, torch.arange(len(places)), gloss]
                mean[places], deviation[places] = means.numpy(), own.std(dim=0).numpy()
                if negative is not None and excluded is not None:
                    excluded[places] = negative.excluded(passes.numpy())
        return DropoutPasses(mean, deviation, excluded)

    def view_glosses(
        self, clips: Int[np.ndarray, " clips"], num_views: int
    ) -> Int[np.ndarray, "clips views"]:
        """The gloss predicted from each of `num_views` augmented views; the same at every call."""
        found = np.empty((len(clips), num_views), np.int64)
        with evaluating(self.model):
            for places, views in self._batches(clips, num_views, self.problem.augmentation):
                found[places] = views.argmax(dim=2).T.numpy()
        return found

    def ends_cut_glosses(
        self, clips: Int[np.ndarray, " clips"], head_fraction: float, tail_fraction: float
    ) -> Int[np.ndarray, " clips"]:
        """The gloss predicted without the clips' heads and tails."""
        probabilities = predict(
            self.model,
            EndsCut(self.problem.clips, head_fraction, tail_fraction),
            clips,
            normalisation=self.problem.normalisation,
            max_frames=self.config.max_frames,
            device=self.place.device,
            precision=self.config.precision,
        )
        found: np.ndarray = probabilities.argmax(axis=1)
        return found

    def _batches(
        self,
        clips: Int[np.ndarray, " clips"],
        num_passes: int,
        augmentation: AugmentationConfig | None,
    ) -> Iterator[tuple[Int[np.ndarray, " batch"], Float[Tensor, "passes batch glosses"]]]:
        problem, config, device = self.problem, self.config, self.place.device
        generator = torch.Generator().manual_seed(VIEWS_SEED)
        batches = in_batches(
            problem.clips,
            clips,
            BATCH_CLIPS,
            config.max_frames,
            ends_finder(augmentation) if augmentation else None,
        )
        for places, padded in batches:
            # Not around the generator: its user would leave and enter the mode at every batch.
            with torch.inference_mode():
                batch = padded.to(device)
                found = [
                    self._probabilities(batch, augmentation, generator) for _ in range(num_passes)
                ]
            yield places, torch.stack(found)

    def _probabilities(
        self,
        batch: PoseBatch,
        augmentation: AugmentationConfig | None,
        generator: torch.Generator,
    ) -> Float[Tensor, "batch glosses"]:
        inputs, mask = model_input(batch, self.problem.normalisation, augmentation, generator)
        with autocast(self.place.device, self.config.precision):
            logits = self.model(inputs, mask)
        probabilities: Tensor = logits.float().softmax(-1)
        return probabilities.cpu()


@dataclass(frozen=True)
class EndsCut:
    """Clips without a share of their frames at either end, rounded; at least one frame is left."""

    clips: ReadableClips
    head_fraction: float
    tail_fraction: float

    @property
    def num_frames(self) -> Int[np.ndarray, " clips"]:
        return _left(self.clips.num_frames, self.head_fraction, self.tail_fraction)

    def frames_of(self, index: int) -> Float[np.ndarray, "frames 54 3"]:
        frames = self.clips.frames_of(index)
        total = np.array([len(frames)])
        left = int(_left(total, self.head_fraction, self.tail_fraction)[0])
        head = min(int(np.round(len(frames) * self.head_fraction)), len(frames) - left)
        return frames[head : head + left]


def _left(
    num_frames: Int[np.ndarray, " clips"], head_fraction: float, tail_fraction: float
) -> Int[np.ndarray, " clips"]:
    cut = np.round(num_frames * head_fraction) + np.round(num_frames * tail_fraction)
    left: np.ndarray = np.maximum(num_frames - cut.astype(np.int64), 1)
    return left


@contextmanager
def _dropping(model: nn.Module) -> Iterator[None]:
    """Dropout as in training, with norms over the batch as in evaluation.

    Random numbers are our own, so that the training that follows draws the same ones.
    """
    training = {module: module.training for module in model.modules()}
    try:
        for module in model.modules():
            module.training = not hasattr(module, "running_mean")
        with torch.random.fork_rng():
            torch.manual_seed(VIEWS_SEED)
            yield
    finally:
        for module, was in training.items():
            module.training = was
