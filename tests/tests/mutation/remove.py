"""Takes definitions out of a file: `remove.py FILE`, with a list of them, as a metafile has it, on standard input.

A statement becomes `pass` and keeps its lines. A statement goes if nothing is left of what it binds; of an import, only
the names that are to go. Prints how many definitions are gone.
"""

import ast
import json
import sys


def remove(text, definitions):
    """The text without the definitions, and which of them are gone."""
    wanted = {(each["name"], each["line"]): each for each in definitions}
    edits = []
    gone = set()

    def visit(statements, scope):
        for statement in statements:
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    line = min([statement.lineno, *(each.lineno for each in statement.decorator_list)])
                    if (scope + statement.name, line) in wanted:
                        gone.add((scope + statement.name, line))
                        edits.append((line, statement, "pass"))
                    elif isinstance(statement, ast.ClassDef):
                        visit(statement.body, f"{scope}{statement.name}.")
                case ast.Import() | ast.ImportFrom():
                    names = {alias: (alias.asname or alias.name).partition(".")[0] for alias in statement.names}
                    found = {alias: find(scope + name, statement) for alias, name in names.items()}
                    kept = [alias for alias in statement.names if found[alias] is None]
                    if len(kept) < len(names):
                        gone.update(key for key in found.values() if key)
                        statement.names = kept
                        edits.append((statement.lineno, statement, ast.unparse(statement) if kept else "pass"))
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                    names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
                    found = [find(scope + name, statement) for name in names]
                    if found and all(found):
                        gone.update(found)
                        edits.append((statement.lineno, statement, "pass"))
                case _:
                    for field in ("body", "orelse", "finalbody"):
                        visit(getattr(statement, field, []), scope)
                    for handler in getattr(statement, "handlers", []):
                        visit(handler.body, scope)

    def find(name, statement):
        lines = range(statement.lineno, statement.end_lineno + 1)
        return next(((name, line) for line in lines if (name, line) in wanted), None)

    visit(ast.parse(text).body, "")
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    for first, statement, instead in sorted(edits, key=lambda edit: edit[0], reverse=True):
        last = statement.end_lineno
        before = lines[first - 1][: statement.col_offset]
        behind = lines[last - 1][statement.end_col_offset :]
        # What is behind a statement is its line end at least.
        lines[first - 1 : last] = [before + instead.encode() + behind, *[b"\n"] * (last - first)]
    return b"".join(lines).decode(), gone


if __name__ == "__main__":
    path = sys.argv[1]
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    text, gone = remove(text, json.load(sys.stdin))
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    print(len(gone))
