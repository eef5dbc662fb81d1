"""The forms that differ by engine and are no golden statement: how many values, and what is done beyond."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from adapters.model import StoreUnsupported
from adapters.sql.dialects import parameters_max
from adapters.sql.reader import write_statement
from adapters.status import ReasonCode
from tests.adapters.sql.golden import ENGINES, on_paper


@pytest.mark.parametrize("engine", ENGINES)
def test_a_statement_with_too_many_values_is_refused(engine: str) -> None:
    dialect = on_paper(engine)
    most = parameters_max(dialect)
    column = sa.column("id", sa.Integer)

    def written(values: int) -> int:
        statement = sa.select(column).where(column.in_(range(values)))
        found = write_statement(statement, dialect)
        return len(found.names) or len(found.constants)

    assert written(1_000) == 1_000
    with pytest.raises(StoreUnsupported, match=f"{most + 1} values, .* takes {most}") as caught:
        written(most + 1)
    assert caught.value.reason is ReasonCode.VALUE
