//! The last stage for Pyodide: wheels of compiled modules, and a library that is enough for them and for Pyodide itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rm_runtime::bundle::{PyodideParts, PythonNode, Target};
use rm_runtime::digest::Digest;

use super::plan::Plan;
use super::program::{Program, Tools};
use super::{Analysed, PackError, docstrings, modules};
use crate::analysis::{self, Closure, NodeModule, ReachedModule};
use crate::compile::{Source, compile_all};
use crate::engine;
use crate::freeze::{CarriedModule, Cold};
use crate::minify::{FOR_CODE, Task, minify_all};
use crate::pyodide::lock::lock;
use crate::pyodide::packages::{Package, Packages, normalised};
use crate::pyodide::wheel::Wheel;
use crate::pyodide::zip::archive;
use crate::pyodide::{self, Facts, path_of, pyc};
use crate::source::{Origin, module_name};

/// The distribution with the guest.
const GUEST_WHEEL: &str = "remotemedia-pack-guest";

/// What a pipeline's distribution is called whose name says nothing, and how one is told from a package of the same name.
const PIPELINE: &str = "pipeline";

/// The standard library, under the name that Pyodide's own has.
const LIBRARY: &str = "python_stdlib.zip";

/// The modules that say what is missing in the library and in the application.
const LIBRARY_TABLE: &str = "_rm_library";
const APPLICATION: &str = "_rm_application";

/// Where Python keeps compiled modules beside their sources.
const CACHE_FOLDER: &str = "__pycache__/";

/// What stands for a node as the reason of what Pyodide itself needs.
const REASON: &str = "Pyodide";

/// What analysis for the engine has to know of Pyodide's packages: that they are there, or that they are elsewhere.
pub(super) fn tell_of_packages(target: &mut analysis::Target, bundles: Target) {
    let packages = Packages::known();
    let modules = packages.by_module().into_iter();
    match bundles {
        Target::Pyodide => target.packages = modules.map(|(module, _)| module.to_owned()).collect(),
        Target::Wasmtime => {
            let hint = |package: &Package| {
                format!(
                    "`rm-pack build --target pyodide` has it: {} {} comes with Pyodide; otherwise name a folder that holds it with \
                     --source or in [tool.rm-pack] of pyproject.toml, or catch ImportError if the node can do without",
                    package.name, package.version
                )
            };
            let hints = modules.map(|(module, package)| (module.to_owned(), hint(package)));
            target.elsewhere = hints.collect();
        }
    }
}

/// Whether somebody imports a package that comes with Pyodide.
pub(super) fn needs_packages(found: &Closure) -> bool {
    !found.packages.is_empty()
}

/// The Python side of a bundle for Pyodide, and what analysis found. The application was imported in the engine already, which
/// told what the classes in `nodes` are; `application` is what was found then. An application that uses packages of Pyodide's
/// own was only read.
///
/// What such packages use of the standard library and of the application cannot be seen here. So nothing is left out of the
/// application then, and there is no library in the bundle: Pyodide gets its own.
pub(super) fn parts(
    tools: &Tools<'_>,
    application: &Closure,
    nodes: BTreeMap<String, PythonNode>,
) -> Result<(PyodideParts, Analysed), PackError> {
    let (request, built) = (tools.request, tools.built);
    let facts = Facts::known();
    if !facts.takes_code_of(&built.description) {
        return Err(PackError::Engine(anyhow::anyhow!(
            "Pyodide {} has another version of Python than the engine: {} and {}",
            facts.pyodide,
            facts.python,
            built.description.python
        )));
    }
    let brings_library = !needs_packages(application);
    let needed = application.packages.clone();
    let mut program = find(tools, &facts, application)?;
    let found = &mut program.closure;
    if brings_library {
        found.modules.remove(pyodide::USES);
    } else {
        let is_own = |module: &ReachedModule| module.source.origin != Origin::Stdlib;
        let library = found.modules.iter();
        let library = library.filter(|(_, module)| !is_own(module));
        found.held.extend(library.map(|(name, _)| name.clone()));
        found.modules.retain(|_, module| is_own(module));
    }
    let found = &program.closure;
    let mut texts = if request.shake && brings_library {
        docstrings::without_docstrings_like(application, found)
    } else {
        BTreeMap::new()
    };
    import_guest_first(found, &mut texts);
    let (carried, table) = program.compile(tools, &texts)?;
    let of_library: BTreeSet<&str> = table
        .iter()
        .filter(|module| module.origin == "stdlib")
        .map(|module| module.name.as_str())
        .collect();
    let (library, application): (Vec<_>, Vec<_>) = carried
        .iter()
        .partition(|module| of_library.contains(&*module.name));
    let compiler = Compiler {
        tools,
        facts: &facts,
    };
    let guest = compiler.guest()?;
    let mut files = BTreeMap::new();
    if brings_library {
        files.insert(LIBRARY.to_owned(), compiler.library(&library, &guest)?);
    }
    let mut application_files = compiler.files(&application, APPLICATION);
    let mut table_of_application = removed_table(&application);
    let stdlib = engine::stdlib();
    let names: BTreeSet<String> = stdlib.keys().map(|path| module_name(path)).collect();
    let names: Vec<_> = names.into_iter().collect();
    let _ = writeln!(table_of_application, "STDLIB = {:?}", names.join(" "));
    let absent = modules::absent(&program.plan.sources, found, &carried);
    let _ = writeln!(table_of_application, "ABSENT = {:?}", absent.join(" "));
    application_files.extend(compiler.texts(&[(APPLICATION, &table_of_application)])?);
    let packages = Packages::known();
    // Those in functions that nobody calls are not asked for, although such functions stay.
    let needed = needed.union(&found.packages_at_import);
    let packages = packages.closure(needed.map(String::as_str));
    let title = &program.plan.manifest.metadata.name;
    let mut name = normalised(title);
    if name.is_empty() {
        PIPELINE.clone_into(&mut name);
    } else if packages.contains_key(&name) {
        // A lock file has one of each name.
        name = format!("{name}-{PIPELINE}");
    }
    let wheels = wheels(name, title, application_files, guest);
    files.extend(wheels_and_lock(&facts, &wheels, &packages));
    let described = packages.iter();
    let described = described.map(|(name, package)| (name.clone(), package.described()));
    let parts = PyodideParts {
        files,
        modules: table,
        nodes,
        packages: described.collect(),
    };
    Ok((parts, program.into_analysed()))
}

