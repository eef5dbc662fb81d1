"""A mapping's store under the kit: on real servers, larger than is compared whole, and what cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters import open_store
from adapters.kit.check import CheckOptions, check_mapping
from adapters.kit.conformance import Report, Verdict, run_checks
from adapters.mapping import load_mapping
from adapters.model import StoreUnavailable
from subgraphs.sample_city.seeding import seed_sql
from tests.adapters.broken.adapters import OffByOneKeyset
from tests.adapters.broken.wrapper import Wrapped

STILL = CheckOptions(clock=lambda: 0.0)


def verdicts(report: Report) -> dict[str, Verdict]:
    return {result.name: result.verdict for result in report.results if result.verdict is not Verdict.PASS}


async def test_postgresql_conforms(city: Path, postgres_database: str) -> None:
    await seed_sql(city, "330113", postgres_database)
    mapping = load_mapping(city / "mappings" / "330113.toml", postgres_database)
    assert verdicts(await check_mapping(mapping, options=STILL)) == {}


async def test_mariadb_conforms(city: Path, mariadb_database: str) -> None:
    await seed_sql(city, "330182", mariadb_database)
    mapping = load_mapping(city / "mappings" / "330182.toml", mariadb_database)
    assert verdicts(await check_mapping(mapping, options=STILL)) == {}


async def test_of_a_larger_store_a_sample_is_compared(city: Path) -> None:
    mapping = load_mapping(city / "mappings" / "330106.toml")
    options = replace(STILL, rows_max=100)
    report = await check_mapping(mapping, options=options)
    assert (report.rows, report.rows_compared) == (
        280,
        101 + 150,
    )  # what was read to see how large it is, and as many from its end as a sample has
    assert verdicts(report) == {"rows": Verdict.SKIPPED, "secrecy": Verdict.SKIPPED}
    assert "raise --rows" in report.result("rows").summary
    broken = await check_mapping(mapping, store=OffByOneKeyset(open_store(mapping)), options=options)
    assert broken.result("pages").verdict is Verdict.FAIL


async def test_a_store_that_stops_answering_is_not_judged(city: Path) -> None:
    class Away(Wrapped):
        async def groups(self, by, filter_):  # type: ignore[no-untyped-def]
            raise StoreUnavailable("the store did not answer in time")

    mapping = load_mapping(city / "mappings" / "330122.toml")
    with pytest.raises(StoreUnavailable):
        await check_mapping(mapping, store=Away(open_store(mapping)))


async def test_an_adapter_that_falls_over_fails_that_check_alone(city: Path) -> None:
    class Clumsy(Wrapped):
        async def groups(self, by, filter_):  # type: ignore[no-untyped-def]
            raise KeyError("a person's name")

    store = Clumsy(open_store(load_mapping(city / "mappings" / "330122.toml")))
    await store.open()
    try:
        report = await run_checks(store, clock=lambda: 0.0)
    finally:
        await store.close()
    failed = [result for result in report.results if result.verdict is Verdict.FAIL]
    assert [result.name for result in failed] == ["groups"]
    assert failed[0].evidence[0].found == "KeyError"
    assert "person" not in str(report)
