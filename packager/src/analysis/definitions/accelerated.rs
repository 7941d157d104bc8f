//! What the library's modules take from code written in C in place of their own.
//!
//! Many of them define a thing in Python first, and then take over what a built-in module has of that name: `class partial`,
//! and below it `from _functools import partial` in a `try`. Where the target has it, nobody ever sees the class, unless
//! something uses it before it is replaced. Others keep both, and choose: `scanstring = c_scanstring or py_scanstring`, where
//! `c_scanstring` would be `None` if it were not there.
//!
//! Only modules of the library are read like that: they are of the interpreter's own version, and written so that nobody can
//! tell which of the two there is.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Decorator, ExceptHandler, Expr, ExprCall, ExprContext, Parameter, Stmt, StmtFunctionDef,
    StmtImportFrom, StmtTry,
};
use ruff_text_size::{Ranged as _, TextRange, TextSize};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::names::{BARE, ImportedNames};
use super::super::{Certainty, Target, hidden_imports};
use super::pure::PURE_BUILTINS;
use super::scope::Scope;
use crate::source::{ModuleSource, Origin};

/// A definition that is replaced before anything uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replaced<'a> {
    pub(super) name: &'a str,
    /// The statement; for one name of an import, the name's part of it.
    pub(super) range: TextRange,
    /// Where the statement begins that replaces it.
    pub(super) by: TextSize,
}

/// A module of the library, as far as its import statements tell what it takes from where.
pub(super) struct Library<'a, 'c> {
    source: &'c ModuleSource,
    imported: &'c ImportedNames<'a>,
    target: &'c Target,
}

impl<'a, 'c> Library<'a, 'c> {
    /// Nothing if the module is none of the library's.
    pub(super) fn of(
        source: &'c ModuleSource,
        imported: &'c ImportedNames<'a>,
        target: &'c Target,
    ) -> Option<Self> {
        (source.origin == Origin::Stdlib).then_some(Self {
            source,
            imported,
            target,
        })
    }

    /// The definitions of `body` that are replaced.
    pub(super) fn replaced(&self, body: &'a [Stmt], globals: &Scope<'a>) -> Vec<Replaced<'a>> {
        let mut replaced = Vec::new();
        for (place, stmt) in body.iter().enumerate() {
            let mut names = self.taken_over(stmt);
            if names.is_empty() {
                continue;
            }
            for earlier in body[..place].iter().rev() {
                bound_alone(earlier, &mut |name, range| {
                    if names.contains(name) {
                        let by = stmt.start();
                        replaced.push(Replaced { name, range, by });
                    }
                });
                let mut between = Between {
                    library: self,
                    globals,
                    is_quiet: true,
                    in_function: false,
                    mentioned: Vec::new(),
                };
                between.visit_stmt(earlier);
                if !between.is_quiet {
                    break;
                }
                for name in between.mentioned {
                    names.remove(name);
                }
            }
        }
        replaced
    }

    /// The names of `body` that would be `None` if something were not there that is.
    pub(super) fn present(&self, body: &'a [Stmt]) -> FxHashSet<&'a str> {
        let mut present: FxHashMap<&str, TextRange> = FxHashMap::default();
        for stmt in body {
            let Stmt::Try(attempt) = stmt else { continue };
            let none = names_of_none(attempt);
            if none.is_empty() {
                continue;
            }
            let (taken, is_all) = self.taken_in_body(&attempt.body);
            if is_all {
                let both = none.into_iter().filter(|name| taken.contains(name));
                present.extend(both.map(|name| (name, attempt.range())));
            }
        }
        if !present.is_empty() {
            Rebinding(&mut present).visit_body(body);
        }
        present.into_keys().collect()
    }

    /// The names that a statement of the top level certainly binds to what a built-in module has.
    fn taken_over<'x>(&'x self, stmt: &'x Stmt) -> FxHashSet<&'x str> {
        match stmt {
            Stmt::ImportFrom(import) => self.taken(import).unwrap_or_default(),
            Stmt::Try(attempt) => self.taken_over_in(attempt),
            _ => FxHashSet::default(),
        }
    }

    fn taken_over_in<'x>(&'x self, attempt: &'x StmtTry) -> FxHashSet<&'x str> {
        let (mut names, is_all) = self.taken_in_body(&attempt.body);
        if !is_all {
            return names;
        }
        for stmt in &attempt.orelse {
            match stmt {
                Stmt::Assign(assign) if self.is_of_native(&assign.value) => {
                    names.extend(assign.targets.iter().filter_map(name_of));
                }
                // Another name for what was taken.
                Stmt::Assign(assign)
                    if name_of(&assign.value).is_some_and(|name| names.contains(name)) => {}
                _ => return names,
            }
        }
        names
    }

    /// What the statements of `body` take from built-in modules, up to the first that does something else, and whether there
    /// is none.
    fn taken_in_body<'x>(&'x self, body: &'x [Stmt]) -> (FxHashSet<&'x str>, bool) {
        let mut names = FxHashSet::default();
        for stmt in body {
            match stmt {
                Stmt::ImportFrom(import) => match self.taken(import) {
                    Some(taken) => names.extend(taken),
                    None => return (names, false),
                },
                Stmt::Import(import) => {
                    for alias in &import.names {
                        if !self.is_native(&alias.name) {
                            return (names, false);
                        }
                        names.insert(alias.asname.as_ref().unwrap_or(&alias.name).as_str());
                    }
                }
                Stmt::Assign(assign) if self.is_of_native(&assign.value) => {
                    names.extend(assign.targets.iter().filter_map(name_of));
                }
                _ => return (names, false),
            }
        }
        (names, true)
    }

    /// What `from module import a, b` binds, if it certainly works.
    fn taken<'x>(&'x self, import: &'x StmtImportFrom) -> Option<FxHashSet<&'x str>> {
        let module = import.module.as_ref()?.as_str();
        if import.level != 0 || !self.is_native(module) {
            return None;
        }
        let has = self.target.builtin_names.get(module)?;
        let mut names = FxHashSet::default();
        for alias in &import.names {
            let name = alias.name.as_str();
            if name == "*" {
                names.extend(
                    has.iter()
                        .map(String::as_str)
                        .filter(|name| !name.starts_with('_')),
                );
                continue;
            }
            if !has.contains(name) {
                return None;
            }
            names.insert(alias.asname.as_ref().unwrap_or(&alias.name).as_str());
        }
        Some(names)
    }

    /// Whether importing `module` certainly works, and does not lead back to this one before it is complete.
    fn is_native(&self, module: &str) -> bool {
        self.target.builtin_modules.contains(module)
            && hidden_imports::imports_of(module)
                .iter()
                .all(|(to, certainty, _)| {
                    *certainty != Certainty::Certain || *to != self.source.name
                })
    }

    /// `_thread.RLock`
    fn is_of_native(&self, expr: &Expr) -> bool {
        let Expr::Attribute(attribute) = expr else {
            return false;
        };
        let Some(module) = name_of(&attribute.value) else {
            return false;
        };
        let has = self.target.builtin_names.get(module);
        has.is_some_and(|names| names.contains(attribute.attr.as_str()))
            && self.imported.may_be(&attribute.value, module)
    }
}

