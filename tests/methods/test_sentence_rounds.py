"""Rounds on sentences: what is chosen, what is trained on it, stages, audit, the final arms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from resuming import same
from sentence_experiments import opened_sentences

from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.rounds.sentences import SentenceRoundsConfig
from slr_ray.methods.pseudo_labelling import choosing_sentences, hypotheses
from slr_ray.methods.pseudo_labelling.choosing_sentences import choose_sentences
from slr_ray.methods.pseudo_labelling.hypotheses import PoolHypotheses, decode_pool
from slr_ray.methods.pseudo_labelling.pseudo_labels import NO_PSEUDO_LABELS, PseudoLabels
from slr_ray.methods.seed_run import prepare_seed
from slr_ray.methods.sslr import FinishedRound, rounds, seed_record
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.stages import StageStore
from slr_ray.search.comparison.arms import Candidates, arm_cells, arms_for
from slr_ray.search.context import RunContext
from slr_ray.search.draws import Draw
from slr_ray.sentences.sequence_confidence import SequenceConfidence
from slr_ray.storage import Store
from slr_ray.training.labels.sampling import extended_by_sentences, true_sentences
from slr_ray.training.problem import labelled_set
from slr_ray.training.round import Round
from slr_ray.training.sentences.task import SentenceTask
from slr_ray.training.task import Step
from slr_ray.workers.place import this_place

# Weights as good as fresh: before it learns, CTC says glosses, and soon nothing but blanks.
FRESH = {"num_epochs": 2, "evaluate_every_epochs": 2, "optimiser": {"learning_rate": 1e-9}}
POOL = {"kind": "fraction", "fraction": 0.5}
SEGMENTS = {"selection": {"kind": "segment_wise", "num_segments": 3}}


def opened(**method: Any) -> Prepared:
    settings = {"kind": "sslr_sentences", "num_rounds": 2, "reject": None, **method}
    return opened_sentences(training=FRESH, pool=POOL, method=settings)


def every_round(prepared: Prepared, folder: Path, at_most: int = 9) -> list[FinishedRound]:
    run = prepare_seed(prepared, 0, StageStore(Store(str(folder))), this_place())
    return [one for one, _ in zip(rounds(run), range(at_most), strict=False)]


def labels(one: FinishedRound) -> list[tuple[int, list[int], list[bool]]]:
    pseudo = one.pseudo
    sequences = pseudo.sequences or []
    segments = pseudo.segments or [np.ones(len(said), bool) for said in sequences]
    return [
        (int(clip), said.tolist(), chosen.tolist())
        for clip, said, chosen in zip(pseudo.clips, sequences, segments, strict=True)
    ]


@pytest.mark.parametrize(
    "method",
    [
        {"selection": {"kind": "top_per_length", "num_sentences": 3}},
        {**SEGMENTS, "pseudo_labels": "reselect", "start": "continue", "growth": "linear"},
        {
            "selection": {"kind": "threshold", "confidence": 0.0},
            "confidence": {"measure": "margin"},
            "weight": {"kind": "confidence"},
            "true_share": 0.5,
        },
    ],
    ids=["accumulate", "segments", "threshold"],
)
def test_rounds_go_on_after_a_kill_as_if_nothing_had_been(
    method: dict[str, Any], tmp_path: Path
) -> None:
    prepared = opened(**method)
    whole = every_round(prepared, tmp_path / "whole")
    assert len(whole[1].pseudo) > 0
    every_round(prepared, tmp_path / "killed", at_most=2)
    again = every_round(prepared, tmp_path / "killed")
    assert [labels(one) for one in again] == [labels(one) for one in whole]
    assert [one.record.reused for one in again[:2]] == [True, True]
    for one, other in zip(again, whole, strict=True):
        assert same(one.model_state, other.model_state)


def test_round_0_is_shared_by_all_methods(tmp_path: Path) -> None:
    every_round(opened(), tmp_path, at_most=1)
    supervised = opened_sentences(training=FRESH, pool=POOL)
    assert every_round(supervised, tmp_path)[0].record.reused
    assert every_round(opened(**SEGMENTS), tmp_path, at_most=1)[0].record.reused


def test_accumulated_labels_stay_and_new_ones_are_added(tmp_path: Path) -> None:
    rule = {"kind": "top_per_length", "num_sentences": 3}
    _, first, second = every_round(opened(selection=rule), tmp_path)
    assert (len(first.pseudo), len(second.pseudo)) == (3, 6)
    assert set(map(str, labels(first))) <= set(map(str, labels(second)))
    assert (np.diff(second.pseudo.clips) > 0).all()


def test_what_no_sentence_could_have_is_rejected(tmp_path: Path) -> None:
    prepared = opened(reject={"keep": 0.9})
    run = prepare_seed(prepared, 0, StageStore(Store(str(tmp_path))), this_place())
    done = list(rounds(run))
    # Fresh weights say one gloss over and over.
    assert len(done) == 1
    assert seed_record(run, done).stopped_because == "every clip was rejected in round 1"


def chosen_from(
    monkeypatch: pytest.MonkeyPatch,
    said: Sequence[Sequence[int]],
    sure: Sequence[float],
    method: dict[str, Any],
    before: PseudoLabels = NO_PSEUDO_LABELS,
) -> tuple[Any, Any]:
    """What is chosen where the model says `said` of the first unlabelled sentences."""
    problem = opened().problem(0)
    count = len(problem.unlabelled)
    sequences = [np.array(one, np.int64) for one in said]
    sequences += [np.empty(0, np.int64)] * (count - len(said))
    confidence = np.array([*sure, *np.zeros(count - len(sure))])
    spikes = [np.linspace(0.9, 0.1, len(one)) for one in sequences]
    pool = PoolHypotheses(sequences, np.full(count, 20), confidence, spikes)
    monkeypatch.setattr(choosing_sentences, "decode_pool", lambda *_: pool)
    torch.manual_seed(0)
    model = problem.new_recogniser()
    assert isinstance(model, SentenceModel)
    config = SentenceRoundsConfig.model_validate({"reject": None, **method})
    training = opened().config.training
    found = choose_sentences(problem, training, config, this_place(), model, before, 1)
    return problem, found


def test_the_audit_counts_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = opened().problem(0)
    first, second, third = truth.sequences(truth.unlabelled[:3])
    wrong = [(second[0] + 1) % 5, *second[1:]]
    rule = {"selection": {"kind": "threshold", "confidence": 0.5}}
    said = [first.tolist(), wrong, third.tolist()]
    problem, found = chosen_from(monkeypatch, said, [0.9, 0.6, 0.3], rule)
    audit = found.audit
    assert found.pseudo.clips.tolist() == problem.unlabelled[:2].tolist()
    assert (audit.num_selected, audit.num_added, audit.num_changed) == (2, 2, 0)
    total = len(first) + len(second)
    assert audit.precision == pytest.approx((total - 1) / total)
    assert audit.sentences.wer == pytest.approx(1 / total)
    lengths = [len(first), len(second)]
    assert audit.sentences.num_by_length == {one: lengths.count(one) for one in sorted(lengths)}
    assert sum(audit.selected_per_gloss.values()) == total
    every = sum(len(one) for one in problem.sequences(problem.unlabelled))
    missed = every - total - len(third) + 1
    assert audit.sentences.pool_wer == pytest.approx(missed / every)
    assert f"WER {1 / total:.0%}" in audit.described()


def test_a_changed_sequence_is_news(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"selection": {"kind": "threshold", "confidence": 0.5}, "pseudo_labels": "reselect"}
    _, found = chosen_from(monkeypatch, [[0, 1], [2]], [0.9, 0.9], rule)
    _, again = chosen_from(monkeypatch, [[0, 1], [2]], [0.9, 0.9], rule, found.pseudo)
    assert again.nothing_left == "nothing left to add"
    _, other = chosen_from(monkeypatch, [[0, 3], [2]], [0.9, 0.9], rule, found.pseudo)
    assert (other.nothing_left, other.audit.num_changed, other.audit.num_added) == (None, 1, 0)


def test_only_chosen_segments_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"selection": {"kind": "segment_wise", "num_segments": 1}}
    # Spikes fall from 0.9 to 0.1 in each: gloss 1 is surest in the second sentence.
    _, found = chosen_from(monkeypatch, [[0, 1, 2], [1, 3]], [0.5, 0.5], rule)
    assert [one.tolist() for one in found.pseudo.segments] == [[True, False, True], [True, True]]


def test_confidences_are_what_they_say() -> None:
    plain = opened_sentences(training=FRESH, pool=POOL, augmentation={"kind": "none"})
    problem, training = plain.problem(0), plain.config.training
    torch.manual_seed(0)
    model = problem.new_recogniser()
    assert isinstance(model, SentenceModel)

    def sure(**settings: Any) -> np.ndarray:
        measure = SequenceConfidence(**settings)
        return decode_pool(problem, model, training, measure, this_place()).confidence

    likely = sure()
    assert ((likely > 0) & (likely < 1)).all()
    # Views that are not augmented agree.
    assert (sure(measure="views", num_views=2) == 1).all()
    assert (sure(measure="likelihood_and_views", num_views=1) == likely).all()
    margin = sure(measure="margin")
    assert ((margin >= 0) & (margin <= 1)).all()
    assert not np.allclose(margin, likely)


def test_a_beam_is_searched_once_for_answer_and_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = opened_sentences(
        training=FRESH, pool=POOL, sentences={"decoding": {"beam": 3}, "dplr": {"source": "none"}}
    )
    problem, training = opened.problem(0), opened.config.training
    torch.manual_seed(0)
    model = problem.new_recogniser()
    assert isinstance(model, SentenceModel)

    def decoded(measure: str) -> PoolHypotheses:
        sure = SequenceConfidence.model_validate({"measure": measure})
        return decode_pool(problem, model, training, sure, this_place())

    plain = decoded("likelihood")
    monkeypatch.setattr(hypotheses, "decoded", None)
    found = decoded("margin")
    assert [one.tolist() for one in found.sequences] == [one.tolist() for one in plain.sequences]


def loss_of(segments: list[bool] | None, *, epoch: int, knows_frames: bool = False) -> float:
    """Of one sentence of two glosses, of which some segments are known."""
    prepared = opened()
    problem = prepared.problem(0)
    torch.manual_seed(0)
    model = problem.new_recogniser()
    assert isinstance(model, SentenceModel)
    model.knows_frames.fill_(knows_frames)
    none = true_sentences(np.empty(0, np.int64), [])
    known = extended_by_sentences(
        none,
        problem.unlabelled[:1],
        np.ones(1, np.float32),
        [np.array([0, 1])],
        None if segments is None else [np.array(segments)],
    )
    place, training = this_place(), prepared.config.training
    task = SentenceTask(model, problem, training, Round(1, 0, known), place, 1)
    task.begin_epoch(np.random.SeedSequence(0), 1, None)
    batch = task.batch(np.arange(1), torch.Generator().manual_seed(0))
    model.eval()
    loss = task.loss(batch, Step(model, None, 0, epoch, np.random.default_rng(0)))
    return float(loss.detach())


def test_ctc_does_not_learn_from_parts_of_a_sentence() -> None:
    whole = loss_of(None, epoch=0)
    assert whole > 0
    assert loss_of([True, True], epoch=0) == whole
    assert loss_of([True, False], epoch=0) == 0
    # Dense labels do, once they begin.
    assert loss_of([True, False], epoch=1) > 0
    assert loss_of([False, False], epoch=1) == 0


def test_a_model_that_goes_on_has_dense_labels_at_once() -> None:
    assert loss_of([True, False], epoch=0, knows_frames=True) > 0


def test_true_sentences_are_whole_beside_segments() -> None:
    problem = opened().problem(0)
    labelled = labelled_set(problem)
    both = extended_by_sentences(
        labelled, problem.unlabelled[:1], np.ones(1), [np.array([0, 1])], [np.array([True, False])]
    )
    assert both.segments is not None
    assert [one.all() for one in both.segments] == [True] * len(labelled) + [False]
    assert both.is_pseudo.tolist() == [False] * len(labelled) + [True]


def test_the_final_arms_of_sentences(tmp_path: Path) -> None:
    prepared = opened(num_rounds=1, patience_rounds=1)
    config = prepared.config
    folder = RunFolder(str(tmp_path))
    context = RunContext(folder, "gloss_accuracy", (Draw(0),), 1)
    cells = arm_cells(context, {None: Candidates(config, config)}, [Draw(0)])
    names = {one.label for one in cells}
    assert names == {one.name for one in arms_for(config)}
    assert "nearest_neighbour" not in names
    records = {}
    for cell in cells:
        cell.run(this_place(), lambda _: None)
        records[cell.label] = cell.folder.arm()
    best = records["sslr_best"]
    assert best.trained is not None
    assert [one.round for one in best.trained.rounds] == [0, 1]
    assert records["fsl_equal_steps"].num_steps == best.num_steps == 2 * records["fsl"].num_steps
    (last,) = (one.config for one in cells if one.label == "sslr_last")
    assert isinstance(last.method, SentenceRoundsConfig)
    assert last.method.patience_rounds is None
