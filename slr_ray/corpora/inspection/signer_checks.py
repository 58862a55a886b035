"""Signer by signer: what the detector missed, and values that no person before a camera has."""

from __future__ import annotations

import numpy as np

from slr_ray.config import Record
from slr_ray.corpora.corpus import Corpus
from slr_ray.poses.skeleton import (
    BODY,
    BODY_JOINTS,
    INDEX,
    LEFT_HAND,
    NUM_JOINTS,
    RIGHT_HAND,
)

FAR_OUTSIDE = 1.0
"""Detectors guess wrists below the picture; a whole picture away is no guess any more."""
_NEVER_FOUND = 0.9
_MOSTLY_MISSING = 0.5
_OFTEN = 0.3
_MANY_OUTSIDE = 0.01
_SMALL_SHOULDERS = 0.08
_MANY_REPEATED = 0.1
_DOMINANT = 1.5


class SignerReport(Record):
    """One signer's clips; shares are between 0 and 1, of that signer's frames."""

    signer: str | None
    """None for all clips of unknown signers."""
    num_clips: int
    num_frames: int
    missing_body: float
    """Of the 12 body joints of all frames, the share not found; hands likewise of their 21."""
    missing_left_hand: float
    missing_right_hand: float
    missing_both_hands: float
    missing_per_joint: list[float]
    """In the order of `poses.skeleton.JOINTS`."""
    dominant_hand: str | None
    """The hand found in at least half as many frames again as the other; None where both are, or
    neither ever was."""
    shoulder_width: float | None
    """Mean distance of the shoulders in x as a fraction of the picture; None if never found."""
    far_outside: float
    """Share of found joints more than `FAR_OUTSIDE` picture sizes outside the picture."""
    upside_down: float
    """Share of frames with the nose below the neck."""
    shoulders_swapped: float
    """Share of frames with the left shoulder left of the right one in the picture."""
    hands_swapped: float
    """Share of hands found nearer to the other arm's wrist."""
    repeated_frames: float
    """Share of frames that equal the frame before."""
    suspicious: list[str]

    @property
    def signing_hand(self) -> str:
        """For reading: left, right, both or none."""
        if self.missing_both_hands == 1:
            return "none"
        return self.dominant_hand or "both"


class _Sums:
    """Running totals by signer."""

    def __init__(self, num_signers: int) -> None:
        self.clips = np.zeros(num_signers)
        self.frames = np.zeros(num_signers)
        self.found = np.zeros((num_signers, NUM_JOINTS))
        self.totals: dict[str, np.ndarray] = {}

    def add(self, name: str, signer: int, values: np.ndarray, among: np.ndarray) -> None:
        """More values for the mean called `name`: those where `among`, of one shape, is True."""
        total = self.totals.setdefault(name, np.zeros((len(self.frames), 2)))
        total[signer] += (values[among].sum(), among.sum())

    def share(self, name: str, signer: int) -> float:
        count, of = self.totals[name][signer]
        return float(count / of) if of else 0.0


def check_signers(corpus: Corpus) -> list[SignerReport]:
    """A report for every signer, in the order of `corpus.signers_or_unknown`; streams by clip."""
    names = corpus.signers_or_unknown
    sums = _Sums(len(names))
    for index in range(corpus.num_clips):
        frames = np.asarray(corpus.frames[corpus.offsets[index] : corpus.offsets[index + 1]])
        _add_clip(sums, int(corpus.signer_index[index]), frames)
    reports = [_report(sums, signer, name) for signer, name in enumerate(names)]
    everywhere = _never_found(reports)
    return [
        one.model_copy(update={"suspicious": _suspicions(one, except_for=everywhere)})
        for one in reports
    ]


def missing_everywhere(reports: list[SignerReport]) -> list[str]:
    """One sentence about the body joints that no signer has; none where there are no such."""
    never = _never_found(reports)
    if not never:
        return []
    others = [joint for joint in BODY_JOINTS if joint not in never]
    if not others:
        what = "the body: hands only"
    elif len(others) < len(never):
        what = f"the body but for {', '.join(others)}"
    else:
        what = ", ".join(joint for joint in BODY_JOINTS if joint in never)
    stand_in = "; where shoulders are missing, a signing space is measured from the hands"
    return [f"all clips lack {what}{stand_in if 'leftShoulder' in never else ''}"]


def _never_found(reports: list[SignerReport]) -> set[str]:
    """Body joints that the detector almost never found in any signer's clips."""
    return {
        joint
        for joint in BODY_JOINTS
        if all(one.missing_per_joint[INDEX[joint]] > _NEVER_FOUND for one in reports)
    }


