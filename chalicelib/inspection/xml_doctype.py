"""The document type of an XML document: declarations are read; entities are neither expanded nor fetched."""

from __future__ import annotations

from collections import Counter
from pyexpat import XMLParserType

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.xml_source import TOO_COMPLEX, Refused

_MOST_ATTRIBUTES = 1_000
"""How many attributes may be declared for one element: with each such element expat goes through all of them."""


class Doctype:
    """Judges an internal subset. The first entity that could be expanded or fetched ends the check.

    So no reference to one is ever met, whatever a version of expat would do with it. Declarations of the five that
    every reader knows (section 4.6) have no effect and are not told of; nor is one that is no text ever read.
    """

    def __init__(self, parser: XMLParserType, findings: Findings, limits: Limits) -> None:
        self._parser = parser
        self._findings = findings
        self._limits = limits
        self._begin: int | None = None
        self._is_standalone = False
        self._declared = Counter[str]()
        self.may_declare_namespaces = False
        """Whether attributes that are not in the document may declare prefixes."""
        parser.StartDoctypeDeclHandler = self._start
        parser.EndDoctypeDeclHandler = self._end
        parser.EntityDeclHandler = self._entity
        parser.AttlistDeclHandler = self._attribute

    def stand_alone(self) -> None:
        """The document says that nothing outside matters to it."""
        self._is_standalone = True

    def check(self) -> None:
        """Refuse a subset that has become too long."""
        if self._begin is not None and self._parser.CurrentByteIndex - self._begin > self._limits.xml_dtd_bytes:
            reason = f"the document type is longer than {self._limits.xml_dtd_bytes:,} bytes"
            raise Refused(self._parser, TOO_COMPLEX, reason=reason)

    def _start(self, _name: str, system_id: str | None, _public_id: str | None, _has_subset: object) -> None:
        self._begin = self._parser.CurrentByteIndex
        if system_id is not None:
            self.may_declare_namespaces = not self._is_standalone
            # The position expat tells is here that of the declaration's end or of its `[`, in which column is no use.
            self._findings.add("xml-external-dtd", line=self._parser.CurrentLineNumber)

    def _end(self) -> None:
        self.check()
        self._begin = None

    def _entity(
        self,
        _name: str,
        _is_parameter: object,
        value: str | None,
        _base: str | None,
        _system_id: str | None,
        _public_id: str | None,
        notation: str | None,
    ) -> None:
        if notation is None:
            raise Refused(self._parser, "xml-external-entity" if value is None else "xml-entity")

    def _attribute(self, element: str, name: str, _type: str, default: str | None, _required: object) -> None:
        self._declared[element] += 1
        if self._declared[element] > _MOST_ATTRIBUTES:
            reason = f"more than {_MOST_ATTRIBUTES:,} attributes are declared for an element"
            raise Refused(self._parser, TOO_COMPLEX, reason=reason)
        if default is not None and (name == "xmlns" or name.startswith("xmlns:")):
            self.may_declare_namespaces = True
