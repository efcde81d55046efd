"""The JSON Schema of plans, for editors: `python -m remnant.plan.schema` writes plan.schema.json from the models."""

from __future__ import annotations

import json
from pathlib import Path

from .model import Plan

PATH = Path(__file__).with_name("plan.schema.json")


def schema_text() -> str:
    """The schema as it stands in PATH."""
    schema = Plan.model_json_schema(by_alias=True)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Remnant plan", **schema}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema_text(), encoding="utf-8")
    print(PATH)
