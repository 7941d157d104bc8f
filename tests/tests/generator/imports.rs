//! The ways in which one module reaches what is in another.

use std::fmt::Write as _;

use super::{Program, Writer};

/// A name of a module of the same program.
pub(super) struct Reference<'a> {
    pub(super) module: usize,
    pub(super) name: &'a str,
}

impl Writer {
    /// An expression that is a module, for module `at`, or for the node; what has to come before it goes to `before`.
    pub(super) fn module(
        &mut self,
        at: Option<usize>,
        module: usize,
        before: &mut String,
        program: &Program,
    ) -> String {
        let package = &program.package;
        let name = format!("{package}.m{module}");
        let alias = self.alias();
        let (line, expression) = match self.random.below(7) {
            // The node has modules of several packages.
            0 if at.is_some() => (
                format!("from {package} import m{module}"),
                format!("m{module}"),
            ),
            1 => (format!("from {package} import m{module} as {alias}"), alias),
            2 => (format!("import {name}"), name),
            3 => (format!("import {name} as {alias}"), alias),
            4 => (
                "import importlib".to_owned(),
                format!("importlib.import_module(\"{name}\")"),
            ),
            5 => (
                format!("import sys, {name}"),
                format!("sys.modules[\"{name}\"]"),
            ),
            _ => (
                format!("from {} import m{module} as {alias}", parent(at, program)),
                alias,
            ),
        };
        writeln!(before, "{line}").expect("text can be written to");
        expression
    }

    /// An expression that is what a name of a module stands for.
    pub(super) fn refer(
        &mut self,
        at: Option<usize>,
        wanted: &Reference<'_>,
        before: &mut String,
        program: &mut Program,
    ) -> String {
        let name = wanted.name;
        let module = format!("{}.m{}", program.package, wanted.module);
        let alias = self.alias();
        let styles = if self.wild { 23 } else { 18 };
        let (line, expression) = match self.random.below(styles) {
            0 => (format!("from {module} import {name}"), name.to_owned()),
            1 => (format!("from {module} import {name} as {alias}"), alias),
            2 => (
                format!("def {alias}():\n    from {module} import {name}\n    return {name}"),
                format!("{alias}()"),
            ),
            3 => {
                program.modules[wanted.module]
                    .starred
                    .insert(name.to_owned());
                (format!("from {module} import *"), name.to_owned())
            }
            4 => (
                format!(
                    "try:\n    from {module} import {name} as {alias}\nexcept ImportError:\n    {alias} = None"
                ),
                alias,
            ),
            5 => (
                format!(
                    "try:\n    from {module}_fast import {name} as {alias}\nexcept ImportError:\n    from {module} import {name} as {alias}"
                ),
                alias,
            ),
            6 => (
                format!(
                    "import sys\nif sys.version_info >= (3, 1):\n    from {module} import {name} as {alias}\nelse:\n    {alias} = None"
                ),
                alias,
            ),
            7 => (
                format!("import {module}\n{alias} = {{\"of\": {module}.{name}}}"),
                format!("{alias}[\"of\"]"),
            ),
            8 => (
                format!("import {module} as {alias}"),
                format!("getattr({alias}, \"{name}\")"),
            ),
            9 => (
                format!("import operator\nimport {module} as {alias}"),
                format!("operator.attrgetter(\"{name}\")({alias})"),
            ),
            // Whoever imports all modules can be imported by the node only.
            10 if at.is_none() => {
                program.modules[wanted.module]
                    .starred
                    .insert(name.to_owned());
                (
                    format!("from {}.hub import {name}", program.package),
                    name.to_owned(),
                )
            }
            11 if at.is_none() => {
                program.modules[wanted.module]
                    .starred
                    .insert(name.to_owned());
                (
                    format!("import {}.hub as {alias}", program.package),
                    format!("{alias}.{name}"),
                )
            }
            12 => (
                format!(
                    "from {}.m{} import {name}",
                    parent_dots(at, program),
                    wanted.module
                ),
                name.to_owned(),
            ),
            13 => (
                format!("import {module} as {alias}\nclass {alias}_of:\n    held = {alias}"),
                format!("{alias}_of.held.{name}"),
            ),
            style @ 18.. => wild(style, &module, name, &alias),
            _ => {
                let module = self.module(at, wanted.module, before, program);
                return format!("{module}.{name}");
            }
        };
        writeln!(before, "{line}").expect("text can be written to");
        expression
    }

    fn alias(&mut self) -> String {
        self.count += 1;
        format!("as_{}", self.count)
    }
}

/// The package of a program, as one of its modules or the node says it.
fn parent(at: Option<usize>, program: &Program) -> String {
    match at {
        None => program.package.clone(),
        Some(at) if program.modules[at].is_package => "..".to_owned(),
        Some(_) => ".".to_owned(),
    }
}

/// The same, for a module's name to follow behind a dot.
fn parent_dots(at: Option<usize>, program: &Program) -> String {
    match at {
        None => program.package.clone(),
        Some(at) if program.modules[at].is_package => ".".to_owned(),
        Some(_) => String::new(),
    }
}

/// A line and an expression which keep much of the application whole.
fn wild(style: usize, module: &str, name: &str, alias: &str) -> (String, String) {
    match style {
        18 => {
            let (start, end) = name.split_at(name.len() / 2);
            (
                format!("import {module} as {alias}"),
                format!("getattr({alias}, \"{start}\" + \"{end}\")"),
            )
        }
        19 => (
            format!("import {module} as {alias}"),
            format!("vars({alias})[\"{name}\"]"),
        ),
        20 => (
            format!("from {module} import {name} as {alias}"),
            format!("globals()[\"{alias}\"]"),
        ),
        21 => (
            format!("import {module} as {alias}"),
            format!("{alias}.__dict__[\"{name}\"]"),
        ),
        _ => (
            format!("import {module} as {alias}"),
            format!("eval(\"{alias}.{name}\")"),
        ),
    }
}
