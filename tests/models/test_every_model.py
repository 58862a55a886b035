"""What every model promises; a new member of the union is covered as it comes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from slr_ray.config import alternatives
from slr_ray.experiment.experiment import Experiment
from slr_ray.models.config import (
    ignores_order,
    load_encoder_weights,
    new_encoder,
    representation_width,
)
from slr_ray.models.streams.channels import INPUT_CHANNELS

GLOSSES, CLIPS, FRAMES = 5, 3, 6
MODELS = alternatives(Experiment, "model")


def num_channels(kind: str) -> int:
    return INPUT_CHANNELS if kind == "part_streams" else 108


def config(kind: str) -> Any:
    hidden = {"hidden": 8} if "hidden" in MODELS[kind].model_fields else {}
    return MODELS[kind](width=12, num_heads=2, **hidden)


def inputs(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    features = torch.randn(
        CLIPS, FRAMES, num_channels(kind), generator=torch.Generator().manual_seed(0)
    )
    mask = torch.arange(FRAMES)[None, :] < torch.tensor([[FRAMES], [4], [1]])
    return features * mask[..., None], mask


@pytest.mark.parametrize("kind", MODELS)
class TestEveryModel:
    def test_logits_and_representations_have_their_shapes(self, kind: str) -> None:
        model = config(kind).build(num_channels(kind), GLOSSES).eval()
        features, mask = inputs(kind)
        assert model(features, mask).shape == (CLIPS, GLOSSES)
        width = representation_width(config(kind), num_channels(kind))
        assert model.represent(features, mask).shape == (CLIPS, width)

    def test_padding_changes_nothing(self, kind: str) -> None:
        model = config(kind).build(num_channels(kind), GLOSSES).eval()
        features, mask = inputs(kind)
        longer = torch.nn.functional.pad(features, (0, 0, 0, 4), value=9.0)
        masked = torch.nn.functional.pad(mask, (0, 4))
        torch.testing.assert_close(
            model(longer, masked), model(features, mask), rtol=1e-4, atol=1e-5
        )

    def test_an_encoder_is_the_model_without_its_classifier(self, kind: str) -> None:
        encoder = new_encoder(config(kind), num_channels(kind)).eval()
        model = config(kind).build(num_channels(kind), GLOSSES).eval()
        load_encoder_weights(model, encoder.state_dict())
        features, mask = inputs(kind)
        torch.testing.assert_close(encoder(features, mask), model.represent(features, mask))

    def test_it_knows_whether_it_sees_the_order_of_frames(self, kind: str) -> None:
        given = config(kind)
        positions = {"positions": "sinusoidal"} if "positions" in type(given).model_fields else {}
        for one in (given, given.model_copy(update=positions)):
            torch.manual_seed(0)
            model = one.build(num_channels(kind), GLOSSES).eval()
            features, mask = inputs(kind)
            found = model.represent(features[:1], mask[:1])
            away = (model.represent(features[:1].flip(1), mask[:1]) - found).abs().max()
            assert (away < 1e-4) == ignores_order(one)

    def test_fresh_weights_follow_the_seed(self, kind: str) -> None:
        states = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            states.append(config(kind).build(num_channels(kind), GLOSSES).state_dict())
        name = next(name for name, value in states[0].items() if value.std() > 0)
        assert torch.equal(states[0][name], states[1][name])
        assert not torch.equal(states[0][name], states[2][name])
