"""A library -> JSON Schema of a study's file."""

from __future__ import annotations

from resbench.data.registry import names as data_names
from resbench.data.registry import settings
from resbench.json_schema.editor import Schema, either, if_list, offer
from resbench.json_schema.params import domain
from resbench.json_schema.recipe import study_recipe
from resbench.json_schema.references import docs_of, head_schemas, if_used, use_schema
from resbench.json_schema.search import arrange_schema, mutate_schema, search_schema, without_title
from resbench.json_schema.values import texts, words
from resbench.language.library.library import Library
from resbench.language.study.budget import DEVICE
from resbench.language.study.design import MEASURED
from resbench.language.study.keep import RUNS
from resbench.language.study.study import MAX_SEEDS
from resbench.study.trackers.registry import OWN

_AMOUNT = r"[0-9]{1,15}(\.[0-9]{1,15})?[kMGT]?|[0-9_]+"
_BUDGET = {
    "params": "Parameters of one network, at most.",
    "macs": "Multiply-accumulates of one network for one image, at most.",
    "trials": "Points of the study that are tried, at most.",
    "runs": "Trainings that this study starts, at most, over all its calls.",
}
_MEMORY = "MiB that training keeps of one image of one network, at most."
_KEEP = (
    "best: of each unit that may be the best, the seed nearest to its median; finalists: every run that the ranking rests on; "
    "all: also those that a search chose by; none."
)
_KEPT = {
    "properties": {
        "runs": {"enum": [*RUNS], "description": _KEEP},
        "gib": {
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 1,
            "description": "GiB of all weights beside the database, at most.",
        },
    },
    "additionalProperties": False,
}
_LATENCY = "Milliseconds for one image of one network, the median of 30, at most; on the CPU, or by device: {cuda: 3}."

_OBJECTIVES = {
    "val_error_pct": "Error on the validation split, %.",
    "val_loss": "Cross-entropy on the validation split, nats.",
    "train_loss": "Training loss over the last epoch.",
    "train_s": "Seconds of training of one run; other work on the machine is in it.",
    "params": "Parameters of the network: exact, no spread.",
    "macs": "Multiply-accumulates of the network for one image: exact, no spread.",
}


def study_schema(library: Library) -> Schema:
    recipe, defs = study_recipe(library)
    return {
        "type": "object",
        "properties": {
            **head_schemas("study"),
            "network": {"$ref": "#/$defs/network"},
            "units": {
                "type": "array",
                "items": {"$ref": "#/$defs/unit"},
                "minItems": 1,
                "if": {"not": {"contains": {"type": "object"}}},  # in which no names are offered
                "then": {"items": {"$ref": "#/$defs/unit_offer"}},
                "description": "The units that are trained in the network, each once for each of its points.",
            },
            "data": _data(),
            "recipe": recipe,
            "seeds": {
                "type": ["integer", "array"], "minimum": 1, "maximum": MAX_SEEDS,
                **if_list({"type": "integer", "minimum": 0}, {"minItems": 1, "uniqueItems": True}),
                "description": "Runs of each point: a number n stands for seeds 0 to n - 1; or a list of seeds.",
                "default": 5,
            },
            "objectives": {
                "type": "object",
                "description": "The ranking objectives; several give a Pareto set. Tables sort by the first.",
                "properties": {
                    name: {"const": "minimize", "description": words} for name, words in _OBJECTIVES.items()
                },
                "minProperties": 1,
                "anyOf": [{"required": [name]} for name in MEASURED],
                "additionalProperties": False,
            },
            "race": {
                "description": "Seeds at each interim look of a race, which may exclude units; true: 5, 8, 12, 20.",
                "type": ["boolean", "array"],
                **if_list({"type": "integer", "minimum": 3}, {"minItems": 1, "uniqueItems": True}),
            },
            "paired": {
                "type": "boolean",
                "description": "Whether the seed also draws the split or a subset of the data; only then are tests paired.",
            },
            "search": search_schema(),
            "budget": {
                "type": "object",
                "description": "Limits; none where not given.",
                "properties": {
                    **{key: {**_amount(), "description": words} for key, words in _BUDGET.items()},
                    "memory_mib": {"type": "number", "exclusiveMinimum": 0, "examples": [100], "description": _MEMORY},
                    "latency_ms": {
                        "type": ["number", "object"], "exclusiveMinimum": 0, "examples": [10], "description": _LATENCY,
                        "propertyNames": {"pattern": f"^({DEVICE.pattern})$"},
                        "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
                    },
                },
                "additionalProperties": False,
            },
            "keep": {
                **either("keep", {"enum": [*RUNS], "description": _KEEP}, _KEPT),
                "description": "The runs whose weights are kept, and the GiB that all of them may take beside the database.",
            },
            "plugins": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "description": "Folders with plugins that this study needs, relative to the study's own. Their code is executed.",
            },
            "track": _track(),
        },
        "required": ["study"],
        "if": {"required": ["extends"]},
        "else": {"required": ["network", "units", "data"]},
        "additionalProperties": False,
        "$defs": {
            **defs,
            "network": use_schema(library, "network", searchable=True),
            "unit": _entry(library),
            "unit_offer": _unit_offer(library),
            "domain": domain(default=False),
        },
    }  # fmt: skip


