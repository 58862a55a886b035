"""What a cluster must have for a search, asked before and while it works; no cluster needed."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import ray
import torch

from slr_ray.errors import ClusterError, ConfigError
from slr_ray.storage import Store
from slr_ray.workers import waiting
from slr_ray.workers.execution import Workers
from slr_ray.workers.gpus import check_gpu
from slr_ray.workers.losses import UnusableNode
from slr_ray.workers.node_types import check_types
from slr_ray.workers.nodes import check_fits, check_places
from slr_ray.workers.session import check_reachable, prints_kept
from slr_ray.workers.waiting import NodeWatch

_AWS = Path(__file__).resolve().parents[2] / "cluster" / "aws.yaml"


def node(name: str = "n", *, alive: bool = True, **changes: Any) -> dict[str, Any]:
    return {
        "NodeID": name,
        "Alive": alive,
        "NodeManagerAddress": f"10.0.0.{name}",
        "NodeManagerHostname": socket.gethostname(),
        "Resources": {"CPU": 4.0, "GPU": 1.0},
        "Labels": {},
        **changes,
    }


HEAD = node("0", Resources={"memory": 1e9})


@pytest.mark.parametrize(
    ("workers", "fits"),
    [
        (Workers(1, 4.0, 1.0), True),
        (Workers(1, 4.0, 0.5), True),
        (Workers(1, 5.0), False),
        (Workers(1, 1.0, 2.0), False),
        (Workers(2, 2.0), True),
        # Two nodes have two GPUs together, one each.
        (Workers(2, 4.0, 1.0), True),
        (Workers(3, 4.0, 1.0), False),
    ],
)
def test_a_task_fits_or_not(workers: Workers, fits: bool) -> None:
    nodes = [HEAD, node("1"), node("2"), node("3", alive=False)]
    assert workers.fit_on(waiting.resources(nodes)) is fits
    if not fits:
        with pytest.raises(ConfigError, match="largest node has 4 CPU and 1 GPU"):
            check_fits(nodes, workers)


def test_a_folder_of_this_machine_is_refused_where_there_are_others() -> None:
    here, there = node("1"), node("2", NodeManagerHostname="spot-7")
    places = {"--storage": "/home/me/runs", "--data": "s3://bucket/poses"}
    check_places([here], places, may_grow=False)
    check_places([here, there], {"--data": "s3://bucket/poses"}, may_grow=True)
    with pytest.raises(ConfigError, match=r"--storage /home/me/runs.*spot-7.*--shared-storage"):
        check_places([here, there], places, may_grow=False)
    with pytest.raises(ConfigError, match="those that an autoscaler adds"):
        check_places([here], places, may_grow=True)


def test_nothing_answers_is_told_within_seconds() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    started = time.monotonic()
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
        with pytest.raises(ConfigError, match=rf"--address {address}: no cluster answers"):
            check_reachable(address)
    assert time.monotonic() - started < 30
    with pytest.raises(ConfigError, match="--address nonsense"):
        check_reachable("nonsense")


def test_a_gpu_that_torch_can_not_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check_gpu(0.0)
    with pytest.raises(UnusableNode, match=r"reserved: 0.5.*CUDA|reserved: 0.5.*no GPU"):
        check_gpu(0.5)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    check_gpu(1.0)


class Watched:
    """A watch over nodes that the test sets, at times that it sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, workers: Workers) -> None:
        self.now, self.nodes, self.infeasible = 100.0, [HEAD], False
        self.told: list[tuple[str, str]] = []
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(ray, "nodes", lambda: self.nodes)
        monkeypatch.setattr(waiting, "_is_infeasible", lambda _: self.infeasible)
        self.watch = NodeWatch(workers, lambda *said: self.told.append(said), grows=False)

    def after(self, seconds: float) -> Exception | None:
        self.now += seconds
        return self.watch.problem()


def test_waiting_has_an_end_and_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, Workers(1, 1.0, 1.0, wait_at_most_s=600.0))
    assert watched.after(0) is None
    assert watched.after(10) is None
    assert watched.after(10) is None
    ((event, line),) = watched.told
    assert event == "nodes_awaited"
    assert "asks for 1 CPU and 1 GPU, the largest node has 0 CPU and 0 GPU" in line
    # A node came, and was lost: the time begins again.
    watched.nodes = [HEAD, node("1")]
    assert watched.after(500) is None
    watched.nodes = [HEAD, node("1", alive=False, DeathReason=2, DeathReasonMessage="no beat")]
    assert watched.after(500) is None
    assert watched.told[-1] == ("node_lost", "node 10.0.0.1 was lost: no beat")
    assert watched.after(590) is None
    problem = watched.after(20)
    assert isinstance(problem, ClusterError)
    assert "1 CPU and 1 GPU" in str(problem)
    assert len(watched.told) == 3


def test_what_no_kind_of_node_has_is_refused_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, Workers(1, 1.0, 2.0))
    watched.infeasible = True
    assert watched.after(0) is None
    # Once is not enough: an autoscaler may only have begun.
    watched.infeasible = False
    assert watched.after(60) is None
    watched.infeasible = True
    assert watched.after(60) is None
    problem = watched.after(11)
    assert isinstance(problem, ClusterError)
    assert "1 CPU and 2 GPU" in str(problem)


def test_a_node_that_idled_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, Workers())
    watched.nodes = [node("1"), node("2")]
    watched.after(0)
    watched.nodes = [node("1"), node("2", alive=False, DeathReason=4)]
    watched.after(10)
    assert watched.told == []


def test_only_a_cluster_that_an_autoscaler_made_may_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, Workers())
    assert not watched.watch.may_grow()
    watched.nodes = [node(Labels={"ray.io/node-group": "gpu_spot"})]
    assert watched.watch.may_grow()


def test_a_cluster_file_is_asked_before_it_costs_money(tmp_path: Path) -> None:
    told = check_types(str(_AWS), Workers(2, 4.0, 1.0))
    assert "4 GPUs at a time" in told
    with pytest.raises(ConfigError, match=r"2 GPU.*largest kind of node has 8 CPU and 1 GPU"):
        check_types(str(_AWS), Workers(1, 1.0, 2.0))
    with pytest.raises(ConfigError, match="5 times"):
        check_types(str(_AWS), Workers(5, 4.0, 1.0))
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [")
    for file in (broken, tmp_path / "none.yaml"):
        with pytest.raises(ConfigError, match=str(file)):
            check_types(str(file), Workers())


def test_what_ray_prints_stays_out_of_the_progress(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = sys.stdout
    with prints_kept(Store(str(tmp_path / "run"))):
        print("(raylet) [state-dump] of a lost node")
        print("trial 3 is started again", file=ours)
    assert capsys.readouterr().out == "trial 3 is started again\n"
    assert "state-dump" in (tmp_path / "run" / "driver.log").read_text()
    # No file where there is nothing to read; what was there stays.
    with prints_kept(Store(str(tmp_path / "quiet"))):
        pass
    assert not list((tmp_path / "quiet").iterdir())
    with prints_kept(Store(str(tmp_path / "run"))):
        print("again")
    assert len((tmp_path / "run" / "driver.log").read_text().splitlines()) == 2