fn name_of(expr: &Expr) -> Option<&str> {
    expr.as_name_expr().map(|name| name.id.as_str())
}

/// The names that a statement binds, where that is all it does.
fn bound_alone<'a>(stmt: &'a Stmt, found: &mut dyn FnMut(&'a str, TextRange)) {
    match stmt {
        Stmt::FunctionDef(function) if function.decorator_list.is_empty() => {
            found(&function.name, stmt.range());
        }
        Stmt::ClassDef(class) if class.decorator_list.is_empty() => {
            found(&class.name, stmt.range());
        }
        Stmt::Assign(assign) => {
            if let [Expr::Name(name)] = &*assign.targets {
                found(name.id.as_str(), stmt.range());
            }
        }
        Stmt::ImportFrom(import) => {
            for alias in &import.names {
                let name = alias.asname.as_ref().unwrap_or(&alias.name);
                found(name, alias.range());
            }
        }
        _ => {}
    }
}

/// The names that each handler of a `try` sets to `None`, if that is all they do.
fn names_of_none(attempt: &StmtTry) -> FxHashSet<&str> {
    let mut names = FxHashSet::default();
    for handler in &attempt.handlers {
        let ExceptHandler::ExceptHandler(clause) = handler;
        for stmt in &clause.body {
            match stmt {
                Stmt::Assign(assign) if assign.value.is_none_literal_expr() => {
                    names.extend(assign.targets.iter().filter_map(name_of));
                }
                _ => return FxHashSet::default(),
            }
        }
    }
    names
}

/// Takes out the names that anything binds outside of the statement they were found in.
struct Rebinding<'p, 'a>(&'p mut FxHashMap<&'a str, TextRange>);

impl Rebinding<'_, '_> {
    fn binds(&mut self, name: &str, at: TextSize) {
        if self.0.get(name).is_some_and(|range| !range.contains(at)) {
            self.0.remove(name);
        }
    }
}

