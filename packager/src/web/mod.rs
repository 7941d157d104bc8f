//! The engine for browsers: the component that runs natively, taken apart into what a page can instantiate.
//!
//! A browser knows core modules only. This writes those of the component, and a *plan* that says how they are put together:
//! what wasmtime itself would do when it instantiates the component, worked out by wasmtime's own translator. The page's
//! side is in `browser-demo/src/runtime/web/`; it brings the few functions of WASI that CPython needs. What no page will call is
//! left out (`live.rs`).
//!
//! The plan is `engine.json`. Large modules lie beside it under names made from their digests, small ones are
//! inside it.

mod live;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use brotli::enc::BrotliEncoderParams;
use rayon::prelude::*;
use rm_runtime::bundle::{Index, IndexedFile, IndexedWebEngine};
use rm_runtime::cache::Cache;
use rm_runtime::digest::Digest;
use rm_runtime::file::write_atomically;
use rm_runtime::python::engine::EngineDescription;
use serde::Serialize;
use wasmtime_environ::component::{
    ComponentTranslation, ComponentTypesBuilder, CoreDef, CoreExport, ExportItem,
    GlobalInitializer, InstantiateModule, LoweredIndex, StaticModuleIndex, Trampoline,
    TrampolineIndex, Translator,
};
use wasmtime_environ::wasmparser::{Validator, WasmFeatures};
use wasmtime_environ::{EntityIndex, PrimaryMap, ScopeVec, Tunables};

use crate::engine::BuiltEngine;
use live::live;

/// The version of the plan; a page refuses every other.
const FORMAT: u32 = 1;

/// The plan's file name.
const PLAN: &str = "engine.json";

/// Modules up to this size are carried in the plan: a request costs more.
const INLINE_BYTES: usize = 48 << 10;

/// The component's functions that a page calls. Memories are read and engines booted natively.
const CALLED: [&str; 3] = ["call", "layer-begin", "layer-end"];

/// How many pages of 64 KiB an interpreter may grow to: 1 GiB, as natively.
const MEMORY_PAGES: u64 = 16 << 10;

/// `engine.json`
#[derive(Debug, Serialize)]
struct Plan {
    /// [`FORMAT`]
    format: u32,
    /// The component's digest: bundles name it.
    engine: Digest,
    /// Its version of Python.
    python: String,
    /// The version of what is said over `call`.
    protocol: i64,
    /// The core modules.
    modules: Vec<Module>,
    /// What to instantiate, in this order.
    instances: Vec<Instance>,
    /// The memory.
    memory: Export,
    /// Where imported functions that return lists ask for room.
    realloc: Export,
    /// The component's exports that a page calls: functions in the canonical ABI.
    exports: BTreeMap<String, Export>,
    /// Where a caller of these asks for room.
    argument_realloc: Export,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Module {
    Beside {
        file: String,
        size: usize,
        sha256: Digest,
    },
    Inside {
        base64: String,
    },
}

#[derive(Debug, Serialize)]
struct Instance {
    /// The number of the module.
    module: u32,
    /// What it imports, in the order in which it declares that.
    imports: Vec<Import>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Import {
    /// Of another instance.
    Instance(Export),
    /// Of the host: `wasi:io/streams@0.2.0#[method]output-stream.write`. A `drop` gives a resource back.
    Host(String),
}

/// The number of an instance, and the name of its export.
#[derive(Debug, Serialize)]
struct Export(u32, String);

impl Plan {
    /// The modules without what no export needs that is used in the plan; imports that go with that go from the plan too.
    fn live(&mut self, modules: &[&[u8]]) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut used = vec![BTreeSet::new(); modules.len()];
        let own = [&self.memory, &self.realloc, &self.argument_realloc];
        for Export(instance, name) in self.exports.values().chain(own) {
            used[self.module_of(*instance)].insert(name.clone());
        }
        let mut written = vec![None; modules.len()];
        // An instance imports from those before it, whose exports are therefore known to be used when it is their turn.
        for number in (0..self.instances.len()).rev() {
            let module = self.instances[number].module as usize;
            if written[module].is_some() {
                bail!("two instances of the module {module}");
            }
            let live = live(
                modules[module],
                |name| used[module].contains(name),
                MEMORY_PAGES,
            )?;
            let mut stays = live.imports.iter();
            self.instances[number]
                .imports
                .retain(|_| *stays.next().unwrap_or(&true));
            for import in &self.instances[number].imports {
                if let Import::Instance(Export(instance, name)) = import {
                    used[self.module_of(*instance)].insert(name.clone());
                }
            }
            written[module] = Some(live.bytes);
        }
        let written = written.into_iter().collect::<Option<_>>();
        written.context("a module that is never instantiated")
    }

