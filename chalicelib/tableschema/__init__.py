"""Table Schema, as the Data Package standard (version 2) defines it: values, rows and headers judged by a descriptor.

Pure, and knows nothing of files or contracts. docs: https://datapackage.org/standard/table-schema/
"""

from chalicelib.tableschema.charsets import CharSet
from chalicelib.tableschema.descriptor import DescriptorError
from chalicelib.tableschema.exact import json_number
from chalicelib.tableschema.field import Field
from chalicelib.tableschema.kind import Problem
from chalicelib.tableschema.lists import FALSE_VALUES, TRUE_VALUES
from chalicelib.tableschema.pattern import Automaton
from chalicelib.tableschema.records import Records
from chalicelib.tableschema.rows import HeaderProblem, Rows
from chalicelib.tableschema.schema import Schema
from chalicelib.tableschema.uniqueness import Uniqueness

__all__ = [
    "FALSE_VALUES",
    "TRUE_VALUES",
    "Automaton",
    "CharSet",
    "DescriptorError",
    "Field",
    "HeaderProblem",
    "Problem",
    "Records",
    "Rows",
    "Schema",
    "Uniqueness",
    "json_number",
]
