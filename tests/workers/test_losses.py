"""Whose fault an end was: a process that was taken away is not its task's."""

from __future__ import annotations

import pytest
import torch
from ray import exceptions as ray_errors

from slr_ray.search.endings import Restarts
from slr_ray.workers.execution import _what_failed
from slr_ray.workers.losses import DIED, UnusableNode, WorkersLost, is_loss, told


def raised(error: Exception) -> ray_errors.RayTaskError:
    return ray_errors.RayTaskError("run_trial", "Traceback", error, pid=1, ip="127.0.0.1")


KILLED = ray_errors.ActorDiedError()
LOSSES = [
    KILLED,
    ray_errors.ActorUnavailableError("unavailable: Socket closed", None),
    ray_errors.WorkerCrashedError(),
    ray_errors.NodeDiedError("the node died"),
    raised(WorkersLost("rank 1")),
]
FAULTS = [
    raised(ValueError("no such gloss")),
    raised(UnusableNode("no CUDA")),
    ray_errors.ActorDiedError(raised(ImportError("slr_ray"))),
    ray_errors.OutOfMemoryError("a worker was killed due to the node running low on memory"),
    ray_errors.RayActorError(error_msg="killed due to the node running low on memory"),
]


@pytest.mark.parametrize("error", LOSSES, ids=lambda one: type(one).__name__)
def test_what_was_taken_away_is_a_loss(error: Exception) -> None:
    assert is_loss(error)
    assert told(error) == DIED


@pytest.mark.parametrize("error", FAULTS, ids=lambda one: type(one).__name__)
def test_what_a_task_brought_about_is_none(error: Exception) -> None:
    assert not is_loss(error)
    assert told(error) != DIED


def test_the_cause_is_told_without_ray_around_it() -> None:
    assert told(raised(ValueError("no such gloss"))) == "ValueError: no such gloss"


def test_losses_and_failures_have_limits_of_their_own() -> None:
    restarts = Restarts(max_failures=1, max_lost=3)
    for _ in range(3):
        restarts.note(7, KILLED)
        assert not restarts.are_used_up(7)
    restarts.note(7, raised(ValueError("once")))
    assert not restarts.are_used_up(7)
    restarts.note(7, raised(ValueError("twice")))
    assert restarts.are_used_up(7)
    assert restarts.told(7) == "ValueError: twice"
    # Another trial's tries are its own.
    assert not restarts.are_used_up(8)


def test_a_trial_that_kills_its_processes_comes_to_an_end() -> None:
    restarts = Restarts(max_failures=1, max_lost=2)
    for _ in range(3):
        restarts.note(0, KILLED)
    assert restarts.are_used_up(0)
    assert restarts.told(0) == f"{DIED}, 3 times (--max-lost 2)"


def test_several_workers_tell_what_one_of_them_raised() -> None:
    from ray.train.v2._internal.exceptions import WorkerHealthCheckFailedError
    from ray.train.v2.api.exceptions import ControllerError, WorkerGroupError

    cause = ValueError("no such gloss")
    assert _what_failed(WorkerGroupError("rank 1", {1: cause})) is cause
    # The one that is left can't reach the lost one: that is no fault either.
    gone = WorkerHealthCheckFailedError("rank 0", KILLED)
    both = WorkerGroupError("both", {0: gone, 1: ValueError("whatever follows")})
    assert isinstance(_what_failed(both), WorkersLost)
    # It may be heard before the end of the lost one.
    closed = RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [10.0.0.1]")
    nccl = torch.distributed.DistBackendError("ncclRemoteError: remote process exited or ...")
    for left in (closed, nccl):
        assert isinstance(_what_failed(WorkerGroupError("rank 0", {0: left})), WorkersLost)
    assert _what_failed(WorkerGroupError("both", {0: closed, 1: cause})) is cause
    assert _what_failed(ControllerError(raised(cause))) is cause
