"""Connecting to Ray: one of this machine's own, or a cluster."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from slr_ray.command import end_on_sigterm
from slr_ray.errors import ConfigError
from slr_ray.locations import take, to_hand_on
from slr_ray.storage import Store, rely_on, that_answered

_SOCKET_BYTES = 107 if sys.platform == "linux" else 103
"""Longest path of a Unix socket."""
_RAY_FOLDERS = "/ray/session_2026-01-31_12-00-00_000000_{pid}/sockets/plasma_store"
"""What Ray adds to the temporary folder for its longest socket."""
_AUTH_MODE = "RAY_AUTH_MODE"
_NO_TOKEN = (
    "no token was sent: where the cluster asks for one, put it into ~/.ray/auth_token or "
    "RAY_AUTH_TOKEN"
)
_ANSWER_WITHIN_S = 5.0
_PRINTS = "driver.log"


@contextlib.contextmanager
def ray_session(address: str | None, *, dashboard: bool) -> Iterator[None]:
    """Ray for the body: the cluster at `address`, or one of this machine's own.

    A session that this process already has is used and left alone. `dashboard` is for an own one.
    Raises `ConfigError` where the address can't be reached, Ray's token can't be read, or Ray can't
    work in the temporary folder.
    """
    # Spares a warning per run: our trials ask for resources by placement group, not by override.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    was_running = ray.is_initialized()
    if not was_running:
        if address is None and (problem := temporary_folder()[1]) is not None:
            raise ConfigError(problem)
        known, places = to_hand_on(), that_answered()
        # Nothing that travels has the secrets of URIs in it; Ray keeps this call in memory.
        hook = functools.partial(_begin, known, places)
        # Ray asks for a name.
        functools.update_wrapper(hook, _begin)
        for_workers = {"worker_process_setup_hook": hook} if known or places else None
        advice = ""
        try:
            if address is not None:
                _send_token()
                if os.environ.get(_AUTH_MODE, "").lower() != "token":
                    advice = f"; {_NO_TOKEN}"
            ray.init(
                # "local": a Ray that happens to run on this machine is not ours to use.
                address=address or "local",
                logging_level=logging.ERROR,
                log_to_driver=False,
                include_dashboard=dashboard if address is None else None,
                runtime_env=for_workers,
            )
        except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
            what = "cannot start Ray" if address is None else f"--address {address}: cannot connect"
            raise ConfigError(f"{what}: {error}{advice}") from None
    end_on_sigterm()
    try:
        yield
    finally:
        if not was_running:
            ray.shutdown()


def authentication() -> str:
    """How Ray's processes know each other, in words; `ConfigError` where they do not, or can't."""
    mode = os.environ.get(_AUTH_MODE)
    if mode == "disabled":
        raise ConfigError(f"{mode}: never switch it off on a cluster that others can reach")
    joined = "as one is here" if _has_token() else "but for joining a cluster, as none is here"
    return mode or f"token (Ray's default), {joined}"


def _has_token() -> bool:
    """Whether Ray finds a token; `ConfigError` where what is to hold it can't be read."""
    from ray._private.authentication.authentication_token_setup import AuthenticationTokenLoader
    from ray.exceptions import AuthenticationError

    try:
        found: bool = AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True)
    except AuthenticationError as error:
        raise ConfigError(f"no token of Ray: {error}") from None
    return found


def _send_token() -> None:
    """Have this process send its token, if it has one.

    `ray start` decides so for itself, and `ray.init` for the address `auto` only: at any other one
    it would be refused by a cluster that this very machine started.
    """
    from ray._private.authentication.authentication_token_setup import Config

    if _AUTH_MODE not in os.environ and _has_token():
        os.environ[_AUTH_MODE] = "token"
        # Ray has read its environment when it was imported.
        Config.initialize("")


def _begin(known: list[str], places: list[str]) -> None:
    """What a worker's process knows of storage before it has a task."""
    take(known)
    rely_on(places)


def check_reachable(address: str) -> None:
    """`ConfigError` within seconds where no cluster answers at `address`.

    Ray itself would try for a quarter of an hour, and print a warning every few seconds.
    """
    from ray._private.services import canonicalize_bootstrap_address

    advice = "start the cluster (ray up, ray start --head), or mend the address or the firewall"
    try:
        place = address.removeprefix("ray://")
        # "auto" is an address that Ray has noted down, of a cluster that may be long gone.
        found = canonicalize_bootstrap_address(place)
        if found is None:
            return
        host, _, port = found.rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_WITHIN_S).close()
    except (OSError, ValueError) as error:
        raise ConfigError(f"--address {address}: no cluster answers ({error}); {advice}") from None


@contextlib.contextmanager
def prints_kept(store: Store) -> Iterator[None]:
    """Keep what Ray prints in this process, of lost nodes above all, out of our lines.

    It goes to a file of `store`. Whoever has lines of their own writes to a stream from before.
    """
    with contextlib.ExitStack() as stack:
        if store.is_local:
            path = store.local_path(_PRINTS)
            path.parent.mkdir(parents=True, exist_ok=True)
        else:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / _PRINTS
        try:
            # Line by line: a driver that is killed has told what came before.
            with path.open("a", buffering=1) as stream, contextlib.redirect_stdout(stream):
                yield
        finally:
            content = path.read_bytes()
            if not content:
                path.unlink()
            elif not store.is_local:
                store.write_bytes(_PRINTS, content)


def temporary_folder() -> tuple[str, str | None]:
    """Where a Ray of this machine's own keeps its sockets and logs, and why it can't, if so."""
    looked_at = ("RAY_TMPDIR", "TMPDIR") if sys.platform == "linux" else ("RAY_TMPDIR",)
    variable = next((name for name in looked_at if name in os.environ), None)
    folder = os.environ[variable] if variable else "/tmp"
    named = f"{variable or 'the temporary folder'} is {folder!r}"
    advice = "set RAY_TMPDIR to a short folder of this machine that can be written, such as /tmp"
    length = len(os.fsencode(folder.rstrip("/")))
    longest = longest_temporary_folder()
    if length > longest:
        return folder, (
            f"{named}, {length} bytes long: Ray's sockets below it allow {longest}; {advice}"
        )
    if not folder.startswith("/"):
        return folder, f"{named}: Ray needs an absolute path; {advice}"
    existing = Path(folder)
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return folder, f"{named}, which can't be written; {advice}"
    return folder, None


def longest_temporary_folder() -> int:
    """In bytes; Ray names its session after this process."""
    return _SOCKET_BYTES - len(_RAY_FOLDERS.format(pid=os.getpid()))
