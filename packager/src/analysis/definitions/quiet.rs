//! What calls do beyond the callee's own text: functions that they are given or give, iterators that they use up, and methods
//! that making an object runs.
//!
//! All of this is about the application and its packages. The standard library is trusted further; see [`super::effects`].

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, ExprContext, Stmt, StmtClassDef, StmtFunctionDef};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::names::{BARE, ImportedNames, last_name};
use super::effects::Effects;
use super::pure::{LAZY_BUILTINS, PURE_BUILTINS, PURE_FUNCTIONS, PURE_METHODS};

/// Methods that making an object, or a class, can run.
const RUN_BY_MAKING: [&str; 7] = [
    "__init__",
    "__init_subclass__",
    "__new__",
    "__post_init__",
    "__set_name__",
    "__setattr__",
    "__setitem__",
];

/// Methods that defining an enumeration runs for its members.
const RUN_BY_ENUM: [&str; 3] = ["__init__", "__new__", "_generate_next_value_"];

/// The names of a file that never stand for an iterator: whoever goes through what they stand for uses nothing up.
pub(super) fn containers<'a>(body: &'a [Stmt], imported: &ImportedNames<'_>) -> FxHashSet<&'a str> {
    let mut bindings = Bindings {
        imported,
        bound: FxHashMap::default(),
    };
    bindings.visit_body(body);
    let bound = bindings.bound.into_iter();
    bound
        .filter(|(_, (all, containers))| all == containers)
        .map(|(name, _)| name)
        .collect()
}

/// How often each name is bound, and how often of these to something that is no iterator.
struct Bindings<'i, 'a> {
    imported: &'i ImportedNames<'i>,
    bound: FxHashMap<&'a str, (usize, usize)>,
}

