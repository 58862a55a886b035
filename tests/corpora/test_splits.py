"""Splits and pools: disjoint, reproducible, covering, nested; and each thing that can go wrong."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.corpora.corpus import Corpus, open_cached
from slr_ray.corpora.pools import (
    AllPoolConfig,
    FractionPoolConfig,
    PerGlossPoolConfig,
    PoolConfig,
    SignersPoolConfig,
    draw_pool,
)
from slr_ray.corpora.split_checks import split_warnings
from slr_ray.corpora.splits import (
    ClipSplitConfig,
    FileSplitConfig,
    SignerSplitConfig,
    Split,
    SplitConfig,
    split_corpus,
)
from slr_ray.errors import ConfigError, DataError
from slr_ray.poses.clip import Clip

Rows = Sequence[tuple[str, str | None]]
"""(signer, gloss) by clip."""


def corpus_of(rows: Rows) -> Corpus:
    """A corpus of one-frame clips, named clip0, clip1, ..."""
    frame = np.full((1, 54, 2), 0.5, np.float32)
    seen = np.ones((1, 54), np.float32)
    clips = [
        Clip(f"clip{number}", gloss, signer, None, frame, seen)
        for number, (signer, gloss) in enumerate(rows)
    ]
    return open_cached(f"rows-{hash(tuple(rows))}", "rows", lambda: clips, provenance=list)


def pool_of_signers(num_signers: int, glosses: str, clips: int) -> list[tuple[str, str | None]]:
    return [
        (f"s{number}", gloss)
        for number in range(num_signers)
        for gloss in glosses
        for _ in range(clips)
    ]


FULL = pool_of_signers(10, "abcd", 5)


def test_no_signer_is_in_two_sets() -> None:
    corpus = corpus_of(FULL)
    found = split_corpus(corpus, SignerSplitConfig())
    sets = (found.training, found.validation, found.test)
    signers = [set(corpus.signer_index[one].tolist()) for one in sets]
    assert [len(one) for one in signers] == [6, 2, 2]
    assert not signers[0] & signers[1]
    assert not signers[0] & signers[2]
    assert not signers[1] & signers[2]
    assert sum(map(len, sets)) == corpus.num_clips
    assert found.untrained_glosses == ()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("pqrstuv"), st.sampled_from(["a", "b", "c", None])),
        min_size=12,
        max_size=40,
    ),
    seed=st.integers(0, 5),
)
def test_splits_are_sorted_disjoint_and_repeatable(rows: Rows, seed: int) -> None:
    corpus = corpus_of(rows)
    for config in (SignerSplitConfig(seed=seed), ClipSplitConfig(seed=seed)):
        try:
            found = split_corpus(corpus, config)
        except ConfigError:
            continue
        again = split_corpus(corpus, config)
        everything = np.concatenate([found.training, found.validation, found.test])
        assert len(np.unique(everything)) == len(everything)
        for name in ("training", "validation", "test"):
            one = getattr(found, name)
            assert len(one)
            assert (np.diff(one) > 0).all()
            np.testing.assert_array_equal(one, getattr(again, name))
        held_out = np.concatenate([found.validation, found.test])
        assert (corpus.gloss_index[held_out] != UNLABELLED).all()


def test_another_seed_is_another_split() -> None:
    corpus = corpus_of(FULL)
    tests = {tuple(split_corpus(corpus, SignerSplitConfig(seed=seed)).test) for seed in range(6)}
    assert len(tests) > 1


def test_a_rare_gloss_is_kept_for_training() -> None:
    # Only two of ten signers sign it: most draws would hold one or both of them out.
    rows = [*FULL, ("s0", "rare"), ("s1", "rare")]
    corpus = corpus_of(rows)
    rare = corpus.glosses.index("rare")
    for seed in range(20):
        found = split_corpus(corpus, SignerSplitConfig(seed=seed))
        assert rare in corpus.gloss_index[found.training]
        assert found.untrained_glosses == ()


def test_held_out_sets_cover_the_glosses_where_a_draw_can() -> None:
    # Half the signers sign a, half b: a set of two signers covers both in about half the draws.
    rows = [(f"s{n}", "ab"[n % 2]) for n in range(10) for _ in range(3)]
    corpus = corpus_of(rows)
    for seed in range(10):
        found = split_corpus(corpus, SignerSplitConfig(seed=seed))
        assert len(set(corpus.gloss_index[found.test].tolist())) == 2
        assert len(set(corpus.gloss_index[found.validation].tolist())) == 2


def test_a_gloss_that_training_cannot_have_is_reported() -> None:
    rows = [("s0", "a"), ("s1", "b"), ("s2", "c")]
    found = split_corpus(corpus_of(rows), SignerSplitConfig())
    assert len(found.untrained_glosses) == 2


def test_unlabelled_clips_of_held_out_people_are_left_out() -> None:
    rows = [*FULL, *((f"s{n}", None) for n in range(10)), ("web", None)]
    corpus = corpus_of(rows)
    found = split_corpus(corpus, SignerSplitConfig())
    unlabelled = np.flatnonzero(corpus.gloss_index == UNLABELLED)
    signers = corpus.signer_index[np.intersect1d(unlabelled, found.training)]
    assert len(signers) == 7
    assert corpus.signers.index("web") in signers
    held_out = corpus.signer_index[np.concatenate([found.validation, found.test])]
    assert not set(signers.tolist()) & set(held_out.tolist())


def test_by_clip_each_gloss_is_divided_in_the_same_shares() -> None:
    rows = [*pool_of_signers(2, "ab", 10), ("s0", "rare")]
    corpus = corpus_of(rows)
    found = split_corpus(corpus, ClipSplitConfig())
    for gloss, expected in (("a", (12, 4, 4)), ("b", (12, 4, 4)), ("rare", (1, 0, 0))):
        number = corpus.glosses.index(gloss)
        sets = (found.training, found.validation, found.test)
        assert tuple(int((corpus.gloss_index[one] == number).sum()) for one in sets) == expected


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_says_which_clip_goes_where(tmp_path: Path, suffix: str) -> None:
    corpus = corpus_of(FULL)
    path = tmp_path / f"split{suffix}"
    names = ["test", "validation", "train", "training"]
    table = {"clip_id": ["clip3", "clip1", "clip7", "clip5"], "split": names}
    if suffix == ".parquet":
        pq.write_table(pa.table(table), path)
    else:
        lines = [",".join(row) for row in zip(*table.values(), strict=True)]
        path.write_text("clip_id,split\n" + "\n".join(lines) + "\n")
    found = split_corpus(corpus, FileSplitConfig(path=path))
    assert found.training.tolist() == [5, 7]
    assert found.validation.tolist() == [1]
    assert found.test.tolist() == [3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip_id,split\nclip0,train\nclip1,holdout\n", "'clip1' has split 'holdout'"),
        ("clip_id,split\nnone,train\n", "none of its 1 clips is in rows: its first is 'none'"),
        ("clip_id,split\nclip0,train\nclip0,test\n", "'clip0' is listed twice"),
        ("clip_id,split\nclip0,train\nclip1,test\n", "validation: name a few training clips so"),
        ("clip,split\nclip0,train\n", "no column clip_id"),
        ("", "no column clip_id and split"),
        ("clip_id,split\nclip200,test\n", "'clip200' is in test but has no gloss"),
    ],
)
def test_a_split_file_that_does_not_fit_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text(text)
    corpus = corpus_of([*FULL, ("s0", None)])
    with pytest.raises(DataError, match=message) as raised:
        split_corpus(corpus, FileSplitConfig(path=path))
    assert str(path) in str(raised.value)


def test_what_only_a_split_file_or_only_the_data_have_is_counted(tmp_path: Path) -> None:
    """An official split lists videos that can't be had, and people add clips of their own."""
    path = tmp_path / "split.csv"
    path.write_text("clip_id,split\nclip0,train\ngone,train\nclip2,val\nclip5,test\nlost,test\n")
    corpus = corpus_of(FULL)
    found = split_corpus(corpus, FileSplitConfig(path=path))
    assert (found.num_absent, found.num_unlisted) == (2, corpus.num_clips - 3)
    assert (found.training, found.validation, found.test) == ([0], [2], [5])
    told = " ".join(split_warnings(corpus, found))
    assert f"does not list {corpus.num_clips - 3} of the {corpus.num_clips} clips" in told
    assert "2 clips of the split file are not in rows" in told
    names = ["train", "val", "test"]
    rows = [f"clip{row},{names[row % 3]}" for row in range(corpus.num_clips)]
    path.write_text("\n".join(["clip_id,split", *rows]))
    whole = split_corpus(corpus, FileSplitConfig(path=path))
    assert (whole.num_absent, whole.num_unlisted) == (0, 0)
    assert "split file" not in " ".join(split_warnings(corpus, whole))


