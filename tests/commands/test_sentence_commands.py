"""Commands for isolated signs name continuous signing, and what to do, before any work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from clip_factory import sentences_of
from experiment_factory import EMBEDDED, SMALL

from slr_ray.boundary import boundary
from slr_ray.poses.shard_writing import write_shard
from slr_ray.predict import predict
from slr_ray.pretrain import pretrain
from slr_ray.train import train


@pytest.fixture
def sentences(tmp_path: Path) -> str:
    """Of one signer: no split would do either."""
    path = tmp_path / "sentences.parquet"
    write_shard(path, sentences_of([("ann", None), ("ann", "abc")]), {"extractor": "test"})
    return str(path)


@pytest.mark.parametrize("command", [train, pretrain, boundary])
def test_sentences_are_refused(
    command: Callable[..., None],
    sentences: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        command([], data=sentences, out=str(tmp_path / "out"))
    told = " ".join(capsys.readouterr().err.split())
    assert "sentences is continuous signing: its clip 'clip1' is a sentence of 3 glosses" in told
    assert "set task=continuous" in told
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_signs_predicts_no_sentences(
    sentences: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [f"data.{name}={value}" for name, value in EMBEDDED.items()]
    train([*SMALL, *data, "method.num_rounds=0"], out=str(tmp_path / "out"), num_threads=1)
    with pytest.raises(SystemExit):
        predict([sentences], checkpoint=str(tmp_path / "out/seed_0/checkpoint.pt"))
    told = " ".join(capsys.readouterr().err.split())
    assert "use a checkpoint of task=continuous" in told
