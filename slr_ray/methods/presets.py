"""Named starting points: everything a preset sets lies below the user's own values."""

from __future__ import annotations

from typing import Any, Literal

Preset = Literal["published", "modern"]

PRESETS: dict[Preset, dict[str, Any]] = {
    # The release's settings (SPOTER code). Batch semantics: one clip a gradient step, as published;
    # `training.batch_size` above 1 averages the gradient of padded clips instead.
    "published": {
        "normalisation": {"kind": "spoter"},
        "augmentation": {"kind": "spoter"},
        "model": {"kind": "spoter"},
        "training": {"optimiser": {"kind": "sgd"}, "num_epochs": 100, "batch_size": 1},
    },
    # What trains well in minutes: a smaller SPOTER that knows the order of frames.
    "modern": {
        "normalisation": {"kind": "signing_space", "canonical_hand": True},
        "augmentation": {
            "kind": "strong",
            "rotation_degrees": 18.0,
            "scale": 0.25,
            "shear": 0.2,
            "mirror_probability": 0.2,
            "cut_fraction": 0.25,
            "noise_std": 0.03,
        },
        "model": {
            "kind": "spoter",
            "width": 96,
            "num_heads": 4,
            "num_encoder_layers": 2,
            "num_decoder_layers": 1,
            "hidden": 192,
            "dropout": 0.2,
            "positions": "sinusoidal",
            "norm_first": True,
        },
        "training": {
            "optimiser": {"kind": "adamw", "learning_rate": 0.001, "weight_decay": 0.05},
            "schedule": "warmup_cosine",
            "num_epochs": 10,
            "steps_per_epoch": 25,
            "batch_size": 48,
            "label_smoothing": 0.1,
            "mixup": 0.4,
            "class_balance": "loss",
            "ema_decay": 0.99,
            "gradient_clip": 1.0,
            "max_frames": 16,
        },
    },
}
