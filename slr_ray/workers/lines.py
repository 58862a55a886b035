"""What a task's leading process has to say, on its way to the driver's console."""

from __future__ import annotations

import contextlib
import io


class Lines:
    """Lines that the driver collects. Made by the driver, Ray running; sent to processes."""

    def __init__(self) -> None:
        import ray
        from ray.util.queue import Queue
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # Beside the driver, so that no other node's loss takes it away.
        here = ray.get_runtime_context().get_node_id()
        strategy = NodeAffinitySchedulingStrategy(here, soft=False)
        self._queue = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": strategy})

    def taken(self) -> list[str]:
        """What came since the last call."""
        lines: list[str] = self._queue.get_nowait_batch(self._queue.qsize())
        return lines

    def put(self, lines: list[str]) -> None:
        import ray

        # What is told must not end what tells it.
        with contextlib.suppress(ray.exceptions.RayError):
            self._queue.put_nowait_batch(lines)


class LineStream(io.StringIO):
    """A text stream into `lines`, `prefix` before each."""

    def __init__(self, lines: Lines, prefix: str = "") -> None:
        super().__init__()
        self._lines, self._prefix = lines, prefix

    def write(self, text: str) -> int:
        self._lines.put([f"{self._prefix}{line}" for line in text.splitlines()])
        return len(text)
