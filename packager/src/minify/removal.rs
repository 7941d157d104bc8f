//! Which statements go, what the text looks like without them, and what the tree looks like without them.
//!
//! The two are made apart from each other, so that comparing the minified text's tree with this one finds mistakes of
//! either.

use std::collections::BTreeMap;

use ruff_python_ast::{
    AtomicNodeIndex, ElifElseClause, ExceptHandler, Expr, ExprNumberLiteral, Int, MatchCase,
    ModModule, Number, Stmt, StmtExpr, Suite as Body,
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::edit::Edit;

/// What a list of statements is the body of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suite {
    /// A module. It may be empty, and a string at its start is its docstring.
    Module,
    /// A class or a function. A string at its start is its docstring.
    Definition,
    /// Anything else.
    Block,
}

/// Whether the newlines of what is taken out stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    Keep,
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Nothing is left of the statement.
    Gone,
    /// `0` is left, a statement that does nothing: Python's grammar wants one there.
    Zero,
}

/// The statements that go, by where they start, which is in no two statements the same.
#[derive(Debug, Default)]
pub(super) struct Removals {
    statements: BTreeMap<TextSize, (TextRange, How)>,
}

impl Removals {
    /// Take those statements out of a module for which `goes` holds.
    pub(super) fn plan(text: &str, module: &ModModule, goes: impl Fn(&Stmt) -> bool) -> Self {
        let mut removals = Self::default();
        removals.plan_suite(text, Suite::Module, &module.body, &goes);
        removals
    }

    fn plan_suite(
        &mut self,
        text: &str,
        suite: Suite,
        body: &[Stmt],
        goes: &impl Fn(&Stmt) -> bool,
    ) {
        for statement in body {
            for (kind, inner) in suites_of(statement) {
                self.plan_suite(text, kind, inner, goes);
            }
        }
        let mut first_left = None;
        let mut first_gone = None;
        for (index, statement) in body.iter().enumerate() {
            if !goes(statement) {
                first_left.get_or_insert((index, statement));
                continue;
            }
            let range = statement.range();
            let how = if stands_alone(text, range) {
                How::Gone
            } else {
                How::Zero
            };
            self.statements.insert(range.start(), (range, how));
            first_gone.get_or_insert(range);
        }
        let Some(range) = first_gone else { return };
        let needed = match first_left {
            None => suite != Suite::Module,
            // What was a string without effect must not become the docstring.
            Some((index, left)) => suite != Suite::Block && index > 0 && is_string(left),
        };
        if needed {
            self.statements.insert(range.start(), (range, How::Zero));
        }
    }

    /// The edits that take the statements out.
    pub(super) fn edits(&self, text: &str, lines: Lines) -> Vec<Edit> {
        self.statements
            .values()
            .map(|&(range, how)| {
                let newlines = match lines {
                    Lines::Keep => text[range].matches('\n').count(),
                    Lines::Drop => 0,
                };
                let left = match (how, newlines) {
                    (How::Zero, 0) => return Edit::replace(range, "0"),
                    (How::Gone, 0) => return Edit::delete(range),
                    (How::Zero, _) => format!("(0{})", "\n".repeat(newlines)),
                    (How::Gone, _) => "\n".repeat(newlines),
                };
                Edit::replace(range, left)
            })
            .collect()
    }

    /// Take the statements out of the tree.
    pub(super) fn take_out(&self, module: &mut ModModule) {
        if !self.statements.is_empty() {
            self.take_out_of(&mut module.body);
        }
    }

    fn take_out_of(&self, body: &mut Body) {
        body.retain_mut(|statement| match self.statements.get(&statement.start()) {
            Some((range, How::Gone)) => *range != statement.range(),
            Some((range, How::Zero)) if *range == statement.range() => {
                *statement = zero(*range);
                true
            }
            Some(_) | None => true,
        });
        for statement in body {
            for inner in suites_of_mut(statement) {
                self.take_out_of(inner);
            }
        }
    }
}

/// Whether a statement is a string: a docstring where it is the first, without any effect elsewhere.
///
/// An f-string is none even without braces, and bytes are none.
pub(super) fn is_string(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Expr(StmtExpr { value, .. }) if value.is_string_literal_expr())
}

/// Whether nothing else is on the lines of a statement but comments.
fn stands_alone(text: &str, range: TextRange) -> bool {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\x0c');
    let before = text[..range.start().to_usize()].trim_end_matches(blank);
    // Behind a backslash the line before is the same line.
    let begins = before.is_empty() || (before.ends_with('\n') && !before.ends_with("\\\n"));
    let after = text[range.end().to_usize()..].trim_start_matches(blank);
    begins && (after.is_empty() || after.starts_with(['\n', '#']))
}

