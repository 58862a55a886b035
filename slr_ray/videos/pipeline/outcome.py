"""What became of one clip: a row of the ledger."""

from __future__ import annotations

from typing import Any, Literal

from slr_ray.config import Record


class Outcome(Record):
    """One clip's end: extracted, or failed for a reason."""

    clip_id: str
    path: str
    gloss: str | None
    glosses: tuple[str, ...] | None = None
    text: str | None = None
    signer: str | None
    split: str | None
    corpus: str | None = None
    state: Literal["done", "failed"]
    kind: str | None = None
    """Why it failed, in one word: a `FailureKind`, or one of `WORKER_KINDS`."""
    reason: str | None = None
    """The same in a sentence."""
    attempts: int
    """How many times work on the clip was begun, over all calls of the command."""
    quality: dict[str, Any] | None = None
    """The extractor's `Quality`; None where failed."""


WORKER_KINDS = {
    "worker_died": "the process that worked on it died each time",
    "internal_error": "extraction raised an error that it should not",
}
"""Reasons that are not the video's, beside those of `poses.extraction.source.FailureKind`."""
