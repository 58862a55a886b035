"""What a preset sets of pre-training with one objective."""

from __future__ import annotations

from typing import Any

from slr_ray.experiment.presets.presets import Preset

# Peers of SL-FPN in the paper's comparison ran "with their original papers' parameters" (section
# 6.2): optimiser and schedule by their papers' rules, for this preset's batches of 512 and 200
# epochs. Not run yet, for want of a GPU.
_PEERS: dict[str, dict[str, Any]] = {
    # He et al. 2020, Chen et al. 2020b: 0.03 at 256, cosine.
    "moco": {
        "optimiser": {
            "kind": "sgd",
            "learning_rate": 0.06,
            "momentum": 0.9,
            "weight_decay": 1e-4,
        },
        "schedule": "warmup_cosine",
        "warmup_fraction": 0.0,
    },
    # Chen and He 2021, section 4: 0.05 at 256, cosine.
    "simsiam": {
        "optimiser": {
            "kind": "sgd",
            "learning_rate": 0.1,
            "momentum": 0.9,
            "weight_decay": 1e-4,
        },
        "schedule": "warmup_cosine",
        "warmup_fraction": 0.0,
    },
    # Chen et al. 2020a, section 2.2: 0.3 at 256, 10 epochs of warm-up, cosine. With LARS, which we
    # lack: SGD with momentum stands in for it, so the rate may be too high.
    "simclr": {
        "optimiser": {
            "kind": "sgd",
            "learning_rate": 0.6,
            "momentum": 0.9,
            "weight_decay": 1e-6,
        },
        "schedule": "warmup_cosine",
        "warmup_fraction": 0.05,
    },
    # Grill et al. 2020, section 3.3: 0.2 at 256, 10 epochs of warm-up, cosine. LARS as above.
    "byol": {
        "optimiser": {
            "kind": "sgd",
            "learning_rate": 0.4,
            "momentum": 0.9,
            "weight_decay": 1.5e-6,
        },
        "schedule": "warmup_cosine",
        "warmup_fraction": 0.05,
    },
}

OBJECTIVES: dict[Preset, dict[str, dict[str, Any]]] = {
    "ssl_slr": _PEERS,
    # As the code has them; MoCo is not there.
    "ssl_slr_coded": {
        "sl_fpn": {
            "objective": {
                "second_view": "view2",
                "prediction_weight": 0.5,
                "predictor": "fresh",
            },
        },
        "byol": {"optimiser": {"kind": "sgd", "learning_rate": 0.06}},
    },
    # A few hundred steps are too few for momenta of thousands, and AdamW moves far enough for
    # SL-FPN's embedding to shrink to a point.
    "ssl_slr_small": {
        "sl_fpn": {
            "objective": {"batch_norm": "hidden"},
            "optimiser": {"kind": "adamw", "learning_rate": 0.0003},
        },
        # At SL-FPN's rate it stays above fresh weights in linear evaluation, at 0.002 below them.
        "simsiam": {"optimiser": {"kind": "adamw", "learning_rate": 0.0003}},
        "moco": {"objective": {"momentum": 0.99, "queue_clips": 1024}},
        "byol": {"objective": {"momentum": 0.99}},
    },
}
"""What a preset sets of pre-training with one objective, below the user's own values.

`ssl_slr` deviates from SSL-SLR in SimCLR's and BYOL's optimiser: SGD instead of LARS.
"""
