"""The first author's encoder: equal to its code in plain loops, and blind to what that ignores."""

from __future__ import annotations

import math

import pytest
import torch
from attention_reference import as_torch
from torch import Tensor

from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import build_experiment
from slr_ray.models.parts_transformer import PartsTransformer, PartsTransformerConfig

SMALL = PartsTransformerConfig(width=16, num_heads=4)


def made() -> PartsTransformer:
    torch.manual_seed(0)
    model = PartsTransformer(SMALL, 108, 7).eval()
    with torch.no_grad():
        # Fresh norms do nothing that a wrong order of them would show.
        for norm in (*model.part_norm, model.norm):
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.5, 0.5)
    return model


def clips(*lengths: int) -> tuple[Tensor, Tensor]:
    features = torch.randn(
        len(lengths), max(lengths), 108, generator=torch.Generator().manual_seed(0)
    )
    return features, torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]


def norm(layer: torch.nn.Module, frame: Tensor) -> Tensor:
    mean = frame.sum() / len(frame)
    variance = ((frame - mean) ** 2).sum() / len(frame)
    return (frame - mean) / (variance + 1e-5).sqrt() * layer.weight + layer.bias


def test_against_the_code_frame_by_frame() -> None:
    """Its position, one number a frame on all channels, is there: the norm takes it out."""
    model, lengths = made(), (9, 5, 1)
    features, mask = clips(*lengths)
    with torch.no_grad():
        found = model.represent(features, mask)
        for row, length in enumerate(lengths):
            frames = []
            for step in range(length):
                joints = features[row, step].view(54, 2)
                summed = torch.zeros(16)
                for layer, part in (
                    (model.hand, joints[12:33]),
                    (model.hand, joints[33:54]),
                    (model.body, joints[:12]),
                ):
                    embedded = layer.weight @ part.flatten() + layer.bias + math.sin(step)
                    summed = summed + norm(model.part_norm[1], norm(model.part_norm[0], embedded))
                frames.append(summed)
            every = torch.stack(frames)[None]
            state = every[0, 0] + as_torch(model.attention)(every, every, every)[0][0, 0]
            inner = norm(model.norm, state)
            gelu = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
            expected = state + model.mix.weight @ gelu + model.mix.bias
            torch.testing.assert_close(found[row], expected, rtol=1e-4, atol=1e-5)


def test_only_the_first_frame_has_a_place() -> None:
    model = made()
    features, mask = clips(8)
    with torch.no_grad():
        found = model.represent(features, mask)
        later = features[:, [0, *range(7, 0, -1)]]
        torch.testing.assert_close(model.represent(later, mask), found, rtol=1e-4, atol=1e-5)
        assert (model.represent(features.flip(1), mask) - found).abs().max() > 1e-2


def test_hands_are_not_told_apart() -> None:
    model = made()
    features, mask = clips(6)
    exchanged = torch.cat([features[..., :24], features[..., 66:], features[..., 24:66]], dim=-1)
    torch.testing.assert_close(model.represent(exchanged, mask), model.represent(features, mask))


def test_size_of_the_code() -> None:
    """Two embeddings, three pairs of a norm's vectors, attention and one linear map."""
    model = PartsTransformer(PartsTransformerConfig(), 108, 1)
    weights = sum(one.numel() for one in model.parameters())
    embeddings = 42 * 512 + 24 * 512 + 2 * 512
    assert weights - 513 == embeddings + 6 * 512 + 4 * (512 * 512 + 512) + 512 * 512 + 512


def test_other_input_is_refused() -> None:
    with pytest.raises(ValueError, match="206 input channels"):
        PartsTransformer(SMALL, 206, 7)
    space = {"kind": "signing_space"}
    with pytest.raises(ConfigError, match=r"'parts_transformer' reads the 108 .* gives 206"):
        build_experiment({"preset": "ssl_slr_coded", "normalisation": space}, "test")
    with pytest.raises(ValueError, match="width 10 is not divisible by num_heads 8"):
        PartsTransformerConfig(width=10)
