//! What running a statement at the top level does, besides binding its names.
//!
//! Calls are what matters; what operators and attributes may do besides is in [`super::operators`]. ASSUMPTIONS.md says to users
//! what is taken for granted. The standard library is trusted further: none of its modules changes, by being imported,
//! anything that a program can see that does not use the module.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprContext, Stmt, StmtClassDef, StmtFunctionDef};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::Target;
use super::super::names::{BARE, ImportedNames};
use super::aliases::{Aliases, aliases};
use super::finder::Finder;
use super::names::owner;
use super::operators::values;
use super::pure::{HANDS_OUT, PURE_BUILTINS, PURE_FUNCTIONS, PURE_METHODS, is_exception};
use super::quiet::{containers, fresh};
use super::scope::{Module, Scope, ScopeKind};
use super::{Effect, Witness};
use crate::source::{ModuleSource, Origin};

/// Decides effects within one module.
pub(super) struct Effects<'a> {
    pub(super) imported: &'a ImportedNames<'a>,
    pub(super) is_stdlib: bool,
    pub(super) functions: FxHashMap<&'a str, &'a StmtFunctionDef>,
    pub(super) classes: FxHashMap<&'a str, &'a StmtClassDef>,
    /// Names that the top level binds, however.
    pub(super) own: FxHashSet<&'a str>,
    /// Those of them that stand for the module's namespace.
    pub(super) namespaces: FxHashSet<&'a str>,
    /// Names that can stand for the same object as others: `a = b = []`, `a = b.table`.
    pub(super) aliases: Aliases<'a>,
    /// Names that never stand for an iterator; not told of the library.
    pub(super) containers: FxHashSet<&'a str>,
    /// Names that only stand for what the module made, and nobody else has; not told of the library.
    pub(super) fresh: FxHashSet<&'a str>,
    /// What names of the top level stand for; not told of the library.
    pub(super) values: FxHashMap<&'a str, &'a Expr>,
    pub(super) target: &'a Target,
    /// Names of functions of other modules that this one replaces, or changes what they do; not told of the library.
    replaced: FxHashSet<&'a str>,
}

/// The effect of a piece of code, and the module's own names whose objects it changes.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) effect: Effect,
    pub(super) changes: Vec<&'a str>,
    pub(super) noticed_by: Vec<Witness>,
}

impl Found<'_> {
    /// Of what does nothing but what `effect` says.
    pub(super) fn only(effect: Effect) -> Self {
        Self {
            effect,
            changes: Vec::new(),
            noticed_by: Vec::new(),
        }
    }
}

