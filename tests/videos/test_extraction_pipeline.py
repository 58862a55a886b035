"""Extraction on a cluster of several Ray nodes: faults, killed workers, a lost node."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from video_factory import audio_only, make_video, truncated, wrong_extension, zero_length

from slr_ray.errors import ConfigError, StorageError
from slr_ray.poses.shards import ShardReader
from slr_ray.storage import below
from slr_ray.videos.detection.config import ExtractionConfig
from slr_ray.videos.detection.models import models
from slr_ray.videos.manifests.manifest import Manifest, Row
from slr_ray.videos.pipeline.pipeline import Pool, Running
from slr_ray.videos.pipeline.progress import ExtractionProgress
from slr_ray.videos.pipeline.run import RunOptions, RunResult, extract
from slr_ray.videos.pipeline.watch import AtWork
from slr_ray.videos.pipeline.worker import MAX_ATTEMPTS

pytestmark = [
    pytest.mark.ray,
    # They share one cluster.
    pytest.mark.xdist_group("extraction"),
    # Ray Data 2.60 warns of its own old settings when it copies its context.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # Ray leaves sockets and files open when it ends.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(600),
]

SMALL = (256, 192)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head and two nodes of one processor each; every test of this file shares them."""
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.workers = [made.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=made.address, log_to_driver=False)
    made.wait_for_nodes()
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real models under their names, fetched once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLR_RAY_CACHE", str(tmp_path_factory.getbasetemp() / "bundles"))
        return models().pose.parent


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Running]:
    """Gets the pipeline once it works."""
    found: list[Running] = []
    original = ExtractionProgress.started

    def started(self: ExtractionProgress, running: Running) -> None:
        found.append(running)
        original(self, running)

    monkeypatch.setattr(ExtractionProgress, "started", started)
    return found


def run(
    rows: list[Row], out: Path, bundles: Path, *, retry_failed: bool = False, **pool: Any
) -> tuple[RunResult, str]:
    printed = io.StringIO()
    options = RunOptions(Pool(**pool), bundles, retry_failed=retry_failed)
    console = Console(file=printed, width=200)
    return extract(
        Manifest(rows), str(out), ExtractionConfig(), options, console
    ), printed.getvalue()


def row(path: Path, clip_id: str | None = None, **more: Any) -> Row:
    size = path.stat().st_size if path.is_file() else None
    return Row(clip_id or path.stem, str(path), "hello", "ann", size_bytes=size, **more)


def clip_ids(out: Path) -> list[str]:
    return sorted(clip.clip_id for clip in ShardReader(str(out)))


def ledger_rows(out: Path) -> list[dict[str, str]]:
    with (out / "_extraction" / "ledger" / "failed.csv").open() as file:
        return list(csv.DictReader(file))