def _track() -> Schema:
    """Return the schema of trackers: a name, `{use: name, argument: value}`, or a list of these; plugins may have
    more."""
    names: Schema = {"anyOf": [words(OWN), {"type": "string", "minLength": 1}]}
    mapping: Schema = {
        "properties": {"use": {**names, "description": "Name of the tracker."}},
        "required": ["use"],
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    }
    one = either("tracker", names, mapping)
    several: Schema = {
        "if": {"type": "array"},
        "then": {"type": "array", "items": one},
        "else": one,
        "anyOf": one["anyOf"],
    }
    return {"description": "Trackers that also show runs as they end; not part of the study's identity.", **several}


def _data() -> Schema:
    """Return the schema of data: a name, or `{use: name, setting: value}`."""
    name: Schema = {"anyOf": [words(data_names()), {"type": "string", "minLength": 1}]}
    rules = []
    for known in data_names():
        model = settings(known).model_json_schema()
        properties = {key: without_title(value) for key, value in model.get("properties", {}).items()}
        rules.append(
            if_used(
                known,
                {
                    "properties": {"use": True, **properties},
                    "required": model.get("required", []),
                    "additionalProperties": False,
                },
            )
        )
    return {
        "description": "The data set; `resbench data` lists all, with their settings.",
        **either(
            "data",
            name,
            {
                "title": "data and settings",
                "properties": {"use": {**name, "description": "Its name."}},
                "required": ["use"],
                "allOf": rules,
            },
        ),
    }


def _entry(library: Library) -> Schema:
    """Return the schema of an entry of `units`: a name, a file, a pattern, or a mapping with params and `vary`."""
    vary: Schema = {
        "description": "Params to search over the domains in the unit's own file: their names, or `all`.",
        "type": ["string", "array"],
        **if_list({"type": "string"}),
        "else": {"enum": ["all"]},
    }
    used = use_schema(library, "unit", searchable=True, more={"vary": vary}, listed=True)
    for key, schema in (("mutate", mutate_schema()), ("arrange", arrange_schema())):
        used = {
            "if": {"type": "object", "required": [key]},
            "then": {"type": "object", "properties": {key: schema}, "additionalProperties": False},
            "else": used,
        }
    return _with_pattern(used)


def _with_pattern(used: Schema) -> Schema:
    """Return the schema with a pattern allowed for the name at the end of the chain."""
    if "required" in used["if"]:
        return {**used, "else": _with_pattern(used["else"])}
    pattern = texts(r"[^$]*\*[^$]*", message="a unit's name, its file, or a pattern such as units/gates/*, is needed")
    return {**used, "else": {"anyOf": [used["else"], pattern]}}


def _unit_offer(library: Library) -> Schema:
    """Return the completions of an entry of `units`: a unit's name, or a key that generates units."""
    keys = {"arrange": arrange_schema(), "mutate": mutate_schema()}
    return offer({}, docs_of(library, "unit") | {f"{key}: ": of["description"] for key, of in keys.items()})


def _amount() -> Schema:
    return {
        "type": ["string", "integer"], "exclusiveMinimum": 0, "pattern": f"^({_AMOUNT})$",
        "patternErrorMessage": "an amount such as 2M or 300_000 is needed",
    }  # fmt: skip
