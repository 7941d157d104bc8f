//! From node modules to everything they import, with the reason for each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::cold::{Piece, pieces};
use super::cut::cut;
use super::evaluate::{dependency, end};
use super::flow::Flow;
use super::listing::{Definition, list};
use super::reach::{Options, Reach};
use super::steps::Step;
use super::world::{Entry, Presence, Statuses, World};
use super::{
    AnalysisError, Certainty, ImportProblems, Link, LinkKind, MissingImport, MissingKind,
    SyntaxError,
};
use rm_runtime::suggest::nearest;

use super::{Target, hidden_imports};
use crate::nesting::on_deep_stacks;
use crate::source::{Found, ModuleSource, Origin, SourceError, SourceSet, prefixes};

/// How often statuses are recomputed before what still changes is called doubtful. Each round settles at least one more
/// link of a chain of failures; real chains have a handful.
const ROUNDS: usize = 32;

/// A module that a node's class is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeModule {
    /// The node type, as the manifest names it.
    pub node_type: String,
    /// The module's dotted name.
    pub module: String,
    /// The name of the class in it; none keeps all of the module.
    pub class: Option<String>,
}

/// A module that the nodes need and the engine does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedModule {
    /// The module with its text.
    pub source: ModuleSource,
    /// The weakest link on the strongest way to it.
    pub certainty: Certainty,
    /// The last link of the shortest of the strongest ways to it.
    pub reason: Link,
    /// What is left of it.
    pub shaken: Shaken,
}

/// A place at which it cannot be told which definitions are used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpaquePlace {
    /// The module.
    pub module: String,
    /// Its file, below its root.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is used there, such as `exec`.
    pub what: &'static str,
    /// Whether the module is kept whole for it.
    pub keeps_whole: bool,
}

/// A module without the definitions that nothing reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shaken {
    /// The text, on the same lines as in the source.
    pub text: Arc<str>,
    /// Globals that were left out, sorted.
    pub removed: Vec<String>,
    /// Globals that were left out and that the whole module has only under some condition, sorted.
    pub doubtful: Vec<String>,
    /// What was left out, where it was asked for.
    pub cold: Vec<Piece>,
    /// Whether annotations are texts in it, as `from __future__ import annotations` says.
    pub text_annotations: bool,
}

/// An import whose module only running the program tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DynamicImport {
    /// The module that does it.
    pub importer: String,
    /// Its file, below its root.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The source text of the argument.
    pub expression: String,
}

/// An import that would fail, and was left out because nothing uses what it binds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnusedImport {
    /// The module that does it.
    pub importer: String,
    /// The line, from 1.
    pub line: u32,
    /// What it cannot import.
    pub name: String,
}

/// Everything the nodes need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closure {
    /// The modules to pack, by dotted name.
    pub modules: BTreeMap<String, ReachedModule>,
    /// Namespace packages among them, which have no source.
    pub namespaces: BTreeSet<String>,
    /// Modules that the engine has and the nodes use.
    pub held: BTreeSet<String>,
    /// Those of its packages that whoever runs the bundle adds, as top-level modules; they are in `held`, too.
    pub packages: BTreeSet<String>,
    /// Those of them without which something cannot be imported.
    pub packages_at_import: BTreeSet<String>,
    /// Modules that are there but certain to raise `ImportError` on the target, with the link that asked for them.
    pub excluded: BTreeMap<String, Link>,
    /// Imports that cannot work, none of them certain to run; by importer and line.
    pub missing: Vec<MissingImport>,
    /// Imports of computed names.
    pub dynamic: Vec<DynamicImport>,
    /// Imports that would fail and were left out.
    pub unused: Vec<UnusedImport>,
    /// Files of the user's that are never read because the engine has a module of that name: module and file.
    pub shadowed: BTreeMap<String, String>,
    /// What is to be kept and nothing is called.
    pub idle_keeps: BTreeSet<String>,
    reasons: BTreeMap<String, Link>,
    /// The definitions of every module that has source and was reached, by the module's name.
    pub definitions: BTreeMap<String, Vec<Definition>>,
    /// Places at which it cannot be told which definitions are used.
    pub opaque: Vec<OpaquePlace>,
}

impl Closure {
    /// The links from a node, or from the interpreter itself, to `module`; empty when it was not reached.
    pub fn why(&self, module: &str) -> Vec<Link> {
        chain(&self.reasons, module)
    }
}

/// Follows the imports of `entries`.
///
/// # Errors
/// [`AnalysisError::Imports`] lists everything that is certain to stop the nodes' modules from being imported.
pub fn analyse(
    sources: &SourceSet,
    target: &Target,
    entries: &[NodeModule],
    options: &Options,
) -> Result<Closure, AnalysisError> {
    on_deep_stacks(|| follow(sources, target, entries, options))
}

