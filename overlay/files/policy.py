"""What may be attached to an order: how much, how long a link lasts, and who may attach and remove."""

from __future__ import annotations

from datetime import timedelta

from contract.identity import Identity, Role
from overlay.orders.model import CAME_TO_NOTHING, ENDED, Order
from overlay.orders.rights import is_borrower

__all__ = [
    "DOWNLOAD_LIFE",
    "FILES_OF_ORDER_MAX",
    "FILE_BYTES_MAX",
    "NAME_LENGTH_MAX",
    "ORDER_BYTES_MAX",
    "ORPHAN_AGE",
    "SPARE_BYTES_MIN",
    "UPLOAD_LIFE",
    "is_closed",
    "may_attach",
    "may_remove",
]

FILE_BYTES_MAX = 20 << 20
"""A phone's photo has 3 to 8 MB, a scanned contract of forty pages about 15."""
FILES_OF_ORDER_MAX = 50
ORDER_BYTES_MAX = 200 << 20
NAME_LENGTH_MAX = 150
UPLOAD_LIFE = timedelta(minutes=15)
"""A slow line takes 20 MiB in about ten minutes."""
DOWNLOAD_LIFE = timedelta(minutes=5)
ORPHAN_AGE = timedelta(hours=24)
"""How long an upload may stay unattached, and content without a row in the folder. Far longer than any upload takes, so
that a sweep never meets one under way."""
SPARE_BYTES_MIN = 256 << 20
"""What uploads leave free on the disk: the store beside it must still be able to write."""


def is_closed(order: Order) -> bool:
    """Whether the order's papers are on file: nothing is taken out of them any more."""
    return order.state in ENDED


def may_attach(identity: Identity, order: Order) -> bool:
    """Who works on the order: the borrower's side, the owner's, and the offices of both regions. The caller has
    checked that the person may see it."""
    if order.state in CAME_TO_NOTHING:
        return False
    if is_borrower(identity, order) or identity.has(Role.CITY_OFFICER):
        return True
    owns = identity.unit is not None and any(line.owner_unit == identity.unit for line in order.lines)
    if owns and identity.has(Role.UNIT_OFFICER):
        return True
    regions = {order.applicant.region, *order.lending_regions}
    return identity.region in regions and identity.has(Role.KEEPER, Role.REGION_OFFICER)


def may_remove(identity: Identity, order: Order, uploader: str) -> bool:
    return not is_closed(order) and (identity.person == uploader or identity.has(Role.CITY_OFFICER))
