"""Videos behind a URI: copied to this machine for as long as they are read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath

from pyarrow import ArrowException

from slr_ray.errors import StorageError
from slr_ray.storage import is_uri, resolve
from slr_ray.videos.detection.source import ExtractionFailed, VideoClip

_COPIED_AT_ONCE = 2**22


@contextmanager
def fetched(video: VideoClip) -> Iterator[VideoClip]:
    """The clip in a local file: its own, or a copy of one behind a URI, removed at the end.

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
    suffix = PurePosixPath(path).suffix
    with tempfile.NamedTemporaryFile(prefix="slr_ray-video-", suffix=suffix) as file:
        try:
            with filesystem.open_input_stream(path) as stream:
                shutil.copyfileobj(stream, file, _COPIED_AT_ONCE)
        except (OSError, ArrowException) as error:
            raise ExtractionFailed("not_fetched", f"cannot copy {video.path}: {error}") from None
        file.flush()
        try:
            yield replace(video, path=file.name)
        except ExtractionFailed as error:
            message = error.message.replace(file.name, video.path)
            raise ExtractionFailed(error.kind, message) from None
