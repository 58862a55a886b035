"""A recogniser of isolated signs slid over sentences: what CTC is measured against.

It learns from signs cut out of the labelled sentences at their true times, which CTC never sees,
and never meets the frames between signs. What it answers on windows of a sentence becomes glosses
by a threshold and by merging equal neighbours; window, stride and threshold are those of the fewest
errors on the validation sentences.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Int, Int64

from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.prepared import STAGE_VERSION, Prepared
from slr_ray.experiment.rounds.config import RoundsConfig
from slr_ray.methods.measured import Measured
from slr_ray.methods.measured_sentences import sentence_answers, sentence_record
from slr_ray.methods.seed_run import SeedRun
from slr_ray.methods.sslr import rounds, seed_record
from slr_ray.models.config import with_weights
from slr_ray.models.model import Model
from slr_ray.poses.reading import CutClips, in_batches
from slr_ray.poses.sentence import FRAMES_A_STEP, num_steps_of
from slr_ray.records.stages import StageStore
from slr_ray.sentences.word_errors import WordErrors, errors_by_sentence
from slr_ray.training.prediction import predict
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.measuring import answers_of, measured
from slr_ray.training.sentences.prediction import StepProbabilities, decoded
from slr_ray.training.sentences.signing import signing_steps
from slr_ray.training.sentences.signs import SignsOfSentences, signs_of
from slr_ray.workers.place import Place

_BATCH_CLIPS = 64
_SMALLEST = 1e-30
"""Of a probability before its logarithm is taken."""


@dataclass(frozen=True)
class Reading:
    """How windows become glosses."""

    window: int
    """In frames, around the middle of a step."""
    stride: int
    """In steps: from one window to the next."""
    threshold: float
    """What is less probable is no gloss."""


def cut_signs(problem: Problem, recogniser: Experiment) -> SignsOfSentences:
    """What the recogniser learns from; `ConfigError` where that can't be."""
    return signs_of(problem, recogniser.normalisation, recogniser.augmentation, recogniser.model)


def measure_windows(
    prepared: Prepared,
    recogniser: Experiment,
    readings: Sequence[Reading],
    seed: int,
    stages: StageStore,
    place: Place,
) -> tuple[Measured, Reading]:
    """Train on isolated signs, choose among readings on validation, read the test sentences once.

    `readings` of one window stand together: what is said of windows is found once.
    """
    problem = prepared.problem(seed)
    signs = cut_signs(problem, recogniser)
    run = SeedRun(
        problem=signs,
        training=recogniser.training,
        method=RoundsConfig(num_rounds=0),
        seed=seed,
        facts=_facts(prepared, recogniser),
        stages=stages,
        place=place,
    )
    done = list(rounds(run))
    model = with_weights(signs.new_model(), done[0].model_state, place.device)
    slid = _Slid(problem, model, recogniser, place)
    validation, test = problem.split.validation, problem.split.test
    chosen = slid.chosen(validation, readings)
    said = [
        answers_of(problem, clips, slid.read(clips, chosen), None) for clips in (validation, test)
    ]
    chosen_by = measured(problem, validation, said[0])
    record = sentence_record(problem, seed, chosen_by, said[1], seed_record(run, done))
    return Measured(record, None, sentence_answers(problem, said[1])), chosen


def _facts(prepared: Prepared, recogniser: Experiment) -> dict[str, Any]:
    sections = {"normalisation", "augmentation", "model", "training"}
    return {
        "what": "signs of sentences",
        "version": STAGE_VERSION,
        "fingerprint": prepared.fingerprint,
        "split": prepared.split.fingerprint,
        "pool": prepared.config.pool.model_dump(mode="json"),
        **recogniser.model_dump(mode="json", include=sections),
    }


@dataclass(frozen=True)
class _Windows:
    """What is said of the windows around every step of a batch of sentences."""

    places: Int64[np.ndarray, " sentences"]
    probabilities: Float32[np.ndarray, "sentences steps glosses"]
    num_steps: Int64[np.ndarray, " sentences"]
    signing: Int64[np.ndarray, "sentences 2"]

    def read(self, reading: Reading) -> StepProbabilities:
        """With the threshold as the blank: where no gloss is above it, the best path has none."""
        step = np.arange(self.probabilities.shape[1])
        held = self.probabilities[:, step // reading.stride * reading.stride]
        every = np.pad(held, ((0, 0), (0, 0), (1, 0)), constant_values=reading.threshold)
        every = np.log(np.maximum(every, _SMALLEST) / (1 + reading.threshold))
        return StepProbabilities(self.places, every, None, self.num_steps, self.signing)


@dataclass(frozen=True)
class _Slid:
    """A recogniser of isolated signs on the sentences of a problem."""

    problem: Problem
    model: Model
    recogniser: Experiment
    place: Place

    def chosen(self, clips: Int[np.ndarray, " clips"], readings: Sequence[Reading]) -> Reading:
        """The reading that makes the fewest errors on some sentences, the first of equals."""
        sequences = self.problem.sequences(clips)
        rates: dict[Reading, float] = {}
        for window, own in itertools.groupby(readings, lambda one: one.window):
            batches = list(self._windows(clips, window))
            for reading in own:
                errors = WordErrors.together(
                    one for batch in batches for one in self._errors(batch, reading, sequences)
                )
                rates[reading] = errors.rate
        return min(rates, key=rates.__getitem__)

    def read(
        self, clips: Int[np.ndarray, " clips"], reading: Reading
    ) -> Iterator[StepProbabilities]:
        return (batch.read(reading) for batch in self._windows(clips, reading.window))

    def _errors(
        self, batch: _Windows, reading: Reading, sequences: list[np.ndarray]
    ) -> list[WordErrors]:
        beam = self.problem.sentence_settings.decoding.beam
        said = decoded(batch.read(reading), beam)
        own = [sequences[one] for one in batch.places]
        return errors_by_sentence(own, [one.glosses for one in said])

    def _windows(self, clips: Int[np.ndarray, " clips"], window: int) -> Iterator[_Windows]:
        source, recogniser = self.problem.source, self.recogniser
        for places, padded in in_batches(source, clips, _BATCH_CLIPS, None):
            num_frames = source.num_frames[clips[places]]
            num_steps = num_steps_of(num_frames).astype(np.int64)
            real = np.arange(num_steps.max()) < num_steps[:, None]
            row, step = np.nonzero(real)
            start = step * FRAMES_A_STEP + (FRAMES_A_STEP - window) // 2
            bounds = np.stack([start, start + window], axis=1)
            bounds = bounds.clip(0, num_frames[row][:, None])
            found = predict(
                self.model,
                CutClips(source, clips[places][row], bounds),
                np.arange(len(row)),
                normalisation=recogniser.normalisation,
                max_frames=recogniser.training.max_frames,
                device=self.place.device,
                precision=recogniser.training.precision,
            )
            # Padding is never read, but its logarithm is taken.
            every = np.ones((*real.shape, found.shape[1]), np.float32)
            every[real] = found
            yield _Windows(places, every, num_steps, signing_steps(padded))
