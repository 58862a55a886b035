"""Pictures that a file holds and that the decoder does not give.

A recording that begins between two key frames (a dump of a stream, a cut copy) loses all pictures
before its first key frame, and decoders leave them out without a word.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import av
from av.video.stream import VideoStream

from slr_ray.videos.frames.timeline import FrameRange

VideoPacket: TypeAlias = "av.Packet[VideoStream]"

_VP8_SHOWN = 0x10
"""In a VP8 frame's first byte; frames without it only serve others (RFC 6386, section 9.1)."""


class Undecoded:
    """Follows the packets of a range until their frames come; a picture is known by its timestamp.

    Where a file has no timestamps, packets and frames of a whole file can only be counted.
    """

    def __init__(self, wanted: FrameRange, tick: float) -> None:
        self._wanted = wanted
        self._tick = tick
        self._due: set[int] = set()
        self._num_unstamped = 0

    def sent(self, packet: VideoPacket) -> None:
        """The decoder gets this packet."""
        if packet.size == 0 or packet.is_discard or _is_hidden(packet):
            return
        if packet.pts is None:
            self._num_unstamped += 1
        elif self._wanted.start_s <= self._time_s(packet.pts) < self._wanted.end_s:
            self._due.add(packet.pts)

    def refused(self, packet: VideoPacket) -> None:
        """The decoder called this packet damaged."""
        if packet.pts is None:
            self._num_unstamped -= 1
        else:
            self._due.discard(packet.pts)

    def came(self, frame: av.VideoFrame) -> int:
        """How many pictures are known to be lost now: frames come in the order of their times."""
        if frame.pts is None:
            self._num_unstamped -= 1
            return 0
        self._due.discard(frame.pts)
        lost = {pts for pts in self._due if pts < frame.pts}
        self._due -= lost
        return len(lost)

    def left(self) -> int:
        """How many are lost besides, now that the file has ended."""
        is_all = self._wanted.start_s <= 0 and math.isinf(self._wanted.end_s)
        return len(self._due) + (max(0, self._num_unstamped) if is_all else 0)

    def _time_s(self, pts: int) -> float:
        return (pts - self._wanted.origin_pts) * self._tick


def _is_hidden(packet: VideoPacket) -> bool:
    if packet.stream.codec_context.name != "vp8":
        return False
    return not bytes(packet)[0] & _VP8_SHOWN
