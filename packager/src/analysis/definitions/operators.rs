//! What operators, subscripts and attributes do beyond their result: `flow = first >> second` may note the flow somewhere.
//!
//! This is about the top level of the application and its packages. The standard library is trusted; see [`super::effects`].

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Alias, Comprehension, Expr, ExprCall, ExprContext, FStringPart, InterpolatedStringElement,
    Stmt, StmtAssign, StmtClassDef, UnaryOp,
};
use rustc_hash::FxHashMap;

use super::super::Target;
use super::super::names::{BARE, last_name};
use super::effects::Effects;
use super::finder::Finder;
use super::pure::{HANDS_OUT, PURE_BUILTINS, PURE_FUNCTIONS, PURE_METHODS, is_exception};
use super::quiet::{binds, made_in_body};
use crate::source::prefixes;

/// How far it is followed what a name stands for.
const DEEPEST: usize = 8;

/// Methods with underscores that no operator, subscript, attribute or built-in function calls.
const NOT_CALLED: [&str; 12] = [
    "__aenter__",
    "__aexit__",
    "__call__",
    "__del__",
    "__enter__",
    "__exit__",
    "__init__",
    "__init_subclass__",
    "__new__",
    "__post_init__",
    "__set_name__",
    "__setattr__",
];

/// Built-in functions that give numbers and texts.
const UNCHANGEABLE: [&str; 12] = [
    "abs", "bool", "bytes", "chr", "float", "format", "hash", "int", "len", "ord", "repr", "str",
];

/// Functions of the library that give an object of somebody else's class.
const GIVES_OTHERS: [&str; 5] = [
    "copy.",
    "functools.",
    "operator.",
    "typing.cast",
    "weakref.",
];

/// What an operator may be used on.
#[derive(Clone, Copy)]
enum Operand<'a> {
    /// Something built in, or of the library: operators give a result, and that is all.
    Plain,
    /// A class of the module, or an object of it.
    Own(&'a StmtClassDef),
    Unknown,
}

/// The names of a file that are bound once, by an assignment of the top level, with what they are given.
pub(super) fn values(body: &[Stmt]) -> FxHashMap<&str, &Expr> {
    let mut bound = Bound::default();
    bound.visit_body(body);
    let mut values = FxHashMap::default();
    for stmt in body {
        let (target, value) = match stmt {
            Stmt::Assign(assign) if assign.targets.len() == 1 => {
                (&assign.targets[0], Some(&assign.value))
            }
            Stmt::AnnAssign(assign) => (&*assign.target, assign.value.as_ref()),
            _ => continue,
        };
        if let (Expr::Name(name), Some(value)) = (target, value)
            && bound.0.get(name.id.as_str()) == Some(&1)
        {
            values.insert(name.id.as_str(), &**value);
        }
    }
    values
}

/// How often each name is bound, in whatever scope.
#[derive(Default)]
struct Bound<'a>(FxHashMap<&'a str, usize>);

impl<'a> Bound<'a> {
    fn bind(&mut self, name: &'a str) {
        *self.0.entry(name).or_default() += 1;
    }
}

impl<'a> Visitor<'a> for Bound<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.bind(function.name.as_str()),
            Stmt::ClassDef(class) => self.bind(class.name.as_str()),
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_alias(&mut self, alias: &'a Alias) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
        // `import a.b` binds `a`.
        self.bind(name.split('.').next().unwrap_or(name));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && name.ctx != ExprContext::Load
        {
            self.bind(name.id.as_str());
        }
        visitor::walk_expr(self, expr);
    }
}

