"""Membership while serving: the file watched, joiners checked, members kept, a bad file told."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.execution.asgi import AsgiClient
from gateway.execution.members import Member, MemberSettings, load_members
from gwc.membership import Membership, MembershipOptions
from tests.gateway.support.ages import PublishingApp
from tests.gateway.support.library import NAMES, ROWS, MemberData, supergraph
from tests.gateway.support.serving import Faulty, crash

OPTIONS = MembershipOptions(poll_s=3600, check_s=100, recheck_s=10, fetch_s=5, grace_s=50)
NO_PAGES = {"  pages: Int\n": ""}
WRONG_PRICE = {"  price: Decimal\n": "  price: Int\n"}


class Closing(AsgiClient):
    is_closed = False

    async def close(self) -> None:
        self.is_closed = True
        await super().close()


@dataclass
class World:
    """The libraries' applications by address, a members file, and a clock that stands until it is moved."""

    file: Path
    apps: dict[str, Faulty] = field(default_factory=dict)
    now: float = 0.0
    said: list[str] = field(default_factory=list)
    joined: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        for region in NAMES:
            self.serve(f"http://{region}", region)

    def serve(self, url: str, region: str) -> PublishingApp:
        app = PublishingApp(MemberData(region, [row for row in ROWS if row.branch == region]))
        self.apps[url] = Faulty(app)
        return app

    def app(self, region: str) -> PublishingApp:
        return self.apps[f"http://{region}"].app  # type: ignore[return-value]

    def write(self, regions: str, urls: Mapping[str, str] | None = None) -> None:
        def url(region: str) -> str:
            return (urls or {}).get(region, f"http://{region}")

        self.file.write_text(
            "".join(
                f'[[groups.libraries.members]]\nregion = "{one}"\nname = "{one}"\nurls = ["{url(one)}"]\n'
                for one in regions
            )
        )

    def make(self, one: MemberSettings) -> Member:
        return Member(one.region, one.name, *(Closing(self.apps[url]) for url in one.urls))

    def say(self, line: str) -> None:
        self.said.append(line)
        if line.endswith(" joined"):
            self.joined.set()

    def open(self) -> Membership:
        return Membership(
            supergraph(), load_members(self.file), self.make, self.file, OPTIONS, self.say, lambda: self.now
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path / "members.toml")
    found.write("ens")
    return found


def roll(membership: Membership) -> dict[str, Member]:
    return {one.region: one for one in membership.groups["LIBRARIES"].now.all}


async def test_who_stays_is_the_same_and_who_moves_is_another(world: World) -> None:
    membership = world.open()
    before = roll(membership)
    world.serve("http://elsewhere", "n")
    world.write("enw", {"n": "http://elsewhere"})
    await membership.look(at_once=True)
    after = roll(membership)
    assert list(after) == ["e", "n", "w"]
    assert [line.removeprefix("group libraries: ") for line in world.said] == ["w joined", "s left", "n changed"]
    assert after["e"] is before["e"]
    assert after["n"] is not before["n"]


async def test_a_change_is_read_when_the_file_has_stood_still(world: World) -> None:
    """Who writes half of the file first must not lose the other half's members."""
    membership = world.open()
    whole = world.file.read_text()
    world.file.write_text(whole[: whole.index('[[groups.libraries.members]]\nregion = "s"')])
    await membership.look()
    assert list(roll(membership)) == ["e", "n", "s"]
    world.write("ensw")
    await membership.look()
    assert list(roll(membership)) == ["e", "n", "s"]
    await membership.look()
    assert list(roll(membership)) == ["e", "n", "s", "w"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[groups", "members.toml"),
        ("", "there is no [groups] table"),
        (
            '[[groups.others.members]]\nregion = "a"\nname = "a"\nurls = ["http://n"]',
            "no members for the group libraries",
        ),
        ('[[groups.libraries.members]]\nregion = "a"\nname = "a"', "has no URL"),
        (None, "cannot be read"),
    ],
)
async def test_a_bad_file_changes_nothing_and_is_told(world: World, text: str | None, said: str) -> None:
    membership = world.open()
    group = membership.groups["LIBRARIES"]
    before = group.now
    if text is None:
        world.file.unlink()
    else:
        world.file.write_text(text)
    await membership.look(at_once=True)
    assert group.now is before
    assert group.problem is not None and said in group.problem
    await membership.look(at_once=True)
    assert [said in line for line in world.said if "stay as they were" in line] == [True], "told, and once"
    world.write("ens")
    await membership.look(at_once=True)
    assert group.problem is None
    assert group.now.all == before.all


