"""Three libraries' books as one: the smallest whole example of horizontal federation; docs/horizontal-federation.md tells it."""
