//! A module's `__getattr__`, which is asked for names that the module lacks, and does for each what belongs to it:
//!
//! ```python
//! def __getattr__(name):
//!     if name == "ProcessPoolExecutor":
//!         from .process import ProcessPoolExecutor
//!         return ProcessPoolExecutor
//! ```
//!
//! What stands below such a condition runs only if somebody asks for one of these names.

use ruff_python_ast::{BoolOp, CmpOp, Expr, Stmt, StmtFunctionDef};
use ruff_text_size::TextRange;

use super::scope::{Scope, ScopeKind};
use super::units::body_range;
use super::uses::UseCollector;
use super::{LazyPart, Name};

/// The parameter that has the name that is asked for, if `function`, which stands at the top level, is a module's `__getattr__`.
pub(super) fn asked_name(function: &StmtFunctionDef) -> Option<&str> {
    let parameters = &function.parameters;
    let mut all = parameters.iter();
    let (Some(asked), None) = (all.next(), all.next()) else {
        return None;
    };
    let is_plain = function.decorator_list.is_empty()
        && !function.is_async
        && parameters.vararg.is_none()
        && parameters.kwarg.is_none();
    (is_plain && function.name.as_str() == "__getattr__").then(|| asked.name().as_str())
}

/// The names for which `test` can hold, if it lists them.
fn listed<'a>(test: &'a Expr, asked: &str) -> Option<Vec<&'a str>> {
    let is_asked = |expr: &Expr| matches!(expr, Expr::Name(name) if name.id.as_str() == asked);
    match test {
        Expr::Compare(compare) => {
            let ([op], [right]) = (&*compare.ops, &*compare.comparators) else {
                return None;
            };
            match op {
                CmpOp::Eq if is_asked(&compare.left) => Some(vec![text(right)?]),
                CmpOp::Eq if is_asked(right) => Some(vec![text(&compare.left)?]),
                CmpOp::In if is_asked(&compare.left) => match right {
                    Expr::Tuple(tuple) => tuple.elts.iter().map(text).collect(),
                    Expr::List(list) => list.elts.iter().map(text).collect(),
                    Expr::Set(set) => set.elts.iter().map(text).collect(),
                    _ => None,
                },
                _ => None,
            }
        }
        // One that lists them is enough, for all have to hold.
        Expr::BoolOp(operation) if operation.op == BoolOp::And => operation
            .values
            .iter()
            .find_map(|value| listed(value, asked)),
        Expr::BoolOp(operation) => {
            let each: Option<Vec<Vec<&str>>> = operation
                .values
                .iter()
                .map(|value| listed(value, asked))
                .collect();
            each.map(|names| names.concat())
        }
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    expr.as_string_literal_expr()
        .map(|literal| literal.value.to_str())
}

impl<'a> UseCollector<'a, '_> {
    /// A module's `__getattr__`, whose parameter is `asked`: what it does for some names only apart.
    pub(super) fn lazy_function(
        &mut self,
        function: &'a StmtFunctionDef,
        asked: &'a str,
    ) -> Vec<LazyPart> {
        let mut bound = Scope::new(ScopeKind::Function);
        bound.bind_body(&function.body, self.module());
        if bound.get(asked).is_some() {
            // Another name may be in it later on.
            self.function(function);
            return Vec::new();
        }
        let mut parts = Vec::new();
        self.function_with(function, |collector| {
            for stmt in &function.body {
                match stmt {
                    Stmt::If(choice) => {
                        let first = (Some(&*choice.test), choice.body.as_slice());
                        let others = choice.elif_else_clauses.iter();
                        let clauses = std::iter::once(first).chain(
                            others.map(|clause| (clause.test.as_ref(), clause.body.as_slice())),
                        );
                        for (test, body) in clauses {
                            let names = test.and_then(|test| listed(test, asked));
                            if let Some(test) = test {
                                collector.lazy_test(test, names.as_deref().unwrap_or_default());
                            }
                            match names {
                                Some(names) => parts.push(collector.lazy_part(asked, &names, body)),
                                None => collector.visit_all(body),
                            }
                        }
                    }
                    other => collector.visit_all(std::slice::from_ref(other)),
                }
            }
        });
        parts
    }

    /// A condition: the names that it lists are only compared, and not taken from anything.
    fn lazy_test(&mut self, test: &'a Expr, listed: &[&str]) {
        let mut uses = self.apart(|collector| collector.visit(test));
        let names = &*self.names;
        uses.strings
            .retain(|(name, _)| !listed.contains(&names.text(*name)));
        self.add(uses);
    }

    fn lazy_part(&mut self, asked: &str, names: &[&str], body: &'a [Stmt]) -> LazyPart {
        let asked = self.names.number(asked);
        let names: Vec<Name> = names.iter().map(|name| self.names.number(name)).collect();
        let range: TextRange = body_range(body);
        let uses = self.apart(|collector| collector.visit_all(body));
        LazyPart {
            asked,
            names,
            range,
            uses,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruff_python_parser::parse_module;

    #[track_caller]
    fn lists(test: &str, expected: Option<&[&str]>) {
        let body = parse_module(&format!("def __getattr__(name):\n if {test}: pass\n"))
            .expect("test text is Python")
            .into_suite();
        let Some(Stmt::FunctionDef(function)) = body.first() else {
            panic!("it is a function")
        };
        let Some(Stmt::If(choice)) = function.body.first() else {
            panic!("it is a condition")
        };
        let asked = asked_name(function).expect("it is what a module is asked with");
        assert_eq!(listed(&choice.test, asked).as_deref(), expected, "{test}");
    }

    #[test]
    fn conditions_that_list_names() {
        lists("name == 'a'", Some(&["a"]));
        lists("'a' == name", Some(&["a"]));
        lists("name in ('a', 'b')", Some(&["a", "b"]));
        lists("there and name in {'a'}", Some(&["a"]));
        lists("name == 'a' or name == 'b'", Some(&["a", "b"]));
        lists("name == 'a' or there", None);
        lists("name != 'a'", None);
        lists("name in names", None);
        lists("name in ('a', b)", None);
        lists("other == 'a'", None);
        lists("not name == 'a'", None);
        lists("'a' in name", None);
        lists("name == 'a' == other", None);
    }

    #[test]
    fn what_is_asked() {
        let is_asked = |text: &str| {
            let body = parse_module(text)
                .expect("test text is Python")
                .into_suite();
            let Some(Stmt::FunctionDef(function)) = body.first() else {
                panic!("it is a function")
            };
            asked_name(function).is_some()
        };
        assert!(is_asked("def __getattr__(name): pass\n"));
        assert!(!is_asked("def __getattr__(self, name): pass\n"));
        assert!(!is_asked("def __getattr__(*names): pass\n"));
        assert!(!is_asked("@other\ndef __getattr__(name): pass\n"));
        assert!(!is_asked("def getattr(name): pass\n"));
    }
}
