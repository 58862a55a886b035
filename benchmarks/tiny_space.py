"""A search whose trials train for moments, for benchmarks of what surrounds them."""

from __future__ import annotations

from typing import Any

TINY_SPACE: dict[str, Any] = {
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
    "training": {
        "max_frames": 8,
        "optimiser": {"kind": "adamw", "learning_rate": {"log_uniform": [1e-4, 1e-1]}},
    },
    "default": {"training": {"optimiser": {"learning_rate": 0.003}}},
}
