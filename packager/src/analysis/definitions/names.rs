//! Names of a module by number, and how expressions spell them.

use ruff_python_ast::Expr;
use smallvec::SmallVec;

use super::super::interner::{Interner, Texts};
use super::imported::Imported;
use super::{Name, Root};

/// Numbers the names of a module.
#[derive(Debug, Default)]
pub(super) struct Names(Interner);

impl Names {
    /// Has room for the names of `text`, of which most files have one in 80 bytes at least.
    pub(super) fn of_text(text: &str) -> Self {
        Self(Interner::with_capacity(text.len() / 80))
    }

    pub(super) fn number(&mut self, text: &str) -> Name {
        Name(self.0.number(text))
    }

    pub(super) fn text(&self, name: Name) -> &str {
        self.0.text(name.0)
    }

    pub(super) fn into_texts(self) -> Texts {
        self.0.into_texts()
    }
}

/// The root that an import stands for.
pub(super) fn root(imported: &Imported, names: &mut Names) -> Root {
    match imported {
        Imported::Module(module) => Root::Module(names.number(module)),
        Imported::From { module, name } => Root::From {
            module: names.number(module),
            name: names.number(name),
        },
    }
}

/// `a.b.c` as its first part and the attributes.
pub(super) fn chain(expr: &Expr) -> (&Expr, SmallVec<[&str; 4]>) {
    let mut attributes = SmallVec::new();
    let mut base = expr;
    while let Expr::Attribute(attribute) = base {
        attributes.push(attribute.attr.as_str());
        base = &attribute.value;
    }
    attributes.reverse();
    (base, attributes)
}

/// What has the object that an expression names: `a` of `a.b["c"].d`.
pub(super) fn owner(expr: &Expr) -> &Expr {
    let mut owner = expr;
    loop {
        owner = match owner {
            Expr::Attribute(attribute) => &attribute.value,
            Expr::Subscript(subscript) => &subscript.value,
            other => return other,
        };
    }
}

/// `self`
pub(super) fn is_self(expr: &Expr) -> bool {
    matches!(expr, Expr::Name(name) if name.id.as_str() == "self")
}

/// The identifiers that a text spells.
pub(super) fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c == '_' || c.is_alphanumeric()))
        .filter(|word| is_identifier(word))
}

pub(super) fn is_identifier(text: &str) -> bool {
    if text.is_ascii() {
        let mut bytes = text.bytes();
        return bytes
            .next()
            .is_some_and(|byte| byte == b'_' || byte.is_ascii_alphabetic())
            && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    }
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
}