impl<'a> Finder<'_, 'a> {
    /// Whether evaluating `expr` itself, not its parts, may do more than give a result.
    pub(super) fn does_more(&self, expr: &'a Expr) -> bool {
        let effects = self.effects;
        if effects.is_stdlib || self.locals.is_some() {
            return false;
        }
        let is_loud = |expr| match effects.operand(expr, 0) {
            Operand::Plain => false,
            Operand::Own(class) => effects.is_loud(class, 0),
            Operand::Unknown => true,
        };
        match expr {
            Expr::BinOp(operation) => is_loud(&operation.left) || is_loud(&operation.right),
            Expr::UnaryOp(operation) => is_loud(&operation.operand),
            Expr::BoolOp(operation) => operation.values.iter().any(is_loud),
            Expr::If(choice) => is_loud(&choice.test),
            Expr::Compare(compare) => {
                is_loud(&compare.left) || compare.comparators.iter().any(is_loud)
            }
            Expr::Subscript(subscript) => is_loud(&subscript.value) || is_loud(&subscript.slice),
            Expr::Slice(slice) => [&slice.lower, &slice.upper, &slice.step]
                .into_iter()
                .flatten()
                .any(|bound| is_loud(bound)),
            Expr::ListComp(comp) => tests(&comp.generators).any(is_loud),
            Expr::SetComp(comp) => tests(&comp.generators).any(is_loud),
            Expr::DictComp(comp) => tests(&comp.generators).any(is_loud),
            Expr::Generator(comp) => tests(&comp.generators).any(is_loud),
            Expr::Set(set) => set.elts.iter().any(is_loud),
            Expr::Dict(dict) => dict
                .items
                .iter()
                .any(|item| item.key.as_ref().is_some_and(is_loud)),
            // Nearly always that of a module, where it is of something imported.
            Expr::Attribute(attribute) => {
                !effects.is_of_others(&attribute.value) && is_loud(&attribute.value)
            }
            Expr::FString(text) => text.value.iter().any(|part| match part {
                FStringPart::Literal(_) => false,
                FStringPart::FString(text) => text.elements.iter().any(|element| {
                    matches!(element, InterpolatedStringElement::Interpolation(value)
                        if is_loud(&value.expression))
                }),
            }),
            // Whoever is given an object may ask it.
            Expr::Call(call) => call.arguments.args.iter().any(is_loud),
            _ => false,
        }
    }
}

impl<'a> Effects<'a> {
    /// Whether operators, subscripts, attributes and built-in functions may do more with a class, or with an object of it, than
    /// give a result.
    /// `depth` says how many classes it came by.
    fn is_loud(&self, class: &'a StmtClassDef, depth: usize) -> bool {
        if depth > DEEPEST {
            return true;
        }
        let is_own_loud = |expr: &Expr| match self.own_class(expr) {
            Some(own) => self.is_loud(own, depth + 1),
            None => !self.is_known_base(expr),
        };
        let is_called = |name: &str| {
            name.starts_with("__") && name.ends_with("__") && !NOT_CALLED.contains(&name)
        };
        let has_property = class
            .body
            .iter()
            .filter_map(Stmt::as_function_def_stmt)
            .flat_map(|method| &method.decorator_list)
            .any(|decorator| last_name(&decorator.expression).ends_with("property"));
        // Operators on the class itself are those of its metaclass.
        let metaclass = class
            .arguments
            .as_ref()
            .and_then(|arguments| arguments.find_keyword("metaclass"));
        has_property
            || binds(class, is_called)
            || metaclass.is_some_and(|keyword| is_own_loud(&keyword.value))
            || descriptors(class)
                .filter_map(|made| self.own_class(made))
                .any(|own| self.is_loud(own, depth + 1))
            || class.bases().iter().any(is_own_loud)
    }

    /// Whether a base class is built in, or of the library.
    fn is_known_base(&self, base: &Expr) -> bool {
        self.is_of_library(base)
            || matches!(base, Expr::Name(name) if {
                let name = name.id.as_str();
                !self.own.contains(name)
                    && !self.imported.has_star()
                    && !self.is_of_others(base)
                    && (PURE_BUILTINS.contains(&name) || is_exception(name))
            })
            // `Generic[T]`
            || matches!(base, Expr::Subscript(subscript) if self.is_known_base(&subscript.value))
    }

    /// Whether defining a class, which stands inside another statement, tells its base classes of it.
    pub(super) fn tells_bases(&self, class: &'a StmtClassDef, depth: usize) -> bool {
        depth > DEEPEST
            || class
                .arguments
                .as_ref()
                .is_some_and(|arguments| !arguments.keywords.is_empty())
            || class.bases().iter().any(|base| match self.own_class(base) {
                Some(own) => {
                    binds(own, |name| name == "__init_subclass__")
                        || self.tells_bases(own, depth + 1)
                }
                None => !self.is_known_base(base),
            })
    }

