//! Splits a module's top level into units.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Decorator, Expr, Stmt, StmtClassDef, StmtFunctionDef, StmtIf};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::super::names::{ImportedNames, last_name};
use super::super::parse::ParsedModule;
use super::super::steps::Request;
use super::super::{Target, hidden_imports};
use super::accelerated::{Library, Replaced};
use super::effects::{Effects, Found};
use super::imported::{self, Imported};
use super::lazy;
use super::names::{Names, chain, root};
use super::quiet::binds;
use super::scope::{Local, Module, Scope, ScopeKind};
use super::uses::{Context, Spare, UseCollector};
use super::{
    Base, Definitions, Effect, Frame, HandlerPart, InnerStar, Member, Name, Path, Replacement,
    Root, Unit, UnitKind, Uses, Witness,
};
use crate::source::{ModuleSource, Origin};

/// Splits `parsed`, the tree of `source`.
pub(in super::super) fn define(
    source: &ModuleSource,
    parsed: &ParsedModule,
    imported: &ImportedNames<'_>,
    target: &Target,
) -> Definitions {
    let body = &parsed.syntax.body;
    let mut globals = Scope::new(ScopeKind::Class);
    let module = Module::new(source);
    globals.bind_body(body, module);
    let library = Library::of(source, imported, target);
    let present = library.as_ref().map(|library| library.present(body));
    let context = Context {
        source,
        module,
        imported,
        target,
        globals,
        present: present.unwrap_or_default(),
    };
    let mut splitter = Splitter {
        context: &context,
        effects: Effects::new(source, body, imported, target),
        names: Names::of_text(&source.text),
        spare: Spare::default(),
        definitions: Definitions {
            units: Vec::with_capacity(body.len()),
            ..Definitions::default()
        },
    };
    splitter.block(body, None);
    if let Some(library) = library {
        for replaced in library.replaced(body, &context.globals) {
            splitter.replaced(replaced);
        }
    }
    let mut definitions = splitter.definitions;
    if !(source.origin == Origin::Stdlib && hidden_imports::only_connects(&source.name)) {
        definitions.global_imports = splitter.spare.global_imports;
    }
    definitions.names = splitter.names.into_texts();
    definitions
}

struct Splitter<'c, 'a> {
    context: &'c Context<'a>,
    effects: Effects<'a>,
    names: Names,
    spare: Spare<'a>,
    definitions: Definitions,
}

