"""Which clips make up the batches of an epoch."""

from __future__ import annotations

import numpy as np
import pytest

from slr_ray.training.labels.sampling import TrainingSet, epoch_batches, extended, true_labels


def a_set(num_true: int, num_pseudo: int) -> TrainingSet:
    rng = np.random.default_rng(0)
    labelled = true_labels(np.arange(num_true), rng.integers(0, 4, num_true))
    added = np.arange(1000, 1000 + num_pseudo)
    return extended(
        labelled, added, rng.integers(0, 4, num_pseudo), np.full(num_pseudo, 0.5, np.float32)
    )


def batches(training_set: TrainingSet, seed: int = 0, **options: object) -> list[np.ndarray]:
    lengths = np.random.default_rng(1).integers(10, 60, len(training_set))
    settings = {"batch_size": 16, "num_steps": None, "true_share": None, "balanced": False}
    rng = np.random.default_rng(seed)
    return list(epoch_batches(training_set, lengths, rng=rng, **{**settings, **options}))


def test_one_pass_has_every_clip_once() -> None:
    rows = np.concatenate(batches(a_set(100, 203)))
    assert sorted(rows) == list(range(303))


def test_a_fixed_number_of_steps_repeats_evenly() -> None:
    made = batches(a_set(20, 0), num_steps=10)
    assert len(made) == 10
    assert np.bincount(np.concatenate(made)).tolist() == [8] * 20


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_the_share_of_true_labels_holds_in_every_batch(share: float) -> None:
    training_set = a_set(30, 500)
    made = batches(training_set, true_share=share, num_steps=40)
    assert len(made) == 40
    for rows in made:
        assert len(rows) == 16
        assert abs((~training_set.is_pseudo[rows]).sum() - 16 * share) < 1


@pytest.mark.parametrize(("batch_size", "share"), [(1, 0.25), (1, 0.5), (1, 0.75), (8, 0.3)])
def test_a_share_that_is_no_whole_number_holds_over_the_epoch(
    batch_size: int, share: float
) -> None:
    training_set = a_set(30, 300)
    made = batches(training_set, batch_size=batch_size, num_steps=100, true_share=share)
    assert [len(rows) for rows in made] == [batch_size] * 100
    is_true = ~training_set.is_pseudo[np.concatenate(made)]
    assert is_true.mean() == pytest.approx(share)
    counts = [(~training_set.is_pseudo[rows]).sum() for rows in made]
    assert max(counts) - min(counts) == 1


def test_balanced_batches_with_few_true_labels_keep_some() -> None:
    training_set = a_set(4, 300)
    made = batches(training_set, batch_size=8, balanced=True)
    drawn = np.concatenate(made)
    assert len(drawn) == 304
    assert (~training_set.is_pseudo[drawn]).sum() == 4


def test_a_share_without_pseudo_labels_is_plain_training() -> None:
    made = batches(a_set(32, 0), true_share=0.5)
    assert sorted(np.concatenate(made)) == list(range(32))


def test_balanced_draws_every_gloss_equally_often() -> None:
    labelled = true_labels(np.arange(100), np.repeat([0, 1, 2], [90, 8, 2]))
    rows = np.concatenate(batches(labelled, balanced=True, num_steps=30))
    assert np.bincount(labelled.glosses[rows]).tolist() == [160, 160, 160]


def test_batches_hold_clips_of_similar_length() -> None:
    training_set = a_set(1024, 0)
    lengths = np.random.default_rng(1).integers(10, 60, 1024)
    spread = np.mean([np.ptp(lengths[rows]) for rows in batches(training_set)])
    assert spread < 0.25 * np.ptp(lengths)


@pytest.mark.parametrize("options", [{}, {"balanced": True}])
def test_batches_of_few_clips_have_each_about_as_often(options: dict[str, bool]) -> None:
    # Ten steps are 80 passes of two clips, eight of twenty and one of 160.
    for num_clips in (2, 20, 160):
        training_set = true_labels(np.arange(num_clips), np.arange(num_clips) % 4)
        for rows in batches(training_set, num_steps=10, **options):
            # A batch that begins in one pass ends in another.
            assert np.bincount(rows).max() <= np.ceil(16 / num_clips) + 1


def test_so_have_batches_of_few_true_labels_beside_many_pseudo_labels() -> None:
    training_set = a_set(6, 600)
    for rows in batches(training_set, true_share=0.5, num_steps=50):
        true = rows[~training_set.is_pseudo[rows]]
        assert len(true) == 8
        assert np.bincount(true).max() <= np.ceil(8 / 6) + 1


def test_the_seed_decides() -> None:
    training_set = a_set(50, 50)
    first, same = batches(training_set, 5), batches(training_set, 5)
    assert all((a == b).all() for a, b in zip(first, same, strict=True))
    other = batches(training_set, 6)
    assert any((a != b).any() for a, b in zip(first, other, strict=True))