/// The program as Pyodide will see it.
fn find(tools: &Tools<'_>, facts: &Facts, application: &Closure) -> Result<Program, PackError> {
    let request = tools.request;
    // The sources that were read first have the engine's guest behind them.
    let mut plan = Plan::read(request)?;
    let library = pyodide::stdlib(|module| application.modules.contains_key(module));
    plan.sources.add_memory(Origin::Stdlib, library);
    let guest = pyodide::guest().into_iter();
    let guest = guest.map(|(name, text)| (format!("{name}.py"), text));
    plan.sources
        .add_memory(Origin::Stdlib, guest.chain([pyodide::uses()]));
    let target = facts.target(&tools.built.description, request.optimize);
    let mut options = tools.options(&plan.keep);
    options.native_names.extend(facts.native_names());
    let uses = if needs_packages(application) {
        options.whole_modules = true;
        None
    } else {
        options.keep.extend(facts.keep.iter().cloned());
        Some(NodeModule {
            node_type: REASON.to_owned(),
            module: pyodide::USES.to_owned(),
            class: None,
        })
    };
    let mut program = Program::find(plan, target, options, Target::Pyodide, uses)?;
    // These are not the project's.
    let idle = &mut program.closure.idle_keeps;
    idle.retain(|kept| !facts.keep.contains(kept));
    Ok(program)
}

/// Let the first module that the interpreter reads import what stands for missing definitions. It stays on its lines; what was
/// its docstring is a text that nobody uses.
fn import_guest_first(found: &Closure, texts: &mut BTreeMap<String, String>) {
    let first = pyodide::FIRST_MODULE;
    if let Some(module) = found.modules.get(first) {
        let text = texts
            .remove(first)
            .unwrap_or_else(|| module.shaken.text.to_string());
        texts.insert(
            first.to_owned(),
            format!("import {};{text}", pyodide::BOOT[0]),
        );
    }
}

/// What is missing in which modules, as a module that says so; and which of it is at hand: in pieces, beside this module, or
/// modules as wholes.
fn removed_table(modules: &[&CarriedModule]) -> String {
    let mut text = String::from("REMOVED = {\n");
    for module in modules {
        if !module.removed.is_empty() || !module.doubtful.is_empty() {
            let (removed, doubtful) = (module.removed.join(" "), module.doubtful.join(" "));
            let _ = writeln!(text, "{:?}: ({removed:?}, {doubtful:?}),", module.name);
        }
    }
    text.push_str("}\n");
    let with = |wanted: fn(&Cold) -> bool| {
        let chosen = modules.iter().filter(|module| wanted(&module.cold));
        let names: Vec<_> = chosen.map(|module| module.name.as_str()).collect();
        names.join(" ")
    };
    let pieces = with(|cold| matches!(cold, Cold::Pieces(_)));
    let whole = with(|cold| matches!(cold, Cold::Module));
    let _ = writeln!(text, "PIECES = {pieces:?}\nLEFT_OUT = {whole:?}");
    text
}

/// `a/b.pyc` to `a/__pycache__/b.TAG.pyc`
fn cached_path(path: &str, tag: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let slash = if folder.is_empty() { "" } else { "/" };
    let name = name.trim_end_matches(".pyc");
    format!("{folder}{slash}{CACHE_FOLDER}{name}.{tag}.pyc")
}

