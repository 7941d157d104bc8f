//! The imports inside expressions, and what can be told from expressions about names and effects.

use std::collections::BTreeSet;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Arguments, Comprehension, Expr, ExprCall, ExprContext, Parameters, Stmt};

use ruff_text_size::Ranged;

use super::collect::{Collector, Place, Scope, absolute, either, later, repeat};
use super::names::last_name;
use super::steps::{Import, Request, Step};
use crate::source::Origin;

/// Which arguments of a function or method may be an encoding's name, from 0.
fn encoding_arguments(function: &str) -> &'static [usize] {
    match function {
        "bytes" | "bytearray" | "str" => &[1],
        // `text.encode("hex")`, and `codecs.encode(text, "hex")`.
        "decode" | "encode" => &[0, 1],
        "getdecoder"
        | "getencoder"
        | "getincrementaldecoder"
        | "getincrementalencoder"
        | "getreader"
        | "getwriter"
        | "lookup" => &[0],
        _ => &[],
    }
}

/// What tells whether a module is there.
const FINDS: &str = "importlib.util.find_spec";

/// Functions that import what they are given the name of.
const IMPORT_FUNCTIONS: [&str; 4] = [
    "importlib.import_module",
    "importlib.__import__",
    "builtins.__import__",
    "<name>.__import__",
];

/// What `enum` has to copy the members of an enumeration into the namespace of its module.
const FILLS_NAMESPACE: [&str; 3] = ["_convert", "_convert_", "global_enum"];

impl Collector<'_> {
    /// Adds what evaluating `expr` imports.
    pub(super) fn expression(&mut self, expr: &Expr, place: Place, steps: &mut Vec<Step>) {
        Walk {
            collector: self,
            place,
            steps,
        }
        .visit_expr(expr);
    }

    /// Default values run with the `def`; annotations when somebody asks for them.
    pub(super) fn parameters(
        &mut self,
        parameters: &Parameters,
        place: Place,
        steps: &mut Vec<Step>,
    ) {
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(default) = parameter.default() {
                self.expression(default, place, steps);
            }
        }
    }

    /// What a call imports by itself, apart from its arguments.
    fn call(&mut self, call: &ExprCall, place: Place, steps: &mut Vec<Step>) {
        let arguments = &call.arguments;
        let import = |request| {
            Step::Import(Import {
                at: call.start(),
                line: self.line(call),
                request,
            })
        };
        if self.names.may_be_one_of(&call.func, &IMPORT_FUNCTIONS) {
            steps.push(import(self.called_for(arguments)));
            return;
        }
        if self.source.origin != Origin::Stdlib
            && self.names.may_be(&call.func, FINDS)
            && let Some(Expr::StringLiteral(name)) = arguments.find_argument_value("name", 0)
            && !name.value.to_str().starts_with('.')
        {
            steps.push(import(Request::Find(name.value.to_str().to_owned())));
        }
        for name in encodings(call) {
            steps.push(import(Request::Codec(name)));
        }
        let callee = last_name(&call.func);
        let at_import = place.scope != Scope::Function;
        let hands_out_name = arguments.args.iter().any(is_module_name);
        // Whatever is given the module's name can bind names in it, loggers excepted.
        if at_import && hands_out_name && callee != "getLogger" {
            self.facts.open_names = true;
        }
    }

    /// What `import_module(name, package)` and `__import__(name, ...)` ask for.
    fn called_for(&self, arguments: &Arguments) -> Request {
        let Some(Expr::StringLiteral(name)) = arguments.find_argument_value("name", 0) else {
            let text = arguments
                .find_argument_value("name", 0)
                .map_or("...", |name| self.text(name));
            return Request::Dynamic(text.to_owned());
        };
        let name = name.value.to_str();
        let dots = name.len() - name.trim_start_matches('.').len();
        let name = &name[dots..];
        let Ok(level @ 1..) = u32::try_from(dots) else {
            return Request::Call(name.to_owned());
        };
        let package = match arguments.find_argument_value("package", 1) {
            Some(Expr::StringLiteral(package)) => Some(package.value.to_str()),
            Some(Expr::Name(package)) if package.id.as_str() == "__package__" => {
                Some(self.source.package())
            }
            // `import_module` takes the name of a module that is no package for its package.
            Some(Expr::Name(package)) if package.id.as_str() == "__name__" => {
                Some(self.source.name.as_str())
            }
            Some(_) | None => None,
        };
        match package.map(|package| absolute(package, level, name)) {
            Some(Some(module)) => Request::Call(module),
            Some(None) => Request::Beyond(format!("import_module({:?})", ".".repeat(dots) + name)),
            None => Request::Dynamic(format!("{:?}", ".".repeat(dots) + name)),
        }
    }

    fn text(&self, expr: &Expr) -> &str {
        self.source
            .text
            .get(expr.range().to_std_range())
            .unwrap_or("...")
    }
}

