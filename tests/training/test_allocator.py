"""What freed memory costs when it is asked for again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_PROGRAM = """
import resource
import numpy as np
from slr_ray.training.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        blocks = [np.ones(2**20) for _ in range(4)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
if {keep}:
    keep_freed_memory()
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_kept_memory_is_not_faulted_in_again() -> None:
    pages, kept = (
        int(
            subprocess.run(
                [sys.executable, "-c", _PROGRAM.format(keep=keep)],
                capture_output=True,
                check=True,
                text=True,
            ).stdout
        )
        for keep in (False, True)
    )
    assert kept < 100
    # Ten times 32 MiB are 81,920 pages.
    assert pages > 10_000
