//! What is known to be nobody else's, and to have no effect: names that stand for what the module made itself, containers that
//! are no iterators, callbacks and classes without methods that would run.
//!
//! All of this is about the application and its packages. The standard library is trusted further; see [`super::effects`].

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, ExprContext, Stmt, StmtClassDef};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::names::{BARE, ImportedNames, last_name};
use super::effects::Effects;
use super::pure::{LAZY_BUILTINS, PURE_BUILTINS, PURE_FUNCTIONS, PURE_METHODS};

/// Methods that defining an enumeration runs for its members.
const RUN_BY_ENUM: [&str; 3] = ["__init__", "__new__", "_generate_next_value_"];

/// The names of a file that never stand for an iterator: whoever goes through what they stand for uses nothing up.
pub(super) fn containers<'a>(body: &'a [Stmt], imported: &ImportedNames<'_>) -> FxHashSet<&'a str> {
    always(body, imported, is_no_iterator)
}

/// The names of a body whose every binding `counts`.
fn always<'a>(
    body: &'a [Stmt],
    imported: &ImportedNames<'_>,
    counts: fn(&Expr, &ImportedNames<'_>) -> bool,
) -> FxHashSet<&'a str> {
    let mut bindings = Bindings {
        imported,
        counts,
        bound: FxHashMap::default(),
    };
    bindings.visit_body(body);
    let bound = bindings.bound.into_iter();
    bound
        .filter(|(_, (all, counted))| all == counted)
        .map(|(name, _)| name)
        .collect()
}

/// How often each name is bound, and how often of these to something that `counts`.
struct Bindings<'i, 'a> {
    imported: &'i ImportedNames<'i>,
    counts: fn(&Expr, &ImportedNames<'_>) -> bool,
    bound: FxHashMap<&'a str, (usize, usize)>,
}

impl<'a> Visitor<'a> for Bindings<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(assign) if (self.counts)(&assign.value, self.imported) => {
                for target in &assign.targets {
                    if let Expr::Name(name) = target {
                        self.bound.entry(name.id.as_str()).or_default().1 += 1;
                    }
                }
            }
            Stmt::AnnAssign(assign) => {
                if let (Expr::Name(name), Some(value)) = (&*assign.target, &assign.value)
                    && (self.counts)(value, self.imported)
                {
                    self.bound.entry(name.id.as_str()).or_default().1 += 1;
                }
            }
            // What is added to stays what it is.
            Stmt::AugAssign(assign) => {
                if let Expr::Name(name) = &*assign.target {
                    self.bound.entry(name.id.as_str()).or_default().1 += 1;
                }
            }
            // Classes, those of enumerations too, begin anew each time.
            Stmt::ClassDef(class) => {
                let bound = self.bound.entry(class.name.as_str()).or_default();
                *bound = (bound.0 + 1, bound.1 + 1);
            }
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && name.ctx == ExprContext::Store
        {
            self.bound.entry(name.id.as_str()).or_default().0 += 1;
        }
        visitor::walk_expr(self, expr);
    }
}

fn is_no_iterator(expr: &Expr, imported: &ImportedNames<'_>) -> bool {
    match expr {
        Expr::Call(call) => {
            if let Some(path) = imported.path_beside_stars(&call.func) {
                return match path.strip_prefix(BARE) {
                    Some(name) => {
                        PURE_BUILTINS.contains(&name)
                            && !LAZY_BUILTINS.contains(&name)
                            && !matches!(name, "getattr" | "max" | "min" | "next")
                    }
                    None => {
                        PURE_FUNCTIONS.contains(&path.as_str())
                            && !path.starts_with("itertools.")
                            && path != "functools.reduce"
                    }
                };
            }
            matches!(&*call.func, Expr::Attribute(method)
                if PURE_METHODS.contains(&method.attr.as_str())
                    && !matches!(method.attr.as_str(), "copy" | "get"))
        }
        Expr::If(choice) => {
            is_no_iterator(&choice.body, imported) && is_no_iterator(&choice.orelse, imported)
        }
        Expr::List(_)
        | Expr::Tuple(_)
        | Expr::Set(_)
        | Expr::Dict(_)
        | Expr::ListComp(_)
        | Expr::SetComp(_)
        | Expr::DictComp(_)
        | Expr::BinOp(_)
        | Expr::UnaryOp(_)
        | Expr::Compare(_)
        | Expr::Lambda(_)
        | Expr::FString(_)
        | Expr::TString(_) => true,
        other => other.is_literal_expr(),
    }
}

impl<'a> Effects<'a> {
    /// Whether defining a class runs methods of it: those of an enumeration make its members.
    pub(super) fn makes_members(&self, class: &'a StmtClassDef) -> bool {
        self.is_enum(class, 0)
            && RUN_BY_ENUM
                .iter()
                .any(|name| self.has_method(class, name, 0))
    }

    pub(super) fn is_enum(&self, class: &'a StmtClassDef, depth: usize) -> bool {
        depth < 8
            && class.bases().iter().any(|base| {
                if let Some(own) = self.own_class(base) {
                    return self.is_enum(own, depth + 1);
                }
                let name = last_name(base);
                name.ends_with("Enum") || name.ends_with("Flag")
            })
    }

