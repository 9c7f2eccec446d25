"""What the cells of a table are like: types, bounds and how many there are, of a bounded and stated part of it."""

from chalicelib.inspection.profile.table import TableProfile

__all__ = ["TableProfile"]
