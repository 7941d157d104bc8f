"""Validates with Cerberus, which finds its rules by the names and in the docstrings of methods."""

from cerberus import TypeDefinition, Validator, rules_set_registry, schema_registry
from cerberus.errors import ValidationError

rules_set_registry.add("short", {"type": "string", "maxlength": 3})
schema_registry.add("point", {"x": {"type": "integer"}, "y": {"type": "integer", "default": 0}})


class Own(Validator):
    types_mapping = {**Validator.types_mapping, "pair": TypeDefinition("pair", (list,), ())}

    def _validate_is_odd(self, constraint, field, value):
        """The rule's arguments are validated against this schema: {'type': 'boolean'}"""
        if constraint and not value % 2:
            self._error(field, "must be odd")

    def _check_with_prime(self, field, value):
        if value < 2 or any(value % n == 0 for n in range(2, value)):
            self._error(field, "must be prime")

    def _normalize_coerce_upper(self, value):
        return value.upper()

    def _normalize_default_setter_next(self, document):
        return document.get("n", 0) + 1


SCHEMA = {
    "n": {"type": "integer", "is_odd": True, "check_with": "prime", "max": 100},
    "name": {"coerce": "upper", "regex": "[A-Z ]+", "required": True},
    "next": {"default_setter": "next"},
    "tags": {"type": "list", "schema": "short", "allowed": ["a", "bc"]},
    "at": {"type": "dict", "schema": "point", "excludes": "place"},
    "place": {"anyof_type": ["string", "pair"], "nullable": True},
    "mode": {"allowed": ["fast", "slow"], "dependencies": {"n": [3, 5]}, "rename": "speed"},
    "map": {"keysrules": {"regex": "k."}, "valuesrules": {"oneof": [{"type": "float", "min": 0.5}, {"type": "boolean"}]}},
}


class Validate:
    def process(self, data):
        validator = Own(SCHEMA, purge_unknown=data.pop("$purge", False))
        is_valid = validator.validate(data)
        errors = [error for error in validator._errors if isinstance(error, ValidationError)]
        return {
            "valid": is_valid,
            "errors": validator.errors,
            "document": validator.document,
            "codes": sorted(error.code for error in errors),
        }