impl<'a> Effects<'a> {
    pub(super) fn new(
        source: &'a ModuleSource,
        body: &'a [Stmt],
        imported: &'a ImportedNames<'a>,
        target: &'a Target,
    ) -> Self {
        let mut scope = Scope::new(ScopeKind::Class);
        scope.bind_body(body, Module::with_comprehensions(source));
        let imports: FxHashSet<&str> = scope
            .names()
            .filter(|(_, local)| !local.imports.is_empty())
            .map(|(name, _)| name)
            .collect();
        let is_stdlib = source.origin == Origin::Stdlib;
        let mut effects = Self {
            imported,
            is_stdlib,
            functions: FxHashMap::default(),
            classes: FxHashMap::default(),
            namespaces: FxHashSet::default(),
            aliases: aliases(body, is_stdlib),
            containers: if is_stdlib {
                FxHashSet::default()
            } else {
                containers(body, imported)
            },
            values: if is_stdlib {
                FxHashMap::default()
            } else {
                values(body)
            },
            target,
            fresh: if is_stdlib {
                FxHashSet::default()
            } else {
                fresh(body, imported)
            },
            replaced: if is_stdlib {
                FxHashSet::default()
            } else {
                replaced(source, body)
            },
            own: scope
                .names()
                .map(|(name, _)| name)
                .filter(|name| !imports.contains(name))
                .collect(),
        };
        for stmt in body {
            if let Stmt::FunctionDef(function) = stmt {
                effects.functions.insert(&function.name, function);
            } else if let Stmt::ClassDef(class) = stmt {
                effects.classes.insert(&class.name, class);
            } else if let Stmt::Assign(assign) = stmt
                && effects.is_stdlib
                && let [Expr::Name(name)] = &*assign.targets
                && let Expr::Name(class) = &*assign.value
                && let Some(class) = effects.classes.get(class.id.as_str())
            {
                // `_alias = _SpecialGenericAlias`
                effects.classes.insert(name.id.as_str(), class);
            } else if let Stmt::Assign(assign) = stmt
                && let Expr::Call(call) = &*assign.value
                && matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "globals")
            {
                let names = assign.targets.iter().filter_map(Expr::as_name_expr);
                effects
                    .namespaces
                    .extend(names.map(|name| name.id.as_str()));
            }
        }
        effects
    }

    pub(super) fn of_expression(&self, expr: &'a Expr) -> Found<'a> {
        let mut finder = self.finder(0);
        finder.visit_expr(expr);
        finder.found
    }

    pub(super) fn of_statement(&self, stmt: &'a Stmt) -> Found<'a> {
        let mut finder = self.finder(0);
        finder.is_inside = !stmt.is_class_def_stmt();
        finder.visit_stmt(stmt);
        finder.found
    }

    /// `Integral.register(int)`: what is registered with an abstract class is so with those it inherits from.
    pub(super) fn registers_subclass(&self, stmt: &Stmt) -> bool {
        if let Stmt::Expr(expression) = stmt
            && let Expr::Call(call) = &*expression.value
            && let Expr::Attribute(method) = &*call.func
            && let Expr::Name(name) = &*method.value
        {
            let class = self.classes.get(name.id.as_str());
            method.attr.as_str() == "register"
                && class.is_some_and(|class| !class.bases().is_empty())
        } else {
            false
        }
    }

    /// What calling the decorator `expr` does to something that is just being defined.
    pub(super) fn is_pure_decorator(&self, expr: &'a Expr) -> bool {
        let callee = match expr {
            Expr::Call(call) => &*call.func,
            other => other,
        };
        // Of a property, which is in the same class.
        if let Expr::Attribute(attribute) = expr
            && attribute.value.is_name_expr()
            && matches!(attribute.attr.as_str(), "setter" | "getter" | "deleter")
        {
            return true;
        }
        self.is_pure_callee(callee, 0)
            && match expr {
                Expr::Call(call) if !self.is_stdlib => {
                    self.imported.path(&call.func).as_deref() != Some("functools.partial")
                }
                // `@register("normal")` of the module's own, which notes it in a table.
                Expr::Call(call) => !matches!(&*call.func, Expr::Name(name)
                    if self.functions.contains_key(name.id.as_str())
                        && self.touches_globals(name.id.as_str(), 0)),
                _ => true,
            }
    }

    pub(super) fn finder(&self, depth: usize) -> Finder<'_, 'a> {
        Finder {
            effects: self,
            depth,
            locals: None,
            is_inside: false,
            found: Found::only(Effect::None),
        }
    }

    pub(super) fn is_pure_callee(&self, callee: &'a Expr, depth: usize) -> bool {
        let path = if self.is_stdlib {
            self.imported.path(callee)
        } else {
            self.imported.path_beside_stars(callee)
        };
        if let Some(path) = path {
            if let Some(name) = path.strip_prefix(BARE) {
                if PURE_BUILTINS.contains(&name) || is_exception(name) {
                    return true;
                }
            } else if PURE_FUNCTIONS.contains(&path.as_str()) {
                let last = path.rsplit('.').next().unwrap_or_default();
                return !self.replaced.contains(last);
            }
        }
        let Expr::Name(name) = callee else {
            return false;
        };
        // `enum` has a `property` of its own.
        if self.is_stdlib && PURE_BUILTINS.contains(&name.id.as_str()) {
            return true;
        }
        self.is_quiet(name.id.as_str(), depth)
    }

    /// Whether what a call gives is an object of its own, as that of a class.
    pub(super) fn makes_something(&self, callee: &'a Expr, depth: usize) -> bool {
        let hands_out = match callee {
            Expr::Name(name) => {
                let name = name.id.as_str();
                self.functions.contains_key(name) || HANDS_OUT.contains(&name)
            }
            _ => false,
        };
        // The library's own classes, whatever they inherit from, make an object at each call.
        let is_class = self.is_stdlib
            && callee.as_name_expr().is_some_and(|name| {
                let name = name.id.as_str();
                self.classes.contains_key(name) && !self.touches_globals(name, 0)
            });
        // So does `copy` of what is in its containers and contexts.
        let copies = self.is_stdlib
            && matches!(callee, Expr::Attribute(method) if method.attr.as_str() == "copy");
        !hands_out && (is_class || copies || self.is_pure_callee(callee, depth))
    }

    /// Whether calling the module's own function or class `name` changes nothing but what it makes. Only of the library's is
    /// that known: in the application, nobody has looked at the functions to see that it is true.
    fn is_quiet(&self, name: &str, depth: usize) -> bool {
        if !self.is_stdlib {
            return false;
        }
        // Recursion ends here: what calls itself is as quiet as the rest of it.
        if depth > 8 {
            return true;
        }
        if let Some(function) = self.functions.get(name) {
            return self.is_quiet_function(function, depth);
        }
        let Some(class) = self.classes.get(name) else {
            return false;
        };
        self.bases_are_quiet(class, depth)
            && class.body.iter().all(|stmt| match stmt {
                Stmt::FunctionDef(method)
                    if matches!(
                        method.name.as_str(),
                        "__init__" | "__new__" | "__init_subclass__"
                    ) =>
                {
                    self.is_quiet_function(method, depth)
                }
                _ => true,
            })
    }

    /// Whether what a class inherits changes nothing when an object of it is made.
    fn bases_are_quiet(&self, class: &'a StmtClassDef, depth: usize) -> bool {
        class.arguments.as_ref().is_none_or(|arguments| {
            arguments.keywords.is_empty()
                && arguments.args.iter().all(|base| match base {
                    Expr::Name(base) => {
                        let base = base.id.as_str();
                        PURE_BUILTINS.contains(&base)
                            || is_exception(base)
                            || self.classes.contains_key(base) && self.is_quiet(base, depth + 1)
                    }
                    _ => false,
                })
        })
    }

    /// Whether calling the module's own `name` changes globals of the module, as far as the text tells.
    pub(super) fn touches_globals(&self, name: &str, depth: usize) -> bool {
        let changed = self.changed_globals(name, depth);
        changed.others || !changed.names.is_empty()
    }

    /// The globals of the module that calling its own `name` changes, as far as the text tells.
    pub(super) fn changed_globals(&self, name: &str, depth: usize) -> ChangedGlobals<'a> {
        let mut changed = ChangedGlobals::default();
        if depth > 4 {
            return changed;
        }
        let bodies: Vec<&'a StmtFunctionDef> =
            match (self.functions.get(name), self.classes.get(name)) {
                (Some(function), _) => vec![function],
                (None, Some(class)) => class
                    .body
                    .iter()
                    .filter_map(Stmt::as_function_def_stmt)
                    .filter(|method| matches!(method.name.as_str(), "__init__" | "__new__"))
                    .collect(),
                // Something else that was given a name: what it is, is not known.
                (None, None) => Vec::new(),
            };
        for function in bodies {
            let mut locals = FxHashSet::default();
            collect_locals(&function.body, &mut locals);
            locals.extend(
                function
                    .parameters
                    .iter()
                    .map(|parameter| parameter.name().as_str()),
            );
            let mut finder = GlobalChanges {
                effects: self,
                locals,
                depth,
                changed: &mut changed,
            };
            finder.visit_body(&function.body);
        }
        changed
    }

    /// Whether calling a function of the library changes nothing but what it makes.
    fn is_quiet_function(&self, function: &'a StmtFunctionDef, depth: usize) -> bool {
        // Recursion ends here: what calls itself is as quiet as the rest of it.
        if depth > 8 {
            return true;
        }
        if !function
            .decorator_list
            .iter()
            .all(|decorator| self.is_pure_decorator(&decorator.expression))
        {
            return false;
        }
        let mut finder = self.finder(depth + 1);
        let mut locals: FxHashSet<&str> = FxHashSet::default();
        collect_locals(&function.body, &mut locals);
        // What is handed in may be anybody's, the object itself excepted, and so may be what is taken from elsewhere.
        for parameter in &*function.parameters {
            locals.remove(parameter.name().as_str());
        }
        let aliases = aliases(&function.body, self.is_stdlib);
        let mut todo: Vec<&str> = aliases
            .names()
            .filter(|name| !locals.contains(name) && !matches!(*name, "self" | "cls"))
            .collect();
        while let Some(name) = todo.pop() {
            for other in aliases.of(name) {
                if locals.remove(&other) {
                    todo.push(other);
                }
            }
        }
        if let Some(first) = function.parameters.iter().next()
            && matches!(first.name().as_str(), "self" | "cls")
        {
            locals.insert(first.name().as_str());
        }
        finder.locals = Some(locals);
        finder.visit_body(&function.body);
        finder.found.effect == Effect::None && finder.found.changes.is_empty()
    }
}

