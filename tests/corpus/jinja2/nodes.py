"""Renders templates with Jinja, which compiles them to Python and runs that."""

from jinja2 import DictLoader, Environment, StrictUndefined, TemplateError, meta, nodes
from jinja2.ext import Extension
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

TEMPLATES = {
    "base": "<title>{% block title %}none{% endblock %}</title>{% block body required %}{% endblock %}",
    "page": "{% extends 'base' %}{% import 'macros' as m %}{% block title %}{{ super() }} {{ title|title }}{% endblock %}"
    "{% block body %}{% for item in items|sort(attribute='n', reverse=true) recursive %}{{ loop.index }}/{{ loop.length }} "
    "{{ m.item(item) }}{% if not loop.last %}; {% endif %}{% else %}empty{% endfor %}{% endblock %}",
    "macros": "{% macro item(it, mark='*') -%}{{ mark }}{{ it.name|e }}={{ '%.1f'|format(it.n) }}{%- endmacro %}",
}


class Shout(Extension):
    """A tag of its own: `{% shout %}text{% endshout %}`."""

    tags = {"shout"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endshout"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_shout"), [], [], body).set_lineno(line)

    def _shout(self, caller):
        return caller().upper()


class Templates:
    def __init__(self):
        self.env = Environment(
            loader=DictLoader(TEMPLATES), autoescape=True, trim_blocks=True, undefined=StrictUndefined,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", "jinja2.ext.i18n", Shout],
        )
        self.env.filters["twice"] = lambda value: value * 2
        self.env.tests["small"] = lambda value: value < 10
        self.env.install_null_translations()
        self.native = NativeEnvironment()
        self.sandbox = SandboxedEnvironment()

    def process(self, data):
        if "template" in data:
            try:
                template = self.env.from_string(data["template"])
                text = template.render(data, unsafe=Markup("<b>") + escape("<i>"))
            except TemplateError as error:
                return [type(error).__name__, error.message]
            names = meta.find_undeclared_variables(self.env.parse(data["template"]))
            return [text, sorted(names)]
        if "native" in data:
            return self.native.from_string(data["native"]).render(data)
        if "sandbox" in data:
            try:
                return self.sandbox.from_string(data["sandbox"]).render(value=self)
            except TemplateError as error:
                return [type(error).__name__, error.message]
        return "".join(self.env.get_template("page").generate(data))
