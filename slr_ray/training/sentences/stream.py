"""The unlabelled sentences of a training: their batches, hypotheses and loss, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor, nn

from slr_ray.augmentation.temporal import resampled
from slr_ray.models.streams.sentence_model import Heads
from slr_ray.poses.batch import PoseBatch, frames_seen
from slr_ray.poses.sentence import num_steps_of
from slr_ray.records.measured import UnlabelledFigures
from slr_ray.records.stages import State
from slr_ray.sentences.ctc import ctc_loss
from slr_ray.sentences.decoding import best_paths
from slr_ray.sentences.selection.degenerate import not_degenerate
from slr_ray.sentences.sequence_confidence import by_likelihood
from slr_ray.sentences.steps import BLANK, Sequences
from slr_ray.training.batches import model_input, read_for
from slr_ray.training.config import TrainingConfig
from slr_ray.training.consistency.unlabelled_batches import UnlabelledBatches
from slr_ray.training.prediction import autocast, evaluating
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.gloss_rate import GlossRate
from slr_ray.training.sentences.loss import sentence_losses
from slr_ray.training.sentences.speeds import drawn_frames, labelled_lengths, least_frames
from slr_ray.training.sentences.stream_config import SentenceStreamConfig
from slr_ray.training.sentences.tally import SentenceTally


@dataclass(frozen=True)
class PseudoLabelledSentences:
    """The unlabelled sentences of one step."""

    inputs: Float[Tensor, "sentences frames channels"]
    mask: Bool[Tensor, "sentences frames"]
    sequences: Sequences
    weights: Float[Tensor, " sentences"]
    """Of their losses; 0 for those that are not trained on."""


class SentenceStream:
    """Unlabelled sentences within one training.

    Batches, speeds and views of an epoch follow from the seed that `begin_epoch` gets, and from
    nothing that the labelled sentences draw; what outlives it is the blank's shift.
    """

    def __init__(
        self,
        settings: SentenceStreamConfig,
        problem: Problem,
        training: TrainingConfig,
        num_steps: int,
        device: torch.device,
    ) -> None:
        self.settings, self.problem, self.training = settings, problem, training
        self.num_steps, self.device = num_steps, device
        clips = problem.unlabelled
        self.batches = UnlabelledBatches(settings, training.batch_size)
        self.num_frames = frames_seen(problem.source.num_frames[clips], training.max_frames)
        self.labelled = labelled_lengths(problem, training.max_frames)
        self.rate: GlossRate | None = None
        if settings.align_rate:
            num_glosses, num_labelled_steps = self.labelled
            self.rate = GlossRate(float(num_glosses.sum() / num_labelled_steps.sum()))
        self.tally = SentenceTally(problem)

    def begin_epoch(self, seed: np.random.SeedSequence, num_steps: int) -> None:
        """Draw an epoch's batches and how long each sentence is in it."""
        rng = np.random.default_rng(seed)
        self._generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        sentences, longest = self.problem.sentence_settings, self.training.max_frames
        self._wanted = drawn_frames(self.num_frames, sentences, longest, rng)
        self._batches = self.batches.epoch(self._wanted, num_steps, rng)
        self.tally.begin()

    def next_step(self, teacher: nn.Module, num_done: int) -> PseudoLabelledSentences | None:
        """What `teacher` says of the epoch's next batch; `num_done` steps came before.

        None before the unlabelled sentences take part.
        """
        since_start = num_done - round(self.settings.start_fraction * self.num_steps)
        if since_start < 0:
            return None
        rows = next(self._batches)
        problem, settings, training = self.problem, self.settings, self.training
        clips, generator = problem.unlabelled[rows], self._generator
        views = problem.augmentation if settings.strong is None else settings.strong
        batch = read_for(views, problem.clips, clips, training.max_frames, generator)
        sequences, sure = self._hypotheses(teacher, batch.to(self.device))
        num_steps = num_steps_of(self.num_frames[rows])
        stays = not_degenerate(settings.reject, sequences, num_steps, self.labelled)
        stays = stays & (sure >= settings.confidence)
        self.tally.count(clips, sequences, stays)
        wanted = np.maximum(self._wanted[rows], least_frames(sequences))
        batch = resampled(batch, torch.from_numpy(wanted)).to(self.device)
        inputs, mask = model_input(batch, problem.normalisation, views, generator)
        weights = torch.from_numpy(stays.astype(np.float32)).to(self.device)
        weights = weights * settings.weight_at(since_start, self.num_steps)
        return PseudoLabelledSentences(inputs, mask, sequences, weights)

    def loss(
        self, model: Callable[..., Heads], step: PseudoLabelledSentences, share_done: float
    ) -> Float[Tensor, ""]:
        """Of all heads; a mean over the step's sentences, in which unused ones count 0."""
        if not step.weights.any():
            return step.weights.sum()
        with autocast(self.device, self.training.precision):
            heads = model(step.inputs, step.mask)
        settings = self.problem.sentence_settings
        losses = sentence_losses(heads, step.sequences, settings, share_done)
        return (step.weights * losses).mean()

    def figures(self) -> UnlabelledFigures:
        """What the epoch's hypotheses were."""
        return self.tally.figures(self.settings.confidence or None)

    def state(self) -> State:
        """What a checkpoint keeps."""
        return {"shift": self.rate.shift if self.rate else None}

    def restore(self, state: State) -> None:
        if self.rate is not None:
            self.rate.shift = state["shift"]

    def _hypotheses(
        self, teacher: nn.Module, batch: PoseBatch
    ) -> tuple[Sequences, Float64[np.ndarray, " sentences"]]:
        """The best path of each sentence as it is, and how sure the teacher is of its glosses."""
        with (
            torch.no_grad(),
            evaluating(teacher),
            autocast(self.device, self.training.precision),
        ):
            heads: Heads = teacher(*model_input(batch, self.problem.normalisation, None, None))
        log_probs, num_steps = heads.answer.float().log_softmax(dim=2), heads.mask.sum(dim=1).cpu()
        if self.rate is not None:
            self.rate.update(log_probs.cpu().numpy(), num_steps.numpy())
            # No probabilities any more: the best path needs none, CTC makes them again.
            log_probs[..., BLANK] += self.rate.shift
        paths = best_paths(log_probs.cpu().numpy(), num_steps.numpy())
        sequences = [one.glosses for one in paths]
        likelihoods = -ctc_loss(log_probs, num_steps, sequences).cpu().numpy().astype(np.float64)
        return sequences, by_likelihood(likelihoods, np.array([len(one) for one in sequences]))
