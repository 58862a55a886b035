"""The task of sentences: CTC on gloss sequences."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from slr_ray.augmentation.temporal import resampled
from slr_ray.models.streams.sentence_model import Heads, SentenceModel
from slr_ray.poses.batch import frames_seen
from slr_ray.records.measured import SentenceMetrics, UnlabelledFigures
from slr_ray.records.stages import State
from slr_ray.sentences.dense_labels import DenseLabels, dense_labels
from slr_ray.sentences.dense_loss import dense_loss
from slr_ray.training.batches import model_input, read_for
from slr_ray.training.config import TrainingConfig
from slr_ray.training.labels.loss_weights import clip_weights
from slr_ray.training.prediction import autocast, evaluating
from slr_ray.training.problem import Problem
from slr_ray.training.round import Round
from slr_ray.training.sentences.batch import SentenceBatch
from slr_ray.training.sentences.loss import sentence_losses
from slr_ray.training.sentences.measuring import answers_on, measured
from slr_ray.training.sentences.signing import signing_steps
from slr_ray.training.sentences.speeds import drawn_frames, least_frames
from slr_ray.training.sentences.splicing import Cuts, spliced, where_to_cut
from slr_ray.training.sentences.stream import SentenceStream
from slr_ray.training.sentences.stream_config import SentenceStreamConfig
from slr_ray.training.task import Step, Task
from slr_ray.workers.place import Place


class SentenceTask(Task[SentenceBatch]):
    """All heads on the gloss sequences, and one of them on the dense labels that they give."""

    def __init__(
        self,
        model: SentenceModel,
        problem: Problem,
        config: TrainingConfig,
        round_: Round,
        place: Place,
        num_steps: int,
    ) -> None:
        self.model, self.problem, self.config = model, problem, config
        self.round, self.place, self.num_steps = round_, place, num_steps
        settings, sequences = problem.sentences, round_.training_set.sequences
        if settings is None or sequences is None:
            raise ValueError("a model of sentences is trained on gloss sequences: there are none")
        self.settings, self.sequences = settings, sequences
        clips = round_.training_set.clips
        self.num_frames = frames_seen(problem.source.num_frames[clips], config.max_frames)
        self.wanted = self.num_frames
        self.least_frames = least_frames(sequences)
        segments = round_.training_set.segments
        self.segments = segments or [np.ones(len(one), bool) for one in sequences]
        self.cuts: list[Cuts] = []
        self.weights = clip_weights(
            round_.training_set,
            problem.num_glosses,
            by_gloss=False,
            true_share=round_.true_share,
        )
        self.stream: SentenceStream | None = None
        if isinstance(round_.stream, SentenceStreamConfig):
            self.stream = SentenceStream(round_.stream, problem, config, num_steps, place.device)

    def begin_epoch(
        self, seed: np.random.SeedSequence, num_steps: int, average: nn.Module | None
    ) -> None:
        """Draw each sentence's speed before its batch, so that those of one length share one."""
        draw = np.random.default_rng(seed.spawn(1)[0])
        # One that is too short as it is was refused before training, or is a pseudo-label.
        least = np.minimum(self.least_frames, self.num_frames)
        drawn = drawn_frames(self.num_frames, self.settings, self.config.max_frames, draw)
        self.wanted = np.maximum(drawn, least)
        if self.settings.splice_probability:
            self.cuts = self._where_to_cut()
        if self.stream is not None:
            self.stream.begin_epoch(seed.spawn(1)[0], num_steps)

    def lengths(self) -> Int[np.ndarray, " clips"]:
        return self.wanted

    def batch(self, rows: Int[np.ndarray, " batch"], generator: torch.Generator) -> SentenceBatch:
        problem, longest = self.problem, self.config.max_frames
        clips = self.round.training_set.clips[rows]
        batch = read_for(problem.augmentation, problem.clips, clips, longest, generator)
        batch = resampled(batch, torch.from_numpy(self.wanted[rows]))
        signing = signing_steps(batch) if self.settings.has_dense_labels else None
        inputs, mask = model_input(
            batch.to(self.place.device), problem.normalisation, problem.augmentation, generator
        )
        given = SentenceBatch(
            inputs,
            mask,
            [self.sequences[row] for row in rows],
            [self.segments[row] for row in rows],
            self.weights[rows],
            signing,
        )
        if not self.cuts:
            return given
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        cuts = [self.cuts[row] for row in rows]
        return spliced(given, cuts, self.settings.splice_probability, rng)

    def loss(self, batch: SentenceBatch, step: Step) -> Float[Tensor, ""]:
        place = self.place
        own = batch.part(slice(place.rank, None, place.world_size))
        dense = None
        if own.signing is not None and self._has_spikes(step):
            dense = self._dense_labels(own, own.signing, step)
        with autocast(place.device, self.config.precision):
            heads: Heads = step.forward(own.inputs, own.mask)
        share_done = step.num_done / self.num_steps
        losses = sentence_losses(heads, own.sequences, self.settings, share_done)
        weights = torch.from_numpy(own.weights).to(place.device)
        # CTC takes whole sequences.
        is_whole = torch.tensor([bool(one.all()) for one in own.segments], device=place.device)
        # Workers' gradients are averaged, hence the factor: together they give the batch's mean.
        loss = (losses * weights * is_whole).sum() / len(batch) * place.world_size
        if dense is not None:
            glosses, sure = (
                torch.from_numpy(one).to(place.device) for one in (dense.glosses, dense.weights)
            )
            dense_part = dense_loss(heads.frames, glosses, sure * weights[:, None])
            loss = loss + self.settings.dplr.weight * dense_part
        if self.stream is not None:
            slow = step.average if self.stream.settings.teacher == "ema" else None
            unlabelled = self.stream.next_step(self.model if slow is None else slow, step.num_done)
            if unlabelled is not None:
                loss = loss + self.stream.loss(step.forward, unlabelled, share_done)
        if place.world_size > 1:
            # Workers wait for the gradient of every weight, also of a head that nothing trains yet.
            loss = loss + 0.0 * sum(one.sum() for one in (heads.frames, heads.early, *heads.parts))
        return loss

    def measured(self, model: nn.Module) -> SentenceMetrics:
        problem, clips = self.problem, self.problem.split.validation
        given = answers_on(problem, cast(SentenceModel, model), clips, self.config, self.place)
        return measured(problem, clips, given)

    def figures(self) -> UnlabelledFigures | None:
        return self.stream.figures() if self.stream else None

    def state(self) -> State:
        return {"stream": self.stream.state() if self.stream else None}

    def restore(self, state: State) -> None:
        if self.stream is not None:
            self.stream.restore(state["stream"])

    def _where_to_cut(self) -> list[Cuts]:
        """Of each sentence; one that is not known as a whole stays whole."""
        clips = self.round.training_set.clips
        cuts = where_to_cut(
            self.problem, self.model, clips, self.sequences, self.config, self.place
        )
        known = [bool(one.all()) for one in self.segments]
        return [one if whole else one[:0] for one, whole in zip(cuts, known, strict=True)]

    def _has_spikes(self, step: Step) -> bool:
        """Whether dense labels have begun; a model that goes on from another round has had them."""
        begun = step.epoch >= self.settings.dplr.start_epoch
        return begun or bool(self.model.knows_frames)

    def _dense_labels(
        self, batch: SentenceBatch, signing: Int64[np.ndarray, "own 2"], step: Step
    ) -> DenseLabels:
        """What the averaged model says of the same views, made to labels of their steps."""
        self.model.knows_frames.fill_(True)
        teacher = self.model if step.average is None else step.average
        with (
            torch.no_grad(),
            evaluating(teacher),
            autocast(self.place.device, self.config.precision),
        ):
            heads: Heads = teacher(batch.inputs, batch.mask)
            log_probs = heads.answer.float().log_softmax(dim=2).cpu().numpy()
        return dense_labels(
            log_probs,
            heads.mask.sum(dim=1).cpu().numpy(),
            batch.sequences,
            self.settings.dplr,
            signing,
            batch.segments,
        )
