"""Who is done, who failed, and the shards: written so that a kill loses and doubles nothing.

    OUT/poses-00000.parquet …             pose shards of the target size
    OUT/_extraction/parts/000007.parquet  clips of the last second or so, until a shard is full
    OUT/_extraction/parts/000007.json     what became of them, and of those that failed
    OUT/_extraction/ledger/clips.jsonl    what became of all clips of complete shards
    OUT/_extraction/ledger/failed.csv     the failed ones, for people

One process writes: the driver. A part exists once its .json does, which is written second. When
parts make a shard, the shard is written first, clips.jsonl second, and then the parts are removed.
Each file is replaced whole. So a kill leaves either a part without its .json, which is removed, or
parts whose clips stand in a shard already: reading the shards' clip ids tells, and they are not
written again. A clip counts as done while a shard or a part holds it: where somebody removed one,
its clips are to do again.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow.parquet as pq
from pyarrow import ArrowException

from slr_ray.errors import ConfigError, StorageError
from slr_ray.poses.clip import Clip
from slr_ray.poses.shard_writing import shard_bytes
from slr_ray.poses.shards import ShardReader
from slr_ray.storage import Store, below, intact, resolve
from slr_ray.videos.pipeline.outcome import Outcome

STATE = "_extraction"
_CLIPS = "ledger/clips.jsonl"
_FAILED = "ledger/failed.csv"


class Ledger:
    """The state of one OUT folder or URI; use `opened`, so that no two processes write to it."""

    def __init__(self, out: str, provenance: dict[str, Any], shard_size_bytes: int) -> None:
        self.out = Store(out)
        self.state = self.out.join(STATE)
        self.provenance = provenance
        self.shard_size_bytes = shard_size_bytes
        self.outcomes: dict[str, Outcome] = {}
        self.num_lost = 0
        """Clips that were done and that no shard holds any more."""
        self._in_shards: set[str] = set()
        self._seen_shards: set[str] = set()
        self._parts: dict[str, int] = {}
        """Committed parts and their size in bytes."""
        self._next_part = 0
        self._clips: list[Clip] = []
        self._unwritten: list[Outcome] = []
        self._read()

    @property
    def done(self) -> set[str]:
        return {one.clip_id for one in self.outcomes.values() if one.state == "done"}

    @property
    def failed(self) -> dict[str, Outcome]:
        return {one.clip_id: one for one in self.outcomes.values() if one.state == "failed"}

    def add(self, outcome: Outcome, clip: Clip | None) -> bool:
        """Take a clip's end; False where the clip was done already, as after a worker's retry."""
        known = self.outcomes.get(outcome.clip_id)
        if known is not None and known.state == "done":
            return False
        self.outcomes[outcome.clip_id] = outcome
        self._unwritten.append(outcome)
        if clip is not None:
            self._clips.append(clip)
        return True

    def flush(self) -> None:
        """Put what was added on disk; full shards are made of what is there."""
        if self._unwritten:
            name = f"parts/{self._next_part:06d}"
            size = 0
            with writing(self.out.location):
                if self._clips:
                    content = shard_bytes(self._clips, self.provenance)
                    self.state.write_bytes(f"{name}.parquet", content)
                    size = len(content)
                rows = [one.model_dump(mode="json") for one in self._unwritten]
                self.state.write_json(f"{name}.json", rows)
            self._next_part += 1
            self._parts[name] = size
            self._clips, self._unwritten = [], []
        if sum(self._parts.values()) >= self.shard_size_bytes:
            self._compact()

    def finish(self) -> None:
        """Flush, and make a shard of what is left."""
        self.flush()
        if self._parts:
            self._compact()
        with writing(self.out.location):
            self.state.write_bytes(_FAILED, self._failed_csv())

    def failed_location(self) -> str:
        return below(self.state.location, _FAILED)

    def _compact(self) -> None:
        with writing(self.out.location):
            # Also a shard that this process wrote just before an interrupt.
            self._look_into_shards()
            clips = list(self._clips_of_parts())
            if clips:
                self.out.write_bytes(self._new_shard(), shard_bytes(clips, self.provenance))
            lines = (one.model_dump_json() + "\n" for one in self.outcomes.values())
            self.state.write_bytes(_CLIPS, "".join(lines).encode())
            for name in self._parts:
                # The .json last: without it a part is none.
                self.state.delete(f"{name}.parquet")
                self.state.delete(f"{name}.json")
        self._parts = {}

    def _clips_of_parts(self) -> Iterator[Clip]:
        seen = set(self._in_shards)
        for name in sorted(self._parts):
            if not self.state.exists(f"{name}.parquet"):
                continue
            for clip in ShardReader(below(self.state.location, f"{name}.parquet")):
                if clip.clip_id not in seen:
                    seen.add(clip.clip_id)
                    yield clip

    def _new_shard(self) -> str:
        taken = [int(number) for name in self._shards() if (number := name[6:-8]).isdecimal()]
        return f"poses-{max(taken, default=-1) + 1:05d}.parquet"

    def _shards(self) -> list[str]:
        # Only the folder itself: below it are parts.
        return [name for name in self.out.names(suffix=".parquet") if "/" not in name]

    def _read(self) -> None:
        """What earlier processes left; half-written files are removed."""
        with writing(self.out.location):
            remove_half_written(self.out)
        if self.state.exists(_CLIPS):
            for outcome in self.state.read_as(_CLIPS, _outcomes):
                self._know(outcome)
        names = list(self.state.names("parts"))
        for name in names:
            stem = name.rpartition(".")[0]
            if name.endswith(".json"):
                for row in self.state.read_json(name):
                    self._know(Outcome.model_validate(row))
                self._parts[stem] = 0
            elif f"{stem}.json" not in names:
                self.state.delete(name)
        for stem in self._parts:
            if self.state.exists(f"{stem}.parquet"):
                self._parts[stem] = len(self.state.read_bytes(f"{stem}.parquet"))
            self._next_part = max(self._next_part, int(stem.rpartition("/")[2]) + 1)
        self._look_into_shards()
        self._forget_lost()

    def _look_into_shards(self) -> None:
        for name in self._shards():
            if name not in self._seen_shards:
                self._in_shards.update(self._clip_ids(name))
                self._seen_shards.add(name)

    def _forget_lost(self) -> None:
        held = set(self._in_shards)
        for stem in self._parts:
            if self.state.exists(f"{stem}.parquet"):
                held.update(self._clip_ids(f"{STATE}/{stem}.parquet"))
        lost = self.done - held
        self.num_lost = len(lost)
        for clip_id in lost:
            del self.outcomes[clip_id]

    def _know(self, outcome: Outcome) -> None:
        known = self.outcomes.get(outcome.clip_id)
        if known is None or known.state != "done":
            self.outcomes[outcome.clip_id] = outcome

    def _clip_ids(self, name: str) -> list[str]:
        filesystem, path = resolve(below(self.out.location, name))
        with intact(below(self.out.location, name)), filesystem.open_input_file(path) as file:
            found: list[str] = pq.read_table(file, columns=["clip_id"])["clip_id"].to_pylist()
        return found

    def _failed_csv(self) -> bytes:
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(["clip_id", "path", "kind", "reason", "attempts"])
        for one in sorted(self.failed.values(), key=lambda each: each.clip_id):
            writer.writerow([one.clip_id, one.path, one.kind, one.reason, one.attempts])
        return sink.getvalue().encode()


def _outcomes(content: bytes) -> list[Outcome]:
    # Not splitlines: a path may hold what that takes for the end of a line.
    lines = content.decode().split("\n")
    return [Outcome.model_validate_json(line) for line in lines if line]


@contextmanager
def opened(out: str, provenance: dict[str, Any], shard_size_bytes: int) -> Iterator[Ledger]:
    """The ledger of OUT, for this process alone.

    Raises `ConfigError` where OUT holds other shards or poses of other settings, `StorageError`
    where it can't be written or another process works in it (seen on a local disk only).
    """
    store = Store(out)
    check_out(store)
    with store.join(STATE).held():
        ledger = Ledger(out, provenance, shard_size_bytes)
        _check_settings(ledger)
        yield ledger


def check_out(store: Store) -> None:
    """`StorageError` where OUT can't be written, `ConfigError` where it holds other shards."""
    store.check_writable()
    if not store.exists(f"{STATE}/settings.json") and any(store.names(suffix=".parquet")):
        raise ConfigError(
            f"{store.location!r} holds Parquet files that this command did not write; "
            "choose another --out"
        )


