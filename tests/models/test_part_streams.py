"""Parts told apart, streams thinned to a quarter of the frames, heads for every step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pose_factory import random_batch
from torch.nn import functional

from slr_ray.models.config import new_recogniser
from slr_ray.models.streams.channels import INPUT, INPUT_CHANNELS, PARTS, part_channels
from slr_ray.models.streams.part_streams import PartStreams, PartStreamsConfig, Stream, steps_mask
from slr_ray.models.streams.sentence_model import Heads, SentenceModel
from slr_ray.poses.handedness import mirrored
from slr_ray.poses.normalisation import features
from slr_ray.poses.sentence import num_steps_of
from slr_ray.poses.skeleton import RIGHT_HAND

GLOSSES = 5
SMALL = {"width": 12, "part_width": 6, "num_heads": 2}


def model(**changes: Any) -> SentenceModel:
    torch.manual_seed(0)
    config = PartStreamsConfig(**{**SMALL, **changes})
    found = new_recogniser(config, INPUT_CHANNELS, GLOSSES, of_sentences=True)
    assert isinstance(found, SentenceModel)
    return found.eval()


def inputs(*num_frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    mask = torch.arange(max(num_frames))[None, :] < torch.tensor(num_frames)[:, None]
    drawn = torch.randn((*mask.shape, INPUT_CHANNELS), generator=torch.Generator().manual_seed(1))
    return drawn * mask[..., None], mask


def test_a_left_hand_mirrored_reads_as_a_right_hand() -> None:
    batch = random_batch(0, (7, 5), missing=0.0)
    batch.confidence[0, 1:3, RIGHT_HAND] = 0
    batch.positions[0, 1:3, RIGHT_HAND] = 0
    chosen = part_channels()

    def read(part: str, given: torch.Tensor) -> torch.Tensor:
        channels, signs = zip(*chosen[part], strict=True)
        return given[..., list(channels)] * torch.tensor(signs)

    own = features(batch, INPUT)
    other = features(mirrored(batch, torch.tensor([True, True])), INPUT)
    for one, two in (("left_hand", "right_hand"), ("right_hand", "left_hand")):
        torch.testing.assert_close(read(one, other), read(two, own), rtol=1e-4, atol=1e-4)
    assert (read("right_hand", own) != read("left_hand", own)).any()


def test_no_channel_belongs_to_two_parts() -> None:
    chosen = part_channels()
    assert tuple(chosen) == PARTS
    every = [channel for part in PARTS for channel, _ in chosen[part]]
    assert len(set(every)) == len(every)
    assert max(every) < INPUT_CHANNELS
    # All but where the hands' other joints are, which their shapes tell.
    assert len(every) == INPUT_CHANNELS - 2 * 2 * 20


@pytest.mark.parametrize("num_frames", range(1, 10))
def test_a_step_is_four_frames_or_what_is_left(num_frames: int) -> None:
    heads: Heads = model()(*inputs(num_frames, 9))
    assert int(heads.mask[0].sum()) == num_steps_of(num_frames)
    assert heads.fused.shape == (2, num_steps_of(9), GLOSSES + 1)


def test_a_stream_is_that_of_a_loop_over_frames() -> None:
    torch.manual_seed(0)
    stream = Stream(4, 3, 0.0).eval()
    frames = torch.randn(1, 7, 4)
    found = stream(frames, torch.ones(1, 7, dtype=torch.bool))[0]
    rows = functional.relu(stream.norm(stream.embedding(frames[0])))
    for convolution in stream.convolutions:
        convolved = []
        for place in range(len(rows)):
            total = convolution.bias.clone()
            for offset in range(-2, 3):
                if 0 <= place + offset < len(rows):
                    total = total + convolution.weight[:, :, offset + 2] @ rows[place + offset]
            convolved.append(total.clamp(min=0))
        rows = torch.stack(
            [torch.stack(convolved[one : one + 2]).amax(dim=0) for one in range(0, len(rows), 2)]
        )
    torch.testing.assert_close(found, rows, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sequence", ["lstm", "transformer"])
@pytest.mark.parametrize("division", ["divided", "shared_hands", "joint"])
def test_padding_changes_nothing(sequence: str, division: str) -> None:
    own = model(sequence=sequence, division=division)
    features, mask = inputs(5, 13, 2)
    heads: Heads = own(features, mask)
    longer = functional.pad(features, (0, 0, 0, 6), value=9.0)
    other: Heads = own(longer, functional.pad(mask, (0, 6)))
    real = heads.mask
    for one, two in zip(
        (heads.fused, heads.early, heads.answer, heads.frames, *heads.parts),
        (other.fused, other.early, other.answer, other.frames, *other.parts),
        strict=True,
    ):
        torch.testing.assert_close(two[:, : one.shape[1]][real], one[real], rtol=1e-4, atol=1e-5)


def test_both_heads_answer_by_their_geometric_mean() -> None:
    heads: Heads = model(answer="both")(*inputs(9, 13))
    product = heads.fused.softmax(dim=2) * heads.early.softmax(dim=2)
    expected = product.sqrt() / product.sqrt().sum(dim=2, keepdim=True)
    torch.testing.assert_close(heads.answer.softmax(dim=2), expected)
    alone: Heads = model(answer="fused")(*inputs(9, 13))
    assert torch.equal(alone.answer, alone.fused)


def num_weights(own: torch.nn.Module) -> int:
    return sum(one.numel() for one in own.parameters())


def test_divisions_have_a_head_a_part_where_there_are_several() -> None:
    features = inputs(6)
    divided, shared, joint = (
        model(division=one, part_width=64) for one in ("divided", "shared_hands", "joint")
    )
    assert [len(own(*features).parts) for own in (divided, shared, joint)] == [3, 3, 0]
    assert num_weights(shared) < num_weights(divided)
    assert num_weights(joint) == pytest.approx(num_weights(divided), rel=0.2)


def test_shared_hands_are_read_with_the_same_weights() -> None:
    encoder = model(division="shared_hands").encoder
    signed = part_channels()
    features, mask = inputs(6)
    (right, sides), (left, others) = (
        zip(*signed[part], strict=True) for part in ("right_hand", "left_hand")
    )
    features[..., list(left)] = (
        features[..., list(right)] * torch.tensor(sides) * torch.tensor(others)
    )
    parts = encoder.steps(features, mask).parts
    torch.testing.assert_close(parts["left_hand"], parts["right_hand"])


def test_a_dropped_part_is_seen_by_no_step_and_one_stays() -> None:
    encoder = model(part_dropout=0.9).encoder.train()
    torch.manual_seed(0)
    parts = [torch.ones(200, 2, 6) for _ in PARTS]
    seen = torch.stack(encoder._seen(parts))
    is_seen = (seen != 0).flatten(2)
    assert (is_seen.all(dim=2) | ~is_seen.any(dim=2)).all()
    assert is_seen.any(dim=0).all()
    # 0.1, and 0.9^3 that all would be dropped: then none is.
    assert 0.75 < is_seen[:, :, 0].float().mean() < 0.9
    torch.testing.assert_close(seen.mean(dim=0), torch.ones(200, 2, 6))


def test_steps_of_a_mask_are_those_with_a_real_frame() -> None:
    mask = torch.arange(10)[None, :] < torch.tensor([[1], [4], [5], [10]])
    assert steps_mask(mask).sum(dim=1).tolist() == [1, 1, 2, 3]


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="108 input channels"):
        PartStreams(PartStreamsConfig(), 108, 3)
