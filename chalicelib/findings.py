"""The catalogue of finding codes, and the collector every inspection writes to.

Codes are public: they are stored in receipts for years, so one is never renamed or given another meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import NamedTuple


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


class Code(NamedTuple):
    """One kind of finding: its place in the table of design, its sentence, and how to mend the file.

    `ends_check` if what follows it in the file was not checked, or cannot be trusted.
    """

    slug: str
    severity: Severity
    scope: Scope
    meaning: str
    message: str
    fix: str
    cause: Cause = Cause.CONTENT
    ends_check: bool = False

    @property
    def is_tolerable(self) -> bool:
        """Whether a contract may let some of them pass: each spoils one row at the most."""
        return self.scope in (Scope.ROW, Scope.CELL) and not self.ends_check


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
        message="The text is not marked and not UTF-8; it was read as {encoding}, a guess that is {confidence} % sure.",
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
        ends_check=True,
        meaning="A record or line is longer than the inspection's limit; the rest of the file was not checked.",
        message="A record is longer than {limit:,} bytes; what follows was not checked.",
        fix="Look for a quote that is never closed or a missing line ending; or split the record.",
    ),
    Code(
        slug="too-many-columns",
        severity=ERROR,
        scope=Scope.ROW,
        ends_check=True,
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
        slug="decompression-memory",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="Unpacking the data takes more memory than the inspection's limit.",
        message="To unpack the {compression} data takes more memory than the limit.",
        fix="Compress the file again with a dictionary or window of 128 MiB at most, as every level has it by itself.",
    ),
    Code(
        slug="unsupported-compression",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The data is compressed in a way that is not known here, so it cannot be unpacked.",
        message="The {compression} data cannot be unpacked: {reason}.",
        fix="Compress the file again with the program's own settings.",
    ),
    Code(
        slug="nested-compression",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="What was unpacked is packed once more; only one layer is unpacked.",
        message="The {compression} data holds {found} data, and only one layer is unpacked.",
        fix="Send the file packed only once.",
    ),
    Code(
        slug="several-files",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="An archive holds more than one file, so that none of them is the upload's content.",
        message="The {compression} archive holds more than one file; none of them was inspected.",
        fix="Send each file by itself, or in an archive of its own.",
    ),
    Code(
        slug="encrypted-archive",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="A member of the archive is encrypted, so it cannot be read.",
        message="A member of the {compression} archive is encrypted.",
        fix="Send the file without a password.",
    ),
    Code(
        slug="archive-inconsistent",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The archive's directory and its members contradict each other: readers may see different files.",
        message="The directory of the {compression} archive and its members contradict each other: {reason}.",
        fix="Pack the file again; if that does not help, with another program.",
    ),
    Code(
        slug="too-many-members",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="An archive has more members than the inspection's limit; the rest was not checked.",
        message="The {compression} archive has more than {limit:,} members; what follows was not checked.",
        fix="Send each file by itself, or in an archive of its own.",
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
        slug="value-outside-table",
        severity=WARNING,
        scope=Scope.ROW,
        meaning="A row of a workbook has a value where the header, its first row, names no column. The row counts, and "
        "is not judged or profiled. Under a contract's schema this is an error.",
        message="There is a value in column {at}, for which the header has no name.",
        fix="Name each column in the header, and let it be the first row: titles and notes fit on another sheet.",
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
        ends_check=True,
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
        slug="malformed-xml",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="The text is not well-formed XML 1.0 (fifth edition); what follows the first error was not checked.",
        message="This is not well-formed XML: {reason}.",
        fix="Write the file with an XML library.",
    ),
    Code(
        slug="xml-encoding",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="XML whose encoding is not known, or not the one that it declares; its text was not checked.",
        message="The document {reason}; its text was not checked.",
        fix="Save the file as UTF-8, and let its XML declaration say so or say nothing.",
    ),
    Code(
        slug="xml-entity",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="The document type declares an entity; none is ever expanded, and what follows was not checked.",
        message="The document type declares an entity, which is not expanded; what follows was not checked.",
        fix="Write out what the entity stands for and remove its declaration.",
    ),
    Code(
        slug="xml-external-entity",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="The document type declares an entity in another file; none is ever read, and what follows was not "
        "checked.",
        message="The document type declares an entity in another file, which is not read; what follows was not "
        "checked.",
        fix="Put the content into the document itself and remove the declaration.",
    ),
    Code(
        slug="xml-external-dtd",
        severity=WARNING,
        scope=Scope.FILE,
        meaning="The document names a document type in another file; that is never read.",
        message="The document names a document type in another file, which was not read.",
        fix="Nothing needs to be done; a reader that fetches it may see other defaults, or fail without the file.",
    ),
    Code(
        slug="xml-too-deep",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="XML nested deeper than the inspection's limit; what follows was not checked.",
        message="The XML is nested deeper than {limit:,} levels.",
        fix="Flatten the structure; most readers refuse such depth.",
    ),
    Code(
        slug="xml-too-complex",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="XML with a tag, names or a document type beyond the inspection's limits; what follows was not "
        "checked.",
        message="The XML is too complex: {reason}.",
        fix="Put long text between tags instead of into them, and data into text instead of names.",
    ),
    Code(
        slug="xml-namespace",
        severity=WARNING,
        scope=Scope.FILE,
        meaning="XML that is well-formed, but not by the rules of Namespaces in XML 1.0; many readers refuse it.",
        message="The XML breaks the rules of namespaces: {reason}.",
        fix="Declare each prefix on the element that uses it or on one around it, and use a colon for nothing else.",
    ),
    Code(
        slug="truncated-parquet",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="A Parquet file that does not end with its footer, without which nothing in it can be read.",
        message="The file begins as Parquet, but does not end with its footer.",
        fix="The writer or the transfer was probably cut: send the whole file again.",
    ),
    Code(
        slug="damaged-parquet",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="A Parquet file whose footer is broken, contradicts itself or the file, or has unreadable values.",
        message="The Parquet file is damaged: {reason}.",
        fix="Send the file again in binary mode; if it stays, write it again.",
    ),
    Code(
        slug="damaged-xlsx",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="A workbook of which a part is missing, is no XML, or contradicts another; it was not checked further.",
        message="The workbook is damaged: {reason}.",
        fix="Open it in a spreadsheet program, save it again as .xlsx, and send that.",
    ),
    Code(
        slug="unsupported-xlsx",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="A workbook in a form that is not read here.",
        message="The workbook cannot be read: {reason}.",
        fix="Save it as .xlsx and send that.",
    ),
    Code(
        slug="cell-error",
        severity=WARNING,
        scope=Scope.CELL,
        meaning="A cell of a workbook holds an error, such as #REF! or #DIV/0!, instead of a value.",
        message='The cell {cell} of the sheet "{sheet}" holds an error instead of a value.',
        fix="Correct the formula, or what it refers to.",
    ),
    Code(
        slug="hidden-sheets",
        severity=INFO,
        scope=Scope.FILE,
        meaning="Some sheets of a workbook are hidden; the first that is not is the table of the receipt.",
        message="Of the {count:,} sheets of the workbook {found:,} are hidden.",
        fix="Nothing needs to be done; remove what nobody is to see.",
    ),
    Code(
        slug="macros-present",
        severity=INFO,
        scope=Scope.FILE,
        meaning="A workbook holds macros, which are programs; they are never run here.",
        message="The workbook holds macros.",
        fix="Nothing needs to be done; a file of data is better saved as .xlsx, which has none.",
    ),
    Code(
        slug="encrypted-file",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="The file is encrypted, as a whole or in part, so that it cannot be read.",
        message="The {format} file is encrypted.",
        fix="Send the file without encryption or a password; the bucket encrypts it at rest by itself.",
    ),
    Code(
        slug="too-large-to-check",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="The file, or a part of it, is larger than the inspection's limit for its format: it was not checked.",
        message="The {what} is larger than {limit:,} bytes, so it was not checked.",
        fix="Split the file.",
    ),
    Code(
        slug="values-not-checked",
        severity=WARNING,
        scope=Scope.FILE,
        meaning="The structure of the file is right, but its values were not read.",
        message="The values of the file were not read: {reason}.",
        fix="Send a file that can be read by itself, or a smaller one.",
    ),
    Code(
        slug="check-failed",
        severity=ERROR,
        scope=Scope.TABLE,
        meaning="A check of the contract does not hold, for a row or for all of them.",
        message="The check {fields} does not hold: {rule}.",
        fix="Correct the values; or correct the check, if these are right.",
    ),
    Code(
        slug="check-not-evaluated",
        severity=WARNING,
        scope=Scope.TABLE,
        meaning="A check of the contract could not be evaluated.",
        message="The check {fields} was not evaluated: {rule}.",
        fix="Correct the values or the check; run it elsewhere if it takes too long here.",
    ),
    Code(
        slug="uniqueness-not-checked",
        severity=WARNING,
        scope=Scope.FILE,
        meaning="Something that must be unique was checked only up to the inspection's memory limit.",
        message="{what} were checked for duplicates only up to {limit}.",
        fix="Nothing needs to be done; split very large objects or files to have them checked whole.",
    ),
    Code(
        slug="unexpected-format",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The content is not of the format that the contract asks for.",
        message="The content is {found}; the contract asks for {expected}.",
        fix="Send the file in that format; or correct the contract.",
    ),
    Code(
        slug="contract-not-checked",
        severity=ERROR,
        scope=Scope.FILE,
        ends_check=True,
        meaning="The values of the file could not be read, so it is not known if they are what the contract asks for.",
        message="The values could not be judged by the contract: {reason}.",
        fix="Send a file that can be read by itself, or a smaller one.",
    ),
    Code(
        slug="missing-sheet",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The workbook has no sheet of the name that the contract asks for.",
        message='The workbook has no sheet "{sheet}", which the contract asks for.',
        fix="Give the sheet that name; or correct the contract.",
    ),
    Code(
        slug="unexpected-encoding",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The byte order mark is not that of the encoding that the contract asks for.",
        message="The byte order mark says {found}; the contract asks for {expected}.",
        fix="Save the file in that encoding; or correct the contract.",
    ),
    Code(
        slug="too-few-bytes",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The file is smaller than the contract allows.",
        message="The file has {found:,} bytes; the contract asks for at least {limit:,}.",
        fix="Look whether the file was cut off; send all of it.",
    ),
    Code(
        slug="too-many-bytes",
        severity=ERROR,
        scope=Scope.FILE,
        meaning="The file is larger than the contract allows.",
        message="The file has {found:,} bytes; the contract allows {limit:,}.",
        fix="Split the file; or correct the contract.",
    ),
    Code(
        slug="too-few-rows",
        severity=ERROR,
        scope=Scope.TABLE,
        meaning="There are fewer records than the contract asks for.",
        message="There are {found:,} records; the contract asks for at least {limit:,}.",
        fix="Look whether the file was cut off; send all of the records.",
    ),
    Code(
        slug="too-many-rows",
        severity=ERROR,
        scope=Scope.TABLE,
        meaning="There are more records than the contract allows.",
        message="There are {found:,} records; the contract allows {limit:,}.",
        fix="Split the file; or correct the contract.",
    ),
    Code(
        slug="missing-label",
        severity=ERROR,
        scope=Scope.TABLE,
        meaning="A field of the contract's schema has no column.",
        message="The header {rule}.",
        fix="Add the column, with exactly the field's name; or correct the contract.",
    ),
    Code(
        slug="extra-label",
        severity=ERROR,
        scope=Scope.TABLE,
        meaning="A column is no field of the contract's schema.",
        message="The header {rule}.",
        fix="Remove the column; or add a field to the contract, or let it allow extra columns.",
    ),
    Code(
        slug="incorrect-label",
        severity=ERROR,
        scope=Scope.TABLE,
        meaning="A column is not the field that the contract's schema has in its place.",
        message="The header {rule}.",
        fix="Name and order the columns as the contract does; or correct the contract.",
    ),
    Code(
        slug="missing-field",
        severity=ERROR,
        scope=Scope.ROW,
        meaning="A record of JSON lacks a member that the contract's schema has as a field.",
        message="The record {rule}.",
        fix="Write the member, null if it has no value; or let the contract's fieldsMatch be superset.",
    ),
    Code(
        slug="extra-field",
        severity=ERROR,
        scope=Scope.ROW,
        meaning="A record of JSON has a member that is no field of the contract's schema.",
        message="The record {rule}.",
        fix="Remove the member; or add a field to the contract, or let it allow extra columns.",
    ),
    Code(
        slug="type-error",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is not of the type and format that the contract's schema says.",
        message="The cell {rule}.",
        fix="Correct the value; or the contract, if the value is right.",
    ),
    Code(
        slug="constraint-required",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is missing that the contract's schema requires.",
        message="The cell {rule}.",
        fix="Fill in the value; or correct the contract, if it may be missing.",
    ),
    Code(
        slug="constraint-minimum",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is less than the minimum of the contract's schema.",
        message="The cell {rule}.",
        fix="Correct the value; or the contract, if the value is right.",
    ),
    Code(
        slug="constraint-maximum",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is more than the maximum of the contract's schema.",
        message="The cell {rule}.",
        fix="Correct the value; or the contract, if the value is right.",
    ),
    Code(
        slug="constraint-exclusive-minimum",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is not more than the exclusive minimum of the contract's schema.",
        message="The cell {rule}.",
        fix="Correct the value; or the contract, if the value is right.",
    ),
    Code(
        slug="constraint-exclusive-maximum",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is not less than the exclusive maximum of the contract's schema.",
        message="The cell {rule}.",
        fix="Correct the value; or the contract, if the value is right.",
    ),
    Code(
        slug="constraint-min-length",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is shorter than the contract's schema asks for.",
        message="The cell {rule}.",
        fix="Correct the value; or the contract, if the value is right.",
    ),
    Code(
        slug="constraint-max-length",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is longer than the contract's schema allows.",
        message="The cell {rule}.",
        fix="Correct the value; or the contract, if the value is right.",
    ),
    Code(
        slug="constraint-pattern",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is not of the pattern that the contract's schema says.",
        message="The cell {rule}.",
        fix="Correct the value; or the contract, if the value is right.",
    ),
    Code(
        slug="constraint-enum",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value is none of those that the contract's schema lists.",
        message="The cell {rule}.",
        fix="Correct the value; or the contract, if the value is right.",
    ),
    Code(
        slug="constraint-unique",
        severity=ERROR,
        scope=Scope.CELL,
        meaning="A value that the contract's schema wants to be unique is there more than once.",
        message="The cell has the same value as one of a row before.",
        fix="Remove the duplicate; or correct the contract, if values may be repeated.",
    ),
    Code(
        slug="constraint-unique-key",
        severity=ERROR,
        scope=Scope.ROW,
        meaning="The values of a unique key of the contract's schema are there more than once.",
        message="The row has the same values of {fields} as one before.",
        fix="Remove the duplicate; or correct the contract, if values may be repeated.",
    ),
    Code(
        slug="constraint-primary-key",
        severity=ERROR,
        scope=Scope.ROW,
        meaning="The values of the primary key of the contract's schema are there more than once.",
        message="The row has the same values of {fields}, the primary key, as one before.",
        fix="Remove the duplicate; or correct the contract's primary key.",
    ),
    Code(
        slug="errors-tolerated",
        severity=WARNING,
        scope=Scope.FILE,
        meaning="There are errors, and no more than the contract tolerates: the file is accepted.",
        message="There are {found:,} errors, of which the contract tolerates {limit:,}.",
        fix="Correct them at the next occasion.",
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


class Finding(NamedTuple):
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


_SEVERITIES: Mapping[str, Severity] = {code: known.severity for code, known in CATALOGUE.items()}


class Findings:
    """Collects findings: the first `per_code` of each code are kept, every one is counted.

    Adding costs a dictionary update once a code's first findings are kept, so a file with millions of bad
    rows costs no memory. A contract may have moved the `severity` of some codes, and have others `ignored`.
    """

    def __init__(
        self,
        *,
        per_code: int = 10,
        severity: Mapping[str, Severity] | None = None,
        ignored: Collection[str] = (),
    ) -> None:
        self._per_code = per_code
        self._severity = {**_SEVERITIES, **severity} if severity else _SEVERITIES
        self._ignored = ignored
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
        """Count one finding of `code`, and keep it if it is among the first; `values` fill its message.

        A `reference` among them is what a cell of a workbook is called there: it ends the message.
        """
        if self._is_closed or code in self._ignored:
            return
        known = CATALOGUE[code]
        count = self._counts.get(code, 0)
        self._counts[code] = count + 1
        if count >= self._per_code:
            return
        message = f"{known.message} {known.fix}".format(**values)
        if reference := values.get("reference"):
            message += f" It is the cell {reference}."
        self._kept.append(
            Finding(
                code=code,
                severity=self._severity[code],
                message=message,
                row=row,
                line=line,
                column=column,
                field=field,
            )
        )

    def full(self, code: str) -> bool:
        """Whether further findings of `code` are only counted: their position need not be worked out."""
        return self._counts.get(code, 0) >= self._per_code or code in self._ignored

    def count(self, code: str, more: int) -> None:
        """Count `more` findings of `code` that are like those kept already, without keeping them."""
        if more and not self._is_closed and code not in self._ignored:
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
    def errors(self) -> Mapping[str, int]:
        """The exact number of findings of each code that is an error here."""
        return {code: count for code, count in self._counts.items() if self._severity[code] is Severity.ERROR}

    @property
    def is_closed(self) -> bool:
        """Whether nothing is taken at the moment."""
        return self._is_closed

    @property
    def cause(self) -> Cause | None:
        """The cause of failure, or None if no finding is an error; what is not the file's fault comes first."""
        causes = {CATALOGUE[code].cause for code in self.errors}
        return next((cause for cause in (Cause.SYSTEM, Cause.UNAVAILABLE, Cause.CONTENT) if cause in causes), None)
