"""Spliced sentences: which frames and glosses they have, and where sentences are cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from resuming import resumes, same
from sentence_experiments import opened_sentences, sentence_experiment, train_once

from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.poses.batch import thinned
from slr_ray.poses.sentence import FRAMES_A_STEP
from slr_ray.sentences.steps import Sequences
from slr_ray.training.loop import train
from slr_ray.training.problem import labelled_set
from slr_ray.training.round import Round
from slr_ray.training.sentences.batch import SentenceBatch
from slr_ray.training.sentences.splicing import Cuts, spliced, where_to_cut
from slr_ray.training.sentences.task import SentenceTask
from slr_ray.workers.place import this_place

LENGTHS = [40, 24, 36, 20]
SEQUENCES = [[0, 1, 2], [3, 4], [5, 6, 7, 8], [9]]
CUTS = [[0.25, 0.75], [0.5], [0.25, 0.5, 0.75], []]


def batch_of(*, signing: bool = False) -> SentenceBatch:
    """Each frame tells its sentence and its place."""
    longest = max(LENGTHS)
    mask = torch.arange(longest) < torch.tensor(LENGTHS)[:, None]
    told = [[[row + 1.0, frame + 1.0] for frame in range(longest)] for row in range(len(LENGTHS))]
    ends = [[1, count // FRAMES_A_STEP - 1] for count in LENGTHS]
    return SentenceBatch(
        torch.tensor(told) * mask[..., None],
        mask,
        [np.array(one) for one in SEQUENCES],
        [np.ones(len(one), bool) for one in SEQUENCES],
        np.array([1, 1, 0.5, 1], np.float32),
        np.array(ends) if signing else None,
    )


def cuts_of() -> list[Cuts]:
    return [np.array(one, np.float64) for one in CUTS]


@pytest.mark.parametrize("seed", range(20))
def test_frames_and_glosses_are_cut_alike(seed: int) -> None:
    given = batch_of(signing=True)
    made = spliced(given, cuts_of(), 1.0, np.random.default_rng(seed))
    assert given.signing is not None
    assert made.signing is not None
    for row in range(len(LENGTHS)):
        length = int(made.mask[row].sum())
        own, place = made.inputs[row, :length].int().numpy().T
        assert not made.inputs[row, length:].any()
        sequence = made.sequences[row]
        assert len(sequence) == len(made.segments[row])
        if (own == row + 1).all():
            assert sequence.tolist() == SEQUENCES[row]
            assert length == LENGTHS[row]
            assert made.weights[row] == given.weights[row]
            continue
        other = own[-1] - 1
        meets = int((own == row + 1).sum())
        # Whole parts, in their order: the front from the beginning, the end to its last frame.
        assert place[:meets].tolist() == list(range(1, meets + 1))
        assert place[meets:].tolist() == list(range(place[meets], LENGTHS[other] + 1))
        before = CUTS[row].index(meets / LENGTHS[row])
        behind = CUTS[other].index((place[meets] - 1) / LENGTHS[other])
        assert sequence.tolist() == SEQUENCES[row][: before + 1] + SEQUENCES[other][behind + 1 :]
        assert made.weights[row] == (given.weights[row] + given.weights[other]) / 2
        assert made.signing[row, 0] == given.signing[row, 0]
        steps_left = LENGTHS[other] // FRAMES_A_STEP - given.signing[other, 1]
        assert -(-length // FRAMES_A_STEP) - made.signing[row, 1] == steps_left


def test_all_that_can_be_cut_are_drawn_and_nothing_else() -> None:
    changed = np.zeros(len(LENGTHS), int)
    for seed in range(200):
        made = spliced(batch_of(), cuts_of(), 0.5, np.random.default_rng(seed))
        changed += [one.tolist() != own for one, own in zip(made.sequences, SEQUENCES, strict=True)]
    # The longest stays whole where another's end does not fit behind its front.
    assert (changed[:3] > 30).all()
    assert (changed[:3] < 120).all()
    assert changed[3] == 0


def test_without_another_that_can_be_cut_everything_stays() -> None:
    cuts = [np.array([0.5]), *([np.empty(0)] * 3)]
    made = spliced(batch_of(), cuts, 1.0, np.random.default_rng(0))
    assert torch.equal(made.inputs, batch_of().inputs)


def test_what_leaves_too_few_steps_stays_whole() -> None:
    crowded = np.array([1, 1, 1, 1, 1])
    mask = torch.ones(2, 20, dtype=torch.bool)
    ones = [np.ones(5, bool)] * 2
    batch = SentenceBatch(
        torch.rand(2, 20, 3), mask, [crowded] * 2, ones, np.ones(2, np.float32), None
    )
    cuts = [np.array([0.2, 0.4, 0.6, 0.8])] * 2
    for seed in range(10):
        made = spliced(batch, cuts, 1.0, np.random.default_rng(seed))
        # A gloss has a step, and between two of one gloss there must be one more.
        assert torch.equal(made.inputs, batch.inputs)
        assert [one.tolist() for one in made.sequences] == [crowded.tolist()] * 2


def test_cuts_are_where_no_gloss_is() -> None:
    """A model that has learnt its sentences cuts within a few frames of the true gaps."""
    config = build_experiment(
        {
            "task": "continuous",
            "preset": "continuous",
            "data": {"kind": "embedded_sentences", "num_glosses": 4, "num_signers": 4},
            "augmentation": {"kind": "none"},
            "model": {"width": 32, "num_layers": 1, "dropout": 0.0},
            "training": {
                "num_epochs": 4,
                "steps_per_epoch": 40,
                "evaluate_every_epochs": 4,
                "optimiser": {"learning_rate": 0.01},
            },
        },
        "test",
    )
    problem = Opener().prepare(config).problem(0)
    torch.manual_seed(0)
    model, labels = problem.new_recogniser(), labelled_set(problem)
    assert isinstance(model, SentenceModel)
    assert labels.sequences is not None
    given = (problem, model, labels.clips, labels.sequences, config.training, this_place())
    assert not any(len(one) for one in where_to_cut(*given))
    train(model, problem, config.training, Round(0, 0, labels), this_place())
    cuts = where_to_cut(*given)
    known = [row for row, one in enumerate(cuts) if len(one)]
    assert len(known) > len(cuts) / 4
    off = []
    for row in known:
        clip = problem.corpus.clip(int(labels.clips[row]))
        assert clip.sentence is not None
        assert clip.sentence.times is not None
        read = thinned(clip.num_frames, config.training.max_frames)
        assert len(cuts[row]) == len(labels.sequences[row]) - 1
        for at, before, behind in zip(
            cuts[row] * len(read), clip.sentence.times, clip.sentence.times[1:], strict=False
        ):
            off.append(max(before[1] - at, at - behind[0], 0))
    assert np.median(off) <= FRAMES_A_STEP


@pytest.fixture
def cut_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the model told every sentence, all glosses as long."""

    def cuts(_problem: Any, _model: Any, _clips: Any, sequences: Sequences, *_: Any) -> list[Cuts]:
        return [np.arange(1, len(one)) / len(one) for one in sequences]

    monkeypatch.setattr("slr_ray.training.sentences.task.where_to_cut", cuts)


@pytest.mark.usefixtures("cut_evenly")
def test_a_training_splices_its_sentences() -> None:
    prepared = opened_sentences(sentences={"splice_probability": 1.0})
    problem = prepared.problem(0)
    labels = labelled_set(problem)
    assert labels.sequences is not None
    model = problem.new_recogniser()
    assert isinstance(model, SentenceModel)
    round_ = Round(0, 0, labels)
    task = SentenceTask(model, problem, prepared.config.training, round_, this_place(), 1)
    task.begin_epoch(np.random.SeedSequence(0), 1, None)
    made = task.batch(np.arange(6), torch.Generator().manual_seed(0))
    own = [one.tolist() for one in labels.sequences[:6]]
    assert sum(one.tolist() != known for one, known in zip(made.sequences, own, strict=True)) > 2


@pytest.mark.usefixtures("cut_evenly")
def test_interrupted_at_any_epoch_it_ends_the_same() -> None:
    resumes(train_once, sentence_experiment(sentences={"splice_probability": 0.5}))
    spliced_ends = train_once(sentence_experiment(sentences={"splice_probability": 0.5}))
    whole = train_once(sentence_experiment())
    assert not same(spliced_ends.model_state, whole.model_state)
