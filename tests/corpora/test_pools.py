"""Labels counted by gloss, shares of the whole corpus, and pools that are skewed on purpose."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_splits import FULL, corpus_of

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.pools import AnyPoolConfig, FractionPoolConfig, PerGlossPoolConfig, draw_pool
from slr_ray.corpora.skew import long_tail

UNEVEN = [("s", gloss) for gloss, n in zip("abcd", (60, 30, 9, 1), strict=True) for _ in range(n)]


def labelled(corpus: Corpus, config: AnyPoolConfig, seed: int = 0) -> np.ndarray:
    return draw_pool(corpus, np.arange(corpus.num_clips), config, seed).labelled


def of_each(corpus: Corpus, clips: np.ndarray) -> list[int]:
    return np.bincount(corpus.gloss_index[clips], minlength=len(corpus.glosses)).tolist()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_so_many_of_every_gloss_nest(seed: int) -> None:
    corpus = corpus_of(UNEVEN)
    pools = [labelled(corpus, PerGlossPoolConfig(num_clips=k), seed) for k in range(1, 12)]
    assert all(set(small) < set(large) for small, large in itertools.pairwise(pools))
    assert of_each(corpus, pools[4]) == [5, 5, 5, 1]
    assert of_each(corpus, pools[10]) == [11, 11, 9, 1]


def test_a_share_of_the_corpus_is_that_share() -> None:
    corpus = corpus_of(UNEVEN)
    for fraction, num_clips in ((0.01, 1), (0.05, 5), (0.1, 10), (1, 100)):
        pool = labelled(corpus, FractionPoolConfig(fraction=fraction, of="corpus"))
        assert len(pool) == num_clips
        # One of every gloss first, where there are enough.
        assert sum(count > 0 for count in of_each(corpus, pool)) == min(4, num_clips)
    # By gloss, small ones make 1 % more than that.
    assert len(labelled(corpus, FractionPoolConfig(fraction=0.01))) == 4


@settings(max_examples=20, deadline=None)
@given(shares=st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)), seed=st.integers(0, 2**31))
def test_a_larger_share_of_the_corpus_contains_the_smaller(
    shares: tuple[float, float], seed: int
) -> None:
    corpus = corpus_of(UNEVEN)
    small, large = (
        set(labelled(corpus, FractionPoolConfig(fraction=one, of="corpus"), seed).tolist())
        for one in sorted(shares)
    )
    assert small <= large


def test_a_long_tail_by_hand() -> None:
    counts, order = np.array([40, 0, 100, 30]), np.array([2, 0, 3])
    # 100, 10, 1 by the formula, and flipped: the rarest has 30 clips for 100 times the first's.
    assert long_tail(counts, order, 100.0).tolist() == [10, 0, 100, 1]
    assert long_tail(counts, order, 1 / 100).tolist() == [3, 0, 1, 30]
    assert long_tail(counts, order, 1.0).tolist() == [30, 0, 30, 30]
    assert long_tail(counts, np.array([3]), 7.0).tolist() == [0, 0, 0, 30]


@pytest.mark.parametrize(("skew", "ratio"), [(1, 1), (4, 4), (0.25, 0.25)])
def test_a_skewed_pool_has_the_imbalance_asked_for(skew: float, ratio: float) -> None:
    rows = [("s", gloss) for gloss, n in zip("abc", (90, 60, 50), strict=True) for _ in range(n)]
    corpus = corpus_of([*rows, ("s", None)])
    everything = np.arange(corpus.num_clips)
    plain = draw_pool(corpus, everything, PerGlossPoolConfig(num_clips=2), 3)
    config = PerGlossPoolConfig(num_clips=2, unlabelled_skew=skew)
    pool = draw_pool(corpus, everything, config, 3)
    np.testing.assert_array_equal(pool.labelled, plain.labelled)
    assert set(pool.unlabelled) < set(plain.unlabelled)
    assert len(pool.unlabelled) + pool.num_left_out == len(plain.unlabelled)
    assert (np.diff(pool.unlabelled) > 0).all()
    # Nobody can say of which gloss this one is.
    assert 200 in pool.unlabelled
    counts = of_each(corpus, pool.unlabelled[:-1])
    assert counts[0] / counts[2] == pytest.approx(ratio, rel=0.1)
    again = draw_pool(corpus, everything, config, 3)
    np.testing.assert_array_equal(pool.unlabelled, again.unlabelled)
    other = draw_pool(corpus, everything, config, 4)
    assert other.unlabelled.tolist() != pool.unlabelled.tolist()


def test_with_nothing_left_to_thin_a_skew_does_nothing() -> None:
    corpus = corpus_of(FULL)
    config = PerGlossPoolConfig(num_clips=1000, unlabelled_skew=10)
    pool = draw_pool(corpus, np.arange(corpus.num_clips), config, 0)
    assert (len(pool.unlabelled), pool.num_left_out) == (0, 0)
