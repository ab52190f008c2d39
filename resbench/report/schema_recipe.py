"""RecipeSpec -> JSON Schema of a recipe's file, of the recipe of a study, and what every key of it says.

Pydantic gives the types and bounds; what it cannot know is added: bare names and lists, and that a file which `extends`
another need not be whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resbench.report.schema_use import head_schemas, named
from resbench.report.schema_value import Schema, or_domain
from resbench.spec.library import Library
from resbench.spec.recipe import RecipeSpec

KEYS: Mapping[str, Mapping[str, str]] = {
    "RecipeSpec": {
        "recipe": "The recipe's name, which is the file's too.",
        "doc": "What the recipe is, in a sentence.",
        "cite": "Where it is from.",
        "optimizer": "The optimizer and its constants.",
        "batch": "Images in a batch.",
        "epochs": "How long: so many epochs, each of as many whole batches as the training images make. Or `iterations`.",
        "iterations": "How long: so many steps. Or `epochs`.",
        "warmup": "A constant learning rate at the start; null for none.",
        "schedule": "How the learning rate falls; null where it stays.",
        "augment": "What is done to the training images, in this order.",
        "init": "How weights start where the op does not say: he_normal, he_normal_fan_out, or a plugin's.",
        "precision": "How products are calculated: float32, tf32 (CUDA), or bfloat16 (weights, norms and losses stay float32).",
        "label_smoothing": "So much of each label is shared among all classes, in [0, 1).",
        "clip_norm": "The largest norm that a network's whole gradient may have; null for any.",
        "average": "Evaluate an exponential mean of the weights; null for the weights themselves.",
        "checkpoint_every": "How often a run under way is kept, so that it can go on: `30s`, or `{epochs: 1}`.",
        "statistics": "Of norms, where a network is judged: `recomputed` over training images, or `running`, as in papers.",
        "devices": "So many devices train it, with batch norms of their own parts of a batch; null: any number, as one.",
        "plan": "How the machine is used; what is not said follows from the network. Changes rounding alone, enters no identity.",
        "fail_above": "Val error in percent above which the word `fail` is printed, as papers do; enters no test.",
    },
    "Optimizer": {
        "use": "Which one: sgd, stochastic gradient descent.",
        "lr": "Learning rate at full height, behind the warm-up.",
        "momentum": "How much of the last step is kept, in [0, 1).",
        "nesterov": "Nesterov's form of the momentum.",
        "weight_decay": "Each step adds this times the weight to its gradient.",
        "decay": "The kinds of parameters that weight decay acts on.",
    },
    "Warmup": {"lr": "The learning rate meanwhile, or where it rises from.", "for": "How long.",
               "shape": "constant, or linear: rising to full height."},
    "Average": {"decay": "How much of the mean each step keeps, in (0, 1); less during the first steps."},
    "Every": {"seconds": "At the end of the first epoch after so many seconds.", "epochs": "After so many epochs."},
    "PlanSpec": {
        "measure": "What is not said is what is fastest on this machine now; a bare `plan: measured` is the same.",
        "width": "Seeds that are trained as one network; a seed has its place beside the same others in every study.",
        "layout": "How images lie in memory.",
        "workers": "Processes that train side by side; 0: that of `study run` itself, which nobody watches.",
        "threads": "CPU threads of each.",
        "compile": "Each unit by torch.compile; with `measure` it is tried on CUDA and kept where it pays.",
        "recompute": "Keep few activations and work out the others again in the backward pass: less memory, more time.",
        "tags": "What a worker must have to train it: `resbench worker --study NAME --tags A`.",
        "stall_s": "Seconds without a step after which a cell is ended, and tried once more.",
        "cell_s": "Seconds after which a cell is ended and fails.",
        "memory_mib": "MiB of memory of a worker's process over which its cell is ended, and tried once more.",
        "profile": "Epochs after which variance, gradient and shortcut share are taken at every unit; 0 is the start.",
    },
    "Span": {"iterations": "So many steps.", "epochs": "So many epochs.", "fraction": "That part of the run, in (0, 1)."},
    "Schedule": {"step": "The learning rate is multiplied by a factor at some points.",
                 "cosine": "It falls along half a cosine.", "linear": "It falls on a line."},
    "Decline": {"end": "The part of full height that is left at the last step."},
    "Step": {
        "at": "The points: a list of fractions of the run, `{epochs: [...]}` or `{iterations: [...]}`.",
        "by": "The factor, in (0, 1].",
    },
    "Marks": {
        "iterations": "After so many steps.",
        "epochs": "After so many epochs.",
        "fractions": "After that part of the run, in (0, 1).",
    },
    "Augmentation": {"pad_crop": "Zeros are put around the image, and a random window of its size is taken.",
                     "flip": "Mirrored left to right, every second time at random.",
                     "cutout": "A square of zeros around a random pixel.",
                     "random_resized_crop": "A crop of random area and shape, brought to the old size."},
    "Cutout": {"size": "Height and width of the square, in pixels."},
    "RandomResizedCrop": {"scale": "Bounds of the crop's part of the area.",
                          "ratio": "Bounds of its width over height, even in the logarithm."},
    "PadCrop": {"pad": "Pixels on each side."},
    "Flip": {},
}  # fmt: skip
_ONE_OF = ("Span", "Marks", "Augmentation", "Schedule", "Every")  # exactly one key of theirs is given


def recipe_schema(library: Library) -> Schema:
    """Of a file: whole, or over a parent's."""
    whole, partial = _models(whole=True), _models(whole=False)
    return {
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/PartialRecipeSpec"},
        "else": {"$ref": "#/$defs/RecipeSpec"},
        "$defs": {
            **{key: _with_head(key, schema) for key, schema in whole.items()},
            **{f"Partial{key}": _with_head(key, schema) for key, schema in partial.items()},
        },
    }


