"""Embedded sentences: reproducible part by part, true times, and no rest between signs."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slr_ray.corpora.data import open_data
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, boundaries, generate
from slr_ray.corpora.embedded.language import sequences
from slr_ray.corpora.embedded.people import signed_by
from slr_ray.corpora.embedded.reach import along_reaches, minimum_jerk
from slr_ray.corpora.embedded.sentences import EmbeddedSentencesConfig, generate_sentences
from slr_ray.corpora.embedded.signs import lexicon
from slr_ray.errors import ConfigError
from slr_ray.poses.clip import Clip, check_clip
from slr_ray.poses.skeleton import INDEX, LEFT_HAND, RIGHT_HAND

SMALL = EmbeddedSentencesConfig(num_signers=4, num_sentences=20, signer_coverage=0.5)
EASY = {
    "jitter": 0.0,
    "drop_out_per_s": 0.0,
    "mirrored_share": 0.0,
    "left_handed_share": 0.0,
    "missing_elbows_share": 0.0,
    "variant_share": 0.0,
    "num_glosses": 30,
    "num_signers": 4,
}
CLEAN = EmbeddedSentencesConfig(**EASY, num_sentences=30, signer_coverage=0.5)
CLEAN_SIGNS = EmbeddedConfig(**EASY, clips_per_block=2, mislabelled_share=0.0)


@pytest.fixture(scope="module")
def small_clips() -> list[Clip]:
    return list(generate_sentences(SMALL))


@pytest.fixture(scope="module")
def clean_clips() -> list[Clip]:
    return list(generate_sentences(CLEAN))


def test_every_clip_is_a_valid_sentence(small_clips: list[Clip]) -> None:
    for clip in small_clips:
        check_clip(clip)
        assert clip.gloss is None
        assert clip.sentence is not None
        assert clip.sentence.times is not None
        assert clip.fps in (25.0, 30.0)
    assert len({clip.clip_id for clip in small_clips}) == len(small_clips)


def test_a_clip_hangs_on_its_signer_and_its_sentence_only(small_clips: list[Clip]) -> None:
    by_id = {clip.clip_id: clip for clip in small_clips}
    fewer = SMALL.model_copy(update={"num_sentences": 7})
    found = list(generate_sentences(fewer))
    assert 0 < len(found) < len(small_clips)
    for clip in found:
        same = by_id[clip.clip_id]
        assert clip.sentence == same.sentence
        np.testing.assert_array_equal(clip.positions, same.positions)
        np.testing.assert_array_equal(clip.confidence, same.confidence)


def test_another_seed_says_other_things_with_the_same_signs(small_clips: list[Clip]) -> None:
    other = list(generate_sentences(SMALL.model_copy(update={"seed": 1})))
    said = {clip.sentence.glosses for clip in small_clips}
    assert len({clip.sentence.glosses for clip in other} & said) < 3
    known = {sign.gloss for sign in lexicon(30)}
    assert {gloss for clip in other for gloss in clip.sentence.glosses} <= known


def test_a_sentence_is_signed_by_several_and_a_signer_signs_several() -> None:
    signed = signed_by(EmbeddedSentencesConfig(), 160, coverage=0.25, spread=0.1)
    assert signed.sum(axis=1).min() >= 3
    assert np.ptp(signed.sum(axis=1)) > 0
    assert signed.sum(axis=0).min() >= 20


def test_sequences_have_the_lengths_and_frequencies_of_a_language() -> None:
    said = sequences(2000, 30, 0)
    assert len(set(said)) == 2000
    assert said[:50] == sequences(50, 30, 0)
    lengths = [len(one) for one in said]
    assert (min(lengths), max(lengths)) == (2, 9)
    assert np.mean(lengths) == pytest.approx(4.8, abs=0.3)
    assert all(one != following for each in said for one, following in itertools.pairwise(each))
    counts = sorted(Counter(itertools.chain(*said)).values(), reverse=True)
    assert len(counts) == 30
    assert counts[0] > 5 * counts[-1]
    # What follows hangs on what came before: far from the frequencies alone.
    most = Counter(itertools.chain(*said)).most_common(1)[0][0]
    followers = Counter(
        two for each in said for one, two in itertools.pairwise(each) if one == most
    )
    overall = Counter(itertools.chain(*said))
    ratios = [followers[gloss] / overall[gloss] for gloss in overall if gloss != most]
    assert max(ratios) > 5 * np.median(ratios)


def test_too_many_sentences_or_glosses_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"num_sentences: 1000 .* 2 glosses .* ask for fewer"):
        sequences(1000, 2, 0)
    with pytest.raises(ConfigError, match=r"num_glosses.*5000"):
        next(generate_sentences(EmbeddedSentencesConfig(num_glosses=5000)))


def _height(clip: Clip, hand: str) -> np.ndarray:
    """Of a wrist below the shoulder, in shoulder widths of the picture's height."""
    wrist, shoulder = clip.positions[:, INDEX[f"{hand}Wrist"]], clip.positions[:, INDEX["neck"]]
    return wrist[:, 1] - shoulder[:, 1]


def test_the_signing_hand_rests_before_and_after_but_not_between(clean_clips: list[Clip]) -> None:
    for clip in clean_clips:
        times = clip.sentence.times
        height = _height(clip, "right")
        during = height[times[0][0] : times[-1][1]]
        assert during.max() < min(height[0], height[-1])
        gaps = [after[0] - before[1] for before, after in itertools.pairwise(times)]
        assert all(2 <= gap <= 0.4 * clip.fps for gap in gaps)


