//! Conditions that the target alone decides: `sys.platform`, `os.name`, `sys.version_info`, `TYPE_CHECKING`, `__name__`.

use std::cmp::Ordering;

use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprSubscript, Number, UnaryOp};
use rustc_hash::FxHashSet;

use super::Target;
use super::names::{BARE, ImportedNames, Named};

/// A value that is known before the program runs.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    Bool(bool),
    Int(i64),
    Text(String),
    Tuple(Vec<Known>),
    /// `sys.version_info`: compares with tuples, but its last two parts are not known.
    Version([u32; 3]),
    /// A function, class or module.
    Object,
    None,
}

/// The last parts of the dotted paths that are known.
const KNOWN_ATTRIBUTES: [&str; 8] = [
    "TYPE_CHECKING",
    "__name__",
    "major",
    "micro",
    "minor",
    "name",
    "platform",
    "version_info",
];

/// Whether `test` is true on `target`; `None` when only running the program tells.
pub(super) fn decide(
    test: &Expr,
    names: &ImportedNames<'_>,
    module: &str,
    target: &Target,
) -> Option<bool> {
    decide_with(test, names, module, target, &FxHashSet::default())
}

/// The same where the names in `present` are known to stand for functions, classes and modules.
pub(super) fn decide_with(
    test: &Expr,
    names: &ImportedNames<'_>,
    module: &str,
    target: &Target,
    present: &FxHashSet<&str>,
) -> Option<bool> {
    let context = Context {
        names,
        module,
        target,
        present,
    };
    context.truth(test)
}

struct Context<'a> {
    names: &'a ImportedNames<'a>,
    module: &'a str,
    target: &'a Target,
    present: &'a FxHashSet<&'a str>,
}

