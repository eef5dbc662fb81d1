"""The adapter kit: from a connection string to a conforming subgraph.

    inspect ──▶ Survey ──▶ guess ──▶ draft (a mapping file)         what a strange store holds, and what it may mean
    conformance: run_checks(store) ──▶ Report                       whether a store does what the protocol asks

The command line (`gwc adapter …`) only prints what stands here. The kit reads; it never writes to a store.
"""
