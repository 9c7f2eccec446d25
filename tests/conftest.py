"""What every test needs in place before it imports the app: the `local` stage's names, as Lambda would have them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

_config = json.loads((ROOT / ".chalice" / "config.json").read_text())
os.environ.update(_config["stages"]["local"]["environment_variables"])
os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "recibo-local-inspect"

settings.register_profile(
    "recibo",
    deadline=None,  # two shared cores: time says nothing about the code
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # the same reason
)
settings.load_profile("recibo")
