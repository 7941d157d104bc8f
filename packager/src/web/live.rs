//! What of a core module is left when nobody will ever call the rest.
//!
//! The libraries of the engine export thousands of functions for whoever might link with them. Once they are linked, and
//! booted, few are ever called: those of the exports that somebody uses, those in the function table, which memory holds
//! the numbers of, and what these call. The others go, with the globals and the imports that only they had. Table and
//! memory stay as they are, slot by slot and byte by byte: layers are made over them.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use anyhow::{Context as _, anyhow};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ExportSection, FunctionSection, GlobalSection, ImportSection, MemorySection,
};
use wasmtime_environ::wasmparser::{
    CodeSectionReader, ConstExpr, CustomSectionReader, ElementItems, ElementKind,
    ExportSectionReader, ExternalKind, FunctionBody, FunctionSectionReader, GlobalSectionReader,
    ImportSectionReader, MemorySectionReader, Operator, OperatorsReader, Parser, Payload, TypeRef,
    Validator, WasmFeatures,
};

/// What is left of a module.
pub(super) struct Live {
    /// The module.
    pub(super) bytes: Vec<u8>,
    /// Whether each import that it declared is still there.
    pub(super) imports: Vec<bool>,
}

/// Leave out of a module what none of the exports needs that are used, what only tools read, and all exports but these, and
/// let its memory grow to so many pages at most.
///
/// # Errors
///
/// The module is damaged.
pub(super) fn live(
    module: &[u8],
    is_used: impl Fn(&str) -> bool,
    memory_pages: u64,
) -> anyhow::Result<Live> {
    let parts = Parts::of(module)?;
    let kept = parts.kept(is_used)?;
    let imports = parts
        .imports
        .iter()
        .map(|import| match import {
            Imported::Function(index) => kept.functions.contains(index),
            Imported::Global(index) => kept.globals.contains(index),
            Imported::Other => true,
        })
        .collect();
    let mut writer = Writer {
        functions: renumbered(&kept.functions),
        globals: renumbered(&kept.globals),
        exports: kept.exports,
        imports: &imports,
        imported_functions: parts.imported_functions,
        imported_globals: parts.imported_globals,
        bodies: parts.imported_functions,
        memory_pages,
    };
    let mut written = wasm_encoder::Module::new();
    writer
        .parse_core_module(&mut written, Parser::new(0), module)
        .map_err(|error| anyhow!("{error}"))?;
    let bytes = written.finish();
    Validator::new_with_features(WasmFeatures::WASM3)
        .validate_all(&bytes)
        .context("a module is not valid without its dead functions")?;
    Ok(Live { bytes, imports })
}

/// What an import is, as far as it may go.
enum Imported {
    Function(u32),
    Global(u32),
    Other,
}

/// A module, read.
struct Parts<'m> {
    imports: Vec<Imported>,
    imported_functions: u32,
    imported_globals: u32,
    exports: Vec<(&'m str, ExternalKind, u32)>,
    bodies: Vec<FunctionBody<'m>>,
    /// How the globals that are not imported begin.
    globals: Vec<ConstExpr<'m>>,
    /// What is used whatever is called: by the start, the table, and the places of data.
    roots: Uses,
}

/// Functions and globals.
#[derive(Default)]
struct Uses {
    functions: BTreeSet<u32>,
    globals: BTreeSet<u32>,
    /// Those of the functions that are referred to by an instruction, which has to be announced outside code.
    referred: BTreeSet<u32>,
}

/// What stays.
struct Kept {
    functions: BTreeSet<u32>,
    globals: BTreeSet<u32>,
    exports: BTreeSet<String>,
}

