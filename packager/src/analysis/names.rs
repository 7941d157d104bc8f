//! What the names in a module stand for, as far as its import statements tell.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{ExceptHandler, Expr, ExprContext, Identifier, Parameter, Pattern, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// The dotted paths that the names in one file were imported as, whatever scope the import is in.
#[derive(Debug, Default)]
pub(super) struct ImportedNames<'a> {
    imported: FxHashMap<&'a str, SmallVec<[String; 1]>>,
    rebound: FxHashSet<&'a str>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named<'n> {
    /// No import binds it: a built-in, or a global such as `__name__`.
    Bare(&'n str),
    /// A dotted path.
    Imported(&'n str),
}

impl<'a> ImportedNames<'a> {
    /// Reads a whole file.
    pub(super) fn of(body: &'a [Stmt]) -> Self {
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
            return Some(match self.named(name.id.as_str())? {
                Named::Bare(name) => format!("{BARE}{name}"),
                Named::Imported(path) => path.to_owned(),
            });
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

    /// What a name certainly stands for.
    pub(super) fn named<'n>(&'n self, name: &'n str) -> Option<Named<'n>> {
        if self.rebound.contains(name) {
            return None;
        }
        match self.imported.get(name).map(SmallVec::as_slice) {
            None => Some(Named::Bare(name)),
            Some([path]) => Some(Named::Imported(path)),
            Some(_) => None,
        }
    }

    /// The same as [`path`](Self::path), unless an `import *` may have put something else into the place of a built-in.
    pub(super) fn path_beside_stars(&self, expr: &Expr) -> Option<String> {
        let path = self.path(expr)?;
        (!path.starts_with(BARE) || !self.has_star()).then_some(path)
    }

    /// Whether there is an `import *`.
    pub(super) fn has_star(&self) -> bool {
        self.imported.contains_key("*")
    }

    /// Whether an import takes the top-level module `top`, or something of it.
    pub(super) fn has_some_of(&self, top: &str) -> bool {
        let mut paths = self.imported.values().flatten();
        paths.any(|path| path.split('.').next() == Some(top))
    }

    /// Whether `expr` can stand for the dotted path `path`; a fallback such as `importlib = None` does not matter here.
    pub(super) fn may_be(&self, expr: &Expr, path: &str) -> bool {
        self.may_be_one_of(expr, &[path])
    }

    /// Whether `expr` can stand for one of the dotted paths `all`.
    pub(super) fn may_be_one_of(&self, expr: &Expr, all: &[&str]) -> bool {
        if let Expr::Name(name) = expr {
            let name = name.id.as_str();
            return match self.imported.get(name) {
                Some(paths) => paths.iter().any(|path| all.contains(&path.as_str())),
                None => all.iter().any(|path| path.strip_prefix(BARE) == Some(name)),
            };
        }
        let Expr::Attribute(attribute) = expr else {
            return false;
        };
        // Every call is asked about, and nearly all differ in the last name: that is compared first.
        all.iter().any(|path| {
            path.strip_suffix(attribute.attr.as_str())
                .and_then(|owner| owner.strip_suffix('.'))
                .is_some_and(|owner| self.may_be(&attribute.value, owner))
        })
    }

    fn import(&mut self, name: &'a str, path: String) {
        let paths = self.imported.entry(name).or_default();
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
}

/// Marks a path that starts with a name no import binds: a built-in, or a global such as `__name__`.
pub(super) const BARE: &str = "<name>.";

impl<'a> Visitor<'a> for ImportedNames<'a> {
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
            let module = import.module.as_ref().map_or("", Identifier::as_str);
            let dots = ".".repeat(import.level as usize);
            for alias in &import.names {
                let name = alias.asname.as_ref().unwrap_or(&alias.name);
                self.import(name, format!("{dots}{module}.{}", alias.name));
            }
        } else if let Stmt::FunctionDef(function) = stmt {
            self.rebound.insert(function.name.as_str());
        } else if let Stmt::ClassDef(class) = stmt {
            self.rebound.insert(class.name.as_str());
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let mut expr = expr;
        while let Expr::Attribute(attribute) = expr {
            expr = &attribute.value;
        }
        match expr {
            Expr::Name(name) if name.ctx == ExprContext::Load => {}
            Expr::Name(name) => {
                self.rebound.insert(name.id.as_str());
            }
            Expr::StringLiteral(_) | Expr::NumberLiteral(_) | Expr::NoneLiteral(_) => {}
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.rebound.insert(parameter.name.as_str());
        visitor::walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(clause) = handler;
        self.rebound
            .extend(clause.name.as_ref().map(Identifier::as_str));
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        self.rebound.extend(captured(pattern));
        visitor::walk_pattern(self, pattern);
    }
}

/// The name that a pattern itself captures, apart from the patterns inside it.
pub(super) fn captured(pattern: &Pattern) -> Option<&str> {
    match pattern {
        Pattern::MatchAs(pattern) => pattern.name.as_ref().map(Identifier::as_str),
        Pattern::MatchStar(pattern) => pattern.name.as_ref().map(Identifier::as_str),
        Pattern::MatchMapping(pattern) => pattern.rest.as_ref().map(Identifier::as_str),
        Pattern::MatchValue(_)
        | Pattern::MatchSingleton(_)
        | Pattern::MatchSequence(_)
        | Pattern::MatchClass(_)
        | Pattern::MatchOr(_) => None,
    }
}

/// `c` of `a.b.c`; empty for anything else.
pub(super) fn last_name(expr: &Expr) -> &str {
    match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    }
}
