"""A catalogue made with attrs, whose methods are source text that is compiled when a class is made."""

import attr
import attrs
from attrs import Factory, asdict, converters, define, evolve, field, fields, frozen, validators


@frozen(order=True)
class Point:
    x: int = field(converter=int, validator=validators.ge(0))
    y: int = field(converter=int, validator=validators.in_(range(100)))

    @classmethod
    def parse(cls, text):
        return cls(*text.split(","))


@define(slots=True)
class Shape:
    name: str = field(validator=[validators.instance_of(str), validators.max_len(8)])
    points: list[Point] = Factory(list)
    colour: str | None = field(default=None, converter=converters.optional(str.lower), kw_only=True)
    size: int = field(init=False, repr=lambda n: f"<{n}>")

    @size.default
    def _size(self):
        return len(self.points)

    @name.validator
    def _no_spaces(self, attribute, value):
        if " " in value:
            raise ValueError(f"{attribute.name} has a space")

    def __attrs_post_init__(self):
        self.points.sort()


@attr.s(auto_attribs=True, cache_hash=True, frozen=True, eq=True)
class Old:
    a: int
    b: tuple = attr.ib(default=(), metadata={"old": True}, on_setattr=None)


Made = attrs.make_class("Made", {"left": field(), "right": field(default=2)}, frozen=True)


class Catalogue:
    def process(self, data):
        try:
            points = [Point.parse(text) for text in data["points"]]
            shape = Shape(data["name"], points, colour=data.get("colour"))
        except (ValueError, TypeError) as error:
            return [type(error).__name__, str(error.args[0])]
        moved = evolve(shape, name="moved", colour="RED")
        try:
            shape.points[0].x = 3
        except (attrs.exceptions.FrozenInstanceError, IndexError) as error:
            refused = type(error).__name__
        return {
            "repr": repr(shape),
            "dict": asdict(moved, filter=attrs.filters.exclude("size")),
            "fields": [attribute.name for attribute in fields(Shape)],
            "equal": shape == moved,
            "old": [repr(Old(1)), Old(1) == Old(1), {Old(1): 1}[Old(1)], fields(Old).b.metadata["old"]],
            "made": repr(Made(1)),
            "refused": refused,
            "slots": hasattr(shape, "__dict__"),
            "tuple": attrs.astuple(shape, recurse=True),
        }