fn follow(
    sources: &SourceSet,
    target: &Target,
    entries: &[NodeModule],
    options: &Options,
) -> Result<Closure, AnalysisError> {
    for entry in entries {
        if target.holds(&entry.module)
            && let Some(Found::Module(source)) = sources.find(&entry.module)?
        {
            let (node_type, module) = (entry.node_type.clone(), entry.module.clone());
            return Err(AnalysisError::Shadowed {
                node_type,
                module,
                file: source.shown_path(),
            });
        }
    }
    let core = hidden_imports::CORE
        .iter()
        .map(|(module, _, _)| (*module).to_owned());
    let roots = entries
        .iter()
        .map(|entry| entry.module.clone())
        .chain(target.boot_modules.iter().cloned())
        .chain(core)
        .chain(target.guest_modules().map(str::to_owned))
        .chain(options.roots());
    let world = World::discover(sources, target, roots)?;
    let statuses = settle(&world);
    let mut reach = Reach::new(&world, &statuses, options);
    reach.start(entries);
    reach.follow();
    Outcome {
        world: &world,
        reach,
    }
    .finish()
}

/// How importing each module ends: starts from all being well and goes on until nothing changes.
fn settle<'w>(world: &'w World<'_>) -> Statuses<'w> {
    let mut statuses = Statuses::default();
    for (name, presence) in world.iter() {
        if let Presence::Source(entry) = presence {
            let end = if entry.facts.is_ok() {
                Flow::NEXT
            } else {
                Flow::OTHER
            };
            statuses.insert(name, end);
        }
    }
    // Booting imported what the engine holds, so that it can be imported.
    let mut unsettled: Vec<Unsettled<'w>> = world
        .iter()
        .filter_map(|(name, presence)| match presence {
            Presence::Source(entry) if !entry.held => Some((name, entry.facts.as_deref().ok()?)),
            _ => None,
        })
        .map(|(name, facts)| Unsettled {
            name,
            steps: &facts.steps,
            depends_on: Vec::new(),
            run_at: None,
        })
        .collect();
    // When each module's end changed last, by the number of that change.
    let mut changed_at: FxHashMap<u64, usize> = FxHashMap::default();
    let mut tick = 0;
    for round in 0..ROUNDS {
        let mut changed = Vec::new();
        for module in &mut unsettled {
            if !module.is_outdated(&changed_at) {
                continue;
            }
            let (flow, depends_on) = end(world, &statuses, module.name, module.steps);
            module.depends_on = depends_on;
            module.run_at = Some(tick);
            if statuses.get(module.name) != Some(&flow) {
                statuses.insert(module.name, flow);
                tick += 1;
                changed_at.insert(dependency(module.name), tick);
                changed.push(module.name);
            }
        }
        if changed.is_empty() {
            break;
        }
        if round + 1 == ROUNDS {
            for name in changed {
                statuses.insert(name, Flow::NEXT | Flow::IMPORT_ERROR);
            }
        }
    }
    statuses
}

/// A module whose end is looked for.
struct Unsettled<'w> {
    name: &'w str,
    steps: &'w [Step],
    /// The modules that its end was found out from.
    depends_on: Vec<u64>,
    /// How many ends had changed then.
    run_at: Option<usize>,
}

impl Unsettled<'_> {
    /// Whether something has changed that its end depends on.
    fn is_outdated(&self, changed_at: &FxHashMap<u64, usize>) -> bool {
        self.run_at.is_none_or(|run_at| {
            self.depends_on
                .iter()
                .any(|module| changed_at.get(module).is_some_and(|at| *at > run_at))
        })
    }
}

fn chain(reasons: &BTreeMap<String, Link>, module: &str) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let mut at = module;
    while let Some(link) = reasons.get(at) {
        // Two modules can be each other's reason where one is used before it is imported.
        if links.iter().any(|known| known.to == link.to) {
            break;
        }
        links.push(link.clone());
        if matches!(link.kind, LinkKind::Node | LinkKind::Interpreter) {
            break;
        }
        at = &link.from;
    }
    links.reverse();
    links
}

/// Puts together what was reached.
struct Outcome<'w> {
    world: &'w World<'w>,
    reach: Reach<'w>,
}

