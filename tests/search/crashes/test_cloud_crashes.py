"""A search behind the URI of each cloud: crashed, taken over by another machine, reported."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from emulators import cloud
from searches_here import Crash, Failing, Result, only_run, result, tune

from benchmarks.chaos.emulators import KINDS, Cloud
from slr_ray.records.run_folder import RunFolder
from slr_ray.report import main as report
from slr_ray.storage import Store

_MOST_REQUESTS = {"s3": 30, "gcs": 45, "azure": 80}
"""Of a trial of one or two rounds. S3 had 126 for one, folders and Ray's own files among them."""


def crashed_and_resumed(
    there: Cloud,
    failing: Failing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> RunFolder:
    storage = there.uri("runs")
    failing(17, Crash())
    with pytest.raises(Crash):
        tune(monkeypatch, "--space", "tiny.yaml", "--storage", storage)
    run = only_run(storage)
    shutil.rmtree(tmp_path / "cache" / "journals")
    failing(10**6, Crash())
    # The signature is given anew, as it may have run out.
    whole = there.uri(f"runs/{run.name}")
    assert tune(monkeypatch, "--resume", whole) == 0
    return run


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_on_a_cloud(
    kind: str,
    whole: Result,
    failing: Failing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "server").mkdir()
    with cloud(kind, tmp_path / "server") as there:
        run = crashed_and_resumed(there, failing, tmp_path, monkeypatch)
        assert result(run) == whole
        monkeypatch.setattr("sys.argv", ["report", run.location, "--board"])
        with pytest.raises(SystemExit) as ended:
            report()
        assert not ended.value.code
        _check_requests(there, kind)
        written = [there_is.read_bytes(name) for there_is, name in _files(run.store)]
        kept = [one.read_bytes() for one in (tmp_path / "cache").rglob("*") if one.is_file()]
    assert any(b"report" in one for one in written)
    printed = "".join(capfd.readouterr()).encode()
    for secret in there.secrets:
        assert not any(secret.encode() in one for one in [*written, *kept, printed])
    assert not there.secrets or b"***" in printed


def _files(store: Store) -> list[tuple[Store, str]]:
    return [(store, name) for name in store.names()]


def _check_requests(there: Cloud, kind: str) -> None:
    """Between the beginnings of the last two trials."""
    asked = [one for one in there.line.requests if "lease.json" not in one]

    def first(number: int) -> int:
        return next(
            place for place, one in enumerate(asked) if re.search(f"trials(/|%2F)000{number}", one)
        )

    assert first(3) - first(2) <= _MOST_REQUESTS[kind]
