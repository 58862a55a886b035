"""One clip after another, for tests that write and read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slr_ray.poses.clip import Clip
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.skeleton import NUM_JOINTS


def make_clip(clip_id: str = "a", num_frames: int = 3, seed: int = 0, **changes: Any) -> Clip:
    generator = np.random.default_rng(seed)
    values: dict[str, Any] = {
        "clip_id": clip_id,
        "gloss": "hello",
        "signer": "ann",
        "fps": 25.0,
        "positions": generator.random((num_frames, NUM_JOINTS, 2), np.float32),
        "confidence": np.ones((num_frames, NUM_JOINTS), np.float32),
    }
    return Clip(**(values | changes))


def clips_of(rows: Sequence[tuple[str | None, str | None]], num_frames: int = 2) -> list[Clip]:
    """A clip a (signer, gloss), of unknown frame rate, each joint found and within the picture."""
    draw = np.random.default_rng(len(rows))
    shape = (num_frames, NUM_JOINTS)
    return [
        Clip(
            f"clip{number}",
            gloss,
            signer,
            None,
            draw.uniform(0.2, 0.8, (*shape, 2)).astype(np.float32),
            np.ones(shape, np.float32),
        )
        for number, (signer, gloss) in enumerate(rows)
    ]


def make_sentence(
    clip_id: str = "a",
    glosses: Sequence[str] | None = ("i", "book", "read"),
    num_frames: int = 12,
    *,
    times: Sequence[tuple[int, int]] | None = None,
    text: str | None = None,
    **changes: Any,
) -> Clip:
    """A clip of continuous signing; without glosses one of which nobody knows the sentence."""
    known = None
    if glosses is not None:
        known = Sentence(tuple(glosses), None if times is None else tuple(times), text)
    return make_clip(clip_id, num_frames, gloss=None, sentence=known, **changes)


def sentences_of(rows: Sequence[tuple[str | None, str | None]]) -> list[Clip]:
    """A sentence a (signer, glosses), of which each letter is a gloss."""
    return [
        make_sentence(f"clip{number}", glosses, signer=signer)
        for number, (signer, glosses) in enumerate(rows)
    ]


def assert_same(found: Clip, expected: Clip) -> None:
    assert (found.clip_id, found.gloss, found.signer) == (
        expected.clip_id,
        expected.gloss,
        expected.signer,
    )
    assert found.fps == expected.fps
    assert found.sentence == expected.sentence
    np.testing.assert_array_equal(found.positions, expected.positions)
    np.testing.assert_array_equal(found.confidence, expected.confidence)
