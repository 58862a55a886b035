"""The training loop of one round; every method and every number of workers uses it."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from slr_ray.evaluation.metrics import measure
from slr_ray.models.model import Model
from slr_ray.poses.batch import frames_seen
from slr_ray.records.measured import EpochRecord, Metrics
from slr_ray.records.stages import Checkpoint, State
from slr_ray.training.ahead import ahead
from slr_ray.training.allocator import keep_freed_memory
from slr_ray.training.batches import joined, mixed, model_input, read_for
from slr_ray.training.config import TrainingConfig
from slr_ray.training.consistency.stream import UnlabelledStream
from slr_ray.training.labels.loss_weights import clip_weights
from slr_ray.training.labels.sampling import epoch_batches
from slr_ray.training.labels.targets import batch_targets, target_losses
from slr_ray.training.optimisation import averaging_step, learning_rate, new_optimiser
from slr_ray.training.prediction import autocast, predict_on
from slr_ray.training.problem import Problem
from slr_ray.training.round import NonFiniteLoss, Progress, Round, Trained
from slr_ray.workers.place import Place

_Tensors = tuple[Tensor, ...] | list[Tensor]
_Rows = Int[np.ndarray, " batch"]
_Batch = tuple[_Rows, tuple[Tensor, Tensor]]
"""Rows of the training set with the features of their views and the mask of real frames."""


def train(
    model: Model,
    problem: Problem,
    config: TrainingConfig,
    round_: Round,
    place: Place,
    *,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> Trained:
    """Train `model` (in place) for one round and return the model to keep.

    Deterministic under `round_.seed` on one device: every epoch's order, views and dropout follow
    from seed, round and epoch alone, so a round resumed from a checkpoint ends as if it had never
    stopped. Raises `NonFiniteLoss` where the loss is no number.
    """
    keep_freed_memory()
    model.to(place.device)
    loop = _Loop(model, problem, config, round_, place)
    saved = checkpoint.load() if checkpoint else None
    if saved is not None:
        loop.restore(saved)
    progress = loop.progress
    last_save = time.monotonic()
    while progress.epoch < loop.num_epochs and not loop.out_of_patience():
        started = time.monotonic()
        record = loop.run_epoch()
        progress.training_s += time.monotonic() - started
        if record is not None and on_epoch is not None:
            on_epoch(record)
        if checkpoint and time.monotonic() - last_save > checkpoint.every_s:
            if place.leads:
                checkpoint.save(loop.state())
            last_save = time.monotonic()
    if progress.best_state is None or progress.best is None:
        raise RuntimeError("a round ended without an evaluation")
    model.load_state_dict(progress.best_state)
    return Trained(
        progress.best_state, progress.best, progress.epochs, progress.num_steps, progress.training_s
    )


class _Loop:
    """Model, optimiser and counters of one round."""

    def __init__(
        self, model: Model, problem: Problem, config: TrainingConfig, round_: Round, place: Place
    ) -> None:
        self.problem, self.config, self.round, self.place = problem, config, round_, place
        self.model = model
        self.replica = place.replicated(model)
        self.forward = torch.compile(self.replica) if config.compile else self.replica
        self.average = AveragedModel(model, multi_avg_fn=self._blend) if config.ema_decay else None
        self.optimiser = new_optimiser(model.parameters(), config.optimiser)
        self.num_epochs = round_.num_epochs or config.num_epochs
        size = len(round_.training_set)
        self.steps_per_epoch = config.steps_per_epoch or -(-size // config.batch_size)
        self.num_steps = self.num_epochs * self.steps_per_epoch
        self.lengths = frames_seen(
            problem.source.num_frames[round_.training_set.clips], config.max_frames
        )
        self.weights = clip_weights(
            round_.training_set,
            problem.num_glosses,
            by_gloss=config.class_balance == "loss",
            true_share=round_.true_share,
        )
        self.stream: UnlabelledStream | None = None
        if round_.stream is not None:
            self.stream = UnlabelledStream(
                round_.stream, model, problem, config, self.num_steps, place.device
            )
        self.validation_glosses = problem.glosses(problem.split.validation)
        self.progress = Progress()

    def run_epoch(self) -> EpochRecord | None:
        """Train one epoch; a record where this epoch is evaluated."""
        progress, config = self.progress, self.config
        seed = np.random.SeedSequence([self.round.seed, self.round.number, progress.epoch])
        rng = np.random.default_rng(seed)
        # Dropout draws from the global generator; ranks must differ in it, but not in their views.
        torch.manual_seed(int(rng.integers(2**31)) + self.place.rank)
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        batches = epoch_batches(
            self.round.training_set,
            self.lengths,
            batch_size=config.batch_size,
            num_steps=config.steps_per_epoch,
            true_share=self.round.true_share,
            balanced=config.class_balance == "sampling",
            rng=rng,
        )
        if self.stream is not None:
            self.stream.begin_epoch(seed.spawn(1)[0], self.steps_per_epoch)
        self.replica.train()
        losses = torch.zeros(2, device=self.place.device)
        # An epoch's last batch may be too small for a clip a worker.
        whole = (rows for rows in batches if len(rows) >= self.place.world_size)
        for batch in ahead(whole, lambda rows: self._batch(rows, generator)):
            loss = self._step(batch, rng)
            losses += torch.stack([loss.detach(), loss.new_ones(())])
        progress.epoch += 1
        mean_loss = float(losses[0] / losses[1])
        if not math.isfinite(mean_loss):
            raise NonFiniteLoss(
                f"the loss is {mean_loss} in round {self.round.number}, "
                f"epoch {progress.epoch - 1}: "
                f"lower training.optimiser.learning_rate ({config.optimiser.learning_rate:g}) "
                "or set training.gradient_clip"
            )
        if progress.epoch % config.evaluate_every_epochs and progress.epoch < self.num_epochs:
            return None
        return self._evaluate(mean_loss)

    def out_of_patience(self) -> bool:
        """Whether the last evaluation is so many epochs past the best one."""
        patience, epochs = self.config.patience_epochs, self.progress.epochs
        if patience is None or not epochs:
            return False
        return epochs[-1].epoch + 1 - self.progress.best_epoch >= patience

    def state(self) -> State:
        progress = self.progress
        return {
            "model": copy.deepcopy(self.model.state_dict()),
            "average": self.average.state_dict() if self.average else None,
            "optimiser": self.optimiser.state_dict(),
            "stream": self.stream.state_dict() if self.stream else None,
            **progress.state(),
        }

    def restore(self, state: State) -> None:
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.stream is not None:
            self.stream.load_state_dict(state["stream"])
        self.progress = Progress.of(state)

    def _batch(self, rows: _Rows, generator: torch.Generator) -> _Batch:
        """Clips with true labels, then those with pseudo-labels, and their views."""
        is_pseudo = self.round.training_set.is_pseudo[rows]
        parts = [(rows[is_pseudo == one], one) for one in (False, True) if one in is_pseudo]
        views = [self._views(part, generator, is_pseudo=one) for part, one in parts]
        return np.concatenate([part for part, _ in parts]), joined(views)

    def _step(self, batch: _Batch, rng: np.random.Generator) -> Tensor:
        """One gradient step on a batch; its loss."""
        self._set_learning_rate()
        place, training_set = self.place, self.round.training_set
        rows, (inputs, mask) = batch
        weights = torch.from_numpy(self.weights[rows]).to(place.device)
        targets = batch_targets(training_set, rows, self.problem.num_glosses).to(place.device)
        stream, pseudo = self.stream, None
        if stream is not None:
            glosses = torch.from_numpy(training_set.glosses[rows].astype(np.int64)).to(place.device)
            teacher = self._slow_or_own(averaged=stream.settings.teacher == "ema")
            pseudo = stream.next_step(teacher, (inputs, mask), glosses, self.progress.num_steps)
        if self.config.mixup > 0 and len(rows) > 1:
            inputs, mask, targets, weights = mixed(
                inputs, mask, targets, weights, self.config.mixup, rng
            )
        if pseudo is not None:
            # One forward pass: batch norms see both kinds of clips, as the teacher's will.
            inputs, mask = joined([(inputs, mask), pseudo.strong])
        own = slice(place.rank, None, place.world_size)
        with autocast(place.device, self.config.precision):
            logits, represented = self._forward(inputs[own], mask[own])
        targets = targets[own]
        known = logits[: len(targets)].float()
        losses = target_losses(known, targets, self.config.label_smoothing)
        # Workers' gradients are averaged, hence the factor: together they give the batch's mean.
        loss = (losses * weights[own]).sum() / len(rows) * place.world_size
        if stream is not None and pseudo is not None:
            loss = loss + stream.loss(logits, represented, pseudo)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if self.config.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
        self.optimiser.step()
        self.progress.num_steps += 1
        if self.average is not None:
            self.average.update_parameters(self.model)
        return loss

    def _forward(self, inputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits, and representations where a rule needs them."""
        if self.stream is None or not self.stream.rule.needs_representations:
            return self.forward(inputs, mask), None
        represented = self.model.represent(inputs, mask)
        return self.model.classifier(represented), represented

    def _slow_or_own(self, *, averaged: bool) -> Model:
        """The model with averaged weights, where they are wanted and there are such."""
        slow = self.average if averaged else None
        return cast(Model, slow.module) if slow is not None else self.model

    def _views(
        self, rows: Int[np.ndarray, " part"], generator: torch.Generator, *, is_pseudo: bool
    ) -> tuple[Tensor, Tensor]:
        problem = self.problem
        augmentation = problem.augmentation
        if is_pseudo and self.round.pseudo_augmentation is not None:
            augmentation = self.round.pseudo_augmentation
        clips = self.round.training_set.clips[rows]
        batch = read_for(augmentation, problem.clips, clips, self.config.max_frames, generator)
        batch = batch.to(self.place.device)
        return model_input(batch, problem.normalisation, augmentation, generator)

    def _evaluate(self, training_loss: float) -> EpochRecord:
        progress, problem = self.progress, self.problem
        evaluated = self._slow_or_own(averaged=True)
        if self.stream is not None:
            evaluated = self.stream.evaluated(evaluated)
        clips = problem.split.validation
        probabilities = predict_on(problem, evaluated, clips, self.config, self.place)
        metrics = measure(probabilities, self.validation_glosses)
        better = progress.best is None or self._rank(metrics) > self._rank(progress.best)
        if better or self.config.keep == "last":
            progress.best = metrics
            progress.best_state = copy.deepcopy(evaluated.state_dict())
        if better:
            progress.best_epoch = progress.epoch
        record = EpochRecord(
            round=self.round.number,
            epoch=progress.epoch - 1,
            num_steps=self.round.steps_before + progress.num_steps,
            training_loss=training_loss,
            learning_rate=self.optimiser.param_groups[0]["lr"],
            validation=metrics,
            unlabelled=self.stream.tally.figures() if self.stream else None,
        )
        progress.epochs.append(record)
        return record

    def _rank(self, metrics: Metrics) -> tuple[float, float]:
        return getattr(metrics, self.config.metric), -metrics.loss

    def _set_learning_rate(self) -> None:
        config, done = self.config, self.progress.num_steps
        rate = learning_rate(
            config.optimiser, config.schedule, config.warmup_fraction, done, self.num_steps
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def _blend(self, averages: _Tensors, current: _Tensors, num_averaged: Tensor | int) -> None:
        step = averaging_step(self.config.ema_decay or 0.0, float(num_averaged))
        torch._foreach_lerp_(averages, current, step)
