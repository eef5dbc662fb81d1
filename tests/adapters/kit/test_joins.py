"""What an asset table points at, declared or only named alike."""

from __future__ import annotations

from adapters.kit.joins import used_joins, with_joins
from adapters.kit.survey import ColumnSurvey, Reference, StoreUrl, Survey, TableSurvey


def column(name: str, *values: object) -> ColumnSurvey:
    return ColumnSurvey(name, "", samples=values)


BRANDS = TableSurvey("brands", (column("id", 7, 8), column("name", "联想", "惠普")), key=("id",))
MODELS = TableSurvey(
    "models", (column("id", 1, 2), column("name", "M430", "M254"), column("brand_id", 7, 8)), key=("id",)
)
ASSETS = TableSurvey("assets", (column("no", "A", "B", "C"), column("model_id", 2, 1, None)), key=("no",))


def survey(*tables: TableSurvey) -> Survey:
    return Survey(StoreUrl("sqlite", "x", "x"), tables)


def test_columns_two_joins_away_come_with_the_values_of_the_assets() -> None:
    wide, joins = with_joins(survey(ASSETS, MODELS, BRANDS), ASSETS)
    values = {one.name: one.samples for one in wide.columns}
    assert values["models.name"] == ("M254", "M430", None)
    assert values["brands.name"] == ("惠普", "联想", None)
    assert [(join.table, join.key, join.column) for join in joins] == [
        ("models", "id", "model_id"),
        ("brands", "id", "models.brand_id"),
    ]


def test_only_what_is_used_is_joined_and_all_that_it_stands_on() -> None:
    _, joins = with_joins(survey(ASSETS, MODELS, BRANDS), ASSETS)
    assert [join.table for join in used_joins(joins, ["no", "brands.name"])] == ["models", "brands"]
    assert [join.table for join in used_joins(joins, ["no", "models.name"])] == ["models"]
    assert used_joins(joins, ["no"]) == ()


def test_a_name_alone_joins_nothing_that_lacks_the_values() -> None:
    others = TableSurvey("models", (column("id", 90, 91), column("name", "x", "y")), key=("id",))
    assert with_joins(survey(ASSETS, others), ASSETS)[1] == ()


def test_a_foreign_key_joins_whatever_it_is_called() -> None:
    assets = TableSurvey(
        "assets", (column("no", "A"), column("x", 2)), references=(Reference(("x",), "models", ("id",)),)
    )
    (join,) = with_joins(survey(assets, MODELS), assets)[1]
    assert (join.table, join.column, join.reason) == ("models", "x", "a foreign key")
