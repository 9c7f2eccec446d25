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
            encoding=contract.encoding,
            samples=contract.samples,
        )