/// Makes `.pyc` files.
struct Compiler<'a> {
    tools: &'a Tools<'a>,
    facts: &'a Facts,
}

impl Compiler<'_> {
    /// Compiled modules as files, with their sources where those are carried, and what was left out of them beside the module
    /// `table`. A namespace package has no file: it is where its modules are.
    fn files(&self, modules: &[&CarriedModule], table: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for module in modules {
            let Some(code) = &module.code else { continue };
            let path = path_of(&module.name, module.is_package);
            let compiled = pyc(self.facts, code);
            if let Some(text) = &module.source {
                // From a folder, Python takes the source before the compiled module, unless that is where it caches it.
                files.insert(cached_path(&path, &self.facts.cache_tag), compiled.clone());
                files.insert(
                    path.trim_end_matches('c').to_owned(),
                    text.as_bytes().to_vec(),
                );
            }
            files.insert(path, compiled);
            if let Cold::Pieces(pieces) = &module.cold {
                files.insert(format!("{table}_pieces/{}", module.name), pieces.clone());
            }
        }
        files
    }

    /// The standard library, with what stands for missing definitions in it.
    fn library(
        &self,
        modules: &[&CarriedModule],
        guest: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Vec<u8>, PackError> {
        let mut files = self.files(modules, LIBRARY_TABLE);
        for module in pyodide::BOOT {
            let path = path_of(module, false);
            if let Some(code) = guest.get(&path) {
                files.insert(path, code.clone());
            }
        }
        files.extend(self.texts(&[(LIBRARY_TABLE, &removed_table(modules))])?);
        Ok(archive(&files))
    }

    /// The guest's modules. Tracebacks leave them out by the names that their files have in the engine.
    fn guest(&self) -> Result<BTreeMap<String, Vec<u8>>, PackError> {
        let guest = pyodide::guest();
        let tasks: Vec<_> = guest
            .values()
            .map(|text| Task {
                text,
                passes: FOR_CODE,
            })
            .collect();
        let texts = minify_all(&tasks);
        let modules: Vec<_> = guest
            .keys()
            .zip(&texts)
            .map(|(name, text)| (name.as_str(), text.text.as_str()))
            .collect();
        self.texts(&modules)
    }

    fn texts(&self, modules: &[(&str, &str)]) -> Result<BTreeMap<String, Vec<u8>>, PackError> {
        let tools = self.tools;
        let sources = modules.iter().map(|(name, text)| {
            let source = Source {
                filename: format!("<frozen {name}>"),
                text,
                optimize: tools.request.optimize,
            };
            (*name, source)
        });
        let codes = compile_all(&tools.built.engine, tools.cache, &sources.collect())?;
        let files = codes
            .into_iter()
            .map(|(name, code)| (path_of(&name, false), pyc(self.facts, &code)));
        Ok(files.collect())
    }
}

fn wheels(
    name: String,
    title: &str,
    application: BTreeMap<String, Vec<u8>>,
    guest: BTreeMap<String, Vec<u8>>,
) -> [Wheel; 2] {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    [
        Wheel {
            name,
            version: version.clone(),
            summary: format!("The Python nodes of the pipeline {title}, compiled by rm-pack"),
            files: application,
        },
        Wheel {
            name: GUEST_WHEEL.to_owned(),
            version,
            summary: "Runs Python nodes for rm-runtime".to_owned(),
            files: guest,
        },
    ]
}

/// The wheels as files, and the lock file that lists them beside the packages that come with Pyodide.
fn wheels_and_lock(
    facts: &Facts,
    wheels: &[Wheel],
    packages: &BTreeMap<String, &Package>,
) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut locked = Vec::new();
    for wheel in wheels {
        let bytes = wheel.to_bytes();
        let modules = wheel.files.keys().filter_map(|path| {
            let module = path.strip_suffix(".pyc")?;
            (!module.contains(CACHE_FOLDER)).then_some(module)
        });
        let top = modules.map(|module| module.split('/').next().unwrap_or(module).to_owned());
        locked.push(Package {
            name: wheel.name.clone(),
            version: wheel.version.clone(),
            file_name: wheel.file_name(),
            sha256: Digest::of(&bytes),
            imports: top.collect::<BTreeSet<_>>().into_iter().collect(),
            depends: if wheel.name == GUEST_WHEEL {
                Vec::new()
            } else {
                let packages = packages.keys().cloned();
                std::iter::once(GUEST_WHEEL.to_owned())
                    .chain(packages)
                    .collect()
            },
            kind: "package".to_owned(),
            install_dir: "site".to_owned(),
        });
        files.insert(wheel.file_name(), bytes);
    }
    files.insert(
        "pyodide-lock.json".to_owned(),
        lock(facts, &locked, packages),
    );
    files
}