impl<'a> Visitor<'a> for Rebinding<'_, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let at = stmt.start();
        match stmt {
            Stmt::FunctionDef(function) => self.binds(&function.name, at),
            Stmt::ClassDef(class) => self.binds(&class.name, at),
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.binds(alias.asname.as_ref().unwrap_or(&alias.name), at);
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    if alias.name.as_str() == "*" {
                        // It may bind anything.
                        self.0.clear();
                    }
                    self.binds(alias.asname.as_ref().unwrap_or(&alias.name), at);
                }
            }
            Stmt::Global(global) => {
                for name in &global.names {
                    self.binds(name, at);
                }
            }
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && matches!(name.ctx, ExprContext::Store | ExprContext::Del)
        {
            self.binds(name.id.as_str(), expr.start());
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.binds(&parameter.name, parameter.start());
        visitor::walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(clause) = handler;
        if let Some(name) = &clause.name {
            self.binds(name, clause.start());
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a ruff_python_ast::Pattern) {
        if let Some(name) = super::super::names::captured(pattern) {
            self.binds(name, pattern.start());
        }
        visitor::walk_pattern(self, pattern);
    }
}

/// Looks at a statement that stands between a definition and what replaces it: whether running it runs anything of this module
/// that could use the definition.
struct Between<'l, 'a, 'c> {
    library: &'l Library<'a, 'c>,
    globals: &'l Scope<'a>,
    is_quiet: bool,
    /// In what is computed when a function is defined.
    in_function: bool,
    /// The names that are read there. Those that other statements read, reading them tells; see `reach_replaced`.
    mentioned: Vec<&'a str>,
}

impl<'a> Between<'_, 'a, '_> {
    fn loud(&mut self) {
        self.is_quiet = false;
    }

    fn function(&mut self, function: &'a StmtFunctionDef) {
        let outside = std::mem::replace(&mut self.in_function, true);
        self.decorators(&function.decorator_list);
        for parameter in function.parameters.iter_non_variadic_params() {
            if let Some(default) = parameter.default() {
                self.visit_expr(default);
            }
        }
        self.in_function = outside;
    }

    /// What a decorator of another module is given, it does not call.
    fn decorators(&mut self, list: &'a [Decorator]) {
        for Decorator { expression, .. } in list {
            if !expression.is_call_expr() && !self.is_foreign(expression) {
                self.loud();
            }
            self.visit_expr(expression);
        }
    }

    /// Whether `expr` is a function or class of another package, or a built-in one.
    fn is_foreign(&self, expr: &Expr) -> bool {
        self.library.imported.path(expr).is_some_and(|path| {
            let top = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
            match path.strip_prefix(BARE) {
                Some(name) => PURE_BUILTINS.contains(&name) && self.globals.get(name).is_none(),
                None => !path.starts_with('.') && top(&path) != top(&self.library.source.name),
            }
        })
    }

    fn call(&mut self, call: &'a ExprCall) {
        // A function of this module that is handed over may be called.
        let given = call
            .arguments
            .args
            .iter()
            .chain(call.arguments.keywords.iter().map(|keyword| &keyword.value));
        let hands_over = given.into_iter().any(|argument| match argument {
            Expr::Name(name) => self.globals.get(name.id.as_str()).is_some(),
            Expr::Lambda(_) | Expr::Starred(_) => true,
            _ => false,
        });
        if hands_over || !self.is_foreign(&call.func) {
            self.loud();
        }
    }
}

impl<'a> Visitor<'a> for Between<'_, 'a, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => {
                self.decorators(&class.decorator_list);
                for base in class.bases() {
                    // A base class of this module is told of it.
                    match base {
                        Expr::Name(name) if self.globals.get(name.id.as_str()).is_some() => {
                            self.loud();
                        }
                        other => self.visit_expr(other),
                    }
                }
                for keyword in class.keywords() {
                    self.visit_expr(&keyword.value);
                }
                self.visit_body(&class.body);
            }
            Stmt::Import(import) => {
                if !import
                    .names
                    .iter()
                    .all(|alias| self.library.is_native(&alias.name))
                {
                    self.loud();
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                if import.level != 0 || !self.library.is_native(module) {
                    self.loud();
                }
            }
            Stmt::Assign(assign) => {
                if !assign.targets.iter().all(Expr::is_name_expr) {
                    self.loud();
                }
                self.visit_expr(&assign.value);
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    match target {
                        Expr::Name(name) => self.mentioned.push(name.id.as_str()),
                        _ => self.loud(),
                    }
                }
            }
            Stmt::Expr(expression) => self.visit_expr(&expression.value),
            Stmt::Pass(_) => {}
            _ => self.loud(),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if self.in_function => self.mentioned.push(name.id.as_str()),
            Expr::Call(call) => self.call(call),
            // Its body runs when somebody calls it.
            Expr::Lambda(lambda) => {
                for parameter in lambda
                    .parameters
                    .iter()
                    .flat_map(|all| all.iter_non_variadic_params())
                {
                    if let Some(default) = parameter.default() {
                        self.visit_expr(default);
                    }
                }
                return;
            }
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }
}
