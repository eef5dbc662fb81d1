"""The overlay: virtual warehouses, circulation orders and the ledger, as one subgraph.

It holds no asset. What it owns stands in its own store; what happens to an asset is decided by the owner's custody
book, which it reaches over GraphQL through the group endpoint of the districts.
"""
