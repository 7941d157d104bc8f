//! What a piece of code mentions.
//!
//! `walk` goes through the code; what is to be made of each mention is here.

mod walk;

use ruff_python_ast::visitor::Visitor as _;
use ruff_python_ast::{
    Arguments, Comprehension, ExceptHandlerExceptHandler, Expr, ExprCall, ExprContext, Parameters,
    Stmt, StmtClassDef, StmtFunctionDef,
};
use ruff_text_size::{Ranged, TextSize};
use rustc_hash::FxHashSet;
use smallvec::{SmallVec, smallvec};

use super::super::Target;
use super::super::condition::{decide, decide_with};
use super::super::names::{ImportedNames, last_name};
use super::builtin::Builtin;
use super::imported::Imported;
use super::names::{Names, chain, identifiers, is_identifier, is_self, root};
use super::scope::{Module, Scope, ScopeKind};
use super::units::body_range;
use super::{Affix, HandlerPart, Name, Opaque, Path, Root, Syntax, Uses};
use crate::source::{ModuleSource, Origin, prefixes};

/// What a name can stand for: one thing, nearly always.
type Roots = SmallVec<[Root; 2]>;

/// Longer strings are no names.
const LONGEST_NAME: usize = 80;

/// What the whole of a module has in common.
pub(super) struct Context<'a> {
    pub(super) source: &'a ModuleSource,
    pub(super) module: Module<'a>,
    pub(super) imported: &'a ImportedNames<'a>,
    pub(super) target: &'a Target,
    /// What the top level binds.
    pub(super) globals: Scope<'a>,
    /// Names of the top level that are known to stand for something.
    pub(super) present: FxHashSet<&'a str>,
}

impl Context<'_> {
    pub(super) fn decide(&self, test: &Expr) -> Option<bool> {
        decide(test, self.imported, &self.source.name, self.target)
    }

    /// The same within a piece, whose text stays as it is.
    fn decide_inside(&self, test: &Expr) -> Option<bool> {
        let name = &self.source.name;
        decide_with(test, self.imported, name, self.target, &self.present)
    }
}

/// Collects the [`Uses`] of pieces of code, one after the other.
pub(super) struct UseCollector<'a, 'n> {
    context: &'n Context<'a>,
    pub(super) names: &'n mut Names,
    scopes: Vec<Scope<'a>>,
    /// What was collected since [`UseCollector::take`].
    uses: Uses,
    /// The handlers of the statement at hand, if they are collected apart.
    handlers: Option<Vec<HandlerPart>>,
    spare: &'n mut Spare<'a>,
}

/// Memory that collectors use one after the other.
#[derive(Debug, Default)]
pub(super) struct Spare<'a> {
    uses: Uses,
    scopes: Vec<Scope<'a>>,
    /// The globals that functions bind by importing them.
    pub(super) global_imports: Vec<(Name, Root)>,
}

/// What is in `collected`, in no more room than it needs; the room that was needed to collect it is kept for the next piece.
fn emptied<T>(collected: &mut Vec<T>) -> Vec<T> {
    let mut all = Vec::new();
    // Most are empty.
    if !collected.is_empty() {
        all.reserve_exact(collected.len());
        all.append(collected);
    }
    all
}

impl<'a, 'n> UseCollector<'a, 'n> {
    /// For code at the top level of a module.
    pub(super) fn new(
        context: &'n Context<'a>,
        names: &'n mut Names,
        spare: &'n mut Spare<'a>,
    ) -> Self {
        Self {
            context,
            names,
            scopes: Vec::new(),
            uses: std::mem::take(&mut spare.uses),
            handlers: None,
            spare,
        }
    }

    /// For code in the body of a class.
    pub(super) fn in_class(
        context: &'n Context<'a>,
        names: &'n mut Names,
        spare: &'n mut Spare<'a>,
        body: &'a [Stmt],
    ) -> Self {
        let mut collector = Self::new(context, names, spare);
        let mut scope = collector.scope(ScopeKind::Class);
        scope.bind_body(body, context.module);
        collector.scopes.push(scope);
        collector
    }

