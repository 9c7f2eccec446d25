"""What others say of a file, its name and the type declared with it, compared with what it is."""

from __future__ import annotations

from chalicelib.inspection.draft import Draft
from chalicelib.inspection.media_types import Format, fits_declared
from chalicelib.inspection.names import Name


class Claims:
    """The claims about one file; where its content differs, that is a finding."""

    def __init__(self, name: str, declared_type: str | None) -> None:
        self.name = Name.of(name)
        self._declared_type = declared_type

    def format(self, inner: str | None) -> str | None:
        """The format that the names say, first the one that a packed file has inside."""
        return (Name.of(inner).format if inner else None) or self.name.format

    def compare(self, draft: Draft, found: str, *, inner: str | None) -> None:
        """Report in what the claims differ from the format found."""
        self._compare_name(draft, found, self.format(inner))
        self._compare_declared(draft, found)

    def _compare_name(self, draft: Draft, found: str, inner: str | None) -> None:
        compression, packed = self.name.compression, draft.compression
        if packed and not compression:
            if self.name.format:
                _mismatch(draft, self.name.format, packed)
        elif compression and compression != packed:
            _mismatch(draft, compression, packed or found)
        else:
            for named in dict.fromkeys((self.name.format, inner)):
                if named and named != found and not {named, found} <= {Format.CSV, Format.TSV}:
                    _mismatch(draft, named, found)

    def _compare_declared(self, draft: Draft, found: str) -> None:
        declared = (self._declared_type or "").partition(";")[0].strip().lower()
        if not fits_declared(declared, found, draft.compression):
            draft.findings.add("declared-type-mismatch", declared=declared[:100], found=found)


def _mismatch(draft: Draft, named: str, found: str) -> None:
    draft.findings.add("name-content-mismatch", named=named, found=found)