struct Walk<'c, 'a, 's> {
    collector: &'c mut Collector<'a>,
    place: Place,
    steps: &'s mut Vec<Step>,
}

impl Walk<'_, '_, '_> {
    /// Walks in a place of its own and returns what was found there.
    fn apart(&mut self, place: Place, walk: impl FnOnce(&mut Walk<'_, '_, '_>)) -> Vec<Step> {
        let mut steps = Vec::new();
        walk(&mut Walk {
            collector: self.collector,
            place,
            steps: &mut steps,
        });
        steps
    }

    fn perhaps(&self) -> Place {
        Place {
            conditional: true,
            ..self.place
        }
    }

    /// The first iterable runs at once, all else once for each item.
    fn comprehension<'e>(
        &mut self,
        generators: &[Comprehension],
        elements: impl IntoIterator<Item = &'e Expr>,
        lazy: bool,
    ) {
        let Some((first, rest)) = generators.split_first() else {
            return;
        };
        self.visit_expr(&first.iter);
        let body = self.apart(self.perhaps(), |walk| {
            first.ifs.iter().for_each(|test| walk.visit_expr(test));
            for generator in rest {
                walk.visit_expr(&generator.iter);
                generator.ifs.iter().for_each(|test| walk.visit_expr(test));
            }
            for element in elements {
                walk.visit_expr(element);
            }
        });
        if lazy {
            later(body, self.steps);
        } else {
            repeat(body, self.steps);
        }
    }
}

impl Visitor<'_> for Walk<'_, '_, '_> {
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of expression")]
    fn visit_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Call(call) => {
                visitor::walk_expr(self, expr);
                self.collector.call(call, self.place, self.steps);
            }
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.collector
                        .parameters(parameters, self.place, self.steps);
                }
                let inside = Place {
                    scope: Scope::Function,
                    conditional: true,
                };
                let body = self.apart(inside, |walk| walk.visit_expr(&lambda.body));
                later(body, self.steps);
            }
            Expr::ListComp(comp) => self.comprehension(&comp.generators, [&*comp.elt], false),
            Expr::SetComp(comp) => self.comprehension(&comp.generators, [&*comp.elt], false),
            Expr::DictComp(comp) => {
                let elements = comp.key.as_deref().into_iter().chain([&*comp.value]);
                self.comprehension(&comp.generators, elements, false);
            }
            Expr::Generator(comp) => self.comprehension(&comp.generators, [&*comp.elt], true),
            Expr::BoolOp(operation) => {
                let Some((first, rest)) = operation.values.split_first() else {
                    return;
                };
                self.visit_expr(first);
                // `and` goes on after a true operand, `or` after a false one.
                let goes_on = operation.op == ruff_python_ast::BoolOp::And;
                match self.collector.decide(first) {
                    Some(truth) if truth != goes_on => {}
                    Some(_) if rest.len() == 1 => {
                        for operand in rest {
                            self.visit_expr(operand);
                        }
                    }
                    Some(_) | None => {
                        let body = self.apart(self.perhaps(), |walk| {
                            for operand in rest {
                                walk.visit_expr(operand);
                            }
                        });
                        either(vec![body, Vec::new()], self.steps);
                    }
                }
            }
            Expr::If(choice) => {
                self.visit_expr(&choice.test);
                match self.collector.decide(&choice.test) {
                    Some(true) => self.visit_expr(&choice.body),
                    Some(false) => self.visit_expr(&choice.orelse),
                    None => {
                        let body = self.apart(self.perhaps(), |walk| walk.visit_expr(&choice.body));
                        let orelse =
                            self.apart(self.perhaps(), |walk| walk.visit_expr(&choice.orelse));
                        either(vec![body, orelse], self.steps);
                    }
                }
            }
            Expr::Named(named) => {
                self.visit_expr(&named.value);
                self.collector.target(&named.target, self.place, self.steps);
            }
            Expr::Name(name) => {
                let at_import = self.place.scope != Scope::Function;
                let open = match name.id.as_str() {
                    "globals" | "exec" | "eval" => true,
                    name if FILLS_NAMESPACE.contains(&name) => true,
                    "locals" | "vars" => at_import,
                    _ => false,
                };
                self.collector.facts.open_names |= open;
            }
            Expr::Attribute(attribute) => {
                let facts = &mut self.collector.facts;
                match attribute.attr.as_str() {
                    "__dict__" if self.place.scope != Scope::Function => facts.open_names = true,
                    "__path__" => facts.open_children = true,
                    name if FILLS_NAMESPACE.contains(&name) => facts.open_names = true,
                    "modules" if self.collector.names.may_be(expr, "sys.modules") => {
                        facts.open_names = true;
                    }
                    "meta_path" if self.collector.names.may_be(expr, "sys.meta_path") => {
                        facts.open_children = true;
                    }
                    _ => {}
                }
                visitor::walk_expr(self, expr);
            }
            // The application may hand it to whatever encodes.
            Expr::StringLiteral(literal) => {
                let text = literal.value.to_str();
                if self.collector.source.origin != Origin::Stdlib && may_be_encoding(text) {
                    // Perhaps, and then not necessarily here: one that cannot work on the target does no harm.
                    let import = Step::Import(Import {
                        at: literal.start(),
                        line: self.collector.line(literal),
                        request: Request::Codec(text.to_owned()),
                    });
                    later(vec![import], self.steps);
                }
            }
            Expr::UnaryOp(_)
            | Expr::BinOp(_)
            | Expr::Dict(_)
            | Expr::Set(_)
            | Expr::Await(_)
            | Expr::Yield(_)
            | Expr::YieldFrom(_)
            | Expr::Compare(_)
            | Expr::FString(_)
            | Expr::TString(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::Subscript(_)
            | Expr::Starred(_)
            | Expr::List(_)
            | Expr::Tuple(_)
            | Expr::Slice(_)
            | Expr::IpyEscapeCommand(_) => visitor::walk_expr(self, expr),
        }
    }
}

