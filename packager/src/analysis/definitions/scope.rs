//! Which names a function, class or comprehension binds itself.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{ExceptHandler, Expr, ExprContext, Parameters, Pattern, Stmt, TypeParams};
use ruff_text_size::{Ranged, TextSize};
use rustc_hash::FxHashMap;

use super::super::names::captured;
use super::imported::{self, Imported};
use crate::source::ModuleSource;

/// What kind of code a scope belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeKind {
    Function,
    /// Code in it sees its names; functions in it do not.
    Class,
}

/// The names that a piece of code binds itself.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) kind: ScopeKind,
    bound: FxHashMap<&'a str, Local>,
}

/// A module whose code is looked through for names that it binds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Module<'a> {
    pub(super) source: &'a ModuleSource,
    /// Whether it is worth going into expressions: only `:=` and comprehensions bind names there, and the latter their own.
    into_expressions: bool,
}

impl<'a> Module<'a> {
    pub(super) fn new(source: &'a ModuleSource) -> Self {
        Self {
            source,
            into_expressions: source.text.contains(":="),
        }
    }

    /// With the variables of comprehensions, which are then taken for names of the code around them.
    pub(super) fn with_comprehensions(source: &'a ModuleSource) -> Self {
        Self {
            source,
            into_expressions: true,
        }
    }
}

/// What a bound name stands for.
#[derive(Debug, Default)]
pub(super) struct Local {
    /// It was declared `global`.
    pub(super) is_global: bool,
    /// The imports that bind it, and where they stand.
    pub(super) imports: Vec<(Imported, TextSize)>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(kind: ScopeKind) -> Self {
        Self {
            kind,
            bound: FxHashMap::default(),
        }
    }

    /// The same memory without its names.
    pub(super) fn emptied(mut self, kind: ScopeKind) -> Self {
        self.bound.clear();
        Self { kind, ..self }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Local> {
        self.bound.get(name)
    }

    pub(super) fn bind(&mut self, name: &'a str) {
        self.bound.entry(name).or_default();
    }

    pub(super) fn bind_parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters {
            self.bind(parameter.name().as_str());
        }
    }

    pub(super) fn bind_type_parameters(&mut self, parameters: Option<&'a TypeParams>) {
        for parameter in parameters.into_iter().flat_map(|all| all.iter()) {
            self.bind(parameter.name().as_str());
        }
    }

    pub(super) fn bind_targets(&mut self, target: &'a Expr, module: Module<'a>) {
        let mut binder = Binder {
            scope: self,
            module,
        };
        binder.visit_expr(target);
    }

    /// Binds what the statements of `body` bind, without those of functions and classes inside it.
    pub(super) fn bind_body(&mut self, body: &'a [Stmt], module: Module<'a>) {
        let mut binder = Binder {
            scope: self,
            module,
        };
        binder.visit_body(body);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&'a str, &Local)> {
        self.bound.iter().map(|(name, local)| (*name, local))
    }
}

struct Binder<'s, 'a> {
    scope: &'s mut Scope<'a>,
    module: Module<'a>,
}

impl<'a> Binder<'_, 'a> {
    fn import(&mut self, name: &'a str, imported: Imported, at: TextSize) {
        self.scope
            .bound
            .entry(name)
            .or_default()
            .imports
            .push((imported, at));
    }
}

impl<'a> Visitor<'a> for Binder<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::FunctionDef(function) = stmt {
            self.scope.bind(&function.name);
        } else if let Stmt::ClassDef(class) = stmt {
            self.scope.bind(&class.name);
        } else if let Stmt::Global(global) = stmt {
            for name in &global.names {
                self.scope.bound.entry(name).or_default().is_global = true;
            }
        } else if let Stmt::Nonlocal(nonlocal) = stmt {
            // A variable of a function around this one.
            nonlocal.names.iter().for_each(|name| self.scope.bind(name));
        } else if let Stmt::Import(import) = stmt {
            imported::of_import(import)
                .for_each(|(name, what)| self.import(name, what, import.start()));
        } else if let Stmt::ImportFrom(import) = stmt {
            imported::of_import_from(import, self.module.source)
                .for_each(|(name, what)| self.import(name, what, import.start()));
        } else {
            visitor::walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let is_target = match expr {
            Expr::Name(name) => {
                if matches!(name.ctx, ExprContext::Store | ExprContext::Del) {
                    self.scope.bind(name.id.as_str());
                }
                return;
            }
            Expr::Lambda(_) => return,
            Expr::Tuple(tuple) => tuple.ctx != ExprContext::Load,
            Expr::List(list) => list.ctx != ExprContext::Load,
            Expr::Starred(starred) => starred.ctx != ExprContext::Load,
            _ => false,
        };
        // The targets of comprehensions are bound here too, where expressions are gone into: not quite right, and nobody
        // reads a global and uses its name for a comprehension's variable in one function.
        if is_target || self.module.into_expressions {
            visitor::walk_expr(self, expr);
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(clause) = handler;
        if let Some(name) = &clause.name {
            self.scope.bind(name);
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        if let Some(name) = captured(pattern) {
            self.scope.bind(name);
        }
        visitor::walk_pattern(self, pattern);
    }
}
