"""The budgets of one inspection: what keeps its time and memory bounded whatever the file."""

from __future__ import annotations

from typing import NamedTuple

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


class OutOfTimeError(Exception):
    """Ends the pass at once; the report says so."""


class Limits(NamedTuple):
    """Budgets; a file beyond one ends with a finding that says so, never with a killed function."""

    sniff_bytes: int = 64 * KIB
    """How much of the unpacked beginning decides format, encoding and dialect."""
    block_bytes: int = 256 * KIB
    """How much is worked on at a time: enough that per-block Python costs vanish, and within a processor's cache."""
    kernel_from_bytes: int = 256 * KIB
    """How much of a text has been read when the kernel goes on with it, if it is loaded."""
    kernel_load_bytes: int = 4 * MIB
    """And if it is not: loading it takes as long as so many bytes without it."""
    record_bytes: int = 16 * MIB
    """The longest record of delimited text or line of JSON Lines; it is held in memory."""
    columns: int = 16_384
    """The most cells in a row: as many as the widest common spreadsheet has."""
    json_depth: int = 1_000
    """The deepest nesting of JSON; Python's own parser stops near there."""
    json_names: int = 100_000
    """How many names of one object are compared for duplicates."""
    profiled_characters: int = MIB
    """How much of a table's beginning is profiled: cells of so many characters. Of the rest it is a small part."""
    profiled_values: int = 100_000
    """How many different values of a table are kept to count them exactly, over all its columns."""
    common_values: int = 5
    """How many of the commonest values of a column a report tells, where it may tell any."""
    uniqueness_bytes: int = 256 * MIB
    """How much memory the values may take that a contract wants to be unique."""
    engine_from_bytes: int = MIB
    """How many bytes of records a table has at least that kernel or engine judge: their start takes as long."""
    engine_batch_bytes: int = 8 * MIB
    """How much the engine is asked about at a time; it is held twice, while the next batch is collected."""
    engine_columns: int = 256
    """How many columns such a table has at most; the engine takes some 32 KiB for each, and more for each thread."""
    check_seconds: int = 60
    """How long one statement of a contract's check may take."""
    xml_depth: int = 1_000
    """The deepest nesting of XML elements; few readers go deeper."""
    xml_names: int = 16 * MIB
    """What the different names of an XML document may take: each its characters and 100 bytes."""
    xml_dtd_bytes: int = MIB
    """The longest document type of XML; what it declares is held in memory."""
    spool_bytes: int = 400 * MIB
    """How much of a file of a format that is read from its end is put on disk: a function of AWS has 512 MB of it."""
    parquet_footer_bytes: int = 16 * MIB
    """The longest footer of a Parquet file; it is held in memory."""
    shared_text_bytes: int = 128 * MIB
    """How much memory the texts may take that the cells of a workbook share."""
    named_sheets: int = 100
    """How many sheets of a workbook a report names; the rest are counted."""
    unpacked_bytes: int = 64 * GIB
    """How much compressed data may unpack to."""
    unpacked_ratio: int = 300
    """How many times its size compressed data may unpack to, once beyond `ratio_from` bytes."""
    ratio_from: int = 256 * MIB
    window_bytes: int = 128 * MIB
    """How much memory of what was unpacked a compression may ask for: as much as the widest that readers take unasked.

    For xz that is its dictionary (64 MiB at its highest level), for Zstandard its window.
    """
    members: int = 100_000
    """How many members an archive may have; some two hundred bytes of each are held in memory."""
    named_members: int = 100
    """How many members of an archive a report names; the rest are counted."""
    findings_per_code: int = 10
    named_columns: int = 200
    """How many columns a report names; the rest are counted."""
    name_length: int = 200
    """How many characters of the name of a column, or of a member of an archive, a report keeps."""
