"""The embedded sentences' language: how frequent its glosses are, and which follow which."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from slr_ray.corpora.embedded.people import Draw, stream
from slr_ray.errors import ConfigError

_SHORTEST, _LONGEST = 2, 9
_MEAN_LENGTH = 4.8
"""Glosses a sentence, as in Isharah."""
_ZIPF_SHIFT = 2.0
"""Mandelbrot's: of 30 glosses, the most frequent one is then a tenth of all, not a quarter."""
_AFFINITY = 1.0
"""How much sooner some gloss follows than its frequency says: standard deviation of the log."""
_MAX_DRAWS = 1000
"""For a sentence that no other sentence equals."""


def sequences(num_sentences: int, num_glosses: int, seed: int) -> list[tuple[int, ...]]:
    """Different sequences of gloss numbers; sentence i is the same however many are asked for.

    Glosses follow a bigram grammar over Zipf's frequencies. Grammar and frequencies hang on no
    seed: corpora of different seeds say other things in one language. No gloss follows itself: a
    sign is repeated within its movement. Raises `ConfigError` where there are not so many.
    """
    first, following = _grammar(num_glosses)
    found: dict[tuple[int, ...], None] = {}
    for number in range(num_sentences):
        rng = stream(seed, Draw.SEQUENCE, number)
        draws = (_sequence(rng, first, following) for _ in range(_MAX_DRAWS))
        new = next((one for one in draws if one not in found), None)
        if new is None:
            raise ConfigError(
                f"num_sentences: {num_sentences} different ones were asked for, but {num_glosses} "
                f"glosses make hardly more than {number}: ask for fewer, or raise num_glosses"
            )
        found[new] = None
    return list(found)


def _grammar(
    num_glosses: int,
) -> tuple[Float[np.ndarray, " glosses"], Float[np.ndarray, "glosses glosses"]]:
    """Chances that a gloss begins, and that one (row) is followed by another (column)."""
    rng = np.random.default_rng([12, num_glosses])
    frequency = 1 / (1 + _ZIPF_SHIFT + rng.permutation(num_glosses))
    following = frequency * np.exp(_AFFINITY * rng.normal(size=(num_glosses, num_glosses)))
    np.fill_diagonal(following, 0.0)
    return frequency / frequency.sum(), following / following.sum(axis=1, keepdims=True)


def _sequence(
    rng: np.random.Generator, first: np.ndarray, following: np.ndarray
) -> tuple[int, ...]:
    share = (_MEAN_LENGTH - _SHORTEST) / (_LONGEST - _SHORTEST)
    length = _SHORTEST + rng.binomial(_LONGEST - _SHORTEST, share)
    said = [int(rng.choice(len(first), p=first))]
    while len(said) < length:
        said.append(int(rng.choice(len(first), p=following[said[-1]])))
    return tuple(said)
