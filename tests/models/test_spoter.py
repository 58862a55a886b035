"""SPOTER: equal to PyTorch's own layers, indifferent to padding, order as configured."""

from __future__ import annotations

import pytest
import torch
from attention_reference import as_torch
from torch import Tensor

from slr_ray.models.attention import FeedForward
from slr_ray.models.positions import sinusoids
from slr_ray.models.spoter import Spoter, SpoterConfig

SMALL = SpoterConfig(num_encoder_layers=2, num_decoder_layers=2, hidden=32)
MODERN = SpoterConfig(
    width=36,
    num_heads=4,
    num_encoder_layers=2,
    num_decoder_layers=1,
    hidden=32,
    positions="sinusoidal",
    norm_first=True,
)


def inputs(num_frames: list[int], seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(len(num_frames), max(num_frames), 108, generator=generator)
    mask = torch.arange(max(num_frames))[None, :] < torch.tensor(num_frames)[:, None]
    return features, mask


def feed(part: FeedForward, values: Tensor) -> Tensor:
    return (
        values.matmul(part.inner.weight.T)
        .add(part.inner.bias)
        .clamp(min=0)
        .matmul(part.outer.weight.T)
        + part.outer.bias
    )


@pytest.mark.parametrize("config", [SMALL, MODERN], ids=["published", "modern"])
def test_against_a_clip_by_clip_reference(config: SpoterConfig) -> None:
    """The published architecture written out with PyTorch's attention, one clip at a time."""
    torch.manual_seed(0)
    model = Spoter(config, 108, 7).eval()
    lengths = [9, 5, 12]
    features, mask = inputs(lengths)
    with torch.no_grad():
        found = model(features, mask)
        for row, length in enumerate(lengths):
            frames = model.projection(features[row : row + 1, :length]) + model.position
            if config.positions == "sinusoidal":
                frames = frames + sinusoids(length, frames.shape[-1], frames.device)
            for layer in model.encoder:
                attention = as_torch(layer.attention)
                if config.norm_first:
                    normed = layer.norm1(frames)
                    frames = frames + attention(normed, normed, normed)[0]
                    frames = frames + feed(layer.feed_forward, layer.norm2(frames))
                else:
                    frames = layer.norm1(frames + attention(frames, frames, frames)[0])
                    frames = layer.norm2(frames + feed(layer.feed_forward, frames))
            frames = model.encoder_norm(frames)
            query = model.class_query
            for layer in model.decoder:
                # In evaluation the published self-addition doubles the query before the norm.
                query = layer.norm1(2 * query)
                query = layer.norm2(query + as_torch(layer.attention)(query, frames, frames)[0])
                query = layer.norm3(query + feed(layer.feed_forward, query))
            expected = model.classifier(model.decoder_norm(query))[0, 0]
            torch.testing.assert_close(found[row], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", [SMALL, MODERN], ids=["published", "modern"])
def test_padding_changes_nothing(config: SpoterConfig) -> None:
    torch.manual_seed(0)
    model = Spoter(config, 108, 7).eval()
    features, mask = inputs([6, 10])
    with torch.no_grad():
        alone = model(features[:1, :6], mask[:1, :6])
        padded = features.clone()
        padded[0, 6:] = 1e3
        torch.testing.assert_close(model(padded, mask)[:1], alone, rtol=1e-4, atol=1e-5)


def test_constant_positions_do_not_see_order_and_sinusoids_do() -> None:
    """The release's positional vector is the same on every frame (facts of its code)."""
    features, mask = inputs([8])
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    published = Spoter(SMALL, 108, 7).eval()
    modern = Spoter(MODERN, 108, 7).eval()
    with torch.no_grad():
        torch.testing.assert_close(
            published(features[:, order], mask), published(features, mask), rtol=1e-4, atol=1e-5
        )
        assert (modern(features[:, order], mask) - modern(features, mask)).abs().max() > 1e-3


def test_gradients_reach_every_parameter() -> None:
    model = Spoter(MODERN, 108, 7)
    model(*inputs([6, 10])).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        # The first query's norm makes its key bias a constant shift of the scores: no gradient.
        if "key_value.bias" not in name:
            assert parameter.grad.abs().max() > 0, name


def test_widths_that_heads_do_not_divide() -> None:
    with pytest.raises(ValueError, match="width 10 is not divisible by num_heads 3"):
        SpoterConfig(width=10, num_heads=3)
    with pytest.raises(ValueError, match=r"100 input channels .* set model\.width"):
        Spoter(SMALL, 100, 7)
