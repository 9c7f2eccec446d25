"""Recibo's speed and memory, beside its peers, in one run: `make bench`."""
