//! What is done to what a call is given: iterators are used up, and functions called.

use rustpython_ruff_python_ast::visitor::Visitor as _;
use rustpython_ruff_python_ast::{Comprehension, Expr, ExprCall};

use super::finder::Finder;
use super::pure::{ITERATING_BUILTINS, ITERATING_METHODS, LAZY_BUILTINS};

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
            Expr::Call(call)
                if call
                    .func
                    .as_name_expr()
                    .is_some_and(|name| LAZY_BUILTINS.contains(&name.id.as_str())) =>
            {
                self.consume_all(call);
            }
            Expr::Attribute(attribute) => self.consume(&attribute.value),
            Expr::Subscript(subscript) => self.consume(&subscript.value),
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
            Expr::Name(name) => {
                let name = name.id.as_str();
                // What the module's own functions do with it is not followed.
                ITERATING_BUILTINS.contains(&name)
                    || effects.functions.contains_key(name)
                    || effects.classes.contains_key(name)
            }
            Expr::Attribute(method) => ITERATING_METHODS.contains(&method.attr.as_str()),
            _ => false,
        };
        if goes_through
            || effects
                .imported
                .path(&call.func)
                .is_some_and(|path| path.starts_with("collections.") || path == "functools.reduce")
        {
            self.consume_all(call);
        }
    }
}
