"""The unlabelled clips of a training: their batches, pseudo-labels and loss, step by step."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.models.model import Model
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.reading import num_frames_read
from slr_ray.selection.evidence import Evidence
from slr_ray.selection.steps.alignment import Alignment
from slr_ray.selection.steps.smoothing import unsmoothed
from slr_ray.selection.steps.step_rule import Represented, Targets, WeakViews, hardened
from slr_ray.training.batches import Views, model_input, read_for
from slr_ray.training.config import TrainingConfig
from slr_ray.training.consistency.co_learning import CoLearning
from slr_ray.training.consistency.config import StreamConfig
from slr_ray.training.consistency.tally import Tally
from slr_ray.training.consistency.unlabelled_batches import UnlabelledBatches
from slr_ray.training.labels.sampling import epoch_batches, true_labels
from slr_ray.training.prediction import autocast, evaluating
from slr_ray.training.problem import Problem
from slr_ray.training.representation import pool_evidence

_LOOKED_AT = 2
"""Clips whose familiarity an epoch asks for, for each that it may draw: pools may be far larger."""

# Clips x frames x channels, and the mask of real frames; views of one step differ in both.
View = tuple[Float[Tensor, "_ _ _"], Bool[Tensor, "_ _"]]


@dataclass(frozen=True)
class PseudoLabelled:
    """The unlabelled clips of one step."""

    strong: View
    """What is trained on."""
    targets: Targets
    weight: float
    """Of the mean loss at this step."""


class UnlabelledStream(nn.Module):
    """State of the unlabelled clips within one training; its buffers are what a checkpoint keeps.

    Batches and views of an epoch follow from the seed that `begin_epoch` gets, and from nothing
    that the labelled clips draw: those are the same with and without this stream.
    """

    def __init__(
        self,
        settings: StreamConfig,
        model: Model,
        problem: Problem,
        training: TrainingConfig,
        num_steps: int,
        device: torch.device,
    ) -> None:
        super().__init__()
        self.settings, self.problem, self.training_config = settings, problem, training
        self.num_steps, self.device = num_steps, device
        self._max_frames = training.max_frames
        clips, num_glosses = problem.unlabelled, problem.num_glosses
        self.batches = UnlabelledBatches(settings, training.batch_size)
        self._make_views = Views(
            problem.normalisation,
            training,
            device,
            self.batches.size,
            [settings.weak, self._strong],
        )
        self.lengths = num_frames_read(problem.clips, clips, self._max_frames)
        if not isinstance(model.classifier, nn.Linear):
            raise TypeError("step-by-step semi-supervision needs a linear classifier")
        self.rule = settings.rule.build(num_glosses, len(clips), model.classifier.in_features)
        known = problem.glosses(problem.labelled)
        counts = torch.bincount(torch.from_numpy(known), minlength=num_glosses)
        self.alignment: Alignment | None = None
        if settings.distribution_alignment != "none":
            even = settings.distribution_alignment == "uniform"
            wanted = torch.ones(num_glosses) if even else counts.float()
            self.alignment = Alignment(wanted / wanted.sum())
        self.co_learning: CoLearning | None = None
        if settings.co_learning is not None:
            self.labelled = true_labels(problem.labelled, known)
            self.co_learning = CoLearning(
                settings.co_learning, model.classifier, counts, training.ema_decay or 0.0
            )
        hidden = torch.from_numpy(problem.glosses(clips)).to(device)
        self.tally = Tally(hidden)
        self.to(device)

    def begin_epoch(self, seed: np.random.SeedSequence, num_steps: int, teacher: Model) -> None:
        """Draw an epoch's batches, of clips that `teacher` does not find strange."""
        rng = np.random.default_rng(seed)
        self._generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        self.tally.begin()
        rows = self._not_rejected(teacher, num_steps, rng)
        self._batches: Iterator[Int[np.ndarray, " batch"]] | None = None
        if len(rows):
            self._batches = self.batches.epoch(self.lengths, num_steps, rng, rows)
        if self.co_learning is not None:
            # Nothing is drawn before it is asked for.
            self._balanced = epoch_batches(
                self.labelled,
                num_frames_read(self.problem.clips, self.labelled.clips, self._max_frames),
                batch_size=self.training_config.batch_size,
                num_steps=num_steps,
                true_share=None,
                balanced=True,
                rng=np.random.default_rng(seed.spawn(1)[0]),
            )

    def _not_rejected(
        self, teacher: Model, num_steps: int, rng: np.random.Generator
    ) -> Int[np.ndarray, " rows"]:
        """The rows of the pool that an epoch draws from."""
        reject, problem = self.settings.reject, self.problem
        rows = np.arange(len(problem.unlabelled))
        if reject is None:
            return rows
        most = _LOOKED_AT * num_steps * self.batches.size
        rows = np.sort(rng.permutation(rows)[:most])
        clips, training = problem.unlabelled[rows], self.training_config
        found = pool_evidence(problem, teacher, clips, reject.needs, training, self.device)
        stays = reject.stays(Evidence(**found))
        self.tally.reject(rows, stays)
        kept: Int[np.ndarray, " rows"] = rows[stays]
        return kept

    def next_step(
        self,
        teacher: Model,
        labelled: View,
        labelled_glosses: Int[Tensor, " labelled"],
        num_done: int,
    ) -> PseudoLabelled | None:
        """Pseudo-label the epoch's next batch with `teacher`; `num_done` steps came before.

        None where every clip was rejected.
        """
        if self._batches is None:
            return None
        rows = next(self._batches)
        problem, settings = self.problem, self.settings
        batch = self._read(problem.unlabelled[rows], self._strong)
        weak = self._make_views(batch, settings.weak, self._generator)
        strong = self._make_views(batch, self._strong, self._generator)
        with torch.no_grad(), evaluating(teacher):
            probabilities, represented = self._taught(
                teacher, weak, labelled, labelled_glosses, num_done
            )
        places = torch.from_numpy(rows).to(self.device, non_blocking=True)
        views = WeakViews(probabilities, places, num_done / self.num_steps, represented)
        with torch.no_grad():
            targets = self.rule.targets(views)
        self.tally.count(places, targets)
        return PseudoLabelled(strong, targets, settings.weight_at(num_done, self.num_steps))

    def loss(
        self,
        logits: Float[Tensor, "all glosses"],
        represented: Float[Tensor, "all width"] | None,
        step: PseudoLabelled,
    ) -> Float[Tensor, ""]:
        """The weighted loss of a step's strong views: a mean over all, unused ones counting 0.

        They are the last rows of what the model gave; labelled clips are before them. Pseudo-labels
        are smoothed as labels are, so that undoing it fits both.
        """
        targets, size = step.targets, len(step.targets.weights)
        logits = logits[-size:].float()
        seen = None if represented is None else represented[-size:].float()
        wanted = hardened(targets.probabilities)
        if not self.settings.hard:
            wanted = targets.probabilities ** (1 / self.settings.temperature)
            wanted = wanted / wanted.sum(dim=1, keepdim=True)
        moved = logits if targets.logit_offset is None else logits + targets.logit_offset
        losses = functional.cross_entropy(
            moved, wanted, reduction="none", label_smoothing=self.training_config.label_smoothing
        )
        found = (losses * targets.weights).mean()
        found = found + self.rule.extra_loss(logits, seen, targets)
        return step.weight * found

    def evaluated(self, model: Model) -> Model:
        """What answers: the model, or, once CoSSL's classifier learns, a copy that has this one."""
        if self.co_learning is None or not bool(self.co_learning.begun):
            return model
        answering = copy.deepcopy(model)
        answering.classifier.load_state_dict(self.co_learning.average.state_dict())
        return answering

    def _taught(
        self,
        teacher: Model,
        weak: View,
        labelled: View,
        labelled_glosses: Int[Tensor, " labelled"],
        num_done: int,
    ) -> tuple[Float[Tensor, "clips glosses"], Represented | None]:
        """The teacher's probabilities as rules see them, and what those with prototypes compare."""
        represented, classifier = None, teacher.classifier
        with autocast(self.device, self.training_config.precision):
            seen = teacher.represent(*weak).float()
            if self.rule.needs_representations:
                known = teacher.represent(*labelled).float()
                represented = Represented(seen, known, labelled_glosses)
        learner = self.co_learning
        if learner is not None and num_done >= learner.config.start_fraction * self.num_steps:
            self._co_learn(learner, teacher, seen)
            classifier = learner.head
        probabilities = classifier(seen).softmax(dim=1)
        if self.settings.undo_smoothing:
            probabilities = unsmoothed(probabilities, self.training_config.label_smoothing)
        if self.alignment is not None:
            probabilities = self.alignment(probabilities)
        return probabilities, represented

    def _co_learn(
        self, learner: CoLearning, teacher: Model, others: Float[Tensor, "clips width"]
    ) -> None:
        """One step of the second classifier, on views of labelled clips, each gloss as often."""
        learner.begin(teacher.classifier)
        rows, problem = next(self._balanced), self.problem
        batch = self._read(self.labelled.clips[rows], problem.augmentation)
        view = model_input(batch, problem.normalisation, problem.augmentation, self._generator)
        with autocast(self.device, self.training_config.precision):
            represented = teacher.represent(*view).float()
        glosses = torch.from_numpy(self.labelled.glosses[rows]).to(self.device, non_blocking=True)
        learner.learn(represented, glosses, others, self._generator)

    @property
    def _strong(self) -> AugmentationConfig:
        own = self.settings.strong
        return self.problem.augmentation if own is None else own

    def _read(self, clips: Int[np.ndarray, " batch"], views: AugmentationConfig) -> PoseBatch:
        own, generator = self.problem.clips, self._generator
        return read_for(views, own, clips, self._max_frames, generator).to(self.device)