async def test_a_joiner_is_on_the_roll_with_its_contract(world: World) -> None:
    membership = world.open()
    world.app("w").upgrade(NO_PAGES)
    world.write("ensw")
    await membership.look(at_once=True)
    contract = roll(membership)["w"].contract
    assert contract is not None
    assert contract.lacks == {"Book.pages"}


async def test_a_joiner_that_does_not_fit_stands_on_the_roll_and_says_why(world: World) -> None:
    membership = world.open()
    world.app("w").upgrade(WRONG_PRICE)
    world.write("ensw")
    await membership.look(at_once=True)
    contract = roll(membership)["w"].contract
    assert contract is not None
    assert [one.coordinate for one in contract.errors] == ["Book.price"]
    assert any("PARTITION_MEMBER_TYPE_DIFFERS: [w] Book.price" in line for line in world.said)


async def test_a_joiner_that_is_down_is_admitted_and_looked_at_again(world: World) -> None:
    membership = world.open()
    await membership.look()
    world.apps["http://w"].fault = crash
    world.write("ensw")
    await membership.look(at_once=True)
    assert roll(membership)["w"].contract is None
    world.apps["http://w"].fault = None
    world.now += OPTIONS.recheck_s * 1.25
    await membership.look()
    assert roll(membership)["w"].contract is not None


async def test_a_member_is_upgraded_where_it_stands(world: World) -> None:
    membership = world.open()
    world.app("e").upgrade(NO_PAGES)
    await membership.look()
    member = roll(membership)["e"]
    assert member.contract is not None and member.contract.lacks == {"Book.pages"}
    world.app("e").upgrade({})
    await membership.look()
    assert member.contract.lacks == {"Book.pages"}, "not before its turn"
    world.now += OPTIONS.check_s * 1.25
    await membership.look()
    assert member.contract.lacks == frozenset()


async def test_a_member_that_cannot_be_reached_keeps_what_is_known_of_it(world: World) -> None:
    membership = world.open()
    world.app("e").upgrade(NO_PAGES)
    await membership.look()
    world.app("e").sdl = None
    world.now += OPTIONS.check_s * 1.25
    await membership.look()
    contract = roll(membership)["e"].contract
    assert contract is not None and contract.lacks == {"Book.pages"}


async def test_a_member_at_two_addresses_lacks_what_either_lacks(world: World) -> None:
    world.serve("http://second", "n").upgrade(NO_PAGES)
    world.file.write_text(
        '[[groups.libraries.members]]\nregion = "n"\nname = "n"\nurls = ["http://n", "http://second"]\n'
    )
    membership = world.open()
    await membership.look()
    contract = roll(membership)["n"].contract
    assert contract is not None and contract.lacks == {"Book.pages"}


async def test_who_left_is_closed_when_nobody_can_ask_it_any_more(world: World) -> None:
    membership = world.open()
    left = roll(membership)["s"].clients[0]
    assert isinstance(left, Closing)
    world.write("en")
    await membership.look(at_once=True)
    world.now += OPTIONS.grace_s - 1
    await membership.look()
    assert not left.is_closed
    world.now += 1
    await membership.look()
    assert left.is_closed


async def test_while_it_runs_a_hangup_makes_it_look(world: World) -> None:
    membership = world.open()
    async with membership.running():
        world.write("ensw")
        os.kill(os.getpid(), signal.SIGHUP)
        await world.joined.wait()
        assert "w" in roll(membership)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
