"""Named starting points: everything a preset sets lies below the user's own values."""

from __future__ import annotations

from typing import Any, Literal

Preset = Literal[
    "published",
    "modern",
    "few_labels",
    "spoter_small",
    "ssl_slr",
    "ssl_slr_coded",
    "ssl_slr_small",
    "continuous",
]

ENCODERS: dict[str, dict[str, Any]] = {
    # The paper's (arXiv 2509.05188, section 6.2), and two for fewer clips and no GPU.
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

# A smaller SPOTER that knows the order of frames: what this project's first results were made with.
_SPOTER_SMALL: dict[str, Any] = {
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

# What recognises best in minutes on a CPU; reports/2026-11-26-recogniser.md says by how much.
_MODERN: dict[str, Any] = {
    "normalisation": {
        "kind": "signing_space",
        "canonical_hand": True,
        "drop_handless_frames": True,
        "distances": True,
        "directions": True,
        "velocities": True,
    },
    "augmentation": {
        **_SPOTER_SMALL["augmentation"],
        "hand_probability": 0.5,
        "draw_frames": True,
    },
    "model": {"kind": "conv_attention", "width": 192},
    "training": {
        **_SPOTER_SMALL["training"],
        "num_epochs": 20,
        "steps_per_epoch": 50,
        "max_frames": 32,
    },
    "test_time_views": 8,
}

# The rounds that gained most over supervised training of as many steps, with 3 labels a gloss and
# ten times as many unlabelled clips: half of the steps before the first of two rounds, each of
# which goes on from the last with the surest 70 % of the pool, named anew, as half of every batch.
_FEW_LABELS: dict[str, Any] = {
    **_MODERN,
    "training": {
        **_MODERN["training"],
        "optimiser": {**_MODERN["training"]["optimiser"], "learning_rate": 0.002},
        "num_epochs": 8,
        # It costs where clips a gloss are few and alike.
        "mixup": 0.0,
    },
    "method": {
        "kind": "sslr",
        "num_rounds": 2,
        "num_epochs": 4,
        "selection": {"kind": "quantile", "share": 0.7},
        "pseudo_labels": "reselect",
        "start": "continue",
        "true_share": 0.5,
        "num_views": 8,
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
    "few_labels": _FEW_LABELS,
    "spoter_small": _SPOTER_SMALL,
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
    # SSL-SLR as its first author coded it (`arielbassodev/sign_language_recognition`, commit
    # cc36e6d; the paper's runs may be from a later state), with the objective's part in
    # `OBJECTIVES`. Poses are not normalised there. The number of epochs of pre-training is BYOL's:
    # the script of SL-FPN is not kept. Its encoder sees of the order of frames only which one is
    # first, its hands share a layer (`models/parts_transformer.py`), and clips are read at 30
    # frames. Its second SL-FPN permutes the last third: `last_third` in the table `ssl_slr_linear`.
    #
    # Not copied, for what they do is no method: clips padded to their batch's longest before the
    # third that is permuted is measured; hands interpolated across joints, and clips without one
    # of the hands left out; gradients that SimCLR and SimSiam set back once an epoch and BYOL
    # never, so that each step repeats all before it; a rotation that takes degrees for radians
    # and noise as large as the picture as the "standard" views; 30 % of the labels as a division
    # by 0.3, which keeps all; the test set as validation. The rate of fine-tuning falls by a
    # cosine here, by a line there.
    "ssl_slr_coded": {
        "normalisation": {"kind": "none"},
        "augmentation": {"kind": "none"},
        "model": {"kind": "parts_transformer"},
        "initialisation": {
            "kind": "pretraining",
            "augmentation": {"kind": "boundary", "tail_fraction": 0.0},
            "optimiser": {"kind": "adamw", "learning_rate": 0.0001, "weight_decay": 0.01},
            "num_epochs": 100,
        },
        "training": {
            "optimiser": {"kind": "sgd", "learning_rate": 0.01},
            "schedule": "warmup_cosine",
            "warmup_fraction": 0.02,
            "num_epochs": 1000,
            "batch_size": 512,
            "max_frames": 30,
        },
    },
    # The same method in minutes on a CPU: a small encoder, AdamW, short clips.
    "ssl_slr_small": {
        "normalisation": _SPOTER_SMALL["normalisation"],
        "augmentation": _SPOTER_SMALL["augmentation"],
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
        "training": _SPOTER_SMALL["training"],
    },
    # Sentences on a CPU: one stream, CTC with label priors. A sentence's ends may carry signs: no
    # cut; its speed is changed by `sentences`.
    "continuous": {
        "task": "continuous",
        "data": {"kind": "embedded_sentences"},
        "pool": {"kind": "all"},
        "normalisation": {
            key: value
            for key, value in _MODERN["normalisation"].items()
            if key != "drop_handless_frames"
        },
        "augmentation": {
            **_SPOTER_SMALL["augmentation"],
            "mirror_probability": 0.0,
            "cut_probability": 0.0,
            "speed_probability": 0.0,
            "hand_probability": 0.5,
        },
        # Right, left hand and body apart make more errors on real signs
        # (reports/2026-11-27-label-priors.md).
        "model": {"kind": "part_streams", "division": "joint"},
        "training": {
            "optimiser": {"kind": "adamw", "learning_rate": 0.002, "weight_decay": 0.001},
            "schedule": "warmup_cosine",
            "num_epochs": 30,
            "batch_size": 8,
            "ema_decay": 0.99,
            "gradient_clip": 5.0,
            "metric": "gloss_accuracy",
            "max_frames": 400,
        },
        # Drawn to the mean of all heads, the one that answers learns late: 88 % WER on validation
        # after 8 epochs on the embedded sentences, without distillation 23 % (one seed). Dense
        # labels add nothing beside label priors (the same report).
        "sentences": {"distillation_weight": 0.0, "dplr": {"source": "none"}},
        "method": {"kind": "supervised"},
    },
}
