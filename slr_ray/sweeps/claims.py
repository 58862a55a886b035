"""A table in plain words: each comparison in a line, each claim of the paper beside ours."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.sweeps.differences import Difference, amount, named, placed
from slr_ray.sweeps.measurements.measurements import FIGURES
from slr_ray.sweeps.results import SweepResult
from slr_ray.sweeps.table import Claim

_MOST_NAMED = 3
_WORDS = {"percent": ("ahead", "behind")}
_OTHER_WORDS = ("higher", "lower")


def sentences(result: SweepResult, found: Sequence[Difference]) -> list[str]:
    """Each comparison on each corpus in one line, over all its places and figures."""
    told = []
    for compared in result.table.compare:
        for block in result.record.blocks:
            own = [one for one in found if one.compared is compared and one.of.block == block.title]
            if own:
                pair = named(result, own[0]).split(":")[0]
                where = f"{block.title}: " if len(result.record.blocks) > 1 else ""
                figures = dict.fromkeys(one.figure for one in own)
                parts = [_figure([two for two in own if two.figure == one]) for one in figures]
                told.append(f"{where}{pair}: {'; '.join(parts)}.")
    return told


def _figure(own: Sequence[Difference]) -> str:
    """One figure of a comparison over its places."""
    figure = own[0].figure
    values = [one.found.mean for one in own]
    unit = " points" if FIGURES[figure].kind == "percent" else ""
    text = f"{FIGURES[figure].title} {amount(sum(values) / len(values), figure)}{unit}"
    if all(one.corrected_p is None for one in own):
        noise = "one seed tells no noise"
    elif len(own) == 1:
        noise = _state(own[0])
    else:
        ahead, behind = _WORDS.get(FIGURES[figure].kind, _OTHER_WORDS)
        counts = [sum(one.outcome == sign for one in own) for sign in (1, -1, 0)]
        noise = f"{ahead} at {counts[0]}, {behind} at {counts[1]}, within noise at {counts[2]}"
    if len(own) == 1:
        return f"{text}, {noise}"
    spread = f"{amount(min(values), figure)} to {amount(max(values), figure)}"
    return f"{text} in the mean of {len(own)} places ({spread}), {noise}"


def _state(one: Difference) -> str:
    words = _WORDS.get(FIGURES[one.figure].kind, _OTHER_WORDS)
    return {1: words[0], -1: words[1], 0: "within noise"}[one.outcome]


def claims(result: SweepResult, found: Sequence[Difference]) -> list[str]:
    """Each claim of the paper in a line: what it says, what is found here, whether they agree."""
    told = []
    for compared in result.table.compare:
        for claim in compared.published:
            for block in result.record.blocks:
                figure = claim.figure or result.table.figures[0]
                own = [
                    one
                    for one in found
                    if one.compared is compared
                    and one.of.block == block.title
                    and one.figure == figure
                    and _is_about(claim, one)
                ]
                where = f"{block.title}: " if len(result.record.blocks) > 1 else ""
                told.append(f"{where}The paper: {claim.says}. {_answer(result, claim, own)}")
    return told


def _is_about(claim: Claim, one: Difference) -> bool:
    point = one.of.point
    return all(path in point and point[path] in values for path, values in claim.where.items())


def _answer(result: SweepResult, claim: Claim, own: Sequence[Difference]) -> str:
    if not own:
        return "Here: not measured."
    here = f"Here {named(result, own[0]).split(':')[0]}"
    tested = all(one.corrected_p is not None for one in own)
    if claim.at is None:
        return f"{here}: {_figure(own)}."
    if claim.expects == "no difference":
        even = sum(one.outcome == 0 for one in own)
        text = f"{here}: within noise in {_of(even, own)}"
        return _judged(text, even == len(own) and tested, even == len(own))
    is_share = FIGURES[own[0].figure].kind == "percent"
    sign = 1 if claim.expects == "ahead" else -1
    least = claim.more_than / (100 if is_share else 1)
    above = [one for one in own if sign * one.found.mean > least]
    sure = [one for one in above if one.outcome == sign]
    wanted = len(own) if claim.at == "every" else min(2, len(own))
    if len(own) == 1:
        text = f"{here}: {_figure(own)}"
    else:
        word = _WORDS.get(FIGURES[own[0].figure].kind, _OTHER_WORDS)[sign < 0]
        unit = " points" if is_share else ""
        how = f"{word} by more than {claim.more_than:g}{unit}" if claim.more_than else word
        text = f"{here}: {how} in {_of(len(above), own)}"
        if 0 < len(above) <= _MOST_NAMED:
            at = [f"{placed(result, one)}: {amount(one.found.mean, one.figure)}" for one in above]
            text += f" ({'; '.join(at)})"
        text += f", beyond noise in {len(sure)}" if tested else ""
    return _judged(text, len(sure) >= wanted, len(above) >= wanted)


def _of(count: int, own: Sequence[Difference]) -> str:
    return f"{count} of {len(own)} places"


def _judged(text: str, agrees: bool, points_there: bool) -> str:
    """With the verdict: what noise may have made is no agreement."""
    if agrees:
        return f"{text}. This agrees."
    if points_there:
        return f"{text}. This points the same way, but may be noise."
    return f"{text}. This does not agree."
