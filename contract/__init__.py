"""What all parties agree on: ids, cursors, order, decimals, occupancy, identity, rules.

A leaf: every package of the project may import it, and it imports none of them.
"""
