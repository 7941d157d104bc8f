//! Which names a function, class or comprehension binds itself.

use rustc_hash::FxHashMap;
use rustpython_ruff_python_ast::visitor::{self, Visitor};
use rustpython_ruff_python_ast::{
    ExceptHandler, Expr, ExprContext, Parameters, Pattern, Stmt, TypeParams,
};
use rustpython_ruff_text_size::{Ranged, TextSize};

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

    pub(super) fn bind_targets(&mut self, target: &'a Expr, source: &'a ModuleSource) {
        let mut binder = Binder {
            scope: self,
            source,
        };
        binder.visit_expr(target);
    }

    /// Binds what the statements of `body` bind, without those of functions and classes inside it.
    pub(super) fn bind_body(&mut self, body: &'a [Stmt], source: &'a ModuleSource) {
        let mut binder = Binder {
            scope: self,
            source,
        };
        binder.visit_body(body);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&'a str, &Local)> {
        self.bound.iter().map(|(name, local)| (*name, local))
    }
}

struct Binder<'s, 'a> {
    scope: &'s mut Scope<'a>,
    source: &'a ModuleSource,
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
            imported::of_import_from(import, self.source)
                .for_each(|(name, what)| self.import(name, what, import.start()));
        } else {
            visitor::walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr {
            if matches!(name.ctx, ExprContext::Store | ExprContext::Del) {
                self.scope.bind(name.id.as_str());
            }
        } else if !matches!(expr, Expr::Lambda(_)) {
            // The targets of comprehensions are bound here too: not quite right, and nobody reads a global and uses
            // its name for a comprehension's variable in one function.
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
