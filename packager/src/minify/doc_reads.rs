//! Whether a module reads docstrings: then somebody's must stay.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Alias, Expr, ModModule, Stmt, StmtAugAssign};

/// What a module does with docstrings, as far as its text tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DocReads {
    /// It reads the name `__doc__`: the docstring of the module itself, or of the class around it.
    pub own: bool,
    /// It reads somebody's attribute `__doc__`, `getattr(x, "__doc__")` included, or uses a function that does:
    /// `inspect.getdoc`, `pydoc`, `doctest`. Whose docstring that is cannot be told from the text.
    pub any: bool,
}

/// The names by which the standard library reads docstrings for others.
const READERS: [&str; 3] = ["getdoc", "pydoc", "doctest"];

/// Find where a module reads docstrings.
///
/// What is computed (`getattr(x, "__d" + "oc__")`, `vars(x)`) is not found.
pub fn doc_reads(module: &ModModule) -> DocReads {
    let mut reads = DocReads::default();
    reads.visit_body(&module.body);
    reads
}

impl DocReads {
    fn reader(&mut self, name: &str) {
        self.any |= READERS.contains(&name);
    }
}

impl<'a> Visitor<'a> for DocReads {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::AugAssign(StmtAugAssign { target, .. }) = statement {
            // `__doc__ += "more"` reads what it writes.
            self.own |= matches!(&**target, Expr::Name(name) if name.id == "__doc__");
            self.any |= matches!(&**target, Expr::Attribute(access) if &access.attr == "__doc__");
        }
        if let Stmt::ImportFrom(import) = statement
            && let Some(module) = &import.module
        {
            module.split('.').for_each(|part| self.reader(part));
        }
        walk_stmt(self, statement);
    }

    fn visit_alias(&mut self, alias: &'a Alias) {
        alias.name.split('.').for_each(|part| self.reader(part));
        self.any |= &alias.name == "__doc__";
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Name(name) = expression {
            self.own |= name.ctx.is_load() && name.id == "__doc__";
            self.reader(&name.id);
        } else if let Expr::Attribute(access) = expression {
            self.any |= access.ctx.is_load() && &access.attr == "__doc__";
            self.reader(&access.attr);
        } else if let Expr::StringLiteral(string) = expression {
            self.any |= string.value == *"__doc__";
        }
        walk_expr(self, expression);
    }
}

#[cfg(test)]
mod tests {
    use ruff_python_parser::parse_module;

    use super::*;

    #[track_caller]
    fn reads(text: &str, own: bool, any: bool) {
        let module = parse_module(text).expect("Python").into_syntax();
        assert_eq!(doc_reads(&module), DocReads { own, any }, "{text}");
    }

    #[test]
    fn its_own() {
        reads("print(__doc__)\n", true, false);
        reads("parser(description=__doc__ % 1)\n", true, false);
        reads("__doc__ += 'more'\n", true, false);
        reads("class A:\n 'a'\n b = __doc__\n", true, false);
    }

    #[test]
    fn somebodys() {
        reads("f.__doc__.strip()\n", false, true);
        reads("f.__doc__ += 'more'\n", false, true);
        reads("getattr(f, '__doc__')\n", false, true);
        reads("import inspect\ninspect.getdoc(f)\n", false, true);
        reads("from inspect import getdoc as g\n", false, true);
        reads("import pydoc\n", false, true);
        reads("from doctest import testmod\n", false, true);
        reads("from m import __doc__\n", false, true);
        reads("f'{f.__doc__}'\n", false, true);
    }

    #[test]
    fn nobodys() {
        reads("'d'\n__doc__ = 'a'\n", false, false);
        reads("f.__doc__ = 'a'\n", false, false);
        reads("del f.__doc__\nhelp = 1\n", false, false);
    }
}
