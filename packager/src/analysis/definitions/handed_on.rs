//! What is done to what a call is given: iterators are used up, and functions called.

use ruff_python_ast::visitor::Visitor as _;
use ruff_python_ast::{Comprehension, Expr, ExprCall};
use rustc_hash::FxHashSet;

use super::finder::Finder;
use super::names::owner;
use super::pure::{ITERATING_BUILTINS, ITERATING_METHODS, LAZY_BUILTINS};

/// Decorators of the library that change the class which they are given.
const CHANGES_CLASS: [&str; 2] = ["dataclasses.dataclass", "functools.total_ordering"];

impl<'a> Finder<'_, 'a> {
    /// What `expr` gives is gone through: should it be an iterator of the module, others find less in it.
    pub(super) fn consume(&mut self, expr: &'a Expr) {
        if self.effects.is_stdlib {
            return;
        }
        match expr {
            Expr::Name(name) => {
                let name = name.id.as_str();
                let is_local = self
                    .locals
                    .as_ref()
                    .is_some_and(|locals| locals.contains(name));
                if !is_local
                    && self.effects.own.contains(name)
                    && !self.effects.containers.contains(name)
                    && !self.effects.functions.contains_key(name)
                {
                    self.change(expr);
                }
            }
            Expr::Call(call) if self.is_lazy(&call.func) => self.consume_all(call),
            Expr::Attribute(_) | Expr::Subscript(_) => self.consume_part(expr),
            Expr::List(list) => list.elts.iter().for_each(|part| self.consume(part)),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.consume(part)),
            // `[lines] * 2`
            Expr::BinOp(operation) => {
                for side in [&*operation.left, &*operation.right] {
                    if let Expr::List(_) | Expr::Tuple(_) = side {
                        self.consume(side);
                    }
                }
            }
            Expr::Starred(starred) => self.consume(&starred.value),
            Expr::If(choice) => {
                self.consume(&choice.body);
                self.consume(&choice.orelse);
            }
            Expr::BoolOp(operation) => operation
                .values
                .iter()
                .for_each(|value| self.consume(value)),
            Expr::Named(named) => self.consume(&named.value),
            _ => {}
        }
    }

    /// Whether a call gives something that goes through what it is given when somebody goes through it.
    fn is_lazy(&self, callee: &Expr) -> bool {
        let is_builtin = callee
            .as_name_expr()
            .is_some_and(|name| LAZY_BUILTINS.contains(&name.id.as_str()));
        let path = || self.effects.imported.path(callee);
        is_builtin || path().is_some_and(|path| path.starts_with("itertools."))
    }

    /// The same for `counters["a"]` and `Task.ids`: parts of what the module has, or of an object.
    fn consume_part(&mut self, expr: &'a Expr) {
        let base = owner(expr);
        let Expr::Name(name) = base else {
            return self.consume(base);
        };
        let name = name.id.as_str();
        let is_local = |locals: &FxHashSet<&str>| locals.contains(name);
        if self.locals.as_ref().is_some_and(is_local) {
            return;
        }
        let is_literal = self
            .effects
            .values
            .get(name)
            .is_some_and(|value| is_literal_throughout(value));
        let is_own = self.effects.own.contains(name);
        if is_own && !is_literal {
            self.change(expr);
        }
    }

    fn consume_all(&mut self, call: &'a ExprCall) {
        for argument in &call.arguments.args {
            self.consume(argument);
        }
        for keyword in &call.arguments.keywords {
            self.consume(&keyword.value);
        }
    }

    pub(super) fn consume_sources(&mut self, generators: &'a [Comprehension]) {
        for generator in generators {
            self.consume(&generator.iter);
        }
    }

    /// What a call does to what it is given, though it does nothing else.
    pub(super) fn hand_on(&mut self, call: &'a ExprCall) {
        let effects = self.effects;
        if effects.is_stdlib {
            return;
        }
        for function in effects.loud_callbacks(call, self.depth) {
            match function {
                Expr::Lambda(lambda) => self.visit_expr(&lambda.body),
                // `map(table.append, names)`
                Expr::Attribute(method) => self.change(&method.value),
                _ => self.unknown(),
            }
        }
        let goes_through = match &*call.func {
            Expr::Name(name) => ITERATING_BUILTINS.contains(&name.id.as_str()),
            Expr::Attribute(method) => ITERATING_METHODS.contains(&method.attr.as_str()),
            _ => false,
        };
        let path = effects.imported.path(&call.func);
        let mut arguments = call.arguments.args.iter();
        let is_next = matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "next");
        let changes_class = path
            .as_deref()
            .is_some_and(|path| CHANGES_CLASS.contains(&path));
        if arguments.any(|one| changes_class || is_next && effects.is_of_others(one)) {
            self.unknown();
        }
        if goes_through
            || path
                .is_some_and(|path| path.starts_with("collections.") || path == "functools.reduce")
        {
            self.consume_all(call);
        }
    }
}

/// Whether an expression is a literal, and all that is in it.
fn is_literal_throughout(expr: &Expr) -> bool {
    match expr {
        Expr::List(list) => list.elts.iter().all(is_literal_throughout),
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_literal_throughout),
        Expr::Set(set) => set.elts.iter().all(is_literal_throughout),
        Expr::Dict(dict) => dict.items.iter().all(|item| {
            item.key.as_ref().is_some_and(is_literal_throughout)
                && is_literal_throughout(&item.value)
        }),
        other => other.is_literal_expr(),
    }
}
