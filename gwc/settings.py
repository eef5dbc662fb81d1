"""Settings of every gwc process: defaults for the embedded city, `GWC_…` variables for everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

__all__ = ["Settings"]


class Settings(BaseSettings):
    """Read from the environment (`GWC_DATA_DIR=/srv/gwc`), overridden by command-line options."""

    model_config = SettingsConfigDict(env_prefix="GWC_", extra="ignore")

    data_dir: Path = Path("var")
    """Where the city, its state and its keys live unless set apart."""
    keys_dir: Path | None = None
    custody_url: str | None = None
    """SQLAlchemy URL of the custody books (PostgreSQL); None: one SQLite file a region."""
    overlay_url: str | None = None
    """SQLAlchemy URL of the overlay's store; None: SQLite."""
    policy: Path | None = None
    """The policy table (limits, approval chains, clauses) as a TOML file; None: the one that comes with the program."""
    telemetry_url: str | None = None
    """SQLAlchemy URL of telemetry's store; None: SQLite."""
    mqtt_url: str | None = None
    """`mqtt://host:port`; None: a broker of our own inside the process."""
    redis_url: str | None = None
    """The event bus, and members' last good answers where they are kept; None: memory."""
    anchors_dir: Path | None = None
    """Where the ledger's anchors are exported, best on another machine; None: `anchors` in the data folder."""
    group_url: str = "http://127.0.0.1:8000/groups/districts/graphql"
    """Where the overlay reaches the districts as one, when it runs in a process of its own."""
    public_url: str = ""
    """What users' browsers call the city by, such as `https://gwc.example.gov.cn`: signed URLs and the QR codes of prints
    begin with it. Empty: URLs begin with `/files`, at whatever address the city was asked."""
    files_dir: Path | None = None
    """Where attachments lie, shared by all overlay processes; None: in the state folder."""
    files_url: str | None = None
    """Where a gateway finds `/files`; None: at the subgraph `overlay`, if it serves one."""
    webhook_networks: Annotated[list[str], NoDecode] = Field(default_factory=list)
    """Networks that notices may be sent to beside public addresses, separated by commas: `10.0.0.0/8,127.0.0.0/8`."""
    deadline_ms: int = Field(default=10_000, ge=50, le=120_000)
    """A request's default deadline at the gateway, in milliseconds."""
    member_timeout_ms: int = Field(default=4_000, ge=50, le=120_000)
    """The longest that a read waits for one member, within the deadline; a member's own `timeout_ms` goes before it."""
    stale: bool = False
    """Whether members' last good answers are kept, for clients that allow them (`gwc-partial: stale`)."""
    stale_age_s: int = Field(default=900, ge=1, le=86_400)
    """How old such an answer may be."""
    stale_mib: int = Field(default=64, ge=1, le=65_536)
    """How much of them is kept in memory, in MiB; on Redis, its own `maxmemory` says so."""
    members_poll_s: float = Field(default=1.0, ge=0.05, le=3600)
    """How often the gateway looks at the members file; a change is in force after two looks, or at once on SIGHUP."""
    members_check_s: float = Field(default=60.0, ge=0.05, le=86_400)
    """How often each member's schema is fetched and held against the contract."""
    watch_every_s: float = Field(default=30.0, ge=0.1, le=86_400)
    """How often the overlay evaluates a standing query that somebody follows."""
    explain: bool = False
    """Whether the gateway tells plans, timings and members' operations to whoever asks (`gwc-explain: 1`)."""

    @field_validator("webhook_networks", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        return [one.strip() for one in given.split(",") if one.strip()] if isinstance(given, str) else given

    @property
    def city(self) -> Path:
        return self.data_dir / "city"

    @property
    def state(self) -> Path:
        return self.data_dir / "state"

    @property
    def anchors(self) -> Path:
        return self.anchors_dir or self.data_dir / "anchors"

    @property
    def files(self) -> Path:
        return self.files_dir or self.state / "files"

    @property
    def keys(self) -> Path:
        return self.keys_dir or self.data_dir / "keys"
