"""Videos behind a URI: copied to this machine for as long as they are read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pyarrow import ArrowException
from pyarrow.fs import FileSelector, FileSystem, FileType

from slr_ray.errors import StorageError
from slr_ray.storage import is_uri, resolve
from slr_ray.videos.frames.pictures import is_picture
from slr_ray.videos.frames.source import ExtractionFailed, VideoClip

_COPIED_AT_ONCE = 2**22


@contextmanager
def fetched(video: VideoClip) -> Iterator[VideoClip]:
    """The clip on this machine: its own file, or a copy of one behind a URI, removed at the end.

    Raises `ExtractionFailed` of kind not_fetched where it can't be copied. Failures while the copy
    is read name the URI.
    """
    if not is_uri(video.path):
        yield video
        return
    try:
        filesystem, path = resolve(video.path)
    except StorageError as error:
        raise ExtractionFailed("not_fetched", str(error)) from None
    if filesystem.get_file_info(path).type == FileType.Directory:
        with _pictures_fetched(video, filesystem, path) as local:
            yield local
        return
    suffix = PurePosixPath(path).suffix
    with tempfile.NamedTemporaryFile(prefix="slr_ray-video-", suffix=suffix) as file:
        try:
            with filesystem.open_input_stream(path) as stream:
                shutil.copyfileobj(stream, file, _COPIED_AT_ONCE)
        except (OSError, ArrowException) as error:
            raise ExtractionFailed("not_fetched", f"cannot copy {video.path}: {error}") from None
        file.flush()
        with _named(file.name, video.path):
            yield replace(video, path=file.name)


@contextmanager
def _pictures_fetched(video: VideoClip, filesystem: FileSystem, path: str) -> Iterator[VideoClip]:
    """The pictures of a folder, copied into one of this machine."""
    with tempfile.TemporaryDirectory(prefix="slr_ray-pictures-") as folder:
        try:
            for one in filesystem.get_file_info(FileSelector(path)):
                name = PurePosixPath(one.path)
                if one.is_file and is_picture(name):
                    with (
                        filesystem.open_input_stream(one.path) as stream,
                        (Path(folder) / name.name).open("wb") as file,
                    ):
                        shutil.copyfileobj(stream, file, _COPIED_AT_ONCE)
        except (OSError, ArrowException) as error:
            raise ExtractionFailed("not_fetched", f"cannot copy {video.path}: {error}") from None
        with _named(folder, video.path):
            yield replace(video, path=folder)


@contextmanager
def _named(local: str, source: str) -> Iterator[None]:
    """Failures inside name the source instead of the copy."""
    try:
        yield
    except ExtractionFailed as error:
        raise ExtractionFailed(error.kind, error.message.replace(local, source)) from None