    /// A scope without names.
    fn scope(&mut self, kind: ScopeKind) -> Scope<'a> {
        match self.spare.scopes.pop() {
            Some(scope) => scope.emptied(kind),
            None => Scope::new(kind),
        }
    }

    fn leave_scope(&mut self) {
        self.spare.scopes.extend(self.scopes.pop());
    }

    /// What was collected, when there is nothing more to collect.
    pub(super) fn finish(mut self) -> Uses {
        let uses = self.take();
        self.spare.uses = self.uses;
        self.spare.scopes.append(&mut self.scopes);
        uses
    }

    /// What was collected since the last time; each mention once, at its first place.
    pub(super) fn take(&mut self) -> Uses {
        let uses = &mut self.uses;
        let first = |mentions: &mut Vec<(Name, TextSize)>| {
            mentions.sort_unstable();
            mentions.dedup_by_key(|mention| mention.0);
        };
        first(&mut uses.names);
        first(&mut uses.attributes);
        first(&mut uses.strings);
        uses.paths
            .sort_by(|a, b| (&a.root, &a.attributes, a.at).cmp(&(&b.root, &b.attributes, b.at)));
        uses.paths
            .dedup_by(|b, a| a.root == b.root && a.attributes == b.attributes);
        uses.siblings.sort_unstable();
        uses.siblings.dedup();
        uses.affixes.sort_unstable();
        uses.affixes
            .dedup_by(|b, a| a.prefix == b.prefix && a.suffix == b.suffix);
        uses.syntax.sort_unstable();
        uses.syntax.dedup_by_key(|mention| mention.0);
        Uses {
            names: emptied(&mut uses.names),
            paths: emptied(&mut uses.paths),
            attributes: emptied(&mut uses.attributes),
            strings: emptied(&mut uses.strings),
            affixes: emptied(&mut uses.affixes),
            imports: emptied(&mut uses.imports),
            siblings: emptied(&mut uses.siblings),
            opaque: emptied(&mut uses.opaque),
            syntax: emptied(&mut uses.syntax),
            any_module: uses.any_module.take(),
            peeked: emptied(&mut uses.peeked),
            every_module: uses.every_module.take(),
            words: emptied(&mut uses.words),
            by_name: uses.by_name.take(),
        }
    }

    /// The module that the code is in.
    pub(super) fn module(&self) -> Module<'a> {
        self.context.module
    }

    pub(super) fn visit(&mut self, expr: &'a Expr) {
        self.visit_expr(expr);
    }

    pub(super) fn visit_all(&mut self, body: &'a [Stmt]) {
        self.visit_body(body);
    }

    /// What `collect` finds, without what was found before it.
    pub(super) fn apart(&mut self, collect: impl FnOnce(&mut Self)) -> Uses {
        let outside = std::mem::take(&mut self.uses);
        collect(self);
        let uses = self.take();
        self.uses = outside;
        uses
    }

    /// Adds what was found apart.
    pub(super) fn add(&mut self, uses: Uses) {
        self.uses = std::mem::take(&mut self.uses).and(uses);
    }

    /// A statement; the bodies of the handlers in it apart, but for those in functions and classes.
    pub(super) fn with_handlers_apart(&mut self, stmt: &'a Stmt) -> Vec<HandlerPart> {
        self.handlers = Some(Vec::new());
        self.visit_stmt(stmt);
        self.handlers.take().unwrap_or_default()
    }

    /// The body of a handler, apart if that is asked for.
    fn handler(&mut self, clause: &'a ExceptHandlerExceptHandler) {
        if let Some(kind) = &clause.type_ {
            self.visit_expr(kind);
        }
        // Within another handler it goes with that.
        match self.handlers.take() {
            Some(mut handlers) if self.scopes.is_empty() => {
                let uses = self.apart(|collector| collector.visit_body(&clause.body));
                handlers.push(HandlerPart {
                    at: clause.start(),
                    body: body_range(&clause.body),
                    uses,
                });
                self.handlers = Some(handlers);
            }
            handlers => {
                self.visit_body(&clause.body);
                self.handlers = handlers;
            }
        }
    }

    /// A name's roots: none for a plain variable of a function.
    fn roots(&mut self, name: &str) -> Roots {
        let innermost = self.scopes.len().wrapping_sub(1);
        let mut roots = Roots::new();
        for (depth, scope) in self.scopes.iter().enumerate().rev() {
            if scope.kind == ScopeKind::Class && depth != innermost {
                continue;
            }
            let Some(local) = scope.get(name) else {
                continue;
            };
            if local.is_global {
                break;
            }
            for (import, _) in &local.imports {
                roots.push(root(import, self.names));
            }
            if scope.kind == ScopeKind::Class {
                // It may not be bound yet, and then the global of that name is meant.
                let number = self.names.number(name);
                self.uses.siblings.push(number);
                if self.context.globals.get(name).is_some() {
                    roots.push(Root::Global(number));
                }
            }
            return roots;
        }
        smallvec![Root::Global(self.names.number(name))]
    }

    /// `base.a.b`, with `attributes` for `a` and `b`.
    fn path(&mut self, base: &'a Expr, attributes: &[&str], at: TextSize) {
        let roots = match base {
            Expr::Name(name) => self.roots(name.id.as_str()),
            Expr::Call(call) => {
                if let Some(module) = self.imported_by(call) {
                    self.visit_expr(&call.func);
                    self.arguments_of(call);
                    smallvec![Root::Module(self.names.number(&module))]
                } else {
                    self.call(call);
                    Roots::new()
                }
            }
            Expr::Subscript(subscript) => {
                if let Some(module) = self.taken_module(base) {
                    let module = self.names.number(module);
                    self.visit_expr(&subscript.value);
                    smallvec![Root::Module(module)]
                } else {
                    self.visit_expr(base);
                    Roots::new()
                }
            }
            _ => {
                self.visit_expr(base);
                Roots::new()
            }
        };
        self.path_from(roots, attributes, at);
    }

    /// The same for a `base` whose roots are known.
    fn path_from(&mut self, roots: Roots, attributes: &[&str], at: TextSize) {
        let attributes: SmallVec<[Name; 4]> = attributes
            .iter()
            .map(|attribute| self.names.number(attribute))
            .collect();
        if roots.is_empty() {
            let mentions = attributes.iter().map(|name| (*name, at));
            self.uses.attributes.extend(mentions);
        }
        for root in roots {
            match root {
                Root::Global(name) if attributes.is_empty() => self.uses.names.push((name, at)),
                root => self.uses.paths.push(Path {
                    root,
                    attributes: attributes.clone(),
                    at,
                }),
            }
        }
    }

    /// The module that `sys.modules["a"]` or `sys.modules[__name__]` is.
    fn taken_module<'e>(&self, expr: &'e Expr) -> Option<&'e str>
    where
        'a: 'e,
    {
        let Expr::Subscript(subscript) = expr else {
            return None;
        };
        if !self
            .context
            .imported
            .may_be(&subscript.value, "sys.modules")
        {
            return None;
        }
        match &*subscript.slice {
            Expr::StringLiteral(name) => Some(name.value.to_str()),
            Expr::Name(name) if name.id.as_str() == "__name__" => {
                Some(self.context.source.name.as_str())
            }
            _ => None,
        }
    }

    /// The module that `import_module("a.b")` gives.
    fn imported_by(&self, call: &ExprCall) -> Option<String> {
        let is_builtin = is_bare_import(call);
        if !is_builtin
            && !self
                .context
                .imported
                .may_be(&call.func, "importlib.import_module")
        {
            return None;
        }
        let Some(Expr::StringLiteral(name)) = call.arguments.find_argument_value("name", 0) else {
            return None;
        };
        let name = name.value.to_str();
        if name.starts_with('.') {
            return None;
        }
        let top = name.split('.').next().unwrap_or(name);
        let takes_top = is_builtin && call.arguments.find_argument_value("fromlist", 3).is_none();
        Some(if takes_top { top } else { name }.to_owned())
    }

    /// `global heapq; import heapq` in a function binds a name of the module.
    fn import(&mut self, name: &str, imported: &Imported) {
        let local = self.scopes.last().and_then(|scope| scope.get(name));
        if local.is_some_and(|local| local.is_global) {
            let name = self.names.number(name);
            let root = root(imported, self.names);
            self.spare.global_imports.push((name, root));
        }
    }

    /// `__import__(name, globals(), locals(), ["a"])` is told by namespaces which package it is in, and takes nothing else of them.
    fn arguments_of(&mut self, call: &'a ExprCall) {
        if !is_bare_import(call) {
            return self.arguments(&call.arguments);
        }
        let keywords = call.arguments.keywords.iter();
        let given = keywords.map(|keyword| &keyword.value);
        for argument in call.arguments.args.iter().chain(given) {
            let is_namespace = matches!(argument, Expr::Call(inner)
                if inner.arguments.is_empty()
                    && matches!(self.builtin(&inner.func), Some(Builtin::Namespace(_))));
            if !is_namespace {
                self.visit_expr(argument);
            }
        }
    }

    fn arguments(&mut self, arguments: &'a Arguments) {
        for argument in &arguments.args {
            self.visit_expr(argument);
        }
        for keyword in &arguments.keywords {
            self.visit_expr(&keyword.value);
        }
    }

    fn opaque(&mut self, what: &'static str, at: TextSize, own_text: bool) {
        self.uses.opaque.push(Opaque { what, at, own_text });
    }

    /// The built-in function that `expr` stands for, of those that are treated apart.
    fn builtin(&self, expr: &Expr) -> Option<Builtin> {
        let Expr::Name(name) = expr else { return None };
        let name = name.id.as_str();
        let builtin = Builtin::of(name)?;
        let is_local = self.scopes.iter().any(|scope| scope.get(name).is_some());
        (!is_local).then_some(builtin)
    }

    /// `globals()`
    fn is_globals(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Call(call)
            if self.builtin(&call.func) == Some(Builtin::Namespace("globals")))
    }

    fn call(&mut self, call: &'a ExprCall) {
        let at = call.start();
        let arguments = &call.arguments;
        match self.builtin(&call.func) {
            Some(Builtin::Attribute) => {
                if let (Some(object), Some(Expr::StringLiteral(name))) =
                    (arguments.args.first(), arguments.args.get(1))
                {
                    let (base, mut attributes) = chain(object);
                    attributes.push(name.value.to_str());
                    self.path(base, &attributes, at);
                    for rest in arguments.args.iter().skip(2) {
                        self.visit_expr(rest);
                    }
                } else {
                    self.uses.by_name.get_or_insert(at);
                    self.arguments(arguments);
                    // Any name of the object, should it be a module; but for those that are put together, which say more.
                    if let (Some(object), Some(Expr::Name(_))) =
                        (arguments.args.first(), arguments.args.get(1))
                        && last_name(&call.func) == "getattr"
                    {
                        let (base, mut attributes) = chain(object);
                        attributes.push("__dict__");
                        self.path(base, &attributes, at);
                    }
                }
            }
            Some(Builtin::Namespace(what)) if !arguments.args.is_empty() => {
                for object in &arguments.args {
                    // What an object has beside its class is put there by name.
                    if !(what == "vars" && is_self(object)) {
                        self.enumerates(at);
                    }
                    let (base, mut attributes) = chain(object);
                    attributes.push("__dict__");
                    self.path(base, &attributes, at);
                }
            }
            Some(Builtin::Namespace(what)) => self.namespace(what, at),
            Some(Builtin::RunsText(what)) => {
                let has_namespace =
                    arguments.args.len() > 1 || arguments.find_keyword("globals").is_some();
                self.opaque(what, at, has_namespace);
                self.arguments(arguments);
            }
            None => {
                // `sys.modules.get("a")`
                if let Expr::Attribute(method) = &*call.func
                    && let Some(Expr::StringLiteral(module)) = arguments.args.first()
                    && self.context.imported.may_be(&method.value, "sys.modules")
                {
                    let module = self.names.number(module.value.to_str());
                    self.uses.peeked.push((module, at));
                }
                self.visit_expr(&call.func);
                self.arguments_of(call);
                match last_name(&call.func) {
                    "attrgetter" | "methodcaller" => {
                        self.uses.by_name.get_or_insert(at);
                    }
                    "classify_class_attrs" | "getmembers" | "getmembers_static" => {
                        self.enumerates(at);
                    }
                    _ => {}
                }
            }
        }
    }

    /// All the names of an object are looked at. The library does so to list them.
    fn enumerates(&mut self, at: TextSize) {
        if self.context.source.origin != Origin::Stdlib {
            self.uses.by_name.get_or_insert(at);
        }
    }

    /// `globals()`, and `vars()`, `dir()`, `locals()` where they mean the same.
    fn namespace(&mut self, what: &'static str, at: TextSize) {
        let in_function = self
            .scopes
            .iter()
            .any(|scope| scope.kind == ScopeKind::Function);
        // `dir()` gives names, and no way to what they stand for.
        if what == "globals" || (what != "dir" && !in_function) {
            self.opaque(what, at, false);
        }
    }

    fn text(&mut self, text: &str, at: TextSize) {
        if text.len() > LONGEST_NAME || !text.split('.').all(is_identifier) {
            return self.words(text, at);
        }
        for part in text.split('.') {
            let name = self.names.number(part);
            self.uses.strings.push((name, at));
        }
        self.path_in_text(text, at);
    }

    /// `__name__` with something behind it, which the application puts together.
    fn text_after(&mut self, name: &Expr, rest: &str, at: TextSize) {
        if matches!(name, Expr::Name(name) if name.id.as_str() == "__name__")
            && self.context.source.origin != Origin::Stdlib
        {
            let text = format!("{}{rest}", self.context.source.name);
            self.text(&text, at);
        }
    }

    /// `"package.handlers.Handler"`, in a module of that package, or one that imports it: the library finds the class by it.
    fn path_in_text(&mut self, text: &str, at: TextSize) {
        fn top(name: &str) -> &str {
            prefixes(name).next().unwrap_or_default()
        }
        if self.context.source.origin == Origin::Stdlib {
            return;
        }
        // `"package.handlers:Handler.handle"`
        if let Some((module, path)) = text.split_once(':').or_else(|| text.rsplit_once('.'))
            && (top(module) == top(self.context.source.name.as_str())
                || self.context.imported.has_some_of(top(module)))
        {
            let module = self.names.number(module);
            let mut names = path.split('.').map(|name| self.names.number(name));
            if let Some(name) = names.next() {
                self.uses.imports.push((module, name, at));
            }
            self.uses.strings.extend(names.map(|name| (name, at)));
        }
    }

    /// `"{0.name}"` takes an attribute where it is a format.
    fn fields(&mut self, text: &str, at: TextSize) {
        for field in text.split('{').skip(1) {
            let field = field.split(['}', ':', '!']).next().unwrap_or_default();
            let parts = field.split('.').skip(1);
            let names = parts.map(|part| part.split('[').next().unwrap_or_default());
            for name in names.filter(|name| is_identifier(name)) {
                let name = self.names.number(name);
                self.uses.strings.push((name, at));
            }
        }
    }

    /// A text that is no name: the application may run it, or put it into what it runs.
    fn words(&mut self, text: &str, at: TextSize) {
        if self.context.source.origin == Origin::Stdlib {
            return;
        }
        if text.contains('{') {
            self.fields(text, at);
        }
        if text.len() <= LONGEST_NAME && text.matches(':').count() == 1 {
            self.path_in_text(text, at);
        }
        for word in identifiers(text) {
            let name = self.names.number(word);
            self.uses.words.push((name, at));
        }
    }

    fn affix(&mut self, prefix: &str, suffix: &str, at: TextSize) {
        // What is no part of a name, such as the words of a message, ends up in no name.
        let fits = |part: &str| part.chars().all(|c| c == '_' || c.is_alphanumeric());
        if fits(prefix) && fits(suffix) && prefix.len() + suffix.len() > 1 {
            self.uses.affixes.push(Affix {
                prefix: prefix.into(),
                suffix: suffix.into(),
                at,
            });
        }
    }

    /// Default values are evaluated with the `def`.
    fn defaults(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(default) = parameter.default() {
                self.visit_expr(default);
            }
        }
    }

    /// A function: what is evaluated with the `def`, and its body.
    pub(super) fn function(&mut self, function: &'a StmtFunctionDef) {
        self.function_with(function, |collector| collector.visit_body(&function.body));
    }

    /// The same, with a body that is gone through by `body`.
    pub(super) fn function_with(
        &mut self,
        function: &'a StmtFunctionDef,
        body: impl FnOnce(&mut Self),
    ) {
        for decorator in &function.decorator_list {
            self.visit_expr(&decorator.expression);
        }
        self.defaults(&function.parameters);
        let mut scope = self.scope(ScopeKind::Function);
        scope.bind_type_parameters(function.type_params.as_deref());
        self.scopes.push(scope);
        if let Some(parameters) = &function.type_params {
            self.uses
                .syntax
                .push((Syntax::TypeParameters, function.start()));
            self.visit_type_params(parameters);
        }
        for parameter in &*function.parameters {
            if let Some(annotation) = parameter.annotation() {
                self.visit_annotation(annotation);
            }
        }
        if let Some(returns) = &function.returns {
            self.visit_annotation(returns);
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.bind_body(&function.body, self.context.module);
            scope.bind_parameters(&function.parameters);
        }
        body(self);
        self.leave_scope();
    }

    /// What is evaluated with a `class` statement, its body excepted.
    pub(super) fn class_head(&mut self, class: &'a StmtClassDef) {
        for decorator in &class.decorator_list {
            self.visit_expr(&decorator.expression);
        }
        let mut scope = self.scope(ScopeKind::Function);
        scope.bind_type_parameters(class.type_params.as_deref());
        self.scopes.push(scope);
        if let Some(parameters) = &class.type_params {
            self.uses
                .syntax
                .push((Syntax::TypeParameters, class.start()));
            self.visit_type_params(parameters);
        }
        if let Some(arguments) = &class.arguments {
            self.arguments(arguments);
        }
        self.leave_scope();
    }

    fn comprehension(
        &mut self,
        generators: &'a [Comprehension],
        elements: impl IntoIterator<Item = &'a Expr>,
    ) {
        let mut scope = self.scope(ScopeKind::Function);
        for generator in generators {
            scope.bind_targets(&generator.target, self.context.module);
        }
        let Some((first, rest)) = generators.split_first() else {
            return;
        };
        self.visit_expr(&first.iter);
        self.scopes.push(scope);
        self.visit_expr(&first.target);
        for test in &first.ifs {
            self.visit_expr(test);
        }
        for generator in rest {
            self.visit_expr(&generator.iter);
            self.visit_expr(&generator.target);
            for test in &generator.ifs {
                self.visit_expr(test);
            }
        }
        for element in elements {
            self.visit_expr(element);
        }
        self.leave_scope();
    }

    fn attribute(&mut self, expr: &'a Expr, ctx: ExprContext) {
        let (base, attributes) = chain(expr);
        // `sys.modules.get(name)`, `sys.modules.values()`
        if attributes.len() > 1
            && let Expr::Attribute(outer) = expr
            && self.context.imported.may_be(&outer.value, "sys.modules")
        {
            let place = match attributes[attributes.len() - 1] {
                "copy" | "items" | "values" => &mut self.uses.every_module,
                _ => &mut self.uses.any_module,
            };
            place.get_or_insert(expr.start());
        } else if self.context.imported.may_be(expr, "sys.modules") {
            self.uses.every_module.get_or_insert(expr.start());
        }
        if attributes.contains(&"__dict__") && !(is_self(base) && attributes[0] == "__dict__") {
            self.enumerates(expr.start());
        }
        // Storing an attribute of an object uses no definition of that name.
        let used = |is_variable| {
            if ctx == ExprContext::Store && is_variable {
                &attributes[..attributes.len() - 1]
            } else {
                &attributes[..]
            }
        };
        if let Expr::Name(name) = base {
            let roots = self.roots(name.id.as_str());
            let used = used(roots.is_empty());
            self.path_from(roots, used, expr.start());
        } else {
            let gives_module = matches!(base, Expr::Call(call) if self.imported_by(call).is_some());
            self.path(base, used(!gives_module), expr.start());
        }
    }
}

fn is_bare_import(call: &ExprCall) -> bool {
    matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "__import__")
}
