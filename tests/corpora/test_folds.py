"""Folds by signer: everybody is tested once, nobody is on two sides, glosses stay taught."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from test_splits import FULL, corpus_of, pool_of_signers

from slr_ray.corpora.arrays import UNKNOWN_SIGNER, UNLABELLED
from slr_ray.corpora.corpus import Corpus, open_shards
from slr_ray.corpora.folds import FoldsSplitConfig, assign_folds
from slr_ray.corpora.pools import AllPoolConfig, draw_pool
from slr_ray.corpora.splits import Split, split_corpus
from slr_ray.errors import ConfigError

SETS = ("training", "validation", "test")


def folds_of(corpus: Corpus, **settings: int | float) -> list[Split]:
    config = FoldsSplitConfig.model_validate(settings)
    return [split_corpus(corpus, one) for one in config.every()]


def check(corpus: Corpus, folds: Sequence[Split]) -> None:
    """The contract of any division into folds."""
    known = corpus.signer_index != UNKNOWN_SIGNER
    tested = np.concatenate([one.test for one in folds])
    everybody = np.flatnonzero(known & (corpus.gloss_index != UNLABELLED))
    np.testing.assert_array_equal(np.sort(tested), everybody)
    for one in folds:
        people = [set(corpus.signer_index[getattr(one, name)].tolist()) for name in SETS]
        people = [found - {UNKNOWN_SIGNER} for found in people]
        assert all(len(getattr(one, name)) for name in SETS)
        assert not people[0] & people[1]
        assert not people[0] & people[2]
        assert not people[1] & people[2]
        assert known[one.measured].all()
        np.testing.assert_array_equal(
            one.unlabelled_only, one.training[~known[one.training]].astype(np.int64)
        )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([*"pqrstuv", None]), st.sampled_from(["a", "b", "c", None])),
        min_size=20,
        max_size=60,
    ),
    num_folds=st.integers(2, 5),
    seed=st.integers(0, 5),
)
def test_everybody_is_tested_once(rows, num_folds: int, seed: int) -> None:
    corpus = corpus_of(rows)
    try:
        folds = folds_of(corpus, num_folds=num_folds, seed=seed)
    except ConfigError:
        return
    check(corpus, folds)
    again = folds_of(corpus, num_folds=num_folds, seed=seed)
    assert [one.fingerprint for one in folds] == [one.fingerprint for one in again]


def test_clips_of_unknown_signers_never_get_a_label() -> None:
    corpus = corpus_of([*FULL, (None, "a"), (None, None)])
    for one in folds_of(corpus, num_folds=5):
        assert set(one.unlabelled_only) == {200, 201}
        pool = draw_pool(corpus, one.training, AllPoolConfig(), 0, one.unlabelled_only)
        assert {200, 201} <= set(pool.unlabelled)


def test_another_seed_is_another_division_and_validates_others() -> None:
    corpus = corpus_of(FULL)
    tests = {tuple(folds_of(corpus, num_folds=5, seed=seed)[0].test) for seed in range(6)}
    assert len(tests) > 3
    validated = [tuple(one.validation) for one in folds_of(corpus, num_folds=5)]
    assert len(set(validated)) > 1


def test_the_validation_share_moves_nobody_between_folds() -> None:
    corpus = corpus_of(FULL)
    few, many = (folds_of(corpus, num_folds=5, validation_fraction=share) for share in (0.125, 0.5))
    for one, other in zip(few, many, strict=True):
        np.testing.assert_array_equal(one.test, other.test)
        assert len(other.validation) == 4 * len(one.validation)


def test_folds_hold_similar_numbers_of_clips() -> None:
    rng = np.random.default_rng(0)
    signed = rng.integers(1, 60, (40, 3))
    for seed in range(5):
        held = np.bincount(assign_folds(signed, 5, seed), weights=signed.sum(axis=1))
        assert np.ptp(held) < 0.1 * held.mean()
    # One who signs most of it takes a fold nearly alone, and no fold is empty.
    signed[0] = 10_000
    assert (np.bincount(assign_folds(signed, 5, 0), minlength=5) > 0).all()


def test_the_two_signers_of_a_rare_gloss_are_in_different_folds() -> None:
    rows = [*FULL, ("s0", "rare"), ("s1", "rare"), ("s8", "odd"), ("s9", "odd")]
    corpus = corpus_of(rows)
    for seed in range(10):
        folds = folds_of(corpus, num_folds=2, validation_fraction=0.2, seed=seed)
        assert [one.untrained_glosses for one in folds] == [(), ()]


@pytest.mark.parametrize(
    ("num_signers", "given", "words"),
    [
        (4, {"num_folds": 5}, r"num_folds=5, but .* has 4 signers"),
        (3, {"num_folds": 2}, "leaves none of the other 1 for training"),
        (5, {"num_folds": 5, "validation_fraction": 0.9}, "leaves none of the other 4"),
    ],
)
def test_folds_that_cannot_be_are_errors(num_signers: int, given, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        folds_of(corpus_of(pool_of_signers(num_signers, "ab", 2)), **given)


def test_a_fold_is_one_of_them() -> None:
    with pytest.raises(ValidationError, match="counted from 0"):
        FoldsSplitConfig(num_folds=3, fold=3)


@pytest.mark.real_data
def test_a_real_corpus_divides_evenly(real_data: Path) -> None:
    corpus = open_shards(str(real_data / "wild" / "wild12.parquet"))
    folds = folds_of(corpus, num_folds=5)
    check(corpus, folds)
    assert all(one.untrained_glosses == () for one in folds)
    held = [len(one.test) for one in folds]
    assert max(held) < 1.1 * min(held)
