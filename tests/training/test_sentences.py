"""Training on sentences: the loop around them, their views, labels, records and checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from resuming import resumes, same
from sentence_experiments import opened_sentences, sentence_experiment, train_once

from slr_ray.errors import DataError
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.checkpoints import load_checkpoint
from slr_ray.methods.measured import Measured, train_and_measure
from slr_ray.methods.recogniser import load_recogniser
from slr_ray.methods.sentence_recogniser import SentenceRecogniser
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.poses.reading import read
from slr_ray.poses.sentence import FRAMES_A_STEP, num_steps_of
from slr_ray.records.measured import SentenceMetrics
from slr_ray.records.sentence_predictions import SentencePrediction, from_parquet, to_parquet
from slr_ray.records.stages import StageStore, dumps
from slr_ray.sentences.steps import min_steps
from slr_ray.storage import Store
from slr_ray.training.loop import train
from slr_ray.training.problem import Problem, labelled_set
from slr_ray.training.round import Round
from slr_ray.training.sentences.config import SentencesConfig
from slr_ray.training.sentences.measuring import answers_on, measured
from slr_ray.training.sentences.prediction import StepProbabilities, said
from slr_ray.training.sentences.signing import signing_steps
from slr_ray.training.sentences.task import SentenceTask
from slr_ray.training.task import Step
from slr_ray.workers.place import this_place


def problem_of(config: Experiment) -> Problem:
    return Opener().prepare(config).problem(0)


def task_of(**changes: Any) -> SentenceTask:
    config = sentence_experiment(**changes)
    own = problem_of(config)
    torch.manual_seed(0)
    model = own.new_recogniser()
    assert isinstance(model, SentenceModel)
    round_ = Round(0, 0, labelled_set(own))
    task = SentenceTask(model, own, config.training, round_, this_place(), 1)
    task.begin_epoch(np.random.SeedSequence(0), 1, None)
    return task


def loss_of(task: SentenceTask, *, epoch: int) -> torch.Tensor:
    batch = task.batch(np.arange(4), torch.Generator().manual_seed(0))
    task.model.eval()
    return task.loss(batch, Step(task.model, None, 0, epoch, np.random.default_rng(0)))


def test_training_learns() -> None:
    plain = {"kind": "none"}
    faster = {"num_epochs": 2, "steps_per_epoch": 10, "evaluate_every_epochs": 2}
    config = sentence_experiment(
        augmentation=plain,
        training={**faster, "optimiser": {"learning_rate": 0.01}, "ema_decay": 0.5},
        sentences={"dplr": {"start_epoch": 1}},
    )
    own = problem_of(config)
    torch.manual_seed(0)
    model = own.new_recogniser()
    assert isinstance(model, SentenceModel)
    place = this_place()

    def on_training_clips() -> SentenceMetrics:
        given = answers_on(own, model, own.labelled, config.training, place)
        return measured(own, own.labelled, given)

    before = on_training_clips()
    train(model, own, config.training, Round(0, 0, labelled_set(own)), place)
    after = on_training_clips()
    assert after.loss < 0.5 * before.loss
    assert bool(model.knows_frames)


def test_the_seed_decides() -> None:
    config = sentence_experiment()
    assert same(train_once(config).model_state, train_once(config).model_state)


def test_a_round_interrupted_at_any_epoch_ends_the_same() -> None:
    resumes(train_once, sentence_experiment())


def test_views_keep_the_steps_that_the_glosses_need() -> None:
    speeds = {"resample_probability": 1.0, "shortest": 0.01, "longest": 1.0}
    task = task_of(sentences=speeds)
    rows = np.arange(len(task.sequences))
    batch = task.batch(rows, torch.Generator().manual_seed(0))
    frames = batch.mask.sum(dim=1).tolist()
    assert frames == task.lengths().tolist()
    least = [min_steps(one) for one in task.sequences]
    spare = [num_steps_of(count) - needed for count, needed in zip(frames, least, strict=True)]
    assert min(spare) == 0


def test_views_are_no_longer_than_max_frames() -> None:
    speeds = {"resample_probability": 1.0, "shortest": 1.0, "longest": 9.0}
    task = task_of(sentences=speeds, training={"max_frames": 120})
    batch = task.batch(np.arange(6), torch.Generator().manual_seed(0))
    assert batch.mask.shape[1] == 120


def test_dense_labels_begin_with_their_epoch() -> None:
    task = task_of(sentences={"dplr": {"start_epoch": 2, "weight": 3.0}})
    early, late = loss_of(task, epoch=1), loss_of(task, epoch=2)
    assert not loss_of(task_of(sentences={"dplr": {"source": "none"}}), epoch=2) > early
    assert late > early
    assert bool(task.model.knows_frames)
    late.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert task.model.encoder.classifier.weight.grad is not None


def test_a_share_of_the_batch_gives_its_share_of_the_loss() -> None:
    """Two workers' losses average to one's, but for what each averages over its own sentences.

    That are dense labels and the frequencies of label priors.
    """
    without = {"dplr": {"source": "none"}, "label_prior": 0.0}
    whole = loss_of(task_of(sentences=without), epoch=0)
    parts = []
    for rank in range(2):
        task = task_of(sentences=without)
        task.place = type(task.place)(task.place.device, rank, 2)
        parts.append(loss_of(task, epoch=0))
    torch.testing.assert_close(sum(parts) / 2, whole, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Measured, Path]:
    """One small experiment, whole."""
    folder = tmp_path_factory.mktemp("sentences")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLR_RAY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        stages = StageStore(Store(str(folder / "stages")))
        found = train_and_measure(opened_sentences(), 0, stages, this_place())
    assert found.checkpoint is not None
    (folder / "checkpoint.pt").write_bytes(dumps(found.checkpoint))
    return found, folder


def test_a_record_says_what_the_predictions_show(result: tuple[Measured, Path]) -> None:
    found, _ = result
    test = found.record.test
    assert isinstance(test, SentenceMetrics)
    answers = [one for one in found.predictions if isinstance(one, SentencePrediction)]
    assert test.num_clips == len(answers)
    assert test.num_glosses == sum(len(one.glosses) for one in answers)
    errors = test.substitutions + test.deletions + test.insertions
    assert test.wer == pytest.approx(errors / test.num_glosses)
    assert test.gloss_accuracy == pytest.approx(1 - test.wer)
    said = sum(len(one.predicted) for one in answers)
    assert said - test.num_glosses == test.insertions - test.deletions
    assert test.frame_accuracy is not None
    assert test.boundary_f1_50 is not None
    assert test.segment_f1_50 is not None
    assert test.boundary_f1_50 >= test.segment_f1_50
    by_length = found.record.by_length
    assert sum(one.num_clips for one in by_length) == test.num_clips
    total = sum(one.num_clips * one.num_glosses * one.wer for one in by_length)
    assert total == pytest.approx(errors)


def test_predictions_come_back_from_their_file(result: tuple[Measured, Path]) -> None:
    answers = [one for one in result[0].predictions if isinstance(one, SentencePrediction)]
    unknown = SentencePrediction("x", None, 8, ("a",), None, None, (), (), (), ())
    assert from_parquet(to_parquet([*answers, unknown])) == [*answers, unknown]


def test_a_checkpoint_says_the_same_again(result: tuple[Measured, Path]) -> None:
    found, folder = result
    recogniser = SentenceRecogniser.load(folder / "checkpoint.pt")
    prepared = opened_sentences()
    clips = [prepared.corpus.clip(int(one)) for one in prepared.split.test]
    again = recogniser.predict(clips)
    for own, one in zip(found.predictions, again, strict=True):
        assert isinstance(own, SentencePrediction)
        assert own.clip_id == one.clip_id
        assert own.predicted == one.glosses
        assert own.predicted_starts == tuple(gloss.start for gloss in one.signed)
        assert own.predicted_ends == tuple(gloss.end for gloss in one.signed)
        for gloss in one.signed:
            assert 0 <= gloss.start <= gloss.spike < gloss.end <= own.num_frames
            assert 0 <= gloss.confidence <= 1


def test_either_kind_of_recogniser_refuses_the_other(result: tuple[Measured, Path]) -> None:
    path = str(result[1] / "checkpoint.pt")
    assert isinstance(load_checkpoint(path).model, SentenceModel)
    with pytest.raises(DataError, match="recognises sentences, and this is for isolated signs"):
        load_recogniser(path)


def test_weights_of_another_version_are_told(result: tuple[Measured, Path], tmp_path: Path) -> None:
    content = torch.load(result[1] / "checkpoint.pt", weights_only=True)
    del content["model"]["early.bias"]
    torch.save(content, tmp_path / "old.pt")
    with pytest.raises(DataError, match=r"old\.pt: another version of slr_ray wrote it"):
        SentenceRecogniser.load(tmp_path / "old.pt")


def test_signing_ends_where_hands_rest() -> None:
    prepared = opened_sentences()
    corpus = prepared.corpus
    every = np.arange(corpus.num_clips)
    batch = read(corpus, every, None)
    found = signing_steps(batch)
    times = [corpus.sequence_times(int(clip)) for clip in every]
    true = np.array([[own[0, 0], own[-1, 1]] for own in times if own is not None])
    assert (found[:, 0] < found[:, 1]).all()
    assert (found[:, 1] <= [num_steps_of(count) for count in corpus.num_frames.tolist()]).all()
    assert np.abs(np.median(FRAMES_A_STEP * found - true, axis=0)).max() <= FRAMES_A_STEP


@pytest.mark.parametrize("num_frames", [24, 37, 96])
def test_segments_that_meet_do_so_in_clips_longer_than_is_read(num_frames: int) -> None:
    """The model reads 24 frames of each; what lies between two of them is nobody's otherwise."""
    log_probs = np.full((1, 6, 3), -5.0, np.float32)
    log_probs[0, [0, 1, 2], 1] = log_probs[0, [3, 4, 5], 2] = 0.0
    found = StepProbabilities(np.array([0]), log_probs, None, np.array([6]), np.array([[0, 6]]))
    (one,) = said(found, np.array([num_frames]), SentencesConfig(), 24)
    assert one.segments.bounds.tolist() == [[0, 3], [3, 6]]
    (start, middle), (again, end) = one.times.tolist()
    assert (start, again, end) == (0, middle, num_frames)
    assert abs(middle - num_frames / 2) <= 1