def test_the_other_hand_is_up_in_signs_of_both_hands_and_comes_early(
    clean_clips: list[Clip],
) -> None:
    early = 0
    for clip in clean_clips:
        height = _height(clip, "left")
        before = 0
        for gloss, (start, end) in zip(clip.sentence.glosses, clip.sentence.times, strict=True):
            if gloss.endswith("-both"):
                np.testing.assert_allclose(
                    height[start:end], _height(clip, "right")[start:end], atol=0.03
                )
                rising = height[before:start] < height[0] - 0.1 * np.ptp(height)
                early += before > 0 and bool(rising.any())
            before = end
        if not any(gloss.endswith("-both") for gloss in clip.sentence.glosses):
            assert np.ptp(height) < 0.05
    assert early > 5


def _widths(clip: Clip) -> np.ndarray:
    """Positions beside the neck in shoulder widths."""
    unit = np.linalg.norm(clip.positions[0, 6] - clip.positions[0, 7])
    return np.asarray((clip.positions - clip.positions[:, [INDEX["neck"]]]) / unit)


def _features(clip: Clip, start: int, end: int) -> np.ndarray:
    steps = np.linspace(start, end - 1, 8).round().astype(int).clip(0, clip.num_frames - 1)
    places, found = _widths(clip)[steps], clip.confidence[steps] > 0
    hands = []
    for hand in (RIGHT_HAND, LEFT_HAND):
        wrist = places[:, hand.start, None]
        joints = np.concatenate([wrist, 2 * (places[:, hand] - wrist)], axis=1)
        hands.append((joints * found[:, hand.start, None, None]).ravel())
    return np.concatenate(hands)


def test_times_are_where_the_isolated_signs_are_found_again(clean_clips: list[Clip]) -> None:
    known, glosses = [], []
    for clip, truth in zip(generate(CLEAN_SIGNS), boundaries(CLEAN_SIGNS), strict=True):
        known.append(_features(clip, truth.head_frames, truth.num_frames - truth.tail_frames))
        glosses.append(clip.gloss)

    def found_again(shift: float) -> float:
        right = []
        for clip in clean_clips:
            for gloss, (start, end) in zip(clip.sentence.glosses, clip.sentence.times, strict=True):
                moved = round(shift * (end - start))
                asked = _features(clip, start + moved, end + moved)
                nearest = ((np.array(known) - asked) ** 2).sum(axis=1).argmin()
                right.append(glosses[nearest] == gloss)
        return float(np.mean(right))

    there = found_again(0.0)
    assert there > 0.75
    assert max(found_again(-0.5), found_again(0.5)) < there - 0.15


def _fastest(clip: Clip) -> float:
    """Highest speed of a found joint, in shoulder widths a second."""
    steps = np.linalg.norm(np.diff(_widths(clip), axis=0), axis=-1) * clip.fps
    found = clip.confidence > 0
    return float(steps[found[1:] & found[:-1]].max())


def test_nothing_moves_faster_than_in_isolated_signs(clean_clips: list[Clip]) -> None:
    isolated = [_fastest(clip) for clip in generate(CLEAN_SIGNS) if clip.fps >= 25]
    continuous = [_fastest(clip) for clip in clean_clips]
    assert max(continuous) < 1.6 * max(isolated)
    assert np.median(continuous) < 1.6 * np.median(isolated)


def test_there_are_steps_enough_for_every_sentence(small_clips: list[Clip]) -> None:
    # CTC over steps of four frames needs one a gloss; no gloss follows itself.
    assert all(clip.num_frames // 4 >= len(clip.sentence.glosses) for clip in small_clips)


def test_the_corpus_opens_with_its_sentences(small_clips: list[Clip]) -> None:
    corpus = open_data(SMALL)
    assert corpus.has_sentences
    assert corpus.num_clips == len(small_clips)
    assert corpus.sentence(5) == small_clips[5].sentence
    assert corpus.provenance[0]["settings"]["kind"] == "embedded_sentences"
    assert open_data(SMALL.model_copy(update={"jitter": 0.1})).fingerprint != corpus.fingerprint


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True), st.integers(1, 4))
def test_reaches_pass_through_what_is_known(known: list[int], width: int) -> None:
    places = np.array(sorted(known))
    values = np.random.default_rng(0).normal(size=(len(places), width))
    path = along_reaches(places, values, 31)
    for frame in range(31):
        before = max((one for one in range(len(places)) if places[one] <= frame), default=0)
        after = min(
            (one for one in range(len(places)) if places[one] >= frame), default=len(places) - 1
        )
        share = 0.0
        if places[before] < frame < places[after]:
            share = (frame - places[before]) / (places[after] - places[before])
        eased = 10 * share**3 - 15 * share**4 + 6 * share**5
        expected = values[before] + eased * (values[after] - values[before])
        np.testing.assert_allclose(path[frame], expected)


def test_a_reach_starts_and_ends_still() -> None:
    path = minimum_jerk(np.linspace(0, 1, 1001))
    assert path[0] == 0
    assert path[-1] == pytest.approx(1)
    assert path[500] == pytest.approx(0.5)
    assert max(path[1], 1 - path[-2]) < 1e-6
    assert np.diff(path).max() * 1000 == pytest.approx(1.875, rel=1e-3)
