"""Made-up rows of an export, the same on every machine."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

Row = tuple[str, ...]

COLUMNS = ("id", "date", "name", "amount", "category", "country", "note")
BATCH = 10_000

_FIRST = ("Ana", "João", "Maria", "Pedro", "Luísa", "Karl", "Emma", "Zoë", "Yusuf", "Mei", "Ivan", "Sofia")
_LAST = ("Souza", "Silva", "Santos", "Müller", "Smith", "Rossi", "García", "Ito", "Novak", "Okafor", "Lima", "Chen")
_STARTS = ("invoice", "order", "delivery", "shipment", "refund", "entrega", "pedido", "customer")
_ENDS = ("paid late", "not confirmed", "returned damaged", "please check again", "não confirmada", "called twice", "ok")
_WORDS = (*_STARTS, *_ENDS, "partial", "warehouse", "north", "south", "by phone", "atrasada")
CATEGORIES = ("groceries", "travel", "office", "hardware", "software", "services", "rent", "fuel", "other")
_COUNTRIES = ("BR", "PT", "US", "DE", "FR", "JP", "IN", "NG", "MX", "AR", "IT", "ES", "GB")


def batches(*, plain: bool = False) -> Iterator[list[Row]]:
    """Rows without end, `BATCH` at a time; the cells of `plain` ones hold no comma and no quote."""
    chance = random.Random(2026)
    names, notes = _names(plain=plain), _notes(chance, plain=plain)
    dates = [f"2025-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    amounts = [f"{cents / 100:.2f}" for cents in range(99, 2_000_000, 997)]
    first = 1
    while True:
        columns: tuple[Sequence[str], ...] = (dates, names, amounts, CATEGORIES, _COUNTRIES, notes)
        picked = [chance.choices(column, k=BATCH) for column in columns]
        yield [(str(first + at), *cells) for at, cells in enumerate(zip(*picked, strict=True))]
        first += BATCH


def _names(*, plain: bool) -> list[str]:
    """One name in three is to be quoted, and one in six holds a quote as well."""
    simple = [f"{first} {last}" for first in _FIRST for last in _LAST]
    if plain:
        return simple
    comma = [f"{last}, {first}" for first in _FIRST for last in _LAST[::2]]
    quote = [f'{last}, "{first[:2]}" {first}' for first in _FIRST for last in _LAST[1::2]]
    return simple * 2 + comma + quote


def _notes(chance: random.Random, *, plain: bool) -> list[str]:
    """One in four is empty; one in ten of the others holds a comma."""
    texts = [" ".join(chance.choices(_WORDS, k=chance.randint(2, 9))) for _ in range(600)]
    if not plain:
        texts = [text.replace(" ", ", ", 1) if at % 10 == 0 else text for at, text in enumerate(texts)]
    return texts + [""] * 200