def _check_settings(ledger: Ledger) -> None:
    """All clips of one OUT are extracted in the same way; the first one that is done says how."""
    name = f"{STATE}/settings.json"
    store, provenance = ledger.out, ledger.provenance
    if not store.exists(name) or not ledger.done:
        with writing(store.location):
            store.write_json(name, provenance)
        return
    before = store.read_json(name)
    changes = list(_differences(before, json.loads(json.dumps(provenance))))
    if changes:
        raise ConfigError(
            f"{store.location!r} was extracted in another way: {'; '.join(changes)}. "
            "Choose another --out, or give the same settings"
        )


def _differences(before: Any, now: Any, where: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            yield from _differences(before.get(key), now.get(key), f"{where}.{key}".strip("."))
    elif before != now:
        yield f"{where} was {before!r}, now {now!r}"


def remove_half_written(store: Store) -> None:
    """Temporary files of a killed process; an object store has none."""
    if store.is_local:
        for path in store.local_path().rglob(".writing-*"):
            path.unlink(missing_ok=True)


@contextmanager
def writing(location: str) -> Iterator[None]:
    """Name the place and what to do where a file can't be written."""
    try:
        yield
    except (OSError, ArrowException) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError(
            f"cannot write to {location!r}: {reason}. Finished clips are kept: make room or choose "
            "another --out, and run the command again"
        ) from None