impl<'m> Parts<'m> {
    fn of(module: &'m [u8]) -> anyhow::Result<Self> {
        let mut parts = Self {
            imports: Vec::new(),
            imported_functions: 0,
            imported_globals: 0,
            exports: Vec::new(),
            bodies: Vec::new(),
            globals: Vec::new(),
            roots: Uses::default(),
        };
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        parts.import(import?.ty);
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        parts.globals.push(global?.init_expr);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        parts.exports.push((export.name, export.kind, export.index));
                    }
                }
                Payload::StartSection { func, .. } => {
                    parts.roots.functions.insert(func);
                }
                Payload::TableSection(section) => {
                    for table in section {
                        use wasmtime_environ::wasmparser::TableInit;
                        if let TableInit::Expr(filling) = table?.init {
                            parts.roots.of_constant(&filling)?;
                        }
                    }
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        let element = element?;
                        if let ElementKind::Active { offset_expr, .. } = &element.kind {
                            parts.roots.of_constant(offset_expr)?;
                        }
                        match element.items {
                            ElementItems::Functions(functions) => {
                                for function in functions {
                                    parts.roots.functions.insert(function?);
                                }
                            }
                            ElementItems::Expressions(_, expressions) => {
                                for expression in expressions {
                                    parts.roots.of_constant(&expression?)?;
                                }
                            }
                        }
                    }
                }
                Payload::DataSection(section) => {
                    for data in section {
                        use wasmtime_environ::wasmparser::DataKind;
                        if let DataKind::Active { offset_expr, .. } = &data?.kind {
                            parts.roots.of_constant(offset_expr)?;
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => parts.bodies.push(body),
                _ => {}
            }
        }
        Ok(parts)
    }

    fn import(&mut self, ty: TypeRef) {
        self.imports.push(match ty {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => {
                self.imported_functions += 1;
                Imported::Function(self.imported_functions - 1)
            }
            TypeRef::Global(_) => {
                self.imported_globals += 1;
                Imported::Global(self.imported_globals - 1)
            }
            TypeRef::Table(_) | TypeRef::Memory(_) | TypeRef::Tag(_) => Imported::Other,
        });
    }

    fn kept(&self, is_used: impl Fn(&str) -> bool) -> anyhow::Result<Kept> {
        let mut functions = BTreeSet::new();
        let mut globals = BTreeSet::new();
        let mut waiting = Uses {
            functions: self.roots.functions.clone(),
            globals: self.roots.globals.clone(),
            referred: self.roots.referred.clone(),
        };
        let used = |(name, ..): &&(&str, ExternalKind, u32)| is_used(name);
        for (_, kind, index) in self.exports.iter().filter(used) {
            match kind {
                ExternalKind::Func | ExternalKind::FuncExact => waiting.functions.insert(*index),
                ExternalKind::Global => waiting.globals.insert(*index),
                ExternalKind::Table | ExternalKind::Memory | ExternalKind::Tag => false,
            };
        }
        loop {
            if let Some(function) = waiting.functions.pop_first() {
                if functions.insert(function)
                    && let Some(own) = function.checked_sub(self.imported_functions)
                {
                    let body = self.bodies.get(own as usize);
                    let body = body.with_context(|| format!("no function {function}"))?;
                    waiting.of_code(body.get_operators_reader()?)?;
                }
            } else if let Some(global) = waiting.globals.pop_first() {
                if globals.insert(global)
                    && let Some(own) = global.checked_sub(self.imported_globals)
                {
                    let beginning = self.globals.get(own as usize);
                    let beginning = beginning.with_context(|| format!("no global {global}"))?;
                    waiting.of_constant(beginning)?;
                }
            } else {
                break;
            }
        }
        // An export may be all that announces a function that code refers to.
        let announces = |kind: ExternalKind, index| {
            matches!(kind, ExternalKind::Func) && waiting.referred.contains(&index)
        };
        let exports = self.exports.iter();
        let exports =
            exports.filter(|(name, kind, index)| is_used(name) || announces(*kind, *index));
        let exports = exports.map(|(name, ..)| (*name).to_owned()).collect();
        Ok(Kept {
            functions,
            globals,
            exports,
        })
    }
}

impl Uses {
    fn of_constant(&mut self, expression: &ConstExpr<'_>) -> anyhow::Result<()> {
        self.of_code(expression.get_operators_reader())
    }

