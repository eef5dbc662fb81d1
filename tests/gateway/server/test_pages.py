"""GraphiQL comes from the gateway alone: no other host is asked for anything."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.composition import SubgraphSource, compose
from gateway.server.pages import EXAMPLES, read_examples
from gateway.supergraph.load import load_supergraph
from tests.gateway.server.client import served
from tests.gateway.support.library import supergraph

SCHEMA = Path(__file__).parents[3] / "schema"


async def test_a_browser_gets_a_page_whose_every_file_is_served() -> None:
    async with served() as gateway:
        accept = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        async with gateway.session.get(gateway.url, headers=accept) as response:
            assert response.headers["content-type"] == "text/html; charset=utf-8"
            page = await response.text()
        files = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert len(files) >= 6
        for file in files:
            if file.startswith("data:"):
                continue
            assert "//" not in file
            async with gateway.session.get(gateway.url.replace("graphql", file)) as response:
                assert response.status == 200


async def test_a_program_gets_json_from_the_same_address() -> None:
    async with served() as gateway:
        assert (await gateway.get({"query": "{ anything }"}, {"accept": "application/json"}))[0] == 200


def test_no_script_or_style_names_a_host_to_load_from() -> None:
    static = Path(__file__).parents[3] / "gateway" / "server" / "static"
    for name in ("graphiql.html", "page.js", "graphiql.min.css"):
        text = (static / name).read_text(encoding="utf-8")
        assert not re.search(r"""(?:src=|href=|url\(|import\(|fetch\()["']?(?:https?:)?//""", text)


def test_the_examples_are_valid_for_the_city_and_hidden_where_they_are_not() -> None:
    files = {"districts": "district", "overlay": "overlay", "telemetry": "telemetry"}
    sources = [
        SubgraphSource(name, f"http://{name}/graphql", (SCHEMA / f"{file}.graphql").read_text(encoding="utf-8"))
        for name, file in files.items()
    ]
    composed = compose(sources)
    assert composed.supergraph_sdl is not None, composed.errors
    shown = read_examples(load_supergraph(composed.supergraph_sdl).api_schema)
    assert len(shown) == len(list(EXAMPLES.glob("*.graphql"))) >= 6
    assert read_examples(supergraph().api_schema) == []
