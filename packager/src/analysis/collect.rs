//! A syntax tree to [`ModuleFacts`]: what importing the module imports, and the names it binds.

use ruff_python_ast::{Alias, Expr, MatchCase, Pattern, Stmt, StmtIf, StmtImportFrom};
use ruff_text_size::Ranged;

use super::Target;
use super::condition::decide;
use super::expressions;
use super::hidden_imports;
use super::names::{BARE, ImportedNames, captured};
use super::parse::ParsedModule;
use super::steps::{Bound, Import, ModuleFacts, Request, Step, Stop};
use crate::source::{ModuleSource, Origin};

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The module's top level.
    Module,
    /// A class body, which runs with the top level but binds names of its own.
    Class,
    /// A function's body.
    Function,
}

/// Where a statement stands, and whether it runs each time its block does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) scope: Scope,
    pub(super) conditional: bool,
}

impl Place {
    pub(super) fn conditional(self) -> Self {
        Self {
            conditional: true,
            ..self
        }
    }

    fn inside(self, scope: Scope) -> Self {
        // A class in a function runs when the function does.
        Self {
            scope: if self.scope == Scope::Function {
                Scope::Function
            } else {
                scope
            },
            ..self
        }
    }
}

/// Collects the facts of a module.
pub(super) fn collect(
    source: &ModuleSource,
    parsed: &ParsedModule,
    names: &ImportedNames<'_>,
    target: &Target,
) -> ModuleFacts {
    let mut collector = Collector {
        source,
        parsed,
        target,
        names,
        facts: ModuleFacts::default(),
        caught: Vec::new(),
    };
    let place = Place {
        scope: Scope::Module,
        conditional: false,
    };
    collector.facts.steps = collector.block(&parsed.syntax.body, place);
    let mut facts = collector.facts;
    facts.open_names |= facts.names.contains_key("__getattr__");
    facts
}

/// The state of one walk over a module.
pub(super) struct Collector<'a> {
    pub(super) source: &'a ModuleSource,
    parsed: &'a ParsedModule,
    pub(super) target: &'a Target,
    pub(super) names: &'a ImportedNames<'a>,
    pub(super) facts: ModuleFacts,
    /// The names that the handlers around the current statement give to what they caught.
    pub(super) caught: Vec<String>,
}