/// The last names of what a file gives to attributes of something: `re.compile = traced` may replace a function.
fn replaced<'a>(source: &ModuleSource, body: &'a [Stmt]) -> FxHashSet<&'a str> {
    struct Attributes<'a>(FxHashSet<&'a str>);
    impl<'a> Visitor<'a> for Attributes<'a> {
        fn visit_expr(&mut self, expr: &'a Expr) {
            if let Expr::Attribute(attribute) = expr
                && attribute.ctx == ExprContext::Store
                && matches!(&*attribute.value, Expr::Name(name) if name.id.as_str() != "self")
            {
                self.0.insert(attribute.attr.as_str());
            }
            visitor::walk_expr(self, expr);
        }
    }
    let mut attributes = Attributes(FxHashSet::default());
    attributes.visit_body(body);
    if source.text.contains("setLoggerClass") {
        attributes.0.insert("getLogger");
    }
    attributes.0
}

/// What a function changes of its module.
#[derive(Default)]
pub(super) struct ChangedGlobals<'a> {
    /// Names whose objects it changes.
    pub(super) names: Vec<&'a str>,
    /// It changes something else, or binds names anew.
    pub(super) others: bool,
}

/// Looks for changes of globals in a function.
struct GlobalChanges<'e, 'a> {
    effects: &'e Effects<'a>,
    locals: FxHashSet<&'a str>,
    depth: usize,
    changed: &'e mut ChangedGlobals<'a>,
}

