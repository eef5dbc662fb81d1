"""Prints by link, and papers that are checked by their code."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.overlay.city import CLERK, HEAD, LENDING, RIVAL, City, ManualClock
from tests.overlay.files.office import Office, opened_office
from tests.overlay.prints.test_pdf import texts_of
from tests.overlay.test_api import command

LINK = "query Q($id: ID!, $kind: PrintKind!) { order(id: $id) { number print(kind: $kind) { kind url expiresAt } } }"


@pytest.fixture
async def office(url: str, city: City, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Office]:
    async with opened_office(url, city, clock, tmp_path / "files") as opened:
        yield opened


async def printed(office: Office, order: str, by: object = CLERK) -> str:
    shown = (await office.api.data(LINK, by, id=order, kind="APPLICATION"))["order"]  # type: ignore[arg-type]
    got = await office.get(shown["print"]["url"])
    assert (got.status, got.headers["content-type"]) == (200, "application/pdf")
    assert unquote(got.headers["content-disposition"]).endswith(f"公物仓借用申请单_{shown['number']}.pdf")
    return "".join(texts_of(got.body))


async def test_a_print_is_made_by_the_rights_of_who_asks(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    assert "clerk" in await printed(office, order, HEAD)
    assert "clerk" not in await printed(office, order, LENDING)
    assert (await office.api.data(LINK, RIVAL, id=order, kind="APPLICATION"))["order"] is None


async def test_an_order_has_the_prints_of_its_state(office: Office, city: City) -> None:
    order = await office.order(city.add_asset("p1"))
    for kind in ("HANDOVER", "RETURN"):
        assert (await office.api.data(LINK, CLERK, id=order, kind=kind))["order"]["print"] is None


async def test_a_paper_is_checked_by_its_code(office: Office, city: City, clock: ManualClock) -> None:
    order = await office.order(city.add_asset("p1"))
    found = re.search(r"[0-9a-f]{32}", await printed(office, order))
    assert found is not None
    said = (await office.get(f"/files/prints/{found[0]}")).body.decode()
    assert "GWC2026000001" in said and "申请单" in said and "此后单据无变更" in said and "4,999.00" in said
    assert "clerk" not in said
    await command(office.api, "withdrawOrder", CLERK, idempotencyKey="w", orderId=order)
    assert "此后单据已有变更" in (await office.get(f"/files/prints/{found[0]}")).body.decode()
    forged = await office.get("/files/prints/" + "0" * 32)
    assert (forged.status, "此件不实" in forged.body.decode()) == (404, True)


async def test_links_of_prints_are_for_one_print_and_some_minutes(
    office: Office, city: City, clock: ManualClock
) -> None:
    order = await office.order(city.add_asset("p1"))
    link = (await office.api.data(LINK, CLERK, id=order, kind="APPLICATION"))["order"]["print"]["url"]
    assert (await office.get(link.replace("APPLICATION", "HANDOVER"))).status == 403
    assert (await office.get(link.replace("APPLICATION", "ANYTHING"))).status == 404
    clock.advance(minutes=6)
    assert (await office.get(link)).status == 403
