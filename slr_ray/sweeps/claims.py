"""A table in plain words: each comparison in a line, each claim of the paper beside ours."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.reporting.wording import untold_text
from slr_ray.sweeps.differences import Difference, amount, named, placed
from slr_ray.sweeps.measurements.measurements import FIGURES
from slr_ray.sweeps.results import SweepResult
from slr_ray.sweeps.table import Claim

_MOST_NAMED = 3


def sentences(result: SweepResult, found: Sequence[Difference]) -> list[str]:
    """Each comparison on each corpus in one line: its first figure in full, the others in short."""
    told = []
    for compared in result.table.compare:
        for block in result.record.blocks:
            own = [one for one in found if one.compared is compared and one.of.block == block.title]
            if own:
                pair = named(result, own[0]).split(":")[0]
                where = f"{block.title}: " if len(result.record.blocks) > 1 else ""
                figures = list(dict.fromkeys(one.figure for one in own))
                parts = [[two for two in own if two.figure == one] for one in figures]
                texts = [_in_full(parts[0]), *(_in_short(one) for one in parts[1:])]
                told.append(f"{where}{pair}: {'; '.join(texts)}.")
    return told


def _in_full(own: Sequence[Difference]) -> str:
    """One figure of a comparison over its places."""
    figure = own[0].figure
    values = [one.found.mean for one in own]
    text = f"{FIGURES[figure].title} {amount(sum(values) / len(values), figure)}"
    text += " points" if FIGURES[figure].kind == "percent" else ""
    if len(own) > 1:
        spread = f"{amount(min(values), figure)} to {amount(max(values), figure)}"
        text += f" in the mean of {len(own)} places ({spread})"
    if all(one.corrected_p is None for one in own):
        return f"{text}, {untold_text(max(one.found.num_seeds for one in own))} tells no noise"
    even = sum(one.outcome == 0 for one in own)
    noise = [] if not even else ["within noise" + _at(even, own)]
    return ", ".join([text, *_outcomes(own), *noise])


def _in_short(own: Sequence[Difference]) -> str:
    """The mean over places, and at how many it is more than noise."""
    figure = own[0].figure
    mean = sum(one.found.mean for one in own) / len(own)
    outcomes = ", ".join(_outcomes(own))
    text = f"{FIGURES[figure].title} {amount(mean, figure)}"
    return f"{text} ({outcomes})" if outcomes else text


def _outcomes(own: Sequence[Difference]) -> list[str]:
    """At how many places it is ahead, and behind, beyond noise; nothing where at none."""
    words = _words(own[0].figure)
    counts = [sum(one.outcome == sign for one in own) for sign in (1, -1)]
    return [word + _at(count, own) for word, count in zip(words, counts, strict=True) if count]


def _at(count: int, own: Sequence[Difference]) -> str:
    if len(own) == 1:
        return ""
    return " everywhere" if count == len(own) else f" at {count}"


def claims(result: SweepResult, found: Sequence[Difference]) -> list[str]:
    """Each claim of the paper in a line: what it says, what is found here, whether they agree."""
    told, num_open = [], 0
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
                if own:
                    told.append(f"{where}{claim.by}: {claim.says}. {_answer(result, claim, own)}")
                num_open += not own
    if num_open:
        told.append(f"Claims of the paper about what is not measured here: {num_open}.")
    return told


def _is_about(claim: Claim, one: Difference) -> bool:
    point = one.of.point
    return all(path in point and point[path] in values for path, values in claim.where.items())


def _answer(result: SweepResult, claim: Claim, own: Sequence[Difference]) -> str:
    here = f"Here {named(result, own[0]).split(':')[0]}"
    tested = all(one.corrected_p is not None for one in own)
    if claim.at is None:
        return f"{here}: {_in_full(own)}."
    if claim.expects == "no difference":
        even = sum(one.outcome == 0 for one in own)
        text = f"{here}: within noise in {_of(even, own)}"
        # Few seeds see few differences: that none is seen shows less than that one is.
        verdict = "Nothing here speaks against it" if even == len(own) else "This does not agree"
        return f"{text}. {verdict}."
    is_share = FIGURES[own[0].figure].kind == "percent"
    sign = 1 if claim.expects == "ahead" else -1
    least = claim.more_than / (100 if is_share or claim.relative else 1)
    above = [one for one in own if sign * _size(claim, one) > least]
    sure = [one for one in above if one.outcome == sign]
    wanted = len(own) if claim.at == "every" else min(2, len(own))
    if len(own) == 1:
        text = f"{here}: {_in_full(own)}{_in_its_unit(claim, own[0])}"
    else:
        word = _words(own[0].figure)[sign < 0]
        unit = " %" if claim.relative else " points" if is_share else ""
        how = f"{word} by more than {claim.more_than:g}{unit}" if claim.more_than else word
        text = f"{here}: {how} in {_of(len(above), own)}"
        if 0 < len(above) <= _MOST_NAMED:
            at = [
                f"{placed(result, one)}: {amount(one.found.mean, one.figure)}"
                f"{_in_its_unit(claim, one)}"
                for one in above
            ]
            text += f" ({'; '.join(at)})"
        text += f", beyond noise in {len(sure)}" if tested else ""
    return _judged(text, len(sure) >= wanted, len(above) >= wanted)


def _words(figure: str) -> tuple[str, str]:
    """For more of a figure and for less of it."""
    kind = FIGURES[figure]
    is_score = kind.kind == "percent" and not kind.less_is_better
    return ("ahead", "behind") if is_score else ("higher", "lower")


def _size(claim: Claim, one: Difference) -> float:
    """A difference as the claim counts it."""
    if not claim.relative:
        return one.found.mean
    theirs = one.against.interval(one.figure)
    return one.found.mean / theirs.mean if theirs is not None and theirs.mean else 0.0


def _in_its_unit(claim: Claim, one: Difference) -> str:
    """What stands behind a difference whose claim is judged in per cent of the other's figure."""
    if not claim.relative:
        return ""
    return f", relative {100 * _size(claim, one):+.1f} %".replace("-", "−")


def _of(count: int, own: Sequence[Difference]) -> str:
    return f"{count} of {len(own)} places"


def _judged(text: str, agrees: bool, points_there: bool) -> str:
    """With the verdict: what noise may have made is no agreement."""
    if agrees:
        return f"{text}. This agrees."
    if points_there:
        return f"{text}. This points the same way, but may be noise."
    return f"{text}. This does not agree."
