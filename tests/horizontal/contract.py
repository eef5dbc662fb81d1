"""The contract that the members of these tests answer: lots that lie in depots; and rooms, an overlay over them.

It has one of everything that horizontal federation gathers: pages, lists, groups, folds, one answer of any member,
routed lookups and changes, rows by key, and an overlay type (`Room`) whose fields are gathered under a rule of its own.
"""

from __future__ import annotations

from functools import lru_cache

from gateway.composition import SubgraphSource, compose
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph

__all__ = ["DEPOTS", "GRADES", "ROOMS", "planner", "supergraph"]

GRADES = ("FINE", "GOOD", "FAIR", "POOR")
"""In the order in which the contract declares them, which is how they sort."""

DEPOTS = """
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@inaccessible", "@shareable"])
  @link(url: "https://specs.gongwucang.dev/horizontal/v1.0", import: ["@partitioned", "@route", "@gather", "@fold", "Gather", "Fold"])

directive @partitioned(key: String!, segment: Int, whole: Boolean) on OBJECT
directive @route(argument: String!) on FIELD_DEFINITION
directive @gather(as: Gather!, by: [String!], order: String, prune: [String!]) on FIELD_DEFINITION
directive @fold(with: Fold!) on FIELD_DEFINITION
enum Gather { CONNECTION LIST GROUPS FOLD ONE SOURCES }
enum Fold { SUM MIN MAX ANY ALL FIRST }

scalar Decimal
scalar Date
scalar DateTime
scalar RoomRule @inaccessible

interface Node { id: ID! }
enum Grade { FINE GOOD FAIR POOR }
type Depot @key(fields: "code") @partitioned(key: "code", whole: true) { code: ID! lots: Int }
type Lot implements Node @key(fields: "id") @partitioned(key: "id", segment: 1) {
  id: ID!
  name: String
  price: Decimal
  count: Int
  made: Date
  seen: DateTime
  grade: Grade
  depot: Depot
}
type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type LotEdge { cursor: String! node: Lot! }
type LotConnection {
  nodes: [Lot!]!
  edges: [LotEdge!]!
  pageInfo: PageInfo!
  totalCount: Int! @fold(with: SUM)
  totalIsExact: Boolean! @fold(with: ALL)
  facets: [Facet!]! @gather(as: GROUPS, by: ["grade"])
  sources: [Source!]! @gather(as: SOURCES)
}
type Facet { grade: Grade count: Int! @fold(with: SUM) worth: Decimal! @fold(with: SUM) cheapest: Decimal @fold(with: MIN) }
type NameGroup { name: String grade: Grade lots: Int! @fold(with: SUM) most: Int @fold(with: MAX) }
type PriceGroup { price: Decimal lots: Int! @fold(with: SUM) }
enum SourceStatus { OK STALE UNAVAILABLE OUTDATED }
type Source { region: ID! name: String! status: SourceStatus! latencyMs: Float asOf: String }
type Census {
  lots: Int! @fold(with: SUM)
  pieces: Int! @fold(with: SUM)
  worth: Decimal! @fold(with: SUM)
  cheapest: Decimal @fold(with: MIN)
  dearest: Decimal @fold(with: MAX)
  fewest: Int @fold(with: MIN)
  most: Int @fold(with: MAX)
  oldest: Date @fold(with: MIN)
  lastSeen: DateTime @fold(with: MAX)
  anyFine: Boolean! @fold(with: ANY)
  allPriced: Boolean! @fold(with: ALL)
  isExact: Boolean! @fold(with: ALL)
  currency: String @fold(with: FIRST)
  byGrade: [Facet!]! @gather(as: GROUPS, by: ["grade"])
  sources: [Source!]! @gather(as: SOURCES)
}
type Room @key(fields: "id") {
  id: ID!
  rule: RoomRule! @external
  lots(orderBy: [LotOrder!], first: Int, after: String, last: Int, before: String): LotConnection
    @requires(fields: "rule") @gather(as: CONNECTION, order: "orderBy", prune: ["rule.depots"])
  census: Census @requires(fields: "rule") @gather(as: FOLD, prune: ["rule.depots"])
}
input IdFilter { eq: ID in: [ID!] }
input LotFilter { depot: IdFilter id: IdFilter name: String grade: Grade countMin: Int isPriced: Boolean }
enum LotOrderField { NAME PRICE COUNT MADE SEEN GRADE }
enum OrderDirection { ASC DESC }
input LotOrder { field: LotOrderField! direction: OrderDirection! = ASC }
type MovePayload { moved: Boolean! }
input MoveInput { lotId: ID! }
type Query {
  lots(filter: LotFilter, orderBy: [LotOrder!], first: Int, after: String, last: Int, before: String): LotConnection
    @gather(as: CONNECTION, order: "orderBy", prune: ["filter.depot.eq", "filter.depot.in", "filter.id.eq", "filter.id.in"])
  lot(id: ID!): Lot @route(argument: "id")
  depots(codes: [ID!]): [Depot!] @gather(as: LIST, prune: ["codes"])
  census(codes: [ID!]): Census @gather(as: FOLD, prune: ["codes"])
  names(codes: [ID!]): [NameGroup!] @gather(as: GROUPS, by: ["name", "grade"], prune: ["codes"])
  prices: [PriceGroup!] @gather(as: GROUPS, by: ["price"])
  motto: String @gather(as: ONE)
}
type Mutation { move(input: MoveInput!): MovePayload @route(argument: "input.lotId") }
"""

ROOMS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@inaccessible"])
scalar RoomRule @inaccessible
interface Node { id: ID! }
type Lot implements Node @key(fields: "id") { id: ID! note: String }
type Room implements Node @key(fields: "id") { id: ID! label: String rule: RoomRule! @inaccessible next: Room }
type Query { room(id: ID!): Room rooms: [Room!] noted(ids: [ID!]!): [Lot!] node(id: ID!): Node }
"""


@lru_cache(maxsize=1)
def supergraph() -> Supergraph:
    composed = compose(
        [
            SubgraphSource("depots", "http://depots/graphql", DEPOTS),
            SubgraphSource("rooms", "http://rooms/graphql", ROOMS),
        ]
    )
    assert composed.supergraph_sdl is not None, composed.errors
    return load_supergraph(composed.supergraph_sdl)


@lru_cache(maxsize=1)
def planner() -> Planner:
    return Planner(supergraph())
