//! What exceptions do to the flow of a module: `try`, `raise`, `suppress`, `sys.exit`.

use std::collections::BTreeSet;

use ruff_python_ast::{ExceptHandler, Expr, Stmt, StmtTry, StmtWith};
use ruff_text_size::Ranged;

use super::collect::{Collector, Place, Scope};
use super::expressions;
use super::flow::Flow;
use super::names::{BARE, Named};
use super::steps::{Bound, Catches, Handler, Step, Stop, Try};

impl Collector<'_> {
    pub(super) fn with(&mut self, stmt: &StmtWith, place: Place, steps: &mut Vec<Step>) {
        let mut suppressed: Option<Catches> = None;
        for item in &stmt.items {
            self.expression(&item.context_expr, place, steps);
            if let Some(target) = &item.optional_vars {
                self.target(target, place, steps);
            }
            if let Expr::Call(call) = &item.context_expr
                && self.names.may_be(&call.func, "contextlib.suppress")
            {
                let catches = suppressed.get_or_insert(Catches::NOTHING);
                call.arguments
                    .args
                    .iter()
                    .for_each(|class| self.catch(class, catches));
            }
        }
        let Some(catches) = suppressed else {
            let body = self.block(&stmt.body, place);
            steps.extend(body);
            return;
        };
        let body = self.block(&stmt.body, place.conditional());
        let (body_calls, body_raises) = expressions::does(&stmt.body);
        let handlers = vec![Handler {
            at: stmt.start(),
            catches,
            steps: Vec::new(),
        }];
        try_step(
            Try {
                body,
                body_calls,
                body_raises,
                handlers,
                orelse: Vec::new(),
                finally: Vec::new(),
            },
            steps,
        );
    }

    pub(super) fn try_statement(&mut self, stmt: &StmtTry, place: Place, steps: &mut Vec<Step>) {
        // Without handlers the body runs like any other block.
        let inside = if stmt.handlers.is_empty() {
            place
        } else {
            place.conditional()
        };
        let (body_calls, body_raises) = expressions::does(&stmt.body);
        let body_raises =
            body_raises || (place.scope != Scope::Function && self.reads_unbound(&stmt.body));
        let body = self.block(&stmt.body, inside);
        let mut handlers = Vec::new();
        for handler in &stmt.handlers {
            let ExceptHandler::ExceptHandler(clause) = handler;
            let mut catches = Catches::NOTHING;
            let mut first = Vec::new();
            match clause.type_.as_deref() {
                None => catches = Catches::EVERYTHING,
                Some(class) => {
                    self.expression(class, place.conditional(), &mut first);
                    self.catch(class, &mut catches);
                }
            }
            let depth = self.caught.len();
            self.caught
                .extend(clause.name.as_ref().map(ToString::to_string));
            first.extend(self.block(&clause.body, place.conditional()));
            self.caught.truncate(depth);
            handlers.push(Handler {
                at: clause.start(),
                catches,
                steps: first,
            });
        }
        let orelse = self.block(&stmt.orelse, inside);
        let finally = self.block(&stmt.finalbody, place);
        self.bound_either_way(stmt, place);
        try_step(
            Try {
                body,
                body_calls,
                body_raises,
                handlers,
                orelse,
                finally,
            },
            steps,
        );
    }

    /// Whether a block of the top level reads a name that may not be bound when it does: `unicode`, to tell Python 2.
    fn reads_unbound(&self, body: &[Stmt]) -> bool {
        let mut own = BTreeSet::new();
        body.iter().any(|stmt| {
            let mut names = Vec::new();
            expressions::reads(stmt, &mut names);
            let unbound = names
                .iter()
                .any(|name| !own.contains(*name) && !self.is_bound(name));
            own.extend(expressions::plainly_bound(std::slice::from_ref(stmt)));
            unbound
        })
    }

    /// Whether a name is certain to be bound by now.
    fn is_bound(&self, name: &str) -> bool {
        let builtins = self.target.builtin_names.get("builtins");
        self.facts.names.get(name) == Some(&Bound::Always)
            || name.starts_with("__") && name.ends_with("__")
            || builtins.is_none_or(|names| names.contains(name))
    }

    /// `try: import x` with `except: x = None` binds `x` whatever happens.
    fn bound_either_way(&mut self, stmt: &StmtTry, place: Place) {
        if place.scope != Scope::Module || place.conditional {
            return;
        }
        let mut always = expressions::plainly_bound(&stmt.body);
        always.extend(expressions::plainly_bound(&stmt.orelse));
        for handler in &stmt.handlers {
            let ExceptHandler::ExceptHandler(clause) = handler;
            let bound = expressions::plainly_bound(&clause.body);
            let leaves = matches!(clause.body.last(), Some(Stmt::Raise(_)));
            always.retain(|name| leaves || bound.contains(name));
        }
        for name in always {
            self.bind(&name, place);
        }
    }

    /// Adds what the `except` expression `class` catches.
    fn catch(&self, class: &Expr, catches: &mut Catches) {
        if let Expr::Tuple(tuple) = class {
            tuple
                .elts
                .iter()
                .for_each(|class| self.catch(class, catches));
            return;
        }
        match self.builtin(class) {
            // An import that lacks a name raises plain `ImportError`, and so does one that only may lack it.
            Some("ImportError") => {
                catches.sure |= Flow::IMPORT_ERROR | Flow::NOT_FOUND | Flow::WEAK;
            }
            Some("ModuleNotFoundError") => catches.sure |= Flow::NOT_FOUND,
            Some("Exception" | "BaseException") => *catches = Catches::EVERYTHING,
            Some(name) if is_exception(name) => catches.perhaps |= Flow::OTHER,
            Some(_) | None => catches.perhaps |= Flow::RAISES,
        }
    }

    /// What `raise exc` raises.
    pub(super) fn raised(&self, exc: Option<&Expr>) -> Stop {
        let Some(exc) = exc else { return Stop::Reraise };
        if let Expr::Name(name) = exc
            && self.caught.iter().any(|caught| caught == name.id.as_str())
        {
            return Stop::Reraise;
        }
        let class = if let Expr::Call(call) = exc {
            &*call.func
        } else {
            exc
        };
        match self.builtin(class) {
            Some("ImportError") => Stop::ImportError,
            Some("ModuleNotFoundError") => Stop::ModuleNotFound,
            Some(name) if is_exception(name) => Stop::Exception,
            Some(_) | None => Stop::Unknown,
        }
    }

    /// The name that `expr` is, when it is one that this file does not bind.
    fn builtin<'e>(&'e self, expr: &'e Expr) -> Option<&'e str> {
        if let Expr::Attribute(attribute) = expr
            && let Expr::Name(module) = &*attribute.value
        {
            let is_builtins =
                self.names.named(module.id.as_str()) == Some(Named::Imported("builtins"));
            return is_builtins.then_some(attribute.attr.as_str());
        }
        let Expr::Name(name) = expr else { return None };
        match self.names.named(name.id.as_str())? {
            Named::Bare(name) => Some(name),
            Named::Imported(path) => path
                .strip_prefix("builtins.")
                .filter(|name| !name.contains('.')),
        }
    }

    /// Whether `expr` is a call that ends the program.
    pub(super) fn exits(&self, expr: &Expr) -> bool {
        let Expr::Call(call) = expr else { return false };
        let exits = |path: &str| matches!(path, "sys.exit" | "os._exit" | "exit" | "quit");
        match &*call.func {
            Expr::Name(name) => match self.names.named(name.id.as_str()) {
                Some(Named::Bare(path) | Named::Imported(path)) => exits(path),
                None => false,
            },
            // Most calls are of other names: those are not worth putting a path together.
            Expr::Attribute(method) if matches!(method.attr.as_str(), "exit" | "_exit") => self
                .names
                .path(&call.func)
                .is_some_and(|path| exits(path.strip_prefix(BARE).unwrap_or(&path))),
            _ => false,
        }
    }
}

/// Whether a name that no file binds is one of Python's own exceptions, to go by how they are named.
fn is_exception(name: &str) -> bool {
    [
        "Error",
        "Exception",
        "ExceptionGroup",
        "Warning",
        "Exit",
        "Interrupt",
        "Iteration",
    ]
    .iter()
    .any(|suffix| name.ends_with(suffix))
}

fn try_step(step: Try, steps: &mut Vec<Step>) {
    let handled = step
        .handlers
        .iter()
        .any(|handler| !handler.steps.is_empty());
    if handled || !step.body.is_empty() || !step.orelse.is_empty() || !step.finally.is_empty() {
        steps.push(Step::Try(Box::new(step)));
    }
}
