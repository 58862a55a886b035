"""Stages: trained rounds kept by what they were trained from, shared between trials.

A stage's key is the hash of everything that determines its result: data, split, draw, settings of
the rounds so far, seed. Trials that agree up to a round find it here; an interrupted trial finds
its finished rounds; a round in the middle leaves a checkpoint under the same key.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from filelock import FileLock

from slr_ray.storage import Store

State = dict[str, Any]
"""What torch.save writes and weights_only loading reads: tensors, numbers, texts, lists, dicts."""


@dataclass
class Checkpoint:
    """Where a round that was interrupted goes on; `load` gives the last state or None."""

    load: Callable[[], State | None]
    save: Callable[[State], None]
    every_s: float = 10.0


def stage_key(**facts: Any) -> str:
    """The key of JSON-serialisable facts; the same facts give the same key on any machine."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


class StageStore:
    """Stages below a folder or cloud URI. A stage is written whole or not at all."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._begun: set[str] = set()
        """The names of checkpoints that are known to be there."""

    def exists(self, key: str) -> bool:
        return self.store.exists(f"{key}.pt")

    def load(self, key: str) -> State:
        """A stage that exists."""
        return self.store.read_as(f"{key}.pt", loads)

    def save(self, key: str, stage: State) -> None:
        """Keep a finished stage; its checkpoint is no longer needed."""
        self.store.write_bytes(f"{key}.pt", dumps(stage))
        name = f"{key}.partial.pt"
        # Behind a URI to ask for what was never there is a request.
        if name in self._begun:
            self.store.delete(name)
            self._begun.discard(name)

    def checkpoint(self, key: str) -> Checkpoint:
        name = f"{key}.partial.pt"

        def load() -> State | None:
            if not self.store.exists(name):
                return None
            self._begun.add(name)
            return self.store.read_as(name, loads)

        def save(state: State) -> None:
            self.store.write_bytes(name, dumps(state))
            self._begun.add(name)

        return Checkpoint(load, save)

    @contextlib.contextmanager
    def claimed(self, key: str) -> Iterator[None]:
        """Hold a stage while training it, so that a second trial waits instead of repeating it.

        A local lock, freed by the system when its process dies. Behind a cloud URI there is none:
        two trials may then train the same stage at once and write the same result.
        """
        if not self.store.is_local:
            yield
            return
        folder = self.store.local_path()
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{key}.lock"):
            yield


def dumps(state: State) -> bytes:
    """A state as bytes that `loads` reads."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def loads(content: bytes) -> State:
    """A state from bytes; `weights_only`, so a hostile file can run no code."""
    try:
        state: State = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (IndexError, TypeError, AttributeError, AssertionError) as error:
        # What the unpickler stumbles over in a file that is no pickle at all, such as text.
        raise pickle.UnpicklingError(f"not a pickle ({type(error).__name__})") from None
    return state