def study_recipe(library: Library) -> tuple[Schema, dict[str, Schema]]:
    """What a study says of its recipe: a name, or `{use: name, key: value}`; and the `$defs` that it needs."""
    defs = _models(whole=True)
    top, optimizer = defs.pop("RecipeSpec")["properties"], defs["Optimizer"]["properties"]
    own = {key: schema for key, schema in top.items() if key not in ("recipe", "doc", "cite")}
    short = {key: schema for key, schema in optimizer.items() if key not in own and key != "use"}
    keys = {key: _searched(schema) for key, schema in {**own, **short}.items()}
    dotted = {f"optimizer.{key}": _searched(schema) for key, schema in optimizer.items()}
    by_name = named("recipe")
    schema: Schema = {
        "description": "The recipe: its name, or `{use: name, key: value}`; keys of `optimizer` may stand alone.",
        "default": "he2016_small",
        "if": {"type": "object"},
        "then": {
            "type": "object",
            "properties": {"use": by_name, **keys, **dotted},
            "patternProperties": {
                r"^(warmup|schedule|optimizer|average|checkpoint_every|plan)\.[a-z_.]+$": {
                    "description": "A value further down."
                }
            },
            "required": ["use"],
            "additionalProperties": False,
        },
        "else": by_name,
    }
    return schema, defs


def _searched(schema: Schema) -> Schema:
    inner = {key: value for key, value in schema.items() if key not in ("description", "default")}
    return {**or_domain(inner), **{key: schema[key] for key in ("description", "default") if key in schema}}


def _with_head(key: str, schema: Schema) -> Schema:
    """The recipe itself may extend another; its name is a legal one."""
    if key != "RecipeSpec":
        return schema
    return {**schema, "properties": {**schema["properties"], **head_schemas("recipe")}}


def _models(*, whole: bool) -> dict[str, Schema]:
    """RecipeSpec and what it holds, by name; a part that is not `whole` may lack keys that its parent gives."""
    prefix = "" if whole else "Partial"
    raw = RecipeSpec.model_json_schema(by_alias=True)
    models = {"RecipeSpec": {key: value for key, value in raw.items() if key != "$defs"}, **raw["$defs"]}
    schemas = {key: _model(key, schema, prefix) for key, schema in models.items()}
    marks = schemas["Marks"]
    fractions = marks["properties"]["fractions"]
    schemas["Marks"] = {"if": {"type": "array"}, "then": {"items": fractions["items"], "minItems": 1}, "else": marks}
    for name in ("Augmentation", "Schedule"):
        entire = schemas[name]
        bare = [key for key, of in entire["properties"].items() if "required" not in models[_target(of)]]
        schemas[name] = {"if": {"type": "object"}, "then": entire, "else": {"enum": bare}}
    schemas["Every"] = {"if": {"type": "object"}, "then": schemas["Every"], "else": {"pattern": "^[0-9.]+ ?s$"}}
    schemas["PlanSpec"] = {"if": {"type": "object"}, "then": schemas["PlanSpec"], "else": {"const": "measured"}}
    return schemas


def _target(schema: Schema) -> str:
    return str(schema["$ref"]).removeprefix("#/$defs/").removeprefix("Partial")


def _model(key: str, raw: Schema, prefix: str) -> Schema:
    properties = {name: {**_tidy(of, prefix), "description": KEYS[key][name]} for name, of in raw["properties"].items()}
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if "description" in raw:
        schema["description"] = raw["description"]
    if key in _ONE_OF:
        schema |= {"minProperties": 0 if prefix else 1, "maxProperties": 1}
        schema["properties"] = {name: _not_null(of) for name, of in properties.items()}
    elif "required" in raw and not prefix:
        schema["required"] = list(raw["required"])
    if key == "RecipeSpec" and not prefix:
        schema["oneOf"] = [{"required": ["epochs"]}, {"required": ["iterations"]}]
    elif key == "RecipeSpec":
        schema["required"] = ["recipe", "extends"]
    return schema


def _not_null(schema: Schema) -> Schema:
    """Of `X or null`, X."""
    if "anyOf" in schema:
        return {**schema["anyOf"][0], "description": schema["description"]}
    return {**schema, "type": schema["type"][0]} if isinstance(schema.get("type"), list) else schema


def _tidy(raw: Any, prefix: str) -> Any:
    """Without titles; `X or null` as one schema where both are types; references into the same family."""
    if not isinstance(raw, dict):
        return [_tidy(item, prefix) for item in raw] if isinstance(raw, list) else raw
    if "$ref" in raw:
        return {"$ref": raw["$ref"].replace("#/$defs/", f"#/$defs/{prefix}")}
    raw = {key: value for key, value in raw.items() if key != "title" and (key, value) != ("default", None)}
    if [item.get("type") for item in raw.get("anyOf", [])][1:] == ["null"] and "type" in raw["anyOf"][0]:
        first = raw["anyOf"][0]
        raw = {**{k: v for k, v in raw.items() if k != "anyOf"}, **first, "type": [first["type"], "null"]}
    return {key: _tidy(value, prefix) for key, value in raw.items()}
