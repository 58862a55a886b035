"""How extraction went, from the ledger: by signer, split, corpus; suspicious clips; failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from slr_ray.config import Record
from slr_ray.poses.clip import UNKNOWN
from slr_ray.videos.frames.resampling import MOST_DRIFT_S
from slr_ray.videos.pipeline.outcome import Outcome

_NUM_SUSPICIOUS = 200
_MANY_WITHOUT_POSE = 0.05
_MANY_WITHOUT_HANDS = 0.5


class GroupQuality(Record):
    """Clips of one signer, split or corpus, or all."""

    name: str
    num_clips: int
    num_failed: int
    num_frames: int
    without_pose: float | None
    """Share of frames on which nobody was found; None without frames."""
    without_hands: float | None
    """Share of frames with neither hand."""
    without_left_hand: float | None
    without_right_hand: float | None


class SuspiciousClip(Record):
    """A clip to look at: how bad it is, and why."""

    clip_id: str
    signer: str | None
    gloss: str | None
    score: float
    """Share of frames without a pose, plus half the share without hands, plus the share of pictures
    that gave no frame; the worst come first."""
    why: list[str]


class QualityReport(Record):
    overall: GroupQuality
    by_signer: list[GroupQuality]
    """The signer with the most frames without hands first."""
    by_split: list[GroupQuality]
    by_corpus: list[GroupQuality]
    suspicious: list[SuspiciousClip]
    """At most 200."""
    num_suspicious: int
    failures: dict[str, int]
    """Clips by kind of failure, the most frequent first."""
    failed: list[Outcome]
    num_clips_with_damage: int
    """Clips with pictures that did not decode, of which the rest was extracted."""
    num_undecoded_frames: int
    """Pictures of extracted clips that gave no frame, as those before a first key frame."""
    decoding_s: float
    inference_s: float
    """Summed over the workers."""


def assess(outcomes: Iterable[Outcome]) -> QualityReport:
    """The report over all clips of a ledger."""
    every = list(outcomes)
    done = [one for one in every if one.quality is not None]
    failed = sorted((one for one in every if one.state == "failed"), key=lambda one: one.clip_id)
    suspicious = sorted(
        (found for one in done if (found := _suspicion(one)) is not None),
        key=lambda one: (-one.score, one.clip_id),
    )
    by_signer = _grouped(every, lambda one: one.signer or UNKNOWN)
    return QualityReport(
        overall=_group("all", every),
        by_signer=sorted(by_signer, key=lambda one: (-(one.without_hands or 0.0), one.name)),
        by_split=_grouped(every, lambda one: one.split or "none"),
        by_corpus=_grouped(every, lambda one: one.corpus or "none"),
        suspicious=suspicious[:_NUM_SUSPICIOUS],
        num_suspicious=len(suspicious),
        failures=dict(Counter(one.kind or "unknown" for one in failed).most_common()),
        failed=failed,
        num_clips_with_damage=sum(_is_damaged(one) for one in done),
        num_undecoded_frames=sum(_count(one, "num_undecoded_frames") for one in done),
        decoding_s=sum((one.quality or {}).get("decoding_s", 0.0) for one in done),
        inference_s=sum((one.quality or {}).get("inference_s", 0.0) for one in done),
    )


def _count(one: Outcome, name: str) -> int:
    return int((one.quality or {}).get(name, 0))


def _is_damaged(one: Outcome) -> bool:
    return _count(one, "num_damaged_packets") + _count(one, "num_undecoded_frames") > 0


def _grouped(every: list[Outcome], key: Callable[[Outcome], str]) -> list[GroupQuality]:
    groups: dict[str, list[Outcome]] = {}
    for one in every:
        groups.setdefault(key(one), []).append(one)
    return [_group(name, groups[name]) for name in sorted(groups)]


def _group(name: str, members: list[Outcome]) -> GroupQuality:
    frames = sum(_count(one, "num_frames") for one in members)

    def share(of: str) -> float | None:
        return sum(_count(one, of) for one in members) / frames if frames else None

    return GroupQuality(
        name=name,
        num_clips=len(members),
        num_failed=sum(one.state == "failed" for one in members),
        num_frames=frames,
        without_pose=share("num_without_pose"),
        without_hands=share("num_without_hands"),
        without_left_hand=share("num_without_left_hand"),
        without_right_hand=share("num_without_right_hand"),
    )


def _suspicion(one: Outcome) -> SuspiciousClip | None:
    frames = max(1, _count(one, "num_frames"))
    without_pose = _count(one, "num_without_pose") / frames
    without_hands = _count(one, "num_without_hands") / frames
    why = []
    if without_pose > _MANY_WITHOUT_POSE:
        why.append(f"nobody found on {without_pose:.0%} of the frames")
    if _count(one, "num_without_hands") == frames:
        why.append("no hand on any frame")
    elif without_hands > _MANY_WITHOUT_HANDS:
        why.append(f"no hand on {without_hands:.0%} of the frames")
    unassigned = _count(one, "num_unassigned_hands")
    if unassigned > frames / 4:
        why.append(f"{unassigned} hands that are nobody's: perhaps a second person")
    if _count(one, "num_damaged_packets"):
        why.append(f"{_count(one, 'num_damaged_packets')} damaged packets")
    undecoded = _count(one, "num_undecoded_frames")
    pictures = _count(one, "num_source_frames") + undecoded
    if undecoded:
        why.append(f"{undecoded} of {pictures} pictures gave no frame")
    drift_s = float((one.quality or {}).get("drift_s", 0.0))
    if drift_s > MOST_DRIFT_S:
        why.append(f"its frame rate varies, times are off by up to {drift_s:.1f} s: set target_fps")
    if not why:
        return None
    score = without_pose + without_hands / 2 + undecoded / max(1, pictures)
    gloss = one.gloss or " ".join(one.glosses or ()) or None
    return SuspiciousClip(clip_id=one.clip_id, signer=one.signer, gloss=gloss, score=score, why=why)
