"""A signed URL is for one file, one method, one person and some minutes."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from contract.identity import InvalidToken, TokenIssuer, TokenVerifier, generate_key_pair
from overlay.files.tickets import InvalidTicket, Ticket, TicketOffice
from tests.overlay.city import CLERK, INTERNAL, ManualClock

LIFE = timedelta(minutes=5)


def office(clock: ManualClock, public_url: str = "") -> TicketOffice:
    return TicketOffice(*INTERNAL, clock, public_url)


def token_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["ticket"][0]


def test_a_ticket_is_read_as_it_was_signed(clock: ManualClock) -> None:
    ticket = Ticket("GET", "f1", CLERK)
    link = office(clock).link("f1", ticket, LIFE)
    assert link.url.startswith("/files/f1?ticket=")
    assert office(clock).read(token_of(link.url), "GET", "f1") == ticket


def test_links_begin_with_the_citys_address_where_it_has_one(clock: ManualClock) -> None:
    link = office(clock, "https://gwc.example/").link("f 1", Ticket("GET", "f 1", CLERK), LIFE)
    assert link.url.startswith("https://gwc.example/files/f%201?ticket=")


def test_a_ticket_is_good_for_what_it_was_signed_for_only(clock: ManualClock) -> None:
    token = token_of(office(clock).link("f1", Ticket("GET", "f1", CLERK), LIFE).url)
    for method, subject in (("PUT", "f1"), ("GET", "f2"), ("PRINT", "f1")):
        with pytest.raises(InvalidTicket):
            office(clock).read(token, method, subject)


def test_a_ticket_expires(clock: ManualClock) -> None:
    token = token_of(office(clock).link("f1", Ticket("GET", "f1", CLERK), LIFE).url)
    clock.advance(minutes=4, seconds=58)
    office(clock).read(token, "GET", "f1")
    clock.advance(seconds=3)
    with pytest.raises(InvalidTicket, match="expired"):
        office(clock).read(token, "GET", "f1")


def test_forged_tickets_are_refused(clock: ManualClock) -> None:
    token = token_of(office(clock).link("f1", Ticket("GET", "f1", CLERK), LIFE).url)
    head, body, signature = token.split(".")
    stranger = TicketOffice(*generate_key_pair(), clock)
    foreign = token_of(stranger.link("f1", Ticket("GET", "f1", CLERK), LIFE).url)
    for forged in ("", "x", f"{head}.{body}.", f"{head}.{body[:-2]}.{signature}", foreign, "a" * 5000):
        with pytest.raises(InvalidTicket):
            office(clock).read(forged, "GET", "f1")


def test_a_ticket_is_no_token_and_a_token_no_ticket(clock: ManualClock) -> None:
    """Both are signed with one key: neither may open the other's door."""
    ticket = token_of(office(clock).link("f1", Ticket("GET", "f1", CLERK), LIFE).url)
    with pytest.raises(InvalidToken):
        TokenVerifier(INTERNAL[1]).verify(ticket)
    with pytest.raises(InvalidTicket):
        office(clock).read(TokenIssuer(INTERNAL[0]).issue(CLERK), "GET", "f1")
