from __future__ import annotations

from pathlib import Path

import pytest

from gateway.composition import ConfigProblem, SubgraphSource, load_supergraph_config

GOOD = """
federation_version: =2.9.0
subgraphs:
  b:
    routing_url: http://b/graphql
    schema: {file: schemas/b.graphql}
  a:
    routing_url: http://a/graphql
    schema:
      file: a.graphql
"""


def test_files_are_read_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "b.graphql").write_text("type Query { b: Int }", encoding="utf-8")
    (tmp_path / "a.graphql").write_text("# 资产\ntype Query { a: Int }", encoding="utf-8")
    (tmp_path / "supergraph.yaml").write_text(GOOD, encoding="utf-8")
    assert load_supergraph_config(tmp_path / "supergraph.yaml") == [
        SubgraphSource("b", "http://b/graphql", "type Query { b: Int }"),
        SubgraphSource("a", "http://a/graphql", "# 资产\ntype Query { a: Int }"),
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[", "cannot be read"),
        ("3", "a mapping"),
        ("subgraphs: {}", "at least one"),
        ("federation_version: 1\nsubgraphs: {a: {}}", "federation_version"),
        ("subgraph: {}", "unknown entry 'subgraph'"),
        ("subgraphs: {a: 3}", "subgraphs.a"),
        ("subgraphs: {a: {schema: {file: a.graphql}}}", "routing_url"),
        ("subgraphs: {a: {routing_url: x, schema: {subgraph_url: y}}}", "only a file"),
        ("subgraphs: {a: {routing_url: x, schema: {file: missing.graphql}}}", "schema.file"),
        ("subgraphs: {a: {routing_url: x, url: y}}", "unknown entry 'url'"),
    ],
)
def test_a_fault_names_the_entry(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "supergraph.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigProblem, match=told) as refused:
        load_supergraph_config(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="cannot be read"):
        load_supergraph_config(tmp_path / "none.yaml")