impl Context<'_> {
    fn truth(&self, expr: &Expr) -> Option<bool> {
        if let Expr::BoolOp(operation) = expr {
            // `and` stops at the first false value, `or` at the first true one; an undecided operand before it does not
            // matter to the outcome.
            let stop = match operation.op {
                BoolOp::And => false,
                BoolOp::Or => true,
            };
            let values: Vec<Option<bool>> = operation
                .values
                .iter()
                .map(|value| self.truth(value))
                .collect();
            return if values.contains(&Some(stop)) {
                Some(stop)
            } else if values.contains(&None) {
                None
            } else {
                Some(!stop)
            };
        }
        if let Expr::UnaryOp(operation) = expr
            && operation.op == UnaryOp::Not
        {
            return self.truth(&operation.operand).map(|value| !value);
        }
        if let Expr::If(choice) = expr {
            let arm = if self.truth(&choice.test)? {
                &choice.body
            } else {
                &choice.orelse
            };
            return self.truth(arm);
        }
        Some(match self.value(expr)? {
            Known::Bool(value) => value,
            Known::Int(value) => value != 0,
            Known::Text(text) => !text.is_empty(),
            Known::Tuple(items) => !items.is_empty(),
            Known::Version(_) | Known::Object => true,
            Known::None => false,
        })
    }

    fn value(&self, expr: &Expr) -> Option<Known> {
        match expr {
            Expr::BooleanLiteral(literal) => Some(Known::Bool(literal.value)),
            Expr::NoneLiteral(_) => Some(Known::None),
            Expr::StringLiteral(literal) => Some(Known::Text(literal.value.to_str().to_owned())),
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(number) => number.as_i64().map(Known::Int),
                Number::Float(_) | Number::Complex { .. } => None,
            },
            Expr::Tuple(tuple) => self.values(&tuple.elts),
            Expr::List(list) => self.values(&list.elts),
            Expr::Set(set) => self.values(&set.elts),
            // Type checkers go by the name alone, and so do the programs that write `TYPE_CHECKING = False`.
            Expr::Name(name) if name.id.as_str() == "TYPE_CHECKING" => Some(Known::Bool(false)),
            Expr::Name(name) if self.present.contains(name.id.as_str()) => Some(Known::Object),
            Expr::Name(name) => match self.names.named(name.id.as_str())? {
                Named::Bare(path) | Named::Imported(path) => self.named(path),
            },
            Expr::Attribute(attribute) => {
                // Most attributes are of no name that is known here: those are not worth putting a path together.
                if KNOWN_ATTRIBUTES.contains(&attribute.attr.as_str()) {
                    self.named(&self.names.path(expr)?)
                } else {
                    None
                }
            }
            Expr::Subscript(subscript) => self.item(subscript),
            Expr::Compare(compare) => {
                let mut left = self.value(&compare.left)?;
                for (op, right) in compare.ops.iter().zip(&compare.comparators) {
                    let right = self.value(right)?;
                    if !compares(*op, &left, &right)? {
                        return Some(Known::Bool(false));
                    }
                    left = right;
                }
                Some(Known::Bool(true))
            }
            Expr::Call(call) => {
                let Expr::Attribute(method) = &*call.func else {
                    return None;
                };
                let Known::Text(text) = self.value(&method.value)? else {
                    return None;
                };
                let [argument] = &*call.arguments.args else {
                    return None;
                };
                if !call.arguments.keywords.is_empty() {
                    return None;
                }
                let matches = |affix: &Known| match (method.attr.as_str(), affix) {
                    ("startswith", Known::Text(affix)) => Some(text.starts_with(affix.as_str())),
                    ("endswith", Known::Text(affix)) => Some(text.ends_with(affix.as_str())),
                    (_, _) => None,
                };
                let answer = match self.value(argument)? {
                    Known::Tuple(items) => items
                        .iter()
                        .map(matches)
                        .collect::<Option<Vec<_>>>()?
                        .contains(&true),
                    affix => matches(&affix)?,
                };
                Some(Known::Bool(answer))
            }
            Expr::UnaryOp(operation) => match operation.op {
                UnaryOp::Not => self.truth(expr).map(Known::Bool),
                UnaryOp::USub => self.int(&operation.operand)?.checked_neg().map(Known::Int),
                UnaryOp::UAdd | UnaryOp::Invert => None,
            },
            Expr::BoolOp(_)
            | Expr::If(_)
            | Expr::Named(_)
            | Expr::BinOp(_)
            | Expr::Lambda(_)
            | Expr::Dict(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Generator(_)
            | Expr::Await(_)
            | Expr::Yield(_)
            | Expr::YieldFrom(_)
            | Expr::FString(_)
            | Expr::TString(_)
            | Expr::BytesLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::Starred(_)
            | Expr::Slice(_)
            | Expr::IpyEscapeCommand(_) => None,
        }
    }

    fn values(&self, items: &[Expr]) -> Option<Known> {
        items
            .iter()
            .map(|item| self.value(item))
            .collect::<Option<Vec<_>>>()
            .map(Known::Tuple)
    }

    fn int(&self, expr: &Expr) -> Option<i64> {
        match self.value(expr)? {
            Known::Int(value) => Some(value),
            Known::Bool(_)
            | Known::Text(_)
            | Known::Tuple(_)
            | Known::Version(_)
            | Known::Object
            | Known::None => None,
        }
    }

    /// `sys.version_info[0]` and `sys.version_info[:2]`.
    fn item(&self, subscript: &ExprSubscript) -> Option<Known> {
        let Known::Version(parts) = self.value(&subscript.value)? else {
            return None;
        };
        let known = |part: &u32| Known::Int(i64::from(*part));
        if let Expr::Slice(slice) = &*subscript.slice {
            if slice.lower.is_some() || slice.step.is_some() {
                return None;
            }
            let end = usize::try_from(self.int(slice.upper.as_deref()?)?).ok()?;
            parts
                .get(..end)
                .map(|parts| Known::Tuple(parts.iter().map(known).collect()))
        } else {
            let index = usize::try_from(self.int(&subscript.slice)?).ok()?;
            parts.get(index).map(known)
        }
    }

    fn named(&self, path: &str) -> Option<Known> {
        let text = |text: &str| Some(Known::Text(text.to_owned()));
        let part = |index: usize| Some(Known::Int(i64::from(self.target.version[index])));
        match path.strip_prefix(BARE).unwrap_or(path) {
            // Every module of a bundle is imported, so that none of them is `__main__`.
            "__name__" => text(self.module),
            "sys.platform" => text(&self.target.platform),
            "os.name" => text(&self.target.os_name),
            "sys.implementation.name" => text(&self.target.implementation),
            "sys.version_info" => Some(Known::Version(self.target.version)),
            "sys.version_info.major" => part(0),
            "sys.version_info.minor" => part(1),
            "sys.version_info.micro" => part(2),
            "typing.TYPE_CHECKING" | "typing_extensions.TYPE_CHECKING" => Some(Known::Bool(false)),
            _ => None,
        }
    }
}

