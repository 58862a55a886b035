"""Which gloss of a hypothesis stands for which of the reference: Levenshtein's alignment."""

from __future__ import annotations

from dataclasses import dataclass

from slr_ray.sentences.steps import Glosses


@dataclass(frozen=True)
class Edit:
    """One step of an alignment."""

    hypothesis: int | None
    """Place in the hypothesis; None for a deletion: the hypothesis lacks the gloss."""
    reference: int | None
    """Place in the reference; None for an insertion: the reference lacks the gloss."""
    is_match: bool


def align(hypothesis: Glosses, reference: Glosses) -> list[Edit]:
    """The fewest edits, all of cost 1, that make the reference of the hypothesis, with matches.

    Of equally cheap alignments it takes, read from the front, match before substitution before
    deletion before insertion.
    """
    said, true = hypothesis.tolist(), reference.tolist()
    cost = _costs(said, true)
    edits = []
    h = r = 0
    while h < len(said) or r < len(true):
        if h < len(said) and r < len(true):
            is_match = said[h] == true[r]
            if cost[h][r] == cost[h + 1][r + 1] + (not is_match):
                edits.append(Edit(h, r, is_match))
                h, r = h + 1, r + 1
                continue
        if r < len(true) and cost[h][r] == cost[h][r + 1] + 1:
            edits.append(Edit(None, r, False))
            r += 1
        else:
            edits.append(Edit(h, None, False))
            h += 1
    return edits


def num_errors(hypothesis: Glosses, reference: Glosses) -> int:
    """The fewest edits between both: Levenshtein's distance."""
    return _costs(hypothesis.tolist(), reference.tolist())[0][0]


def _costs(said: list[int], true: list[int]) -> list[list[int]]:
    """Entry [h][r]: edits between what is left of both from there on."""
    below = list(range(len(true), -1, -1))
    cost = [below]
    for gloss in reversed(said):
        row = [below[-1] + 1]
        for r in range(len(true) - 1, -1, -1):
            other = below[r] if below[r] < row[-1] else row[-1]
            both = below[r + 1] + (gloss != true[r])
            row.append(both if both <= other else other + 1)
        row.reverse()
        cost.append(row)
        below = row
    cost.reverse()
    return cost
