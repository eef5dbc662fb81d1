"""The `gwc` command. Every function here parses options, calls one function that does the work, and prints.

Imports of the working parts stand inside the commands, so that `gwc token` does not load a gateway.
"""

from __future__ import annotations

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gwc.adapter import adapter_app
from gwc.district import district_app
from gwc.errors import CommandError
from gwc.ledger import ledger_app
from gwc.options import DataDir, Host, Port, say, settings_of

__all__ = ["main"]

# Without locals: a traceback must not show what a variable holds, a store's password say.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="公物仓 gongwucang: many warehouses, one answer.",
)
city_app = typer.Typer(no_args_is_help=True, help="The sample city.")
members_app = typer.Typer(no_args_is_help=True, help="Members of partitioned groups.")
app.add_typer(city_app, name="city")
app.add_typer(members_app, name="members")
app.add_typer(adapter_app, name="adapter")
mapping_app = typer.Typer(no_args_is_help=True, help="Mapping files.")
app.add_typer(mapping_app, name="mapping")
quality_app = typer.Typer(no_args_is_help=True, help="Data quality, for officers.")
app.add_typer(quality_app, name="quality")
app.add_typer(district_app, name="district")
app.add_typer(ledger_app, name="ledger")


class Size(StrEnum):
    small = "small"
    city = "city"
    large = "large"


class Encoding(StrEnum):
    utf_8 = "utf-8-sig"
    gb18030 = "gb18030"


Url = Annotated[str, typer.Option(envvar="GWC_URL", help="The gateway's GraphQL endpoint.")]
Token = Annotated[str | None, typer.Option(envvar="GWC_TOKEN", help="An officer's token; best given by GWC_TOKEN.")]
SheetEncoding = Annotated[Encoding, typer.Option(help="utf-8-sig, or gb18030 for Excel on a Chinese Windows.")]


@app.command()
def up(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    size: Annotated[Size, typer.Option(help="Size of the sample city, when it must be generated.")] = Size.small,
    seed: Annotated[int, typer.Option(help="Seed of the sample city.")] = 2022,
    data_dir: DataDir = None,
    external: Annotated[
        list[str] | None,
        typer.Option(help="REGION=URL: this member is served elsewhere by `gwc district`. May be repeated."),
    ] = None,
    simulate: Annotated[bool, typer.Option(help="Publish simulated sensor readings.")] = True,
) -> None:
    """Serve the whole sample city in this process until Ctrl-C, generating it first if it is not there."""
    from gwc.up import serve_city

    serve_city(settings_of(data_dir), host, port, size.value, seed, external or [], simulate, say)


@city_app.command("generate")
def city_generate(
    out: Annotated[Path, typer.Option(help="Folder to write; must not exist, or be a city of the same size and seed.")],
    size: Annotated[Size, typer.Option()] = Size.small,
    seed: Annotated[int, typer.Option()] = 2022,
) -> None:
    """Write the fourteen legacy stores, their mappings, and the truth apart."""
    from gwc.sample import ensure_city

    ensure_city(out, size.value, seed, say)


@city_app.command("seed")
def city_seed(
    region: Annotated[str, typer.Option(help="Whose store to copy.")],
    url: Annotated[
        str, typer.Option(envvar="GWC_SEED_URL", help="postgresql+asyncpg://…, mysql+asyncmy://… or mongodb://…")
    ],
    city: Annotated[Path, typer.Option(help="A generated city.")] = Path("var/city"),
) -> None:
    """Copy one region's embedded store into a real server."""
    from gwc.sample import seed_store

    seed_store(city, region, url, say)


@city_app.command("api")
def city_api(
    city: Annotated[Path, typer.Option(help="A generated city.")] = Path("var/city"),
    host: Host = "127.0.0.1",
    port: Port = 8110,
) -> None:
    """Serve the paged interface of 330110, whose token is YUHANG_API_TOKEN, until Ctrl-C."""
    from gwc.sample_api import serve_sample_api

    serve_sample_api(city, host, port, say)


