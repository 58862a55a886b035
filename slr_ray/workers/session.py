"""Connecting to Ray: one of this machine's own, or a cluster."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator

from slr_ray.command import end_on_sigterm
from slr_ray.errors import ConfigError


@contextlib.contextmanager
def ray_session(address: str | None, *, dashboard: bool) -> Iterator[None]:
    """Ray for the body: the cluster at `address`, or one of this machine's own.

    A session that this process already has is used and left alone. `dashboard` is for an own one.
    Raises `ConfigError` where the address can't be reached.
    """
    # Spares a warning per run: our trials ask for resources by placement group, not by override.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    was_running = ray.is_initialized()
    if not was_running:
        try:
            ray.init(
                # "local": a Ray that happens to run on this machine is not ours to use.
                address=address or "local",
                logging_level=logging.ERROR,
                log_to_driver=False,
                include_dashboard=dashboard if address is None else None,
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConfigError(f"--address {address}: cannot connect: {error}") from None
    end_on_sigterm()
    try:
        yield
    finally:
        if not was_running:
            ray.shutdown()
