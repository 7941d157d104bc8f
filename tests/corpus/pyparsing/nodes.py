"""Parsers made with pyparsing: operators, alphabets, conditions, names of results."""

import pyparsing as pp
from pyparsing import common, unicode

pp.ParserElement.enable_packrat()

number = common.number.copy()
name = common.identifier
expression = pp.Forward()
call = pp.Group(name("function") + pp.Suppress("(") + pp.DelimitedList(expression)("arguments") + pp.Suppress(")"))
atom = number | call | name
expression <<= pp.infix_notation(
    atom,
    [
        ("-", 1, pp.OpAssoc.RIGHT, lambda tokens: [["neg", tokens[0][1]]]),
        (pp.one_of("* /"), 2, pp.OpAssoc.LEFT),
        (pp.one_of("+ -"), 2, pp.OpAssoc.LEFT),
    ],
)
pair = pp.Group(name + pp.Suppress("=") + (pp.QuotedString('"', esc_char="\\") | number))
settings = pp.Dict(pp.OneOrMore(pair)).ignore(pp.python_style_comment)
greek = pp.Combine(pp.Word(unicode.Greek.alphas)[1, ...])
block = pp.IndentedBlock(pp.Word(pp.alphas))
date = pp.Regex(r"(?P<year>\d{4})-(?P<month>\d\d)").add_condition(lambda t: int(t.month) < 13, message="no such month")

GRAMMARS = {
    "expression": expression,
    "settings": settings,
    "greek": greek[...],
    "block": block,
    "date": date,
    "nested": pp.nested_expr("{", "}"),
    "csv": common.comma_separated_list,
    "tag": pp.make_html_tags("a")[0],
    "address": common.ipv4_address | common.uuid,
    "counted": pp.counted_array(common.integer),
}


class Parse:
    def process(self, data):
        grammar, text = data
        parser = GRAMMARS[grammar]
        try:
            found = parser.parse_string(text, parse_all=True)
        except pp.ParseException as error:
            return [error.lineno, error.column, error.msg, error.line, str(parser)[:60]]
        spans = [[start, end] for _, start, end in parser.scan_string(text)]
        return {"list": found.as_list(), "dict": found.as_dict(), "dump": found.dump(), "spans": spans}
