"""Freed memory stays with a training process."""

from __future__ import annotations

import ctypes
import functools
import platform

# The parameters' numbers in glibc's malloc.h, and the most that its mmap threshold accepts.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_THRESHOLD = 32 * 2**20
_NEVER = -1


@functools.cache
def keep_freed_memory() -> None:
    """From here on this process keeps the memory of freed tensors of up to 32 MiB for later ones.

    glibc gives large blocks back to the system when they are freed, and every step of training asks
    for them again: one page fault for each 4 KiB, dear in virtual machines. Augmenting and
    normalising a large batch takes half as long without. The price is that a process stays as large
    as it once was, so this is for those that train, not for drivers. Allocators other than glibc's
    are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    malloc_options = ctypes.CDLL(None).mallopt
    malloc_options(_MMAP_THRESHOLD, _LARGEST_THRESHOLD)
    malloc_options(_TRIM_THRESHOLD, _NEVER)
