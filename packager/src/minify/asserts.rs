//! Pass, only where asked for: what `python -O` leaves out goes, `assert` and what `if __debug__` guards.
//!
//! Which names are local to a function, and whether it is a generator, depends on all its statements, also on those that
//! `-O` skips. A statement that decides over such things stays: an `assert` as it is, an `if __debug__` as `if False`.

use ruff_python_ast::visitor::transformer::{self, Transformer};
use ruff_python_ast::visitor::{Visitor, walk_comprehension, walk_expr, walk_stmt};
use ruff_python_ast::{
    AtomicNodeIndex, Comprehension, Expr, ExprBooleanLiteral, FString, ModModule, Stmt, TString,
};
use ruff_text_size::{Ranged, TextRange};

use super::edit::Edit;

/// Whether a statement goes.
pub(super) fn goes(statement: &Stmt) -> bool {
    if let Stmt::If(guarded) = statement {
        return is_debug(&guarded.test)
            && guarded.elif_else_clauses.is_empty()
            && guarded.body.iter().all(has_no_trace);
    }
    matches!(statement, Stmt::Assert(_)) && has_no_trace(statement)
}

/// Whether skipping a statement and having never written it come to the same.
fn has_no_trace(statement: &Stmt) -> bool {
    let mut search = TraceSearch { found: false };
    search.visit_stmt(statement);
    !search.found
}

/// Looks for what the compiler takes note of even in code that is never run.
struct TraceSearch {
    found: bool,
}

impl<'a> Visitor<'a> for TraceSearch {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Assert(_) | Stmt::Expr(_) | Stmt::Pass(_) | Stmt::Raise(_) | Stmt::If(_) => {
                walk_stmt(self, statement);
            }
            // These bind or declare names, may contain what does, or lead elsewhere.
            Stmt::FunctionDef(_)
            | Stmt::ClassDef(_)
            | Stmt::Return(_)
            | Stmt::Delete(_)
            | Stmt::TypeAlias(_)
            | Stmt::Assign(_)
            | Stmt::AugAssign(_)
            | Stmt::AnnAssign(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Try(_)
            | Stmt::Import(_)
            | Stmt::ImportFrom(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::IpyEscapeCommand(_) => self.found = true,
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Named(_) | Expr::Yield(_) | Expr::YieldFrom(_) | Expr::Await(_) => {
                self.found = true;
            }
            Expr::BoolOp(_)
            | Expr::BinOp(_)
            | Expr::UnaryOp(_)
            | Expr::Lambda(_)
            | Expr::If(_)
            | Expr::Dict(_)
            | Expr::Set(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Generator(_)
            | Expr::Compare(_)
            | Expr::Call(_)
            | Expr::FString(_)
            | Expr::TString(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::Attribute(_)
            | Expr::Subscript(_)
            | Expr::Starred(_)
            | Expr::Name(_)
            | Expr::List(_)
            | Expr::Tuple(_)
            | Expr::Slice(_)
            | Expr::IpyEscapeCommand(_) => walk_expr(self, expression),
        }
    }

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        self.found |= comprehension.is_async;
        walk_comprehension(self, comprehension);
    }
}

fn is_debug(expression: &Expr) -> bool {
    matches!(expression, Expr::Name(name) if name.id == "__debug__")
}

/// Edits that say `False` for `__debug__`. Inside f-strings and t-strings, which may show their own text, it stays.
pub(super) fn edits(module: &ModModule) -> Vec<Edit> {
    let mut names = DebugNames::default();
    names.visit_body(&module.body);
    let edit = |range| Edit::replace(range, "False");
    names.ranges.into_iter().map(edit).collect()
}

#[derive(Default)]
struct DebugNames {
    ranges: Vec<TextRange>,
}

impl<'a> Visitor<'a> for DebugNames {
    fn visit_expr(&mut self, expression: &'a Expr) {
        if is_debug(expression) {
            self.ranges.push(expression.range());
        }
        walk_expr(self, expression);
    }