impl<'a> Splitter<'_, 'a> {
    fn replaced(&mut self, replaced: Replaced<'_>) {
        let Replaced { name, range, by } = replaced;
        let name = self.names.number(name);
        let Definitions {
            units, replaced, ..
        } = &mut self.definitions;
        for (unit, definition) in (0..).zip(units) {
            // A statement that changes something else besides is more than a definition.
            if definition.range == range && definition.defines == [name] {
                replaced.push(Replacement { unit, name, by });
            }
        }
    }

    fn block(&mut self, body: &'a [Stmt], frame: Option<usize>) {
        for stmt in body {
            self.statement(stmt, frame);
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of statement")]
    fn statement(&mut self, stmt: &'a Stmt, frame: Option<usize>) {
        match stmt {
            Stmt::FunctionDef(function) => {
                let mut lazy = Vec::new();
                let uses = self.uses(|collector| match lazy::asked_name(function) {
                    Some(asked) => lazy = collector.lazy_function(function, asked),
                    None => collector.function(function),
                });
                let found = self.effects.of_statement(stmt);
                let name = self.names.number(&function.name);
                self.push(stmt, UnitKind::Function, vec![name], &found, uses, frame)
                    .lazy = lazy;
            }
            Stmt::ClassDef(class) => self.class(stmt, class, frame),
            Stmt::If(stmt) => self.conditional(stmt, frame),
            Stmt::Import(import) => {
                for (alias, (name, imported)) in
                    import.names.iter().zip(imported::of_import(import))
                {
                    let kind = UnitKind::Import {
                        statement: import.range(),
                        request: Request::Module(alias.name.to_string()),
                        binds_whole: alias.asname.is_some() || !alias.name.contains('.'),
                    };
                    self.import(alias.range(), kind, name, &imported, frame);
                }
            }
            Stmt::ImportFrom(import) => {
                let module = imported::from_module(import, self.context.source);
                // It says how the rest of the file is to be read, and runs.
                if module.as_deref() == Some("__future__") {
                    let mut names = import.names.iter();
                    self.definitions.text_annotations |=
                        names.any(|alias| alias.name.as_str() == "annotations");
                    let found = Found::only(Effect::Module);
                    let (names, imports) = self.bound_by(stmt);
                    self.push(stmt, UnitKind::Other, names, &found, Uses::default(), frame)
                        .imports = imports;
                    return;
                }
                for alias in &import.names {
                    let Some(module) = &module else {
                        let found = self.effects.of_statement(stmt);
                        self.push(
                            stmt,
                            UnitKind::Other,
                            Vec::new(),
                            &found,
                            Uses::default(),
                            frame,
                        );
                        return;
                    };
                    let is_star = alias.name.as_str() == "*";
                    let request = if is_star {
                        Request::Star(hidden_imports::stands_for(module).to_owned())
                    } else {
                        Request::Name {
                            module: module.clone(),
                            name: alias.name.to_string(),
                        }
                    };
                    let kind = UnitKind::Import {
                        statement: import.range(),
                        request,
                        binds_whole: true,
                    };
                    let bound = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    let imported = Imported::From {
                        module: module.clone(),
                        name: alias.name.to_string(),
                    };
                    self.import(alias.range(), kind, bound, &imported, frame);
                }
            }
            Stmt::Assign(assign) => {
                let simple = assign.targets.iter().all(is_names);
                let (names, _) = self.bound_by(stmt);
                let uses = self.statement_uses(stmt);
                let found = self.effects.of_statement(stmt);
                let kind = if simple {
                    UnitKind::Assignment
                } else {
                    UnitKind::Other
                };
                self.push(stmt, kind, names, &found, uses, frame);
            }
            Stmt::AnnAssign(assign) => {
                let (names, _) = self.bound_by(stmt);
                let uses = self.statement_uses(stmt);
                let found = self.effects.of_statement(stmt);
                let kind = if is_names(&assign.target) {
                    UnitKind::Assignment
                } else {
                    UnitKind::Other
                };
                self.push(stmt, kind, names, &found, uses, frame);
            }
            Stmt::TypeAlias(_) | Stmt::AugAssign(_) => {
                let (names, _) = self.bound_by(stmt);
                let uses = self.statement_uses(stmt);
                let found = self.effects.of_statement(stmt);
                self.push(stmt, UnitKind::Assignment, names, &found, uses, frame);
            }
            Stmt::Delete(delete) => {
                let plain = delete.targets.iter().all(is_names);
                let (names, _) = self.bound_by(stmt);
                let uses = self.statement_uses(stmt);
                let found = if plain {
                    Found {
                        noticed_by: vec![Witness::Lifetime],
                        ..Found::only(Effect::None)
                    }
                } else {
                    self.effects.of_statement(stmt)
                };
                self.push(stmt, UnitKind::Delete, names, &found, uses, frame);
            }
            // A docstring is the minifier's to judge; `pass` does nothing.
            Stmt::Expr(expression) if is_constant(&expression.value) => {}
            Stmt::Pass(_) => {}
            Stmt::Return(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Raise(_)
            | Stmt::Try(_)
            | Stmt::Assert(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Expr(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::IpyEscapeCommand(_) => {
                let (names, imports) = self.bound_by(stmt);
                let mut found = self.effects.of_statement(stmt);
                let stars = stars_in(stmt, self.context.source);
                if !stars.is_empty() {
                    // What it binds is not in the text, and may replace what is defined before it.
                    found.effect = found.effect.max(Effect::Module);
                }
                let (uses, handlers) = self.parts(stmt);
                let is_pickle_registration = self.is_pickle_registration(stmt);
                let registers_subclass = self.effects.registers_subclass(stmt);
                let number = u32::try_from(self.definitions.units.len()).unwrap_or(u32::MAX);
                let stars = stars.into_iter().map(|(from, at)| InnerStar {
                    unit: number,
                    from,
                    at,
                });
                self.definitions.inner_stars.extend(stars);
                let unit = self.push(stmt, UnitKind::Other, names, &found, uses, frame);
                unit.handlers = handlers;
                unit.imports = imports;
                unit.is_pickle_registration = is_pickle_registration;
                unit.registers_subclass = registers_subclass;
            }
        }
    }

    fn is_pickle_registration(&self, stmt: &Stmt) -> bool {
        let Stmt::Expr(expression) = stmt else {
            return false;
        };
        let Expr::Call(call) = &*expression.value else {
            return false;
        };
        let in_copyreg = self.context.source.name == "copyreg"
            && matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "pickle");
        in_copyreg || self.context.imported.path(&call.func).as_deref() == Some("copyreg.pickle")
    }

    fn push(
        &mut self,
        at: impl Ranged,
        kind: UnitKind,
        mut defines: Vec<Name>,
        found: &Found<'_>,
        uses: Uses,
        frame: Option<usize>,
    ) -> &mut Unit {
        // `table["x"] = 1` is part of what makes `table`.
        let numbers = found.changes.iter().map(|name| self.names.number(name));
        let changes: Box<[Name]> = numbers.filter(|name| !defines.contains(name)).collect();
        defines.extend(&changes);
        defines.sort_unstable();
        defines.dedup();
        let mut uses = uses;
        if defines
            .iter()
            .any(|name| self.names.text(*name) == "__all__")
        {
            // Whoever takes everything is known by that; see `reach_exports`.
            uses.strings.clear();
        }
        let is_bare = defines.is_empty() && kind == UnitKind::Other;
        let tells_of_module = defines
            .iter()
            .any(|name| TELLS_OF_MODULE.contains(&self.names.text(*name)));
        let effect = if is_bare || tells_of_module {
            found.effect.max(Effect::Module)
        } else {
            found.effect
        };
        self.definitions.units.push(Unit {
            kind,
            range: at.range(),
            defines,
            changes,
            effect,
            noticed_by: found.noticed_by.clone(),
            is_pickle_registration: false,
            registers_subclass: false,
            uses,
            handlers: Vec::new(),
            lazy: Vec::new(),
            members: Vec::new(),
            bases: Vec::new(),
            abstracts: Vec::new(),
            imports: Vec::new(),
            frame,
        });
        let last = self.definitions.units.len() - 1;
        &mut self.definitions.units[last]
    }

    fn import(
        &mut self,
        range: TextRange,
        kind: UnitKind,
        name: &str,
        imported: &Imported,
        frame: Option<usize>,
    ) {
        let is_star = name == "*";
        let name = self.names.number(name);
        let bound = root(imported, &mut self.names);
        let found = Found::only(Effect::None);
        let defines = if is_star { Vec::new() } else { vec![name] };
        let unit = self.push(range, kind, defines, &found, Uses::default(), frame);
        if !is_star {
            unit.imports.push((name, bound, range.start()));
        }
    }

    fn uses(&mut self, collect: impl FnOnce(&mut UseCollector<'a, '_>)) -> Uses {
        let mut collector = UseCollector::new(self.context, &mut self.names, &mut self.spare);
        collect(&mut collector);
        collector.finish()
    }

    fn statement_uses(&mut self, stmt: &'a Stmt) -> Uses {
        self.uses(|collector| collector.visit_stmt(stmt))
    }

    /// The uses of a statement; those of the handlers of each `try` in it apart.
    fn parts(&mut self, stmt: &'a Stmt) -> (Uses, Vec<HandlerPart>) {
        let mut handlers = Vec::new();
        let uses = self.uses(|collector| handlers = collector.with_handlers_apart(stmt));
        (uses, handlers)
    }

    /// The globals that a statement binds, and what the imports in it bind them to.
    fn bound_by(&mut self, stmt: &'a Stmt) -> (Vec<Name>, Vec<(Name, Root, TextSize)>) {
        let mut scope = Scope::new(ScopeKind::Class);
        scope.bind_body(std::slice::from_ref(stmt), self.context.module);
        let mut bound: Vec<(&str, &Local)> = scope.names().collect();
        bound.sort_unstable_by_key(|(name, _)| *name);
        let mut names = Vec::new();
        let mut imports = Vec::new();
        for (name, local) in bound {
            let name = self.names.number(name);
            names.push(name);
            for (import, at) in &local.imports {
                imports.push((name, root(import, &mut self.names), *at));
            }
        }
        (names, imports)
    }

    fn conditional(&mut self, stmt: &'a StmtIf, parent: Option<usize>) {
        let mut clauses = vec![(Some(&*stmt.test), stmt.body.as_slice())];
        clauses.extend(
            stmt.elif_else_clauses
                .iter()
                .map(|clause| (clause.test.as_ref(), clause.body.as_slice())),
        );
        let mut live = Vec::new();
        let mut tests = Vec::new();
        let mut arms = Vec::new();
        let mut decided = false;
        for (test, body) in clauses {
            arms.push(body_range(body));
            if decided {
                self.definitions.dead_arms.push(body_range(body));
                continue;
            }
            tests.extend(test);
            match test.and_then(|test| self.context.decide(test)) {
                Some(false) => self.definitions.dead_arms.push(body_range(body)),
                Some(true) => {
                    decided = true;
                    live.push(body);
                }
                None => live.push(body),
            }
        }
        let mut effect = Effect::None;
        for test in &tests {
            let found = self.effects.of_expression(test);
            effect = effect.max(found.effect);
            if !found.changes.is_empty() {
                effect = effect.max(Effect::Module);
            }
        }
        let uses = self.uses(|collector| {
            for test in &tests {
                collector.visit_expr(test);
            }
        });
        let frame = self.definitions.frames.len();
        self.definitions.frames.push(Frame {
            range: stmt.range(),
            uses,
            effect,
            parent,
            arms,
        });
        for body in live {
            self.block(body, Some(frame));
        }
    }

    fn class(&mut self, stmt: &'a Stmt, class: &'a StmtClassDef, frame: Option<usize>) {
        let is_open = self.is_open_class(class);
        let mut members = Vec::new();
        let mut abstracts = Vec::new();
        let mut kept: Vec<&'a Stmt> = Vec::new();
        let effects = &self.effects;
        let mut collector =
            UseCollector::in_class(self.context, &mut self.names, &mut self.spare, &class.body);
        for inner in &class.body {
            match inner {
                Stmt::FunctionDef(method) if !is_open && can_go(effects, method) => {
                    collector.function(method);
                    let uses = collector.take();
                    members.push(Member {
                        name: collector.names.number(&method.name),
                        range: method.range(),
                        uses,
                    });
                }
                other => {
                    if let Stmt::FunctionDef(method) = other
                        && is_abstract(method)
                    {
                        abstracts.push(collector.names.number(&method.name));
                    }
                    kept.push(other);
                }
            }
        }
        for inner in kept {
            collector.visit_stmt(inner);
        }
        let body_uses = collector.finish();
        let head = self.uses(|collector| collector.class_head(class));
        let uses = head.and(body_uses);
        let mut found = self.effects.of_statement(stmt);
        let hooks_subclasses = Self::hooks_subclasses(class);
        let bases = class.bases().iter().map(|base| self.base(base)).collect();
        let name = self.names.number(&class.name);
        if class.keywords().iter().any(|keyword| {
            keyword.arg.as_ref().is_some_and(|arg| arg == "metaclass")
                && !is_known_metaclass(&keyword.value)
        }) && self.context.source.origin != Origin::Stdlib
        {
            found.effect = Effect::Anything;
        }
        let kind = UnitKind::Class { hooks_subclasses };
        let unit = self.push(stmt, kind, vec![name], &found, uses, frame);
        unit.members = members;
        unit.abstracts = abstracts;
        unit.bases = bases;
    }

    fn base(&mut self, base: &'a Expr) -> Base {
        if let Expr::Call(call) = base
            && MAKES_TUPLE_CLASS.contains(&last_name(&call.func))
        {
            return Base::Plain;
        }
        let base = match base {
            Expr::Subscript(subscript) => &*subscript.value,
            other => other,
        };
        let (first, attributes) = chain(base);
        let Expr::Name(name) = first else {
            return Base::Computed;
        };
        Base::Named(Path {
            root: Root::Global(self.names.number(name.id.as_str())),
            attributes: attributes
                .into_iter()
                .map(|attribute| self.names.number(attribute))
                .collect(),
            at: base.start(),
        })
    }

    /// Whether something may look at all the names in the class, or copy them.
    fn is_open_class(&self, class: &'a StmtClassDef) -> bool {
        let known_decorators = class
            .decorator_list
            .iter()
            .all(|decorator| self.effects.is_pure_decorator(&decorator.expression));
        let known_keywords = class.keywords().iter().all(|keyword| {
            keyword.arg.as_ref().is_some_and(|arg| arg == "metaclass")
                && is_known_metaclass(&keyword.value)
        });
        let copied = class.bases().iter().any(|base| {
            let base = match base {
                Expr::Subscript(subscript) => &*subscript.value,
                other => other,
            };
            COPIES_NAMESPACE.contains(&last_name(base))
        });
        !known_decorators || !known_keywords || copied
    }

    fn hooks_subclasses(class: &StmtClassDef) -> bool {
        let has_hook = binds(class, |name| name == "__init_subclass__");
        let has_metaclass = class.keywords().iter().any(|keyword| {
            keyword.arg.as_ref().is_some_and(|arg| arg == "metaclass")
                && !is_known_metaclass(&keyword.value)
        });
        has_hook || has_metaclass
    }
}

/// Whether a method can be left out of its class.
fn can_go<'a>(effects: &Effects<'a>, method: &'a StmtFunctionDef) -> bool {
    // What sets an attribute does not say whether a setter does it.
    let sets =
        |decorator: &Decorator| matches!(last_name(&decorator.expression), "setter" | "deleter");
    !is_abstract(method)
        && !method.decorator_list.iter().any(sets)
        && method
            .decorator_list
            .iter()
            .all(|decorator| effects.is_pure_decorator(&decorator.expression))
}

impl Uses {
    pub(super) fn and(mut self, other: Self) -> Self {
        let Self {
            names,
            paths,
            attributes,
            strings,
            affixes,
            imports,
            siblings,
            opaque,
            syntax,
            any_module,
            peeked,
            every_module,
            words,
            by_name,
        } = other;
        self.names.extend(names);
        self.paths.extend(paths);
        self.attributes.extend(attributes);
        self.strings.extend(strings);
        self.affixes.extend(affixes);
        self.imports.extend(imports);
        self.siblings.extend(siblings);
        self.opaque.extend(opaque);
        self.syntax.extend(syntax);
        self.peeked.extend(peeked);
        self.any_module = self.any_module.or(any_module);
        self.every_module = self.every_module.or(every_module);
        self.words.extend(words);
        self.by_name = self.by_name.or(by_name);
        self
    }
}

/// Names of a module by which the interpreter knows it, where it makes classes and functions and imports other modules.
const TELLS_OF_MODULE: [&str; 4] = ["__name__", "__package__", "__path__", "__spec__"];

/// Functions that make a class which is not told of its subclasses.
const MAKES_TUPLE_CLASS: [&str; 2] = ["namedtuple", "NamedTuple"];

/// Base classes whose metaclass makes a class anew from all that is in it, or looks at all of it.
const COPIES_NAMESPACE: [&str; 4] = ["NamedTuple", "Protocol", "TypedDict", "Structure"];

/// Metaclasses that take the names of a class as they are.
fn is_known_metaclass(expr: &Expr) -> bool {
    matches!(
        last_name(expr),
        "ABCMeta" | "type" | "EnumMeta" | "EnumType"
    )
}

fn is_abstract(method: &StmtFunctionDef) -> bool {
    method.decorator_list.iter().any(|decorator| {
        matches!(
            last_name(&decorator.expression),
            "abstractmethod" | "abstractproperty" | "abstractclassmethod" | "abstractstaticmethod"
        )
    })
}

fn is_names(target: &Expr) -> bool {
    match target {
        Expr::Name(_) => true,
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_names),
        Expr::List(list) => list.elts.iter().all(is_names),
        Expr::Starred(starred) => is_names(&starred.value),
        _ => false,
    }
}

/// The modules that the `import *` in a statement take everything of.
fn stars_in(stmt: &Stmt, source: &ModuleSource) -> Vec<(String, TextSize)> {
    struct Stars<'s> {
        source: &'s ModuleSource,
        found: Vec<(String, TextSize)>,
    }
    impl<'a> Visitor<'a> for Stars<'_> {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            if let Stmt::ImportFrom(import) = stmt
                && import.names.iter().any(|alias| &alias.name == "*")
            {
                // One that leaves its package fails, and binds nothing.
                let module = imported::from_module(import, self.source);
                let from = module.as_deref().map_or("", hidden_imports::stands_for);
                self.found.push((from.to_owned(), import.start()));
            }
            visitor::walk_stmt(self, stmt);
        }
    }
    let mut stars = Stars {
        source,
        found: Vec::new(),
    };
    stars.visit_stmt(stmt);
    stars.found
}

fn is_constant(expr: &Expr) -> bool {
    expr.is_literal_expr()
}

/// From the first statement of a suite to the end of its last.
pub(super) fn body_range(body: &[Stmt]) -> TextRange {
    match (body.first(), body.last()) {
        (Some(first), Some(last)) => TextRange::new(first.start(), last.end()),
        (None, _) | (_, None) => TextRange::default(),
    }
}
