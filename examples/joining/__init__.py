"""The legacy database of docs/joining.md, a district's first day: `python -m examples.joining` makes it anew."""
