"""What is known of a file's form before it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.inspection.media_types import Format

if TYPE_CHECKING:
    from chalicelib.contracts import Contract


class Expectation(NamedTuple):
    """What a caller knows better than the name and the content do."""

    format: Format | None = None
    header: bool = True
    delimiter: str | None = None
    width: int | None = None
    """How many cells a row of delimited text without a header has; None if its first record tells."""
    encoding: str | None = None
    samples: bool = False
    """Whether the report may tell values as the file has them."""

    @classmethod
    def of(cls, contract: Contract) -> Expectation:
        """What a contract says of a file's form."""
        return cls(
            format=Format(contract.format) if contract.format else None,
            header=contract.header,
            delimiter=contract.delimiter,
            width=_width(contract),
            encoding=contract.encoding,
            samples=contract.samples,
        )


def _width(contract: Contract) -> int | None:
    schema = contract.schema
    is_known = schema and not contract.header and schema.fields_match in ("exact", "equal")
    return len(schema.fields) if schema and is_known else None