impl<'a> Visitor<'a> for Bindings<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(assign) if is_no_iterator(&assign.value, self.imported) => {
                for target in &assign.targets {
                    if let Expr::Name(name) = target {
                        self.bound.entry(name.id.as_str()).or_default().1 += 1;
                    }
                }
            }
            Stmt::AnnAssign(assign) => {
                if let (Expr::Name(name), Some(value)) = (&*assign.target, &assign.value)
                    && is_no_iterator(value, self.imported)
                {
                    self.bound.entry(name.id.as_str()).or_default().1 += 1;
                }
            }
            // What can be added to is no iterator.
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
            if let Some(path) = imported.path(&call.func) {
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
    /// Whether a decorator with arguments gives a function that does nothing but give a result, too: that one is called next.
    pub(super) fn gives_quiet(&self, call: &'a ExprCall, depth: usize) -> bool {
        let name = call.func.as_name_expr().map(|name| name.id.as_str());
        if let Some(function) = name.and_then(|name| self.functions.get(name)) {
            return self.gives_quiet_function(function, depth);
        }
        let Some(class) = self.own_class(&call.func) else {
            // One of the library.
            return self.imported.path(&call.func).as_deref() != Some("functools.partial");
        };
        methods(class).any(|method| method.name.as_str() == "__call__")
            && self.are_quiet(class, depth, true, |method| {
                method.name.as_str() == "__call__"
            })
    }

    fn gives_quiet_function(&self, function: &'a StmtFunctionDef, depth: usize) -> bool {
        let mut given = Given::default();
        given.visit_body(&function.body);
        let is_quiet = |name: &str| match given.functions.get(name) {
            Some(inner) => self.is_quiet_function(inner, None, depth + 1),
            None => self
                .functions
                .get(name)
                .is_some_and(|own| self.is_quiet_function(own, None, depth + 1)),
        };
        !given.returned.is_empty()
            && given
                .returned
                .iter()
                .all(|expr| gives_each_quiet(expr, &is_quiet))
    }

    /// Whether making an object of the module's own `class` changes nothing but that.
    pub(super) fn is_quiet_class(
        &self,
        class: &'a StmtClassDef,
        made: &'a StmtClassDef,
        depth: usize,
    ) -> bool {
        let quiet_decorators = class
            .decorator_list
            .iter()
            .all(|decorator| self.is_pure_decorator(&decorator.expression));
        let quiet_factories = made_in_body(class).all(|call| {
            call.arguments
                .find_keyword("default_factory")
                .is_none_or(|factory| self.is_quiet_callback(&factory.value, depth))
        });
        quiet_decorators
            && quiet_factories
            && self.bases_are_quiet(class, made, depth)
            && methods(class)
                .filter(|method| is_run_by_making(method))
                .all(|method| self.is_quiet_function(method, Some(made), depth))
    }

    /// Whether defining a class runs methods of it that are not quiet: those of an enumeration make its members.
    pub(super) fn makes_members(&self, class: &'a StmtClassDef) -> bool {
        self.is_enum(class, 0)
            && !self.are_quiet(class, 0, true, |method| {
                RUN_BY_ENUM.contains(&method.name.as_str())
            })
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

    /// Whether the methods of a class and of those of the module that it inherits from are quiet, where `counts` says so. An
    /// object that `is_new` is known to nobody else.
    pub(super) fn are_quiet(
        &self,
        class: &'a StmtClassDef,
        depth: usize,
        is_new: bool,
        counts: impl Fn(&StmtFunctionDef) -> bool + Copy,
    ) -> bool {
        depth > 8
            || methods(class)
                .filter(|method| counts(method))
                .all(|method| {
                    if is_new {
                        self.is_quiet_function(method, Some(class), depth + 1)
                    } else {
                        self.is_quiet_method(method, depth + 1)
                    }
                })
                && class.bases().iter().all(|base| {
                    self.own_class(base)
                        .is_none_or(|base| self.are_quiet(base, depth + 1, is_new, counts))
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
            && (methods(class).any(|method| method.name.as_str() == name)
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
                // What calls itself is as quiet as the rest of it.
                if depth > 8 {
                    return true;
                }
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

    /// Whether what an expression gives may be used up by whoever goes through it.
    pub(super) fn may_be_iterator(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Call(_) => !is_no_iterator(expr, self.imported),
            Expr::Name(name) => {
                let name = name.id.as_str();
                self.own.contains(name)
                    && !self.containers.contains(name)
                    && !self.functions.contains_key(name)
            }
            _ => false,
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

/// The calls that give attributes in the body of a class.
pub(super) fn made_in_body(class: &StmtClassDef) -> impl Iterator<Item = &ExprCall> {
    class.body.iter().filter_map(|stmt| {
        let value = match stmt {
            Stmt::AnnAssign(assign) => assign.value.as_deref(),
            Stmt::Assign(assign) => Some(&*assign.value),
            _ => None,
        };
        value?.as_call_expr()
    })
}

fn is_callable(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Name(_) | Expr::Attribute(_) | Expr::Lambda(_) | Expr::Call(_)
    )
}

fn methods(class: &StmtClassDef) -> impl Iterator<Item = &StmtFunctionDef> {
    class.body.iter().filter_map(Stmt::as_function_def_stmt)
}

fn is_run_by_making(method: &StmtFunctionDef) -> bool {
    RUN_BY_MAKING.contains(&method.name.as_str())
        || method
            .decorator_list
            .iter()
            .any(|decorator| last_name(&decorator.expression) == "setter")
}

/// Whether each function that an expression can give is quiet.
fn gives_each_quiet(expr: &Expr, is_quiet: &dyn Fn(&str) -> bool) -> bool {
    match expr {
        Expr::Name(name) => is_quiet(name.id.as_str()),
        // `return decorate if function is None else decorate(function)`
        Expr::Call(call) => match &*call.func {
            Expr::Name(name) => is_quiet(name.id.as_str()),
            _ => false,
        },
        Expr::If(choice) => {
            gives_each_quiet(&choice.body, is_quiet) && gives_each_quiet(&choice.orelse, is_quiet)
        }
        _ => false,
    }
}

/// What a function gives, and the functions in it.
#[derive(Default)]
struct Given<'a> {
    functions: FxHashMap<&'a str, &'a StmtFunctionDef>,
    returned: Vec<&'a Expr>,
}

impl<'a> Visitor<'a> for Given<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                self.functions.insert(&function.name, function);
            }
            Stmt::ClassDef(_) => {}
            Stmt::Return(returned) => self.returned.extend(returned.value.as_deref()),
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// The attributes that a method gives its object, and nothing but new containers: what is done to those is nobody else's.
pub(super) fn new_attributes<'a>(
    function: &'a StmtFunctionDef,
    imported: &ImportedNames<'_>,
) -> FxHashSet<&'a str> {
    let mut all: FxHashMap<&str, bool> = FxHashMap::default();
    let mut note = |target: &'a Expr, is_new: bool| {
        if let Expr::Attribute(attribute) = target
            && matches!(&*attribute.value, Expr::Name(name) if name.id.as_str() == "self")
        {
            *all.entry(attribute.attr.as_str()).or_insert(true) &= is_new;
        }
    };
    for stmt in &function.body {
        match stmt {
            Stmt::Assign(assign) => {
                let is_new = assign.targets.len() == 1 && is_no_iterator(&assign.value, imported);
                for target in &assign.targets {
                    note(target, is_new);
                }
            }
            Stmt::AnnAssign(assign) => note(
                &assign.target,
                assign
                    .value
                    .as_deref()
                    .is_some_and(|value| is_no_iterator(value, imported)),
            ),
            _ => {}
        }
    }
    all.into_iter()
        .filter(|(_, is_new)| *is_new)
        .map(|(name, _)| name)
        .collect()
}
