//! The last stage for Pyodide: wheels of compiled modules, and a library that is enough for them and for Pyodide itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rm_runtime::bundle::{PackedModule, PyodideParts, PythonNode};
use rm_runtime::cache::Cache;
use rm_runtime::digest::Digest;

use super::plan::Plan;
use super::{PackError, Request, docstrings, modules};
use crate::analysis::{self, Closure, NodeModule, Options};
use crate::compile::{Source, compile_all};
use crate::engine::{self, BuiltEngine};
use crate::freeze::CarriedModule;
use crate::minify::{FOR_CODE, Task, minify_all};
use crate::pyodide::lock::{Locked, lock};
use crate::pyodide::wheel::{Wheel, normalised};
use crate::pyodide::zip::archive;
use crate::pyodide::{self, Facts, path_of, pyc};
use crate::source::Origin;

/// The distribution with the guest.
const GUEST_WHEEL: &str = "remotemedia-pack-guest";

/// The standard library, under the name that Pyodide's own has.
const LIBRARY: &str = "python_stdlib.zip";

/// What stands for a node as the reason of what Pyodide itself needs.
const REASON: &str = "Pyodide";

/// The Python side of a bundle for Pyodide, and what analysis found. The application was imported in the engine already, which
/// told what the classes in `nodes` are; `application` is what was found then.
pub(super) fn parts(
    request: &Request,
    (built, cache): (&BuiltEngine, &Cache),
    options: &Options,
    application: &Closure,
    name: &str,
    nodes: BTreeMap<String, PythonNode>,
) -> Result<PyodideParts, PackError> {
    let facts = Facts::known();
    if !facts.takes_code_of(&built.description) {
        return Err(PackError::Engine(anyhow::anyhow!(
            "Pyodide {} has another version of Python than the engine: {} and {}",
            facts.pyodide,
            facts.python,
            built.description.python
        )));
    }
    let mut found = analyse(request, built, options, (&facts, application))?;
    found.modules.remove(pyodide::USES);
    let mut texts = if request.shake {
        docstrings::without_docstrings_like(application, &found)
    } else {
        BTreeMap::new()
    };
    import_guest_first(&found, &mut texts);
    let carried = modules::compile(request, &built.engine, cache, &found, &texts)?;
    let table = modules::table(&found, &carried);
    let (library, application): (Vec<_>, Vec<_>) = carried.iter().partition(|module| {
        let reached = found.modules.get(&module.name);
        reached.is_some_and(|reached| reached.source.origin == Origin::Stdlib)
    });
    let compiler = Compiler {
        request,
        built,
        cache,
        facts: &facts,
    };
    let guest = compiler.guest()?;
    let mut library_files = compiler.files(&library);
    library_files.extend(
        guest
            .iter()
            .filter(|(path, _)| {
                pyodide::BOOT
                    .iter()
                    .any(|boot| path_of(boot, false) == **path)
            })
            .map(|(path, code)| (path.clone(), code.clone())),
    );
    let table_of_library = removed_table(&library);
    library_files.extend(compiler.texts(&[("_rm_library", &table_of_library)])?);
    let mut application_files = compiler.files(&application);
    let mut table_of_application = removed_table(&application);
    let stdlib = engine::stdlib();
    let names: BTreeSet<String> = stdlib.keys().filter_map(|path| module_of(path)).collect();
    let names: Vec<_> = names.into_iter().collect();
    let _ = writeln!(table_of_application, "STDLIB = {:?}", names.join(" "));
    application_files.extend(compiler.texts(&[("_rm_application", &table_of_application)])?);
    let wheels = wheels(name, application_files, guest);
    Ok(PyodideParts {
        files: files(&facts, &wheels, &library_files),
        modules: sorted(table),
        nodes,
    })
}

