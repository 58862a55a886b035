"""What Ray Tune passes on without looking at it."""

from __future__ import annotations

import zlib
from typing import Generic, TypeVar

from ray import cloudpickle

ValueT = TypeVar("ValueT")


class Packed(Generic[ValueT]):
    """A value as bytes.

    Tune copies, prints and keeps what a trial is given, several times over: objects of a hundred
    parts each would take its driver more time and memory than all else that it does for a trial.
    """

    def __init__(self, value: ValueT) -> None:
        self._content = zlib.compress(cloudpickle.dumps(value))

    def unpack(self) -> ValueT:
        value: ValueT = cloudpickle.loads(zlib.decompress(self._content))
        return value
