"""A real search on S3, as an emulator plays it: an outage, a killed driver, another machine."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from driver import finished, kill, start
from emulators import cloud
from fake_cluster import wait_until
from test_search import write_space

from benchmarks.chaos.emulators import Cloud
from slr_ray.records.run_folder import RunFolder
from slr_ray.storage import Store

pytestmark = pytest.mark.ray


def runs(there: Cloud, record: str) -> list[str]:
    """Names of the runs that have a record."""
    names = Store(there.uri("runs")).names(suffix=record)
    return sorted({one.split("/")[0] for one in names})


def test_an_outage_and_a_kill_lose_nothing(tmp_path: Path) -> None:
    write_space(tmp_path, steps=20)
    (tmp_path / "server").mkdir()
    with cloud("s3", tmp_path / "server") as there:
        limits = ("--seeds", "1", "--max-concurrent", "1", "--storage", there.uri("runs"))
        driver = start(tmp_path, "tune", "--space", "tiny.yaml", *limits)
        log = tmp_path / "log"
        wait_until(lambda: bool(runs(there, "trials/0000/record.json")), log.read_text)
        there.line.cut()
        time.sleep(14.0)
        there.line.mend()
        wait_until(lambda: bool(runs(there, "trials/0001/record.json")), log.read_text)
        assert driver.poll() is None, log.read_text()
        kill(driver)
        shutil.rmtree(tmp_path / "cache" / "journals")
        (name,) = runs(there, "run.json")
        run = RunFolder(there.uri(f"runs/{name}"))
        before = {one.store.location: one.trial() for one in run.trials()}
        # The driver that was killed was of this machine: nobody waits for it.
        done = finished(tmp_path, "tune", "--resume", there.uri(f"runs/{name}"))
        assert done.returncode == 0, done.stdout + done.stderr
        after = {one.store.location: one.trial() for one in run.trials()}
        assert len(after) == 4
        assert before == {name: after[name] for name in before}
        told = [one for one in run.read_journal().splitlines() if b'"op_code":6' in one]
        assert len([one for one in told if b'"state":0' not in one]) == 4
        written = [run.store.read_bytes(one) for one in run.store.names()]
    printed = [log.read_bytes(), done.stdout.encode(), done.stderr.encode()]
    kept = [one.read_bytes() for one in (tmp_path / "cache").rglob("*") if one.is_file()]
    for secret in there.secrets:
        assert not any(secret.encode() in one for one in [*written, *printed, *kept])
