"""What is wrong with settings, in sentences: where, what stands there, and what is allowed.

pydantic's errors are translated here and nowhere else.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, ClassVar, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from crawler.progress.wording import clean

_SHOWN_MOST = 80  # characters of a wrong value: enough to find it, short enough for one line
_SECRET_PARTS = {"headers", "proxy"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong setting: ``path`` such as ``site[0].rate``, the value as shown, what is allowed."""

    path: str
    shown: str
    allowed: str

    def __str__(self) -> str:
        head = f"{self.path} = {self.shown}" if self.shown else self.path
        return f"{head}: {self.allowed}" if head else self.allowed


class ConfigError(ValueError):
    """The user's settings are wrong; ``problems`` has all of them, in the file's order."""

    exit_code: ClassVar[int] = 2

    def __init__(self, problems: tuple[Problem, ...], name: str = "") -> None:
        self.problems = problems
        prefix = f"{name}: " if name else ""
        super().__init__("\n".join(f"{prefix}{problem}" for problem in problems))


def problems_of(error: ValidationError, model: type[BaseModel]) -> tuple[Problem, ...]:
    """Translate all of pydantic's errors over ``model``, one problem a setting."""
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        problem = _problem(detail, model)
        found.setdefault(problem.path, problem)
    return tuple(found.values())


def _problem(detail: ErrorDetails, model: type[BaseModel]) -> Problem:
    owner, field, location = _locate(detail["loc"], model)
    path = _path(location)
    if detail["type"] == "extra_forbidden":
        return Problem(path=path, shown="", allowed=_unknown(str(location[-1]), owner, model))
    if detail["type"] == "missing":
        return Problem(path=path, shown="", allowed="is missing")
    if detail["type"] == "value_error":
        allowed = re.sub(r"^Value error, ", "", detail["msg"])
    else:
        allowed = (field and allowed_of(field)) or _lower(detail["msg"])
    return Problem(path=path, shown=_shown(detail["input"], location), allowed=allowed)


def _locate(
    parts: tuple[int | str, ...], model: type[BaseModel]
) -> tuple[type[BaseModel], FieldInfo | None, tuple[int | str, ...]]:
    """Find the model and field that an error's location names; pydantic's own marks are cut."""
    owner, field, kept = model, None, list[int | str]()
    for part in parts:
        if isinstance(part, str) and field is None:
            kept.append(part)
            field = owner.model_fields.get(part)
            nested = _model_in(field.annotation) if field else None
            if nested is not None:
                owner, field = nested, None
        elif isinstance(part, int) or (field and _is_mapping(field) and part != "[key]"):
            kept.append(part)
    return owner, field, tuple(kept)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)


def _is_mapping(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is dict


def _path(parts: tuple[int | str, ...]) -> str:
    names = (f"[{p}]" if isinstance(p, int) else f".{clean(p, _SHOWN_MOST)}" for p in parts)
    return "".join(names).lstrip(".")


def _unknown(key: str, owner: type[BaseModel], model: type[BaseModel]) -> str:
    known = list(owner.model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    for table, field in model.model_fields.items():
        nested = _model_in(field.annotation)
        if nested not in (None, owner) and key in nested.model_fields:
            hint = f"it belongs in [{table}]; "
            break
    return f"is no setting; {hint}known here: {', '.join(known)}"


def _shown(value: object, location: tuple[int | str, ...]) -> str:
    """Show a wrong value, short; where a secret may stand, as stars."""
    if _SECRET_PARTS & set(location):
        return "********"
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, float):
        text = f"{value:.15g}"  # as it was written: the command line's -1 came as a float
    else:
        text = repr(value)
    text = re.sub(r"//[^/\s]*@", "//********@", text)
    return text if len(text) <= _SHOWN_MOST else f"{text[: _SHOWN_MOST - 1]}…"


def allowed_of(field: FieldInfo) -> str | None:
    """Say what a setting may be, from its type and bounds; None where only its check can."""
    kind = next(_plain(field.annotation), None)
    bounds = {
        name: getattr(rule, name)
        for rule in field.metadata
        for name in ("ge", "le")
        if getattr(rule, name, None) is not None
    }
    if kind is bool:
        return "must be true or false"
    if kind in {int, float}:
        unit = f" {unit_of(field)}" if unit_of(field) else ""
        noun = "a whole number" if kind is int else "a number"
        return f"must be {noun} from {bounds['ge']} to {bounds['le']}{unit}"
    if get_origin(field.annotation) is Literal:
        return f"must be one of: {', '.join(get_args(field.annotation))}"
    return None


def unit_of(field: FieldInfo) -> str:
    """Return the unit a setting is declared with, or an empty text."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _plain(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, UnionType):
        for arg in get_args(annotation):
            yield from _plain(arg)
    elif annotation is not type(None):
        yield annotation


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
