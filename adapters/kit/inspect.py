"""Look into a strange store: `await inspect_store(url, budget)` gives a `Survey`.

Each kind of store is looked into by a module of its own, loaded when it is needed: a driver that is not installed costs
only the stores that need it.
"""

from __future__ import annotations

from adapters.kinds import missing_driver
from adapters.kit.survey import Budget, StoreUrl, Survey, SurveyError, TableSurvey
from adapters.mapping.model import CSV, JSONL, MONGODB, XLSX

__all__ = ["inspect_store"]


async def inspect_store(url: StoreUrl, budget: Budget) -> Survey:
    """Raises `SurveyError` where the store cannot be looked at, or holds no table at all."""
    try:
        tables = await _look(url, budget)
    except ImportError as error:
        raise SurveyError(str(missing_driver(url.engine.removeprefix("other:"), error.name))) from None
    budget.progress("", len(tables), len(tables))
    if not tables:
        raise SurveyError(
            "the store has no table that this account can see", "check database and rights of the account"
        )
    return Survey(url, tuple(tables), tuple(budget.notes))


async def _look(url: StoreUrl, budget: Budget) -> list[TableSurvey]:
    if url.engine in (CSV, XLSX):
        from adapters.kit.look_files import look_into_files

        return await look_into_files(url, budget)
    if url.engine == JSONL:
        from adapters.kit.look_lines import look_into_lines

        return await look_into_lines(url, budget)
    if url.engine == MONGODB:
        from adapters.kit.look_mongo import look_into_mongo

        return await look_into_mongo(url, budget)
    from adapters.kit.look_sql import look_into_sql

    return await look_into_sql(url, budget)
