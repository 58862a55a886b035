"""Where a Ray of this machine's own can work: told in one line, before it starts."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from slr_ray.doctor import _findings
from slr_ray.errors import ConfigError
from slr_ray.workers.session import longest_temporary_folder, ray_session, temporary_folder

LONG = "/tmp/slurm_jobdir_of_a_user_with_a_long_name/1355700/tmp.t0016"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.delenv("TMPDIR", raising=False)


def test_a_long_tmpdir_is_named_before_ray_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", LONG)
    limit = longest_temporary_folder()
    expected = rf"TMPDIR is '{LONG}', {len(LONG)} bytes long.*allow {limit}.*RAY_TMPDIR"
    with pytest.raises(ConfigError, match=expected), ray_session(None, dashboard=False):
        pass
    (finding,) = [one for one in _findings() if one.what == "temporary folder"]
    assert not finding.is_good
    assert re.search(expected, finding.advice)


def test_the_limit_is_the_one_of_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket of the longest name Ray makes fits into a path, and one byte more does not."""
    from ray._private.utils import validate_socket_filepath

    session = f"session_2026-11-30_23-59-59_999999_{os.getpid()}"
    for extra, fits in ((0, True), (1, False)):
        folder = "/" + "t" * (longest_temporary_folder() - 1 + extra)
        path = f"{folder}/ray/{session}/sockets/plasma_store"
        if fits:
            validate_socket_filepath(path)
        else:
            with pytest.raises(OSError, match="AF_UNIX"):
                validate_socket_filepath(path)
        monkeypatch.setenv("TMPDIR", folder)
        problem = temporary_folder()[1]
        assert problem is None or ("bytes long" in problem) is not fits


def test_ray_has_a_variable_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", LONG)
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    assert temporary_folder() == ("/tmp", None)


@pytest.mark.parametrize(("folder", "word"), [("/dev/null/t", "written"), ("here", "absolute")])
def test_folders_that_ray_can_not_use(
    folder: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", folder)
    assert word in str(temporary_folder()[1])
