"""Videos for tests: a real person (matplotlib's sample picture), or nobody, and broken files."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from PIL import Image

_CLOCK = Fraction(1, 90_000)


@cache
def _person() -> Image.Image:
    from matplotlib.cbook import get_sample_data

    with get_sample_data("grace_hopper.jpg") as stream:  # type: ignore[no-untyped-call]
        return Image.open(stream).convert("RGB")


def picture(size: tuple[int, int], moved: float = 0.0, *, person: bool = True) -> np.ndarray:
    """One frame, height x width x 3, of `size` (width, height).

    The person's head and shoulders stand in the middle, `moved` picture widths to the right; a
    picture of nobody is a grey ramp.
    """
    width, height = size
    ramp = np.linspace(90, 160, width).astype(np.uint8)
    canvas = Image.fromarray(np.repeat(np.tile(ramp, (height, 1))[..., None], 3, axis=2))
    if person:
        scale = min(width / 512, height / 600)
        pasted = _person().resize((round(512 * scale), round(600 * scale)))
        left = round((width - pasted.width) / 2 + moved * width)
        canvas.paste(pasted, (left, height - pasted.height))
    return np.asarray(canvas)


def make_video(
    path: Path,
    *,
    frames: int = 12,
    fps: float = 25.0,
    size: tuple[int, int] = (320, 240),
    rotation: int = 0,
    person: bool = True,
    times_s: Sequence[float] | None = None,
    speed: float = 0.005,
    keyframe_every: int = 12,
    codec: str = "h264",
    pixel_aspect: Fraction = Fraction(1),
) -> Path:
    """Encode a video and return its path; the container follows the suffix.

    `size` is (width, height) as shown. With `rotation` (degrees anticlockwise, as players turn it:
    90, 180, 270) the frames are stored turned and the file says how to turn them back. `times_s`
    gives each frame its own time (variable frame rate). The person moves by `speed` picture widths
    a frame. With `pixel_aspect` the frames are stored narrower (or wider) by that factor.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    times = list(times_s) if times_s is not None else [index / fps for index in range(frames)]
    with av.open(str(path), "w") as container:
        rate = Fraction(fps).limit_denominator(1001)
        stream = container.add_stream(codec, rate=rate)
        stored = (round(size[0] / pixel_aspect), size[1])
        stream.width, stream.height = stored if rotation % 180 == 0 else stored[::-1]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.time_base = stream.codec_context.time_base = _CLOCK if codec == "h264" else 1 / rate
        stream.codec_context.gop_size = keyframe_every
        if pixel_aspect != 1:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if codec == "h264":
            stream.options = {"preset": "ultrafast", "crf": "20"}
        if rotation:
            stream.set_display_rotation(rotation)
        for index, time_s in enumerate(times):
            shown = picture(size, speed * index, person=person)
            if pixel_aspect != 1:
                shown = np.asarray(Image.fromarray(shown).resize(stored))
            # The file's frames, turned anticlockwise by `rotation`, are what is shown.
            turned = np.ascontiguousarray(np.rot90(shown, -rotation // 90))
            frame = av.VideoFrame.from_ndarray(turned, format="rgb24")
            frame.pts, frame.time_base = round(time_s / stream.time_base), stream.time_base
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def audio_only(path: Path, *, seconds: float = 0.5) -> Path:
    """A file with sound and no picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        samples = np.sin(np.arange(int(16_000 * seconds)) / 10).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    return path


def with_index_in_front(whole: Path, path: Path) -> Path:
    """The same packets, with the index where a download has it first."""
    with (
        av.open(str(whole)) as source,
        av.open(str(path), "w", options={"movflags": "faststart"}) as target,
    ):
        copied = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
    return path


def truncated(path: Path, *, share: float = 0.5, **settings: object) -> Path:
    """A video that breaks off after `share` of its bytes, its index in front (as cut downloads)."""
    whole = path.with_name(f"whole-{path.name}")
    make_video(whole, **settings)  # type: ignore[arg-type]
    indexed = with_index_in_front(whole, path.with_name(f"indexed-{path.name}"))
    content = indexed.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    whole.unlink()
    indexed.unlink()
    return path


def truncated_without_index(path: Path, **settings: object) -> Path:
    """A video that breaks off before its index, which stands at its end: nothing can be read."""
    make_video(path, **settings)  # type: ignore[arg-type]
    path.write_bytes(path.read_bytes()[:-600])
    return path


def zero_length(path: Path) -> Path:
    """An empty file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def wrong_extension(path: Path) -> Path:
    """A text that calls itself a video."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("this is no video\n" * 40)
    return path
