"""A library -> JSON Schema of a network's file."""

from __future__ import annotations

from resbench.json_schema.editor import anything, if_list, offer
from resbench.json_schema.ops import op_schemas
from resbench.json_schema.params import domain, param_schema, params_schema
from resbench.json_schema.references import head_schemas, use_schema
from resbench.json_schema.values import Schema, ops_schema, whole_schema
from resbench.language.graph.network import MAX_STAGES
from resbench.language.library.library import Library


def network_schema(library: Library) -> Schema:
    stage: Schema = {
        "type": "object",
        "title": "stage",
        "properties": {
            "units": whole_schema("How many units.", 0),
            "out": whole_schema(
                "Channels out, computed for every unit; left out where the units themselves decide.", 1
            ),
            "stride": whole_schema("Stride of the stage's first unit.", 1, default=1),
            "before": ops_schema("Ops in front of the stage's first unit."),
            "unit": {
                "if": {"type": "object", "not": {"type": "object", "required": ["use"]}},
                "then": {
                    "title": "params",
                    "description": "Params of the network's unit that are different in this stage.",
                },
                "else": {"$ref": "#/$defs/unit"},
                "anyOf": [{"$ref": "#/$defs/unit_name"}, anything("unit")],
                "description": "`{param: value}` changes params of the network's unit here, `{use: name}` takes another.",
            },
        },
        "required": ["units"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            **head_schemas("network"),
            "params": params_schema(()),
            "input": {
                "type": "array", **if_list({"type": "integer", "minimum": 1, "maximum": 4096}, {"minItems": 3, "maxItems": 3}),
                **offer({}, {"[3, 32, 32]": "as CIFAR", "[3, 224, 224]": "as ImageNet", "[1, 28, 28]": "as MNIST"}),
                "description": "[channels, height, width] of an image, where no data set is named.",
            },
            "classes": {
                "type": "integer", "minimum": 1, "maximum": 10**6, "examples": [10],
                "description": "Number of classes, where no data set is named.",
            },
            "unit": {"$ref": "#/$defs/unit"},
            "stem": ops_schema("The ops before the first stage."),
            "stages": {
                "type": "array", "items": stage, "minItems": 1, "maxItems": MAX_STAGES,
                "description": "Groups of units, each with one width and one stride at its start.",
            },
            "head": ops_schema("The ops behind the last stage, which end in one number for each class."),
        },
        "required": ["network"],
        "additionalProperties": False,
        "if": {"required": ["extends"]},
        "else": {"required": ["unit", "stages", "head"]},
        "$defs": {
            **op_schemas(library, in_unit=False),
            "unit": use_schema(library, "unit"),
            "param": param_schema(),
            "domain": domain(default=True),
        },
    }  # fmt: skip
