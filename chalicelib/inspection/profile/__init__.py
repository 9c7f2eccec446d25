"""What the cells of a table are like: types, bounds and how many there are, of a bounded and stated part of it."""

from chalicelib.inspection.profile.json_lines import JsonProfile
from chalicelib.inspection.profile.native import NativeProfile
from chalicelib.inspection.profile.table import TableProfile

__all__ = ["JsonProfile", "NativeProfile", "TableProfile"]
