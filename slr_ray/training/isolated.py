"""The task of isolated signs: a gloss for each clip."""

from __future__ import annotations

from functools import partial
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from slr_ray.evaluation.metrics import measure
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import num_channels
from slr_ray.poses.reading import num_frames_read
from slr_ray.records.measured import Metrics, UnlabelledFigures
from slr_ray.records.stages import State
from slr_ray.training.batches import Views, joined, mixed, read_for
from slr_ray.training.config import TrainingConfig
from slr_ray.training.consistency.config import StreamConfig
from slr_ray.training.consistency.stream import UnlabelledStream
from slr_ray.training.labels.loss_weights import clip_weights
from slr_ray.training.labels.targets import batch_targets, target_losses
from slr_ray.training.prediction import autocast, predict_on
from slr_ray.training.problem import Problem
from slr_ray.training.round import Round
from slr_ray.training.task import Step, Task
from slr_ray.workers.place import Place

Batch = tuple[Int[np.ndarray, " batch"], tuple[Tensor, Tensor]]
"""Rows of the training set with the features of their views and the mask of real frames."""


class IsolatedTask(Task[Batch]):
    """Cross-entropy with true and pseudo-labels, and with a stream of unlabelled clips."""

    def __init__(
        self,
        model: Model,
        problem: Problem,
        config: TrainingConfig,
        round_: Round,
        place: Place,
        num_steps: int,
    ) -> None:
        self.model, self.problem, self.config = model, problem, config
        self.round, self.place = round_, place
        self.weights = clip_weights(
            round_.training_set,
            problem.num_glosses,
            by_gloss=config.class_balance == "loss",
            true_share=round_.true_share,
        )
        self.make_views = Views(
            problem.normalisation,
            config,
            place.device,
            config.batch_size,
            [problem.augmentation, round_.pseudo_augmentation or problem.augmentation],
        )
        self._lengths = num_frames_read(problem.clips, round_.training_set.clips, config.max_frames)
        self.stream: UnlabelledStream | None = None
        if isinstance(round_.stream, StreamConfig):
            self.stream = UnlabelledStream(
                round_.stream, model, problem, config, num_steps, place.device
            )
        self.validation_glosses = problem.glosses(problem.split.validation)

    def begin_epoch(
        self, seed: np.random.SeedSequence, num_steps: int, average: nn.Module | None
    ) -> None:
        if self.stream is not None:
            self.stream.begin_epoch(seed.spawn(1)[0], num_steps, self._teacher(average))

    def lengths(self) -> Int[np.ndarray, " clips"]:
        return self._lengths

    def batch(self, rows: Int[np.ndarray, " batch"], generator: torch.Generator) -> Batch:
        """Clips with true labels, then those with pseudo-labels, and their views."""
        is_pseudo = self.round.training_set.is_pseudo[rows]
        parts = [(rows[is_pseudo == one], one) for one in (False, True) if one in is_pseudo]
        views = [self._views(part, generator, is_pseudo=one) for part, one in parts]
        return np.concatenate([part for part, _ in parts]), joined(views)

    def batch_shape(self) -> tuple[int, int, int] | None:
        num_clips, num_frames = self.config.batch_size, self.config.max_frames
        if self.stream is not None:
            if self.stream.rule.needs_representations:
                return None
            num_clips += self.stream.batches.size
        if num_frames is None:
            return None
        return num_clips, num_frames, num_channels(self.problem.normalisation)

    def loss(self, batch: Batch, step: Step) -> Float[Tensor, ""]:
        place, training_set = self.place, self.round.training_set
        rows, (inputs, mask) = batch
        there = partial(Tensor.to, device=place.device, non_blocking=True)
        weights = there(torch.from_numpy(self.weights[rows]))
        targets = there(batch_targets(training_set, rows, self.problem.num_glosses))
        stream, pseudo = self.stream, None
        if stream is not None:
            glosses = there(torch.from_numpy(training_set.glosses[rows].astype(np.int64)))
            teacher = self._teacher(step.average)
            pseudo = stream.next_step(teacher, (inputs, mask), glosses, step.num_done)
        if self.config.mixup > 0 and len(rows) > 1:
            inputs, mask, targets, weights = mixed(
                inputs, mask, targets, weights, self.config.mixup, step.rng
            )
        if pseudo is not None:
            # One forward pass: batch norms see both kinds of clips, as the teacher's will.
            inputs, mask = joined([(inputs, mask), pseudo.strong])
        own = slice(place.rank, None, place.world_size)
        with autocast(place.device, self.config.precision):
            logits, represented = self._forward(step, inputs[own], mask[own])
        targets = targets[own]
        known = logits[: len(targets)].float()
        losses = target_losses(known, targets, self.config.label_smoothing)
        # Workers' gradients are averaged, hence the factor: together they give the batch's mean.
        loss = (losses * weights[own]).sum() / len(rows) * place.world_size
        if stream is not None and pseudo is not None:
            loss = loss + stream.loss(logits, represented, pseudo)
        return loss

    def measured(self, model: nn.Module) -> Metrics:
        problem = self.problem
        probabilities = predict_on(
            problem, model, problem.split.validation, self.config, self.place
        )
        return measure(probabilities, self.validation_glosses)

    def evaluated(self, model: nn.Module) -> nn.Module:
        return model if self.stream is None else self.stream.evaluated(cast(Model, model))

    def figures(self) -> UnlabelledFigures | None:
        return self.stream.tally.figures() if self.stream else None

    def state(self) -> State:
        return {"stream": self.stream.state_dict() if self.stream else None}

    def restore(self, state: State) -> None:
        if self.stream is not None:
            self.stream.load_state_dict(state["stream"])

    def _teacher(self, average: nn.Module | None) -> Model:
        """What labels the unlabelled clips."""
        stream = self.stream
        slow = average if stream is not None and stream.settings.teacher == "ema" else None
        return self.model if slow is None else cast(Model, slow)

    def _forward(self, step: Step, inputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits, and representations where a rule needs them."""
        if self.stream is None or not self.stream.rule.needs_representations:
            return step.forward(inputs, mask), None
        represented = self.model.represent(inputs, mask)
        return self.model.classifier(represented), represented

    def _views(
        self, rows: Int[np.ndarray, " part"], generator: torch.Generator, *, is_pseudo: bool
    ) -> tuple[Tensor, Tensor]:
        problem = self.problem
        augmentation = problem.augmentation
        if is_pseudo and self.round.pseudo_augmentation is not None:
            augmentation = self.round.pseudo_augmentation
        clips = self.round.training_set.clips[rows]
        batch = read_for(augmentation, problem.clips, clips, self.config.max_frames, generator)
        return self.make_views(batch, augmentation, generator)