    fn visit_f_string(&mut self, _: &'a FString) {}

    fn visit_t_string(&mut self, _: &'a TString) {}
}

/// Says `False` for `__debug__` in a tree, where [`edits`] does so in the text.
pub(super) fn take_out(module: &mut ModModule) {
    DebugIsFalse.visit_body(&mut module.body);
}

struct DebugIsFalse;

impl Transformer for DebugIsFalse {
    fn visit_expr(&self, expression: &mut Expr) {
        if is_debug(expression) {
            *expression = Expr::BooleanLiteral(ExprBooleanLiteral {
                node_index: AtomicNodeIndex::NONE,
                range: expression.range(),
                value: false,
            });
        } else {
            transformer::walk_expr(self, expression);
        }
    }

    fn visit_f_string(&self, _: &mut FString) {}

    fn visit_t_string(&self, _: &mut TString) {}
}

#[cfg(test)]
mod tests {
    use crate::minify::Pass;
    use crate::minify::tests::{becomes, stays};

    #[track_caller]
    fn without_asserts(before: &str, after: &str) {
        becomes(&[Pass::Asserts], before, after);
    }

    #[test]
    fn asserts_leave_their_newlines() {
        without_asserts("x = 1\nassert x, 'no'\ny = 2\n", "x = 1\n\ny = 2\n");
        without_asserts("assert (x,\n  y)\nz = 2\n", "\n\nz = 2\n");
    }

    #[test]
    fn zero_is_left_where_a_statement_must_be() {
        without_asserts("def f(x): assert x\n", "def f(x): 0\n");
        without_asserts("if x:\n assert y\n assert z\n", "if x:\n 0\n \n");
        without_asserts("a(); assert b; c()\n", "a(); 0; c()\n");
    }

    #[test]
    fn a_string_behind_an_assert_does_not_become_a_docstring() {
        without_asserts("def f():\n assert x\n 's'\n", "def f():\n 0\n 's'\n");
        without_asserts("assert x\nassert y\n's'\n", "0\n\n's'\n");
        without_asserts("if x:\n assert x\n 's'\n", "if x:\n \n 's'\n");
    }

    #[test]
    fn asserts_that_shape_their_function_stay() {
        for text in [
            "def f():\n assert (y := g())\n",
            "def f():\n assert (yield)\n",
            "def f():\n assert (yield from g())\n",
            "async def f():\n assert await g()\n",
            "async def f():\n assert [x async for x in g()]\n",
        ] {
            stays(&[Pass::Asserts], text);
        }
    }

    #[test]
    fn what_debug_guards_goes() {
        without_asserts("if __debug__:\n print(1)\nx = 1\n", "\n\nx = 1\n");
        without_asserts("if __debug__:\n if not x:\n  raise E\n", "\n\n\n");
        without_asserts("def f():\n if __debug__: print(1)\n", "def f():\n 0\n");
    }

    #[test]
    fn what_binds_names_stays_and_is_never_run() {
        without_asserts("if __debug__:\n x = 1\n", "if False:\n x = 1\n");
        without_asserts("if __debug__:\n import x\n", "if False:\n import x\n");
        without_asserts(
            "if __debug__: f()\nelse: g()\n",
            "if False: f()\nelse: g()\n",
        );
        without_asserts(
            "while not __debug__ or x: f()\n",
            "while not False or x: f()\n",
        );
        without_asserts("x = 1 if __debug__ else 2\n", "x = 1 if False else 2\n");
        without_asserts(
            "if(__debug__):\n for x in y: pass\n",
            "if(False):\n for x in y: pass\n",
        );
    }

    #[test]
    fn text_that_is_shown_stays() {
        stays(&[Pass::Asserts], "print(f'{__debug__ = }')\n");
        stays(&[Pass::Asserts], "t'{__debug__}'\n");
        stays(&[Pass::Asserts], "x.__debug__\n'__debug__'\n");
    }
}
