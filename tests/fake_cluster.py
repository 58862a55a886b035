"""Ray's own autoscaler (v2) over fake nodes: processes that come, go and are killed.

Every process bears a mark in its environment and is ended by it: `ray stop` would end those of
other clusters on this machine, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

_HEAD = "f" * 51 + "00000"
"""The id by which the fake provider knows its head."""
_MARK = "SLR_RAY_FAKE_CLUSTER"
_OF_NODES = ("RAY_OVERRIDE_NODE_ID_FOR_TESTING", "RAY_CLOUD_INSTANCE_ID", "RAY_FAKE_CLUSTER")


class FakeCluster:
    """A head without processors, and up to `max_nodes` nodes with `resources`; a context manager.

    A node takes `boot_s` to come, and goes after `idle_s` without work.
    """

    def __init__(
        self,
        resources: dict[str, float],
        *,
        max_nodes: int = 3,
        min_nodes: int = 0,
        boot_s: float = 0.0,
        idle_s: float = 6.0,
    ) -> None:
        self._mark = uuid.uuid4().hex
        # Short, for Ray's sockets; pytest's folders are not.
        self._folder = Path(tempfile.mkdtemp(prefix="fake", dir="/tmp"))
        port = _free_port()
        self.address = f"127.0.0.1:{port}"
        self._config = {
            "cluster_name": "fake",
            "max_workers": max_nodes,
            "upscaling_speed": 1.0,
            "idle_timeout_minutes": idle_s / 60,
            "provider": {
                "type": "external",
                "module": "slow_nodes.SlowNodeProvider",
                "gcs_address": self.address,
                "head_node_id": _HEAD,
                "launch_multiple": True,
                "use_node_id_as_ip": True,
                "disable_node_updaters": True,
                "disable_launch_config_check": True,
            },
            "head_node_type": "ray.head.default",
            "available_node_types": {
                "ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
                "worker": {
                    "resources": {**resources, "object_store_memory": 10**8},
                    "node_config": {},
                    "min_workers": min_nodes,
                    "max_workers": max_nodes,
                },
            },
            **{name: {} for name in ("auth", "docker", "file_mounts")},
            **{name: [] for name in ("initialization_commands", "setup_commands")},
            **{name: [] for name in ("head_setup_commands", "worker_setup_commands")},
            **{name: [] for name in ("head_start_ray_commands", "worker_start_ray_commands")},
            **{name: [] for name in ("cluster_synced_files", "rsync_exclude", "rsync_filter")},
            "file_mounts_sync_continuously": False,
        }
        tests = str(Path(__file__).parent)
        self._environment = {
            **os.environ,
            _MARK: self._mark,
            "BOOT_S": str(boot_s),
            "PYTHONPATH": os.pathsep.join(filter(None, (tests, os.environ.get("PYTHONPATH")))),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_FAKE_CLUSTER": "1",
            "RAY_enable_autoscaler_v2": "1",
            "RAY_CLOUD_INSTANCE_ID": _HEAD,
            "RAY_OVERRIDE_NODE_ID_FOR_TESTING": _HEAD,
            "ASKED": str(self._folder / "asked"),
            "AUTOSCALER_UPDATE_INTERVAL_S": "1",
            # Real machines boot beside each other; the fake provider's call lasts until they did.
            "AUTOSCALER_MAX_CONCURRENT_LAUNCHES": "100",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        self.environment = {
            name: value for name, value in self._environment.items() if name not in _OF_NODES
        }
        """For commands that use the cluster; they end with it."""

    def __enter__(self) -> FakeCluster:
        config = self._folder / "cluster.json"
        config.write_text(json.dumps(self._config))
        printed = self._folder / "head.log"
        with printed.open("w") as log:
            self._head = subprocess.Popen(
                [
                    *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"),
                    *("--node-ip-address=127.0.0.1", f"--port={self.address.split(':')[1]}"),
                    *(f"--temp-dir={self._folder}", f"--autoscaling-config={config}"),
                    *("--num-cpus=0", "--num-gpus=0", "--object-store-memory=100000000"),
                    *("--include-dashboard=false", "--dashboard-agent-listen-port=0"),
                    *("--min-worker-port=0", "--max-worker-port=0", "--disable-usage-stats"),
                ],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(lambda: self._is_up(printed), printed.read_text)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Twice: a process may have started another one meanwhile.
        for _ in range(2):
            for pid in self._processes():
                _kill(pid)
            time.sleep(0.5)
        self._head.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_up(self, printed: Path) -> bool:
        assert self._head.poll() is None, printed.read_text()
        return "Ray runtime started" in printed.read_text()

    def nodes(self) -> dict[str, int]:
        """The raylet's pid of each node that is there, without the head, by the provider's id."""
        found = {}
        for pid, environment in self._processes().items():
            if _read(pid, "comm").strip() == "raylet":
                found[environment["RAY_OVERRIDE_NODE_ID_FOR_TESTING"]] = pid
        found.pop(_HEAD, None)
        return found

    def asked(self) -> list[float]:
        """When each node was asked for, as seconds since the epoch."""
        told = self._folder / "asked"
        return [float(line) for line in told.read_text().split()] if told.exists() else []

    def kill_node(self, node: str) -> None:
        """SIGKILL to all processes of a node, as a machine that is taken away ends."""
        for pid, environment in self._processes().items():
            if environment.get("RAY_OVERRIDE_NODE_ID_FOR_TESTING") == node:
                _kill(pid)

    def _processes(self) -> dict[int, dict[str, str]]:
        """The environment of each process of the cluster."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            pairs = _read(int(folder.name), "environ").split("\0")
            environment = dict(one.split("=", 1) for one in pairs if "=" in one)
            if environment.get(_MARK) == self._mark:
                found[int(folder.name)] = environment
        return found


def _read(pid: int, name: str) -> str:
    """A file of a process in /proc; nothing where the process has gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_until(
    done: Callable[[], bool], told: Callable[[], str], *, within_s: float = 240.0
) -> None:
    """Wait for `done`; `told` says what there was instead."""
    deadline = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline, told()
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
