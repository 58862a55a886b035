"""Codes that tell a transformer where in the clip a frame stands."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def sinusoids(num_frames: int, width: int, device: torch.device) -> Float[Tensor, "frames width"]:
    """The positional code of Vaswani et al. 2017, section 3.5."""
    steps = torch.arange(num_frames, device=device, dtype=torch.float32)[:, None]
    even = torch.arange(0, width, 2, device=device, dtype=torch.float32)
    angles = steps * torch.exp(-math.log(10_000.0) / width * even)
    code = torch.zeros(num_frames, width, device=device)
    code[:, 0::2] = torch.sin(angles)
    code[:, 1::2] = torch.cos(angles)[:, : width // 2]
    return code