fn zero(range: TextRange) -> Stmt {
    Stmt::Expr(StmtExpr {
        node_index: AtomicNodeIndex::NONE,
        range,
        value: Box::new(Expr::NumberLiteral(ExprNumberLiteral {
            node_index: AtomicNodeIndex::NONE,
            range,
            value: Number::Int(Int::ZERO),
        })),
    })
}

/// The suites directly below a statement; those that are not written (`else`) are left out.
pub(super) fn suites_of(statement: &Stmt) -> Vec<(Suite, &[Stmt])> {
    let blocks: Vec<&Body> = match statement {
        Stmt::FunctionDef(function) => return vec![(Suite::Definition, &function.body)],
        Stmt::ClassDef(class) => return vec![(Suite::Definition, &class.body)],
        Stmt::For(statement) => vec![&statement.body, &statement.orelse],
        Stmt::While(statement) => vec![&statement.body, &statement.orelse],
        Stmt::If(statement) => {
            let clauses = statement.elif_else_clauses.iter();
            let clauses = clauses.map(|ElifElseClause { body, .. }| body);
            std::iter::once(&statement.body).chain(clauses).collect()
        }
        Stmt::With(statement) => vec![&statement.body],
        Stmt::Match(statement) => {
            let cases = statement.cases.iter();
            cases.map(|MatchCase { body, .. }| body).collect()
        }
        Stmt::Try(statement) => {
            let handlers = statement.handlers.iter();
            let handlers = handlers.map(|ExceptHandler::ExceptHandler(handler)| &handler.body);
            std::iter::once(&statement.body)
                .chain(handlers)
                .chain([&statement.orelse, &statement.finalbody])
                .collect()
        }
        Stmt::Return(_)
        | Stmt::Delete(_)
        | Stmt::TypeAlias(_)
        | Stmt::Assign(_)
        | Stmt::AugAssign(_)
        | Stmt::AnnAssign(_)
        | Stmt::Raise(_)
        | Stmt::Assert(_)
        | Stmt::Import(_)
        | Stmt::ImportFrom(_)
        | Stmt::Global(_)
        | Stmt::Nonlocal(_)
        | Stmt::Expr(_)
        | Stmt::Pass(_)
        | Stmt::Break(_)
        | Stmt::Continue(_)
        | Stmt::IpyEscapeCommand(_) => vec![],
    };
    blocks
        .into_iter()
        .filter(|body| !body.is_empty())
        .map(|body| (Suite::Block, body.as_slice()))
        .collect()
}

/// As [`suites_of`], to be changed.
fn suites_of_mut(statement: &mut Stmt) -> Vec<&mut Body> {
    match statement {
        Stmt::FunctionDef(function) => vec![&mut function.body],
        Stmt::ClassDef(class) => vec![&mut class.body],
        Stmt::For(statement) => vec![&mut statement.body, &mut statement.orelse],
        Stmt::While(statement) => vec![&mut statement.body, &mut statement.orelse],
        Stmt::If(statement) => {
            let clauses = statement.elif_else_clauses.iter_mut();
            let clauses = clauses.map(|clause| &mut clause.body);
            std::iter::once(&mut statement.body)
                .chain(clauses)
                .collect()
        }
        Stmt::With(statement) => vec![&mut statement.body],
        Stmt::Match(statement) => {
            let cases = statement.cases.iter_mut();
            cases.map(|case| &mut case.body).collect()
        }
        Stmt::Try(statement) => {
            let handlers = statement.handlers.iter_mut();
            let handlers = handlers.map(|ExceptHandler::ExceptHandler(handler)| &mut handler.body);
            std::iter::once(&mut statement.body)
                .chain(handlers)
                .chain([&mut statement.orelse, &mut statement.finalbody])
                .collect()
        }
        Stmt::Return(_)
        | Stmt::Delete(_)
        | Stmt::TypeAlias(_)
        | Stmt::Assign(_)
        | Stmt::AugAssign(_)
        | Stmt::AnnAssign(_)
        | Stmt::Raise(_)
        | Stmt::Assert(_)
        | Stmt::Import(_)
        | Stmt::ImportFrom(_)
        | Stmt::Global(_)
        | Stmt::Nonlocal(_)
        | Stmt::Expr(_)
        | Stmt::Pass(_)
        | Stmt::Break(_)
        | Stmt::Continue(_)
        | Stmt::IpyEscapeCommand(_) => vec![],
    }
}