@app.command()
def keys(data_dir: DataDir = None) -> None:
    """Make the key pairs that are missing."""
    from gwc.keys import NAMES, ensure_keys

    settings = settings_of(data_dir)
    ensure_keys(settings.keys)
    say(f"{settings.keys}: {', '.join(NAMES)}")


@app.command()
def token(
    role: Annotated[
        list[str], typer.Option(help="APPLICANT, UNIT_OFFICER, REGION_OFFICER, KEEPER, … May be repeated.")
    ],
    unit: Annotated[str | None, typer.Option(help="The person's unit, by its USCC.")] = None,
    region: Annotated[str | None, typer.Option(help="The person's region, by its GB/T 2260 code.")] = None,
    person: Annotated[str, typer.Option(help="Who the token speaks for.")] = "dev",
    hours: Annotated[int, typer.Option(min=1, max=24 * 30)] = 12,
    inside: Annotated[
        bool, typer.Option("--inside", help="For one subgraph asked without the gateway; send it as gwc-identity.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Print a development token; send it to the gateway as `Authorization: Bearer …`."""
    from gwc.tokens import issue_token

    say(issue_token(settings_of(data_dir).keys, role, unit, region, person, hours, inside))


@app.command()
def compose(
    config: Annotated[Path, typer.Option(help="What to compose.")] = Path("schema/supergraph.yaml"),
    supergraph: Annotated[Path, typer.Option(help="Where the supergraph goes.")] = Path("schema/supergraph.graphql"),
    api: Annotated[Path, typer.Option(help="Where the client-facing schema goes.")] = Path("schema/api.graphql"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file is not up to date.")] = False,
) -> None:
    """Compose the subgraphs' schemas into one supergraph."""
    from gwc.schemas import compose_files

    compose_files(config, supergraph, api, check, say)


@app.command()
def plan(
    operation: Annotated[str, typer.Argument(help="A GraphQL operation, @FILE, or - for standard input.")],
    supergraph: Annotated[Path, typer.Option()] = Path("schema/supergraph.graphql"),
    name: Annotated[str | None, typer.Option("--operation", help="Which operation of the document.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the plan of an operation."""
    from gwc.schemas import print_operation_plan

    text = sys.stdin.read() if operation == "-" else operation
    print_operation_plan(text, supergraph, name, as_json, say)


@app.command()
def gateway(
    supergraph: Annotated[Path, typer.Option(help="Any supergraph file (join specification).")],
    host: Host = "127.0.0.1",
    port: Port = 4000,
    members: Annotated[
        Path | None, typer.Option(help="members.toml, when the supergraph has a partitioned group.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="Serve this partitioned group alone; with --as-subgraph.")] = None,
    as_subgraph: Annotated[
        bool,
        typer.Option("--as-subgraph", help="Serve the group as a standard subgraph, for any Federation v2 router."),
    ] = False,
    share: Annotated[
        bool, typer.Option(help="Queries that equal one in flight, of the same caller, share its answer.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Serve a supergraph by HTTP to its routing URLs, or one of its partitioned groups as a subgraph."""
    from gwc.parts.gateway import serve_gateway
    from gwc.parts.group import serve_group

    if (group is not None) != as_subgraph:
        raise CommandError("--group and --as-subgraph belong together.", "Such as --group districts --as-subgraph", 2)
    if group is not None:
        serve_group(settings_of(data_dir), supergraph, members, group, host, port, say)
        return
    serve_gateway(settings_of(data_dir), supergraph, members, host, port, say, share=share)


@members_app.command("check")
def members_check(
    members: Annotated[Path, typer.Option(help="The members file.")] = Path("schema/members.toml"),
    supergraph: Annotated[Path, typer.Option(help="Whose groups they are.")] = Path("schema/supergraph.graphql"),
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for each member.")] = 5.0,
    data_dir: DataDir = None,
) -> None:
    """Hold each member's published schema against its group's contract; fail when one cannot serve."""
    from gwc.members import check_members

    check_members(settings_of(data_dir), supergraph, members, timeout, say)


@mapping_app.command("schema")
def mapping_schema(
    out: Annotated[Path, typer.Option(help="Where it goes.")] = Path("schema/mapping.schema.json"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if the file is not up to date.")] = False,
) -> None:
    """Write the JSON Schema of mapping files, by which editors complete them."""
    from gwc.mappings import write_mapping_schema

    write_mapping_schema(out, check, say)


@quality_app.command("report")
def quality_report(
    region: Annotated[str, typer.Option(help="Whose rows.")],
    out: Annotated[Path, typer.Option(help="The CSV file to write.")],
    encoding: SheetEncoding = Encoding.utf_8,
    url: Url = "http://127.0.0.1:8000/graphql",
    token: Token = None,
    inside: Annotated[bool, typer.Option("--inside", help="The endpoint is a district's own subgraph.")] = False,
) -> None:
    """Write every issue of a region as CSV: its quarantine with raw rows, then listed rows with issues."""
    from gwc.quality.report import write_report

    write_report(region, out, encoding.value, url, token, inside, say)


@quality_app.command("duplicates")
def quality_duplicates(
    out: Annotated[Path, typer.Option(help="The CSV file to write.")],
    encoding: SheetEncoding = Encoding.utf_8,
    url: Url = "http://127.0.0.1:8000/graphql",
    token: Token = None,
    rows_max: Annotated[int, typer.Option(min=1, help="Refuse to read more assets than this.")] = 2_000_000,
) -> None:
    """Write the assets that seem to stand in two regions as CSV."""
    from gwc.quality.duplicates import find_duplicates

    find_duplicates(out, encoding.value, url, token, rows_max, say)


@app.command()
def overlay(host: Host = "127.0.0.1", port: Port = 8101, data_dir: DataDir = None) -> None:
    """Serve the overlay: virtual warehouses, orders, the ledger."""
    from gwc.parts.overlay import serve_overlay

    serve_overlay(settings_of(data_dir), host, port, say)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for the backup.")],
    with_keys: Annotated[
        bool,
        typer.Option("--with-keys", help="Also the key pairs: whoever has the backup can then speak for the city."),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Back up orders, ledger, custody books and files into a folder, while the city runs."""
    from gwc.backup.run import make_backup

    make_backup(settings_of(data_dir), folder, with_keys, say)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A backup.")],
    public_key: Annotated[
        Path | None, typer.Option(help="Check the backup by this key, internal.pub.pem of the city that made it.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make the city of a backup anew, where there is none."""
    from gwc.backup.run import restore_backup

    restore_backup(settings_of(data_dir), folder, public_key, say)


@app.command()
def telemetry(
    host: Host = "127.0.0.1",
    port: Port = 8102,
    gateway_url: Annotated[
        str, typer.Option(help="Where to read the warehouses from.")
    ] = "http://127.0.0.1:8000/graphql",
    ingest: Annotated[
        bool, typer.Option(help="Take readings from the broker; otherwise only serve what another process takes.")
    ] = True,
    simulate: Annotated[bool, typer.Option(help="Publish simulated readings to the broker.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Serve telemetry: readings and alarms from the MQTT broker."""
    from gwc.parts.telemetry import serve_telemetry

    serve_telemetry(settings_of(data_dir), gateway_url, ingest, simulate, host, port, say)


def main() -> None:
    """Run the command line; a `CommandError` becomes one line, a remedy and an exit status."""
    try:
        app(standalone_mode=True)
    except CommandError as error:
        print(f"gwc: {error.message}", file=sys.stderr)
        if error.remedy:
            print(f"     {error.remedy}", file=sys.stderr)
        sys.exit(error.status)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)


if __name__ == "__main__":
    main()