fn analyse(
    request: &Request,
    built: &BuiltEngine,
    options: &Options,
    (facts, application): (&Facts, &Closure),
) -> Result<Closure, PackError> {
    // The sources that were read first have the engine's guest behind them.
    let mut plan = Plan::read(request)?;
    let library = pyodide::stdlib(|module| application.modules.contains_key(module));
    plan.sources.add_memory(Origin::Stdlib, library);
    let guest = pyodide::guest().into_iter();
    let guest = guest.map(|(name, text)| (format!("{name}.py"), text));
    plan.sources
        .add_memory(Origin::Stdlib, guest.chain([pyodide::uses()]));
    let target = facts.target(&built.description, request.optimize);
    let mut entries = plan.entries();
    entries.push(NodeModule {
        node_type: REASON.to_owned(),
        module: pyodide::USES.to_owned(),
        class: None,
    });
    let mut options = options.clone();
    options.native_names.extend(facts.native_names());
    options.keep.extend(facts.keep.iter().cloned());
    options.cold = false;
    Ok(analysis::analyse(
        &plan.sources,
        &target,
        &entries,
        &options,
    )?)
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

/// `json/decoder.py` to `json.decoder`.
fn module_of(path: &str) -> Option<String> {
    let path = path.strip_suffix(".py")?;
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    Some(path.replace('/', "."))
}

/// What is missing in which modules, as a module that says so.
fn removed_table(modules: &[&CarriedModule]) -> String {
    let mut text = String::from("REMOVED = {\n");
    for module in modules {
        if !module.removed.is_empty() || !module.doubtful.is_empty() {
            let (removed, doubtful) = (module.removed.join(" "), module.doubtful.join(" "));
            let _ = writeln!(text, "{:?}: ({removed:?}, {doubtful:?}),", module.name);
        }
    }
    text.push_str("}\n");
    text
}

/// Makes `.pyc` files.
struct Compiler<'a> {
    request: &'a Request,
    built: &'a BuiltEngine,
    cache: &'a Cache,
    facts: &'a Facts,
}

impl Compiler<'_> {
    /// Compiled modules as files. A namespace package has none: it is where its modules are.
    fn files(&self, modules: &[&CarriedModule]) -> BTreeMap<String, Vec<u8>> {
        let with_code = modules.iter().filter_map(|module| {
            let code = module.code.as_ref()?;
            Some((
                path_of(&module.name, module.is_package),
                pyc(self.facts, code),
            ))
        });
        with_code.collect()
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
        let sources = modules.iter().map(|(name, text)| {
            let source = Source {
                filename: format!("<frozen {name}>"),
                text,
                optimize: self.request.optimize,
            };
            (*name, source)
        });
        let codes = compile_all(&self.built.engine, self.cache, &sources.collect())?;
        let files = codes
            .into_iter()
            .map(|(name, code)| (path_of(&name, false), pyc(self.facts, &code)));
        Ok(files.collect())
    }
}

fn wheels(
    name: &str,
    application: BTreeMap<String, Vec<u8>>,
    guest: BTreeMap<String, Vec<u8>>,
) -> [Wheel; 2] {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    [
        Wheel {
            name: normalised(name),
            version: version.clone(),
            summary: format!("The Python nodes of the pipeline {name}, compiled by rm-pack"),
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

fn files(
    facts: &Facts,
    wheels: &[Wheel],
    library: &BTreeMap<String, Vec<u8>>,
) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::from([(LIBRARY.to_owned(), archive(library))]);
    let mut locked = Vec::new();
    for wheel in wheels {
        let bytes = wheel.to_bytes();
        let top = wheel.files.keys().map(|path| {
            let top = path.split('/').next().unwrap_or(path);
            top.strip_suffix(".pyc").unwrap_or(top).to_owned()
        });
        locked.push(Locked {
            name: wheel.name.clone(),
            version: wheel.version.clone(),
            file_name: wheel.file_name(),
            sha256: Digest::of(&bytes),
            imports: top.collect::<BTreeSet<_>>().into_iter().collect(),
            depends: if wheel.name == GUEST_WHEEL {
                Vec::new()
            } else {
                vec![GUEST_WHEEL.to_owned()]
            },
        });
        files.insert(wheel.file_name(), bytes);
    }
    files.insert("pyodide-lock.json".to_owned(), lock(facts, &locked));
    files
}

fn sorted(mut table: Vec<PackedModule>) -> Vec<PackedModule> {
    table.sort_by(|left, right| left.name.cmp(&right.name));
    table
}
