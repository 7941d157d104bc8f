//! What the names in a module stand for, as far as its import statements tell.

use std::collections::{BTreeMap, BTreeSet};

use rustpython_ruff_python_ast::visitor::{self, Visitor};
use rustpython_ruff_python_ast::{ExceptHandler, Expr, ExprContext, Parameter, Pattern, Stmt};

/// The dotted paths that the names in one file were imported as, whatever scope the import is in.
#[derive(Debug, Default)]
pub(super) struct ImportedNames {
    imported: BTreeMap<String, BTreeSet<String>>,
    rebound: BTreeSet<String>,
}

impl ImportedNames {
    /// Reads a whole file.
    pub(super) fn of(body: &[Stmt]) -> Self {
        let mut names = Self::default();
        names.visit_body(body);
        names
    }

    /// The dotted path `expr` certainly stands for, such as `sys.platform` for `_sys.platform`.
    ///
    /// A name that anything but one import binds stands for nothing, in all of the file: which scope is meant where is
    /// more than guards are worth.
    pub(super) fn path(&self, expr: &Expr) -> Option<String> {
        if let Expr::Name(name) = expr {
            let id = name.id.as_str();
            if self.rebound.contains(id) {
                return None;
            }
            let Some(paths) = self.imported.get(id) else {
                return Some(format!("{BARE}{id}"));
            };
            return if paths.len() == 1 {
                paths.first().cloned()
            } else {
                None
            };
        }
        let Expr::Attribute(attribute) = expr else {
            return None;
        };
        Some(format!(
            "{}.{}",
            self.path(&attribute.value)?,
            attribute.attr
        ))
    }

    /// Whether `expr` can stand for the dotted path `path`; a fallback such as `importlib = None` does not matter here.
    pub(super) fn may_be(&self, expr: &Expr, path: &str) -> bool {
        if let Expr::Name(name) = expr {
            return match self.imported.get(name.id.as_str()) {
                Some(paths) => paths.contains(path),
                None => path.strip_prefix(BARE) == Some(name.id.as_str()),
            };
        }
        let Expr::Attribute(attribute) = expr else {
            return false;
        };
        path.rsplit_once('.').is_some_and(|(owner, name)| {
            attribute.attr.as_str() == name && self.may_be(&attribute.value, owner)
        })
    }

    fn import(&mut self, name: &str, path: String) {
        self.imported
            .entry(name.to_owned())
            .or_default()
            .insert(path);
    }
}

/// Marks a path that starts with a name no import binds: a built-in, or a global such as `__name__`.
pub(super) const BARE: &str = "<name>.";

impl<'a> Visitor<'a> for ImportedNames {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::Import(import) = stmt {
            for alias in &import.names {
                let path = alias.name.as_str();
                if let Some(name) = &alias.asname {
                    self.import(name, path.to_owned());
                } else {
                    let top = path.split('.').next().unwrap_or(path);
                    self.import(top, top.to_owned());
                }
            }
        } else if let Stmt::ImportFrom(import) = stmt {
            let module = import.module.as_ref().map_or("", |name| name.as_str());
            let dots = ".".repeat(import.level as usize);
            for alias in &import.names {
                let name = alias.asname.as_ref().unwrap_or(&alias.name);
                self.import(name, format!("{dots}{module}.{}", alias.name));
            }
        } else if let Stmt::FunctionDef(function) = stmt {
            self.rebound.insert(function.name.to_string());
        } else if let Stmt::ClassDef(class) = stmt {
            self.rebound.insert(class.name.to_string());
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && matches!(name.ctx, ExprContext::Store | ExprContext::Del)
        {
            self.rebound.insert(name.id.to_string());
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.rebound.insert(parameter.name.to_string());
        visitor::walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(clause) = handler;
        self.rebound
            .extend(clause.name.as_ref().map(ToString::to_string));
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        self.rebound.extend(captured(pattern));
        visitor::walk_pattern(self, pattern);
    }
}

/// The name that a pattern itself captures, apart from the patterns inside it.
pub(super) fn captured(pattern: &Pattern) -> Option<String> {
    match pattern {
        Pattern::MatchAs(pattern) => pattern.name.as_ref().map(ToString::to_string),
        Pattern::MatchStar(pattern) => pattern.name.as_ref().map(ToString::to_string),
        Pattern::MatchMapping(pattern) => pattern.rest.as_ref().map(ToString::to_string),
        Pattern::MatchValue(_)
        | Pattern::MatchSingleton(_)
        | Pattern::MatchSequence(_)
        | Pattern::MatchClass(_)
        | Pattern::MatchOr(_) => None,
    }
}
