"""The loop of self-supervised pre-training; every objective and number of workers uses it."""

from __future__ import annotations

import contextlib
import copy
import math
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn

from slr_ray.augmentation.boundary_estimate import ends_finder
from slr_ray.errors import RunFailed
from slr_ray.models.config import ModelConfig, new_encoder, representation_width
from slr_ray.objectives.objective import View
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.normalisation import NormalisationConfig, num_channels, readable
from slr_ray.poses.reading import num_frames_read, read
from slr_ray.records.measured import PretrainingEpoch, PretrainingStep
from slr_ray.records.stages import Checkpoint, State
from slr_ray.training.ahead import ahead
from slr_ray.training.allocator import keep_freed_memory
from slr_ray.training.batches import model_input
from slr_ray.training.optimisation import learning_rate, new_optimiser
from slr_ray.training.prediction import autocast
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.pretraining.plan import plan
from slr_ray.training.round import NonFiniteLoss
from slr_ray.training.unlabelled import UnlabelledClips, epoch_rows
from slr_ray.workers.place import Place

OnPretrainingEpoch = Callable[[PretrainingEpoch], None]


@dataclass(frozen=True)
class PretrainingTask:
    """What is pre-trained on what."""

    clips: UnlabelledClips
    model: ModelConfig
    normalisation: NormalisationConfig
    config: PretrainingConfig
    max_frames: int | None
    seed: int


@dataclass
class PretrainedEncoder:
    """A finished pre-training."""

    encoder: State
    """Weights without a classifier."""
    epochs: list[PretrainingEpoch]
    num_steps: int
    training_s: float


@dataclass
class _Progress:
    epoch: int = 0
    num_steps: int = 0
    training_s: float = 0.0
    epochs: list[PretrainingEpoch] = field(default_factory=list)


class CollapseWarning(UserWarning):
    """All clips have nearly the same embedding."""


def pretrain(
    task: PretrainingTask,
    place: Place,
    *,
    checkpoint: Checkpoint | None = None,
    on_epoch: OnPretrainingEpoch | None = None,
) -> PretrainedEncoder:
    """Pre-train a fresh encoder.

    Deterministic under `task.seed` on one device: every epoch's order, views and dropout follow
    from seed and epoch alone, so a run resumed from a checkpoint ends as if it had never stopped.

    Raises `NonFiniteLoss` where the loss is no number, and `RunFailed` where the embedding
    collapsed and the configuration says to stop then.
    """
    keep_freed_memory()
    loop = PretrainingLoop(task, place)
    saved = checkpoint.load() if checkpoint else None
    if saved is not None:
        loop.restore(saved)
    progress = loop.progress
    last_save = time.monotonic()
    while progress.num_steps < loop.plan.num_steps:
        started = time.monotonic()
        record = loop.run_epoch()
        progress.training_s += time.monotonic() - started
        if on_epoch is not None:
            on_epoch(record)
        loop.watch(record)
        if checkpoint and time.monotonic() - last_save > checkpoint.every_s:
            if place.leads:
                checkpoint.save(loop.state())
            last_save = time.monotonic()
    encoder = loop.objective.encoder.state_dict()
    return PretrainedEncoder(
        {name: value.detach().cpu().clone() for name, value in encoder.items()},
        progress.epochs,
        progress.num_steps,
        progress.training_s,
    )


