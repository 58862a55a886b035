"""Frames a second through the platform, against a plain loop over the same landmarkers and clips.

    python -m benchmarks.extraction [--videos DIR] [--num-clips 6]

First the loop itself: the plain one (decode, pose, hands; one process) and variants of it, each
with its time, its processor time, and how far its joints are from the plain loop's. Then
`python -m slr_ray.extract` over the same clips, many times each; what it takes for a clip of one
frame is its start-up, named and taken off. The last line is frames a second through the platform
over those of the plain loop; the goal is 0.9 for each processor.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.other_ways.extraction_loops import (
    Loop,
    decoding_ahead,
    image_by_image,
    sequential,
    side_by_side,
)
from slr_ray.poses.skeleton import BODY, INDEX
from slr_ray.videos.detection.assembly import Assembled, assemble_clip
from slr_ray.videos.detection.config import ExtractionConfig
from slr_ray.videos.detection.extractor import Extractor
from slr_ray.videos.detection.models import Models, models
from slr_ray.videos.frames.files import video_clips
from slr_ray.videos.frames.source import VideoClip

_CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass
class Run:
    """What a loop took, over all clips, and what it found in each."""

    wall_s: float
    processor_s: float
    num_frames: int
    clips: list[Assembled]
    aspects: list[float]

    @property
    def fps(self) -> float:
        return self.num_frames / self.wall_s


def timed(loop: Loop, videos: list[VideoClip], num_frames: int) -> Run:
    run = Run(0, 0, 0, [], [])
    for video in videos:
        wall, processor = time.perf_counter(), time.process_time()
        landmarks, aspect = loop(video.path, num_frames)
        run.clips.append(assemble_clip(landmarks, aspect))
        run.wall_s += time.perf_counter() - wall
        run.processor_s += time.process_time() - processor
        run.num_frames += len(landmarks)
        run.aspects.append(aspect)
    return run


def extractor_run(
    config: ExtractionConfig, found: Models, videos: list[VideoClip], num_frames: int
) -> Run:
    """The platform's own extractor in this process, without Ray."""
    run = Run(0, 0, 0, [], [])
    with Extractor(config.model_copy(update={"max_frames": num_frames}), found) as extractor:
        for video in videos:
            wall, processor = time.perf_counter(), time.process_time()
            extracted = extractor.extract(video)
            run.wall_s += time.perf_counter() - wall
            run.processor_s += time.process_time() - processor
            clip, quality = extracted.clip, extracted.quality
            run.num_frames += clip.num_frames
            run.aspects.append(quality.width / quality.height)
            empty = np.zeros((clip.num_frames, 2), bool)
            run.clips.append(Assembled(clip.positions, clip.confidence, empty[:, 0], empty, 0))
    return run


def report(name: str, run: Run, plain: Run) -> None:
    """One line: speed, and the joints' distance from the plain loop's in shoulder widths."""
    body, hands = [], []
    num_lost = num_gained = 0
    for ours, theirs, aspect in zip(run.clips, plain.clips, plain.aspects, strict=True):
        frames = min(len(ours.positions), len(theirs.positions))
        stretch = np.array([aspect, 1.0])
        first, second = ours.positions[:frames] * stretch, theirs.positions[:frames] * stretch
        has, had = ours.confidence[:frames] > 0, theirs.confidence[:frames] > 0
        shoulders = second[:, INDEX["leftShoulder"]] - second[:, INDEX["rightShoulder"]]
        width = np.median(np.linalg.norm(shoulders, axis=1))
        gaps = np.linalg.norm(first - second, axis=-1) / width
        both = has & had
        body.append(gaps[:, BODY][both[:, BODY]])
        hands.append(gaps[:, BODY.stop :][both[:, BODY.stop :]])
        num_lost += int((had & ~has)[:, [BODY.stop, BODY.stop + 21]].sum())
        num_gained += int((has & ~had)[:, [BODY.stop, BODY.stop + 21]].sum())
    told = "  ".join(
        f"{part} {np.median(one):.4f} / {np.percentile(one, 95):.3f}"
        for part, one in (("body", np.concatenate(body)), ("hands", np.concatenate(hands)))
        if len(one)
    )
    print(
        f"{name:<38} {run.fps:6.1f} frames/s ({run.fps / plain.fps:4.2f} x)  "
        f"{run.processor_s / run.num_frames * 1e3:5.1f} ms processor time a frame "
        f"({plain.processor_s / plain.num_frames * run.num_frames / run.processor_s:4.2f} x)  "
        f"{told}  hands lost {num_lost}, gained {num_gained}",
        flush=True,
    )


