"""Views that could teach nothing are refused before work, wherever a configuration has them."""

from __future__ import annotations

from typing import Any

import pytest

from slr_ray.config import merge
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import build_experiment

BOUNDARY = {"kind": "boundary"}
SPOTER: dict[str, Any] = {"preset": "published"}


@pytest.mark.parametrize(
    ("where", "tree"),
    [
        ("augmentation", {"augmentation": BOUNDARY}),
        ("initialisation.augmentation", {"initialisation": {"kind": "pretraining"}}),
        ("method.pseudo_augmentation", {"method": {"pseudo_augmentation": BOUNDARY}}),
        (
            "method.strong",
            {
                "method": {"kind": "consistency", "strong": BOUNDARY},
                "training": {"ema_decay": 0.9},
            },
        ),
    ],
)
def test_permuted_frames_need_a_model_that_sees_order(where: str, tree: dict[str, Any]) -> None:
    tree = merge(SPOTER, tree)
    message = rf"test: {where}\.kind is 'boundary', but to model\.kind 'spoter' .* ignores"
    with pytest.raises(ConfigError, match=message):
        build_experiment(tree, "test")
    build_experiment(merge(tree, {"model": {"positions": "sinusoidal"}}), "test")
    # Velocities are another clip's where frames have other neighbours.
    space = {"kind": "signing_space", "velocities": True}
    seen = {"normalisation": space, "model": {"width": 18}}
    build_experiment(merge(tree, seen), "test")
    build_experiment({**tree, "preset": "modern"}, "test")
