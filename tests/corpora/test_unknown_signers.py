"""Clips of unknown signers: read, counted, and never where a split promises new people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clip_factory import clips_of
from hypothesis import given, settings
from hypothesis import strategies as st

from slr_ray.corpora.arrays import UNKNOWN_SIGNER, UNLABELLED
from slr_ray.corpora.corpus import Corpus, open_cached, open_shards
from slr_ray.corpora.inspection.inspection import Inspection, inspect_corpus
from slr_ray.corpora.inspection.page import write_page
from slr_ray.corpora.pools import AllPoolConfig, FractionPoolConfig, SignersPoolConfig, draw_pool
from slr_ray.corpora.split_checks import split_warnings
from slr_ray.corpora.splits import (
    ClipSplitConfig,
    FileSplitConfig,
    SignerSplitConfig,
    Split,
    split_corpus,
)
from slr_ray.errors import ConfigError
from slr_ray.poses.clip import Clip
from slr_ray.poses.shard_schema import SCHEMA
from slr_ray.poses.shard_writing import write_shard
from slr_ray.poses.shards import ShardReader
from slr_ray.training.unlabelled import UnlabelledClips

Rows = Sequence[tuple[str | None, str | None]]
"""(signer, gloss) by clip."""
FULL: Rows = [(f"s{signer}", gloss) for signer in range(6) for gloss in "ab" for _ in range(3)]


def corpus_of(*clips: Clip) -> Corpus:
    key = hashlib.sha256(repr(clips).encode()).hexdigest()[:16]
    return open_cached(f"unknown-{key}", "rows", lambda: clips, provenance=list)


@pytest.mark.parametrize("spelling", ["null", "empty", "spaces", "no column", "null column"])
def test_a_shard_need_not_name_signers(tmp_path: Path, spelling: str) -> None:
    path = tmp_path / "shard.parquet"
    write_shard(path, clips_of([("ann", "a"), ("bob", "b")]), {})
    table = pq.read_table(path)
    place = table.column_names.index("signer")
    spelt = {"null": ["ann", None], "empty": ["ann", ""], "spaces": ["ann", "  "]}
    if spelling == "no column":
        table = table.drop_columns(["signer"])
    elif spelling == "null column":
        table = table.set_column(place, "signer", pa.nulls(2))
    else:
        table = table.set_column(place, "signer", pa.array(spelt[spelling]))
    pq.write_table(table, path)
    first, second = ShardReader(str(path))
    assert first.signer == ("ann" if spelling in spelt else None)
    assert second.signer is None
    corpus = open_shards(str(path))
    assert corpus.signers == (("ann",) if spelling in spelt else ())
    assert corpus.signer_index[1] == UNKNOWN_SIGNER
    assert corpus.clip(1).signer is None
    assert corpus.skipped == ()


def test_known_signers_are_numbered_and_fingerprinted_as_ever(tmp_path: Path) -> None:
    known = clips_of([("zoe", "a"), ("unknown", "b"), ("ann", None)])
    digest = hashlib.sha256()
    for clip in known:
        header = json.dumps([clip.clip_id, clip.gloss, clip.signer, clip.num_frames])
        digest.update(header.encode())
        digest.update(np.concatenate([clip.positions, clip.confidence[..., None]], -1).tobytes())
    corpus = corpus_of(*known)
    assert corpus.fingerprint == digest.hexdigest()
    assert corpus.signers_or_unknown == ("ann", "unknown", "zoe")
    mixed = corpus_of(*known, replace(known[0], clip_id="web", signer=None))
    assert mixed.signer_index.tolist() == [2, 1, 0, UNKNOWN_SIGNER]
    assert mixed.signers_or_unknown == ("ann", "unknown", "zoe", None)
    assert mixed.signers_of(np.arange(4)) == ["ann", "unknown", "zoe"]


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["p", "q", "r", "t", None]), st.sampled_from(["a", "b", "c", None])
        ),
        min_size=12,
        max_size=40,
    ),
    seed=st.integers(0, 5),
)
def test_by_signer_nobody_unknown_is_labelled_or_measured(rows: Rows, seed: int) -> None:
    corpus = corpus_of(*clips_of(rows))
    unknown = np.flatnonzero(corpus.signer_index == UNKNOWN_SIGNER)
    try:
        parts = split_corpus(corpus, SignerSplitConfig(seed=seed))
    except ConfigError:
        return
    np.testing.assert_array_equal(parts.unlabelled_only, unknown)
    assert np.isin(unknown, parts.training).all()
    for config in (FractionPoolConfig(fraction=0.5), SignersPoolConfig(num_signers=1)):
        pool = draw_pool(corpus, parts.training, config, seed, parts.unlabelled_only)
        assert np.isin(unknown, pool.unlabelled).all()
        assert len(pool.labelled)
    told = [one for one in split_warnings(corpus, parts) if "unknown signers" in one]
    assert len(told) == (len(unknown) > 0)
    if told:
        assert told[0].startswith(f"{len(unknown)} clips of unknown signers")


def test_a_gloss_that_only_unknown_signers_sign_is_untrained(tmp_path: Path) -> None:
    # Every draw holds out signers who sign c, and those who are left sign a and b.
    rows = [*FULL, *((None, "c") for _ in range(9)), ("s0", "c")]
    corpus = corpus_of(*clips_of(rows))
    found = [split_corpus(corpus, SignerSplitConfig(seed=seed)) for seed in range(20)]
    held_out = [one for one in found if 45 in np.concatenate([one.validation, one.test])]
    for one in held_out:
        assert one.untrained_glosses == ("c",)
        assert any("always wrong: c" in warning for warning in split_warnings(corpus, one))
    clean = split_corpus(corpus, ClipSplitConfig())
    assert clean.untrained_glosses == ()


def test_by_clip_or_file_unknown_signers_are_clips_like_others(tmp_path: Path) -> None:
    corpus = corpus_of(*clips_of([(None, gloss) for gloss in "ab" for _ in range(10)]))
    by_clip = split_corpus(corpus, ClipSplitConfig())
    assert len(by_clip.test) == 4
    assert len(by_clip.unlabelled_only) == 0
    rows = ["clip0,train", "clip10,train", "clip1,val", "clip11,test"]
    (tmp_path / "split.csv").write_text("\n".join(["clip_id,split", *rows]))
    by_file = split_corpus(corpus, FileSplitConfig(path=tmp_path / "split.csv"))
    assert by_file.test.tolist() == [11]
    pool = draw_pool(corpus, by_file.training, AllPoolConfig(), 0, by_file.unlabelled_only)
    assert pool.labelled.tolist() == [0, 10]


def test_too_few_known_signers_are_told_apart_from_unknown_ones() -> None:
    corpus = corpus_of(*clips_of([("s0", "a"), ("s1", "b"), *((None, "a") for _ in range(7))]))
    with pytest.raises(ConfigError, match=r"2 signers.*\(7 clips name no signer\)"):
        split_corpus(corpus, SignerSplitConfig())


def test_a_pool_of_signers_ignores_clips_of_nobody() -> None:
    corpus = corpus_of(*clips_of([*FULL, *((None, "a") for _ in range(5))]))
    every = np.arange(corpus.num_clips)
    pool = draw_pool(corpus, every, SignersPoolConfig(num_signers=6), 0)
    assert (corpus.signer_index[pool.labelled] != UNKNOWN_SIGNER).all()
    with pytest.raises(ConfigError, match="only 6 training signers"):
        draw_pool(corpus, every, SignersPoolConfig(num_signers=7), 0)


def test_splits_that_label_differently_have_other_fingerprints() -> None:
    sets = (np.array([0, 1, 2]), np.array([3]), np.array([4]))
    free, bound = Split(*sets), Split(*sets, unlabelled_only=np.array([2]))
    assert free.fingerprint != bound.fingerprint


def test_what_pre_training_sees_counts_them() -> None:
    corpus = corpus_of(*clips_of([*FULL, (None, None), (None, "a")]))
    clips = UnlabelledClips(((corpus, np.arange(corpus.num_clips)),))
    assert clips.signers() == [f"s{number}" for number in range(6)]
    assert "2 of unknown signers" in clips.described()
    known = UnlabelledClips(((corpus, np.arange(36)),))
    assert "unknown" not in known.described()


def inspect(*clips: Clip) -> Inspection:
    return inspect_corpus(corpus_of(*clips))


def test_an_inspection_counts_them_apart(tmp_path: Path) -> None:
    rows: Rows = [("bob", "a"), (None, "a"), ("ann", "b"), (None, None), (None, None)]
    corpus = corpus_of(*clips_of(rows))
    found = inspect_corpus(corpus)
    assert found.signers == ["ann", "bob", None]
    assert found.clips_per_gloss_and_signer == [[0, 1, 1], [1, 0, 0]]
    assert found.unlabelled_per_signer == [0, 0, 2]
    assert [one.num_clips for one in found.signer_reports] == [1, 1, 3]
    assert sum("3 clips of unknown signers" in warning for warning in found.warnings) == 1
    page, _ = write_page(corpus, found, tmp_path)
    assert "2 (3 clips of unknown signers)" in page.read_text()


def test_frames_shared_with_unknown_signers_name_the_known_one() -> None:
    first, second, third = clips_of([("ann", "a"), (None, None), (None, None)])
    copy = replace(second, positions=first.positions)
    again = replace(third, positions=first.positions)
    found = inspect(first, copy, again)
    (pair,) = found.duplicates.between_signers
    assert (pair.first, pair.second, pair.num_frames) == ("ann", None, 2)
    assert any("these clips show ann" in warning for warning in found.warnings)
    assert found.duplicates.num_identical_clips == 2
    assert found.duplicates.num_identical_across_signers == 0
    assert [one.second for one in found.duplicates.within_signers] == [None]


def test_a_corpus_of_unknown_signers_only_has_a_page(tmp_path: Path) -> None:
    corpus = corpus_of(*clips_of([(None, None)] * 4))
    page, _ = write_page(corpus, inspect_corpus(corpus), tmp_path)
    assert "0 (4 clips of unknown signers)" in page.read_text()


def test_a_written_shard_keeps_the_column(tmp_path: Path) -> None:
    write_shard(tmp_path / "shard.parquet", clips_of([(None, "a")]), {})
    assert pq.read_schema(tmp_path / "shard.parquet").names == SCHEMA.names


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "others", "num_unknown"),
    [
        ("wlasl/wlasl100", "wlasl/wlasl_unlabelled", 4674),
        ("dgs/dgs30", "dgs/dgs_unlabelled", 2997),
    ],
)
def test_real_clips_of_unknown_signers_make_a_pool(
    real_data: Path, tmp_path: Path, name: str, others: str, num_unknown: int
) -> None:
    for one in (name, others):
        (tmp_path / f"{Path(one).name}.parquet").symlink_to(real_data / f"{one}.parquet")
    corpus = open_shards(str(tmp_path))
    parts = split_corpus(corpus, SignerSplitConfig())
    assert len(parts.unlabelled_only) == num_unknown
    pool = draw_pool(
        corpus, parts.training, FractionPoolConfig(fraction=0.3), 0, parts.unlabelled_only
    )
    assert (corpus.gloss_index[pool.unlabelled] == UNLABELLED).sum() >= num_unknown
    assert not np.isin(pool.labelled, parts.unlabelled_only).any()
