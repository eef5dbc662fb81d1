"""What a URL or a path is, and that no password is taken from it or shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.kit.survey import SurveyError, read_url


def test_a_path_is_known_by_what_is_there(tmp_path: Path) -> None:
    for name in ("old.db", "台账.xlsx", "export.csv"):
        (tmp_path / name).write_bytes(b"")
    found = [read_url(str(tmp_path / name)).engine for name in ("old.db", "台账.xlsx", "export.csv", ".")]
    assert found == ["sqlite", "xlsx", "csv", "csv"]


def test_a_folder_of_exported_documents_is_known_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "assets.jsonl").write_bytes(b"")
    found = [read_url(str(path)) for path in (tmp_path, tmp_path / "assets.jsonl")]
    assert [(url.engine, url.full) for url in found] == [("jsonl", str(tmp_path))] * 2, "a store is the whole folder"
    (tmp_path / "units.csv").write_bytes(b"")
    assert read_url(str(tmp_path)).engine == "csv"


def test_an_interface_is_mapped_by_hand() -> None:
    with pytest.raises(SurveyError, match="nothing looks into an interface") as caught:
        read_url("https://10.1.2.3/api/v2/assets")
    assert "[rest]" in caught.value.remedy


def test_variables_are_filled_in_but_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMS_PASSWORD", "s3cret")
    url = read_url("postgresql://reader:${GAMS_PASSWORD}@db:5432/gams")
    assert url.full == "postgresql://reader:s3cret@db:5432/gams"
    assert "s3cret" not in url.written
    assert url.engine == "postgresql"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:s3cret@db/gams",
        "mysql://reader:s3%40cret@db/gams",
        "mysql://reader:s3@cret@db/gams",
        "postgresql://db/gams?user=reader&password=s3cret",
        "mongodb://reader:s3cret@db/gams",
    ],
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SurveyError) as caught:
        read_url(url)
    assert "cret" not in f"{caught.value} {caught.value.remedy}"
    assert "${NAME}" in caught.value.remedy


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAMS_PASSWORD", raising=False)
    with pytest.raises(SurveyError, match="GAMS_PASSWORD"):
        read_url("postgresql://reader:${GAMS_PASSWORD}@db/gams")
    with pytest.raises(SurveyError, match="no file or folder"):
        read_url("nowhere.sqlite")


def test_another_engine_keeps_its_name() -> None:
    assert read_url("oracle+oracledb://reader@db/gams").engine == "other:oracle"