    fn of_code(&mut self, mut code: OperatorsReader<'_>) -> anyhow::Result<()> {
        while !code.eof() {
            match code.read()? {
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    self.functions.insert(function_index);
                }
                Operator::RefFunc { function_index } => {
                    self.functions.insert(function_index);
                    self.referred.insert(function_index);
                }
                Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                    self.globals.insert(global_index);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The numbers of those that stay, by what they were.
fn renumbered(kept: &BTreeSet<u32>) -> BTreeMap<u32, u32> {
    kept.iter().copied().zip(0..).collect()
}

/// Writes a module again, without what does not stay.
struct Writer<'k> {
    functions: BTreeMap<u32, u32>,
    globals: BTreeMap<u32, u32>,
    exports: BTreeSet<String>,
    imports: &'k Vec<bool>,
    imported_functions: u32,
    imported_globals: u32,
    /// The number of the next function that has a body.
    bodies: u32,
    memory_pages: u64,
}

type Written = Result<(), Error<Infallible>>;

impl Reencode for Writer<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.functions[&function])
    }

    fn global_index(&mut self, global: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.globals[&global])
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Written {
        for (import, stays) in section.into_imports().zip(self.imports) {
            let import = import?;
            if *stays {
                imports.import(import.module, import.name, self.entity_type(import.ty)?);
            }
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Written {
        for (number, ty) in (self.imported_functions..).zip(section) {
            if self.functions.contains_key(&number) {
                functions.function(self.type_index(ty?)?);
            }
        }
        Ok(())
    }

    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        section: MemorySectionReader<'_>,
    ) -> Written {
        for memory in section {
            let mut ty = self.memory_type(memory?)?;
            ty.maximum = Some(self.memory_pages.max(ty.minimum));
            memories.memory(ty);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: GlobalSectionReader<'_>,
    ) -> Written {
        for (number, global) in (self.imported_globals..).zip(section) {
            if self.globals.contains_key(&number) {
                self.parse_global(globals, global?)?;
            }
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Written {
        for export in section {
            let export = export?;
            if self.exports.contains(export.name) {
                self.parse_export(exports, export)?;
            }
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Written {
        for body in section {
            let number = self.bodies;
            self.bodies += 1;
            if self.functions.contains_key(&number) {
                utils::parse_function_body(self, code, body?)?;
            }
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        _: &mut wasm_encoder::Module,
        _: CustomSectionReader<'_>,
    ) -> Written {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        ConstExpr, ElementSection, Elements, EntityType, ExportKind, Function, GlobalType,
        ImportSection, MemoryType, RefType, TableSection, TableType, TypeSection, ValType,
    };

    use super::*;

    const GLOBAL: GlobalType = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };

    /// Imports two functions and two globals; `used` calls the second of each, `unused` the first; a third is in the table.
    fn example() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        for name in ["f0", "f1"] {
            imports.import("env", name, EntityType::Function(0));
        }
        for name in ["g0", "g1"] {
            imports.import("env", name, EntityType::Global(GLOBAL));
        }
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        // 2 is called by nobody, 3 is `unused`, 4 is `used`, 5 is in the table.
        for calls in [vec![0], vec![0, 2], vec![1], vec![]] {
            functions.function(0);
            let mut body = Function::new([]);
            for callee in calls {
                body.instructions()
                    .call(callee)
                    .global_get(callee % 2)
                    .drop();
            }
            body.instructions().end();
            code.function(&body);
        }
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: 9,
            maximum: None,
            shared: false,
        });
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 2,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut exports = ExportSection::new();
        exports.export("unused", ExportKind::Func, 3);
        exports.export("used", ExportKind::Func, 4);
        let mut elements = ElementSection::new();
        let slot = ConstExpr::i32_const(7);
        elements.active(None, &slot, Elements::Functions(vec![5].into()));
        let mut module = wasm_encoder::Module::new();
        module.section(&types).section(&imports).section(&functions);
        module.section(&tables).section(&memories).section(&exports);
        module.section(&elements).section(&code);
        module.section(&wasm_encoder::CustomSection {
            name: "name".into(),
            data: (&[0_u8][..]).into(),
        });
        module.finish()
    }

    #[test]
    fn what_is_used_and_what_the_table_holds_stays() {
        let Live { bytes, imports } = live(&example(), |name| name == "used", 100).unwrap();
        assert_eq!(imports, [false, true, false, true]);
        let parts = Parts::of(&bytes).unwrap();
        assert_eq!((parts.imported_functions, parts.imported_globals), (1, 1));
        assert_eq!(parts.exports, [("used", ExternalKind::Func, 1)]);
        assert_eq!(parts.bodies.len(), 2);
        // The function in the table has another number, and its slot is the same.
        assert_eq!(parts.roots.functions, BTreeSet::from([2]));
        let mut limits = Vec::new();
        for payload in Parser::new(0).parse_all(&bytes) {
            match payload.unwrap() {
                Payload::ElementSection(section) => {
                    let element = section.into_iter().next().unwrap().unwrap();
                    let ElementKind::Active { offset_expr, .. } = element.kind else {
                        panic!("another kind");
                    };
                    let slot = offset_expr.get_operators_reader().read().unwrap();
                    assert!(matches!(slot, Operator::I32Const { value: 7 }), "{slot:?}");
                }
                Payload::MemorySection(section) => {
                    limits.extend(section.into_iter().map(|memory| memory.unwrap().maximum));
                }
                Payload::CustomSection(section) => panic!("{}", section.name()),
                _ => {}
            }
        }
        assert_eq!(limits, [Some(100)]);
    }

    #[test]
    fn where_all_is_used_nothing_goes() {
        let Live { bytes, imports } = live(&example(), |_| true, 1).unwrap();
        assert_eq!(imports, [true; 4]);
        let parts = Parts::of(&bytes).unwrap();
        assert_eq!((parts.bodies.len(), parts.exports.len()), (4, 2));
        assert_eq!(live(&bytes, |_| true, 1).unwrap().bytes, bytes);
    }
}
