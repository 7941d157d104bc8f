//! Goes through a statement and finds what it does, by what [`Effects`] knows of the module.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    CmpOp, Decorator, Expr, ExprAttribute, ExprCall, ExprContext, Stmt, StmtAugAssign, StmtClassDef,
};
use rustc_hash::FxHashSet;

use super::super::names::BARE;
use super::effects::{Effects, Found};
use super::names::{chain, owner};
use super::pure::{OWN_ENTRY, PURE_METHODS};
use super::quiet::{fresh, given_in_body};
use super::{Effect, Witness};

pub(super) struct Finder<'e, 'a> {
    pub(super) effects: &'e Effects<'a>,
    pub(super) depth: usize,
    /// The variables of the function that is looked into; none at the top level.
    pub(super) locals: Option<FxHashSet<&'a str>>,
    /// Whether it is in a statement that holds others.
    pub(super) is_inside: bool,
    pub(super) found: Found<'a>,
}

impl<'a> Finder<'_, 'a> {
    fn raise_to(&mut self, effect: Effect) {
        self.found.effect = self.found.effect.max(effect);
    }

    fn notice_by(&mut self, witness: Witness) {
        if !self.effects.is_stdlib && !self.found.noticed_by.contains(&witness) {
            self.found.noticed_by.push(witness);
        }
    }

    /// What happens when code is called that is not known.
    pub(super) fn unknown(&mut self) {
        self.raise_to(if self.effects.is_stdlib {
            Effect::Module
        } else {
            Effect::Anything
        });
    }

    /// Something is done to the object behind `expr`.
    pub(super) fn change(&mut self, expr: &'a Expr) {
        let Expr::Name(name) = owner(expr) else {
            return self.unknown();
        };
        let name = name.id.as_str();
        match &self.locals {
            Some(locals) if locals.contains(name) => {}
            None if self.effects.namespaces.contains(name) => self.raise_to(Effect::Module),
            None if self.effects.own.contains(name) => {
                if !self.effects.is_stdlib && !expr.is_name_expr() {
                    // What is in it may be somebody else's.
                    self.unknown();
                }
                self.change_own(name);
            }
            Some(_) | None => self.unknown(),
        }
    }

    /// The object behind a name of the module is changed, and so is what other names call it.
    fn change_own(&mut self, name: &'a str) {
        let mut todo = vec![name];
        while let Some(name) = todo.pop() {
            if !self.effects.own.contains(name) {
                // Somebody else's object, or one of many.
                self.unknown();
            } else if !self.found.changes.contains(&name) {
                self.found.changes.push(name);
                let aliases = &self.effects.aliases;
                todo.extend(aliases.of(name));
                let makes = |callee| self.effects.makes_something(callee, self.depth);
                let is_own = if self.effects.is_stdlib {
                    aliases.callees(name).all(makes)
                } else {
                    self.effects.is_made_here(name)
                };
                if !is_own {
                    // What is handed out may be somebody else's object.
                    self.unknown();
                }
            }
        }
    }

    fn call(&mut self, call: &'a ExprCall) {
        if self.effects.makes_class(call) {
            return self.unknown();
        }
        if self.effects.is_pure_callee(&call.func, self.depth) {
            if self
                .effects
                .imported
                .may_be(&call.func, "logging.getLogger")
            {
                self.notice_by(Witness::Loggers);
            }
            self.hand_on(call);
            return;
        }
        if let Expr::Attribute(method) = &*call.func {
            // Classes of the library are not told of those that are made from them like that.
            if self.effects.is_stdlib
                && method.attr.as_str() == "__new__"
                && matches!(&*method.value, Expr::Name(name) if name.id.as_str() == "type")
            {
                return;
            }
            let (base, _) = chain(&method.value);
            let on_own = matches!(base, Expr::Name(name) if self.is_own(name.id.as_str()));
            if PURE_METHODS.contains(&method.attr.as_str()) && self.is_pure_on(method, base, on_own)
            {
                self.hand_on(call);
                return;
            }
            if on_own {
                // Its methods are the module's own, or whoever's it is.
                if !self.effects.is_stdlib
                    && self.locals.is_none()
                    && !matches!(&*method.value, Expr::Name(name)
                        if self.effects.fresh.contains(name.id.as_str()))
                {
                    self.unknown();
                }
                return self.change(&method.value);
            }
        }
        if self.effects.is_stdlib
            && self.locals.is_none()
            && let Expr::Name(name) = &*call.func
            && self.effects.own.contains(name.id.as_str())
        {
            if self.effects.touches_globals(name.id.as_str(), 0) {
                self.raise_to(Effect::Module);
            }
            return;
        }
        if self.effects.is_stdlib
            && let Some(path) = self.effects.imported.path(&call.func)
            && !path.starts_with(BARE)
            && self.locals.is_none()
        {
            // A function of another module of the library, which gives a result.
            return;
        }
        self.unknown();
    }

    /// Whether a method that changes nothing where it is that of a built-in type is one, or does as little.
    fn is_pure_on(&self, method: &'a ExprAttribute, base: &Expr, on_own: bool) -> bool {
        if self.effects.is_stdlib {
            return on_own || !matches!(base, Expr::Name(_));
        }
        let name = method.attr.as_str();
        (self.locals.is_some() && on_own) || self.effects.is_pure_on(&method.value, name)
    }

    fn is_own(&self, name: &str) -> bool {
        match &self.locals {
            Some(locals) => locals.contains(name),
            None => self.effects.own.contains(name),
        }
    }
}

