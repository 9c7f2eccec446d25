"""Numbers of JSON as they are written: what a decoder makes of them that is not to lose a digit."""

from __future__ import annotations


class Whole(str):
    """A number that has neither fraction nor exponent."""

    __slots__ = ()


class Fractional(str):
    """A number with a point or an exponent."""

    __slots__ = ()
