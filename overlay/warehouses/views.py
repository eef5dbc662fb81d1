"""A view is a virtual warehouse seen through a window. Its id says both, so it is found again from its id alone.

`view:<name>:always` or `view:<name>:<from>_<to>`, where `vw:<name>` is the warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

__all__ = ["InvalidView", "ViewId", "format_view_id", "parse_view_id"]

WINDOW_DAYS_MAX = 366
_ALWAYS = "always"


class InvalidView(ValueError):
    """The text is no view's id, or the window is none."""


@dataclass(frozen=True, slots=True)
class ViewId:
    warehouse_id: str
    window: tuple[date, date] | None

    def __post_init__(self) -> None:
        if self.window is None:
            return
        first, after = self.window
        if not 0 < (after - first).days <= WINDOW_DAYS_MAX:
            raise InvalidView(f"a window [from, to) has 1 to {WINDOW_DAYS_MAX} days")


def format_view_id(view: ViewId) -> str:
    name = view.warehouse_id.removeprefix("vw:")
    days = _ALWAYS if view.window is None else "_".join(day.isoformat() for day in view.window)
    return f"view:{name}:{days}"


def parse_view_id(text: str) -> ViewId:
    kind, _, rest = text.partition(":")
    name, _, days = rest.rpartition(":")
    if kind != "view" or not name:
        raise InvalidView(f"{text[:80]!r} is not the id of a view")
    if days == _ALWAYS:
        return ViewId(f"vw:{name}", None)
    try:
        first, after = (date.fromisoformat(day) for day in days.split("_"))
    except ValueError:
        raise InvalidView(f"{text[:80]!r} is not the id of a view") from None
    view = ViewId(f"vw:{name}", (first, after))
    if format_view_id(view) != text:
        raise InvalidView(f"{text[:80]!r} is not the id of a view")
    return view
