"""Automata over the bytes of a text, as tables: what the kernel runs over the cells of a column."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from chalicelib.tableschema import Automaton, CharSet

_MOST_ASKED = 60_000
"""For so many states and kinds of bytes it is asked where these lead: a fifth of a second."""
_MOST_STEPS = 1 << 17
_MOST_REACHED = 200_000
"""In so many states an expression's ways may be, all states of the table together: as long."""
_BEYOND_ASCII = 0x80
_ASCII = [chr(code) for code in range(_BEYOND_ASCII)]
_LEADS = range(0xC2, 0xC6)
_CONTINUED = range(0x80, 0xC0)
_TWO_BYTES = {lead: [bytes((lead, byte)).decode() for byte in _CONTINUED] for lead in _LEADS}
"""The characters up to U+017F, by their first byte and in the order of their second."""
_DOUBTFUL, _RIGHT, _RIGHT_IF_SO_LONG = range(3)


class TooLargeError(Exception):
    """The table would have too many states, or take too long to be made."""


class Acceptor(Protocol):
    """Takes some texts, byte by byte. Each byte has a kind; those of one kind lead to the same, from every state."""

    kinds: Sequence[Hashable]
    start: Any

    def step(self, state: Any, byte: int) -> Any:
        """Where a byte leads from a state, None if nowhere."""

    def accepts(self, state: Any) -> bool:
        """Whether a text may end there."""


class Texts:
    """Takes these texts."""

    start: Any = b""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = frozenset(text.encode("utf-8", "surrogatepass") for text in texts)
        self._begins = {text[:size] for text in self._texts for size in range(len(text) + 1)}
        known = {byte for text in self._texts for byte in text}
        self.kinds: Sequence[Hashable] = [byte if byte in known else None for byte in range(256)]

    def step(self, state: bytes, byte: int) -> bytes | None:
        """A state is what was read."""
        read = state + bytes((byte,))
        return read if read in self._begins else None

    def accepts(self, state: bytes) -> bool:
        """One of the texts was."""
        return state in self._texts


class Expression:
    """Takes what matches a regular expression of XML Schema and is ASCII or, if `wide`, of characters up to U+017F.

    A state is where the automaton is between two characters, or within one: how that may go on, and where it is then.
    """

    def __init__(self, text: str, *, wide: bool = False) -> None:
        """Of an expression that is one."""
        self._automaton = Automaton(text)
        two_bytes = _TWO_BYTES if wide else {}
        self._sets = {id(has): _Bytes.of(has, two_bytes) for has in self._automaton.sets}
        self.kinds: Sequence[Hashable] = _kinds(list(dict.fromkeys(self._sets.values())))
        self.start: Any = self._automaton.begin
        self._steps: dict[frozenset[int], list[tuple[_Bytes, int]]] = {}
        self._after: dict[tuple[int, ...], frozenset[int]] = {}
        self._reached = 0

    def step(self, state: Any, byte: int) -> Any:
        """Where a byte leads; raises TooLargeError."""
        if not isinstance(state, frozenset):
            return self._closed(tuple(to for continued, to in state if byte in continued))
        steps = self._steps.get(state)
        if steps is None:
            found = [(self._sets[id(has)], to) for has, to in self._automaton.steps(state)]
            steps = self._steps[state] = found
        if byte < _BEYOND_ASCII:
            return self._closed(tuple(to for of, to in steps if byte in of.one))
        return tuple((of.after(byte), to) for of, to in steps if byte in of.leads) or None

    def accepts(self, state: Any) -> bool:
        """The text may end here, and not within a character."""
        return isinstance(state, frozenset) and self._automaton.accepts(state)

    def _closed(self, reached: tuple[int, ...]) -> frozenset[int] | None:
        if reached and reached not in self._after:
            self._after[reached] = found = self._automaton.after(reached)
            self._reached += len(found)
            if self._reached > _MOST_REACHED:
                raise TooLargeError
        return self._after.get(reached)


class _Bytes(NamedTuple):
    """The bytes of a set of characters: those of ASCII, those that begin others, and how each of these may go on."""

    one: bytes
    leads: bytes
    continued: tuple[bytes, ...]

    @classmethod
    def of(cls, has: CharSet, two_bytes: Mapping[int, Sequence[str]]) -> _Bytes:
        """Of a set, and of characters of two bytes by the first and in the order of the second."""
        one = bytes(byte for byte, character in enumerate(_ASCII) if has(character))
        going_on = {
            lead: bytes(byte for byte, character in zip(_CONTINUED, those, strict=True) if has(character))
            for lead, those in two_bytes.items()
        }
        going_on = {lead: continued for lead, continued in going_on.items() if continued}
        return cls(one, bytes(going_on), tuple(going_on.values()))

    def after(self, lead: int) -> bytes:
        """How a character that begins so may go on."""
        return self.continued[self.leads.index(lead)] if lead in self.leads else b""


