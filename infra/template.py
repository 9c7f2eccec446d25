"""infra/template.yaml as data: for the walkthrough's table, and for tests on the very table a deployment makes."""

from __future__ import annotations

import json
from typing import Any

from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped] # it has no types

from infra.stages import ROOT, load_stage

LOCAL = load_stage("local")


def template(name: str = "template.yaml") -> dict[str, Any]:
    """A whole template of this folder, its short functions (`!Ref`) as dictionaries of one member."""
    read = cfn_yaml.load(str(ROOT / "infra" / name))
    found: dict[str, Any] = json.loads(json.dumps(read))  # without the marks of line and column
    return found


def table_definition(name: str = LOCAL.table) -> dict[str, Any]:
    """What `create_table` takes: the ledger's keys and indexes, of the template's properties."""
    properties = template()["Resources"]["Ledger"]["Properties"]
    members = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {"TableName": name} | {member: properties[member] for member in members}
