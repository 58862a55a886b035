"""`pretrain` and `train` into an object store, as machines of a cluster need it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from emulators import cloud
from experiment_factory import TINY

from slr_ray.pretrain import pretrain
from slr_ray.storage import Store
from slr_ray.train import train


def test_an_encoder_and_a_training_lie_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"preset": "modern", **TINY}))
    fresh = {name: value for name, value in TINY.items() if name not in ("initialisation", "model")}
    (tmp_path / "fresh.yaml").write_text(yaml.safe_dump({"preset": "modern", **fresh}))
    (tmp_path / "server").mkdir()
    with cloud("s3", tmp_path / "server") as there:
        encoder, out = there.uri("encoder"), there.uri("trained")
        pretrain(config=config, out=encoder, num_threads=1)
        names = set(Store(encoder).names())
        assert {"claim.json", "curves.svg", "encoder.pt", "history.json"} <= names
        assert any(one.startswith("tensorboard/pretraining/") for one in names)
        for _ in range(2):
            train(config=str(tmp_path / "fresh.yaml"), init=encoder, out=out, num_threads=1)
        assert "seed_0/record.json" in set(Store(out).names())
        printed = "".join(capsys.readouterr())
        assert "***@bucket/encoder/encoder.pt" in printed
        assert not any(secret in printed for secret in there.secrets)
