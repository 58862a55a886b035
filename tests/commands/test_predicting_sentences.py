"""`slr_ray.train` and `slr_ray.predict` on sentences: pages, times of glosses, wrong pairings."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from clip_factory import clips_of, make_sentence
from sentence_experiments import SENTENCES

from slr_ray.poses.shard_writing import write_shard
from slr_ray.predict import predict
from slr_ray.train import train

NEW = {"extractor": "test"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    settings = [f"{name}={json.dumps(own)}" for name, own in SENTENCES.items()]
    train(settings, out=str(folder), num_threads=1)
    return folder


@pytest.fixture(scope="module")
def checkpoint(trained: Path) -> str:
    """One that speaks: as short a training says nothing but blanks."""
    content = torch.load(trained / "seed_0/checkpoint.pt", weights_only=True)
    content["model"]["fused.bias"][0] -= 20.0
    path = trained / "speaking.pt"
    torch.save(content, path)
    return str(path)


@pytest.fixture
def sentences(tmp_path: Path) -> str:
    """One whose times are known, one of which nothing is known, and one that is too long to read
    in every frame.
    """
    path = tmp_path / "sentences.parquet"
    clips = [
        make_sentence("timed", ("i", "book"), 40, times=[(2, 20), (22, 38)], text="I read."),
        make_sentence("unknown", None, 40, fps=None),
        make_sentence("long", ("i",), 500),
    ]
    write_shard(path, clips, NEW)
    return str(path)


def test_training_leaves_a_page_of_word_errors(trained: Path) -> None:
    page = (trained / "report.html").read_text()
    assert "Word errors" in page
    assert "part_streams on sentences" in page
    assert not re.search(r"accuracy|top-5", page)
    assert (trained / "figures/timeline_best.svg").exists()


def test_glosses_have_frames_and_seconds(
    checkpoint: str, sentences: str, capsys: pytest.CaptureFixture[str]
) -> None:
    predict([sentences], checkpoint=checkpoint, json_lines=True)
    told = capsys.readouterr()
    timed, unknown, long = map(json.loads, told.out.splitlines())
    assert timed["glosses"] == ["i", "book"]
    assert unknown["glosses"] is None
    assert timed["predicted"]
    end = 0
    for one in timed["predicted"]:
        assert end <= one["start"] <= one["spike"] < one["end"] <= 40
        assert one["start_s"] == pytest.approx(one["start"] / 25)
        end = one["end"]
    assert all("start_s" not in one for one in unknown["predicted"])
    assert long["predicted"][-1]["end"] > 400
    assert "long has 500 frames, of which the model reads 400" in told.err
    assert "does not know 2 of the 2 glosses" in told.err


def test_the_table_has_a_line_for_each_gloss(
    checkpoint: str,
    sentences: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    predict([sentences], checkpoint=checkpoint)
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["clip", "true", "glosses", "predicted", "frames", "seconds", "WER"]
    lines = [one for one in rows if re.search(r"\d+-\d+ +\d+\.\d\d-\d+\.\d\d", one)]
    assert lines
    assert "timed" in rows[0]
    assert rows[0].rstrip().endswith("%")


def test_the_page_draws_what_is_signed_when(
    checkpoint: str, sentences: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict([sentences], checkpoint=checkpoint, out=str(tmp_path / "seen"))
    page = (tmp_path / "seen/report.html").read_text()
    assert page.count("data:image/png") == 3
    assert "I read." in page
    # True lanes are drawn where times are known.
    assert page.count(">true</text>") == 1
    assert page.count(">predicted</text>") == 3
    assert str(tmp_path / "seen/report.html") in capsys.readouterr().out
    assert (tmp_path / "seen/figures/clip0.png").exists()


def test_isolated_signs_are_told(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "signs.parquet"
    write_shard(path, clips_of([("ann", "book"), ("ann", "read")], num_frames=12), NEW)
    predict([str(path)], checkpoint=checkpoint)
    assert "note: signs has isolated signs" in capsys.readouterr().err


def test_top_is_for_isolated_signs(
    checkpoint: str, sentences: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        predict([sentences], checkpoint=checkpoint, top=3)
    assert "--top is for isolated signs" in capsys.readouterr().err
