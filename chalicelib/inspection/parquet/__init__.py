"""Parquet: what its footer says, and that the file holds it."""
