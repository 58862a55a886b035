"""The pose transformer: equal to PyTorch's own layers, indifferent to padding, sizes as stated."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from attention_reference import as_torch
from torch import Tensor, nn

from slr_ray.models.config import load_encoder_weights, new_encoder
from slr_ray.models.pose_transformer import PoseTransformer, PoseTransformerConfig
from slr_ray.models.positions import sinusoids
from slr_ray.models.spoter import SpoterConfig

SMALL: dict[str, Any] = {"width": 16, "num_heads": 4, "num_layers": 2, "hidden": 24}
CHANNELS = 10
VARIANTS = {
    "published": PoseTransformerConfig(**SMALL),
    "sines, mean": PoseTransformerConfig(**SMALL, positions="sinusoidal", pooling="mean"),
    "no embedding norm": PoseTransformerConfig(**SMALL, layer_norm="blocks"),
    "no norm": PoseTransformerConfig(**SMALL, layer_norm="none"),
}


def inputs(num_frames: list[int]) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(len(num_frames), max(num_frames), CHANNELS, generator=generator)
    return features, torch.arange(max(num_frames))[None, :] < torch.tensor(num_frames)[:, None]


def made(config: PoseTransformerConfig) -> PoseTransformer:
    torch.manual_seed(0)
    return PoseTransformer(config, CHANNELS, 7).eval()


@pytest.mark.parametrize("name", VARIANTS)
def test_against_a_clip_by_clip_reference(name: str) -> None:
    """A vision transformer over frames, written out with PyTorch's attention."""
    config = VARIANTS[name]
    model = made(config)
    lengths = [9, 5, 12]
    features, mask = inputs(lengths)
    with torch.no_grad():
        found = model(features, mask)
        for row, length in enumerate(lengths):
            frames = model.embedding(features[row : row + 1, :length])
            if config.positions == "learned":
                assert model.position is not None
                frames = frames + model.position[:length]
            else:
                frames = frames + sinusoids(length, config.width, frames.device)
            if model.token is not None:
                frames = torch.cat([model.token, frames], dim=1)
            for layer in model.layers:
                normed = layer.norm1(frames)
                frames = frames + as_torch(layer.attention)(normed, normed, normed)[0]
                inner = layer.feed_forward.inner(layer.norm2(frames)).clamp(min=0)
                frames = frames + layer.feed_forward.outer(inner)
            frames = model.norm(frames)
            pooled = frames[:, 0] if config.pooling == "token" else frames.mean(dim=1)
            torch.testing.assert_close(
                found[row], model.classifier(pooled)[0], rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize("name", VARIANTS)
def test_padding_changes_nothing(name: str) -> None:
    model = made(VARIANTS[name])
    features, mask = inputs([6, 10])
    with torch.no_grad():
        alone = model.represent(features[:1, :6], mask[:1, :6])
        padded = features.clone()
        padded[0, 6:] = 1e3
        torch.testing.assert_close(model.represent(padded, mask)[:1], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_order_of_frames_matters(name: str) -> None:
    model = made(VARIANTS[name])
    features, mask = inputs([8])
    with torch.no_grad():
        assert (model(features.flip(1), mask) - model(features, mask)).abs().max() > 1e-4


@pytest.mark.parametrize("name", VARIANTS)
def test_half_precision_is_near(name: str) -> None:
    """The path that a CPU takes in bfloat16 gives single precision's result within its digits."""
    model = made(VARIANTS[name])
    features, mask = inputs([6, 10])
    with torch.no_grad():
        expected = model.represent(features, mask)
        with torch.autocast("cpu", torch.bfloat16):
            found = model.represent(features, mask)
    torch.testing.assert_close(found.float(), expected, rtol=0.05, atol=0.05)


def test_published_size() -> None:
    """12 blocks, 8 heads, width 512, dropout 0.1 and two layer norms at the input embedding."""
    model = PoseTransformer(PoseTransformerConfig(), 206, 100)
    assert len(model.layers) == 12
    first = model.layers[0]
    assert (first.attention.num_heads, first.attention.query.in_features) == (8, 512)
    assert first.dropout.p == 0.1
    kinds = [type(one) for one in model.embedding]
    assert kinds == [nn.LayerNorm, nn.Linear, nn.LayerNorm]
    assert model.represent(torch.zeros(1, 64, 206), torch.ones(1, 64, dtype=torch.bool)).shape == (
        1,
        512,
    )


@pytest.mark.parametrize("name", ["no embedding norm", "no norm"])
def test_norms_can_be_left_out(name: str) -> None:
    """Either two fewer, or none at all."""
    norms = [one for one in made(VARIANTS[name]).modules() if isinstance(one, nn.LayerNorm)]
    assert len(norms) == {"no embedding norm": 5, "no norm": 0}[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_every_parameter(name: str) -> None:
    model = made(VARIANTS[name])
    model(*inputs([6, 10])).square().sum().backward()
    for part, parameter in model.named_parameters():
        assert parameter.grad is not None, part
        used = parameter.grad[:10] if part == "position" else parameter.grad
        assert used.abs().max() > 0, part


def test_too_long_a_clip_for_learned_positions() -> None:
    model = made(PoseTransformerConfig(**SMALL, max_frames=4))
    with pytest.raises(ValueError, match=r"5 frames, .* end at 4: set model\.max_frames"):
        model(*inputs([5]))


def test_widths_that_heads_do_not_divide() -> None:
    with pytest.raises(ValueError, match="width 10 is not divisible by num_heads 8"):
        PoseTransformerConfig(width=10)


SPOTER = SpoterConfig(width=16, num_heads=4, num_encoder_layers=1, num_decoder_layers=1, hidden=8)


@pytest.mark.parametrize("config", [VARIANTS["published"], SPOTER], ids=["pose", "spoter"])
def test_an_encoder_becomes_part_of_a_recogniser(config: Any) -> None:
    """All but the classifier; called, the encoder gives what the classifier reads."""
    encoder = new_encoder(config, CHANNELS).eval()
    model = config.build(CHANNELS, 7).eval()
    before = model.classifier.weight.clone()
    load_encoder_weights(model, encoder.state_dict())
    features, mask = inputs([6, 10])
    torch.testing.assert_close(model.represent(features, mask), encoder(features, mask))
    assert torch.equal(model.classifier.weight, before)


def test_an_encoder_of_another_architecture() -> None:
    encoder = new_encoder(VARIANTS["published"], CHANNELS).state_dict()
    for other in (SPOTER, VARIANTS["sines, mean"]):
        with pytest.raises(ValueError, match="another architecture"):
            load_encoder_weights(other.build(CHANNELS, 7), encoder)
    wider = VARIANTS["published"].model_copy(update={"width": 32})
    with pytest.raises(ValueError, match="another architecture"):
        load_encoder_weights(wider.build(CHANNELS, 7), encoder)
