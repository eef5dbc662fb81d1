"""The conformance kit is green on every store of the sample city, and red, for the right reason, on what is broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters import open_store
from adapters.kit.check import CheckOptions, check_mapping
from adapters.kit.conformance import Report, Verdict
from adapters.mapping import load_mapping
from adapters.mapping.model import Mapping
from adapters.model import Store
from contract.regions import REGIONS
from gwc.kit.holds import HOLDS_CHECK
from tests.adapters.broken import adapters as broken


@pytest.mark.parametrize("region", REGIONS)
async def test_every_sample_store_conforms(city: Path, region: str) -> None:
    mapping = load_mapping(city / "mappings" / f"{region}.toml")
    report = await check_mapping(mapping, more=(HOLDS_CHECK,), options=CheckOptions(clock=lambda: 0.0))
    assert report.is_conforming, [result for result in report.results if result.verdict is Verdict.FAIL]
    assert report.rows == report.rows_compared > 0
    skipped = {result.name for result in report.results if result.verdict is Verdict.SKIPPED}
    assert skipped == set()


@dataclass(frozen=True)
class Fault:
    make: Callable[[Store, Mapping], Store]
    check: str
    """The check that must be red."""
    where: str
    """What its first evidence must speak of."""
    expected: str
    found: str
    field: str | None = None


FAULTS = {
    "wrong collation": Fault(lambda s, m: broken.WrongCollation(s), "order", "by name ASC, row", "", "", "name"),
    "keyset off by one": Fault(lambda s, m: broken.OffByOneKeyset(s), "pages", "a walk by native key", "the row once", "0 times"),
    "lost ties": Fault(lambda s, m: broken.LostTies(s), "pages", "a walk by status ASC", "the row once", "0 times", "status"),
    "wrong totals": Fault(lambda s, m: broken.WrongTotals(s), "totals", "the number of all rows", "140", "1"),
    "null fails a negation": Fault(lambda s, m: broken.NullFailsNot(s), "filters", "not ", "the row", "no row"),
    "no null group": Fault(lambda s, m: broken.NoNullGroup(s), "groups", "(null)", " rows, quantity", "no group"),
    "a row repeated": Fault(lambda s, m: broken.RepeatsARow(s), "pages", "a walk by native key", "the row once", "2 times"),
    "a bad row dropped": Fault(lambda s, m: broken.DropsABadRow(s), "quarantine", "as the mapping read a second way", "", "140"),
    "a value invented": Fault(lambda s, m: broken.InventsAValue(s), "rows", "a row's value", "null", "1970-01-01", "acquiredOn"),
    "a secret row leaked": Fault(lambda s, m: broken.LeaksASecret(s), "secrecy", "a row whose key is not shown", "no row: secret", "listed"),
    "money as float": Fault(lambda s, m: broken.FloatMoney(s), "values", "a row's value", "money as text", ".", "originalValue"),
    "has_more untrue": Fault(lambda s, m: broken.LiesAboutMore(s), "has_more", "140 rows", "False", "True", "has_more"),
    "backward page wrong": Fault(lambda s, m: broken.BackwardFromTheFront(s), "pages backwards", "a walk backwards", "the row once", " times"),
    "mojibake": Fault(lambda s, m: broken.PassesMojibake(s), "encoding", "a row's text", "MOJIBAKE", "", "name"),
    "writes": Fault(broken.WritesToTheStore, "read-only", "the store's state", "as before", "changed"),
    "slow": Fault(lambda s, m: broken.Slow(s), "timing", "first page", "at most 300 ms", "2000 ms"),
    "any write accepted": Fault(lambda s, m: broken.AcceptsAnyWrite(s), "capabilities", "a key that does not exist", "refused", "accepted", "write"),
    "version without rest": Fault(lambda s, m: broken.RestlessVersion(s), "holds", "after its holds", "", "", "version"),
}  # fmt: skip


async def check_broken(city: Path, folder: Path, fault: Fault) -> Report:
    """A store of 140 rows with everything in it: nulls, ties, mojibake, quarantined and secret rows."""
    shutil.copytree(city / "stores", folder / "stores", ignore=lambda _, names: set(names) - {"330102.sqlite"})
    shutil.copytree(city / "mappings", folder / "mappings")
    mapping = load_mapping(folder / "mappings" / "330102.toml")
    store = fault.make(open_store(mapping), mapping)
    clock = store.clock if isinstance(store, broken.Slow) else lambda: 0.0
    return await check_mapping(mapping, store=store, more=(HOLDS_CHECK,), options=CheckOptions(clock=clock))


@pytest.mark.parametrize("name", FAULTS)
async def test_a_broken_adapter_is_red_for_the_right_reason(city: Path, tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    report = await check_broken(city, tmp_path, fault)
    assert not report.is_conforming
    result = report.result(fault.check)
    assert result.verdict is Verdict.FAIL
    assert result.remedy
    matching = [one for one in result.evidence if fault.where in one.where]
    assert matching, result.evidence
    assert any(fault.expected in (one.expected or "") and fault.found in (one.found or "") for one in matching), (
        matching
    )
    assert fault.field is None or matching[0].field == fault.field


async def test_no_evidence_shows_a_secret_key_or_a_person(city: Path, tmp_path: Path) -> None:
    report = await check_broken(city, tmp_path, FAULTS["a secret row leaked"])
    assert broken.LeaksASecret.KEY not in str(report)
    assert broken.LeaksASecret.NAME not in str(report)