    fn module_of(&self, instance: u32) -> usize {
        self.instances[instance as usize].module as usize
    }
}

/// The engine for browsers, as files.
#[derive(Debug)]
pub struct WebEngine {
    engine: Digest,
    files: BTreeMap<String, Vec<u8>>,
}

impl WebEngine {
    /// Take the engine's component apart.
    ///
    /// # Errors
    ///
    /// The cache was emptied meanwhile, or the component has something that a plan cannot say.
    pub fn of(engine: &BuiltEngine) -> anyhow::Result<Self> {
        let component = engine.component()?;
        take_apart(&component, engine.facts.digest, &engine.description)
            .context("taking the engine apart for browsers")
    }

    /// The same with a `.br` beside each file, its Brotli form at the best quality, which a server that has it can send
    /// instead. Compressing takes a minute; the cache keeps what comes of it.
    ///
    /// # Errors
    ///
    /// The cache cannot be written.
    pub fn with_brotli(mut self, cache: &Cache) -> anyhow::Result<Self> {
        let compressed = self
            .files
            .par_iter()
            .map(|(name, bytes)| Ok((format!("{name}.br"), brotli_of(bytes, cache)?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        self.files.extend(compressed);
        Ok(self)
    }

    /// Write it into a folder of its own in a folder of bundles, and into the index of that; returns the path of its plan.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn write(&self, bundles: &Path) -> anyhow::Result<PathBuf> {
        let folder = bundles.join(folder_name(self.engine));
        // The plan last: what it names is there when it is.
        let (plan, modules): (Vec<_>, Vec<_>) =
            self.files.iter().partition(|(name, _)| *name == PLAN);
        for (name, bytes) in modules.into_iter().chain(plan) {
            let path = folder.join(name);
            if std::fs::read(&path).is_ok_and(|there| there == *bytes) {
                continue;
            }
            std::fs::create_dir_all(&folder)
                .and_then(|()| write_atomically(&path, bytes))
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        let is_module = |name: &str| Path::new(name).extension() == Some("wasm".as_ref());
        let modules = self.files.iter().filter(|(name, _)| is_module(name));
        let files = modules.map(|(name, bytes)| IndexedFile {
            file: name.clone(),
            sha256: Digest::of(bytes),
            size: bytes.len() as u64,
        });
        let entry = IndexedWebEngine {
            digest: self.engine,
            files: files.collect(),
        };
        // Otherwise the index is not written at all, as when nothing else in the folder changes.
        if !Index::read(bundles).is_ok_and(|index| index.web_engines.contains(&entry)) {
            Index::update(bundles, |index| index.add_web_engine(entry))?;
        }
        Ok(folder.join(PLAN))
    }
}

/// What is kept in the cache, by the digest of what it came from.
const COMPRESSED: &str = "brotli";

fn brotli_of(bytes: &[u8], cache: &Cache) -> anyhow::Result<Vec<u8>> {
    let name = format!("{}.br", Digest::of(bytes));
    if let Some(compressed) = cache.read(COMPRESSED, &name)? {
        // A damaged one would be served to everybody.
        let mut decompressed = Vec::with_capacity(bytes.len());
        let read = brotli::BrotliDecompress(&mut compressed.as_slice(), &mut decompressed);
        if read.is_ok() && decompressed == bytes {
            return Ok(compressed);
        }
    }
    let parameters = BrotliEncoderParams {
        quality: 11,
        // The largest window that browsers read.
        lgwin: 24,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    cache.write(COMPRESSED, &name, &compressed)?;
    Ok(compressed)
}

/// The name of the folder of an engine for browsers.
fn folder_name(engine: Digest) -> String {
    format!("engine-{engine}-web")
}

fn take_apart(
    component: &[u8],
    engine: Digest,
    description: &EngineDescription,
) -> anyhow::Result<WebEngine> {
    let scope = ScopeVec::new();
    let tunables = Tunables::default_u32();
    let features = WasmFeatures::WASM3 | WasmFeatures::COMPONENT_MODEL;
    let mut validator = Validator::new_with_features(features);
    let mut types = ComponentTypesBuilder::new(&validator);
    let (translation, modules) = Translator::new(&tunables, &mut validator, &mut types, &scope)
        .translate(component)
        .map_err(|error| anyhow!("{error:?}"))?;
    let names = modules
        .iter()
        .map(|(_, module)| {
            let exports = module.module.exports.iter();
            exports
                .map(|(name, index)| (*index, module.module.strings[*name].to_owned()))
                .collect()
        })
        .collect();
    let mut planner = Planner::new(&translation, names);
    let instances = planner.instances()?;
    let [realloc, argument_realloc] = planner.reallocs()?;
    let mut plan = Plan {
        format: FORMAT,
        engine,
        python: description.python.clone(),
        protocol: description.protocol,
        modules: Vec::new(),
        instances,
        memory: planner.memory()?,
        realloc,
        exports: planner.exports()?,
        argument_realloc,
    };
    let mut files = BTreeMap::new();
    let sources: Vec<_> = modules.iter().map(|(_, module)| module.wasm).collect();
    for bytes in plan.live(&sources)? {
        plan.modules.push(if bytes.len() <= INLINE_BYTES {
            Module::Inside {
                base64: BASE64_STANDARD.encode(&bytes),
            }
        } else {
            let sha256 = Digest::of(&bytes);
            let file = format!("{}.wasm", sha256.short());
            let size = bytes.len();
            files.insert(file.clone(), bytes);
            Module::Beside { file, size, sha256 }
        });
    }
    let mut text = serde_json::to_vec(&plan)?;
    text.push(b'\n');
    files.insert(PLAN.to_owned(), text);
    Ok(WebEngine { engine, files })
}

/// Turns the translator's view of a component into that of a [`Plan`].
struct Planner<'t> {
    translation: &'t ComponentTranslation,
    /// The names under which each module exports what it has.
    exported: PrimaryMap<StaticModuleIndex, BTreeMap<EntityIndex, String>>,
    /// The module of each instance made so far.
    made: Vec<StaticModuleIndex>,
    /// The function of WASI behind each lowering.
    lowered: BTreeMap<LoweredIndex, String>,
}

impl<'t> Planner<'t> {
    fn new(
        translation: &'t ComponentTranslation,
        exported: PrimaryMap<StaticModuleIndex, BTreeMap<EntityIndex, String>>,
    ) -> Self {
        let component = &translation.component;
        let lowered = component.initializers.iter().filter_map(|initializer| {
            let GlobalInitializer::LowerImport { index, import } = initializer else {
                return None;
            };
            let (import, path) = &component.imports[*import];
            let (interface, _) = &component.import_types[*import];
            Some((*index, format!("{interface}#{}", path.join("#"))))
        });
        Self {
            translation,
            exported,
            made: Vec::new(),
            lowered: lowered.collect(),
        }
    }

    fn instances(&mut self) -> anyhow::Result<Vec<Instance>> {
        let mut instances = Vec::new();
        for initializer in &self.translation.component.initializers {
            match initializer {
                GlobalInitializer::InstantiateModule(
                    InstantiateModule::Static(module, arguments),
                    _,
                ) => {
                    let imports = arguments.iter().map(|argument| self.import(argument));
                    instances.push(Instance {
                        module: module.as_u32(),
                        imports: imports.collect::<anyhow::Result<_>>()?,
                    });
                    self.made.push(*module);
                }
                GlobalInitializer::LowerImport { .. }
                | GlobalInitializer::ExtractMemory(_)
                | GlobalInitializer::ExtractRealloc(_) => {}
                other => bail!("a step that no page can take: {other:?}"),
            }
        }
        Ok(instances)
    }

    fn import(&self, definition: &CoreDef) -> anyhow::Result<Import> {
        Ok(match definition {
            CoreDef::Export(export) => {
                let ExportItem::Index(index) = export.item else {
                    bail!("an export by name: {export:?}");
                };
                Import::Instance(self.export(export, index)?)
            }
            CoreDef::Trampoline(trampoline) => Import::Host(self.host(*trampoline)?),
            other => bail!("something that no page has: {other:?}"),
        })
    }

    fn host(&self, trampoline: TrampolineIndex) -> anyhow::Result<String> {
        Ok(match &self.translation.trampolines[trampoline] {
            Trampoline::LowerImport { index, .. } => self
                .lowered
                .get(index)
                .cloned()
                .with_context(|| format!("an unknown import {index:?}"))?,
            Trampoline::ResourceDrop { .. } => "drop".to_owned(),
            other => bail!("a function that no page has: {other:?}"),
        })
    }

    fn export<T>(
        &self,
        export: &CoreExport<T>,
        index: impl Into<EntityIndex>,
    ) -> anyhow::Result<Export> {
        let instance = export.instance.as_u32();
        let index = index.into();
        let name = self
            .made
            .get(instance as usize)
            .and_then(|module| self.exported[*module].get(&index))
            .with_context(|| format!("{index:?} of instance {instance} has no name"))?;
        Ok(Export(instance, name.clone()))
    }

    fn function(&self, definition: &CoreDef) -> anyhow::Result<Export> {
        match self.import(definition)? {
            Import::Instance(export) => Ok(export),
            Import::Host(name) => bail!("the host's function {name} where the engine's is needed"),
        }
    }

    fn memory(&self) -> anyhow::Result<Export> {
        let mut memories = self.translation.component.initializers.iter();
        let memories = memories
            .by_ref()
            .filter_map(|initializer| match initializer {
                GlobalInitializer::ExtractMemory(memory) => Some(&memory.export),
                _ => None,
            });
        let memories: Vec<_> = memories.collect();
        let [memory] = memories.as_slice() else {
            bail!("{} memories instead of one", memories.len());
        };
        let ExportItem::Index(index) = memory.item else {
            bail!("a memory by name: {memory:?}");
        };
        self.export(memory, index)
    }

    /// The first is that of the C library, for imports, the second that of the shim, for exports.
    fn reallocs(&self) -> anyhow::Result<[Export; 2]> {
        let reallocs = self.translation.component.initializers.iter();
        let reallocs: Vec<_> = reallocs
            .filter_map(|initializer| match initializer {
                GlobalInitializer::ExtractRealloc(realloc) => Some(self.function(&realloc.def)),
                _ => None,
            })
            .collect::<anyhow::Result<_>>()?;
        let count = reallocs.len();
        reallocs
            .try_into()
            .map_err(|_| anyhow!("{count} functions that make room instead of two"))
    }

    fn exports(&self) -> anyhow::Result<BTreeMap<String, Export>> {
        let component = &self.translation.component;
        let exports = component.exports.raw_iter();
        exports
            .filter(|(name, _)| CALLED.contains(&name.as_str()))
            .map(|(name, (index, _))| {
                use wasmtime_environ::component::Export as Exported;
                let Exported::LiftedFunction { func, .. } = &component.export_items[*index] else {
                    bail!("the export `{name}` is no function");
                };
                Ok((name.to_string(), self.function(func)?))
            })
            .collect()
    }
}
