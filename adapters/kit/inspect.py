"""Look into a strange store: `await inspect_store(url, budget)` gives a `Survey`."""

from __future__ import annotations

import asyncio

from adapters.kit.look_files import look_into_csv, look_into_workbook
from adapters.kit.look_mongo import look_into_mongo
from adapters.kit.look_sql import look_into_sql
from adapters.kit.survey import Budget, StoreUrl, Survey, SurveyError

__all__ = ["inspect_store"]


async def inspect_store(url: StoreUrl, budget: Budget) -> Survey:
    """Raises `SurveyError` where the store cannot be looked at, or holds no table at all."""
    if url.engine == "csv":
        tables = await asyncio.to_thread(look_into_csv, url, budget)
    elif url.engine == "xlsx":
        tables = await asyncio.to_thread(look_into_workbook, url, budget)
    elif url.engine == "mongodb":
        tables = await look_into_mongo(url, budget)
    else:
        tables = await look_into_sql(url, budget)
    budget.progress("", len(tables), len(tables))
    if not tables:
        raise SurveyError(
            "the store has no table that this account can see", "check database and rights of the account"
        )
    return Survey(url, tuple(tables), tuple(budget.notes))
