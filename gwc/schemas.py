"""Composing the published schemas, and showing plans."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gwc.errors import CommandError

if TYPE_CHECKING:
    from gateway.supergraph.model import Supergraph

__all__ = ["compose_files", "load_supergraph_file", "print_operation_plan"]


def compose_files(config: Path, supergraph: Path, api: Path, check: bool, say: Callable[[str], None]) -> None:
    """Compose and write both files, or with `check` compare them with what is there."""
    from gateway.composition import compose
    from gateway.composition.config import load_supergraph_config
    from gateway.supergraph.api import api_schema_sdl
    from gateway.supergraph.load import load_supergraph

    composition = compose(load_supergraph_config(config))
    for hint in composition.hints:
        say(f"hint: {hint}")
    if composition.supergraph_sdl is None:
        raise CommandError("\n".join(["The subgraphs do not compose:", *(str(error) for error in composition.errors)]))
    wanted = {
        supergraph: composition.supergraph_sdl,
        api: api_schema_sdl(load_supergraph(composition.supergraph_sdl)),
    }
    for path, text in wanted.items():
        if not check:
            path.write_text(text, encoding="utf-8")
            say(f"wrote {path}")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CommandError(
                f"{path} is not what the subgraphs compose to.", "Run `gwc compose` and commit the result."
            )
        else:
            say(f"{path} is up to date")


def print_operation_plan(
    operation: str, supergraph: Path, name: str | None, as_json: bool, say: Callable[[str], None]
) -> None:
    import orjson
    from graphql import GraphQLError, parse, validate

    from gateway.language.errors import GatewayException
    from gateway.plan.json import plan_to_json
    from gateway.plan.text import print_plan
    from gateway.planning.planner import Planner

    if operation.startswith("@"):
        operation = Path(operation[1:]).read_text(encoding="utf-8")
    loaded = load_supergraph_file(supergraph)
    try:
        document = parse(operation)
    except GraphQLError as error:
        raise CommandError(str(error)) from None
    problems = validate(loaded.api_schema, document)
    if problems:
        raise CommandError("\n\n".join(str(problem) for problem in problems))
    try:
        result = Planner(loaded).plan(document, name)
    except GatewayException as error:
        raise CommandError(f"{error}") from None
    say(orjson.dumps(plan_to_json(result), option=orjson.OPT_INDENT_2).decode() if as_json else print_plan(result))


def load_supergraph_file(path: Path) -> Supergraph:
    """Read a supergraph file. Raises `CommandError` when it is missing or cannot be read."""
    from gateway.supergraph.load import load_supergraph

    try:
        return load_supergraph(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", "Make it with `gwc compose`.") from None
