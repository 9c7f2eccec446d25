"""The fields of a proposed contract: what a column's values allow, from the narrowest rule to the widest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from chalicelib.inspection import Column, Profile

Descriptor = Mapping[str, Any]

WHOLE = 10_000
LONGEST_LISTED = 100
"""A value with as many characters may be cut, and is not listed."""
TEXT: Descriptor = {"type": "string"}
ANY: Descriptor = {"type": "any"}
NUMBERS: Mapping[str | None, Descriptor] = {
    None: {"type": "number"},
    "0,0": {"type": "number", "decimalChar": ","},
    "0,000.0": {"type": "number", "groupChar": ","},
    "0.000,0": {"type": "number", "decimalChar": ",", "groupChar": "."},
}
UNSURE: Mapping[str, Sequence[str]] = {
    "date": [f"%d{mark}%m{mark}%Y" for mark in "/-"],
    "datetime": [f"%d{mark}%m{mark}%Y{gap}{clock}" for mark in "/-" for gap in " T" for clock in ("%H:%M", "%H:%M:%S")],
}
STANDARD = frozenset(
    {"%Y-%m-%d", "%H:%M:%S", *(f"%Y-%m-%dT%H:%M:%S{rest}" for rest in ("", ".%f", "%z", ".%f%z", "[.%f]", "[.%f]%z"))}
)
"""The formats that are a schema's default, so that its bounds can be written in ISO 8601."""
DAY_OR_MONTH = "Is the day first, or the month? The samples do not tell."
JSON_TYPES: Mapping[str, Sequence[Descriptor]] = {
    "integer": [{"type": "integer"}],
    "number": [{"type": "number"}],
    "boolean": [{"type": "boolean"}],
    "array": [{"type": "array"}],
    "object": [{"type": "object"}],
    "string": [{"type": "date"}, {"type": "datetime"}, {"type": "time"}, TEXT],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A field: what it could be, narrowest first, and what else holds; no ladder if no value was seen."""

    name: str
    ladder: Sequence[Descriptor] | None
    required: bool = False
    unique: bool = False
    bounds: tuple[str, str] | None = None
    enum: frozenset[str] | None = None
    last: Descriptor = field(default_factory=lambda: TEXT)
    """What it is if nothing better fits."""

    @property
    def kind(self) -> Descriptor:
        """Its type, format and options."""
        return self.ladder[0] if self.ladder else self.last

    def merged(self, other: Proposal) -> Proposal:
        """What holds of two columns of one name."""
        if self.ladder is None or other.ladder is None:
            ladder = self.ladder or other.ladder
        else:
            ladder = [kind for kind in self.ladder if kind in other.ladder] or [self.last]
        enum = self.enum | other.enum if self.enum is not None and other.enum is not None else None
        return replace(
            self,
            ladder=ladder,
            required=self.required and other.required,
            unique=self.unique and other.unique,
            bounds=_wider(self.bounds, other.bounds),
            enum=enum,
        )

    def without(self, code: str) -> Proposal:
        """The field without the rule that a finding is about, or with the next type; itself if there is none."""
        match code:
            case "type-error":
                return replace(self, ladder=(self.ladder or [])[1:] or [self.last], bounds=None, enum=None)
            case "constraint-required":
                return replace(self, required=False)
            case "constraint-unique":
                return replace(self, unique=False)
            case "constraint-minimum" | "constraint-maximum":
                return replace(self, bounds=None)
            case "constraint-enum":
                return replace(self, enum=None)
        return self

    def descriptor(self, *, unique: bool) -> dict[str, Any]:
        """The field as a schema says it."""
        constraints = {"required": True} if self.required else {}
        constraints |= {"unique": True} if unique else {}
        constraints |= _limits(self.kind, self.bounds)
        listed = {"enum": sorted(self.enum)} if self.enum and self.kind == TEXT else {}
        said = {"name": self.name, **self.kind, "constraints": constraints | listed}
        return {name: value for name, value in said.items() if value != {}}


def of_column(column: Column, records: int, *, bounds: bool, enums: bool) -> Proposal:
    """What a column of delimited text allows."""
    profile = column.profile
    if profile is None or profile.type is None:
        return Proposal(name=column.name, ladder=None)
    least, greatest = profile.minimum, profile.maximum
    bounds = bounds and (profile.type in ("integer", "number") or profile.format in STANDARD)
    listed = frozenset(value.value for value in profile.common)
    is_listed = len(listed) == profile.distinct and all(len(value) < LONGEST_LISTED for value in listed)
    return Proposal(
        name=column.name,
        ladder=_ladder(profile),
        required=not profile.nulls,
        unique=records > 1 and profile.distinct == records and profile.type in ("integer", "string"),
        bounds=(least, greatest) if bounds and least is not None and greatest is not None else None,
        enum=listed if enums and is_listed else None,
    )


def of_member(column: Column, records: int) -> Proposal:
    """What a member of JSON Lines allows."""
    types = dict(column.types or {})
    nulls = types.pop("null", 0)
    if types.keys() == {"integer", "number"}:
        types = {"number": 0}
    ladder = [*JSON_TYPES[next(iter(types))], ANY] if len(types) == 1 else [ANY]
    present = sum((column.types or {}).values())
    return Proposal(
        name=column.name, ladder=ladder if types else None, required=not nulls and present == records, last=ANY
    )


def _ladder(profile: Profile) -> Sequence[Descriptor]:
    if profile.share != WHOLE or profile.type in (None, "string"):
        return [TEXT]
    match profile.type:
        case "integer":
            return [{"type": "integer"}, *NUMBERS.values(), TEXT]
        case "number":
            return [NUMBERS[profile.format], TEXT]
        case "boolean":
            return [_boolean(profile.format or ""), TEXT]
    if profile.format is None:
        said = [{"type": profile.type, "format": pattern} for pattern in UNSURE[profile.type]]
        return [*({**each, "description": DAY_OR_MONTH} for each in said), *said, TEXT]
    pattern = {"type": profile.type, "format": profile.format}
    is_one = "[" not in profile.format
    return [{"type": profile.type}, *([pattern] if is_one else [{"type": profile.type, "format": "any"}]), TEXT]


def _boolean(pair: str) -> Descriptor:
    true, false = ([form(word) for form in (str.lower, str.capitalize, str.upper)] for word in pair.split("/"))
    return {"type": "boolean", "trueValues": true, "falseValues": false}


def _wider(one: tuple[str, str] | None, two: tuple[str, str] | None) -> tuple[str, str] | None:
    """Bounds around both; they are numbers, or dates and times in ISO 8601."""
    if one is None or two is None:
        return None
    try:
        key: Any = Decimal
        return min(one[0], two[0], key=key), max(one[1], two[1], key=key)
    except ArithmeticError:
        return min(one[0], two[0]), max(one[1], two[1])


def _limits(kind: Descriptor, bounds: tuple[str, str] | None) -> dict[str, Any]:
    """The bounds as a schema of that kind says them; only those of numbers, and of dates and times in ISO 8601."""
    if bounds is None or kind in (TEXT, ANY):
        return {}
    if kind["type"] in ("integer", "number"):
        return dict(zip(("minimum", "maximum"), map(_number, bounds), strict=True))
    return {} if "format" in kind else dict(zip(("minimum", "maximum"), bounds, strict=True))


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdecimal() else float(text)
