from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def labelled(count: int) -> dict[str, str]:
    names = [f"f{number}" for number in range(count)]
    taken = " ".join(
        f'{name}: Int @override(from: "b", label: "percent({place + 1})")' for place, name in enumerate(names)
    )
    return {
        "a": f'type Query {{ p: P }} type P @key(fields: "id") {{ id: ID! {taken} }}',
        "b": f'type P @key(fields: "id") {{ id: ID! {" ".join(f"{name}: Int" for name in names)} }}',
    }


def test_more_labels_than_can_be_combined() -> None:
    found = error(**labelled(7))
    assert found.code == "UNSUPPORTED_FEATURE"
    assert "percent(7)" in found.message


def test_as_many_as_can_be() -> None:
    assert not errors(**labelled(6))