fn is_module_name(expr: &Expr) -> bool {
    matches!(expr, Expr::Name(name) if name.id.as_str() == "__name__")
}

/// The text encodings that a call names with literals.
fn encodings(call: &ExprCall) -> Vec<String> {
    if call.arguments.is_empty() {
        return Vec::new();
    }
    let places = encoding_arguments(last_name(&call.func));
    let keyword = call
        .arguments
        .find_keyword("encoding")
        .map(|keyword| &keyword.value);
    let mut names = Vec::new();
    match keyword {
        Some(argument) => alternatives(argument, &mut names),
        None => places
            .iter()
            .filter_map(|place| call.arguments.args.get(*place))
            .for_each(|argument| alternatives(argument, &mut names)),
    }
    names
}

/// Adds the texts that an expression can give: `name or "cp437"` gives one.
fn alternatives(expr: &Expr, texts: &mut Vec<String>) {
    match expr {
        Expr::StringLiteral(literal) => texts.push(literal.value.to_str().to_owned()),
        Expr::BoolOp(operation) => {
            for value in &operation.values {
                alternatives(value, texts);
            }
        }
        Expr::If(choice) => {
            alternatives(&choice.body, texts);
            alternatives(&choice.orelse, texts);
        }
        _ => {}
    }
}

/// How the names of encodings begin that have no digits in them and mean nothing else.
const ENCODINGS_WITHOUT_DIGITS: [&str; 8] = [
    "euc",
    "gbk",
    "johab",
    "mac",
    "punycode",
    "shift",
    "sjis",
    "unicode_escape",
];

/// Whether a text looks like the name of an encoding: most have digits in them. What there is no encoding for does no harm.
fn may_be_encoding(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (3..=20).contains(&text.len())
        && text.bytes().all(is_part)
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && (text.bytes().any(|byte| byte.is_ascii_digit()) || {
            let normal = text.to_ascii_lowercase().replace('-', "_");
            ENCODINGS_WITHOUT_DIGITS
                .iter()
                .any(|start| normal.starts_with(start))
        })
}

/// Adds the string literals of a list, tuple, set or a sum of them, and says whether there is nothing else in it.
pub(super) fn strings(expr: &Expr, all: &mut Vec<String>) -> bool {
    let mut each = |items: &[Expr]| {
        let mut complete = true;
        for item in items {
            complete &= strings(item, all);
        }
        complete
    };
    if let Expr::StringLiteral(literal) = expr {
        all.push(literal.value.to_str().to_owned());
        true
    } else if let Expr::List(list) = expr {
        each(&list.elts)
    } else if let Expr::Tuple(tuple) = expr {
        each(&tuple.elts)
    } else if let Expr::Set(set) = expr {
        each(&set.elts)
    } else if let Expr::BinOp(sum) = expr {
        let left = strings(&sum.left, all);
        strings(&sum.right, all) && left
    } else {
        false
    }
}