def test_a_split_file_is_found_from_another_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert FileSplitConfig(path=Path("split.csv")).path == tmp_path / "split.csv"


def test_a_fingerprint_tells_who_is_where() -> None:
    corpus = corpus_of(FULL)
    first, again = (split_corpus(corpus, SignerSplitConfig()) for _ in range(2))
    assert first.fingerprint == again.fingerprint
    sets = (first.training, first.validation, first.test)
    others = [Split(*order) for order in itertools.permutations(sets)]
    others += [Split(*sets[:2], first.test[1:]), split_corpus(corpus, SignerSplitConfig(seed=1))]
    assert len({one.fingerprint for one in others}) == len(others)


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet"])
def test_a_missing_split_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=name):
        split_corpus(corpus_of(FULL), FileSplitConfig(path=tmp_path / name))


def test_a_broken_parquet_split_is_named(tmp_path: Path) -> None:
    path = tmp_path / "split.parquet"
    path.write_text("clip_id,split\n")
    with pytest.raises(DataError, match=r"split\.parquet"):
        split_corpus(corpus_of(FULL), FileSplitConfig(path=path))


def test_too_few_signers_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"2 signers.*split\.kind=clip"):
        split_corpus(corpus_of(pool_of_signers(2, "ab", 5)), SignerSplitConfig())


