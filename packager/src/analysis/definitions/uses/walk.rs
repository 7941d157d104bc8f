//! Which syntax mentions what.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    BoolOp, CmpOp, ExceptHandler, Expr, ExprContext, InterpolatedStringElement, Operator, Pattern,
    Stmt,
};
use ruff_text_size::Ranged as _;

use super::super::Syntax;
use super::super::builtin::Builtin;
use super::super::imported::{self, Imported};
use super::super::names::{chain, identifiers};
use super::super::scope::ScopeKind;
use super::{Roots, UseCollector};

impl<'a> Visitor<'a> for UseCollector<'a, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => {
                self.class_head(class);
                let mut scope = self.scope(ScopeKind::Class);
                scope.bind_type_parameters(class.type_params.as_deref());
                scope.bind_body(&class.body, self.context.module);
                self.scopes.push(scope);
                self.visit_body(&class.body);
                self.leave_scope();
            }
            Stmt::If(stmt) => {
                let first = (Some(&*stmt.test), &stmt.body);
                let clauses = stmt
                    .elif_else_clauses
                    .iter()
                    .map(|clause| (clause.test.as_ref(), &clause.body));
                for (test, body) in std::iter::once(first).chain(clauses) {
                    let decided = test.and_then(|test| {
                        self.visit_expr(test);
                        self.context.decide_inside(test)
                    });
                    if decided != Some(false) {
                        self.visit_body(body);
                    }
                    if decided == Some(true) {
                        break;
                    }
                }
            }
            Stmt::Import(import) => {
                for (name, imported) in imported::of_import(import) {
                    self.import(name, &imported);
                }
            }
            Stmt::ImportFrom(import) => {
                for (name, imported) in imported::of_import_from(import, self.context.source) {
                    self.import(name, &imported);
                    if let Imported::From { module, name } = imported {
                        let (module, name) = (self.names.number(&module), self.names.number(&name));
                        self.uses.imports.push((module, name, import.start()));
                    }
                }
            }
            Stmt::TypeAlias(alias) => {
                self.uses
                    .syntax
                    .push((Syntax::TypeParameters, alias.start()));
                let mut scope = self.scope(ScopeKind::Function);
                scope.bind_type_parameters(alias.type_params.as_deref());
                self.scopes.push(scope);
                visitor::walk_stmt(self, stmt);
                self.leave_scope();
            }
            Stmt::AugAssign(assign) => {
                // `a.b += 1` reads `a.b`.
                if let Expr::Attribute(_) = &*assign.target {
                    let (base, attributes) = chain(&assign.target);
                    self.path(base, &attributes, assign.start());
                } else if let Expr::Name(name) = &*assign.target {
                    self.path(&assign.target, &[], name.start());
                } else {
                    self.visit_expr(&assign.target);
                }
                self.visit_expr(&assign.value);
            }
            Stmt::Try(attempt) => {
                self.visit_body(&attempt.body);
                for handler in &attempt.handlers {
                    let ExceptHandler::ExceptHandler(clause) = handler;
                    self.handler(clause);
                }
                self.visit_body(&attempt.orelse);
                self.visit_body(&attempt.finalbody);
            }
            // A docstring is nothing that anybody runs.
            Stmt::Expr(expression) if expression.value.is_string_literal_expr() => {}
            Stmt::Return(_)
            | Stmt::Delete(_)
            | Stmt::Assign(_)
            | Stmt::AnnAssign(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Raise(_)
            | Stmt::Assert(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Expr(_)
            | Stmt::Pass(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::IpyEscapeCommand(_) => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        // Whoever evaluates annotations evaluates the strings among them.
        if let Expr::StringLiteral(literal) = annotation {
            let at = literal.start();
            for word in identifiers(literal.value.to_str()) {
                let name = self.names.number(word);
                self.uses.names.push((name, at));
            }
        }
        self.visit_expr(annotation);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        // `case Point(x=0)` asks for the attribute.
        if let Pattern::MatchClass(class) = pattern {
            for keyword in &class.arguments.keywords {
                self.path_from(Roots::new(), &[keyword.attr.as_str()], keyword.start());
            }
        }
        visitor::walk_pattern(self, pattern);
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of expression")]
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                if name.ctx == ExprContext::Store {
                    return;
                }
                match self.builtin(expr) {
                    Some(Builtin::Attribute) => {
                        self.uses.by_name.get_or_insert(name.start());
                    }
                    Some(Builtin::Namespace(what @ "globals") | Builtin::RunsText(what)) => {
                        self.opaque(what, name.start(), false);
                    }
                    Some(Builtin::Namespace(_)) | None => {}
                }
                self.path(expr, &[], name.start());
            }
            Expr::Attribute(attribute) => {
                // `globals().update(...)` only puts names in.
                let fills = matches!(attribute.attr.as_str(), "setdefault" | "update");
                if !(fills && self.is_globals(&attribute.value)) {
                    self.attribute(expr, attribute.ctx);
                }
            }
            Expr::Subscript(subscript)
                if subscript.ctx == ExprContext::Store && self.is_globals(&subscript.value) =>
            {
                self.visit_expr(&subscript.slice);
            }
            Expr::Subscript(subscript)
                if self
                    .context
                    .imported
                    .may_be(&subscript.value, "sys.modules") =>
            {
                if self.taken_module(expr).is_some() {
                    self.path(expr, &[], subscript.start());
                } else {
                    self.uses.any_module.get_or_insert(subscript.start());
                    let (base, attributes) = chain(&subscript.value);
                    self.path(base, &attributes, subscript.start());
                    self.visit_expr(&subscript.slice);
                }
            }
            // Whether a module is imported says nothing of what is in it.
            Expr::Compare(compare)
                if matches!(&*compare.ops, [CmpOp::In | CmpOp::NotIn])
                    && self
                        .context
                        .imported
                        .may_be(&compare.comparators[0], "sys.modules") =>
            {
                let (base, attributes) = chain(&compare.comparators[0]);
                self.path(base, &attributes, compare.start());
                if let Expr::StringLiteral(module) = &*compare.left {
                    let module = self.names.number(module.value.to_str());
                    self.uses.peeked.push((module, compare.start()));
                }
                self.visit_expr(&compare.left);
            }
            Expr::Compare(compare)
                if matches!(&*compare.ops, [CmpOp::In | CmpOp::NotIn])
                    && self.is_globals(&compare.comparators[0]) =>
            {
                self.visit_expr(&compare.left);
            }
            Expr::Call(call) => {
                if self.imported_by(call).is_some() {
                    self.path(expr, &[], call.start());
                } else {
                    self.call(call);
                }
            }
            Expr::StringLiteral(literal) => self.text(literal.value.to_str(), literal.start()),
            Expr::FString(string) => {
                let mut prefix = None;
                let mut suffix = "";
                let mut holes = 0;
                for element in string.value.elements() {
                    match element {
                        InterpolatedStringElement::Literal(literal) => {
                            self.words(&literal.value, string.start());
                            prefix.get_or_insert(&*literal.value);
                            suffix = &literal.value;
                        }
                        InterpolatedStringElement::Interpolation(_) => {
                            prefix.get_or_insert("");
                            suffix = "";
                            holes += 1;
                        }
                    }
                }
                // `f"{__name__}.Handler"`
                if let (1, Some(InterpolatedStringElement::Interpolation(value))) =
                    (holes, string.value.elements().next())
                {
                    self.text_after(&value.expression, suffix, string.start());
                }
                if holes > 0 {
                    self.affix(prefix.unwrap_or_default(), suffix, string.start());
                }
                visitor::walk_expr(self, expr);
            }
            Expr::TString(string) => {
                self.uses.syntax.push((Syntax::Template, string.start()));
                visitor::walk_expr(self, expr);
            }
            Expr::BinOp(operation) => {
                let text = |expr: &'a Expr| match expr {
                    Expr::StringLiteral(literal) => Some(literal.value.to_str()),
                    _ => None,
                };
                let (left, right) = (text(&operation.left), text(&operation.right));
                if let (Operator::Add, Some(right)) = (operation.op, right) {
                    self.text_after(&operation.left, right, operation.start());
                }
                match operation.op {
                    Operator::Add if left.is_some() || right.is_some() => self.affix(
                        left.unwrap_or_default(),
                        right.unwrap_or_default(),
                        operation.start(),
                    ),
                    Operator::Mod => {
                        if let Some((prefix, rest)) = left.and_then(|text| text.split_once('%')) {
                            let suffix = rest.rsplit_once('%').map_or(rest, |(_, last)| last);
                            self.affix(
                                prefix,
                                suffix.trim_start_matches(['s', 'd', 'r']),
                                operation.start(),
                            );
                        }
                    }
                    Operator::BitOr if left.is_some() || right.is_some() => self
                        .uses
                        .syntax
                        .push((Syntax::UnionWithText, operation.start())),
                    _ => {}
                }
                visitor::walk_expr(self, expr);
            }
            Expr::Lambda(lambda) => {
                let mut scope = self.scope(ScopeKind::Function);
                if let Some(parameters) = &lambda.parameters {
                    self.defaults(parameters);
                    scope.bind_parameters(parameters);
                }
                self.scopes.push(scope);
                self.visit_expr(&lambda.body);
                self.leave_scope();
            }
            Expr::ListComp(comp) => self.comprehension(&comp.generators, [&*comp.elt]),
            Expr::SetComp(comp) => self.comprehension(&comp.generators, [&*comp.elt]),
            Expr::DictComp(comp) => {
                let elements = comp.key.as_deref().into_iter().chain([&*comp.value]);
                self.comprehension(&comp.generators, elements);
            }
            Expr::Generator(comp) => self.comprehension(&comp.generators, [&*comp.elt]),
            Expr::If(choice) => {
                self.visit_expr(&choice.test);
                let decided = self.context.decide_inside(&choice.test);
                if decided != Some(false) {
                    self.visit_expr(&choice.body);
                }
                if decided != Some(true) {
                    self.visit_expr(&choice.orelse);
                }
            }
            // What stands behind an operand that settles it is not evaluated.
            Expr::BoolOp(operation) => {
                let stop = operation.op == BoolOp::Or;
                for value in &operation.values {
                    self.visit_expr(value);
                    if self.context.decide_inside(value) == Some(stop) {
                        break;
                    }
                }
            }
            Expr::Named(_)
            | Expr::UnaryOp(_)
            | Expr::Dict(_)
            | Expr::Set(_)
            | Expr::Await(_)
            | Expr::Yield(_)
            | Expr::YieldFrom(_)
            | Expr::Compare(_)
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
