"""A table's file: shipped ones can be built, wrong ones say what is wrong, overrides fit."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from sweep_factory import TABLE, new_sweep

from slr_ray.config import build
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import pretraining_of
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.sweeps.table import Table
from slr_ray.sweeps.table_file import check_table, find_table, load_table, tables

ELSEWHERE = {"initialisation": {"clips": "extra", "extra_data": ["other.parquet"]}}
SHIPPED = pytest.mark.parametrize("name", tables())


@SHIPPED
def test_a_shipped_table_is_checked_and_says_what_is_like_the_paper(name: str) -> None:
    checked = load_table(name, {}, Opener())
    table = checked.table
    assert table.name == name
    assert table.same
    assert table.different
    assert table.seeds >= 3
    for compared in table.compare:
        assert compared.of != compared.against
        # What a paper says is held against ours, not only quoted.
        assert all(claim.at is not None for claim in compared.published)
    settings = {one.name: one for one in table.settings}
    assert len({one.title for one in table.settings}) == len(settings)


@SHIPPED
def test_no_two_settings_of_a_shipped_table_are_one(name: str) -> None:
    opener = Opener()
    checked = load_table(name, {}, opener)
    found = []
    for one in checked.table.settings:
        point = next(checked.table.points(one))
        sections = ELSEWHERE if checked.table.transfer else {}
        config = checked.experiment(one, point, sections, opener)
        found.append((config, one.equal_steps_to, one.measure or checked.table.measure))
    assert all(one not in found[:index] for index, one in enumerate(found))


def broken(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(TABLE), **changes}


def of_grid(grid: dict[str, Any]) -> dict[str, Any]:
    return broken(grid=grid, columns="figure", published=None)


def compared(**changes: Any) -> dict[str, Any]:
    return broken(compare=[{**TABLE["compare"][0], **changes}])


def with_setting(**changes: Any) -> dict[str, Any]:
    table = copy.deepcopy(TABLE)
    table["settings"][0].update(changes)
    return table


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (broken(columns="pool.share"), "columns: 'pool.share' is none of figure, setting"),
        (broken(figures=["speed"]), "figures: 'speed' is none of accuracy"),
        (of_grid({"pool.share": [1, 2]}), r"settings\.fsl at pool\.share=1.*no such field"),
        (of_grid({"pool.fraction": [0.1, 7.0]}), r"fsl at pool\.fraction=7\.0.*less than"),
        (broken(grid={"pool.fraction": []}), "at least 1 item"),
        (broken(grid={"pool.fraction": [0.1, 0.1]}), "name each value once"),
        (
            broken(grid={"pool.fraction": {"values": [0.1, 0.2], "names": ["few", "few"]}}),
            "name each value by a name of its own, got few, few",
        ),
        (
            {name: value for name, value in TABLE.items() if name != "title"},
            "title: missing; it has no default$",
        ),
        (broken(setting={}), "setting: no such field, did you mean 'settings'"),
        (with_setting(name="sslr"), "settings: name each once"),
        (with_setting(title="SSLR"), r"settings\.fsl and settings\.sslr have one title, 'SSLR'"),
        (with_setting(equal_steps_to="other"), r"settings\.fsl: equal_steps_to is 'other'"),
        (with_setting(equal_steps_to="fsl_equal_steps"), "must be another setting"),
        (with_setting(axes=["pool.seed"]), r"axes \['pool\.seed'\] are not in the grid"),
        (with_setting(config={"method": {"kind": "guess"}}), r"settings\.fsl at.*method"),
        (broken(compare=[{"of": {"setting": "x"}, "against": {"setting": "fsl"}}]), "has no 'x'"),
        (
            broken(compare=[{"of": {"setting": "fsl"}, "against": {"pool.fraction": 0.1}}]),
            "of and against name the same things",
        ),
        (
            broken(compare=[{"of": {"setting": "neighbours"}, "against": {"setting": "fsl"}}]),
            "compare: 'fsl' goes along pool.fraction and 'neighbours' does not",
        ),
        (compared(figures=["speed"]), "figures: 'speed' is none of accuracy"),
        (
            compared(published={"says": "so", "at": "every", "figure": "speed"}),
            "figures: 'speed' is none of accuracy",
        ),
        (
            compared(published={"says": "so", "where": {"pool.fraction": [0.7]}}),
            r"compare\.published\.where: pool\.fraction has no 0\.7",
        ),
    ],
)
def test_what_is_wrong_is_named(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        check_table(table, "mine.yaml", {}, Opener())
    assert "mine.yaml" in str(raised.value)


def test_what_is_wrong_between_fields_is_told_without_the_whole_section() -> None:
    with pytest.raises(ConfigError, match=r"^pool\.fraction: name each value once$"):
        build(Table, TABLE, "mine.yaml").narrowed({"pool.fraction": [0.2, 0.2]})


def test_a_table_is_found_by_name_or_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(TABLE))
    assert load_table(str(path), {}, Opener()).table == Table.model_validate(TABLE)
    with pytest.raises(ConfigError, match="did you mean 'sslr_fractions'"):
        find_table("sslr_fraction")
    with pytest.raises(ConfigError, match="no such table file"):
        find_table("there/is/none.yaml")


class TestOverrides:
    """They go where they have a meaning, and never where they would undo what a table is about."""

    def configs(self, tmp_path: Path, **overrides: Any) -> dict[str, Any]:
        sweep = new_sweep(tmp_path, overrides=overrides, seeds=1)
        return {one.name: one.config for one in sweep.plan.cells.values()}

    def test_of_a_path_of_the_grid_they_are_its_values(self, tmp_path: Path) -> None:
        sweep = new_sweep(tmp_path, overrides={"pool.fraction": 0.2}, seeds=1)
        assert {one.pool.fraction for one in self.pools(sweep)} == {0.2}

    @staticmethod
    def pools(sweep: Any) -> list[Any]:
        configs = [one.config for one in sweep.plan.cells.values()]
        return [one for one in configs if one.pool.kind == "fraction"]

    def test_every_setting_that_has_the_field_takes_it(self, tmp_path: Path) -> None:
        overrides = {"method.num_rounds": 3, "training.mixup": 0.1}
        sweep = new_sweep(tmp_path, overrides=overrides, seeds=1)
        configs = [one.config for one in sweep.plan.cells.values()]
        assert {one.training.mixup for one in configs} == {0.1}
        methods = [one.method for one in configs if isinstance(one.method, SslrConfig)]
        assert len(methods) == 2
        assert {one.num_rounds for one in methods} == {3}

    def test_a_kind_comes_before_the_fields_that_it_has(self, tmp_path: Path) -> None:
        overrides = {"model.hidden": 24, "model.kind": "spoter", "model.num_heads": 2}
        sweep = new_sweep(tmp_path, broken(base={"data": TABLE["base"]["data"]}), overrides)
        models = {one.config.model for one in sweep.plan.cells.values()}
        assert {(one.kind, one.hidden) for one in models} == {("spoter", 24)}

    def test_what_settings_differ_in_stays(self, tmp_path: Path) -> None:
        table = with_setting(config={"method": {"kind": "supervised"}, "training": {"mixup": 0.0}})
        sweep = new_sweep(tmp_path, table, {"training.mixup": 0.3}, seeds=1)
        found = {one.label.split("/")[1]: one.config for one in sweep.plan.cells.values()}
        assert found["fsl"].training.mixup == 0.0
        assert found["sslr"].training.mixup == 0.3

    def test_epochs_count_over_steps_except_where_settings_differ_in_these(
        self, tmp_path: Path
    ) -> None:
        section = {"kind": "pretraining", "num_steps": 5}
        base = {**TABLE["base"], "preset": "ssl_slr_small", "model": {}}
        overrides = {"initialisation.num_epochs": 2}
        table = broken(base={**base, "initialisation": section})
        sweep = new_sweep(tmp_path / "a", table, overrides, seeds=1)
        found = {one.config.initialisation.num_steps for one in sweep.plan.cells.values()}
        assert found == {None}
        longer = {"method": {"kind": "supervised"}, "initialisation": {"num_steps": 9}}
        table = {**with_setting(config=longer), "base": {**base, "initialisation": section}}
        sweep = new_sweep(tmp_path / "b", table, overrides, seeds=1)
        configs = {one.label.split("/")[1]: one.config for one in sweep.plan.cells.values()}
        counted = {name: one.initialisation.num_steps for name, one in configs.items()}
        assert (counted["fsl"], counted["sslr"]) == (9, None)

    def test_steps_of_the_grid_stay(self) -> None:
        grid = {"initialisation.num_steps": {"title": "steps", "values": [5, 9]}}
        base = {**TABLE["base"], "preset": "ssl_slr_small", "model": {}}
        overrides, opener = {"initialisation.num_epochs": 3}, Opener()
        checked = check_table({**of_grid(grid), "base": base}, "tiny.yaml", overrides, opener)
        setting = checked.table.settings[0]
        points = checked.table.points(setting)
        configs = [checked.experiment(setting, point, {}, opener) for point in points]
        assert [pretraining_of(one).num_steps for one in configs] == [5, 9]

    def test_a_layer_with_epochs_and_steps_is_refused(self) -> None:
        both = {"kind": "pretraining", "num_epochs": 1, "num_steps": 5}
        table = broken(base={**TABLE["base"], "initialisation": both})
        with pytest.raises(ConfigError, match=r"tiny\.yaml: give num_epochs or num_steps"):
            check_table(table, "tiny.yaml", {}, Opener())

    def test_one_that_nobody_takes_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"method\.rounds: no setting of tiny takes it"):
            check_table(TABLE, "tiny.yaml", {"method.rounds": 3}, Opener())
