"""Node -> a frozen pydantic model, with pydantic's findings reported in resbench's words at their places.

For files of fixed shape (recipes, a study's plain keys); graphs have their own checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from resbench.did_you_mean import did_you_mean
from resbench.errors import Problem, SpecError
from resbench.escape import printable
from resbench.language.yaml.node import Node, plain
from resbench.language.yaml.problems import by_place


class Model(BaseModel):
    """A strict model (no text for numbers): frozen, without unknown keys or infinities."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)
    ONE_OF: ClassVar[tuple[str, ...]] = ()
    """Keys of which exactly one is given."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if self.ONE_OF and sum(getattr(self, name) is not None for name in self.ONE_OF) != 1:
            raise ValueError(one_of(self.ONE_OF))
        return self


def one_of(keys: Sequence[str]) -> str:
    return f"one of {', '.join(keys)} is needed"


Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0, le=10**9)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
ModelT = TypeVar("ModelT", bound=Model)
_MESSAGES = {
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "bool_type": "true or false is needed",
    "string_type": "a text is needed",
    "list_type": "a list is needed",
    "tuple_type": "a list is needed",
    "dict_type": "a mapping is needed",
    "model_type": "a mapping is needed",
    "finite_number": "a finite number is needed",
    "too_short": "more items are needed",
}


def validate(model: type[ModelT], node: Node) -> ModelT:
    """Return the model. Raise SpecError with every problem."""
    try:
        return model.model_validate(tuples(plain(node)))
    except ValidationError as error:
        found = [_problem(model, node, dict(each)) for each in error.errors(include_url=False)]
        found += _alternatives(model, node, is_top=True)
        raise SpecError(sorted(dict.fromkeys(found), key=by_place)) from None


def _alternatives(model: type[BaseModel], node: Node, *, is_top: bool = False) -> Iterator[Problem]:
    """Yield the problems of keys of which exactly one must be given: pydantic looks at them only where each value is right."""
    keys = model.ONE_OF if issubclass(model, Model) else ()
    given = [key for key in keys if node.mapping.get(key, _NOTHING).value is not None]
    unknown = bool(node.mapping.keys() - {field.alias or name for name, field in model.model_fields.items()})
    if (
        keys and isinstance(node.value, dict) and len(given) != 1 and not unknown
    ):  # possibly a misspelling of one of them
        yield node.problem(one_of(keys) if is_top else f"{one_of(keys)}, got {node.shown()}")
    for name, field in model.model_fields.items():
        inner, below = _model_in(field.annotation), node.mapping.get(field.alias or name)
        for part in (below.items or (below,)) if inner is not None and below is not None else ():
            yield from _alternatives(inner, part)  # type: ignore[arg-type]


_NOTHING = Node(None)


def _problem(model: type[BaseModel], node: Node, found: dict[str, Any]) -> Problem:
    at, rest = _walk(node, found["loc"])
    kind, context = found["type"], found.get("ctx", {})
    if kind == "extra_forbidden":
        key = str(found["loc"][-1])
        keys = _keys(model, found["loc"][:-1])
        parent, _ = _walk(node, found["loc"][:-1])
        near = did_you_mean(key, keys)
        return parent.key_problem(key, f"unknown key `{printable(key)}`; allowed: {', '.join(keys)}{near}")
    if kind == "missing":
        return at.problem(f"key `{rest[-1] if rest else found['loc'][-1]}` is missing")
    message = _message(kind, context, found["msg"])
    return at.problem(f"{message}, got {at.shown()}" if found["loc"] else message)


def _message(kind: str, context: dict[str, Any], message: str) -> str:
    signs = {
        "greater_than": "above",
        "greater_than_equal": "at least",
        "less_than": "below",
        "less_than_equal": "at most",
    }
    if kind in signs:
        bound = next(value for key, value in context.items() if key in ("gt", "ge", "lt", "le"))
        return f"a number {signs[kind]} {bound:g} is needed"
    if kind == "literal_error":
        expected = str(context["expected"]).replace(" or ", ", ").replace("'", "`")
        return f"one of {expected} is needed" if "," in expected else f"{expected} is needed"
    if kind == "value_error":
        return str(context["error"])
    return _MESSAGES.get(kind, message)


def _walk(node: Node, location: Sequence[str | int]) -> tuple[Node, list[str | int]]:
    """Return the deepest node on the way to a location, and the rest of the location."""
    rest = list(location)
    while rest:
        step = rest[0]
        if isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        elif isinstance(step, str) and step in node.mapping:
            node = node.mapping[step]
        elif len(rest) == 1:
            break
        rest.pop(0)  # a step of a union has no place in the file
    return node, rest


def _keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Return the keys allowed at a location."""
    for step in location:
        field = next((f for name, f in model.model_fields.items() if step in (name, f.alias)), None)
        inner = _model_in(field.annotation) if field is not None else None
        model = inner or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def tuples(value: Any) -> Any:
    """Convert lists to tuples: frozen models hold no lists, and strict ones do not accept a list for a tuple."""
    if isinstance(value, list):
        return tuple(tuples(item) for item in value)
    return {key: tuples(item) for key, item in value.items()} if isinstance(value, dict) else value