/// `left op right` as Python would answer, as far as it is known.
fn compares(op: CmpOp, left: &Known, right: &Known) -> Option<bool> {
    match op {
        CmpOp::Eq | CmpOp::Is => equal(left, right),
        CmpOp::NotEq | CmpOp::IsNot => equal(left, right).map(|answer| !answer),
        CmpOp::Lt => order(left, right).map(Ordering::is_lt),
        CmpOp::LtE => order(left, right).map(Ordering::is_le),
        CmpOp::Gt => order(left, right).map(Ordering::is_gt),
        CmpOp::GtE => order(left, right).map(Ordering::is_ge),
        CmpOp::In => contains(right, left),
        CmpOp::NotIn => contains(right, left).map(|answer| !answer),
    }
}

fn contains(container: &Known, item: &Known) -> Option<bool> {
    match (container, item) {
        (Known::Tuple(items), item) => {
            let answers = items
                .iter()
                .map(|known| equal(known, item))
                .collect::<Option<Vec<_>>>()?;
            Some(answers.contains(&true))
        }
        (Known::Text(text), Known::Text(part)) => Some(text.contains(part.as_str())),
        (
            Known::Text(_)
            | Known::Bool(_)
            | Known::Int(_)
            | Known::Version(_)
            | Known::Object
            | Known::None,
            _,
        ) => None,
    }
}

fn equal(left: &Known, right: &Known) -> Option<bool> {
    match (left, right) {
        (Known::Object, Known::None) | (Known::None, Known::Object) => Some(false),
        (Known::Object, _) | (_, Known::Object) => None,
        (Known::Version(_), Known::Tuple(_)) | (Known::Tuple(_), Known::Version(_)) => {
            order(left, right).map(Ordering::is_eq)
        }
        (Known::Version(left), Known::Version(right)) => Some(left == right),
        (Known::Bool(flag), Known::Int(number)) | (Known::Int(number), Known::Bool(flag)) => {
            Some(i64::from(*flag) == *number)
        }
        (Known::Tuple(left), Known::Tuple(right)) => {
            if left.len() != right.len() {
                return Some(false);
            }
            let answers = left
                .iter()
                .zip(right)
                .map(|(l, r)| equal(l, r))
                .collect::<Option<Vec<_>>>()?;
            Some(!answers.contains(&false))
        }
        (
            Known::Bool(_)
            | Known::Int(_)
            | Known::Text(_)
            | Known::Tuple(_)
            | Known::Version(_)
            | Known::None,
            _,
        ) => Some(left == right),
    }
}

