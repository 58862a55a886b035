"""Corpora of sentences: their splits and pools, what is told of them, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from clip_factory import clips_of, make_sentence, sentences_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slr_ray.corpora.clip_kinds import refuse_isolated, refuse_sentences
from slr_ray.corpora.corpus import Corpus, open_cached
from slr_ray.corpora.folds import FoldsSplitConfig
from slr_ray.corpora.glosses import MostFrequent, restricted
from slr_ray.corpora.pools import (
    AllPoolConfig,
    AnyPoolConfig,
    FractionPoolConfig,
    PerGlossPoolConfig,
    SignersPoolConfig,
    draw_pool,
)
from slr_ray.corpora.sequences import num_repeats, sequence_numbers, too_short
from slr_ray.corpora.split_checks import refuse_untaught, split_warnings
from slr_ray.corpora.splits import (
    AnySplitConfig,
    ClipSplitConfig,
    FileSplitConfig,
    SentencesSplitConfig,
    SignerSplitConfig,
    Split,
    split_corpus,
)
from slr_ray.errors import ConfigError, DataError
from slr_ray.experiment.extra_clips import labelled_elsewhere, open_pool
from slr_ray.poses.clip import Clip

Rows = Sequence[tuple[str | None, str | None]]
"""(signer, glosses) by sentence; each letter is a gloss."""
SIGNERS = "pqrstuvwxy"
SEQUENCES = ["".join(one) for one in itertools.permutations("abcd", 3)]
FULL = list(itertools.product(SIGNERS, SEQUENCES))


def corpus_of(rows: Rows) -> Corpus:
    return opened(sentences_of(rows), f"sentences-{hash(tuple(rows))}")


def opened(clips: list[Clip], key: str) -> Corpus:
    return open_cached(key, "rows", lambda: clips, provenance=list)


def written(corpus: Corpus, clips: np.ndarray) -> set[str]:
    """The gloss sequences of some clips."""
    return {"".join(corpus.glosses[one] for one in corpus.sequence(int(clip))) for clip in clips}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("pqrs"), st.none() | st.text("abc", min_size=1, max_size=3)),
        min_size=12,
        max_size=30,
    ),
    seed=st.integers(0, 5),
)
def test_no_sequence_is_in_two_sets(rows: Rows, seed: int) -> None:
    if len({glosses for _, glosses in rows} - {None}) < 5:
        return
    corpus = corpus_of(rows)
    config = SentencesSplitConfig(seed=seed)
    found, again = split_corpus(corpus, config), split_corpus(corpus, config)
    assert found.fingerprint == again.fingerprint
    sets = [found.training, found.validation, found.test]
    assert all((np.diff(one) > 0).all() for one in sets)
    assert sorted(np.concatenate(sets).tolist()) == list(range(len(rows)))
    assert corpus.is_labelled[found.measured].all()
    training, validation, test = (written(corpus, one) - {""} for one in sets)
    assert not training & validation
    assert not training & test
    assert not validation & test
    num_sequences = len(training | validation | test)
    assert len(test) == len(validation) == max(1, round(0.2 * num_sequences))


def test_fractions_are_of_the_sequences_and_seeds_differ() -> None:
    corpus = corpus_of(FULL)
    config = SentencesSplitConfig(test_fraction=0.25, validation_fraction=0.125)
    sets = split_corpus(corpus, config)
    assert [len(one) for one in (sets.training, sets.validation, sets.test)] == [150, 30, 60]
    tests = {tuple(split_corpus(corpus, SentencesSplitConfig(seed=seed)).test) for seed in range(6)}
    assert len(tests) > 1


def test_rare_glosses_are_kept_for_training() -> None:
    rows = [*FULL, ("p", "rab"), ("p", "rare")]
    for seed in range(10):
        found = split_corpus(corpus_of(rows), SentencesSplitConfig(seed=seed))
        assert found.untrained_glosses == ()


@pytest.mark.parametrize("config", [SignerSplitConfig(), FoldsSplitConfig()])
def test_no_signer_of_sentences_is_in_two_sets(config: AnySplitConfig) -> None:
    corpus = corpus_of([*FULL, ("p", None), (None, "abc")])
    found = split_corpus(corpus, config)
    signers = [set(corpus.signers_of(one)) for one in (found.training, *_measured(found))]
    assert [len(one) for one in signers] == [6, 2, 2]
    assert set.union(*signers) == set(SIGNERS)
    assert found.unlabelled_only.tolist() == [len(FULL) + 1]
    assert corpus.is_labelled[found.measured].all()


def _measured(found: Split) -> list[np.ndarray]:
    return [found.validation, found.test]


@pytest.mark.parametrize(
    ("rows", "config", "reason"),
    [
        (FULL, ClipSplitConfig(), r"split.kind=clip divides .* are sentences"),
        (FULL[:2], SentencesSplitConfig(), "has 2 different gloss sequences"),
        (
            FULL,
            SentencesSplitConfig(test_fraction=0.5, validation_fraction=0.49),
            "leave none of 24 gloss sequences for training",
        ),
        (FULL[:5], SignerSplitConfig(), r"has 1 signers with labelled .* split.kind=sentences"),
    ],
)
def test_a_split_that_can_not_be(rows: Rows, config: AnySplitConfig, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        split_corpus(corpus_of(rows), config)


def test_isolated_signs_have_no_sentences_to_hold_out() -> None:
    corpus = opened(clips_of([("p", "a"), ("q", "b")]), "isolated-no-sentences")
    with pytest.raises(ConfigError, match=r"has isolated signs\. Use split.kind=signer"):
        split_corpus(corpus, SentencesSplitConfig())


def test_sentences_without_any_label_all_train() -> None:
    corpus = corpus_of([("p", None)] * 4)
    found = split_corpus(corpus, SentencesSplitConfig())
    assert found.training.tolist() == [0, 1, 2, 3]


def test_a_file_divides_sentences_and_tests_none_without_a_label(tmp_path: Path) -> None:
    corpus = corpus_of([("p", "ab"), ("p", "b"), ("p", "a"), ("p", None)])
    path = tmp_path / "split.csv"
    rows = "clip_id,split\nclip0,train\nclip1,dev\nclip2,test\nclip3,"
    path.write_text(rows + "train\n")
    found = split_corpus(corpus, FileSplitConfig(path=path))
    assert (found.training.tolist(), found.test.tolist()) == ([0, 3], [2])
    path.write_text(rows + "test\n")
    with pytest.raises(DataError, match="'clip3' is in test but has no gloss"):
        split_corpus(corpus, FileSplitConfig(path=path))


def test_what_a_split_of_sentences_can_not_say_is_told() -> None:
    corpus = corpus_of([("p", "ab"), ("p", "aca"), ("q", "ab"), ("q", "ax"), ("q", "b")])
    sets = (np.array([0, 1]), np.array([4]), np.array([2, 3]))
    untaught, known = split_warnings(corpus, Split(*sets, untrained_glosses=("x",)))[1:]
    assert "0 of 1 validation clips and 1 of 2 test clips are never wholly right: x" in untaught
    assert known.startswith("1 of 2 test sentences have the glosses of a training sentence")


def test_a_test_set_of_untaught_glosses_stops() -> None:
    corpus = corpus_of([("p", "x"), ("p", "ab"), ("q", "ab")])
    parts = Split(np.array([1]), np.array([2]), np.array([0]))
    with pytest.raises(ConfigError, match=r"no gloss of the 1 test clips .* \(x\)"):
        refuse_untaught(corpus, parts, np.array([1]))


def test_a_share_of_sentences_meets_every_gloss_first_and_nests() -> None:
    corpus = corpus_of([*FULL, ("p", "efe"), ("q", None)])
    everything = np.arange(corpus.num_clips)
    for seed in range(5):
        pools = [
            draw_pool(corpus, everything, FractionPoolConfig(fraction=one), seed)
            for one in (0.01, 0.1, 0.5, 1)
        ]
        sizes = [len(one.labelled) for one in pools]
        assert sizes == [2, 24, 120, 241]
        assert all(set(one.labelled) <= set(two.labelled) for one, two in itertools.pairwise(pools))
        assert [one.missing_glosses for one in pools[1:]] == [()] * 3
        assert 241 in pools[-1].unlabelled
    other = draw_pool(corpus, everything, FractionPoolConfig(of="corpus"), 4)
    assert other.labelled.tolist() == pools[1].labelled.tolist()


def test_pools_of_signers_and_of_all_sentences() -> None:
    # Only q signs e: whoever draws q with another has every gloss.
    rows = [*FULL, ("q", "ea"), ("r", None), (None, "abc")]
    corpus = corpus_of(rows)
    everything = np.arange(corpus.num_clips)
    chosen = set()
    for seed in range(8):
        pool = draw_pool(corpus, everything, SignersPoolConfig(num_signers=2), seed)
        signers = corpus.signers_of(pool.labelled)
        assert len(signers) == 2
        assert (pool.missing_glosses == ("e",)) == ("q" not in signers)
        assert corpus.is_labelled[pool.labelled].all()
        chosen.add(tuple(signers))
    assert len(chosen) > 1
    pool = draw_pool(corpus, everything, AllPoolConfig(), 0)
    assert pool.unlabelled.tolist() == [len(FULL) + 1]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (PerGlossPoolConfig(), r"pool.kind=per_gloss: .* Take pool.kind=fraction"),
        (FractionPoolConfig(unlabelled_skew=2), r"unlabelled_skew=2.0: .* Leave it out"),
    ],
)
def test_sentences_are_not_drawn_by_gloss(config: AnyPoolConfig, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        draw_pool(corpus_of(FULL), np.arange(len(FULL)), config, 0)


def test_sentences_are_not_taken_by_gloss() -> None:
    with pytest.raises(ConfigError, match=r"data\.glosses takes clips by their one gloss"):
        restricted(corpus_of(FULL), MostFrequent(num_glosses=2))


def test_each_task_refuses_the_clips_of_the_other() -> None:
    sentences = corpus_of([("p", None), ("p", "abc")])
    signs = opened(clips_of([("p", "a")]), "isolated-kind")
    unknown = corpus_of([("p", None)])
    with pytest.raises(ConfigError, match=r"'clip1' is a sentence of 3 glosses.* task=continuous"):
        refuse_sentences(sentences)
    refuse_sentences(signs)
    refuse_sentences(unknown)
    refuse_isolated(sentences)
    with pytest.raises(ConfigError, match=r"has isolated signs, and .* Set task=isolated"):
        refuse_isolated(signs)
    with pytest.raises(ConfigError, match="has clips without any gloss"):
        refuse_isolated(unknown)


def test_signs_and_sentences_are_not_learnt_from_together() -> None:
    sentences, signs = corpus_of(FULL), opened(clips_of([("s", "a"), ("s", None)]), "pool-of-signs")
    unknown = opened(clips_of([("s", None)]), "pool-of-unknown")
    parts = split_corpus(sentences, SignerSplitConfig())
    assert len(open_pool(sentences, parts, [unknown])) == 1
    told = "rows has isolated signs, and rows sentences: .* Leave it out"
    with pytest.raises(ConfigError, match=told):
        open_pool(sentences, parts, [signs])
    with pytest.raises(ConfigError, match=told):
        labelled_elsewhere(sentences, parts, signs)
    everything = Split(np.arange(2), *[np.zeros(0, np.int64)] * 2)
    with pytest.raises(ConfigError, match="rows has sentences, and rows isolated signs"):
        open_pool(signs, everything, [sentences])


def test_sequences_are_numbered_and_measured() -> None:
    rows = [("p", "aab"), ("q", None), ("q", "b"), ("p", "aab"), ("p", "aaa"), ("q", "a")]
    corpus = corpus_of(rows)
    assert sequence_numbers(corpus).tolist() == [0, -1, 1, 0, 2, 3]
    # The b that ends clip0 and the one of clip2 are two sentences' own.
    assert num_repeats(corpus).tolist() == [1, 0, 0, 1, 2, 0]


def test_sentences_too_short_for_their_glosses() -> None:
    """By hand: a step of four frames for each gloss, and a blank one where it comes again."""
    rows = [("ab", 5), ("ab", 4), ("aa", 9), ("aa", 8), ("aab", 12), (None, 1)]
    clips = [make_sentence(f"{n}", glosses, frames) for n, (glosses, frames) in enumerate(rows)]
    corpus = opened(clips, "too-short")
    assert too_short(corpus).tolist() == [1, 3, 4]
