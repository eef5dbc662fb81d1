"""How the flows differ where the same code serves them all: one row for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from overlay.orders.model import Flow

__all__ = ["TRAITS", "Traits"]


@dataclass(frozen=True, slots=True)
class Traits:
    has_range: bool = False
    """The applicant says from when to when; else the hold lasts from today as long as policy lets a case take."""
    own_use: bool = False
    """The owner's own business: the goods need not be shareable."""
    for_good: bool = False
    """What leaves does not come back."""
    has_notice: bool = False
    """Holds are placed when the public notice has ended, so that others may apply until then."""


TRAITS: Mapping[Flow, Traits] = {
    Flow.LOAN: Traits(has_range=True),
    Flow.REALLOCATION: Traits(for_good=True),
    Flow.SURRENDER: Traits(own_use=True),
    Flow.REPAIR: Traits(own_use=True),
    Flow.DISPOSAL: Traits(own_use=True, for_good=True, has_notice=True),
    Flow.DONATION: Traits(own_use=True, for_good=True, has_notice=True),
}