@contextlib.contextmanager
def meanwhile(act: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run `act` beside the body; it is told when the body is over, and its error is ours."""
    over = threading.Event()
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            act(over)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if errors:
        raise errors[0]


def at_work(running: list[Running]) -> list[AtWork]:
    """Nothing before the pipeline begins and after its end."""
    import ray

    with contextlib.suppress(ray.exceptions.RayActorError):
        return [one for each in running for one in each.at_work()]
    return []


def kill(
    running: list[Running], over: threading.Event, times: dict[str, int]
) -> dict[str, set[int]]:
    """SIGKILL whoever works on the named clips, so many times each; the processes, by clip."""
    killed: dict[str, set[int]] = {clip_id: set() for clip_id in times}
    while not over.is_set():
        time.sleep(0.02)
        for one in at_work(running):
            pids = killed.get(one.clip_id, set())
            if len(pids) < times.get(one.clip_id, 0) and one.pid not in pids:
                # In the middle of the clip, not at its first frame.
                time.sleep(0.2)
                os.kill(one.pid, signal.SIGKILL)
                pids.add(one.pid)
    return killed


def test_every_fault_is_one_row_and_the_good_clips_are_there(
    cluster: Any, bundles: Path, tmp_path: Path
) -> None:
    videos = tmp_path / "videos"
    good = make_video(videos / "good.mp4", frames=8, size=SMALL)
    odd = good.with_name("50% #1?.mp4")
    odd.write_bytes(good.read_bytes())
    rows = [
        row(good),
        row(make_video(videos / "portrait.mp4", frames=2, size=(2160, 3840), rotation=90)),
        row(good, "cut", start_frame=2, end_frame=6),
        row(good, "beyond", start_frame=500, end_frame=600),
        row(good, "backwards", start_s=3.0, end_s=1.0),
        row(make_video(videos / "nobody.mp4", frames=4, size=SMALL, person=False)),
        row(truncated(videos / "truncated.mp4", frames=40, size=SMALL)),
        row(zero_length(videos / "empty.mp4")),
        row(audio_only(videos / "sound.mp4")),
        row(wrong_extension(videos / "text.mp4")),
        row(videos / "absent.mp4"),
        row(good / "below_a_file.mp4"),
        Row("far", below(f"file://{videos}", odd.name), "hello", "bob"),
        Row("far_away", f"file://{videos}/none.mp4", "hello", "bob"),
    ]
    out = tmp_path / "poses"
    result, printed = run(rows, out, bundles)
    kinds = {one["clip_id"]: one["kind"] for one in ledger_rows(out)}
    assert kinds == {
        "beyond": "range_beyond_end",
        "backwards": "bad_range",
        "nobody": "no_person",
        "truncated": "truncated",
        "empty": "empty",
        "sound": "no_video_stream",
        "text": "not_a_video",
        "absent": "not_found",
        "below_a_file": "unreadable",
        "far_away": "not_fetched",
    }
    assert len(ledger_rows(out)) == len(kinds)
    assert all(one["reason"] for one in ledger_rows(out))
    assert clip_ids(out) == ["cut", "far", "good", "portrait"]
    assert (result.num_done, result.num_failed) == (4, 10)
    clips = {clip.clip_id: clip for clip in ShardReader(str(out))}
    assert (clips["good"].num_frames, clips["cut"].num_frames) == (8, 4)
    assert clips["portrait"].num_frames == 2
    assert clips["far"].signer == "bob"
    assert (clips["far"].positions == clips["good"].positions).all()
    report = json.loads((out / "_extraction" / "quality.json").read_text())
    assert report["failures"]["not_fetched"] == 1
    assert report["overall"]["num_clips"] == 14
    page = (out / "_extraction" / "quality.html").read_text()
    assert "range_beyond_end" in page
    assert "<svg" in page
    assert str(out / "_extraction/ledger/failed.csv") in printed
    provenance = ShardReader(str(out)).provenance()[0]
    assert provenance == json.loads((out / "_extraction" / "settings.json").read_text())

    # Failed ones are left alone unless asked for, then tried once more.
    again, printed = run(rows, out, bundles)
    assert (again.num_done, again.num_known, again.num_failed) == (0, 4, 10)
    assert again.starting_s is None
    assert "--retry-failed" in printed
    make_video(videos / "absent.mp4", frames=3, size=SMALL)
    retried, _ = run([rows[0], rows[5], rows[10]], out, bundles, retry_failed=True)
    assert (retried.num_done, retried.num_failed) == (1, 1)
    attempts = {one["clip_id"]: one["attempts"] for one in ledger_rows(out)}
    assert attempts["nobody"] == "2"
    assert attempts["empty"] == "1"
    assert clip_ids(out) == ["absent", "cut", "far", "good", "portrait"]


def test_killed_workers_cost_only_the_clip_that_kills_again_and_again(
    cluster: Any, bundles: Path, tmp_path: Path, watched: list[Running]
) -> None:
    rows = [
        row(make_video(tmp_path / f"{name}.mp4", frames=frames, size=SMALL))
        for name, frames in (("poison", 90), ("unlucky", 80), ("a", 10), ("b", 10), ("c", 10))
    ]
    killed: dict[str, set[int]] = {}

    def killer(over: threading.Event) -> None:
        killed.update(kill(watched, over, {"poison": MAX_ATTEMPTS, "unlucky": 1}))

    with meanwhile(killer):
        result, _ = run(rows, tmp_path / "poses", bundles)
    assert {clip_id: len(pids) for clip_id, pids in killed.items()} == {
        "poison": MAX_ATTEMPTS,
        "unlucky": 1,
    }
    (only,) = ledger_rows(tmp_path / "poses")
    assert (only["clip_id"], only["kind"]) == ("poison", "worker_died")
    assert only["attempts"] == str(MAX_ATTEMPTS)
    assert clip_ids(tmp_path / "poses") == ["a", "b", "c", "unlucky"]
    assert (result.num_done, result.num_failed) == (4, 1)


def test_a_full_disk_ends_the_job_and_the_next_call_goes_on(
    cluster: Any, bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(make_video(tmp_path / f"{name}.mp4", frames=4, size=SMALL)) for name in "abc"]
    out = tmp_path / "poses"
    original = os.fsync
    left = 4

    def filling(handle: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, "No space left on device")
        original(handle)

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", filling)
        patched.setattr("slr_ray.videos.pipeline.run._FLUSH_EVERY_S", 0.0)
        with pytest.raises(StorageError, match="No space left"):
            run(rows, out, bundles)
    result, _ = run(rows, out, bundles)
    assert result.num_known + result.num_done == 3
    assert clip_ids(out) == ["a", "b", "c"]


def test_a_worker_that_no_node_can_hold_is_refused(
    cluster: Any, bundles: Path, tmp_path: Path
) -> None:
    rows = [row(make_video(tmp_path / "a.mp4", frames=2, size=SMALL))]
    with pytest.raises(ConfigError, match="--cpus-per-actor 2"):
        run(rows, tmp_path / "poses", bundles, cpus_per_actor=2.0)


@pytest.mark.chaos
def test_a_node_is_lost_while_workers_on_every_node_work(
    cluster: Any, bundles: Path, tmp_path: Path, watched: list[Running]
) -> None:
    """The last test of the cluster: it leaves one node less."""
    source = make_video(tmp_path / "v.mp4", frames=40, size=SMALL)
    rows = [row(source, f"clip{number:02d}") for number in range(14)]
    nodes: set[str] = set()

    def remover(over: threading.Event) -> None:
        while not over.is_set() and len(nodes) < 3:
            time.sleep(0.05)
            nodes.update(one.node for one in at_work(watched))
        cluster.remove_node(cluster.workers.pop(), allow_graceful=False)

    with meanwhile(remover):
        result, _ = run(rows, tmp_path / "poses", bundles)
    assert len(nodes) == 3
    assert (result.num_done, result.num_failed) == (14, 0)
    assert clip_ids(tmp_path / "poses") == [one.clip_id for one in rows]
