//! Which names can stand for the same object.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, ExprContext, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

/// Collects the names whose objects, or parts of them, an expression can give.
struct Given<'b, 'a> {
    /// The names that assignments of the body bind.
    bound: &'b FxHashSet<&'a str>,
    names: Vec<&'a str>,
    /// What is called to make it.
    callees: Vec<&'a Expr>,
}

impl<'a> Given<'_, 'a> {
    fn by(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => self.names.push(name.id.as_str()),
            Expr::Attribute(attribute) => self.by(&attribute.value),
            Expr::Subscript(subscript) => self.by(&subscript.value),
            Expr::Named(walrus) => {
                self.by(&walrus.target);
                self.by(&walrus.value);
            }
            Expr::If(choice) => {
                self.by(&choice.body);
                self.by(&choice.orelse);
            }
            Expr::BoolOp(operation) => operation.values.iter().for_each(|part| self.by(part)),
            Expr::Starred(starred) => self.by(&starred.value),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.by(part)),
            Expr::List(list) => list.elts.iter().for_each(|part| self.by(part)),
            Expr::Set(set) => set.elts.iter().for_each(|part| self.by(part)),
            Expr::Dict(dict) => dict.iter_values().for_each(|part| self.by(part)),
            Expr::Call(call) => self.call(call),
            // Anything else is made anew.
            _ => {}
        }
    }

    /// What is called may keep what it is given, and an object has what its class has.
    fn call(&mut self, call: &'a ExprCall) {
        self.callees.push(&call.func);
        let mut inside = Given {
            bound: self.bound,
            names: Vec::new(),
            callees: Vec::new(),
        };
        if let Expr::Name(_) = &*call.func {
            inside.by(&call.func);
        }
        for argument in &call.arguments.args {
            inside.by(argument);
        }
        for keyword in &call.arguments.keywords {
            inside.by(&keyword.value);
        }
        let bound = self.bound;
        let own = inside.names.into_iter().filter(|name| bound.contains(name));
        self.names.extend(own);
    }

    /// What a class gets as its own, in its body and in those of classes in it.
    fn by_class(&mut self, body: &'a [Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::Assign(assign) => self.by(&assign.value),
                Stmt::AnnAssign(assign) => {
                    if let Some(value) = &assign.value {
                        self.by(value);
                    }
                }
                Stmt::ClassDef(class) => self.by_class(&class.body),
                _ => {}
            }
        }
    }
}

/// The names that statements of a body bind to a value, and its classes that hold one.
fn bound(body: &[Stmt]) -> FxHashSet<&str> {
    #[derive(Default)]
    struct Bound<'t>(FxHashSet<&'t str>);
    impl<'t> Visitor<'t> for Bound<'t> {
        fn visit_stmt(&mut self, stmt: &'t Stmt) {
            match stmt {
                Stmt::FunctionDef(_) => {}
                Stmt::ClassDef(class) => {
                    let is_value = |stmt: &Stmt| {
                        matches!(
                            stmt,
                            Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::ClassDef(_)
                        )
                    };
                    if class.body.iter().any(is_value) {
                        self.0.insert(class.name.as_str());
                    }
                }
                _ => visitor::walk_stmt(self, stmt),
            }
        }
        fn visit_expr(&mut self, expr: &'t Expr) {
            if let Expr::Name(name) = expr
                && name.ctx == ExprContext::Store
            {
                self.0.insert(name.id.as_str());
            }
            visitor::walk_expr(self, expr);
        }
    }
    let mut bound = Bound::default();
    bound.visit_body(body);
    bound.0
}

/// Which names of a body can stand for the same object.
#[derive(Debug, Default)]
pub(super) struct Aliases<'a> {
    links: FxHashMap<&'a str, Vec<&'a str>>,
    callees: FxHashMap<&'a str, Vec<&'a Expr>>,
}

impl<'a> Aliases<'a> {
    /// The names that have others.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.links.keys().copied()
    }

    /// The other names of what a name stands for. One that is empty stands for one of many.
    pub(super) fn of(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.links.get(name).into_iter().flatten().copied()
    }

    /// What is called to give the name its objects: what that gives may be anybody's.
    pub(super) fn callees(&self, name: &str) -> impl Iterator<Item = &'a Expr> {
        self.callees.get(name).into_iter().flatten().copied()
    }
}

/// Looks for [`Aliases`]. What a loop goes through is one of many: it has no name.
pub(super) fn aliases(body: &[Stmt], is_stdlib: bool) -> Aliases<'_> {
    struct Collector<'b, 't> {
        is_stdlib: bool,
        bound: &'b FxHashSet<&'t str>,
        aliases: Aliases<'t>,
    }
    impl<'t> Visitor<'t> for Collector<'_, 't> {
        fn visit_stmt(&mut self, stmt: &'t Stmt) {
            let mut given = Given {
                bound: self.bound,
                names: Vec::new(),
                callees: Vec::new(),
            };
            match stmt {
                Stmt::FunctionDef(_) => return,
                Stmt::ClassDef(class) => {
                    given.names.push(class.name.as_str());
                    given.by_class(&class.body);
                }
                Stmt::Assign(assign) => {
                    for target in &assign.targets {
                        given.by(target);
                    }
                    if !(self.is_stdlib && stores_constant(&assign.targets, &assign.value)) {
                        given.by(&assign.value);
                    }
                }
                Stmt::AnnAssign(assign) => {
                    given.by(&assign.target);
                    if let Some(value) = &assign.value {
                        given.by(value);
                    }
                }
                Stmt::For(repeat) => {
                    given.by(&repeat.target);
                    given.names.push("");
                }
                Stmt::With(with) => {
                    for item in &with.items {
                        if let Some(target) = &item.optional_vars {
                            given.by(target);
                        }
                    }
                    given.names.push("");
                }
                _ => {}
            }
            // One of them leads to all others.
            if let Some((first, others)) = given.names.split_first() {
                let Aliases { links, callees } = &mut self.aliases;
                for other in others {
                    links.entry(first).or_default().push(other);
                    links.entry(other).or_default().push(first);
                }
                if !given.callees.is_empty() {
                    callees.entry(first).or_default().extend(given.callees);
                }
            }
            if !matches!(stmt, Stmt::ClassDef(_)) {
                visitor::walk_stmt(self, stmt);
            }
        }
    }
    let bound = bound(body);
    let mut collector = Collector {
        is_stdlib,
        bound: &bound,
        aliases: Aliases::default(),
    };
    collector.visit_body(body);
    collector.aliases
}

/// `context.prec = decimal.MAX_PREC`: what the library calls a constant is not changed by way of what holds it.
fn stores_constant(targets: &[Expr], value: &Expr) -> bool {
    let is_part = |target: &Expr| matches!(target, Expr::Attribute(_) | Expr::Subscript(_));
    let is_upper = |c: char| c == '_' || c.is_ascii_uppercase() || c.is_ascii_digit();
    targets.iter().all(is_part)
        && value
            .as_attribute_expr()
            .is_some_and(|value| value.attr.chars().all(is_upper))
}
