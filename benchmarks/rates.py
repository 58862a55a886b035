"""Operations a second: of a call, of the device at its best, and of its data sheet."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.timing import seconds

_SIDES = {"cpu": 2048, "cuda": 8192}
"""Of the matrices whose product tells a device's best."""
# Dense bfloat16 peaks by the manufacturers' data sheets, in TFLOP/s.
_PEAKS = {"H200": 989.0, "H100": 989.0, "A100": 312.0, "L4": 121.0, "L40S": 362.0, "B200": 2250.0}


def operations(call: Callable[[], object]) -> int:
    """Of a call's matrix products and convolutions, gradients included."""
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def best_rate(device: torch.device, precision: str, side: int | None = None) -> float:
    """Operations a second of one large matrix product, the best of ten."""
    side = side or _SIDES[device.type]
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    left, right = torch.randn(2, side, side, device=device).to(dtype)
    return 2 * side**3 / min(seconds(lambda: left @ right, device) for _ in range(10))


def data_sheet_rate(device: torch.device) -> float | None:
    """A GPU's bfloat16 peak as its maker states it; None for a card that is not listed."""
    if device.type != "cuda":
        return None
    # The longest name that fits: an L40S is no L4.
    card = torch.cuda.get_device_name(device)
    fitting = [name for name in _PEAKS if name in card]
    return _PEAKS[max(fitting, key=len)] * 1e12 if fitting else None
