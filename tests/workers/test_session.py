"""Where a Ray of this machine's own can work: told in one line, before it starts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from slr_ray.doctor import _cluster, _findings
from slr_ray.errors import ConfigError
from slr_ray.workers.run_options import RunOptions
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


JOINING = """
import ray
from ray._raylet import AuthenticationMode, get_authentication_mode
from slr_ray.errors import ConfigError
from slr_ray.workers.session import authentication, ray_session

def init(**_):
    print("token" if get_authentication_mode() == AuthenticationMode.TOKEN else "none")
    raise ConnectionError("refused")

ray.init = init
try:
    with ray_session("there:6379", dashboard=False):
        pass
except ConfigError as error:
    print(error)
print(authentication())
"""


def joining(home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, as Ray keeps the mode and the token of one."""
    kept = {name: value for name, value in os.environ.items() if "RAY_AUTH" not in name}
    there = {**kept, "HOME": str(home), **variables}
    command = [sys.executable, "-c", JOINING]
    return subprocess.run(command, env=there, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("token", "mode", "sent"),
    [(True, None, True), (False, None, False), (True, "disabled", False), (True, "token", True)],
)
def test_a_cluster_is_joined_with_the_token_that_is_here(
    token: bool, mode: str | None, sent: bool, tmp_path: Path
) -> None:
    if token:
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray/auth_token").write_text("a" * 32)
    done = joining(tmp_path, **({} if mode is None else {"RAY_AUTH_MODE": mode}))
    how, told, *found = done.stdout.splitlines()
    assert how == ("token" if sent else "none")
    assert told.startswith("--address there:6379: cannot connect: refused")
    assert ("put it into ~/.ray/auth_token" in told) is not sent
    if mode == "disabled":
        assert "never switch it off" in done.stderr
    else:
        assert found == [mode or "token"] if sent else "none is here" in found[0]


def test_what_should_hold_the_token_is_named(tmp_path: Path) -> None:
    done = joining(tmp_path, RAY_AUTH_TOKEN_PATH="/there/is/none")
    assert done.stdout.startswith("no token of Ray: ")
    assert "/there/is/none" in done.stdout


def test_a_cluster_that_refuses_is_a_finding_of_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr("slr_ray.workers.session.check_reachable", lambda _: None)
    monkeypatch.setattr("ray.init", refuse)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    (finding,) = _cluster("127.0.0.1:6379", RunOptions(), {})
    assert (finding.what, finding.is_good) == ("cluster", False)
    assert finding.found.startswith("--address 127.0.0.1:6379: cannot connect: refused")