    /// Whether what a name of the module stands for is made here, and nobody else has it.
    pub(super) fn is_made_here(&self, name: &str) -> bool {
        name == "__all__"
            || self.fresh.contains(name)
            || self.functions.contains_key(name)
            || self.classes.contains_key(name)
    }

    /// Whether an expression gives something built in, or of the library.
    pub(super) fn is_plain(&self, expr: &'a Expr) -> bool {
        matches!(self.operand(expr, 0), Operand::Plain)
    }

    fn operand(&self, expr: &'a Expr, depth: usize) -> Operand<'a> {
        if depth > DEEPEST {
            return Operand::Unknown;
        }
        let all_plain = |all: &[&'a Expr]| {
            let is_plain =
                |expr: &&'a Expr| matches!(self.operand(expr, depth + 1), Operand::Plain);
            if all.iter().all(is_plain) {
                Operand::Plain
            } else {
                Operand::Unknown
            }
        };
        match expr {
            Expr::Name(name) => self.named(name.id.as_str(), expr, depth),
            Expr::Attribute(attribute) => {
                if self.is_of_library(expr) {
                    return Operand::Plain;
                }
                match self.operand(&attribute.value, depth + 1) {
                    Operand::Plain => Operand::Plain,
                    Operand::Own(class) if self.is_enum(class, 0) => Operand::Own(class),
                    Operand::Own(class) => class_value(class, attribute.attr.as_str())
                        .map_or(Operand::Unknown, |value| self.operand(value, depth + 1)),
                    Operand::Unknown => Operand::Unknown,
                }
            }
            Expr::Call(call) => self.called(&call.func, depth),
            Expr::Subscript(subscript) => {
                // `Optional[int]`, `dict[str, int]`
                let is_builtin = matches!(&*subscript.value, Expr::Name(name)
                    if self.is_builtin(name.id.as_str()));
                if is_builtin || self.is_of_library(&subscript.value) {
                    Operand::Plain
                } else {
                    Operand::Unknown
                }
            }
            Expr::BinOp(operation) => all_plain(&[&operation.left, &operation.right]),
            Expr::UnaryOp(operation) if operation.op == UnaryOp::Not => Operand::Plain,
            Expr::UnaryOp(operation) => all_plain(&[&operation.operand]),
            Expr::BoolOp(operation) => all_plain(&operation.values.iter().collect::<Vec<_>>()),
            Expr::If(choice) => all_plain(&[&choice.body, &choice.orelse]),
            Expr::Named(named) => self.operand(&named.value, depth + 1),
            Expr::Compare(compare) => {
                let sides = std::iter::once(&*compare.left).chain(&compare.comparators);
                all_plain(&sides.collect::<Vec<_>>())
            }
            Expr::List(list) => self.holding(list.elts.iter(), depth),
            Expr::Tuple(tuple) => self.holding(tuple.elts.iter(), depth),
            Expr::Set(set) => self.holding(set.elts.iter(), depth),
            Expr::Dict(dict) => {
                let keys = dict.items.iter().filter_map(|item| item.key.as_ref());
                self.holding(keys.chain(dict.items.iter().map(|item| &item.value)), depth)
            }
            Expr::Lambda(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Generator(_)
            | Expr::FString(_)
            | Expr::TString(_) => Operand::Plain,
            literal if literal.is_literal_expr() => Operand::Plain,
            _ => Operand::Unknown,
        }
    }

    /// What a container is to operators that ask what is in it: `"%s" % (task,)`.
    fn holding(&self, parts: impl Iterator<Item = &'a Expr>, depth: usize) -> Operand<'a> {
        let mut all = Operand::Plain;
        for part in parts {
            match self.operand(part, depth + 1) {
                Operand::Own(class) if self.is_loud(class, 0) => return Operand::Own(class),
                Operand::Own(_) | Operand::Plain => {}
                Operand::Unknown => all = Operand::Unknown,
            }
        }
        all
    }

    /// Whether a method of a built-in type's name changes nothing when it is called on `object`.
    pub(super) fn is_pure_on(&self, object: &'a Expr, method: &str) -> bool {
        if self.is_plain_value(object, 0) {
            return true;
        }
        match self.operand(object, 0) {
            Operand::Own(class) => {
                !self.has_method(class, method, 0) && self.has_builtin_bases(class, 0)
            }
            Operand::Plain | Operand::Unknown => false,
        }
    }

    fn has_builtin_bases(&self, class: &'a StmtClassDef, depth: usize) -> bool {
        depth <= DEEPEST
            && class.bases().iter().all(|base| match self.own_class(base) {
                Some(own) => self.has_builtin_bases(own, depth + 1),
                None => matches!(base, Expr::Name(name) if self.is_builtin(name.id.as_str())),
            })
    }

    /// Whether an expression gives a value of a built-in type, or of one of the library whose methods of such names only give
    /// results.
    fn is_plain_value(&self, expr: &'a Expr, depth: usize) -> bool {
        if depth > DEEPEST {
            return false;
        }
        let is_plain = |expr: &'a Expr| self.is_plain_value(expr, depth + 1);
        match expr {
            Expr::Name(name) => {
                let name = name.id.as_str();
                self.is_of_library(expr)
                    || (self.is_builtin(name) && !HANDS_OUT.contains(&name))
                    || name.starts_with("__")
                    || self.values.get(name).is_some_and(|value| is_plain(value))
            }
            // `os.environ`
            Expr::Attribute(_) => self.is_of_library(expr),
            Expr::Subscript(subscript) => {
                self.is_of_library(&subscript.value)
                    || matches!(&*subscript.value, Expr::Call(_)) && is_plain(&subscript.value)
            }
            Expr::Call(call) => match &*call.func {
                Expr::Name(name) if self.is_builtin(name.id.as_str()) => {
                    !HANDS_OUT.contains(&name.id.as_str())
                }
                Expr::Attribute(method)
                    if PURE_METHODS.contains(&method.attr.as_str())
                        && method.attr.as_str() != "get" =>
                {
                    is_plain(&method.value)
                }
                // `replace` of a path moves the file.
                callee => self.imported.path(callee).is_some_and(|path| {
                    PURE_FUNCTIONS.contains(&path.as_str()) && !path.starts_with("pathlib.")
                }),
            },
            Expr::BinOp(operation) => is_plain(&operation.left) && is_plain(&operation.right),
            Expr::BoolOp(operation) => operation.values.iter().all(is_plain),
            Expr::If(choice) => is_plain(&choice.body) && is_plain(&choice.orelse),
            Expr::Named(named) => is_plain(&named.value),
            Expr::List(_)
            | Expr::Tuple(_)
            | Expr::Set(_)
            | Expr::Dict(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Compare(_)
            | Expr::FString(_) => true,
            other => other.is_literal_expr(),
        }
    }

    /// Whether adding an expression to something makes a new value of that: numbers and texts are never changed.
    pub(super) fn is_unchangeable(&self, added: &Expr) -> bool {
        match added {
            Expr::Call(call) => matches!(&*call.func, Expr::Name(name)
                if UNCHANGEABLE.contains(&name.id.as_str()) && !self.own.contains(name.id.as_str())),
            Expr::BinOp(operation) => {
                self.is_unchangeable(&operation.left) && self.is_unchangeable(&operation.right)
            }
            Expr::UnaryOp(operation) => self.is_unchangeable(&operation.operand),
            Expr::Compare(_) | Expr::FString(_) => true,
            other => other.is_literal_expr(),
        }
    }

    /// Whether an assignment gives an object another name, or takes one from it: it lives as long as it has names.
    pub(super) fn prolongs(&self, assign: &'a StmtAssign) -> bool {
        let is_bound_again = |target: &Expr| match target {
            Expr::Name(name) => !self.values.contains_key(name.id.as_str()),
            _ => false,
        };
        (assign.value.is_name_expr() && !self.is_plain(&assign.value))
            || assign.targets.iter().any(is_bound_again)
    }

    /// Whether looking up a key in what a name of the module stands for makes an entry for it.
    pub(super) fn fills_itself(&self, expr: &Expr) -> bool {
        let value = expr
            .as_name_expr()
            .and_then(|name| self.values.get(name.id.as_str()));
        matches!(value, Some(Expr::Call(call))
            if self.imported.may_be(&call.func, "collections.defaultdict"))
    }

    /// `type(name, bases, namespace)`, which tells the bases.
    pub(super) fn makes_class(&self, call: &ExprCall) -> bool {
        !self.is_stdlib
            && call.arguments.len() > 1
            && self.imported.path(&call.func).is_some_and(|path| {
                path.strip_prefix(BARE).unwrap_or(&path) == "type" || path == "builtins.type"
            })
    }

    fn named(&self, name: &'a str, expr: &'a Expr, depth: usize) -> Operand<'a> {
        if let Some(class) = self.classes.get(name) {
            Operand::Own(class)
        } else if self.functions.contains_key(name)
            || self.is_builtin(name)
            || self.is_of_library(expr)
            || name.starts_with("__")
        {
            Operand::Plain
        } else if let Some(value) = self.values.get(name) {
            self.operand(value, depth + 1)
        } else {
            Operand::Unknown
        }
    }

    /// What calling `callee` gives.
    fn called(&self, callee: &'a Expr, depth: usize) -> Operand<'a> {
        match callee {
            Expr::Name(name) if self.classes.contains_key(name.id.as_str()) => {
                self.named(name.id.as_str(), callee, depth)
            }
            Expr::Name(name) if self.is_builtin(name.id.as_str()) => {
                if HANDS_OUT.contains(&name.id.as_str()) {
                    Operand::Unknown
                } else {
                    Operand::Plain
                }
            }
            _ if self.is_of_library(callee) => {
                let path = self.imported.path(callee).unwrap_or_default();
                if GIVES_OTHERS.iter().any(|module| path.starts_with(module)) {
                    Operand::Unknown
                } else {
                    Operand::Plain
                }
            }
            // `"a b".split()`, `Path("a").resolve()`
            Expr::Attribute(method)
                if matches!(&*method.value, Expr::Call(_) | Expr::Name(_))
                    || method.value.is_literal_expr() =>
            {
                match self.operand(&method.value, depth + 1) {
                    Operand::Plain => Operand::Plain,
                    // `Task.named("a")` may give a task.
                    Operand::Own(class) if self.is_loud(class, 0) => Operand::Own(class),
                    Operand::Own(_) | Operand::Unknown => Operand::Unknown,
                }
            }
            _ => Operand::Unknown,
        }
    }

    fn is_builtin(&self, name: &str) -> bool {
        PURE_BUILTINS.contains(&name) && !self.own.contains(name) && !self.imported.has_star()
    }

    /// Whether an expression is a name of a module of the standard library, by import.
    fn is_of_library(&self, expr: &Expr) -> bool {
        let path = self.imported.path(expr);
        path.is_some_and(|path| !path.starts_with(BARE) && is_library(self.target, &path))
    }

    /// Whether an expression is a name of another module that is not the library's, by import.
    pub(super) fn is_of_others(&self, expr: &Expr) -> bool {
        let path = self.imported.path(expr);
        path.is_some_and(|path| !path.starts_with(BARE) && !is_library(self.target, &path))
    }
}

/// Whether a dotted path begins at a module of the standard library.
fn is_library(target: &Target, path: &str) -> bool {
    let top = prefixes(path).next().unwrap_or_default();
    target.stdlib_names.contains(top) || target.builtin_modules.contains(top)
}

/// What decides which items of a comprehension count.
fn tests(generators: &[Comprehension]) -> impl Iterator<Item = &Expr> {
    generators.iter().flat_map(|generator| &generator.ifs)
}

/// What is called in the body of a class to make its attributes: `field = Field()`.
fn descriptors(class: &StmtClassDef) -> impl Iterator<Item = &Expr> {
    made_in_body(class).map(|call| &*call.func)
}

/// What a class gives to a name in its body.
fn class_value<'a>(class: &'a StmtClassDef, name: &str) -> Option<&'a Expr> {
    class.body.iter().find_map(|stmt| match stmt {
        Stmt::Assign(assign) => assign
            .targets
            .iter()
            .any(|target| matches!(target, Expr::Name(own) if own.id.as_str() == name))
            .then_some(&*assign.value),
        _ => None,
    })
}