fn order(left: &Known, right: &Known) -> Option<Ordering> {
    match (left, right) {
        (Known::Int(left), Known::Int(right)) => Some(left.cmp(right)),
        (Known::Text(left), Known::Text(right)) => Some(left.cmp(right)),
        (Known::Tuple(left), Known::Tuple(right)) => {
            for (left, right) in left.iter().zip(right) {
                if !equal(left, right)? {
                    return order(left, right);
                }
            }
            Some(left.len().cmp(&right.len()))
        }
        (Known::Version(parts), Known::Tuple(items)) => {
            for (index, item) in items.iter().enumerate() {
                // The fourth and fifth parts are the release level and serial, which are not known.
                let part = Known::Int(i64::from(*parts.get(index)?));
                if !equal(&part, item)? {
                    return order(&part, item);
                }
            }
            Some(Ordering::Greater)
        }
        (Known::Tuple(_), Known::Version(_)) => order(right, left).map(Ordering::reverse),
        (
            Known::Bool(_)
            | Known::Int(_)
            | Known::Text(_)
            | Known::Tuple(_)
            | Known::Version(_)
            | Known::Object
            | Known::None,
            _,
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruff_python_ast::Stmt;
    use ruff_python_parser::parse_module;

    #[track_caller]
    fn decides(condition: &str, expected: Option<bool>) {
        let text = format!(
            "import sys, os, typing as t\nimport sys as _s\nfrom sys import platform\n\
             from typing import TYPE_CHECKING as TC\nif {condition}: pass\n"
        );
        let body = parse_module(&text)
            .expect("test text is Python")
            .into_suite();
        let Some(Stmt::If(stmt)) = body.last() else {
            panic!("the last statement is an if")
        };
        let names = ImportedNames::of(&body);
        assert_eq!(
            decide(&stmt.test, &names, "pkg.mod", &Target::wasi()),
            expected,
            "{condition}"
        );
    }

    #[test]
    fn platform() {
        decides("sys.platform == 'wasi'", Some(true));
        decides("'win32' == _s.platform", Some(false));
        decides("platform != 'win32'", Some(true));
        decides("sys.platform.startswith('win')", Some(false));
        decides("sys.platform.startswith(('linux', 'wa'))", Some(true));
        decides("sys.platform in ('linux', 'darwin')", Some(false));
        decides("sys.platform not in {'emscripten', 'wasi'}", Some(false));
        decides("os.name == 'nt'", Some(false));
        decides(
            "os.name == 'posix' and sys.platform != 'darwin'",
            Some(true),
        );
        decides("other.platform == 'wasi'", None);
    }

    #[test]
    fn version() {
        decides("sys.version_info >= (3, 8)", Some(true));
        decides("sys.version_info >= (3, 14)", Some(true));
        decides("sys.version_info < (3, 14, 0)", Some(false));
        decides("sys.version_info < (3, 15)", Some(true));
        decides("(3, 14) <= sys.version_info < (3, 15)", Some(true));
        decides("sys.version_info >= (3, 14, 0, 'final')", None);
        decides("sys.version_info[0] == 2", Some(false));
        decides("sys.version_info[:2] == (3, 14)", Some(true));
        decides("sys.version_info[:2] >= (3, 15)", Some(false));
        decides("sys.version_info.major > 2", Some(true));
        decides("sys.version_info == (3, 14)", Some(false));
        decides("sys.implementation.name == 'cpython'", Some(true));
    }

    #[test]
    fn names_and_constants() {
        decides("TYPE_CHECKING", Some(false));
        decides("not t.TYPE_CHECKING", Some(true));
        decides("TC", Some(false));
        decides("__name__ == '__main__'", Some(false));
        decides("__name__ == 'pkg.mod'", Some(true));
        decides("0", Some(false));
        decides("None", Some(false));
        decides("'text'", Some(true));
        decides("1 if sys.platform == 'wasi' else 0", Some(true));
    }

    #[test]
    fn undecided_operands() {
        decides("unknown()", None);
        decides("unknown() and sys.platform == 'win32'", Some(false));
        decides("unknown() or sys.platform == 'wasi'", Some(true));
        decides("unknown() and sys.platform == 'wasi'", None);
        decides("not unknown", None);
    }

    #[test]
    fn rebound_names_are_not_trusted() {
        let body =
            parse_module("import sys\ndef f(sys):\n  pass\nif sys.platform == 'wasi': pass\n")
                .expect("test text is Python")
                .into_suite();
        let Some(Stmt::If(stmt)) = body.last() else {
            panic!("the last statement is an if")
        };
        assert_eq!(
            decide(&stmt.test, &ImportedNames::of(&body), "m", &Target::wasi()),
            None
        );
    }
}
