"""Why a process of Ray ended: by a fault of its task, or because it or its node was taken away."""

from __future__ import annotations

import re

from slr_ray.errors import ClusterError

DIED = "its process died: killed, out of memory or its node was lost"
_PEER_GONE = re.compile(
    r"gloo/transport|connection (closed|reset) by peer|remote process exited", re.IGNORECASE
)
_OUT_OF_MEMORY = "low on memory"
"""In what Ray's memory monitor says of a process that it killed."""


class UnusableNode(ClusterError):
    """A node can't do what it was given; no other try on it would end better."""


class WorkersLost(Exception):
    """Some of the workers that train one task are gone; the task itself did nothing wrong."""


def cause_of(error: BaseException) -> BaseException:
    """What a task raised, out of Ray's wrapping; the error itself where Ray raised it."""
    return getattr(error, "cause", None) or error


def is_loss(error: BaseException) -> bool:
    """Whether the process was taken away: preempted, killed, or its node lost.

    One that Ray's memory monitor killed was not: it would ask for as much again. A process that
    the system killed can't be told from one that somebody killed.
    """
    from ray import exceptions as ray_errors

    cause = cause_of(error)
    if isinstance(cause, ray_errors.RayActorError) and cause.actor_init_failed:
        return False
    lost = (
        WorkersLost,
        ray_errors.RayActorError,
        ray_errors.WorkerCrashedError,
        ray_errors.NodeDiedError,
        ray_errors.LocalRayletDiedError,
        ray_errors.ObjectLostError,
    )
    return isinstance(cause, lost) and _OUT_OF_MEMORY not in str(cause)


def misses_peer(error: BaseException) -> bool:
    """Whether a worker failed since it could not reach another one, as gloo and NCCL say it."""
    return isinstance(error, RuntimeError) and _PEER_GONE.search(str(error)) is not None


def told(error: BaseException) -> str:
    """Why a try ended, in one line for people."""
    cause = cause_of(error)
    if is_loss(error):
        return DIED
    text = str(cause).strip()
    if type(cause).__module__.startswith("ray."):
        # Ray puts stacks first and the reason last.
        text = text.rsplit("\n", 1)[-1]
    return f"{type(cause).__name__}: {text}"