impl<'a> GlobalChanges<'_, 'a> {
    fn change(&mut self, expr: &'a Expr) {
        match owner(expr) {
            Expr::Name(name) => {
                let name = name.id.as_str();
                if !self.locals.contains(name) && self.effects.own.contains(name) {
                    self.changed.names.push(name);
                }
            }
            // `globals()[name] = value`, `sys.modules[name].x = value`
            _ => self.changed.others = true,
        }
    }
}

impl<'a> Visitor<'a> for GlobalChanges<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.changed.others |= matches!(stmt, Stmt::Global(_));
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Attribute(attribute) if attribute.ctx != ExprContext::Load => {
                self.change(&attribute.value);
            }
            Expr::Subscript(subscript) if subscript.ctx != ExprContext::Load => {
                self.change(&subscript.value);
            }
            Expr::Call(call) => {
                if let Expr::Attribute(method) = &*call.func {
                    let changes = !PURE_METHODS.contains(&method.attr.as_str());
                    let is_global = match &*method.value {
                        Expr::Name(_) => true,
                        // `globals().update(...)`
                        Expr::Call(inner) => {
                            matches!(&*inner.func, Expr::Name(name) if name.id.as_str() == "globals")
                        }
                        _ => false,
                    };
                    if changes && is_global {
                        self.change(&method.value);
                    }
                } else if let Expr::Name(name) = &*call.func {
                    let below = self
                        .effects
                        .changed_globals(name.id.as_str(), self.depth + 1);
                    self.changed.names.extend(below.names);
                    self.changed.others |= below.others;
                }
            }
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }
}

pub(super) fn collect_locals<'a>(body: &'a [Stmt], locals: &mut FxHashSet<&'a str>) {
    struct Stores<'l, 'a>(&'l mut FxHashSet<&'a str>);
    impl<'a> Visitor<'a> for Stores<'_, 'a> {
        fn visit_expr(&mut self, expr: &'a Expr) {
            if let Expr::Name(name) = expr
                && name.ctx == ExprContext::Store
            {
                self.0.insert(name.id.as_str());
            }
            visitor::walk_expr(self, expr);
        }
    }
    Stores(locals).visit_body(body);
}
