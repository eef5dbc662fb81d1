"""Data quality for officers: a report of one region's issues, and assets that stand in two regions."""
