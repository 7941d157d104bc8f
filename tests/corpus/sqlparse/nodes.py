"""Formats and takes apart SQL with sqlparse: a lexer from a table, filters by options."""

import sqlparse
from sqlparse import engine, filters, keywords, sql, tokens
from sqlparse.lexer import Lexer


class Format:
    def process(self, data):
        statements = sqlparse.parse(data)
        shapes = []
        for statement in statements:
            names = []
            for token in statement.tokens:
                if isinstance(token, (sql.Identifier, sql.Function)):
                    names.append([type(token).__name__, token.get_real_name(), token.get_alias()])
                elif isinstance(token, sql.IdentifierList):
                    names.extend([type(each).__name__, str(each)] for each in token.get_identifiers())
            shapes.append([statement.get_type(), names])
        stack = engine.FilterStack()
        stack.enable_grouping()
        stack.stmtprocess.append(filters.StripCommentsFilter())
        return {
            "pretty": sqlparse.format(data, reindent=True, keyword_case="upper", identifier_case="lower"),
            "aligned": sqlparse.format(data, reindent_aligned=True, strip_comments=True),
            "dense": sqlparse.format(data, strip_whitespace=True, use_space_around_operators=True, truncate_strings=4),
            "python": sqlparse.format(data, output_format="python"),
            "split": sqlparse.split(data),
            "shapes": shapes,
            "kinds": [str(kind) for kind, _ in Lexer.get_default_instance().get_tokens(data)][:12],
            "keywords": sum(token.ttype in tokens.Keyword for each in statements for token in each.flatten()),
            "stripped": [str(statement) for statement in stack.run(data)],
            "known": keywords.KEYWORDS.get("SELECT") is None,
        }
