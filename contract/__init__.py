"""What all parties agree on: ids, cursors, order, decimals, identity, rules, error codes.

A leaf: every package of the project may import it, and it imports none of them.
"""
