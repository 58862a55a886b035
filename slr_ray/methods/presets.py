"""Named starting points: everything a preset sets lies below the user's own values."""

from __future__ import annotations

from typing import Any, Literal

Preset = Literal["published", "modern", "ssl_slr", "ssl_slr_small"]

ENCODERS: dict[str, dict[str, Any]] = {
    # The paper's (papers/002, section 6.2), and two for fewer clips and no GPU.
    "paper": {"kind": "pose_transformer"},
    "small": {
        "kind": "pose_transformer",
        "width": 96,
        "num_heads": 4,
        "num_layers": 3,
        "hidden": 192,
        "positions": "sinusoidal",
        "pooling": "mean",
        "dropout": 0.2,
    },
    "tiny": {
        "kind": "pose_transformer",
        "width": 32,
        "num_heads": 2,
        "num_layers": 2,
        "hidden": 64,
        "positions": "sinusoidal",
        "pooling": "mean",
    },
}

# What trains well in minutes: a smaller SPOTER that knows the order of frames.
_MODERN: dict[str, Any] = {
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
}

PRESETS: dict[Preset, dict[str, Any]] = {
    # The release's settings (SPOTER code). Batch semantics: one clip a gradient step, as published;
    # `training.batch_size` above 1 averages the gradient of padded clips instead.
    "published": {
        "normalisation": {"kind": "spoter"},
        "augmentation": {"kind": "spoter"},
        "model": {"kind": "spoter"},
        "training": {"optimiser": {"kind": "sgd"}, "num_epochs": 100, "batch_size": 1},
    },
    "modern": _MODERN,
    # SSL-SLR as published: pre-training, then fine-tuning with all its training settings. The paper
    # does not say how poses are normalised.
    "ssl_slr": {
        "normalisation": {"kind": "signing_space"},
        "augmentation": {"kind": "none"},
        "model": ENCODERS["paper"],
        "initialisation": {"kind": "pretraining"},
        "training": {
            "optimiser": {"kind": "sgd"},
            # Linear warm-up for 600 of 1000 epochs; the paper's decay after it has no stated shape.
            "schedule": "warmup_cosine",
            "warmup_fraction": 0.6,
            "num_epochs": 1000,
            "batch_size": 512,
            "max_frames": 64,
        },
    },
    # The same method in minutes on a CPU: a small encoder, AdamW, short clips.
    "ssl_slr_small": {
        "normalisation": _MODERN["normalisation"],
        "augmentation": _MODERN["augmentation"],
        "model": ENCODERS["small"],
        "initialisation": {
            "kind": "pretraining",
            "num_steps": 400,
            "batch_size": 128,
            "optimiser": {"kind": "adamw", "learning_rate": 0.002, "weight_decay": 0.05},
            "schedule": "warmup_cosine",
            "gradient_clip": 1.0,
            "dropout": 0.0,
        },
        "training": _MODERN["training"],
    },
}

OBJECTIVES: dict[Preset, dict[str, dict[str, Any]]] = {
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
    }
}
"""What a preset sets of pre-training with one objective, below the user's own values."""
