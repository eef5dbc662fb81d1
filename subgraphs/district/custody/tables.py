"""The custody book's tables. One database may hold several regions' books, so every key begins with the region.

Days and instants are texts (ISO 8601, one width each), quantities canonical decimal texts: exact on every engine, and
their order as text is their order in time.
"""

from __future__ import annotations

import sqlalchemy as sa

__all__ = [
    "card_changes",
    "cards",
    "commands",
    "departures",
    "exports",
    "holds",
    "instructions",
    "metadata",
    "movements",
    "reads",
    "write_faults",
]

metadata = sa.MetaData()

holds = sa.Table(
    "custody_holds",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("asset", sa.Text, nullable=False, comment="native key"),
    sa.Column("order_id", sa.Text, nullable=False),
    sa.Column("from_day", sa.Text, nullable=False),
    sa.Column("to_day", sa.Text, nullable=False, comment="exclusive"),
    sa.Column("quantity", sa.Text, nullable=False),
    sa.Column("dispatched", sa.Text, nullable=False),
    sa.Column("received", sa.Text, nullable=False),
    sa.Column("returned", sa.Text, nullable=False),
    sa.Column(
        "state", sa.Text, nullable=False, comment="ACTIVE, DISPATCHED, RELEASED; EXPIRED is ACTIVE past its time"
    ),
    sa.Column("expires_at", sa.Text, comment="of an ACTIVE hold"),
    sa.Column("status_before", sa.Text, comment="the asset's status before its goods left"),
    sa.Column("placed_at", sa.Text, nullable=False),
    sa.Column("gone", sa.Text, nullable=False, server_default="0", comment="left for good"),
    sa.Column("buffer_days", sa.Integer, nullable=False, server_default="0"),
    sa.Column(
        "until_day", sa.Text, nullable=False, comment="to_day and the buffer behind it; the last of days: for good"
    ),
    sa.Index("custody_holds_by_asset", "region", "asset", "state"),
    sa.Index("custody_holds_by_state", "region", "state", "until_day"),
)

movements = sa.Table(
    "custody_movements",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("hold_id", sa.Text, nullable=False),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("quantity", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

instructions = sa.Table(
    "custody_instructions",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True, comment="the movement's"),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("status", sa.Text, comment="what the legacy store should show; null where a part of a batch moved"),
    sa.Column(
        "state",
        sa.Text,
        nullable=False,
        comment="PENDING: being written; WRITTEN; OPEN: 未落库, to be exported; DONE: ticked off; SUPERSEDED",
    ),
    sa.Column("at", sa.Text, nullable=False),
    sa.Index("custody_instructions_by_state", "region", "state", "at"),
)

exports = sa.Table(
    "custody_exports",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("instruction", sa.Text, nullable=False, comment="id"),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="NUMBERED, FILED, DONE, SEEN (see `instructions`)"),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("done_at", sa.Text),
    sa.Index("custody_exports_by_instruction", "region", "instruction", unique=True),
    sa.Index("custody_exports_by_state", "region", "state"),
)

write_faults = sa.Table(
    "custody_write_faults",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("instruction", sa.Text, primary_key=True, comment="id"),
    sa.Column("code", sa.Text, nullable=False, comment="why the legacy store was not written"),
)

commands = sa.Table(
    "custody_commands",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("hold_id", sa.Text),
    sa.Column("movement_id", sa.Text),
    sa.Column("problems", sa.Text, nullable=False, comment="JSON: [[code, path, parameters]]"),
    sa.Column("at", sa.Text, nullable=False),
)

cards = sa.Table(
    "custody_cards",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True, comment="native key, given by the book"),
    sa.Column("lineage", sa.Text, nullable=False, comment="global id"),
    sa.Column("predecessor", sa.Text, nullable=False, comment="global id"),
    sa.Column("order_id", sa.Text, nullable=False),
    sa.Column("fields", sa.Text, nullable=False, comment="JSON: the canonical row"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("entered_as", sa.Text, comment="native key that the district's own system gave it"),
    sa.Column("at", sa.Text, nullable=False),
    sa.Index("custody_cards_by_entry", "region", "entered_as", unique=True),
)

departures = sa.Table(
    "custody_departures",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True, comment="the movement's"),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("left_over", sa.Text, nullable=False, comment="what is left of the card; 0: nothing"),
    sa.Column("successor", sa.Text, comment="global id; null for what was written off"),
    sa.Column("at", sa.Text, nullable=False),
    sa.Index("custody_departures_by_asset", "region", "asset"),
)

card_changes = sa.Table(
    "custody_card_changes",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, comment="goes up with every change of cards and departures"),
)

reads = sa.Table(
    "custody_reads",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("person", sa.Text, comment="who was told"),
    sa.Column("unit", sa.Text),
    sa.Column("from_region", sa.Text, comment="the reader's"),
    sa.Column("kind", sa.Text, nullable=False, comment="PERSONAL, RAW"),
    sa.Column("asset", sa.Text, nullable=False, comment="native key; * of rows that have none"),
    sa.Index("custody_reads_by_asset", "region", "asset", "seq"),
)
