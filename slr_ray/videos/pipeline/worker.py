"""A worker of the pool: holds the landmarkers, turns one clip after another into poses."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from slr_ray.poses.clip import Clip
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.skeleton import NUM_JOINTS
from slr_ray.storage import Store
from slr_ray.videos.detection.config import ExtractionConfig
from slr_ray.videos.detection.extractor import Extracted, Extractor
from slr_ray.videos.detection.models import Models
from slr_ray.videos.frames.fetching import fetched
from slr_ray.videos.frames.source import ExtractionFailed, VideoClip
from slr_ray.videos.pipeline.outcome import Outcome

MAX_ATTEMPTS = 3
"""Workers that a clip may kill, in one run, before it counts as failed."""


@dataclasses.dataclass(frozen=True)
class Bundles:
    """The model files' content, sent along: workers need neither internet nor a shared disk."""

    pose: bytes
    hand: bytes
    pose_sha256: str
    hand_sha256: str

    @classmethod
    def of(cls, models: Models) -> Bundles:
        pose, hand = models.pose.read_bytes(), models.hand.read_bytes()
        return cls(pose, hand, models.pose_sha256, models.hand_sha256)

    def unpack(self) -> Models:
        """Files of this content on this machine; its workers share them."""
        folder = Path(tempfile.gettempdir()) / f"slr_ray-models-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to somebody else: set TMPDIR")
        store = Store(str(folder))
        names = [f"{sha256}.task" for sha256 in (self.pose_sha256, self.hand_sha256)]
        for name, content in zip(names, (self.pose, self.hand), strict=True):
            if not store.exists(name):
                store.write_bytes(name, content)
        return Models(folder / names[0], folder / names[1], self.pose_sha256, self.hand_sha256)


class Worker:
    """Called by Ray Data with a few rows of the manifest; gives a row a clip, whatever happens."""

    def __init__(self, config: dict[str, Any], bundles: list[Any], watch: Any) -> None:
        import ray

        self._watch = watch
        self._node = ray.get_runtime_context().get_node_id()
        # In a list, as Ray would else send the content with every restart.
        self._extractor = Extractor(
            ExtractionConfig.model_validate(config), ray.get(bundles[0]).unpack()
        )

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        import ray

        for row in batch.to_pylist():
            clip_id = row["clip_id"]
            attempt = ray.get(self._watch.begin.remote(clip_id, self._node, os.getpid()))
            row["attempts"] += attempt
            if attempt > MAX_ATTEMPTS:
                row["attempts"] -= 1
                reason = f"{MAX_ATTEMPTS} workers died while they worked on it"
                made = failed(row, "worker_died", reason)
            else:
                made = self._made(row)
            # Not waited for: calls of one worker arrive in their order.
            self._watch.end.remote(clip_id)
            yield made

    def _made(self, row: dict[str, Any]) -> pa.Table:
        try:
            return done(row, self._extract(row))
        except ExtractionFailed as error:
            return failed(row, error.kind, error.message)
        except Exception as error:
            # One strange video must not end the job: it is told, and the next one tried.
            return failed(row, "internal_error", f"{type(error).__name__}: {error}")

    def _extract(self, row: dict[str, Any]) -> Extracted:
        with fetched(VideoClip.of(row)) as clip:
            return self._extractor.extract(clip)


RESULT = pa.schema(
    [
        ("outcome", pa.string()),
        ("fps", pa.float64()),
        ("positions", pa.large_binary()),
        ("confidence", pa.large_binary()),
    ]
)


def done(row: dict[str, Any], extracted: Extracted) -> pa.Table:
    clip = extracted.clip
    outcome = _outcome(row, state="done", quality=dataclasses.asdict(extracted.quality))
    return _result(outcome, clip.fps, clip.positions.tobytes(), clip.confidence.tobytes())


def failed(row: dict[str, Any], kind: str, reason: str) -> pa.Table:
    return _result(_outcome(row, state="failed", kind=kind, reason=reason), None, None, None)


def read_result(row: dict[str, Any]) -> tuple[Outcome, Clip | None]:
    """What `done` or `failed` made."""
    outcome = Outcome.model_validate_json(row["outcome"])
    if row["positions"] is None:
        return outcome, None
    positions = np.frombuffer(row["positions"], np.float32).reshape(-1, NUM_JOINTS, 2)
    confidence = np.frombuffer(row["confidence"], np.float32).reshape(-1, NUM_JOINTS)
    glosses = outcome.glosses
    return outcome, Clip(
        outcome.clip_id,
        outcome.gloss,
        outcome.signer,
        row["fps"],
        positions,
        confidence,
        None if glosses is None else Sentence(glosses, text=outcome.text),
    )


def _outcome(row: dict[str, Any], **more: Any) -> Outcome:
    names = Outcome.model_fields.keys() & row.keys()
    return Outcome(**{name: row[name] for name in names}, **more)


def _result(
    outcome: Outcome, fps: float | None, positions: bytes | None, confidence: bytes | None
) -> pa.Table:
    columns = [[outcome.model_dump_json()], [fps], [positions], [confidence]]
    return pa.table(dict(zip(RESULT.names, columns, strict=True)), schema=RESULT)
