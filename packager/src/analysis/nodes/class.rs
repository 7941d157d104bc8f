//! What a class's source tells about the node it makes.

use std::collections::BTreeMap;
use std::iter;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{ExceptHandler, Expr, Stmt, StmtClassDef, StmtFunctionDef};

use super::super::ParsedModule;
use super::super::names::last_name;

/// What calling a node's `process` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessKind {
    /// A value.
    Plain,
    /// A coroutine.
    Coroutine,
    /// A generator.
    Generator,
    /// An asynchronous generator.
    AsyncGenerator,
}

/// A class definition's facts.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) line: u32,
    pub(super) process: Option<ProcessKind>,
    pub(super) is_streaming: bool,
    pub(super) is_source: bool,
    /// Names of base classes that are not defined in the same file, in the order of the text.
    pub(super) bases: Vec<String>,
    /// Whether the class or one of its bases in the file says `is_streaming` itself.
    pub(super) says_streaming: bool,
}

/// Calls `visit` for the statements of the top level, those in `if`, `try` and `with` blocks too.
pub(super) fn each_top_level<'a>(body: &'a [Stmt], visit: &mut dyn FnMut(&'a Stmt)) {
    for stmt in body {
        visit(stmt);
        if let Stmt::If(stmt) = stmt {
            each_top_level(&stmt.body, visit);
            stmt.elif_else_clauses
                .iter()
                .for_each(|clause| each_top_level(&clause.body, visit));
        } else if let Stmt::Try(stmt) = stmt {
            each_top_level(&stmt.body, visit);
            for handler in &stmt.handlers {
                let ExceptHandler::ExceptHandler(clause) = handler;
                each_top_level(&clause.body, visit);
            }
            each_top_level(&stmt.orelse, visit);
            each_top_level(&stmt.finalbody, visit);
        } else if let Stmt::With(stmt) = stmt {
            each_top_level(&stmt.body, visit);
        }
    }
}

/// The class `name` of a parsed module.
pub(super) fn define(parsed: &ParsedModule, name: &str) -> Option<Definition> {
    let mut classes: BTreeMap<&str, &StmtClassDef> = BTreeMap::new();
    each_top_level(&parsed.syntax.body, &mut |stmt| {
        if let Stmt::ClassDef(class) = stmt {
            classes.entry(class.name.as_str()).or_insert(class);
        }
    });
    let class = *classes.get(name)?;
    let mut lineage = vec![class];
    let mut bases = Vec::new();
    let mut at = 0;
    while let Some(class) = lineage.get(at).copied() {
        for base in class.arguments.iter().flat_map(|arguments| &arguments.args) {
            let Expr::Name(base) = base else { continue };
            match classes.get(base.id.as_str()) {
                Some(base) if lineage.iter().any(|known| known.name == base.name) => {}
                Some(base) => lineage.push(base),
                None => bases.push(base.id.to_string()),
            }
        }
        at += 1;
    }
    let process = lineage.iter().find_map(|class| method(class, "process"));
    let says_streaming = lineage.iter().find_map(|class| flag(class, "is_streaming"));
    Some(Definition {
        line: parsed.line(&class.name),
        process: process.map(kind),
        is_streaming: says_streaming.unwrap_or_else(|| process.is_some_and(takes_stream)),
        is_source: process.is_some_and(takes_nothing),
        bases,
        says_streaming: says_streaming.is_some(),
    })
}

/// How many parameters are bound when a method is called on an object: `self`, which one that is static has not.
fn bound(method: &StmtFunctionDef) -> usize {
    let mut decorators = method.decorator_list.iter();
    let is_static = decorators.any(|decorator| last_name(&decorator.expression) == "staticmethod");
    usize::from(!is_static)
}

/// Whether a method has no parameter but `self`.
fn takes_nothing(method: &StmtFunctionDef) -> bool {
    let parameters = &method.parameters;
    parameters.posonlyargs.len() + parameters.args.len() == bound(method)
        && parameters.vararg.is_none()
}

/// Whether a method's first parameter behind `self` is annotated as a stream.
fn takes_stream(method: &StmtFunctionDef) -> bool {
    let parameters = &method.parameters;
    let mut positional = parameters.posonlyargs.iter().chain(&parameters.args);
    let annotation = positional
        .nth(bound(method))
        .and_then(|parameter| parameter.parameter.annotation.as_deref());
    annotation.is_some_and(is_stream)
}

const STREAMS: [&str; 3] = ["AsyncIterator", "AsyncIterable", "AsyncGenerator"];

fn is_stream(annotation: &Expr) -> bool {
    if let Expr::Subscript(subscript) = annotation {
        return is_stream(&subscript.value);
    }
    let name = if let Expr::Name(name) = annotation {
        name.id.as_str()
    } else if let Expr::Attribute(attribute) = annotation {
        attribute.attr.as_str()
    } else if let Expr::StringLiteral(text) = annotation {
        // An annotation in quotes, such as "typing.AsyncIterator[bytes]".
        let path = text.value.to_str().split('[').next().unwrap_or_default();
        return STREAMS.contains(&path.trim().rsplit('.').next().unwrap_or_default());
    } else {
        return false;
    };
    STREAMS.contains(&name)
}

fn method<'a>(class: &'a StmtClassDef, name: &str) -> Option<&'a StmtFunctionDef> {
    class.body.iter().rev().find_map(|stmt| match stmt {
        Stmt::FunctionDef(function) if &function.name == name => Some(function),
        _ => None,
    })
}

fn flag(class: &StmtClassDef, name: &str) -> Option<bool> {
    class.body.iter().rev().find_map(|stmt| {
        let (targets, value): (Vec<&Expr>, &Expr) = if let Stmt::Assign(assign) = stmt {
            (assign.targets.iter().collect(), &assign.value)
        } else if let Stmt::AnnAssign(assign) = stmt {
            (
                iter::once(&*assign.target).collect(),
                assign.value.as_deref()?,
            )
        } else {
            return None;
        };
        let named = targets
            .iter()
            .any(|target| matches!(target, Expr::Name(target) if target.id.as_str() == name));
        if let (true, Expr::BooleanLiteral(literal)) = (named, value) {
            Some(literal.value)
        } else {
            None
        }
    })
}

fn kind(function: &StmtFunctionDef) -> ProcessKind {
    let mut yields = Yields(false);
    yields.visit_body(&function.body);
    match (function.is_async, yields.0) {
        (false, false) => ProcessKind::Plain,
        (true, false) => ProcessKind::Coroutine,
        (false, true) => ProcessKind::Generator,
        (true, true) => ProcessKind::AsyncGenerator,
    }
}

/// Whether a function's own body yields, functions inside it apart.
struct Yields(bool);

impl Visitor<'_> for Yields {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
            visitor::walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, expr: &Expr) {
        self.0 |= matches!(expr, Expr::Yield(_) | Expr::YieldFrom(_));
        if !matches!(expr, Expr::Lambda(_)) {
            visitor::walk_expr(self, expr);
        }
    }
}
