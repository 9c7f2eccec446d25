"""The part of an inspection that looks at every byte of a large text, compiled: see kernel/README.md for its sources.

It is WebAssembly, which runs the same on every machine at nearly the speed of its own code, and can touch nothing but
its own memory: whatever is in a file, the worst that it does is to fail. It is loaded with the first large text. What
judges values (`values`) is imported by itself: it knows Table Schema, which most files do not need.
"""

from chalicelib.inspection.kernel.host import Kernel, kernel_for
from chalicelib.inspection.kernel.json_records import KernelRecords
from chalicelib.inspection.kernel.tables import KernelRuns
from chalicelib.inspection.kernel.utf8 import KernelUtf8

__all__ = ["Kernel", "KernelRecords", "KernelRuns", "KernelUtf8", "kernel_for"]
