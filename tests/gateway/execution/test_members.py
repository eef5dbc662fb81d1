"""The members file, and who answers for which code."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.execution.asgi import AsgiClient
from gateway.execution.members import Member, Members, MembersInvalid, load_members, parse_members
from tests.gateway.support.serving import hang

ENTRY = '[[groups.g.members]]\nregion = "330105"\nname = "拱墅区"\n'


def member(region: str, *aliases: str) -> Member:
    async def app(scope: object, receive: object, send: object) -> None:
        await hang(None, None, None, None)  # type: ignore[arg-type]

    return Member(region, region, AsgiClient(app), aliases=aliases)


def test_the_citys_file() -> None:
    groups = load_members(Path(__file__).parents[3] / "schema" / "members.toml")
    assert len(groups["districts"]) == 14
    gongshu = next(one for one in groups["districts"] if one.region == "330105")
    assert gongshu.aliases == ("330103",)
    assert gongshu.urls == ("http://127.0.0.1:8203/graphql",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no [groups] table"),
        ("[[groups", "Expected"),
        ("[groups.g]", "groups.g has no members"),
        ('[[groups.g.members]]\nregion = "1"', "groups.g.members[0].name must be a text"),
        (ENTRY + "urls = 3", "urls must be a list of texts"),
        (ENTRY + 'required = "yes"', "required must be true or false"),
        (ENTRY + 'url = "x"', "unknown key 'url'"),
        (ENTRY + "timeout_ms = 0", "timeout_ms must be a whole number of milliseconds, at least 1"),
        (ENTRY + "timeout_ms = 1.5", "timeout_ms must be a whole number"),
        (ENTRY + "timeout_ms = true", "timeout_ms must be a whole number"),
        (ENTRY + ENTRY, "two members answer for region 330105"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(text: str, said: str) -> None:
    with pytest.raises(MembersInvalid) as caught:
        parse_members(text)
    assert said in str(caught.value)


def test_a_member_may_have_a_timeout_of_its_own() -> None:
    [own] = parse_members(ENTRY + 'urls = ["http://a", "http://b"]\ntimeout_ms = 1500')["g"]
    [usual] = parse_members(ENTRY)["g"]
    assert (own.timeout_ms, usual.timeout_ms) == (1500, None)


def test_codes_current_and_retired() -> None:
    roll = Members([member("3"), member("1", "old", "both"), member("2", "both", "3")]).now
    assert [one.region for one in roll.all] == ["1", "2", "3"]
    assert [one.region for one in roll.by_code("old")] == ["1"]
    assert [one.region for one in roll.by_code("both")] == ["1", "2"]
    assert [one.region for one in roll.by_code("3")] == ["3"]
    assert roll.by_code("4") == ()


def test_two_members_of_one_region_are_refused() -> None:
    with pytest.raises(MembersInvalid):
        Members([member("1"), member("1")])


def test_a_member_needs_somewhere_to_be_asked() -> None:
    with pytest.raises(MembersInvalid, match="region 1 has no URL"):
        Member("1", "one")


def test_a_roll_stays_when_the_membership_changes() -> None:
    members = Members([member("1"), member("2")])
    roll = members.now
    members.replace([member("3")])
    assert [one.region for one in roll.all] == ["1", "2"]
    assert [one.region for one in members.now.all] == ["3"]


def test_the_healthy_are_asked_first() -> None:
    roll = Members([member("1"), member("2")]).now
    roll.by_code("1")[0].failed("SUBGRAPH_TIMEOUT")
    assert [one.region for one in roll.by_health()] == ["2", "1"]
    roll.by_code("1")[0].answered(3.0)
    assert [one.region for one in roll.by_health()] == ["1", "2"]
