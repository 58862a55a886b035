"""The fake node provider of Ray with a boot time, as real machines have; the head imports it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ray.autoscaler._private.fake_multi_node.node_provider import FakeMultiNodeProvider


class SlowNodeProvider(FakeMultiNodeProvider):  # type: ignore[misc]  # Ray ships no types
    """A node comes BOOT_S seconds after it was asked for, which the file ASKED tells."""

    def create_node_with_resources_and_labels(self, *given: Any) -> None:
        with Path(os.environ["ASKED"]).open("a") as stream:
            stream.write(f"{time.time()}\n")
        time.sleep(float(os.environ["BOOT_S"]))
        super().create_node_with_resources_and_labels(*given)
