"""Federated schemas for the differential test, each dense with one family of features."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SCHEMAS"]

SHOP = {
    "products": """
        type Query { products: [Product!]! product(id: ID!): Product node(id: ID!): Node catalog: Catalog! @shareable }
        type Mutation { rename(id: ID!, name: String): Product! }
        interface Node { id: ID! }
        type Catalog { title: String! pages: [[Product!]!]! first: Page! @shareable }
        type Page @shareable { number: Int! heading: String! }
        type Product implements Node @key(fields: "id") @key(fields: "sku") {
          id: ID! sku: String! name: String! price(currency: String): Int! weight: Int! size: Size!
        }
        type Size @shareable { width: Int! unit: Unit! }
        type Unit @shareable { symbol: String! }
        type Shop implements Node @key(fields: "id") { id: ID! title: String best: Product! }
    """,
    "inventory": """
        type Query { shops: [Shop!]! catalog: Catalog! @shareable }
        type Mutation { restock(id: ID!): Product! }
        type Catalog { entries: Int! first: Page! @shareable }
        type Page @shareable { number: Int! foot: Foot! }
        type Foot { text: String! }
        type Shop @key(fields: "id") { id: ID! rank: Int! seller: User! }
        type User @key(fields: "id", resolvable: false) { id: ID! }
        type Product @key(fields: "id") {
          id: ID! price(currency: String): Int! @external weight: Int! @external stock: Int!
          size: Size! @external
          shipping: Int! @requires(fields: "price(currency: \\"EUR\\") weight")
          volume: Int! @requires(fields: "size { width unit { symbol } }")
        }
        type Size @shareable { width: Int! unit: Unit! }
        type Unit @shareable { symbol: String! }
    """,
    "reviews": """
        type Query { reviews: [Review!]! }
        type Review @key(fields: "id") {
          id: ID! body: String! product: Product! author: User! @provides(fields: "name") subject: Subject!
        }
        union Subject = Product | User
        type Product @key(fields: "sku") {
          sku: String! reviews(first: Int): [Review!]! shipping: Int! @external
          verdict: String! @requires(fields: "shipping")
        }
        type User @key(fields: "id") { id: ID! name: String! @external reviews: [Review!]! }
    """,
    "users": """
        type Query { me: User! users: [User!]! }
        type Mutation { greet(name: String!): User! }
        type Subscription { joined: User! }
        type User @key(fields: "id") { id: ID! name: String! @shareable email: String! friends: [User!]! maybeNick: String shop: Shop! }
        type Shop @key(fields: "id", resolvable: false) { id: ID! }
    """,
}

MEDIA = {
    "catalog": """
        type Query { media: [Media!]! item(id: ID!): Item things: [Thing!]! library: Library! }
        interface Media { id: ID! title: String! creator: Person! }
        type Book implements Media @key(fields: "id") { id: ID! title: String! @shareable creator: Person! pages: Int! }
        type Film implements Media @key(fields: "id") { id: ID! title: String! creator: Person! minutes: Int! }
        type Song implements Media { id: ID! title: String! creator: Person! bars: Int! }
        type Person @key(fields: "id") { id: ID! }
        union Item = Book | Film
        union Thing = Book | Song | Library
        type Library @key(fields: "code place { id }") { code: String! place: Place! media: [Media!]! }
        type Place @key(fields: "id") { id: ID! street: String! }
    """,
    "ratings": """
        type Query { top: Media @provides(fields: "... on Book { title }") best: [Rated!]! }
        interface Media { id: ID! }
        interface Rated { stars: Int! }
        type Book implements Media & Rated @key(fields: "id") {
          id: ID! stars: Int! title: String! @external pages: Int! @external perPage: Int! @requires(fields: "pages")
        }
        type Film implements Media & Rated @key(fields: "id") { id: ID! stars: Int! critic: Person! }
        type Person @key(fields: "id") { id: ID! trust: Int! }
    """,
    "people": """
        type Query { person(id: ID!): Person }
        type Person @key(fields: "id") { id: ID! name: String! born: Place! works: [Media!]! }
        interface Media { id: ID! }
        type Book implements Media @key(fields: "id", resolvable: false) { id: ID! }
        type Film implements Media @key(fields: "id", resolvable: false) { id: ID! }
        type Place @key(fields: "id") { id: ID! name: String! }
    """,
    "places": """
        type Place @key(fields: "id") { id: ID! height: Int! libraries: [Library!]! }
        type Library @key(fields: "code place { id }") { code: String! place: Place! opened: Int! }
    """,
}

CHAIN = {
    "alpha": """
        type Query { ones: [One!]! two: Two! @shareable }
        type One @key(fields: "a") { a: ID! x: Int! w: Int! @external y: Int! @requires(fields: "w") old: String! }
        type Two { here: Int! @shareable left: Int! }
    """,
    "beta": """
        type Query { betas: [One!]! two: Two! @shareable }
        type One @key(fields: "a") @key(fields: "b") { a: ID! b: ID! x: Int! @external z: Int! @requires(fields: "x") }
        type Two { here: Int! @shareable right: Int! one: One! }
    """,
    "gamma": """
        type One @key(fields: "b") @key(fields: "c") { b: ID! c: ID! z: Int! @external w: Int! @requires(fields: "z") links: [One!]! }
    """,
    "delta": """
        type Query { deltas: [One!]! }
        type One @key(fields: "c") {
          c: ID! end: String! fresh: Int! old: String! @override(from: "alpha")
          y: Int! @external links: [One!]! @external far: Int! @requires(fields: "y links { c }")
        }
    """,
}

ESTATE = {
    "things": """
        type Query { assets: [Asset!]! car: Car! }
        interface Asset @key(fields: "id") { id: ID! label: String! }
        type Car implements Asset @key(fields: "id") { id: ID! label: String! wheels: Int! }
        type Desk implements Asset @key(fields: "id") { id: ID! label: String! drawers: Int! next: Asset! }
    """,
    "money": """
        type Query { costly: [Asset!]! }
        type Asset @key(fields: "id") @interfaceObject { id: ID! value: Int! bills: [Bill!]! label: String! @external tag: String! @requires(fields: "label") }
        type Bill @key(fields: "no") { no: ID! amount: Int! asset: Asset! }
    """,
    "places": """
        type Query { found: Asset! }
        type Asset @key(fields: "id") @interfaceObject { id: ID! where: String! }
        type Bill @key(fields: "no") { no: ID! paidAt: String! }
    """,
}

SCHEMAS: Mapping[str, Mapping[str, str]] = {"shop": SHOP, "media": MEDIA, "chain": CHAIN, "estate": ESTATE}