impl Collector<'_> {
    pub(super) fn line(&self, node: impl Ranged) -> u32 {
        self.parsed.line(node)
    }

    pub(super) fn decide(&self, test: &Expr) -> Option<bool> {
        decide(test, self.names, &self.source.name, self.target)
    }

    pub(super) fn block(&mut self, body: &[Stmt], place: Place) -> Vec<Step> {
        let mut steps = Vec::new();
        for stmt in body {
            self.statement(stmt, place, &mut steps);
        }
        steps
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of statement")]
    fn statement(&mut self, stmt: &Stmt, place: Place, steps: &mut Vec<Step>) {
        match stmt {
            Stmt::FunctionDef(function) => {
                for decorator in &function.decorator_list {
                    self.expression(&decorator.expression, place, steps);
                }
                self.parameters(&function.parameters, place, steps);
                self.bind(&function.name, place);
                let inside = Place {
                    scope: Scope::Function,
                    conditional: true,
                };
                let body = self.block(&function.body, inside);
                later(body, steps);
            }
            Stmt::ClassDef(class) => {
                for decorator in &class.decorator_list {
                    self.expression(&decorator.expression, place, steps);
                }
                if let Some(arguments) = &class.arguments {
                    for value in arguments
                        .args
                        .iter()
                        .chain(arguments.keywords.iter().map(|keyword| &keyword.value))
                    {
                        self.expression(value, place, steps);
                    }
                }
                let body = self.block(&class.body, place.inside(Scope::Class));
                steps.extend(body);
                self.bind(&class.name, place);
            }
            Stmt::Return(stmt) => {
                self.expressions(stmt.value.as_deref(), place, steps);
                steps.push(Step::Stop(Stop::Leave));
            }
            Stmt::Delete(stmt) => {
                for target in &stmt.targets {
                    if let (Expr::Name(name), Scope::Module) = (target, place.scope) {
                        self.unbind(name.id.as_str(), place);
                    } else {
                        self.expression(target, place, steps);
                    }
                }
            }
            Stmt::TypeAlias(alias) => {
                // Evaluated when somebody asks for its value.
                self.target(&alias.name, place, steps);
                let mut lazy = Vec::new();
                self.expression(&alias.value, place, &mut lazy);
                later(lazy, steps);
            }
            Stmt::Assign(assign) => {
                self.expression(&assign.value, place, steps);
                for target in &assign.targets {
                    self.assigned(target, &assign.value);
                    self.target(target, place, steps);
                }
            }
            Stmt::AugAssign(assign) => {
                self.expression(&assign.value, place, steps);
                self.assigned(&assign.target, &assign.value);
                self.target(&assign.target, place, steps);
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.expression(value, place, steps);
                    self.assigned(&assign.target, value);
                    self.target(&assign.target, place, steps);
                }
                let mut lazy = Vec::new();
                self.expression(&assign.annotation, place, &mut lazy);
                later(lazy, steps);
            }
            Stmt::For(stmt) => {
                self.expression(&stmt.iter, place, steps);
                self.target(&stmt.target, place.conditional(), steps);
                let body = self.block(&stmt.body, place.conditional());
                repeat(body, steps);
                self.perhaps(&stmt.orelse, place, steps);
            }
            Stmt::While(stmt) => {
                self.expression(&stmt.test, place, steps);
                let decided = self.decide(&stmt.test);
                if decided == Some(false) {
                    let orelse = self.block(&stmt.orelse, place);
                    steps.extend(orelse);
                } else {
                    let body = self.block(&stmt.body, place.conditional());
                    repeat(body, steps);
                    if decided.is_none() {
                        self.perhaps(&stmt.orelse, place, steps);
                    }
                }
            }
            Stmt::If(stmt) => self.conditional(stmt, place, steps),
            Stmt::With(stmt) => self.with(stmt, place, steps),
            Stmt::Match(stmt) => {
                self.expression(&stmt.subject, place, steps);
                self.cases(&stmt.cases, place, steps);
            }
            Stmt::Raise(stmt) => {
                self.expressions(
                    stmt.exc.as_deref().into_iter().chain(stmt.cause.as_deref()),
                    place,
                    steps,
                );
                steps.push(Step::Stop(self.raised(stmt.exc.as_deref())));
            }
            Stmt::Try(stmt) => self.try_statement(stmt, place, steps),
            Stmt::Assert(stmt) => {
                self.expression(&stmt.test, place, steps);
                self.expressions(stmt.msg.as_deref(), place.conditional(), steps);
            }
            Stmt::Import(stmt) => {
                for alias in &stmt.names {
                    let bound = alias.asname.as_ref().map_or_else(
                        || alias.name.split('.').next().unwrap_or_default(),
                        |name| name.as_str(),
                    );
                    self.bind(bound, place);
                    self.import(alias, Request::Module(alias.name.to_string()), steps);
                }
            }
            Stmt::ImportFrom(stmt) => self.import_from(stmt, place, steps),
            Stmt::Global(stmt) => {
                // The function may run or not, and another may read the name before it does.
                for name in &stmt.names {
                    self.facts
                        .names
                        .entry(name.to_string())
                        .or_insert(Bound::Maybe);
                }
            }
            Stmt::Expr(stmt) => {
                self.expression(&stmt.value, place, steps);
                self.extends_all(&stmt.value);
                if self.exits(&stmt.value) {
                    steps.push(Step::Stop(Stop::Exception));
                }
            }
            Stmt::Break(_) | Stmt::Continue(_) => steps.push(Step::Stop(Stop::Leave)),
            Stmt::Nonlocal(_) | Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => {}
        }
    }

    fn expressions<'e>(
        &mut self,
        all: impl IntoIterator<Item = &'e Expr>,
        place: Place,
        steps: &mut Vec<Step>,
    ) {
        for expr in all {
            self.expression(expr, place, steps);
        }
    }

    /// A block that runs or does not, which one is not known.
    fn perhaps(&mut self, body: &[Stmt], place: Place, steps: &mut Vec<Step>) {
        let body = self.block(body, place.conditional());
        either(vec![body, Vec::new()], steps);
    }

    fn conditional(&mut self, stmt: &StmtIf, place: Place, steps: &mut Vec<Step>) {
        let first = (Some(&*stmt.test), stmt.body.as_slice());
        let clauses: Vec<(Option<&Expr>, &[Stmt])> = std::iter::once(first)
            .chain(
                stmt.elif_else_clauses
                    .iter()
                    .map(|clause| (clause.test.as_ref(), clause.body.as_slice())),
            )
            .collect();
        self.clauses(&clauses, place, steps);
    }

    /// `if` and what follows it: the first clause now, the others nested in its undecided alternative.
    fn clauses(
        &mut self,
        clauses: &[(Option<&Expr>, &[Stmt])],
        place: Place,
        steps: &mut Vec<Step>,
    ) {
        let Some(((test, body), rest)) = clauses.split_first() else {
            return;
        };
        let decided = match test {
            None => Some(true),
            Some(test) => {
                self.expression(test, place, steps);
                self.decide(test)
            }
        };
        match decided {
            Some(true) => {
                let body = self.block(body, place);
                steps.extend(body);
            }
            Some(false) => self.clauses(rest, place, steps),
            None => {
                let body = self.block(body, place.conditional());
                let mut otherwise = Vec::new();
                self.clauses(rest, place.conditional(), &mut otherwise);
                either(vec![body, otherwise], steps);
            }
        }
    }

    fn cases(&mut self, cases: &[MatchCase], place: Place, steps: &mut Vec<Step>) {
        let mut arms = Vec::new();
        let mut complete = false;
        for case in cases {
            let mut arm = Vec::new();
            self.captures(&case.pattern, place.conditional());
            self.expressions(case.guard.as_deref(), place.conditional(), &mut arm);
            complete |= case.guard.is_none()
                && matches!(&case.pattern, Pattern::MatchAs(p) if p.pattern.is_none());
            arm.extend(self.block(&case.body, place.conditional()));
            arms.push(arm);
        }
        if !complete {
            arms.push(Vec::new());
        }
        either(arms, steps);
    }

    fn captures(&mut self, pattern: &Pattern, place: Place) {
        if let Some(name) = captured(pattern) {
            self.bind(name, place);
        }
        match pattern {
            Pattern::MatchSequence(pattern) => pattern
                .patterns
                .iter()
                .for_each(|inner| self.captures(inner, place)),
            Pattern::MatchMapping(pattern) => pattern
                .patterns
                .iter()
                .for_each(|inner| self.captures(inner, place)),
            Pattern::MatchClass(pattern) => {
                pattern
                    .arguments
                    .patterns
                    .iter()
                    .for_each(|inner| self.captures(inner, place));
                pattern
                    .arguments
                    .keywords
                    .iter()
                    .for_each(|keyword| self.captures(&keyword.pattern, place));
            }
            Pattern::MatchAs(pattern) => pattern
                .pattern
                .iter()
                .for_each(|inner| self.captures(inner, place)),
            Pattern::MatchOr(pattern) => pattern
                .patterns
                .iter()
                .for_each(|inner| self.captures(inner, place)),
            Pattern::MatchValue(_) | Pattern::MatchSingleton(_) | Pattern::MatchStar(_) => {}
        }
    }

    fn import(&self, alias: &Alias, request: Request, steps: &mut Vec<Step>) {
        steps.push(Step::Import(Import {
            at: alias.start(),
            line: self.line(alias),
            request,
        }));
    }

    fn import_from(&mut self, stmt: &StmtImportFrom, place: Place, steps: &mut Vec<Step>) {
        let named = stmt.module.as_ref().map_or("", |module| module.as_str());
        let Some(module) = absolute(self.source.package(), stmt.level, named) else {
            let dots = ".".repeat(stmt.level as usize);
            let request = Request::Beyond(format!("from {dots}{named} import ..."));
            steps.push(Step::Import(Import {
                at: stmt.start(),
                line: self.line(stmt),
                request,
            }));
            return;
        };
        for alias in &stmt.names {
            if &alias.name == "*" {
                if place.scope != Scope::Function {
                    let from = hidden_imports::stands_for(&module);
                    self.facts.stars.push(from.to_owned());
                }
                self.import(alias, Request::Star(module.clone()), steps);
                continue;
            }
            // A package that imports its own submodule by name has the name because of the submodule.
            let own_submodule = module == self.source.name && alias.asname.is_none();
            if !own_submodule {
                self.bind(alias.asname.as_ref().unwrap_or(&alias.name), place);
            }
            self.import(
                alias,
                Request::Name {
                    module: module.clone(),
                    name: alias.name.to_string(),
                },
                steps,
            );
        }
    }

    /// Records that the module's top level binds `name`.
    pub(super) fn bind(&mut self, name: &str, place: Place) {
        if place.scope != Scope::Module {
            return;
        }
        let bound = if place.conditional {
            Bound::Maybe
        } else {
            Bound::Always
        };
        let known = self.facts.names.entry(name.to_owned()).or_insert(bound);
        *known = bound.max(*known);
    }

    fn unbind(&mut self, name: &str, place: Place) {
        if place.conditional {
            if let Some(known) = self.facts.names.get_mut(name) {
                *known = Bound::Maybe;
            }
        } else {
            self.facts.names.remove(name);
        }
    }

    /// Binds an assignment's target and looks at the expressions inside it.
    pub(super) fn target(&mut self, target: &Expr, place: Place, steps: &mut Vec<Step>) {
        if let Expr::Name(name) = target {
            self.bind(name.id.as_str(), place);
            return;
        }
        if let Expr::Tuple(tuple) = target {
            tuple
                .elts
                .iter()
                .for_each(|inner| self.target(inner, place, steps));
        } else if let Expr::List(list) = target {
            list.elts
                .iter()
                .for_each(|inner| self.target(inner, place, steps));
        } else if let Expr::Starred(starred) = target {
            self.target(&starred.value, place, steps);
        } else {
            self.expression(target, place, steps);
        }
    }

    /// Assignments that mean something to the import system.
    fn assigned(&mut self, target: &Expr, value: &Expr) {
        if let Expr::Name(name) = target {
            match name.id.as_str() {
                "__all__" => {
                    let complete = expressions::strings(value, &mut self.facts.all);
                    self.facts.open_all |= !complete;
                }
                "__path__" => self.facts.open_children = true,
                _ => {}
            }
        } else if let Expr::Attribute(attribute) = target {
            let is_import = |path: String| !path.starts_with(BARE);
            if self.source.origin != Origin::Stdlib
                && self.names.path(&attribute.value).is_some_and(is_import)
            {
                self.facts.sets.push(attribute.attr.to_string());
            }
        } else if let Expr::Subscript(subscript) = target
            && self.names.may_be(&subscript.value, "sys.modules")
        {
            if let Expr::StringLiteral(literal) = &*subscript.slice {
                self.facts.provides.push(literal.value.to_str().to_owned());
            } else {
                self.facts.open_children = true;
            }
        }
    }

    /// `__all__.extend([...])`, `__all__.append("x")`.
    fn extends_all(&mut self, expr: &Expr) {
        if let Expr::Call(call) = expr
            && let Expr::Attribute(method) = &*call.func
            && matches!(&*method.value, Expr::Name(name) if name.id.as_str() == "__all__")
        {
            for argument in &call.arguments.args {
                let complete = expressions::strings(argument, &mut self.facts.all);
                self.facts.open_all |= !complete;
            }
        }
    }
}

/// The absolute name of `from {level dots}{name}` in a module of `package`; `None` when it leaves the top-level package.
pub(super) fn absolute(package: &str, level: u32, name: &str) -> Option<String> {
    if level == 0 {
        return Some(name.to_owned());
    }
    if package.is_empty() {
        return None;
    }
    let mut base = package;
    for _ in 1..level {
        base = base.rsplit_once('.')?.0;
    }
    Some(if name.is_empty() {
        base.to_owned()
    } else {
        format!("{base}.{name}")
    })
}

pub(super) fn later(body: Vec<Step>, steps: &mut Vec<Step>) {
    if body.iter().any(|step| !matches!(step, Step::Stop(_))) {
        steps.push(Step::Later(body));
    }
}

pub(super) fn repeat(body: Vec<Step>, steps: &mut Vec<Step>) {
    if !body.is_empty() {
        steps.push(Step::Loop(body));
    }
}

pub(super) fn either(arms: Vec<Vec<Step>>, steps: &mut Vec<Step>) {
    if arms.iter().any(|arm| !arm.is_empty()) {
        steps.push(Step::Either(arms));
    }
}