def test_fractions_that_leave_no_signer_are_an_error() -> None:
    config = SignerSplitConfig(test_fraction=0.49, validation_fraction=0.5)
    with pytest.raises(ConfigError, match="none of 4 signers"):
        split_corpus(corpus_of(pool_of_signers(4, "ab", 5)), config)


def test_fractions_that_leave_no_clip_are_an_error() -> None:
    with pytest.raises(ConfigError, match="no clip for validation"):
        split_corpus(
            corpus_of(pool_of_signers(3, "a", 1)), ClipSplitConfig(validation_fraction=0.01)
        )


@pytest.mark.parametrize("config", [SignerSplitConfig(), ClipSplitConfig()])
def test_without_a_gloss_all_clips_train_and_none_can_be_labelled(
    config: SignerSplitConfig | ClipSplitConfig,
) -> None:
    corpus = corpus_of([("s0", None)] * 4)
    found = split_corpus(corpus, config)
    assert found.training.tolist() == [0, 1, 2, 3]
    assert not len(found.measured)
    with pytest.raises(ConfigError, match=r"no training clip of .* has a gloss"):
        draw_pool(corpus, found.training, AllPoolConfig(), 0)


def test_configurations_are_unions_on_kind() -> None:
    splits: TypeAdapter[SplitConfig] = TypeAdapter(SplitConfig)
    pools: TypeAdapter[PoolConfig] = TypeAdapter(PoolConfig)
    assert splits.validate_python({"kind": "clip", "seed": 3}) == ClipSplitConfig(seed=3)
    assert pools.validate_python({"kind": "signers"}) == SignersPoolConfig()
    with pytest.raises(ValidationError, match="leave nothing for training"):
        splits.validate_python({"kind": "signer", "test_fraction": 0.6, "validation_fraction": 0.4})


