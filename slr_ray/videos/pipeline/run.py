"""One call of extraction: what is left to do, the work, and what is told at the end."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from slr_ray.durations import duration
from slr_ray.storage import Store, absolute, below
from slr_ray.videos.detection.config import ExtractionConfig
from slr_ray.videos.detection.extractor import Extractor
from slr_ray.videos.detection.models import Models, models
from slr_ray.videos.manifests.manifest import Manifest, Row
from slr_ray.videos.pipeline.asked import asked_before, check_same_clips, remember
from slr_ray.videos.pipeline.ledger import Ledger, check_out, opened, writing
from slr_ray.videos.pipeline.pipeline import Pool, results
from slr_ray.videos.pipeline.progress import ExtractionProgress
from slr_ray.videos.pipeline.quality import assess
from slr_ray.videos.pipeline.quality_page import page, print_quality
from slr_ray.workers.session import ray_session

_FLUSH_EVERY_S = 1.0
_NUM_NAMED = 5


@dataclass(frozen=True)
class RunOptions:
    """How to work, beside what to extract; no clip depends on it."""

    pool: Pool = field(default_factory=Pool)
    models: Path | None = None
    """Folder of the model bundles; the cache if not given."""
    address: str | None = None
    """A Ray cluster's; this machine if not given."""
    retry_failed: bool = False
    shard_size_bytes: int = 64 * 2**20


@dataclass(frozen=True)
class RunResult:
    num_done: int
    """Clips extracted by this call."""
    num_frames: int
    num_known: int
    """Clips that earlier calls had extracted."""
    num_failed: int
    """Clips of the manifest that have failed, in this call or before."""
    starting_s: float | None
    """Until the first worker took a clip; None where there was nothing to do."""
    working_s: float
    """From then until the last clip's end."""


def extract(
    manifest: Manifest, out: str, config: ExtractionConfig, options: RunOptions, console: Console
) -> RunResult:
    """Extract every clip of the manifest that OUT does not have; says what happens on `console`.

    OUT gets pose shards, and under `_extraction` the manifest, settings, ledger and report. The
    same call goes on where a killed one stopped. Raises `UserError`s before work starts, and
    `StorageError` where OUT can't be written (any more).
    """
    out = absolute(out).rstrip("/")
    check_out(Store(out))
    bundles = models(options.models, config.pose_model)
    # Made here once: a model that does not load is told before a cluster starts.
    with Extractor(config, bundles) as extractor:
        provenance = extractor.provenance()
    with opened(out, provenance, options.shard_size_bytes) as ledger:
        before = asked_before(ledger)
        check_same_clips(manifest.rows, before, ledger)
        todo, known, failed_before = _plan(manifest.rows, ledger, options.retry_failed)
        _print_plan(manifest, len(todo), known, failed_before, ledger.num_lost, console)
        remember(manifest.rows, before, ledger)
        progress = ExtractionProgress(
            console, len(todo), sum((one.estimated_s for one in todo), 0.0)
        )
        working_s = 0.0
        if todo:
            try:
                working_s = _work(todo, config, options, ledger, progress, bundles)
            except KeyboardInterrupt:
                ledger.flush()
                raise
        ledger.finish()
        return _end(manifest, ledger, progress, known, working_s, console)


def _work(
    todo: list[Row],
    config: ExtractionConfig,
    options: RunOptions,
    ledger: Ledger,
    progress: ExtractionProgress,
    bundles: Models,
) -> float:
    estimates = {row.clip_id: row.estimated_s for row in todo}
    attempts = {clip_id: one.attempts for clip_id, one in ledger.failed.items()}
    flushed = time.monotonic()
    # Ray's C++ side warns about every pool of Ray Data's; who debugs Ray sets this otherwise.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    with progress.showing(), ray_session(options.address, dashboard=False):
        try:
            made = results(todo, attempts, config, bundles, options.pool, progress.started)
            # Closed before Ray is, also where the disk is full.
            with contextlib.closing(made):
                for outcome, clip in made:
                    if not ledger.add(outcome, clip):
                        continue
                    progress.ended(outcome, estimates[outcome.clip_id])
                    if time.monotonic() - flushed > _FLUSH_EVERY_S:
                        ledger.flush()
                        flushed = time.monotonic()
            ledger.flush()
        finally:
            working_s = progress.working_s
            progress.stopped()
    return working_s


