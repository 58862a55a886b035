"""Peak anonymous memory of the way from shards to batches, for a small and for a large corpus.

    python -m benchmarks.memory

Embedded clips, cut to a few frames so that they fit on disk, are streamed into a shard. A process
of its own opens each corpus (which builds the cache), splits it, draws the pools and reads batches,
while a thread samples `RssAnon`: pages of mapped files don't count, since the system drops them
when it needs room. Linux only.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from slr_ray.corpora.corpus import open_shards
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, generate
from slr_ray.corpora.pools import FractionPoolConfig, draw_pool
from slr_ray.corpora.splits import SignerSplitConfig, split_corpus
from slr_ray.poses.clip import Clip
from slr_ray.poses.reading import read
from slr_ray.poses.shard_writing import write_shard

_CLIPS_A_SIGNER = 80
"""Fewer than the embedded corpus makes of each, so that there are enough."""


def short_clips(num_clips: int, num_frames: int) -> Iterator[Clip]:
    """Embedded clips, each cut to its first frames; more clips come from more signers."""
    config = EmbeddedConfig(num_signers=-(-num_clips // _CLIPS_A_SIGNER) + 4)
    for clip in islice(generate(config), num_clips):
        yield dataclasses.replace(
            clip, positions=clip.positions[:num_frames], confidence=clip.confidence[:num_frames]
        )


def anonymous_mib() -> float:
    """This process's anonymous resident memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no RssAnon: this benchmark needs Linux")


class PeakMemory(threading.Thread):
    """Samples `anonymous_mib` every 5 ms until `stop`."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.mib = 0.0
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            self.mib = max(self.mib, anonymous_mib())
            self._stopped.wait(0.005)

    def stop(self) -> float:
        """The highest of all samples."""
        self._stopped.set()
        self.join()
        return max(self.mib, anonymous_mib())


def measure(location: str, num_batches: int) -> dict[str, float]:
    """The data path on one corpus: memory before it, at its peak, and the time it took."""
    before, peak, started = anonymous_mib(), PeakMemory(), time.perf_counter()
    peak.start()
    corpus = open_shards(location)
    opened = peak.mib
    training = split_corpus(corpus, SignerSplitConfig()).training
    pool = draw_pool(corpus, training, FractionPoolConfig(), 0)
    draw = np.random.default_rng(0)
    for clips in (pool.labelled, pool.unlabelled):
        for _ in range(num_batches):
            read(corpus, draw.choice(clips, min(48, len(clips))), max_frames=64)
    return {
        "num_clips": corpus.num_clips,
        "before_mib": before,
        "opened_mib": opened,
        "peak_mib": peak.stop(),
        "seconds": time.perf_counter() - started,
    }


def measured_apart(location: Path, cache: Path) -> dict[str, float]:
    """`measure` in a process of its own, with a cache of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", "--measure", str(location)],
        env=os.environ | {"SLR_RAY_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs=2, default=(10_000, 200_000), metavar="CLIPS")
    parser.add_argument("--num-frames", type=int, default=4, help="of each clip")
    parser.add_argument("--measure", metavar="SHARD", help="only measure, print JSON")
    given = parser.parse_args(arguments)
    if given.measure:
        print(json.dumps(measure(given.measure, num_batches=20)))
        return
    peaks = []
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as temporary:
            shard = Path(temporary) / "clips.parquet"
            provenance = {"extractor": "embedded", "version": 1, "settings": {}}
            write_shard(shard, short_clips(size, given.num_frames), provenance)
            found = measured_apart(shard, Path(temporary) / "cache")
        peaks.append(found["peak_mib"])
        print(
            f"{found['num_clips']} clips of at most {given.num_frames} frames: "
            f"peak {found['peak_mib']:.0f} MiB ({found['opened_mib']:.0f} MiB while opening), "
            f"{found['before_mib']:.0f} MiB before any data ({found['seconds']:.0f} s)",
            flush=True,
        )
    print(f"ratio: {peaks[1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