    /// The class of the module that an expression names.
    pub(super) fn own_class(&self, expr: &Expr) -> Option<&'a StmtClassDef> {
        let name = expr.as_name_expr()?;
        self.classes.get(name.id.as_str()).copied()
    }

    /// Whether a class, or one of the module that it inherits from, has a method of this name.
    pub(super) fn has_method(&self, class: &'a StmtClassDef, name: &str, depth: usize) -> bool {
        depth < 8
            && (binds(class, |bound| bound == name)
                || class.bases().iter().any(|base| {
                    self.own_class(base)
                        .is_some_and(|base| self.has_method(base, name, depth + 1))
                }))
    }

    /// Whether a function that somebody else is given, to be called, changes nothing.
    fn is_quiet_callback(&self, expr: &'a Expr, depth: usize) -> bool {
        match expr {
            Expr::NoneLiteral(_) => true,
            Expr::Lambda(lambda) => {
                let mut finder = self.finder(depth + 1);
                finder.visit_expr(&lambda.body);
                finder.found.effect == super::Effect::None && finder.found.changes.is_empty()
            }
            Expr::Call(call) => {
                self.is_pure_callee(&call.func, depth)
                    && call.arguments.args.iter().all(|argument| {
                        !is_callable(argument) || self.is_quiet_callback(argument, depth)
                    })
            }
            Expr::Attribute(method) => {
                let path = self.imported.path(expr);
                PURE_METHODS.contains(&method.attr.as_str())
                    || path.is_some_and(|path| {
                        path.starts_with("operator.") || PURE_FUNCTIONS.contains(&path.as_str())
                    })
            }
            other => self.is_pure_callee(other, depth),
        }
    }

    /// The functions that a call hands on to be called, which may do more than give a result.
    pub(super) fn loud_callbacks(&self, call: &'a ExprCall, depth: usize) -> Vec<&'a Expr> {
        let path = self.imported.path(&call.func);
        let takes_function = match path.as_deref() {
            Some("functools.reduce") => true,
            Some(path) => match path.strip_prefix(BARE) {
                Some("iter") => call.arguments.args.len() > 1,
                name => matches!(name, Some("filter" | "map")),
            },
            None => false,
        };
        let first = call.arguments.args.first().filter(|_| takes_function);
        let key = call.arguments.find_keyword("key").map(|key| &key.value);
        first
            .into_iter()
            .chain(key)
            .filter(|function| !self.is_quiet_callback(function, depth))
            .collect()
    }
}

/// What the body of a class gives to its attributes.
pub(super) fn given_in_body(class: &StmtClassDef) -> impl Iterator<Item = &Expr> {
    class.body.iter().filter_map(|stmt| match stmt {
        Stmt::AnnAssign(assign) => assign.value.as_deref(),
        Stmt::Assign(assign) => Some(&*assign.value),
        _ => None,
    })
}

/// The calls that give attributes in the body of a class.
pub(super) fn made_in_body(class: &StmtClassDef) -> impl Iterator<Item = &ExprCall> {
    given_in_body(class).filter_map(Expr::as_call_expr)
}

fn is_callable(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Name(_) | Expr::Attribute(_) | Expr::Lambda(_) | Expr::Call(_)
    )
}

/// Whether the body of a class gives something to a name for which `counts` says so, in whatever way.
pub(super) fn binds(class: &StmtClassDef, counts: impl Fn(&str) -> bool) -> bool {
    struct Names<F>(F, bool);
    impl<F: Fn(&str) -> bool> Visitor<'_> for Names<F> {
        fn visit_stmt(&mut self, stmt: &Stmt) {
            match stmt {
                Stmt::FunctionDef(function) => self.1 |= (self.0)(&function.name),
                Stmt::ClassDef(class) => self.1 |= (self.0)(&class.name),
                _ => visitor::walk_stmt(self, stmt),
            }
        }

        fn visit_expr(&mut self, expr: &Expr) {
            if let Expr::Name(name) = expr
                && name.ctx != ExprContext::Load
            {
                self.1 |= (self.0)(&name.id);
            }
            visitor::walk_expr(self, expr);
        }
    }
    let mut names = Names(counts, false);
    names.visit_body(&class.body);
    names.1
}

/// The names of a body that only ever stand for something that is made there, and that nobody else has: containers, numbers, texts.
pub(super) fn fresh<'a>(body: &'a [Stmt], imported: &ImportedNames<'_>) -> FxHashSet<&'a str> {
    always(body, imported, is_fresh)
}

/// Classes whose objects are new at each call, however they are made.
const MADE_ANEW: [&str; 16] = [
    "array.array",
    "bytearray",
    "collections.Counter",
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.deque",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "object",
    "set",
    "str",
    "tuple",
    "weakref.WeakSet",
];

fn is_fresh(expr: &Expr, imported: &ImportedNames<'_>) -> bool {
    match expr {
        Expr::Call(call) => imported
            .path_beside_stars(&call.func)
            .is_some_and(|path| MADE_ANEW.contains(&path.strip_prefix(BARE).unwrap_or(&path))),
        Expr::List(_)
        | Expr::Tuple(_)
        | Expr::Set(_)
        | Expr::Dict(_)
        | Expr::ListComp(_)
        | Expr::SetComp(_)
        | Expr::DictComp(_)
        | Expr::FString(_) => true,
        Expr::UnaryOp(operation) => is_fresh(&operation.operand, imported),
        Expr::BinOp(operation) => {
            is_fresh(&operation.left, imported) && is_fresh(&operation.right, imported)
        }
        other => other.is_literal_expr(),
    }
}
