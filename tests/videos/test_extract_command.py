"""`python -m slr_ray.extract` as a user types it: clear errors, a killed driver, exit statuses."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner
from video_factory import make_video, zero_length

from slr_ray.extract import extract
from slr_ray.poses.shards import ShardReader
from slr_ray.videos.detection.models import models

_CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real models under their names, fetched once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLR_RAY_CACHE", str(tmp_path_factory.getbasetemp() / "bundles"))
        return models().pose.parent


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_CHECKOUT), "COLUMNS": "200"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "slr_ray.extract", *arguments]


def call(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
    )


BAD_CALLS = {
    "nothing": ([], ["name the videos"]),
    "no such folder": (["nowhere"], ["nowhere"]),
    "uri with a query": (["file:///nowhere?region=x"], ["no such file", "nowhere?region=x"]),
    "empty folder": (["empty"], ["holds no video"]),
    "two sources": (["empty", "full"], ["one source at a time"]),
    "source and corpus": (["full", "--corpus", "wlasl"], ["not both"]),
    "unknown corpus": (["--corpus", "wlas", "--videos", "full"], ["wlasl, asl_citizen"]),
    "no videos": (["--corpus", "wlasl", "--metadata", "bad.json"], ["--videos"]),
    "bad metadata": (
        ["--corpus", "wlasl", "--metadata", "bad.json", "--videos", "full"],
        ["bad.json", "JSON"],
    ),
    "unknown setting": (["full", "target_fsp=25"], ["target_fsp", "target_fps"]),
    "bad setting": (["full", "target_fps=-1"], ["target_fps", "-1"]),
    "unknown layout": (["full", "--layout", "x"], ["gloss/clip"]),
    "layout and pattern": (["full", "--layout", "flat", "--pattern", "{gloss}"], ["not both"]),
    "duplicate ids": (["twice.csv"], ["'a'", "not unique"]),
    "no models": (["full", "--models", "empty"], ["pose_landmarker_full.task", "--models"]),
    "unwritable out": (["full", "--out", "bad.json/x"], ["cannot write"]),
    "foreign out": (["full", "--out", "foreign"], ["did not write"]),
    "actors": (["full", "--min-actors", "3", "--max-actors", "2"], ["--min-actors 3"]),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_bad_call_ends_with_one_message(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "full" / "red").mkdir(parents=True)
    (tmp_path / "full" / "red" / "1.mp4").write_bytes(b"x")
    (tmp_path / "twice.csv").write_text("clip_id,path\na,1.mp4\na,2.mp4\n")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "x.parquet").write_bytes(b"x")
    arguments, words = BAD_CALLS[name]
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(extract)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    for word in words:
        assert word in done.stderr
    assert not (tmp_path / "poses" / "_extraction" / "ledger").exists()


@pytest.mark.ray
def test_a_killed_driver_loses_and_doubles_nothing(bundles: Path, tmp_path: Path) -> None:
    for number in range(5):
        make_video(tmp_path / "videos" / "red" / f"{number}.mp4", frames=30, size=(256, 192))
    zero_length(tmp_path / "videos" / "blue" / "empty.mp4")
    arguments = ["videos", "--out", "poses", "--models", str(bundles), "--max-actors", "1"]
    with (tmp_path / "log").open("w") as log:
        driver = subprocess.Popen(
            command(*arguments),
            cwd=tmp_path,
            env=environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    parts = tmp_path / "poses" / "_extraction" / "parts"
    deadline = time.monotonic() + 240
    while not list(parts.glob("*.json")):
        assert driver.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "log").read_text()
        time.sleep(0.02)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()

    done = call(tmp_path, *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "were extracted before" in done.stdout
    assert "blue/empty" in done.stdout
    assert "ledger/failed.csv" in done.stdout
    clips = sorted(clip.clip_id for clip in ShardReader(str(tmp_path / "poses")))
    assert clips == [f"red/{number}" for number in range(5)]
    with (tmp_path / "poses/_extraction/ledger/failed.csv").open() as file:
        assert [row["clip_id"] for row in csv.DictReader(file)] == ["blue/empty"]

    # Nothing is left to do: no Ray starts, and the failure still counts.
    again = call(tmp_path, *arguments)
    assert again.returncode == 1, again.stderr
    assert "0 to extract" in again.stdout
    # Other settings would mix two kinds of poses.
    other = call(tmp_path, *arguments, "target_fps=10")
    assert other.returncode == 2
    assert "settings.target_fps was None, now 10.0" in other.stderr
    # What is done is done, whatever the rest of the folder says.
    (tmp_path / "videos" / "blue" / "empty.mp4").unlink()
    good = call(tmp_path, *arguments)
    assert good.returncode == 0, good.stdout + good.stderr
