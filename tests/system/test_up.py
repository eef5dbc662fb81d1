"""`gwc up` when things are in its way: a clear error or a clean new start, never half a city."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

from subgraphs.sample_city.generate import city_manifest
from tests.system.conftest import City
from tests.system.processes import GWC, GwcProcess, gwc

ROOT = Path(__file__).parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(GWC), *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


def test_a_taken_port_is_said_before_any_work(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("up", "--port", str(taken.getsockname()[1]), "--data-dir", str(tmp_path / "var"))
    assert result.returncode == 1
    assert "is taken by another program" in result.stderr
    assert "--port" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "var" / "city").exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run("up", "--port", "0", "--data-dir", str(tmp_path / "file" / "var"))
    assert result.returncode == 1
    assert "cannot" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupted_generation_is_started_anew(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    first = GwcProcess("up", "--port", "0", "--data-dir", str(data_dir), "--size", "city")
    first.wait_for(r"330106")
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    first.stop()
    assert city_manifest(data_dir / "city") is None

    with gwc("up", "--port", "0", "--data-dir", str(data_dir), "--no-simulate"):
        manifest = city_manifest(data_dir / "city")
    assert manifest is not None
    assert manifest.size == "small"
    assert sorted(path.name for path in data_dir.iterdir()) == ["anchors", "city", "keys", "state"]
    assert len(list((data_dir / "city" / "mappings").glob("*.toml"))) == 14


def test_ctrl_c_ends_well(tmp_path: Path) -> None:
    city = GwcProcess("up", "--port", "0", "--data-dir", str(tmp_path / "var"), "--no-simulate")
    city.wait_for("ready")
    assert city.stop() == 0
    assert "Traceback" not in city.output


def test_the_curl_command_it_prints_works(tmp_path: Path) -> None:
    with gwc("up", "--port", "0", "--data-dir", str(tmp_path / "var"), "--no-simulate") as (city, _):
        command = city.wait_for(r"^\s*(curl .*)$").group(1)
        result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)
    assert '"nodes"' in result.stdout
    assert '"errors"' not in result.stdout


def test_the_compose_file_is_valid() -> None:
    result = subprocess.run(["docker-compose", "config", "-q"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_a_mapping_that_does_not_fit_the_store_is_one_line(city: City, tmp_path: Path) -> None:
    mappings = city.folder / "mappings"
    wrong = mappings / "wrong.toml"
    wrong.write_text((mappings / "330109.toml").read_text(encoding="utf-8").replace('"zcmc"', '"zcmx"'), "utf-8")
    try:
        result = run("district", "--mapping", str(wrong), "--port", "0", "--data-dir", str(tmp_path))
    finally:
        wrong.unlink()
    assert result.returncode == 1
    assert "no column 'zcmx'" in result.stderr
    assert "zcmc" in result.stderr, "the columns there are"
    assert "Traceback" not in result.stderr


def test_a_database_that_is_away_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"postgresql+asyncpg://gwc:gwc@127.0.0.1:{unused.getsockname()[1]}/overlay"
        result = run("overlay", "--port", "0", "--data-dir", str(tmp_path), GWC_OVERLAY_URL=url)
    assert result.returncode == 1
    assert "could not start" in result.stderr
    assert "Traceback" not in result.stderr
