"""The catalogue of finding codes, and the collector every inspection writes to.

Codes are public: they are stored in receipts for years, so one is never renamed or given another meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`error` fails the file; `warning` is readable but suspicious; `info` is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Cause(StrEnum):
    """Why an upload failed: what it contains, that its bytes could not be had, or that Recibo could not finish."""

    CONTENT = "content"
    UNAVAILABLE = "unavailable"
    SYSTEM = "system"


class Scope(StrEnum):
    """What a finding speaks of; its position is as exact as its scope allows."""

    OBJECT = "object"
    FILE = "file"
    TABLE = "table"
    ROW = "row"
    CELL = "cell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One kind of finding: its place in the table of design, its sentence, and how to mend the file."""

    slug: str
    severity: Severity
    scope: Scope
    meaning: str
    message: str
    fix: str
    cause: Cause = Cause.CONTENT


def _catalogue(*codes: Code) -> Mapping[str, Code]:
    return {code.slug: code for code in codes}


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

CATALOGUE: Mapping[str, Code] = _catalogue(
    Code(
        slug="empty-file",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The file has no content.",
        message="The file is empty.",
        fix="Send the file again; if nothing was to be sent, send a file with only its header.",
    ),
    Code(
        slug="invalid-encoding",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="Bytes that are not valid in the file's encoding.",
        message="The text is not valid {encoding}: {reason}.",
        fix="Save the file as UTF-8 and send it again.",
    ),
    Code(
        slug="nul-byte",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="A NUL character inside text; most readers stop or drop data there.",
        message="There is a NUL character in the text.",
        fix="Remove NUL characters; they often come from a broken export or from UTF-16 without a byte order mark.",
    ),
    Code(
        slug="encoding-guessed",
        severity=WARNING,
        scope=Scope.FILE,
        meaning="The text is not UTF-8 and has no byte order mark, so its encoding is a guess.",
        message="The text is not UTF-8; it was read as {encoding}.",
        fix="Save the file as UTF-8, so that no reader has to guess.",
    ),
    Code(
        slug="bom-present",
        severity=INFO,
        scope=Scope.FILE,
        meaning="The text begins with a byte order mark.",
        message="The text begins with a {encoding} byte order mark.",
        fix="Nothing needs to be done; some readers show the mark as part of the first name.",
    ),
    Code(
        slug="mixed-newlines",
        severity=WARNING,
        scope=Scope.FILE,
        meaning="Lines end in more than one way.",
        message="Lines end in more than one way: {newlines}.",
        fix="Write every line with the same ending, LF or CRLF.",
    ),
    Code(
        slug="no-final-newline",
        severity=INFO,
        scope=Scope.FILE,
        meaning="The last line has no line ending.",
        message="The last line has no line ending.",
        fix="Nothing needs to be done; a missing last line ending can be a sign of a truncated file.",
    ),
    Code(
        slug="line-too-long",
        severity=ERROR,
        scope=Scope.ROW,
        meaning="A record or line is longer than the inspection's limit; the rest of the file was not checked.",
        message="A record is longer than {limit:,} bytes; what follows was not checked.",
        fix="Look for a quote that is never closed or a missing line ending; or split the record.",
    ),
    Code(
        slug="too-many-columns",
        severity=ERROR,
        scope=Scope.ROW,
        meaning="The header has more columns than the inspection's limit; the file was not checked further.",
        message="The header has more than {limit:,} columns; the file was not checked further.",
        fix="Check the delimiter and the line endings; or split the table.",
    ),
    Code(
        slug="name-content-mismatch",
        severity=WARNING,
        scope=Scope.FILE,
        meaning="The name's extension says one format, the content is another.",
        message="The name says {named}, but the content is {found}; it was inspected as {found}.",
        fix="Give the file the extension of what it contains.",
    ),
    Code(
        slug="declared-type-mismatch",
        severity=WARNING,
        scope=Scope.OBJECT,
        meaning="The content type declared with the upload is not that of the content.",
        message="The upload was declared as {declared}, but the content is {found}.",
        fix="Upload with the right Content-Type, or with none.",
    ),
    Code(
        slug="damaged-compression",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The compressed data is damaged: its structure or checksum is wrong, or other data follows it.",
        message="The {compression} data is damaged after {position:,} bytes: {reason}.",
        fix="Compress the file again and send it in binary mode.",
    ),
    Code(
        slug="truncated-compression",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The compressed data ends before its end mark.",
        message="The {compression} data ends too early, after {position:,} bytes.",
        fix="The transfer was probably cut: send the whole file again.",
    ),
    Code(
        slug="decompression-bomb",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The data unpacks to more than the inspection's limit of size or ratio; unpacking was stopped.",
        message="The {compression} data unpacks to more than {limit}; unpacking was stopped.",
        fix="Split the file, or send it uncompressed.",
    ),
    Code(
        slug="no-records",
        severity=WARNING,
        scope=Scope.TABLE,
        meaning="There is no record in the file.",
        message="There is no record in the file.",
        fix="Send the records; if there were none, this warning can be ignored.",
    ),
    Code(
        slug="blank-header",
        severity=WARNING,
        scope=Scope.TABLE,
        meaning="A column has no name in the header.",
        message="Column {position} has no name in the header.",
        fix="Name every column in the first row.",
    ),
    Code(
        slug="duplicate-header",
        severity=WARNING,
        scope=Scope.TABLE,
        meaning="Two columns have the same name.",
        message="Column {position} has the same name as column {first}.",
        fix="Give each column a name of its own.",
    ),
    Code(
        slug="blank-row",
        severity=WARNING,
        scope=Scope.ROW,
        meaning="A line between records has nothing in it; it is not counted as a record.",
        message="The line is blank.",
        fix="Remove blank lines.",
    ),
    Code(
        slug="missing-cells",
        severity=ERROR,
        scope=Scope.ROW,
        meaning="A row has fewer cells than the header.",
        message="The row has {found} of {expected} cells.",
        fix="Add the missing cells (an empty cell still needs its delimiter), or quote the line break inside a cell.",
    ),
    Code(
        slug="extra-cells",
        severity=ERROR,
        scope=Scope.ROW,
        meaning="A row has more cells than the header.",
        message="The row has {found} cells where {expected} are expected.",
        fix='Quote cells that contain the delimiter, as in "Silva, Ana".',
    ),
    Code(
        slug="stray-quote",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A quote inside an unquoted cell, or text after a closing quote (RFC 4180, section 2, rules 5 to 7).",
        message="There is a quote that neither opens nor closes the cell.",
        fix='Quote the whole cell and double the quotes inside it, as in "5"" pipe".',
    ),
    Code(
        slug="unclosed-quote",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A quoted cell is not closed by the end of the file.",
        message="The quote opened here is never closed.",
        fix='Close the quote; a quote inside a quoted cell is written twice, as in "5"" pipe".',
    ),
    Code(
        slug="malformed-json",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The text is not JSON (RFC 8259); what follows the first error was not checked.",
        message="This is not JSON: {reason}.",
        fix="Write the file with a JSON library.",
    ),
    Code(
        slug="malformed-json-line",
        severity=ERROR,
        scope=Scope.ROW,
        meaning="A line of a JSON Lines file is not one JSON value (RFC 8259).",
        message="The line is not JSON: {reason}.",
        fix="Write each record as one JSON value on one line, with a JSON library.",
    ),
    Code(
        slug="json-too-deep",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="JSON nested deeper than the inspection's limit; what follows was not checked.",
        message="The JSON is nested deeper than {limit:,} levels.",
        fix="Flatten the structure; most readers refuse such depth.",
    ),
    Code(
        slug="duplicate-json-name",
        severity=WARNING,
        scope=Scope.CELL,
        meaning="An object has the same name twice; readers differ in which value they keep (RFC 8259, section 4).",
        message="An object has the same name twice.",
        fix="Give each member of an object a name of its own.",
    ),
    Code(
        slug="uniqueness-not-checked",
        severity=WARNING,
        scope=Scope.FILE,
        meaning="Something that must be unique was checked only up to the inspection's memory limit.",
        message="Names were checked for duplicates only up to {limit:,} in one object.",
        fix="Nothing needs to be done; split very large objects to have them checked whole.",
    ),
    Code(
        slug="object-missing",
        severity=ERROR,
        scope=Scope.OBJECT,
        cause=Cause.UNAVAILABLE,
        meaning="The uploaded version was deleted before it could be read.",
        message="The uploaded bytes were deleted before they could be read.",
        fix="Upload the file again if it is still wanted.",
    ),
    Code(
        slug="object-replaced",
        severity=ERROR,
        scope=Scope.OBJECT,
        cause=Cause.UNAVAILABLE,
        meaning="In a bucket without versions, other bytes took the upload's place before it could be read.",
        message="The uploaded bytes were replaced by another upload before they could be read.",
        fix="Turn on versioning for the bucket; the later upload has its own receipt.",
    ),
    Code(
        slug="object-archived",
        severity=ERROR,
        scope=Scope.OBJECT,
        cause=Cause.UNAVAILABLE,
        meaning="The upload is in an archive storage class and cannot be read.",
        message="The upload is archived ({storage_class}) and cannot be read.",
        fix="Upload to a storage class with immediate access, or restore the object and ask for another inspection.",
    ),
    Code(
        slug="inspection-timed-out",
        severity=ERROR,
        scope=Scope.OBJECT,
        cause=Cause.SYSTEM,
        meaning="The inspection ran out of time before the end of the file.",
        message="The inspection ran out of time after {position:,} bytes.",
        fix="Nothing is wrong with the file: it will be inspected again; give the function more memory or time.",
    ),
    Code(
        slug="inspection-crashed",
        severity=ERROR,
        scope=Scope.OBJECT,
        cause=Cause.SYSTEM,
        meaning="Every try to inspect the upload ended without a receipt: an exception, a timeout or lack of memory.",
        message="The inspection did not finish: {reason} (request {request_id}).",
        fix="Nothing is known to be wrong with the file: read the function's log for that request.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem or remark, with its position as far as it is known.

    `row` counts records from 1 without the header (0 is the header); `line` and `column` count physical lines
    and characters from 1; `field` is a column's or member's name.
    """

    code: str
    severity: Severity
    message: str
    row: int | None = None
    line: int | None = None
    column: int | None = None
    field: str | None = None


class Findings:
    """Collects findings: the first `per_code` of each code are kept, every one is counted.

    Adding costs a dictionary update once a code's first findings are kept, so a file with millions of bad
    rows costs no memory.
    """

    def __init__(self, *, per_code: int = 10) -> None:
        self._per_code = per_code
        self._kept: list[Finding] = []
        self._counts: dict[str, int] = {}
        self._is_closed = False

    @contextmanager
    def closed(self, *, when: bool) -> Iterator[None]:
        """Take nothing meanwhile: what would be found is only a consequence of what was."""
        self._is_closed = when
        yield
        self._is_closed = False

    def add(
        self,
        code: str,
        *,
        row: int | None = None,
        line: int | None = None,
        column: int | None = None,
        field: str | None = None,
        **values: object,
    ) -> None:
        """Count one finding of `code`, and keep it if it is among the first; `values` fill its message."""
        if self._is_closed:
            return
        known = CATALOGUE[code]
        count = self._counts.get(code, 0)
        self._counts[code] = count + 1
        if count >= self._per_code:
            return
        message = f"{known.message} {known.fix}".format(**values)
        self._kept.append(
            Finding(code=code, severity=known.severity, message=message, row=row, line=line, column=column, field=field)
        )

    def full(self, code: str) -> bool:
        """Whether further findings of `code` are only counted: their position need not be worked out."""
        return self._counts.get(code, 0) >= self._per_code

    def count(self, code: str, more: int) -> None:
        """Count `more` findings of `code` that are like those kept already, without keeping them."""
        if more and not self._is_closed:
            self._counts[code] = self._counts.get(code, 0) + more

    def __iter__(self) -> Iterator[Finding]:
        """The kept findings: errors first, then warnings, then info, each in the order of the file."""
        ranks = {severity: rank for rank, severity in enumerate(Severity)}
        return iter(sorted(self._kept, key=lambda kept: (ranks[kept.severity], kept.line or 0, kept.column or 0)))

    @property
    def counts(self) -> Mapping[str, int]:
        """The exact number of findings of each code."""
        return dict(self._counts)

    @property
    def cause(self) -> Cause | None:
        """The cause of failure, or None if no finding is an error; what is not the file's fault comes first."""
        causes = {CATALOGUE[code].cause for code in self._counts if CATALOGUE[code].severity is Severity.ERROR}
        return next((cause for cause in (Cause.SYSTEM, Cause.UNAVAILABLE, Cause.CONTENT) if cause in causes), None)