impl<'a> Visitor<'a> for Finder<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            // Defining a function runs its decorators and default values.
            Stmt::FunctionDef(function) => {
                self.decorators(&function.decorator_list);
                for parameter in function.parameters.iter_non_variadic_params() {
                    if let Some(default) = parameter.default() {
                        self.visit_expr(default);
                    }
                }
            }
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Global(_) => self.raise_to(Effect::Module),
            // Whatever the module does, defining the class does.
            Stmt::Import(_) | Stmt::ImportFrom(_)
                if self.locals.is_some() && !self.effects.is_stdlib =>
            {
                self.unknown();
            }
            Stmt::Delete(_) => {
                self.raise_to(Effect::Module);
                if !self.effects.is_stdlib {
                    visitor::walk_stmt(self, stmt);
                }
            }
            // Leaving with an error is what the importer sees.
            Stmt::Raise(_) => self.unknown(),
            Stmt::Return(_)
            | Stmt::TypeAlias(_)
            | Stmt::Assign(_)
            | Stmt::AugAssign(_)
            | Stmt::AnnAssign(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::If(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Try(_)
            | Stmt::Assert(_)
            | Stmt::Import(_)
            | Stmt::ImportFrom(_)
            | Stmt::Nonlocal(_)
            | Stmt::Expr(_)
            | Stmt::Pass(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::IpyEscapeCommand(_) => {
                if let Stmt::With(with) = stmt
                    && !self.effects.is_stdlib
                {
                    for item in &with.items {
                        if self.effects.is_plain(&item.context_expr) {
                            self.raise_to(Effect::Module);
                        } else {
                            self.unknown();
                        }
                    }
                }
                match stmt {
                    Stmt::For(each) => self.consume(&each.iter),
                    Stmt::AugAssign(assign) => self.add_to(assign),
                    Stmt::Assign(assign) if self.effects.prolongs(assign) => {
                        self.notice_by(Witness::Lifetime);
                    }
                    // `first, *rest = lines`
                    Stmt::Assign(assign)
                        if assign
                            .targets
                            .iter()
                            .any(|target| matches!(target, Expr::Tuple(_) | Expr::List(_))) =>
                    {
                        self.consume(&assign.value);
                    }
                    _ => {}
                }
                visitor::walk_stmt(self, stmt);
            }
        }
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_expr(&mut self, expr: &'a Expr) {
        if self.does_more(expr) {
            self.unknown();
        }
        match expr {
            Expr::Call(call) => self.call(call),
            Expr::ListComp(comp) => self.consume_sources(&comp.generators),
            Expr::SetComp(comp) => self.consume_sources(&comp.generators),
            Expr::DictComp(comp) => self.consume_sources(&comp.generators),
            Expr::Generator(comp) => self.consume_sources(&comp.generators),
            Expr::Compare(compare)
                if compare
                    .ops
                    .iter()
                    .any(|op| matches!(op, CmpOp::In | CmpOp::NotIn)) =>
            {
                compare.comparators.iter().for_each(|one| self.consume(one));
            }
            Expr::Starred(starred) if starred.ctx == ExprContext::Load => {
                self.consume(&starred.value);
            }
            // Making a function of it runs its default values, as defining one does.
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
            Expr::Attribute(attribute) if attribute.ctx != ExprContext::Load => {
                self.change(&attribute.value);
            }
            Expr::Subscript(subscript) if subscript.ctx != ExprContext::Load => {
                self.change(&subscript.value);
            }
            // Looking up a key makes an entry for it.
            Expr::Subscript(subscript) if self.effects.fills_itself(&subscript.value) => {
                self.change(&subscript.value);
            }
            Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_) if self.locals.is_none() => {
                self.unknown();
            }
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }
}

impl<'a> Finder<'_, 'a> {
    /// Defining a class runs its body.
    fn class(&mut self, class: &'a StmtClassDef) {
        self.decorators(&class.decorator_list);
        if let Some(arguments) = &class.arguments {
            for argument in &arguments.args {
                self.visit_expr(argument);
            }
            for keyword in &arguments.keywords {
                self.visit_expr(&keyword.value);
            }
        }
        // Bodies of the library's classes are trusted.
        if self.effects.is_stdlib {
            return;
        }
        if self.is_inside && self.effects.tells_bases(class, 0) {
            self.unknown();
        }
        // What is made in it is its own.
        let mut inner = self.effects.finder(self.depth);
        inner.is_inside = true;
        let mut names = fresh(&class.body, self.effects.imported);
        for stmt in &class.body {
            if let Stmt::FunctionDef(method) = stmt {
                names.insert(&method.name);
            }
        }
        inner.locals = Some(names);
        inner.visit_body(&class.body);
        let effect = inner.found.effect;
        let witnesses = inner.found.noticed_by;
        self.raise_to(effect);
        for witness in witnesses {
            self.notice_by(witness);
        }
        if !given_in_body(class).all(|value| self.effects.is_plain(value)) {
            self.notice_by(Witness::SetName);
        }
        if self.effects.makes_members(class) {
            self.unknown();
        }
    }

    /// `items += [1]` changes a list, whoever else has it, and makes a new number or text.
    fn add_to(&mut self, assign: &'a StmtAugAssign) {
        if self.effects.is_stdlib {
            return;
        }
        if assign.target.is_name_expr() {
            self.change(&assign.target);
        } else if !self.effects.is_unchangeable(&assign.value) {
            self.unknown();
        }
    }

    fn decorators(&mut self, list: &'a [Decorator]) {
        for Decorator { expression, .. } in list {
            if !self.effects.is_pure_decorator(expression) {
                self.decorate(expression);
            } else if let Expr::Call(call) = expression {
                // What it is given is computed all the same.
                self.visit_arguments(&call.arguments);
            }
        }
    }

    /// A decorator that is not known: `@table.register` of this module's own `table` changes that.
    fn decorate(&mut self, expr: &'a Expr) {
        let callee = match expr {
            Expr::Call(call) => &*call.func,
            other => other,
        };
        if let Expr::Attribute(method) = callee
            && let (Expr::Name(name), _) = chain(&method.value)
            && self.is_own(name.id.as_str())
        {
            if !self.effects.is_stdlib && self.locals.is_none() {
                // Its method may do anything.
                self.unknown();
            }
            return self.change(&method.value);
        }
        if self.effects.is_stdlib
            && let Expr::Name(name) = callee
            && OWN_ENTRY.contains(&name.id.as_str())
        {
            return;
        }
        if self.effects.is_stdlib
            && let Expr::Name(name) = callee
            && self.effects.own.contains(name.id.as_str())
        {
            let changed = self.effects.changed_globals(name.id.as_str(), 0);
            if changed.others {
                self.unknown();
            }
            changed
                .names
                .into_iter()
                .for_each(|name| self.change_own(name));
            return;
        }
        self.unknown();
    }
}