def _plan(rows: list[Row], ledger: Ledger, retry_failed: bool) -> tuple[list[Row], int, int]:
    """Rows to work on; how many were done before; how many failed before and are left alone."""
    done, failed = ledger.done, ledger.failed
    todo = [
        row
        for row in rows
        if row.clip_id not in done and (retry_failed or row.clip_id not in failed)
    ]
    known = sum(row.clip_id in done for row in rows)
    return todo, known, len(rows) - len(todo) - known


def _print_plan(
    manifest: Manifest,
    num_todo: int,
    known: int,
    failed_before: int,
    num_lost: int,
    console: Console,
) -> None:
    def say(line: str) -> None:
        console.print(line, highlight=False, soft_wrap=True)

    for note in manifest.notes:
        say(note)
    rows = manifest.rows
    glosses = {gloss for row in rows for gloss in row.glosses or (row.gloss,)} - {None}
    signers = {row.signer for row in rows if row.signer is not None}
    num_unknown = sum(row.signer is None for row in rows)
    unknown = f", {num_unknown:,} clips of unknown signers" if num_unknown else ""
    say(f"{len(rows):,} clips, {len(glosses):,} glosses, {len(signers):,} signers{unknown}")
    for what, listed in (("entries skipped", manifest.skipped), ("videos absent", manifest.absent)):
        if listed:
            first = "; ".join(f"{one.clip_id}: {one.reason}" for one in listed[:_NUM_NAMED])
            say(f"{len(listed):,} {what}, e.g. {first}")
    if known:
        say(f"{known:,} were extracted before")
    if num_lost:
        say(f"{num_lost:,} were extracted before, but no shard holds them any more")
    if failed_before:
        say(f"{failed_before:,} failed before and are left alone; --retry-failed tries them again")
    say(f"{num_todo:,} to extract")


def _end(
    manifest: Manifest,
    ledger: Ledger,
    progress: ExtractionProgress,
    known: int,
    working_s: float,
    console: Console,
) -> RunResult:
    report = assess(ledger.outcomes.values())
    shares = [
        one.quality["num_without_hands"] / max(1, one.quality["num_frames"])
        for one in ledger.outcomes.values()
        if one.quality is not None
    ]
    with writing(ledger.out.location):
        state = ledger.state
        state.write_bytes("quality.json", (report.model_dump_json(indent=1) + "\n").encode())
        state.write_bytes("quality.html", page(report, ledger.out.location, shares))
        _write_absent(manifest, ledger)
    if progress.num_done:
        console.print(
            f"{progress.num_done:,} clips, {progress.num_frames:,} frames in "
            f"{duration(working_s)} ({progress.num_frames / max(working_s, 1e-6):.1f} frames/s) "
            f"after a start of {duration(progress.starting_s or 0.0)}",
            highlight=False,
        )
    print_quality(report, console)
    locations = {
        "poses": ledger.out.location,
        "quality": below(ledger.state.location, "quality.html"),
        **({"failures": ledger.failed_location()} if report.failed else {}),
    }
    for name, location in locations.items():
        console.print(f"{name}: {location}", highlight=False, soft_wrap=True)
    wanted = {row.clip_id for row in manifest.rows}
    return RunResult(
        num_done=progress.num_done,
        num_frames=progress.num_frames,
        num_known=known,
        num_failed=len(wanted & set(ledger.failed)),
        starting_s=progress.starting_s,
        working_s=working_s,
    )


def _write_absent(manifest: Manifest, ledger: Ledger) -> None:
    """Clips that a corpus names and that are not there, listed for whoever looks for them."""
    if not manifest.absent:
        ledger.state.delete("absent.tsv")
        return
    lines = "".join(f"{one.clip_id}\t{one.reason}\t{one.source}\n" for one in manifest.absent)
    ledger.state.write_bytes("absent.tsv", lines.encode())
