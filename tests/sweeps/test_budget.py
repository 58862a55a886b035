"""A budget: no further cell begins once it is used, and what is left is told as holes."""

from __future__ import annotations

import pytest

from slr_ray.sweeps import budget
from slr_ray.sweeps.budget import Budget


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    return now


def test_gpu_hours_are_those_of_ended_and_running_cells(clock: list[float]) -> None:
    found = Budget(None, gpu_hours=2.0, gpus_a_cell=0.5)
    assert found.is_limited
    found.arm_started("fsl", 0)
    found.arm_started("fsl", 1)
    clock[0] += 3600
    assert found.is_left()  # one GPU-hour
    found.arm_ended("fsl", 0, "who", None)
    clock[0] += 3600
    assert found.is_left()  # one and a half
    found.arm_ended("fsl", 1, None, "it broke")
    clock[0] += 36000
    assert found.is_left()
    found.arm_started("sslr", 0)
    clock[0] += 3600
    assert not found.is_left()


def test_wall_time_counts_from_the_start_of_the_call(clock: list[float]) -> None:
    found = Budget(10.0, None, 0.0)
    clock[0] += 9.9
    assert found.is_left()
    clock[0] += 0.1
    assert not found.is_left()
    assert not Budget(None, None, 0.0).is_limited
