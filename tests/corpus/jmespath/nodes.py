"""Queries with JMESPath: visitors and functions that are found by their names."""

import jmespath
from jmespath import exceptions, functions, visitor
from jmespath.parser import Parser


class Own(functions.Functions):
    @functions.signature({"types": ["string"]}, {"types": ["number"]})
    def _func_repeat(self, text, times):
        return text * int(times)


class Query:
    def __init__(self):
        self.options = jmespath.Options(custom_functions=Own(), dict_cls=dict)

    def process(self, data):
        try:
            compiled = jmespath.compile(data["query"])
            found = compiled.search(data["of"], options=self.options)
        except exceptions.JMESPathError as error:
            return [type(error).__name__, str(error)]
        # The visitor takes no slices, whose ends may be missing.
        dot = "::" in data["query"] or visitor.GraphvizVisitor().visit(Parser().parse(data["query"]).parsed, "query")
        return {"found": found, "tree": repr(compiled.parsed), "dot": dot}
