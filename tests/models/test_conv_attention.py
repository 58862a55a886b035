"""Convolution and attention: the norm over real frames, and the order of time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from pydantic import ValidationError

from slr_ray.models.conv_attention import ConvAttentionConfig, ConvolutionBlock
from slr_ray.models.frame_norm import FrameNorm

SMALL = ConvAttentionConfig(width=8, num_heads=2, num_stages=1, dropout=0.0, final_dropout=0.0)


def clips() -> tuple[torch.Tensor, torch.Tensor]:
    frames = torch.randn(3, 6, 8, generator=torch.Generator().manual_seed(0))
    return frames, torch.arange(6)[None, :] < torch.tensor([[6], [4], [1]])


@pytest.mark.parametrize("way", [FrameNorm.picked, FrameNorm.by_weight])
@pytest.mark.parametrize("padding", [0, 5])
def test_the_norm_sees_real_frames_alone(
    padding: int, way: Callable[[FrameNorm, torch.Tensor, torch.Tensor], torch.Tensor]
) -> None:
    frames, mask = clips()
    if padding:
        frames = torch.nn.functional.pad(frames, (0, 0, 0, padding), value=7.0)
        mask = torch.nn.functional.pad(mask, (0, padding))
    norm = FrameNorm(8)
    ours = way(norm, frames, mask)
    real = frames[mask]
    wanted = (real - real.mean(0)) / (real.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(ours[mask], wanted)
    torch.testing.assert_close(norm.running_mean, 0.1 * real.mean(0))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * real.var(0))
    assert not ours[~mask].any()
    norm.eval()
    running = (real - norm.running_mean) / (norm.running_var + 1e-5).sqrt()
    torch.testing.assert_close(norm(frames, mask)[mask], running)


@pytest.mark.parametrize("way", [FrameNorm.picked, FrameNorm.by_weight])
def test_a_single_frame_is_normed_by_the_running_statistics(
    way: Callable[[FrameNorm, torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    frame, mask = torch.full((1, 1, 8), 3.0), torch.ones(1, 1, dtype=torch.bool)
    norm = FrameNorm(8)
    torch.testing.assert_close(way(norm, frame, mask), norm.eval()(frame, mask))
    assert not norm.running_mean.any()


def test_full_clips_take_the_short_way_to_the_same_values() -> None:
    frames, _ = clips()
    every = torch.ones(3, 6, dtype=torch.bool)
    nothing = torch.zeros(1, 6, dtype=torch.bool)
    padded = torch.cat([frames, torch.zeros(1, 6, 8)]), torch.cat([every, nothing])
    torch.testing.assert_close(FrameNorm(8)(frames, every), FrameNorm(8)(*padded)[:3])


def test_the_block_is_a_depthwise_convolution() -> None:
    frames, _ = clips()
    every = torch.ones(3, 6, dtype=torch.bool)
    block = ConvolutionBlock(8, 3, 0.0).eval()
    reference = torch.nn.Conv1d(8, 8, 3, padding=1, groups=8, bias=False)
    with torch.no_grad():
        reference.weight.copy_(block.weight[:, :, 0])
        convolved = reference(frames.transpose(1, 2)).transpose(1, 2)
        wanted = frames + block.mix(torch.nn.functional.silu(block.norm(convolved, every)))
        torch.testing.assert_close(block(frames, every), wanted)


def test_padding_changes_nothing_in_training_either() -> None:
    torch.manual_seed(0)
    model = SMALL.build(8, 4).train()
    frames, mask = clips()
    longer = torch.nn.functional.pad(frames, (0, 0, 0, 3), value=5.0)
    masked = torch.nn.functional.pad(mask, (0, 3))
    torch.testing.assert_close(model(longer, masked), model(frames, mask), rtol=1e-4, atol=1e-5)


def test_the_order_of_frames_matters() -> None:
    model = SMALL.build(8, 4).eval()
    frames, _ = clips()
    every = torch.ones(3, 6, dtype=torch.bool)
    assert not torch.allclose(model(frames, every), model(frames.flip(1), every), atol=1e-4)


@pytest.mark.parametrize(
    ("setting", "error"), [({"kernel": 4}, "even"), ({"width": 10, "num_heads": 4}, "divisible")]
)
def test_settings_that_do_not_fit_are_refused(setting: dict[str, int], error: str) -> None:
    with pytest.raises(ValidationError, match=error):
        ConvAttentionConfig(**setting)  # type: ignore[arg-type]
