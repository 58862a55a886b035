"""The embedded corpus: reproducible, streamed, true boundaries, and as awkward as it says."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, boundaries, generate, open_embedded
from slr_ray.corpora.embedded.hand import SHAPES, hand_joints
from slr_ray.corpora.embedded.signs import lexicon
from slr_ray.errors import ConfigError
from slr_ray.poses.clip import check_clip
from slr_ray.poses.skeleton import HAND_JOINTS, INDEX, LEFT_HAND, RIGHT_HAND

SMALL = EmbeddedConfig(num_signers=8, clips_per_block=4)
CLEAN = SMALL.model_copy(
    update={
        "jitter": 0.0,
        "drop_out_per_s": 0.0,
        "mirrored_share": 0.0,
        "left_handed_share": 0.0,
        "missing_elbows_share": 0.0,
        "mislabelled_share": 0.0,
    }
)


@pytest.fixture(scope="module")
def small_clips() -> list:
    return list(generate(SMALL))


def test_the_same_configuration_is_the_same_corpus(small_clips: list) -> None:
    again = list(generate(SMALL))
    assert [one.clip_id for one in again] == [one.clip_id for one in small_clips]
    for one, other in zip(again, small_clips, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
        np.testing.assert_array_equal(one.confidence, other.confidence)


def test_the_seed_changes_the_fingerprint_and_not_the_vocabulary() -> None:
    first, again = open_embedded(SMALL), open_embedded(SMALL)
    other = open_embedded(SMALL.model_copy(update={"seed": 1}))
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint
    assert first.glosses == other.glosses
    assert first.provenance[0]["settings"]["seed"] == 0


def test_it_is_the_corpus_that_it_always_was(small_clips: list) -> None:
    # Sums, as processors round sines differently. Where they change, `_VERSION` must be raised.
    confidence = np.concatenate([clip.confidence for clip in small_clips])
    positions = np.concatenate([clip.positions for clip in small_clips]).astype(np.float64)
    assert (len(small_clips), len(positions)) == (320, 10_908)
    assert (confidence == 0).sum() == 343_165
    weighted = (positions * np.arange(54)[:, None]).sum(axis=(0, 1, 2))
    assert confidence.astype(np.float64).sum() == pytest.approx(213_746.0859375, rel=1e-7)
    assert positions[..., 0].sum() == pytest.approx(107_310.7259104699, rel=1e-7)
    assert positions[..., 1].sum() == pytest.approx(156_433.2619769255, rel=1e-7)
    assert weighted == pytest.approx(5_666_103.342811756, rel=1e-7)


def test_numpys_global_state_plays_no_part(small_clips: list) -> None:
    np.random.seed(99)  # noqa: NPY002 - the point of the test
    first = next(generate(SMALL))
    np.testing.assert_array_equal(first.positions, small_clips[0].positions)


def test_clips_stream_without_building_the_corpus() -> None:
    endless = EmbeddedConfig(num_signers=20_000, num_glosses=12, clips_per_block=10)
    clips = list(itertools.islice(generate(endless), 25))
    assert len({one.clip_id for one in clips}) == 25


def test_every_clip_is_a_valid_pose_sequence(small_clips: list) -> None:
    for clip in small_clips:
        check_clip(clip)
        assert (clip.positions[clip.confidence == 0] == 0).all()
        assert clip.confidence.max() <= 1
    assert len({clip.clip_id for clip in small_clips}) == len(small_clips)


def test_boundaries_belong_to_their_clips(small_clips: list) -> None:
    truth = list(boundaries(SMALL))
    assert [one.clip_id for one in truth] == [clip.clip_id for clip in small_clips]
    assert [one.num_frames for one in truth] == [clip.num_frames for clip in small_clips]
    assert all(one.head_frames + one.tail_frames < one.num_frames for one in truth)
    assert np.std([one.head_fraction for one in truth]) > 0.02
    assert truth[0].head_fraction == truth[0].head_frames / truth[0].num_frames
    assert truth[0].tail_fraction == truth[0].tail_frames / truth[0].num_frames


def test_hands_are_up_between_the_boundaries_and_down_outside() -> None:
    wrist, shoulder = INDEX["rightWrist"], INDEX["rightShoulder"]
    checked = 0
    for clip, truth in zip(generate(CLEAN), boundaries(CLEAN), strict=True):
        height = clip.positions[:, wrist, 1] - clip.positions[:, shoulder, 1]
        during = height[truth.head_frames : truth.num_frames - truth.tail_frames]
        # Where the sign begins the hand has arrived; at the ends of the clip it hangs.
        assert during.max() < min(height[0], height[-1])
        rising = height[: truth.head_frames]
        assert np.argmin(rising) >= len(rising) - 4
        checked += 1
    assert checked > 100


def test_left_handed_signers_are_the_share_that_was_asked_for() -> None:
    config = EmbeddedConfig(
        num_signers=16, clips_per_block=2, left_handed_share=0.25, mirrored_share=0.0
    )
    prominence: dict[str, int] = Counter()
    for clip in generate(config):
        left, right = (clip.confidence[:, hand] > 0 for hand in (LEFT_HAND, RIGHT_HAND))
        prominence[clip.signer] += int(left.sum()) - int(right.sum())
    assert sum(more > 0 for more in prominence.values()) == 4


def test_some_signers_lack_ears_or_elbows_throughout(small_clips: list) -> None:
    config = SMALL.model_copy(update={"missing_ears_share": 0.25, "missing_elbows_share": 0.5})
    for joint, expected in (("leftEar", 2), ("rightElbow", 4)):
        lacking: dict[str, bool] = {}
        for clip in generate(config):
            seen = bool((clip.confidence[:, INDEX[joint]] > 0).any())
            lacking[clip.signer] = lacking.get(clip.signer, True) and not seen
        assert sum(lacking.values()) == expected


def _lost(rate: float) -> list[np.ndarray]:
    """By clip, the frames of the sign in which the dominant hand is missing."""
    config = CLEAN.model_copy(update={"drop_out_per_s": rate, "num_signers": 4})
    return [
        clip.confidence[truth.head_frames : -truth.tail_frames, RIGHT_HAND.start] == 0
        for clip, truth in zip(generate(config), boundaries(config), strict=True)
    ]


def test_drop_outs_follow_their_rate_and_come_in_stretches() -> None:
    none, some, many = _lost(0.0), _lost(0.2), _lost(2.0)
    shares = [float(np.concatenate(lost).mean()) for lost in (none, some, many)]
    assert shares[0] < shares[1] < shares[2]
    # Frames lost one by one would nearly all be alone; here the next one is mostly lost too.
    alike = [(lost[1:] & lost[:-1]).sum() for lost in some]
    assert sum(alike) > 0.5 * sum(lost[:-1].sum() for lost in some)


def test_labels_are_wrong_by_the_block() -> None:
    config = SMALL.model_copy(update={"mislabelled_share": 0.5})
    agree: dict[str, set[bool]] = {}
    for clip, truth in zip(generate(config), boundaries(config), strict=True):
        block = clip.clip_id.rsplit("-", 1)[0]
        agree.setdefault(block, set()).add(clip.gloss == truth.performed)
    assert all(len(one) == 1 for one in agree.values())
    assert 0.3 < np.mean([one == {False} for one in agree.values()]) < 0.7


def test_blocks_are_unbalanced_and_each_gloss_is_signed(small_clips: list) -> None:
    sizes = Counter((clip.signer, clip.gloss) for clip in small_clips)
    assert len(set(sizes.values())) > 1
    signers = Counter(gloss for _, gloss in sizes)
    assert len(signers) == 12
    assert len(set(signers.values())) > 1


def test_many_glosses_have_distinct_names_and_too_many_are_an_error() -> None:
    names = [sign.gloss for sign in lexicon(400)]
    assert len(set(names)) == 400
    assert tuple(names[:12]) == tuple(sign.gloss for sign in lexicon(12))
    with pytest.raises(ConfigError, match=r"num_glosses.*5000"):
        next(generate(EmbeddedConfig(num_glosses=5000)))


def test_every_movement_and_location_can_be_signed() -> None:
    config = EmbeddedConfig(num_glosses=150, num_signers=2, clips_per_block=1)
    signs = lexicon(150)
    assert {sign.movement for sign in signs} > {"twist", "slide", "arc"}
    for clip in generate(config):
        check_clip(clip)


def test_a_flat_hand_points_up_and_turns() -> None:
    tip = HAND_JOINTS.index("middleTip")
    thumb = HAND_JOINTS.index("thumbTip")
    turns = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, np.pi], [np.pi / 2, 0.0, 0.0]])
    hands = hand_joints(np.tile(SHAPES["flat"], (3, 1)), turns, 1.0)
    assert hands[0, tip, 1] == pytest.approx(-1.0, abs=0.08)
    # A right palm towards the camera has its thumb to the picture's right; the back, to the left.
    assert hands[0, thumb, 0] > 0.1
    assert hands[1, thumb, 0] < -0.1
    assert hands[2, tip, 0] == pytest.approx(1.0, abs=0.08)


def _resampled(corpus: Corpus) -> np.ndarray:
    rows = []
    for index in range(corpus.num_clips):
        clip = corpus.clip(index)
        steps = np.linspace(0, clip.num_frames - 1, 8).round().astype(int)
        width = np.ptp(clip.positions[:, [6, 7], 0], axis=1).mean()
        relative = (clip.positions - clip.positions[:, 1:2]) / width
        rows.append((relative * (clip.confidence > 0)[..., None])[steps].ravel())
    return np.stack(rows)


def test_new_signers_are_neither_trivial_nor_hopeless_for_a_nearest_neighbour() -> None:
    corpus = open_embedded(EmbeddedConfig(num_signers=16, clips_per_block=4))
    points = _resampled(corpus)
    tested = corpus.signer_index < 4
    known, asked = points[~tested], points[tested]
    squared = (known**2).sum(axis=1) - 2 * asked @ known.T
    guesses = np.asarray(corpus.gloss_index)[~tested][squared.argmin(axis=1)]
    accuracy = np.mean(guesses == np.asarray(corpus.gloss_index)[tested])
    assert 3 / 12 < accuracy < 0.9


@pytest.mark.real_data
def test_hands_are_as_large_beside_the_body_as_in_real_clips(real_data) -> None:
    from slr_ray.corpora.corpus import open_shards

    def hand_size(corpus: Corpus) -> float:
        frames = np.array(corpus.frames[:20_000])
        right, left = INDEX["rightShoulder"], INDEX["leftShoulder"]
        seen = (frames[:, RIGHT_HAND.start, 2] > 0) & (frames[:, right, 2] > 0)
        hands = frames[seen, RIGHT_HAND, :2]
        width = np.abs(frames[seen, right, 0] - frames[seen, left, 0])
        return float(np.median(np.ptp(hands[..., 0], axis=1) / width))

    real = open_shards(str(real_data / "wild" / "wild12.parquet"))
    assert hand_size(open_embedded(EmbeddedConfig())) == pytest.approx(hand_size(real), rel=0.5)