impl Outcome<'_> {
    fn finish(self) -> Result<Closure, AnalysisError> {
        let (certain, missing): (Vec<_>, Vec<_>) = self
            .described()?
            .into_iter()
            .partition(|missing| missing.certainty == Certainty::Certain);
        let syntax = self.syntax_errors();
        if !certain.is_empty() || !syntax.is_empty() {
            return Err(AnalysisError::Imports(Box::new(ImportProblems {
                syntax,
                missing: certain,
            })));
        }
        let mut closure = Closure {
            missing,
            ..Closure::default()
        };
        for (name, certainty) in &self.reach.reached {
            match self.world.get(name) {
                Presence::Absent => {}
                Presence::Native => {
                    if self.world.target.adds(name, self.world.sources)? {
                        let top = prefixes(name).next().unwrap_or(name);
                        closure.packages.insert(top.to_owned());
                        if *certainty != Certainty::InFunction {
                            closure.packages_at_import.insert(top.to_owned());
                        }
                    }
                    closure.held.insert(name.clone());
                }
                Presence::Namespace => {
                    closure.namespaces.insert(name.clone());
                }
                Presence::Source(entry) if entry.held => {
                    closure.held.insert(name.clone());
                }
                Presence::Source(entry) => {
                    let module = ReachedModule {
                        source: ModuleSource {
                            text: Arc::clone(&entry.original),
                            ..entry.source.clone()
                        },
                        certainty: *certainty,
                        reason: self.reach.reasons[name].clone(),
                        shaken: self.shaken(name, entry),
                    };
                    closure.modules.insert(name.clone(), module);
                }
            }
        }
        closure.definitions = list(&self.reach);
        closure.opaque = self.opaque();
        closure.unused = self.reach.unused_failures();
        closure.shadowed = self.shadowed(&closure.held)?;
        closure.excluded = self.reach.excluded;
        closure.idle_keeps = self.reach.idle_keeps;
        closure.dynamic = self.reach.dynamic.into_iter().collect();
        closure.reasons = self.reach.reasons;
        Ok(closure)
    }

    fn opaque(&self) -> Vec<OpaquePlace> {
        let mut places: Vec<OpaquePlace> = self
            .reach
            .opaque
            .iter()
            .filter_map(|place| {
                let name = self.reach.name(place.module);
                let Presence::Source(entry) = self.world.get(name) else {
                    return None;
                };
                Some(OpaquePlace {
                    module: name.to_owned(),
                    file: entry.source.display_path.clone(),
                    line: entry.lines.line(place.at),
                    what: place.what,
                    keeps_whole: place.keeps_whole,
                })
            })
            .collect();
        places.sort();
        places
    }

    fn shaken(&self, name: &str, entry: &Entry) -> Shaken {
        let whole = || Shaken {
            text: Arc::clone(&entry.source.text),
            removed: Vec::new(),
            doubtful: Vec::new(),
            cold: Vec::new(),
            text_annotations: entry.definitions.text_annotations,
        };
        match (&entry.facts, self.reach.id(name)) {
            (Ok(facts), Some(id)) if !self.reach.keeps_all() => {
                let cut = cut(&self.reach, id, entry, facts);
                Shaken {
                    text: cut.text.into(),
                    removed: cut.removed,
                    doubtful: cut.doubtful,
                    cold: if self.reach.wants_cold() {
                        pieces(&self.reach, id, entry)
                    } else {
                        Vec::new()
                    },
                    ..whole()
                }
            }
            (_, _) => whole(),
        }
    }

    fn syntax_errors(&self) -> Vec<SyntaxError> {
        let mut errors = Vec::new();
        for name in self.reach.reached.keys() {
            if let Presence::Source(entry) = self.world.get(name)
                && let Err(error) = &entry.facts
            {
                errors.push(SyntaxError {
                    chain: chain(&self.reach.reasons, name),
                    ..(**error).clone()
                });
            }
        }
        errors
    }

    /// What each module misses, once: at the first of the lines where that is most certain.
    fn described(&self) -> Result<Vec<MissingImport>, SourceError> {
        let mut strongest: BTreeMap<(&str, &str, &MissingKind), (Certainty, u32)> = BTreeMap::new();
        for (certainty, link, kind) in &self.reach.missing {
            let place = (*certainty, link.line);
            let known = strongest
                .entry((&link.from, &link.to, kind))
                .or_insert(place);
            *known = place.min(*known);
        }
        let mut all = Vec::new();
        for ((importer, name, kind), (certainty, line)) in strongest {
            let source = match self.world.get(importer) {
                Presence::Source(entry) => Some(&entry.source),
                Presence::Absent | Presence::Native | Presence::Namespace => None,
            };
            all.push(MissingImport {
                name: name.to_owned(),
                kind: kind.clone(),
                importer: importer.to_owned(),
                file: source.map(ModuleSource::shown_path).unwrap_or_default(),
                line,
                certainty,
                chain: chain(&self.reach.reasons, importer),
                nearest: self.nearest(name, kind, source)?,
                hint: self.hint(name, kind, source)?,
            });
        }
        all.sort_by(|a, b| (&a.importer, a.line, &a.name).cmp(&(&b.importer, b.line, &b.name)));
        Ok(all)
    }

    /// What is known of a missing module on another target.
    fn elsewhere(&self, name: &str) -> Option<&String> {
        let top = prefixes(name).next().unwrap_or(name);
        self.world.target.elsewhere.get(top)
    }

    fn nearest(
        &self,
        name: &str,
        kind: &MissingKind,
        importer: Option<&ModuleSource>,
    ) -> Result<Option<String>, SourceError> {
        let by_library = importer.is_some_and(|importer| importer.origin == Origin::Stdlib);
        match kind {
            // The name is right.
            MissingKind::Module if by_library || self.elsewhere(name).is_some() => Ok(None),
            MissingKind::Module => {
                let (package, last) = name.rsplit_once('.').unwrap_or(("", name));
                let mut known = self.world.sources.children(package)?;
                if package.is_empty() {
                    known.extend(self.world.target.builtin_modules.iter().cloned());
                }
                // A private module is nobody's intention: its public face, which is what comes near, was imported already.
                let nearest = (!last.starts_with('_'))
                    .then(|| nearest(last, known.iter().map(String::as_str)))
                    .flatten();
                Ok(nearest.map(|last| {
                    if package.is_empty() {
                        last.to_owned()
                    } else {
                        format!("{package}.{last}")
                    }
                }))
            }
            MissingKind::Name { module } => {
                let mut known = self.world.sources.children(module)?;
                known.extend(
                    self.world
                        .get(module)
                        .facts()
                        .into_iter()
                        .flat_map(|facts| facts.names.keys().cloned()),
                );
                Ok(nearest(name, known.iter().map(String::as_str)).map(str::to_owned))
            }
            MissingKind::BeyondTopLevel | MissingKind::NotPython(_) | MissingKind::Refuses => {
                Ok(None)
            }
        }
    }

    fn hint(
        &self,
        name: &str,
        kind: &MissingKind,
        importer: Option<&ModuleSource>,
    ) -> Result<Option<String>, SourceError> {
        Ok(match kind {
            MissingKind::Module => {
                let platform = &self.world.target.platform;
                if self.world.sources.is_excluded(name) {
                    Some("`exclude` under [tool.rm-pack] in pyproject.toml leaves it out".to_owned())
                } else if let Some(file) = self.world.sources.compiled_extension(name)? {
                    Some(format!("{} is compiled for another platform and cannot be loaded", file.display()))
                } else if importer.is_some_and(|importer| importer.origin == Origin::Stdlib) {
                    Some(format!("Python has no `{name}` on {platform}, so that this part of its library cannot be used"))
                } else if self.world.target.stdlib_names.contains(name) {
                    Some(format!("Python has no `{name}` on {platform}"))
                } else if let Some(hint) = self.elsewhere(name) {
                    Some(hint.clone())
                } else {
                    Some(
                        "name the folder that holds it with --source or in [tool.rm-pack] of pyproject.toml, or catch \
                         ImportError if the node can do without"
                            .to_owned(),
                    )
                }
            }
            MissingKind::BeyondTopLevel => {
                Some("relative imports work inside a package only: a folder that is imported by its name".to_owned())
            }
            MissingKind::Name { module } => match importer {
                Some(importer) if importer.origin != Origin::Node => self.in_place_of(module)?,
                _ => None,
            },
            MissingKind::NotPython(_) | MissingKind::Refuses => None,
        })
    }

    /// What to do where the user's own `module` is taken for one of the library.
    fn in_place_of(&self, module: &str) -> Result<Option<String>, SourceError> {
        let Presence::Source(entry) = self.world.get(module) else {
            return Ok(None);
        };
        let is_own = entry.source.origin == Origin::Node;
        let of_library = is_own && self.world.sources.find_stdlib(module)?.is_some();
        Ok(of_library.then(|| {
            let file = entry.source.shown_path();
            format!("{file} is read in place of the library's `{module}`: rename the file")
        }))
    }

    /// The held modules that a node folder has a file for.
    fn shadowed(&self, held: &BTreeSet<String>) -> Result<BTreeMap<String, String>, SourceError> {
        let mut shadowed = BTreeMap::new();
        for name in held {
            if let Some(Found::Module(source)) = self.world.sources.find(name)?
                && source.origin == Origin::Node
            {
                shadowed.insert(name.clone(), source.shown_path());
            }
        }
        Ok(shadowed)
    }
}