def _kinds(sets: Sequence[_Bytes]) -> Sequence[Hashable]:
    """What bytes are to an expression of these sets: each is of ASCII, or goes on, or begins a character."""
    every = {continued for of in sets for continued in of.continued}
    ascii_kinds: list[Hashable] = [(0, *(byte in of.one for of in sets)) for byte in range(_BEYOND_ASCII)]
    continued = [(1, *(byte in those for those in every)) for byte in _CONTINUED]
    leads = [(2, *(of.after(byte) for of in sets)) for byte in range(_CONTINUED.stop, 256)]
    return [*ascii_kinds, *continued, *leads]


class Without:
    """Takes what another one takes once a byte is left out of it wherever it stands."""

    def __init__(self, of: Acceptor, byte: int) -> None:
        self._of = of
        self._byte = byte
        self.start = of.start
        self.kinds: Sequence[Hashable] = [(kind, at == byte) for at, kind in enumerate(of.kinds)]

    def step(self, state: Any, byte: int) -> Any:
        """The byte changes nothing."""
        return state if byte == self._byte else self._of.step(state, byte)

    def accepts(self, state: Any) -> bool:
        """As the other one does."""
        return self._of.accepts(state)


class Table(NamedTuple):
    """An automaton as the kernel takes it (see kernel/rules.c)."""

    classes: bytes
    steps: bytes
    width: int
    start: int
    settled: int


_State = tuple[Any, Any]
"""Where a text is that is perhaps a missing value, and where it is in each rule; None if it is neither any more."""
_LOST: _State = None, None


class Cells:
    """The cells of a column that are surely right: those of no value, if they may be, and those that all rules take."""

    def __init__(self, missing: Iterable[str], rules: Sequence[Acceptor], *, required: bool) -> None:
        self._missing = Texts(missing)
        self._rules = rules
        self._required = required
        self._kinds = list(zip(self._missing.kinds, *(rule.kinds for rule in rules), strict=True))

    def table(self) -> Table:
        """The table; raises TooLargeError."""
        start: _State = self._missing.start, tuple(rule.start for rule in self._rules)
        rows = self._rows(start)
        settled = dict.fromkeys(state for state, row in rows.items() if all(to == state for to in row))
        order = {state: at for at, state in enumerate([*settled, *(state for state in rows if state not in settled)])}
        columns = list(zip(*(rows[state] for state in order), strict=True))
        classes = {column: at for at, column in enumerate(dict.fromkeys(columns))}
        class_of = {kind: classes[column] for kind, column in zip(dict.fromkeys(self._kinds), columns, strict=True)}
        size = len(classes) + 1
        if size * len(rows) > _MOST_STEPS:
            raise TooLargeError
        steps = array("I")
        for at, state in enumerate(order):
            steps.extend(order[column[at]] * size for column in classes)
            steps.append(self._meaning(state))
        return Table(
            classes=bytes(class_of[kind] for kind in self._kinds),
            steps=steps.tobytes(),
            width=size - 1,
            start=order[start] * size,
            settled=(len(settled) - 1) * size,
        )

    def _rows(self, start: _State) -> dict[_State, Sequence[_State]]:
        """All states that are reached, and where each kind of bytes leads; the first is where nothing leads on."""
        examples = {kind: byte for byte, kind in reversed(list(enumerate(self._kinds)))}
        kinds = [examples[kind] for kind in dict.fromkeys(self._kinds)]
        rows: dict[_State, Sequence[_State]] = {_LOST: [_LOST] * len(kinds)}
        waiting = [start]
        while waiting:
            state = waiting.pop()
            if state in rows:
                continue
            if len(rows) * len(kinds) > _MOST_ASKED:
                raise TooLargeError
            rows[state] = [self._step(state, byte) for byte in kinds]
            waiting += rows[state]
        return rows

    def _step(self, state: _State, byte: int) -> _State:
        missing, of_rules = state
        if missing is not None:
            missing = self._missing.step(missing, byte)
        if of_rules is not None:
            of_rules = tuple(rule.step(at, byte) for rule, at in zip(self._rules, of_rules, strict=True))
            if None in of_rules:
                of_rules = None
        return missing, of_rules

    def _meaning(self, state: _State) -> int:
        """What it means for a cell to end there."""
        missing, of_rules = state
        if missing is not None and self._missing.accepts(missing):
            return _DOUBTFUL if self._required else _RIGHT
        if of_rules is None or not all(rule.accepts(at) for rule, at in zip(self._rules, of_rules, strict=True)):
            return _DOUBTFUL
        return _RIGHT_IF_SO_LONG