def _add_clip(sums: _Sums, signer: int, frames: np.ndarray) -> None:
    positions, found = frames[..., :2], frames[..., 2] > 0
    left, right = (np.asarray(found[:, hand].any(axis=1)) for hand in (LEFT_HAND, RIGHT_HAND))
    sums.clips[signer] += 1
    sums.frames[signer] += len(frames)
    sums.found[signer] += found.sum(axis=0)
    every = np.ones(len(frames), bool)
    sums.add("left", signer, left, every)
    sums.add("right", signer, right, every)
    sums.add("both_missing", signer, ~left & ~right, every)
    far = (positions < -FAR_OUTSIDE) | (positions > 1 + FAR_OUTSIDE)
    sums.add("far_outside", signer, np.asarray(far.any(axis=-1)), found)

    below = _gap(positions, "nose", "neck")[:, 1]
    sums.add("upside_down", signer, below > 0, _all_found(found, "nose", "neck"))
    across = _gap(positions, "leftShoulder", "rightShoulder")[:, 0]
    shoulders = _all_found(found, "leftShoulder", "rightShoulder")
    sums.add("shoulders_swapped", signer, across < 0, shoulders)
    sums.add("shoulder_width", signer, np.abs(across), shoulders)
    for hand, own, other in (
        ("wrist_0", "leftWrist", "rightWrist"),
        ("wrist_1", "rightWrist", "leftWrist"),
    ):
        to_own = np.linalg.norm(_gap(positions, hand, own), axis=-1)
        to_other = np.linalg.norm(_gap(positions, hand, other), axis=-1)
        sums.add("hands_swapped", signer, to_other < to_own, _all_found(found, hand, own, other))
    equal = (positions[1:] == positions[:-1]).all(axis=(1, 2)) & found[1:].any(axis=1)
    sums.add("repeated_frames", signer, np.r_[False, equal], every)


def _gap(positions: np.ndarray, first: str, second: str) -> np.ndarray:
    """From the second joint to the first, frames x 2."""
    gap: np.ndarray = positions[:, INDEX[first]] - positions[:, INDEX[second]]
    return gap


def _all_found(found: np.ndarray, *joints: str) -> np.ndarray:
    return np.asarray(found[:, [INDEX[joint] for joint in joints]].all(axis=1))


def _report(sums: _Sums, signer: int, name: str | None) -> SignerReport:
    missing = 1 - sums.found[signer] / sums.frames[signer]
    left, right = sums.share("left", signer), sums.share("right", signer)
    dominant = None
    if max(left, right) > _DOMINANT * min(left, right):
        dominant = "left" if left > right else "right"
    measured = sums.totals["shoulder_width"][signer, 1] > 0
    return SignerReport(
        signer=name,
        num_clips=int(sums.clips[signer]),
        num_frames=int(sums.frames[signer]),
        missing_body=float(missing[BODY].mean()),
        missing_left_hand=float(missing[LEFT_HAND].mean()),
        missing_right_hand=float(missing[RIGHT_HAND].mean()),
        missing_both_hands=sums.share("both_missing", signer),
        missing_per_joint=missing.tolist(),
        dominant_hand=dominant,
        shoulder_width=sums.share("shoulder_width", signer) if measured else None,
        far_outside=sums.share("far_outside", signer),
        upside_down=sums.share("upside_down", signer),
        shoulders_swapped=sums.share("shoulders_swapped", signer),
        hands_swapped=sums.share("hands_swapped", signer),
        repeated_frames=sums.share("repeated_frames", signer),
        suspicious=[],
    )


def _suspicions(report: SignerReport, except_for: set[str]) -> list[str]:
    found = []
    never = [
        joint
        for joint in BODY_JOINTS
        if report.missing_per_joint[INDEX[joint]] > _NEVER_FOUND and joint not in except_for
    ]
    if never:
        found.append(f"almost never found: {', '.join(never)}")
    if report.missing_both_hands > _MOSTLY_MISSING:
        found.append(f"no hand in {report.missing_both_hands:.0%} of frames")
    if report.far_outside > _MANY_OUTSIDE:
        found.append(f"{report.far_outside:.0%} of joints far outside the picture: pixels?")
    if report.upside_down > _OFTEN:
        found.append(f"nose below neck in {report.upside_down:.0%} of frames: y upward?")
    if report.shoulders_swapped > _OFTEN:
        found.append(f"shoulders swapped in {report.shoulders_swapped:.0%} of frames")
    if report.hands_swapped > _OFTEN:
        found.append(f"{report.hands_swapped:.0%} of hands nearer to the other arm's wrist")
    if report.shoulder_width is not None and report.shoulder_width < _SMALL_SHOULDERS:
        found.append(f"small in the picture: shoulders {report.shoulder_width:.2f} apart")
    if report.repeated_frames > _MANY_REPEATED:
        found.append(f"{report.repeated_frames:.0%} of frames repeat the one before")
    return found