@pytest.mark.parametrize(
    "config",
    [
        FractionPoolConfig(),
        FractionPoolConfig(of="corpus"),
        PerGlossPoolConfig(),
        SignersPoolConfig(),
        AllPoolConfig(),
    ],
    ids=str,
)
def test_a_pool_divides_the_training_clips(config) -> None:
    corpus = corpus_of([*FULL, ("s0", None), ("web", None)])
    training = split_corpus(corpus, SignerSplitConfig()).training
    np.random.seed(1)  # noqa: NPY002 - the global state must play no part
    pool = draw_pool(corpus, training, config, seed=5)
    np.random.seed(2)  # noqa: NPY002
    again = draw_pool(corpus, training, config, seed=5)
    np.testing.assert_array_equal(pool.labelled, again.labelled)
    joined = np.concatenate([pool.labelled, pool.unlabelled])
    np.testing.assert_array_equal(np.sort(joined), training)
    assert (np.diff(pool.labelled) > 0).all()
    assert (corpus.gloss_index[pool.labelled] != UNLABELLED).all()
    if config.kind != "all":
        other = draw_pool(corpus, training, config, seed=6)
        assert other.labelled.tolist() != pool.labelled.tolist()


@settings(max_examples=40, deadline=None)
@given(fractions=st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)), seed=st.integers(0, 2**31))
def test_a_larger_fraction_contains_the_smaller(fractions: tuple[float, float], seed: int) -> None:
    corpus = corpus_of([*FULL, ("s0", "rare")])
    training = np.arange(corpus.num_clips)
    small, large = (
        set(draw_pool(corpus, training, FractionPoolConfig(fraction=one), seed).labelled.tolist())
        for one in sorted(fractions)
    )
    assert small <= large
    assert len(set(corpus.gloss_index[sorted(small)].tolist())) == len(corpus.glosses)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_more_signers_contain_the_fewer(seed: int) -> None:
    corpus = corpus_of(FULL)
    training = np.arange(corpus.num_clips)
    found = [
        set(draw_pool(corpus, training, SignersPoolConfig(num_signers=n), seed).labelled.tolist())
        for n in range(1, 11)
    ]
    assert all(small < large for small, large in itertools.pairwise(found))
    assert all(len(one) == 20 * n for n, one in enumerate(found, start=1))


def test_a_fraction_is_taken_of_every_gloss() -> None:
    corpus = corpus_of([("s", "a")] * 40 + [("s", "b")] * 10 + [("s", "c")])
    pool = draw_pool(corpus, np.arange(51), FractionPoolConfig(fraction=0.2), seed=0)
    assert np.bincount(corpus.gloss_index[pool.labelled]).tolist() == [8, 2, 1]


def test_signers_who_add_glosses_are_preferred_and_the_rest_reported() -> None:
    # Of four signers offered at a time, one with a new gloss is always taken.
    rows = [("p", "a"), ("q", "b"), ("r", "c"), ("t", "a")]
    corpus = corpus_of(rows)
    for seed in range(10):
        pool = draw_pool(corpus, np.arange(4), SignersPoolConfig(num_signers=3), seed)
        assert pool.missing_glosses == ()
        pool = draw_pool(corpus, np.arange(4), SignersPoolConfig(num_signers=2), seed)
        assert len(pool.missing_glosses) == 1


def test_pools_that_cannot_be_drawn_are_errors() -> None:
    corpus = corpus_of([*FULL, ("s0", None)])
    with pytest.raises(ConfigError, match=r"num_signers=11.*only 10"):
        draw_pool(corpus, np.arange(201), SignersPoolConfig(num_signers=11), 0)
    with pytest.raises(ConfigError, match="no training clip of rows has a gloss"):
        draw_pool(corpus, np.array([200]), AllPoolConfig(), 0)


@pytest.mark.real_data
def test_a_real_pool_splits_with_every_gloss_in_every_set(real_data: Path) -> None:
    from slr_ray.corpora.corpus import open_shards

    corpus = open_shards(str(real_data / "wild" / "wild12.parquet"))
    found = split_corpus(corpus, SignerSplitConfig())
    assert found.untrained_glosses == ()
    assert len(set(corpus.gloss_index[found.training].tolist())) == 12
    for held_out in (found.validation, found.test):
        assert len(set(corpus.gloss_index[held_out].tolist())) >= 10
