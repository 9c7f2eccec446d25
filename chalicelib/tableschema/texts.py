"""The types `string` and `any`, and the formats of strings."""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from collections.abc import Callable, Mapping

from chalicelib.tableschema.kind import Kind, of_text, same
from chalicelib.tableschema.values import value_key

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]++"
_LABEL = r"(?![-.])[A-Za-z0-9\u0080-\U0010ffff-]{1,63}+(?<!-)"
_EMAIL = re.compile(
    rf'(?P<local>{_ATOM}(?:\.{_ATOM})*+|"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*+")'
    rf"@(?P<domain>(?:{_LABEL}\.)++{_LABEL}|\[(?:IPv6:(?P<six>[0-9A-Fa-f:.]++)|(?P<four>[0-9.]++))\])"
)
_PCHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*+:"
    r"(?://(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*+@)?"
    r"(?:\[(?:(?P<six>[0-9A-Fa-f:.]++)|[vV][0-9A-Fa-f]++\.[A-Za-z0-9._~!$&'()*+,;=:-]++)\]"
    r"|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*+)(?::[0-9]*+)?"
    rf"(?:/{_PCHAR}*+)*+"
    rf"|/?(?:{_PCHAR}++(?:/{_PCHAR}*+)*+)?)"
    rf"(?:\?(?:{_PCHAR}|[/?])*+)?(?:\#(?:{_PCHAR}|[/?])*+)?"
)
_BINARY = re.compile(r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LONGEST_LOCAL, _LONGEST_EMAIL = 64, 254


def is_email(cell: str) -> bool:
    """Whether it is a mailbox of RFC 5321 or 6531: on the Internet, so the domain is full, or an address."""
    found = _EMAIL.fullmatch(cell) if len(cell) <= _LONGEST_EMAIL else None
    if not found or len(found["local"]) > _LONGEST_LOCAL:
        return False
    return _is_address(found["six"], ipaddress.IPv6Address) and _is_address(found["four"], ipaddress.IPv4Address)


def is_uri(cell: str) -> bool:
    """Whether it is a URI of RFC 3986: with a scheme."""
    found = _URI.fullmatch(cell)
    return found is not None and _is_address(found["six"], ipaddress.IPv6Address)


def _is_address(text: str | None, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        return text is None or bool(kind(text))
    except ValueError:
        return False


def _all(cell: str) -> bool:  # noqa: ARG001
    return True


_FORMATS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "default": ("must be a text", _all),
    "email": ("must be an email address", is_email),
    "uri": ("must be a URI", is_uri),
    "binary": ("must be binary data in base64", _BINARY.fullmatch),
    "uuid": ("must be a UUID", _UUID.fullmatch),
}
STRING_FORMATS = tuple(_FORMATS)


def string(form: str) -> Kind:
    """Texts of a format."""
    words, is_right = _FORMATS[form]

    def read(cell: str) -> str:
        if not is_right(cell):
            raise ValueError
        return cell

    def native(value: object) -> str:
        """Bytes, as base64 where the format is that, else as the text that they are."""
        if not isinstance(value, bytes):
            raise ValueError
        return read(b64encode(value).decode() if form == "binary" else value.decode())

    return Kind(words=words, read=read, take=of_text(read, native), is_right=is_right)


ANY = Kind(words="must be a value", read=same, take=same, is_right=_all, key=value_key)
