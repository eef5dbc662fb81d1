"""A message points to the line where the thing was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.mapping import MappingError, load_mapping
from adapters.mapping.place import line_of

TEXT = """\
mapping = 1
region = "330109"
[source]
table = "zc"
rows = [{ column = "a", eq = "1" }]
[fields]
name = "mc"
"brand" = { column = "pp", cl = ["trim"] }
[fields.status]
column = "zt"
[[quarantine]]
name = "x"
[[quarantine]]
name = "y"
when.column = "c"
"""


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("region", 2),
        ("source", 3),
        ("source.rows[0].in", 5),
        ("fields.brand.cl", 8),
        ("fields.nmae", 6),
        ("fields.status.codes", 9),
        ("fields.status.column", 10),
        ("quarantine[0].name", 12),
        ("quarantine[1].name", 14),
        ("quarantine[1].when.in", 13),
        ("quarantine[1].when.column", 15),
        ("secrecy", None),
        ("", None),
    ],
)
def test_the_line(where: str, line: int | None) -> None:
    assert line_of(TEXT, where) == line


def test_a_message_out_of_a_file(tmp_path: Path) -> None:
    (path := tmp_path / "330109.toml").write_text(TEXT.replace('region = "330109"', 'region = "330103"'))
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    assert str(caught.value).startswith("330109.toml:2: region: '330103' is not known → did you mean ")
