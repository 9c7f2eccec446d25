"""Finds the parts of a workbook: by relationships from the package, to the workbook, to its sheets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.inspection.xlsx.package import DamagedError, Package
from chalicelib.inspection.xlsx.xml import CONTENT_TYPES, MAIN, PACKAGE, RELATIONSHIPS, named, read_xml

Tick = Callable[[], None]
_TRUE = ("1", "true", "on")
_MOST_SHEETS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetEntry:
    """A sheet as the workbook lists it: its name, and the kind and the part of what it is."""

    name: str
    kind: str
    part: str
    is_hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """What a part refers to: the last segment of the type, and the part."""

    kind: str
    part: str


class _Relationships:
    tags = named(PACKAGE, "Relationship")

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.found: dict[str, Relationship] = {}

    def start(self, _: str, attributes: Mapping[str, str]) -> None:
        if attributes.get("TargetMode") == "External" or len(self.found) > _MOST_SHEETS:
            return
        kind = attributes.get("Type", "").rpartition("/")[2]
        part = resolved(self._folder, attributes.get("Target", ""))
        self.found[attributes.get("Id", "")] = Relationship(kind=kind, part=part)

    def end(self, tag: str) -> None:
        """Nothing is in it."""

    def text(self, data: str) -> None:
        """Nothing is said between them."""


def resolved(folder: str, target: str) -> str:
    """The part that a target is, seen from a folder; with a slash in front, from the root."""
    path: list[str] = [] if target.startswith("/") else [step for step in folder.split("/") if step]
    for step in target.replace("\\", "/").split("/"):
        if step == ".." and path:
            path.pop()
        elif step not in ("", ".", ".."):
            path.append(step)
    return "/".join(path)


def relationships_of(package: Package, part: str, what: str, tick: Tick) -> Mapping[str, Relationship]:
    """What a part refers to, by the identifiers; `what` the list is in words."""
    folder, _, name = part.rpartition("/")
    handler = _Relationships(folder)
    path = f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"
    read_xml(package.read(path, what), handler, what, tick)
    return handler.found


class _ContentTypes:
    tags: Mapping[str, str] = {**named(CONTENT_TYPES, "Types"), "Types": "Types"}  # some write it without a namespace

    def __init__(self) -> None:
        self.are_there = False

    def start(self, _tag: str, _attributes: Mapping[str, str]) -> None:
        self.are_there = True

    def end(self, tag: str) -> None:
        """Nothing follows."""

    def text(self, data: str) -> None:
        """Nothing is said between them."""


def _judge_content_types(package: Package, tick: Tick) -> None:
    """That there is a list of them; which is which part's says its relationship as well, and that is believed."""
    name, what, types = "[Content_Types].xml", "the list of content types", _ContentTypes()
    if name in package:
        read_xml(package.read(name, what), types, what, tick)
    if not types.are_there:
        raise DamagedError("it has no list of content types")


class Workbook:
    """What the workbook part says: the sheets in their order, and which day is the first."""

    tags = named(MAIN, "sheet", "workbookPr")

    def __init__(self, package: Package, tick: Tick) -> None:
        self.sheets: list[SheetEntry] = []
        self.is_1904 = False
        _judge_content_types(package, tick)
        root = relationships_of(package, "", "the list of its relationships", tick)
        part = _only(root, "officeDocument")
        if part is None:
            raise DamagedError("it does not say which part is the workbook")
        self.is_binary = part.lower().endswith(".bin")
        if self.is_binary:
            return
        self._related = relationships_of(package, part, "the list of the workbook's relationships", tick)
        self.strings = _only(self._related, "sharedStrings")
        self.styles = _only(self._related, "styles")
        self.has_macros = _only(self._related, "vbaProject") is not None
        read_xml(package.read(part, "the workbook"), self, "the workbook", tick)
        if not self.sheets:
            raise DamagedError("the workbook has no sheet")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take what is said of the workbook, or a sheet."""
        if tag == "workbookPr":
            self.is_1904 = attributes.get("date1904", "0") in _TRUE
            return
        identifiers = (attributes.get(f"{namespace} id") for namespace in RELATIONSHIPS)
        related = self._related.get(next((each for each in identifiers if each), ""))
        if related is None:
            raise DamagedError("the workbook does not say which part is one of its sheets")
        if len(self.sheets) >= _MOST_SHEETS:
            raise DamagedError(f"the workbook has more than {_MOST_SHEETS:,} sheets")
        is_hidden = attributes.get("state", "visible") != "visible"
        entry = SheetEntry(name=attributes.get("name", ""), kind=related.kind, part=related.part, is_hidden=is_hidden)
        self.sheets.append(entry)

    def end(self, tag: str) -> None:
        """Nothing is in it."""

    def text(self, data: str) -> None:
        """Nothing is said between them."""


def _only(related: Mapping[str, Relationship], kind: str) -> str | None:
    return next((each.part for each in related.values() if each.kind == kind), None)
