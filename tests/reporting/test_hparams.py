"""TensorBoard's HParams as its own server tells them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import record_factory as factory
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.backend_context import Context
from tensorboard.plugins.hparams.list_session_groups import Handler

from slr_ray.records.run_folder import RunFolder
from slr_ray.reporting.board import board_folder
from slr_ray.reporting.hparams import write_review, write_search_columns
from slr_ray.reporting.run import load_run
from slr_ray.search.listeners import BoardListener


def shown(folder: RunFolder) -> tuple[Any, dict[str, Any]]:
    """The experiment, columns in the order of the page, and rows by name."""
    logs = str(board_folder(folder.store))
    multiplexer = EventMultiplexer().AddRunsFromDirectory(logs).Reload()
    provider = MultiplexerDataProvider(multiplexer, logs)
    context = Context(SimpleNamespace(data_provider=provider))
    asked = RequestContext()
    found = context.hparams_metadata(asked, "")
    columns = context.experiment_from_metadata(asked, "", True, found, [])
    every = [api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE]
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=100, allowed_statuses=every, include_metrics=True
    )
    request.aggregation_type = api_pb2.AGGREGATION_AVG
    for one in columns.metric_infos:
        request.col_params.add(metric=one.name)
    rows = Handler(asked, context, "", request).run().session_groups
    return columns, {one.name: one for one in rows}


def figures_of(row: Any) -> dict[str, float]:
    return {one.name.tag: one.value for one in row.metric_values}


@pytest.fixture
def ended(tmp_path: Path) -> RunFolder:
    """Eight trials, their board, and the final comparison."""
    trials = [factory.trial_record(number) for number in range(6)]
    trials += [factory.trial_record(6, "pruned"), factory.trial_record(7, "failed")]
    factory.write_run(
        str(tmp_path), factory.WIN, trials=trials, objectives=["accuracy", "num_steps"]
    )
    folder = RunFolder(str(tmp_path))
    told = BoardListener(folder, ["accuracy", "num_steps"])
    for one in trials:
        told.ended(one)
    return folder


def test_every_trial_has_a_row_with_its_status(ended: RunFolder) -> None:
    values = {"method.num_rounds": [1, 8], "training.learning_rate": [0.1]}
    write_search_columns(ended.store, values, ["accuracy", "num_steps"])
    columns, rows = shown(ended)
    assert {one.name: one.type for one in columns.hparam_infos} == {
        "status": api_pb2.DATA_TYPE_STRING,
        "method.num_rounds": api_pb2.DATA_TYPE_FLOAT64,
        "training.learning_rate": api_pb2.DATA_TYPE_FLOAT64,
    }
    statuses = {name: one.hparams["status"].string_value for name, one in rows.items()}
    assert len(rows) == 8
    assert (statuses["trial_0000"], statuses["trial_0006"]) == ("complete", "pruned")
    assert statuses["trial_0007"] == "failed"
    assert rows["trial_0007"].sessions[0].status == api_pb2.STATUS_FAILURE
    first = load_run(ended.location).trials[0]
    assert figures_of(rows["trial_0000"]) == {
        "hparam/accuracy": pytest.approx(first.value),
        "hparam/num_steps": 1200.0,
    }
    assert figures_of(rows["trial_0007"]) == {}


def test_at_the_end_what_mattered_comes_first_and_arms_have_rows(
    ended: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_search_columns(ended.store, {"training.learning_rate": [0.1]}, ["accuracy"])
    order = ["method.selection.kind", "training.learning_rate", "method.num_rounds"]
    monkeypatch.setattr(
        "slr_ray.reporting.hparams.parameter_importance", lambda _: dict.fromkeys(order, 0.3)
    )
    write_review(load_run(ended.location))
    columns, rows = shown(ended)
    differ = [one.name for one in columns.hparam_infos if one.differs]
    # TensorBoard orders them by name, and shows five.
    assert [one.name for one in columns.hparam_infos[: len(differ)]] == sorted(differ)
    assert {*order, "status"} <= set(differ)
    assert len(differ) == 5
    titles = [one.display_name for one in columns.metric_infos]
    assert titles[:3] == ["validation accuracy", "gradient steps", "test accuracy"]
    arm = rows["Fully supervised (FSL)"]
    assert len(arm.sessions) == 5
    assert figures_of(arm)["hparam/test_accuracy"] == pytest.approx(sum(factory.WIN["fsl"]) / 5)
    best = load_run(ended.location).ranked[0]
    assert (
        rows["Best trial"].hparams["method.num_rounds"].number_value
        == best.params["method.num_rounds"]
    )
    assert "method.num_rounds" not in arm.hparams


@pytest.mark.parametrize(
    ("chosen", "shown_rounds"),
    [([1, 1, 1], 1.0), ([0, 0, 2], None)],
    ids=["the same", "different ones"],
)
def test_an_arm_has_the_parameters_of_the_trial_that_every_fold_took(
    tmp_path: Path, chosen: list[int], shown_rounds: float | None
) -> None:
    trials = [
        factory.in_folds(factory.trial_record(number, params={"method.num_rounds": number}), 3)
        for number in range(3)
    ]
    best = max(trials, key=lambda one: one.value or 0.0)
    assert best.number != 1
    factory.write_run(str(tmp_path), factory.WIN, trials=trials, num_folds=3, chosen=chosen)
    write_review(load_run(str(tmp_path)))
    _, rows = shown(RunFolder(str(tmp_path)))
    titles = [title for title in rows if title.startswith("Best trial")]
    assert len(titles) == 2
    for title in titles:
        given = rows[title].hparams
        assert ("method.num_rounds" in given) is (shown_rounds is not None)
        assert shown_rounds is None or given["method.num_rounds"].number_value == shown_rounds
