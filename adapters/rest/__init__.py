"""Paged HTTP interfaces: read whole into a local index, by what a mapping's [rest] says of their pages."""
