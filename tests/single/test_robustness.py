"""`robustness`: a checkpoint on its own test clips, clean and perturbed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from experiment_factory import EMBEDDED, SMALL, printed, write_shards

from slr_ray.corpora.data import open_data
from slr_ray.evaluation.perturbations import Perturbation
from slr_ray.experiment.experiment import build_experiment
from slr_ray.methods.recogniser import load_recogniser
from slr_ray.methods.robustness import clean_scores, open_examinee, point
from slr_ray.records.measured import MeasuredRecord, Span
from slr_ray.records.predictions import ClipPrediction, from_parquet
from slr_ray.records.robustness import RobustnessRecord
from slr_ray.records.stages import dumps, loads
from slr_ray.robustness import robustness
from slr_ray.train import train

FEW = (
    "scale=[0.5,2]",
    "translation=[0.3]",
    "rotation=[90]",
    "mirror=[1]",
    "dropped_joints=[]",
    "dropped_frames=[]",
    "frame_rate=[0.2]",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shards and a recogniser trained on them; not good, but above chance."""
    root: Path = tmp_path_factory.mktemp("robustness")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLR_RAY_CACHE", str(root / "cache"))
        corpus = open_data(build_experiment({"data": EMBEDDED}, "test").data)
        write_shards(root / "poses.parquet", corpus, list(range(corpus.num_clips)))
        overrides = [*SMALL, "training.num_epochs=10", "method.kind=supervised", "pool.kind=all"]
        overrides = [one for one in overrides if "num_rounds" not in one]
        data = str(root / "poses.parquet")
        train(overrides, data=data, seed=0, out=str(root / "trained"), num_threads=1)
    return root


def tried(folder: Path, out: Path, *settings: str, **options: Any) -> RobustnessRecord:
    checkpoint = str(folder / "trained/seed_0/checkpoint.pt")
    options = {"checkpoint": checkpoint, "num_threads": 1, **options}
    robustness(settings=[*settings], out=str(out), **options)
    return RobustnessRecord.model_validate_json((out / "robustness.json").read_text())


def refused(capsys: pytest.CaptureFixture[str], *given: Any, **options: Any) -> str:
    with pytest.raises(SystemExit) as ended:
        tried(*given, **options)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_a_checkpoint_is_measured_where_it_was_tested(folder: Path, tmp_path: Path) -> None:
    record = tried(folder, tmp_path / "out", *FEW)
    own = MeasuredRecord.model_validate_json((folder / "trained/seed_0/record.json").read_text())
    clean = record.clean["accuracy"]
    assert (record.num_clips, clean.value) == (own.test.num_clips, own.test.accuracy)
    assert record.clean["balanced_accuracy"].value == pytest.approx(own.test.balanced_accuracy)
    assert record.clean["macro_f1"].value == pytest.approx(own.test.macro_f1)
    # Two people tell nothing of others.
    assert record.num_signers == 2
    assert clean.over_signers is None
    assert [(one.kind, one.strength) for one in record.points] == [
        ("scale", 0.5),
        ("scale", 2.0),
        ("translation", 0.3),
        ("rotation", 90.0),
        ("mirror", 1.0),
        ("frame_rate", 0.2),
    ]
    by_kind = {one.kind: one.metrics["accuracy"] for one in record.points}
    # The signing space undoes both; on its side nobody is recognised so well.
    assert by_kind["scale"].change == by_kind["translation"].change == 0
    assert by_kind["rotation"].value == pytest.approx(clean.value + by_kind["rotation"].change)
    assert by_kind["rotation"].change < 0
    answers = from_parquet((tmp_path / "out/predictions/rotation_90.parquet").read_bytes())
    assert sum(one.predicted == one.gloss for one in answers) / len(answers) == pytest.approx(
        by_kind["rotation"].value
    )
    page = (tmp_path / "out/report.html").read_text()
    assert "over signers)" not in page
    assert "Metrics on the test set by scale" in page
    assert "at rotation 90" in page


def test_of_people_enough_there_are_intervals() -> None:
    clean = [ClipPrediction(f"c{n}", f"s{n % 6}", "a", ("a",), 0.5) for n in range(60)]
    worse = [ClipPrediction(f"c{n}", f"s{n % 6}", "a", ("ab"[n % 6 > 3],), 0.5) for n in range(60)]
    assert clean_scores(clean)["accuracy"].over_signers == Span(low=1.0, high=1.0, num_draws=2000)
    found = point(Perturbation("rotation", 90.0), worse, clean).metrics["accuracy"]
    assert found.value == pytest.approx(2 / 3)
    assert found.over_signers is not None
    assert found.change_over_signers is not None
    assert found.over_signers.low < 2 / 3 < found.over_signers.high
    assert found.change_over_signers.low == pytest.approx(found.over_signers.low - 1)


def test_more_strengths_are_added_and_nothing_is_done_twice(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    first = tried(folder, out, *FEW)
    answers = out / "predictions/rotation_90.parquet"
    before = answers.stat().st_mtime_ns
    again = tried(folder, out, *FEW, "rotation=[90,180]", "scale=[]")
    assert answers.stat().st_mtime_ns == before
    kept = [one for one in first.points if one.kind != "scale"]
    assert [one for one in again.points if one.strength != 180] == kept
    assert "holds another robustness (other seed)" in refused(capsys, folder, out, *FEW, "seed=1")


def test_only_clips_that_it_never_saw_are_measured(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = folder / "trained/seed_0/checkpoint.pt"
    examinee = open_examinee(str(checkpoint))
    moved = tmp_path / "moved.parquet"
    moved.write_bytes((folder / "poses.parquet").read_bytes())
    there = open_examinee(str(checkpoint), str(moved))
    assert there.clips.tolist() == examinee.clips.tolist()
    fewer = tmp_path / "fewer.parquet"
    write_shards(fewer, examinee.corpus, list(range(0, examinee.corpus.num_clips, 2)))
    told = refused(capsys, folder, tmp_path / "out", *FEW, data=str(fewer))
    assert "was trained on other clips than those of fewer" in told
    content = loads(checkpoint.read_bytes())
    other = tmp_path / "other.pt"
    other.write_bytes(dumps({**content, "split": "another"}))
    told = refused(capsys, folder, tmp_path / "out", *FEW, checkpoint=str(other))
    assert "was trained on another split of poses" in told
    # Checkpoints of earlier versions do not say.
    other.write_bytes(dumps({name: one for name, one in content.items() if name != "split"}))
    assert load_recogniser(str(other)).split is None
    assert open_examinee(str(other)).clips.tolist() == examinee.clips.tolist()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["blur=[1]"], "blur: no such field; there are dropped_frames, dropped_joints"),
        (["scale=[0]"], "scale.0: Input should be greater than 0"),
        ([f"{one.split('=')[0]}=[]" for one in (*FEW, "x")][:-1], "every kind of perturbation"),
    ],
)
def test_settings_that_can_not_be_are_named(
    settings: list[str],
    words: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert words in refused(capsys, folder, tmp_path / "out", *settings)


def test_the_embedded_corpus_lies_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [f"data.{name}={value}" for name, value in EMBEDDED.items() if name != "kind"]
    train([*SMALL, *data], seed=0, out=str(tmp_path / "trained"), num_threads=1)
    assert "leave it out" in refused(capsys, tmp_path, tmp_path / "out", *FEW, data="poses")
    capsys.readouterr()
    tried(tmp_path, tmp_path / "out", *FEW)
    assert "test clips of 4 of 4 glosses of embedded" in printed(capsys)
    assert json.loads((tmp_path / "out/claim.json").read_text())["command"] == "robustness"
