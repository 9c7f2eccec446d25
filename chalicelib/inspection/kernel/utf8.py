"""Text in UTF-8 that is valid, as the kernel finds it."""

from __future__ import annotations

from chalicelib.inspection.kernel.host import Kernel


class KernelUtf8:
    """Judges one piece of text after another; needs a kernel of its own."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def valid_end(self, text: bytes) -> int:
        """How much of it is whole and valid characters; 0 if one is not valid, or the text is too long to tell."""
        if len(text) > self._kernel.text_bytes:
            return 0
        self._kernel.load(text)
        return self._kernel.ask("valid_utf8", len(text))[0]