def through_platform(folder: Path, workers: int, settings: list[str]) -> float:
    """Seconds that `slr_ray.extract` takes for a folder of videos, start to end."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "slr_ray.extract", str(folder), "--out", f"{out}/poses"]
        command += ["--layout", "flat", "--min-actors", str(workers)]
        command += ["--max-actors", str(workers), *settings]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        taken = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return taken


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    shared = Path(os.environ.get("SLR_RAY_TEST_DATA", _CHECKOUT.parent / "shared" / "data"))
    parser.add_argument("--videos", type=Path, default=shared / "videos")
    parser.add_argument("--models", type=Path, help="folder of the .task bundles")
    parser.add_argument("--num-clips", type=int, default=6)
    parser.add_argument("--num-frames", type=int, default=40, help="of each clip, for the loops")
    parser.add_argument("--num-copies", type=int, default=3, help="of each clip, for the platform")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--settings",
        nargs="*",
        default=["second_look=false"],
        help="of the platform; by default those that give the plain loop's joints",
    )
    parser.add_argument("--no-platform", action="store_true", help="the loops only")
    given = parser.parse_args(arguments)

    every = video_clips([given.videos])
    # Spread over the folder, so that several corpora, sizes and codecs are in.
    chosen = sorted(set(np.linspace(0, len(every) - 1, given.num_clips).round().astype(int)))
    videos = [every[index] for index in chosen]
    found = models(given.models)

    # One frame first: whatever is loaded once is loaded then.
    timed(sequential(found), videos[:1], 1)
    start = time.perf_counter()
    plain = timed(sequential(found), videos, given.num_frames)
    print(f"{len(videos)} clips, {plain.num_frames} frames; distances in shoulder widths from the")
    print("plain loop's joints, median / 95th percentile")
    report("plain loop", plain, plain)
    loops = {
        "decoded at 960 px": sequential(found, longest_side_px=960),
        "decoded at 640 px": sequential(found, longest_side_px=640),
        "decoding in a thread": decoding_ahead(found),
        "pose and hands in two threads": side_by_side(found),
        "IMAGE mode": image_by_image(found),
    }
    for name, loop in loops.items():
        report(name, timed(loop, videos, given.num_frames), plain)
    configs = {
        "extractor": ExtractionConfig(),
        "extractor, second_look=false": ExtractionConfig(second_look=False),
        "the same, skip_hands_outside=false": ExtractionConfig(
            second_look=False, skip_hands_outside=False
        ),
        "extractor, max_still_change=2": ExtractionConfig(max_still_change=2),
    }
    for name, config in configs.items():
        report(name, extractor_run(config, found, videos, given.num_frames), plain)
    again = timed(sequential(found), videos, given.num_frames)
    print(
        f"plain loop again: {again.fps:.1f} frames/s, so the machine's own noise is "
        f"{abs(again.fps / plain.fps - 1):.0%}; {time.perf_counter() - start:.0f} s so far"
    )
    if given.no_platform:
        ours = extractor_run(ExtractionConfig(), found, videos, given.num_frames)
        print(f"ratio: {ours.fps / again.fps:.2f}")
        return
    platform(videos, found, given.num_copies, given.workers, given.settings)


def platform(
    videos: list[VideoClip], found: Models, num_copies: int, workers: int, settings: list[str]
) -> None:
    """The same whole clips through Ray and through the plain loop; prints the ratio."""
    plain = timed(sequential(found), videos, 100_000)
    with tempfile.TemporaryDirectory() as made:
        one, many = Path(made) / "one", Path(made) / "many"
        one.mkdir()
        many.mkdir()
        for copy in range(num_copies):
            for video in videos:
                name = f"{copy}-{Path(video.path).name}"
                (many / name).symlink_to(Path(video.path).resolve())
        shortest = min(videos, key=lambda video: Path(video.path).stat().st_size)
        (one / Path(shortest.path).name).symlink_to(Path(shortest.path).resolve())
        first_s = through_platform(one, workers, settings)
        all_s = through_platform(many, workers, settings)
    shortest_frames = len(plain.clips[videos.index(shortest)].positions)
    startup_s = first_s - shortest_frames / plain.fps
    fps = plain.num_frames * num_copies / (all_s - startup_s)
    print(f"plain loop, whole clips: {plain.fps:.1f} frames/s")
    print(
        f"platform, {workers} workers, {' '.join(settings) or 'defaults'}: {fps:.1f} frames/s over "
        f"{plain.num_frames * num_copies} frames; start-up {startup_s:.1f} s; goal "
        f"{0.9 * (os.cpu_count() or 1):.1f} x the loop"
    )
    print(f"ratio: {fps / plain.fps:.2f}")


if __name__ == "__main__":
    main()
