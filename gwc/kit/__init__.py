"""What the `gwc adapter` commands do and show; the kit itself is `adapters.kit`."""