class PretrainingLoop:
    """Objective, optimiser and counters."""

    def __init__(self, task: PretrainingTask, place: Place) -> None:
        self.task, self.config, self.place = task, task.config, place
        torch.manual_seed(int(np.random.SeedSequence([task.seed, 1]).generate_state(1)[0]))
        channels = num_channels(task.normalisation)
        encoder = new_encoder(task.model, channels)
        width = representation_width(task.model, channels)
        self.objective = task.config.objective.build(encoder, width).to(place.device)
        if task.config.compile:
            encoder.compile()
        self.replica = place.replicated(self.objective)
        self.optimiser = new_optimiser(self.objective.parameters(), task.config.optimiser)
        self.plan = plan(task.config, len(task.clips), place.world_size)
        self.clips = readable(task.clips, task.normalisation)
        self.lengths = num_frames_read(self.clips, np.arange(len(task.clips)), task.max_frames)
        self.progress = _Progress()

    def run_epoch(self) -> PretrainingEpoch:
        """Train one epoch, or what is left of the steps."""
        progress = self.progress
        rng = np.random.default_rng(np.random.SeedSequence([self.task.seed, 2, progress.epoch]))
        # Dropout draws from the global generator; ranks must differ in it, but not in their views.
        torch.manual_seed(int(rng.integers(2**31)) + self.place.rank)
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        self.replica.train()
        sums = torch.zeros(3, device=self.place.device)
        told: dict[int, Tensor] = {}
        for batch in self._batches(rng):
            found = self.step(batch, generator)
            sums += found
            if is_told(progress.num_steps):
                told[progress.num_steps] = found
        # Not step by step: a GPU would have to wait for each number.
        figures = torch.stack([sums, *told.values()])
        if self.place.world_size > 1:
            distributed.all_reduce(figures)
        (loss, std), *by_step = (figures[:, :2] / figures[:, 2:]).tolist()
        if not math.isfinite(loss):
            raise NonFiniteLoss(
                f"the loss is {loss} in epoch {progress.epoch} of pre-training: lower "
                "initialisation.optimiser.learning_rate "
                f"({self.config.optimiser.learning_rate:g}) or set initialisation.gradient_clip"
            )
        record = PretrainingEpoch(
            epoch=progress.epoch,
            num_steps=progress.num_steps,
            loss=loss,
            learning_rate=self.optimiser.param_groups[0]["lr"],
            embedding_std=std,
            steps=tuple(
                PretrainingStep(num_steps=number, loss=one[0], embedding_std=one[1])
                for number, one in zip(told, by_step, strict=True)
            ),
        )
        progress.epoch += 1
        progress.epochs.append(record)
        return record

    def watch(self, record: PretrainingEpoch) -> None:
        """Warn of a collapse, or stop at it."""
        threshold = self.config.collapse_threshold
        if record.embedding_std >= threshold:
            return
        message = (
            f"the embedding collapsed: its standard deviation is {record.embedding_std:.3g} of 1 "
            f"in epoch {record.epoch}, below collapse_threshold {threshold:g}"
        )
        if self.config.stop_on_collapse:
            raise RunFailed(message)
        before = self.progress.epochs[-2:-1]
        if not before or before[0].embedding_std >= threshold:
            warnings.warn(message, CollapseWarning, stacklevel=3)

    def state(self) -> State:
        progress = self.progress
        return {
            "objective": copy.deepcopy(self.objective.state_dict()),
            "optimiser": self.optimiser.state_dict(),
            "epoch": progress.epoch,
            "num_steps": progress.num_steps,
            "training_s": progress.training_s,
            "epochs": [record.model_dump() for record in progress.epochs],
        }

    def restore(self, state: State) -> None:
        self.objective.load_state_dict(state["objective"])
        self.optimiser.load_state_dict(state["optimiser"])
        progress = self.progress
        progress.epoch = state["epoch"]
        progress.num_steps = state["num_steps"]
        progress.training_s = state["training_s"]
        progress.epochs = [PretrainingEpoch.model_validate(one) for one in state["epochs"]]

    def _batches(self, rng: np.random.Generator) -> Iterator[PoseBatch]:
        """Batches of the epoch."""
        left = self.plan.num_steps - self.progress.num_steps
        rows = epoch_rows(self.lengths, self.plan.batch_size, rng)
        longest, find_ends = self.task.max_frames, ends_finder(self.config.augmentation)
        return ahead(
            islice(rows, left), lambda batch: read(self.clips, batch, longest, find_ends=find_ends)
        )

    def step(self, clips: PoseBatch, generator: torch.Generator) -> Float[Tensor, "3"]:
        """One gradient step; loss, embedding's standard deviation and 1."""
        config, place = self.config, self.place
        rate = learning_rate(
            config.optimiser,
            config.schedule,
            config.warmup_fraction,
            self.progress.num_steps,
            self.plan.num_steps,
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        views = self._views(clips.to(place.device), generator)
        own = self.plan.batch_size // place.world_size
        self.optimiser.zero_grad(set_to_none=True)
        total = torch.zeros((), device=place.device)
        embeddings = []
        for part in self.plan.micro_batches:
            rows = slice(place.rank * own + part.start, place.rank * own + part.stop)
            parts = [(one[0][rows], one[1][rows]) if one else None for one in views]
            share = (rows.stop - rows.start) / own
            with self._synchronised(last=part.stop == own):
                with autocast(place.device, config.precision):
                    loss, embedding = self.replica(*parts)
                (loss * share).backward()
            total += loss.detach() * share
            embeddings.append(embedding.detach())
        if config.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.objective.parameters(), config.gradient_clip)
        self.optimiser.step()
        self.progress.num_steps += 1
        self.objective.after_step(self.progress.num_steps / self.plan.num_steps)
        return torch.stack([total, embedding_std(torch.cat(embeddings)), total.new_ones(())])

    def _views(
        self, clips: PoseBatch, generator: torch.Generator
    ) -> tuple[View | None, View, View]:
        normalisation = self.task.normalisation
        anchor = None
        if self.objective.uses_anchor:
            anchor = model_input(clips, normalisation, None, None)
        first, second = (
            model_input(clips, normalisation, self.config.augmentation, generator) for _ in range(2)
        )
        return anchor, first, second

    def _synchronised(self, *, last: bool) -> contextlib.AbstractContextManager[None]:
        """Workers exchange gradients once a step, after the last micro-batch."""
        if isinstance(self.replica, nn.parallel.DistributedDataParallel) and not last:
            return self.replica.no_sync()
        return contextlib.nullcontext()


def is_told(num_steps: int) -> bool:
    """Whether a step has its own figures: some ninety of each tenfold, and all of the first."""
    every: int = 10 ** max(0, len(str(num_steps)) - 2)
    return num_steps % every == 0


def embedding_std(embedding: Float[Tensor, "clips dim"]) -> Float[Tensor, ""]:
    """Mean over the dimensions of the L2-normalised embedding's std over clips, times sqrt(dim).

    Chen and He 2021, section 4.1: 1 / sqrt(dim) before the factor where clips spread evenly on the
    sphere, 0 where they are all the same.
    """
    normed = nn.functional.normalize(embedding.float(), dim=-1)
    return normed.std(dim=0).mean() * math.sqrt(embedding.shape[1])
