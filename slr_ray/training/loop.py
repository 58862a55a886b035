"""The training loop of one round; every method and every number of workers uses it."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slr_ray.models.config import AnyRecogniser
from slr_ray.models.cuda_graph import Recorded
from slr_ray.models.model import Model
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.records.measured import AnyMetrics, EpochRecord
from slr_ray.records.stages import Checkpoint, State
from slr_ray.training.ahead import ahead
from slr_ray.training.allocator import keep_freed_memory
from slr_ray.training.config import TrainingConfig
from slr_ray.training.isolated import IsolatedTask
from slr_ray.training.labels.sampling import epoch_batches
from slr_ray.training.optimisation import AveragedWeights, learning_rate, new_optimiser
from slr_ray.training.problem import Problem
from slr_ray.training.round import NonFiniteLoss, Progress, Round, Trained
from slr_ray.training.sentences.task import SentenceTask
from slr_ray.training.task import Step, Task
from slr_ray.workers.place import Place


def train(
    model: AnyRecogniser,
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
        self,
        model: AnyRecogniser,
        problem: Problem,
        config: TrainingConfig,
        round_: Round,
        place: Place,
    ) -> None:
        self.config, self.round, self.place = config, round_, place
        self.model = model
        self.replica = place.replicated(model)
        self.average = AveragedWeights(model, config.ema_decay) if config.ema_decay else None
        self.optimiser = new_optimiser(model.parameters(), config.optimiser)
        self.num_epochs = round_.num_epochs or config.num_epochs
        size = len(round_.training_set)
        self.steps_per_epoch = config.steps_per_epoch or -(-size // config.batch_size)
        self.num_steps = self.num_epochs * self.steps_per_epoch
        self.task = self._task(problem)
        self.forward = self._forward()
        self.progress = Progress()

    def _task(self, problem: Problem) -> Task[Any]:
        model = self.model
        parts = (problem, self.config, self.round, self.place, self.num_steps)
        if isinstance(model, SentenceModel):
            return SentenceTask(model, *parts)
        return IsolatedTask(model, *parts)

    def _forward(self) -> Callable[..., Any]:
        """The model as a step calls it."""
        if self.config.compile:
            return torch.compile(self.replica)
        model, shape, place = self.model, self.task.batch_shape(), self.place
        alone_on_gpu = place.device.type == "cuda" and place.world_size == 1
        if not (self.config.cuda_graphs and alone_on_gpu and shape and isinstance(model, Model)):
            return self.replica
        return Recorded(model, shape, bfloat16=self.config.precision == "bfloat16")

    def run_epoch(self) -> EpochRecord | None:
        """Train one epoch; a record where this epoch is evaluated."""
        progress, config = self.progress, self.config
        seed = np.random.SeedSequence([self.round.seed, self.round.number, progress.epoch])
        rng = np.random.default_rng(seed)
        # Dropout draws from the global generator; ranks must differ in it, but not in their views.
        torch.manual_seed(int(rng.integers(2**31)) + self.place.rank)
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        self.task.begin_epoch(seed, self.steps_per_epoch, self._slow)
        batches = epoch_batches(
            self.round.training_set,
            self.task.lengths(),
            batch_size=config.batch_size,
            num_steps=config.steps_per_epoch,
            true_share=self.round.true_share,
            balanced=config.class_balance == "sampling",
            rng=rng,
        )
        self.replica.train()
        losses = torch.zeros(2, device=self.place.device)
        # An epoch's last batch may be too small for a clip a worker.
        whole = (rows for rows in batches if len(rows) >= self.place.world_size)
        for batch in ahead(whole, lambda rows: self.task.batch(rows, generator)):
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
            **self.task.state(),
            **progress.state(),
        }

    def restore(self, state: State) -> None:
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.task.restore(state)
        self.progress = Progress.of(state)

    @property
    def _slow(self) -> nn.Module | None:
        """The model with averaged weights, where there are such."""
        return None if self.average is None else self.average.module

    def _step(self, batch: Any, rng: np.random.Generator) -> Tensor:
        """One gradient step on a batch; its loss."""
        self._set_learning_rate()
        progress = self.progress
        loss = self.task.loss(
            batch, Step(self.forward, self._slow, progress.num_steps, progress.epoch, rng)
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if self.config.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
        self.optimiser.step()
        self.progress.num_steps += 1
        if self.average is not None:
            self.average.update()
        return loss

    def _evaluate(self, training_loss: float) -> EpochRecord:
        progress = self.progress
        evaluated = self.task.evaluated(self.average.module if self.average else self.model)
        metrics = self.task.measured(evaluated)
        # Than all before, and not than the one that is kept: with `keep: last` that is the last.
        better = all(self._rank(metrics) > self._rank(one.validation) for one in progress.epochs)
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
            unlabelled=self.task.figures(),
        )
        progress.epochs.append(record)
        return record

    def _rank(self, metrics: AnyMetrics) -> tuple[float, float]:
        return getattr(metrics, self.config.metric), -metrics.loss

    def _set_learning_rate(self) -> None:
        config, done = self.config, self.progress.num_steps
        rate = learning_rate(
            config.optimiser, config.schedule, config.warmup_fraction, done, self.num_steps
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
