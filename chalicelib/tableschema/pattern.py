"""Matches values with a regular expression in time that is linear in the value, whatever the expression.

The expression is made into an automaton, of which all ways are followed at once: nothing is tried, so nothing is tried
again. What was found of a character in a state is kept, up to a number of such findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chalicelib.tableschema.charsets import CharSet
from chalicelib.tableschema.regex import All, Anchor, Either, Node, One, Reader

_MOST_STATES = 10_000
_MOST_KEPT = 100_000
"""How many findings and members of states, some 30 MB."""


def pattern(text: str) -> Callable[[str], bool]:
    """Whether a whole value matches; raises ValueError with what is wrong with the expression."""
    automaton = Automaton(text)

    def matches(value: str) -> bool:
        state = automaton.start
        for character in value:
            state = state[character]
            if state.is_dead:
                return False
        return state.accepts

    return matches


Steps = Sequence[tuple[CharSet, int]]
"""The sets of characters that lead on, each with the state that it leads to."""


class _State(dict[str, "_State"]):
    """Where all ways are after some text: where each character leads, so far as it is known, and if it may end here."""

    __slots__ = ("_automaton", "accepts", "is_dead", "steps")

    def __init__(self, automaton: Automaton, accepts: bool, steps: Steps) -> None:
        super().__init__()
        self._automaton = automaton
        self.accepts = accepts
        self.steps = steps
        self.is_dead = not (steps or accepts)

    def __missing__(self, character: str) -> _State:
        return self._automaton.found(self, character)


class Automaton:
    """The states between characters: one has a set and the state it leads to, or states that are reached for free.

    All ways together are in some of them at a time: in those of `begin` at first, and from `steps` on in those `after`.
    """

    def __init__(self, text: str) -> None:
        """Of a regular expression; raises ValueError with what is wrong with it."""
        self._sets: list[tuple[CharSet, int] | None] = [None]
        self._free: list[tuple[int, ...]] = [()]
        self._anchors: dict[int, bool] = {}
        self._known: dict[frozenset[int], _State] = {}
        self._kept = 0
        self.begin = self._closure([self._built(Reader(text).read(), 0)], {True})
        self.start = self._state(self.begin)

    def steps(self, at: Iterable[int]) -> Steps:
        """What leads on."""
        return tuple(step for step in (self._sets[each] for each in sorted(at)) if step)

    @property
    def sets(self) -> Iterable[CharSet]:
        """All sets of characters that lead from anywhere."""
        return (step[0] for step in self._sets if step)

    def after(self, reached: Iterable[int]) -> frozenset[int]:
        """The states in which all ways are once a character has led to these."""
        return self._closure(reached, set())

    def accepts(self, at: frozenset[int]) -> bool:
        """Whether a value may end here."""
        return 0 in at or 0 in self._closure(at, {False})

    def found(self, state: _State, character: str) -> _State:
        """Where a character leads from a state; it is kept there."""
        if self._kept >= _MOST_KEPT:
            self._forget()
        after = self.after([to for has, to in state.steps if has(character)])
        self._kept += 1 + len(after)
        state[character] = known = self._known.get(after) or self._state(after)
        return known

    def _forget(self) -> None:
        for state in self._known.values():
            state.clear()
        self.start.clear()
        self._known.clear()
        self._kept = 0

    def _state(self, at: frozenset[int]) -> _State:
        self._known[at] = state = _State(self, self.accepts(at), self.steps(at))
        return state

    def _closure(self, begin: Iterable[int], anchors: set[bool]) -> frozenset[int]:
        """The states that are reached for free, through the anchors that hold."""
        waiting, reached = list(begin), set(begin)
        while waiting:
            at = waiting.pop()
            if at in self._anchors and self._anchors[at] not in anchors:
                continue
            for to in self._free[at]:
                if to not in reached:
                    reached.add(to)
                    waiting.append(to)
        return frozenset(reached)

    def _new(self, step: tuple[CharSet, int] | None, free: tuple[int, ...] = ()) -> int:
        if len(self._sets) >= _MOST_STATES:
            raise _too_large()
        self._sets.append(step)
        self._free.append(free)
        return len(self._sets) - 1

    def _built(self, node: Node, then: int) -> int:
        """The state from which the node leads to another."""
        if isinstance(node, One):
            return self._new((node.of, then))
        if isinstance(node, Anchor):
            at = self._new(None, (then,))
            self._anchors[at] = node.at_start
            return at
        if isinstance(node, All):
            for part in reversed(node.parts):
                then = self._built(part, then)
            return then
        if isinstance(node, Either):
            return self._new(None, tuple(self._built(branch, then) for branch in node.branches))
        return self._repeated(node.part, node.least, node.most, then)

    def _repeated(self, part: Node, least: int, most: int | None, then: int) -> int:
        if most is None:
            loop = self._new(None)
            self._free[loop] = (self._built(part, loop), then)
            then = loop
        if max(least, most or 0) > _MOST_STATES:
            raise _too_large()
        end = then
        for _ in range((most or least) - least):
            then = self._new(None, (self._built(part, then), end))  # so no way leads through all that may be left out
        for _ in range(least):
            then = self._built(part, then)
        return then


def _too_large() -> ValueError:
    return ValueError(f"is too large: its characters and counts ask for more than {_MOST_STATES:,} steps")
