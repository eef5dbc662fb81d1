"""How the overlay is known to be right: many people, orders, clocks, faults and crashes, in any order.

    cast ──▶ acts ──▶ world (in this process) or processes (real ones, killed) ──▶ reading ──▶ checks, model

- `acts`: what people do in all seven flows; a new command joins by adding an act (`acting` says what one is made of),
  both ways of running take it up.
- `model`: who holds what, small and independent of the system; told only what the system answered. `cases` has a rule
  for each command of each flow.
- `checks`: what must hold of a reading of the store and the owners' books, at any time or at rest.
- `plants`: known faults, handed in through seams; each must be found (`make chaos-selftest`).
"""
