"""A kept statement answers what SQLAlchemy answers, and raises what it raises."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Insert,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Update,
    bindparam,
    create_engine,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, InvalidRequestError, MultipleResultsFound, NoResultFound, StatementError
from sqlalchemy.pool import StaticPool

from subgraphs.kit.prepared import Answer, is_kept, kept, one_of, prepared

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("data", JSON),
    Column("listed", Boolean),
    Column("version", Integer, nullable=False, server_default="1"),
)
STAMPED = Table(
    "stamped",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("made", Text, default="made"),
    Column("changed", Text, onupdate="changed"),
)
ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "投影仪", "data": {"尺寸": [1, 2]}, "listed": True},
    {"id": 2, "name": "会议桌", "data": None, "listed": None},
    {"id": 3, "name": "", "data": "text", "listed": False},
]
BY_NAME = kept(select(THINGS).where(THINGS.c.name == bindparam("name")).order_by(THINGS.c.id))
ALL = kept(select(THINGS).order_by(THINGS.c.id))


class Sides:
    """The same file by SQLAlchemy and by kept statements."""

    def __init__(self) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None)
        self.engine = create_engine("sqlite://", creator=lambda: self.raw, poolclass=StaticPool)
        THINGS.metadata.create_all(self.engine)

    def kept(self, statement: Select[Any] | Insert | Update, given: Any, *columns: str) -> Answer:
        return prepared(statement, columns or None, self.engine.dialect).execute(self.raw, given)

    def plainly(self, statement: Select[Any] | Insert | Update, given: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(statement, given).mappings()]


@pytest.fixture
def sides() -> Iterator[Sides]:
    sides = Sides()
    yield sides
    sides.engine.dispose()
    sides.raw.close()


def _add(sides: Sides) -> None:
    sides.kept(kept(insert(THINGS)), ROWS, "id", "name", "data", "listed")


def test_values_are_kept_as_sqlalchemy_keeps_them(sides: Sides) -> None:
    _add(sides)
    mine = sides.raw.execute("SELECT * FROM things ORDER BY id").fetchall()
    sides.raw.execute("DELETE FROM things")
    with sides.engine.connect() as connection:
        connection.execute(insert(THINGS), ROWS)
    assert mine == sides.raw.execute("SELECT * FROM things ORDER BY id").fetchall()


def test_rows_are_those_of_sqlalchemy_by_name_and_by_attribute(sides: Sides) -> None:
    _add(sides)
    assert [dict(row) for row in sides.kept(ALL, {}).mappings()] == sides.plainly(ALL, {})
    assert [row.data for row in sides.kept(ALL, {})] == [{"尺寸": [1, 2]}, None, "text"]
    assert [dict(row) for row in sides.kept(BY_NAME, {"name": "投影仪"}).mappings()] == sides.plainly(
        BY_NAME, {"name": "投影仪"}
    )
    assert sides.kept(BY_NAME, {"name": "没有"}).mappings().first() is None


def test_columns_may_be_expressions_with_labels(sides: Sides) -> None:
    _add(sides)
    doubled = kept(select((THINGS.c.id * 2).label("doubled"), THINGS.c.listed).order_by(THINGS.c.id))
    assert [tuple(row) for row in sides.kept(doubled, {})] == [(2, True), (4, None), (6, False)]


def test_values_that_stand_in_the_statement_are_its_own(sides: Sides) -> None:
    _add(sides)
    counted = kept(
        update(THINGS)
        .where(or_(THINGS.c.id == bindparam("first"), THINGS.c.id == 2))
        .values(version=THINGS.c.version + 1, name=bindparam("new"))
    )
    assert sides.kept(counted, {"first": 1, "new": "新"}).rowcount == 2
    assert [(row.name, row.version) for row in sides.kept(ALL, {})] == [("新", 2), ("新", 2), ("", 1)]


def test_a_refusal_of_the_store_is_sqlalchemys(sides: Sides) -> None:
    _add(sides)
    with pytest.raises(IntegrityError, match="UNIQUE constraint failed"):
        _add(sides)


def test_a_value_that_is_not_given_is_an_error_and_not_null(sides: Sides) -> None:
    with pytest.raises(StatementError, match="'name'"):
        sides.kept(BY_NAME, {})


def test_a_value_that_its_type_refuses_is_an_error_of_sqlalchemys(sides: Sides) -> None:
    with pytest.raises(StatementError):
        sides.kept(kept(insert(THINGS)), {"id": 1, "name": "", "data": {1j}}, "id", "name", "data")
    assert sides.plainly(ALL, {}) == []


def test_a_list_of_values_cannot_be_made_ready_once(sides: Sides) -> None:
    listed = kept(select(THINGS).where(THINGS.c.id.in_(bindparam("ids", expanding=True))))
    with pytest.raises(InvalidRequestError, match="made ready"):
        sides.kept(listed, {"ids": [1]})


@pytest.mark.parametrize(
    "statement",
    [
        insert(STAMPED).values(id=1),
        update(STAMPED).values(id=bindparam("other")),
        insert(THINGS).values(id=1, name="").returning(THINGS.c.id),
        select(THINGS).where(THINGS.c.id == bindparam("now", callable_=lambda: 1)),
        select(THINGS.c.id, STAMPED.c.id),
    ],
    ids=["default", "onupdate", "returning", "callable", "one name twice"],
)
def test_nor_can_what_sqlalchemy_works_on_each_time(sides: Sides, statement: Any) -> None:
    with pytest.raises(InvalidRequestError):
        sides.kept(kept(statement), {"other": 2})


def test_a_constant_list_is_kept_as_conditions(sides: Sides) -> None:
    _add(sides)
    chosen = select(THINGS.c.id).where(one_of(THINGS.c.id, (1, 3))).order_by(THINGS.c.id)
    assert [row.id for row in sides.kept(kept(chosen), {})] == [1, 3]
    assert sides.kept(kept(select(THINGS.c.id).where(one_of(THINGS.c.id, ()))), {}).mappings().all() == []


def test_exactly_one_row_is_asked_for_as_sqlalchemy_does(sides: Sides) -> None:
    _add(sides)
    assert sides.kept(BY_NAME, {"name": "会议桌"}).mappings().one()["id"] == 2
    with pytest.raises(NoResultFound):
        sides.kept(BY_NAME, {"name": "没有"}).mappings().one()
    with pytest.raises(MultipleResultsFound):
        sides.kept(ALL, {}).mappings().one()


def test_only_what_is_kept_is_known_as_such() -> None:
    assert is_kept(BY_NAME)
    assert not is_kept(select(THINGS))
    assert is_kept(BY_NAME.with_for_update())
