//! Which names can stand for the same object.

use std::collections::HashMap;

use rustpython_ruff_python_ast::visitor::{self, Visitor};
use rustpython_ruff_python_ast::{Expr, Stmt};

/// The names whose objects, or parts of them, an expression can give.
fn given_by<'a>(expr: &'a Expr, names: &mut Vec<&'a str>) {
    match expr {
        Expr::Name(name) => names.push(name.id.as_str()),
        Expr::Attribute(attribute) => given_by(&attribute.value, names),
        Expr::Subscript(subscript) => given_by(&subscript.value, names),
        Expr::Named(walrus) => {
            given_by(&walrus.target, names);
            given_by(&walrus.value, names);
        }
        Expr::If(choice) => {
            given_by(&choice.body, names);
            given_by(&choice.orelse, names);
        }
        Expr::BoolOp(operation) => {
            for value in &operation.values {
                given_by(value, names);
            }
        }
        Expr::Starred(starred) => given_by(&starred.value, names),
        Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| given_by(part, names)),
        Expr::List(list) => list.elts.iter().for_each(|part| given_by(part, names)),
        // Anything else is made anew.
        _ => {}
    }
}

/// The names whose objects a class gets as its own, in its body and in those of classes in it.
fn held_by<'a>(body: &'a [Stmt], names: &mut Vec<&'a str>) {
    for stmt in body {
        match stmt {
            Stmt::Assign(assign) => given_by(&assign.value, names),
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    given_by(value, names);
                }
            }
            Stmt::ClassDef(class) => held_by(&class.body, names),
            _ => {}
        }
    }
}

/// Which names of a body can stand for the same object. What a loop goes through is one of many: it has no name.
pub(super) fn aliases(body: &[Stmt]) -> HashMap<&str, Vec<&str>> {
    #[derive(Default)]
    struct Aliases<'t>(HashMap<&'t str, Vec<&'t str>>);
    impl<'t> Aliases<'t> {
        /// One of them leads to all others.
        fn link(&mut self, names: &[&'t str]) {
            if let Some((first, others)) = names.split_first() {
                for other in others {
                    self.0.entry(first).or_default().push(other);
                    self.0.entry(other).or_default().push(first);
                }
            }
        }
    }
    impl<'t> Visitor<'t> for Aliases<'t> {
        fn visit_stmt(&mut self, stmt: &'t Stmt) {
            let mut names = Vec::new();
            match stmt {
                Stmt::FunctionDef(_) => return,
                Stmt::ClassDef(class) => {
                    names.push(class.name.as_str());
                    held_by(&class.body, &mut names);
                    self.link(&names);
                    return;
                }
                Stmt::Assign(assign) => {
                    for target in &assign.targets {
                        given_by(target, &mut names);
                    }
                    given_by(&assign.value, &mut names);
                    // An object has what its class has.
                    if let Expr::Call(call) = &*assign.value
                        && let Expr::Name(class) = &*call.func
                        && self.0.contains_key(class.id.as_str())
                    {
                        names.push(class.id.as_str());
                    }
                }
                Stmt::AnnAssign(assign) => {
                    given_by(&assign.target, &mut names);
                    if let Some(value) = &assign.value {
                        given_by(value, &mut names);
                    }
                }
                Stmt::For(repeat) => {
                    given_by(&repeat.target, &mut names);
                    names.push("");
                }
                Stmt::With(with) => {
                    for item in &with.items {
                        if let Some(target) = &item.optional_vars {
                            given_by(target, &mut names);
                        }
                    }
                    names.push("");
                }
                _ => {}
            }
            self.link(&names);
            visitor::walk_stmt(self, stmt);
        }
    }
    let mut aliases = Aliases::default();
    aliases.visit_body(body);
    aliases.0
}
