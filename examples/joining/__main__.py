"""Make `var/joining/zichan.sqlite` out of `legacy.sql`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SQL = Path(__file__).with_name("legacy.sql")
STORE = Path("var/joining/zichan.sqlite")


def main() -> None:
    STORE.parent.mkdir(parents=True, exist_ok=True)
    STORE.unlink(missing_ok=True)
    connection = sqlite3.connect(STORE)
    connection.executescript(SQL.read_text(encoding="utf-8"))
    connection.close()
    print(f"{STORE}: a county's fixed assets, as their vendor left them")


if __name__ == "__main__":
    main()
