"""The custody book: who is first for a region's assets, and where the goods are. It stands beside the legacy store."""