/// Whether running `body` calls anything, and whether it can raise anything but an import's error.
pub(super) fn does(body: &[Stmt]) -> (bool, bool) {
    let mut effects = Effects::default();
    effects.visit_body(body);
    (effects.calls, effects.raises)
}

#[derive(Default)]
struct Effects {
    calls: bool,
    raises: bool,
}

impl Visitor<'_> for Effects {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                // The body does not run here; what decorates it does.
                self.calls |= !function.decorator_list.is_empty();
                self.visit_parameters(&function.parameters);
                return;
            }
            Stmt::ClassDef(class) => {
                // A base class can run code of its own when it gets a subclass.
                self.calls |= class.arguments.is_some() || !class.decorator_list.is_empty();
            }
            Stmt::Delete(_)
            | Stmt::AugAssign(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Raise(_)
            | Stmt::Assert(_) => self.raises = true,
            Stmt::Return(_)
            | Stmt::TypeAlias(_)
            | Stmt::Assign(_)
            | Stmt::AnnAssign(_)
            | Stmt::If(_)
            | Stmt::Try(_)
            | Stmt::Import(_)
            | Stmt::ImportFrom(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Expr(_)
            | Stmt::Pass(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::IpyEscapeCommand(_) => {}
        }
        self.raises |= self.calls;
        visitor::walk_stmt(self, stmt);
    }

    fn visit_annotation(&mut self, _: &Expr) {}

    fn visit_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Lambda(_) => return,
            Expr::Call(_) | Expr::Await(_) => self.calls = true,
            // Names count as bound: looking for those that are not would make every block doubtful.
            Expr::Name(_)
            | Expr::BoolOp(_)
            | Expr::Named(_)
            | Expr::If(_)
            | Expr::Tuple(_)
            | Expr::List(_)
            | Expr::Dict(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_) => {}
            Expr::BinOp(_)
            | Expr::UnaryOp(_)
            | Expr::Set(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Generator(_)
            | Expr::Yield(_)
            | Expr::YieldFrom(_)
            | Expr::Compare(_)
            | Expr::FString(_)
            | Expr::TString(_)
            | Expr::Attribute(_)
            | Expr::Subscript(_)
            | Expr::Starred(_)
            | Expr::Slice(_)
            | Expr::IpyEscapeCommand(_) => self.raises = true,
        }
        self.raises |= self.calls;
        visitor::walk_expr(self, expr);
    }
}

/// Adds the names that running a statement reads, those of functions in it excepted.
pub(super) fn reads<'a>(stmt: &'a Stmt, names: &mut Vec<&'a str>) {
    struct Reads<'n, 'a>(&'n mut Vec<&'a str>);
    impl<'a> Visitor<'a> for Reads<'_, 'a> {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            if let Stmt::FunctionDef(function) = stmt {
                for decorator in &function.decorator_list {
                    self.visit_expr(&decorator.expression);
                }
                self.visit_parameters(&function.parameters);
            } else {
                visitor::walk_stmt(self, stmt);
            }
        }

        fn visit_annotation(&mut self, _: &'a Expr) {}

        fn visit_expr(&mut self, expr: &'a Expr) {
            match expr {
                Expr::Lambda(_) => {}
                Expr::Name(name) if name.ctx == ExprContext::Load => {
                    self.0.push(name.id.as_str());
                }
                _ => visitor::walk_expr(self, expr),
            }
        }
    }
    Reads(names).visit_stmt(stmt);
}

/// The names that a block's own statements bind: imports, definitions and assignments to names, not those in nested blocks.
pub(super) fn plainly_bound(body: &[Stmt]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for stmt in body {
        match stmt {
            Stmt::FunctionDef(function) => {
                names.insert(function.name.to_string());
            }
            Stmt::ClassDef(class) => {
                names.insert(class.name.to_string());
            }
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    if let Expr::Name(name) = target {
                        names.insert(name.id.to_string());
                    }
                }
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    names.extend(name.split('.').next().map(str::to_owned));
                }
            }
            Stmt::ImportFrom(import) => {
                names.extend(
                    import
                        .names
                        .iter()
                        .map(|alias| alias.asname.as_ref().unwrap_or(&alias.name).to_string()),
                );
            }
            Stmt::Return(_)
            | Stmt::Delete(_)
            | Stmt::TypeAlias(_)
            | Stmt::AugAssign(_)
            | Stmt::AnnAssign(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::If(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Raise(_)
            | Stmt::Try(_)
            | Stmt::Assert(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Expr(_)
            | Stmt::Pass(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::IpyEscapeCommand(_) => {}
        }
    }
    names
}
