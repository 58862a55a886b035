"""TensorBoard's HParams: a row for each trial and for each arm, and columns that matter first.

TensorBoard shows five parameters at first: those that are marked to differ, by name. So the marks
go to what matters most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

from slr_ray.errors import DataError
from slr_ray.records.goals import TITLES, figures
from slr_ray.records.runs import TrialRecord
from slr_ray.reporting.board import Board
from slr_ray.reporting.importance import parameter_importance, parameter_names
from slr_ray.reporting.run import Run
from slr_ray.reporting.sentences.pictures import write_timelines
from slr_ray.reporting.trials.winners import taken
from slr_ray.storage import Store

_STATUS = "status"
"""The column that says how a trial ended, or which arm a row is."""
_NUM_SHOWN = 5
_COLUMNS = "columns"
_TEST = ("accuracy", "balanced_accuracy", "macro_f1")


def write_trial(board: Board, record: TrialRecord, goals: Sequence[str]) -> None:
    """The row of a trial that ended: searched values, status, and its figures of `goals`, of which
    the first is the metric.
    """
    found = figures(record)
    values = {name: found[name] for name in _shown(goals) if name in found}
    if record.value is not None:
        values[goals[0]] = record.value
    last = max((len(seed.rounds) for seed in record.seeds), default=1) - 1
    failed = record.status == "failed"
    write_row(board, {**record.params, _STATUS: record.status}, values, last, failed=failed)


def write_columns(
    store: Store, values: Mapping[str, Sequence[Any]], titles: Mapping[str, str], *, keep: bool
) -> None:
    """Say which columns there are: parameters with some of their values, those that matter first,
    and figures by name.

    With `keep` also behind a URI.
    """
    shown = list(values)[:_NUM_SHOWN]
    parameters = [
        api_pb2.HParamInfo(name=name, type=_type_of(some), differs=name in shown)
        for name, some in values.items()
    ]
    figures_of_rows = [
        api_pb2.MetricInfo(name=api_pb2.MetricName(tag=_tag(name)), display_name=title)
        for name, title in titles.items()
    ]
    experiment = api_pb2.Experiment(hparam_infos=parameters, metric_infos=figures_of_rows)
    board = Board(store, _COLUMNS, afresh=True)
    _add(board, metadata.EXPERIMENT_TAG, experiment=experiment)
    if keep:
        board.close()
    else:
        board.writer.close()


def write_search_columns(
    store: Store, values: Mapping[str, Sequence[Any]], goals: Sequence[str], *, keep: bool = False
) -> None:
    """Those of a search: status, parameters, `goals` on validation, and test figures of arms."""
    titles = {name: f"validation {TITLES[name]}" for name in goals[:1]}
    titles |= {name: TITLES[name] for name in _shown(goals)[1:]}
    titles |= {f"test_{name}": f"test {TITLES[name]}" for name in _tested(goals)}
    write_columns(store, {_STATUS: [""], **values}, titles, keep=keep)


def write_review(run: Run) -> None:
    """When a run has ended: columns by what mattered, and a row for each arm over its seeds."""
    try:
        order = list(parameter_importance(run))
    except DataError:
        # The report says so.
        order = []
    names = [*order, *(one for one in parameter_names(run.trials) if one not in order)]
    values = {
        name: [one.params[name] for one in run.trials if name in one.params] for name in names
    }
    goals = [run.metric, *run.also_shown]
    write_search_columns(run.folder.store, values, goals, keep=True)
    trials = {one.number: one for one in taken(run).values()}
    # Figures over folds that took different trials are those of no one setting.
    best = next(iter(trials.values())).params if len(trials) == 1 else {}
    for one in run.arms:
        title = run.titles[one.arm]
        # Both are the best trial's setting.
        params = best if one.arm in ("sslr_best", "sslr_last") else {}
        measured = {f"test_{name}": getattr(one.test, name) for name in _tested(goals)}
        measured |= {name: getattr(one.validation, name) for name in _shown([run.metric])}
        with Board(run.folder.store, f"arms/{one.arm}/seed_{one.seed}", afresh=True) as board:
            write_row(board, {**params, _STATUS: title}, measured, 0, group=title)
            if run.of_sentences:
                write_timelines(board, run.answers[one.arm, one.seed])


def write_row(
    board: Board,
    params: Mapping[str, Any],
    values: Mapping[str, float],
    step: int,
    *,
    failed: bool = False,
    group: str = "",
) -> None:
    """A row; those of a group, the seeds of an arm, are shown as one: their mean."""
    begun = plugin_data_pb2.SessionStartInfo(group_name=group)
    for name, value in params.items():
        if isinstance(value, bool):
            begun.hparams[name].bool_value = value
        elif isinstance(value, int | float):
            begun.hparams[name].number_value = value
        else:
            begun.hparams[name].string_value = str(value)
    status = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
    ended = plugin_data_pb2.SessionEndInfo(status=status)
    _add(board, metadata.SESSION_START_INFO_TAG, session_start_info=begun)
    _add(board, metadata.SESSION_END_INFO_TAG, session_end_info=ended)
    for name, value in values.items():
        board.writer.add_scalar(_tag(name), value, step)


def _shown(goals: Sequence[str]) -> list[str]:
    """The figures of a trial: WER beside 1 - WER, which only a search needs."""
    return list(dict.fromkeys([*goals, *(["wer"] if "gloss_accuracy" in goals else [])]))


def _tested(goals: Sequence[str]) -> tuple[str, ...]:
    """The test figures of arms."""
    return ("wer",) if "wer" in _shown(goals) else _TEST


def _add(board: Board, tag: str, **content: Any) -> None:
    """Put one of the plugin's messages into the file, where TensorBoard looks: beside the tag."""
    packed = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **content)
    about = SummaryMetadata.PluginData(
        plugin_name=metadata.PLUGIN_NAME, content=packed.SerializeToString()
    )
    told = Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=about))
    board.writer.file_writer.add_summary(Summary(value=[told]))


def _tag(name: str) -> str:
    return f"hparam/{name}"


def _type_of(values: Sequence[Any]) -> int:
    if all(isinstance(one, bool) for one in values):
        return int(api_pb2.DATA_TYPE_BOOL)
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return int(api_pb2.DATA_TYPE_FLOAT64)
    return int(api_pb2.DATA_TYPE_STRING)
