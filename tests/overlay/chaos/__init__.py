"""How the overlay is known to be right: many people, orders, clocks, faults and crashes, in any order.

    cast ──▶ acts ──▶ world (in this process) or processes (real ones, killed) ──▶ reading ──▶ checks, model

- `acts`: what people do; a new flow or command joins by adding an act, both ways of running take it up.
- `model`: who holds what, small and independent of the system; told only what the system answered.
- `checks`: what must hold of a reading of the store and the owners' books, at any time or at rest.
- `plants`: known faults, handed in through seams; each must be found (`make chaos-selftest`).
"""
