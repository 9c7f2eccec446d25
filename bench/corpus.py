"""What is measured: generated files, written once into bench/data, and streams of the same of any length."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from xml.sax.saxutils import escape

from bench.rows import COLUMNS, Row, batches

DATA = Path(__file__).parent / "data"
VERSION = 1
"""Part of the files' names: raise it whenever their bytes change."""
_BLOCK = 1_000_000

Pieces = Iterator[bytes]


def table(*, plain: bool = False, quoting: int = csv.QUOTE_MINIMAL, end: str = "\n", ragged: bool = False) -> Pieces:
    """CSV: a header, then rows without end; with `ragged`, one row in 10,000 lacks its last cell."""
    yield _csv([COLUMNS], quoting, end)
    for rows in batches(plain=plain):
        if ragged:
            rows[len(rows) // 2] = rows[len(rows) // 2][:-1]
        yield _csv(rows, quoting, end)


def _csv(rows: Iterable[Row], quoting: int, end: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator=end).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue().encode()


def lines(record: Callable[[Row], object], *, end: str = "\n") -> Pieces:
    """JSON, one record a line, without end."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for rows in batches():
        yield "".join(encode(record(row)) + end for row in rows).encode()


def flat(row: Row) -> object:
    """A row as an object: numbers are numbers, and an empty note is null."""
    number, date, name, amount, category, country, note = row
    return dict(zip(COLUMNS, (int(number), date, name, float(amount), category, country, note or None), strict=True))


def nested(row: Row) -> object:
    """An order whose records differ: objects in objects, lists of several lengths, members that may lack."""
    number, date, name, amount, category, country, note = row
    key = int(number)
    items = [{"sku": f"{category[:3]}-{key % 97 + at}", "quantity": at + 1} for at in range(key % 4)]
    order: dict[str, object] = {"id": key, "at": f"{date}T12:00:00Z", "total": float(amount), "items": items}
    order["customer"] = {"name": name, "country": country, "tags": note.split()[: key % 3]}
    return order | ({"note": f"{note}\n\u201cok\u201d"} if key % 5 == 0 else {})


def _element(row: Row) -> str:
    """A row as an element with an attribute, an element a cell."""
    cells = "".join(f"<{name}>{escape(cell)}</{name}>" for name, cell in zip(COLUMNS[1:], row[1:], strict=True))
    return f'<row id="{row[0]}">{cells}</row>\n'


def elements() -> Pieces:
    """The rows as XML, without end."""
    for rows in batches():
        yield "".join(map(_element, rows)).encode()


FRAMES: Mapping[str, tuple[bytes, bytes, bytes]] = {
    ".json": (b"[\n", b",\n", b"\n]\n"),
    ".xml": (b'<?xml version="1.0" encoding="UTF-8"?>\n<rows>\n', b"", b"</rows>\n"),
}
"""What stands before the records of a file, behind each but the last, and behind them all."""
FILES: Mapping[str, Callable[[], Pieces]] = {
    "export.csv": table,
    "unquoted.csv": lambda: table(plain=True),
    "quoted.csv": lambda: table(quoting=csv.QUOTE_ALL, end="\r\n"),
    "ragged.csv": lambda: table(ragged=True),
    "flat.jsonl": lambda: lines(flat),
    "nested.jsonl": lambda: lines(nested),
    "array.json": lambda: lines(flat, end=",\n"),
    "rows.xml": elements,
}


def _parquet(size: int, path: Path) -> None:
    """A row group a batch, its columns as they would be exported: packed, with dictionaries."""
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    writer: Any = None
    for rows in batches():
        table = arrow.Table.from_pylist([flat(row) for row in rows])
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
        if path.stat().st_size >= size:
            break
    writer.close()


def _workbook(size: int, path: Path) -> None:
    """A sheet; a row takes some 40 bytes once it is packed."""
    book = import_module("openpyxl").Workbook(write_only=True)
    sheet = book.create_sheet("Export")
    sheet.append(COLUMNS)
    rows = itertools.chain.from_iterable(batches())
    for row in itertools.islice(rows, size // 40):
        sheet.append(list(cast(Mapping[str, Any], flat(row)).values()))
    book.save(path)


BUILT: Mapping[str, Callable[[int, Path], None]] = {"export.parquet": _parquet, "export.xlsx": _workbook}
"""The files that are no streams, by libraries that are none of Recibo's."""


def file(name: str, size: int, progress: Callable[[str, float], None]) -> Path:
    """The file of that name and of about that size, generated unless it is there; `.gz` names its gzipped twin.

    `progress` is told what is being written, and how much of it is done (0 to 1).
    """
    path = DATA / f"v{VERSION}-{size}-{name}"
    if path.exists():
        return path
    DATA.mkdir(exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    if name.endswith(".gz"):
        progress(name, 0)
        _pack(file(name.removesuffix(".gz"), size, progress), part)
    else:
        _write(name, size, part, progress)
    part.rename(path)
    progress(name, 1)
    return path


def _write(name: str, size: int, path: Path, progress: Callable[[str, float], None]) -> None:
    if name in BUILT:
        progress(name, 0)
        BUILT[name](size, path)
        return
    with path.open("wb") as out:
        for piece in stream(FILES[name](), size, frame=FRAMES.get(Path(name).suffix, NO_FRAME)):
            out.write(piece)
            progress(name, min(1, out.tell() / size))


def _pack(path: Path, packed: Path) -> None:
    with path.open("rb") as source, packed.open("wb") as out, gzip.GzipFile("", "wb", 6, out, mtime=0) as target:
        shutil.copyfileobj(source, target, _BLOCK)


NO_FRAME = (b"", b"", b"")


def stream(pieces: Pieces, size: int, *, frame: tuple[bytes, bytes, bytes] = NO_FRAME) -> Pieces:
    """The first whole records of `pieces`, about `size` bytes of them, in a frame (`FRAMES`)."""
    before, between, behind = frame
    if before:
        yield before
    left, last = size, b""
    for piece in pieces:
        if last:
            yield last
        last = piece if len(piece) <= left else piece[: piece.rfind(b"\n", 0, max(left, 1_000)) + 1]
        left -= len(last)
        if left <= 0 or len(last) < len(piece):
            break
    yield last.removesuffix(between) + behind


def repeated(name: str, size: int) -> Pieces:
    """The stream of that file's kind with one block of records over and over: it costs no time and no room.

    The block is no multiple of anything Recibo works on, so that records are cut at ever other places.
    """
    pieces = FILES[name.removesuffix(".gz")]()
    head = [next(pieces)] if ".csv" in name else []
    block = next(pieces)
    endless = itertools.chain(head, itertools.repeat(block))
    plain = stream(endless, size, frame=FRAMES.get(Path(name.removesuffix(".gz")).suffix, NO_FRAME))
    return _packed(plain) if name.endswith(".gz") else plain


def _packed(pieces: Pieces) -> Pieces:
    packer = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
    yield from filter(None, map(packer.compress, pieces))
    yield packer.flush()
