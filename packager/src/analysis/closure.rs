//! From node modules to everything they import, with the reason for each.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::{Edge, Goal, run};
use super::flow::Flow;
use super::parse::on_deep_stacks;
use super::world::{Presence, Statuses, World};
use super::{
    AnalysisError, Certainty, ImportProblems, Link, LinkKind, MissingImport, MissingKind,
    SyntaxError,
};
use rm_runtime::suggest::nearest;

use super::{Target, hidden_imports};
use crate::source::{Found, ModuleSource, Origin, SourceError, SourceSet};

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
}

/// A module that the nodes need and the engine does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedModule {
    /// The module with its text.
    pub source: ModuleSource,
    /// The weakest link on the strongest way to it.
    pub certainty: Certainty,
    /// Whether it is imported when the nodes are, as far as reading the code can say: [`Self::certainty`] is not
    /// [`Certainty::InFunction`].
    pub eager: bool,
    /// The last link of the shortest of the strongest ways to it.
    pub reason: Link,
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

/// Everything the nodes need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closure {
    /// The modules to pack, by dotted name.
    pub modules: BTreeMap<String, ReachedModule>,
    /// Namespace packages among them, which have no source.
    pub namespaces: BTreeSet<String>,
    /// Modules that the engine has and the nodes use.
    pub held: BTreeSet<String>,
    /// Modules that are there but certain to raise `ImportError` on the target, with the link that asked for them.
    pub excluded: BTreeMap<String, Link>,
    /// Imports that cannot work, none of them certain to run; by importer and line.
    pub missing: Vec<MissingImport>,
    /// Imports of computed names.
    pub dynamic: Vec<DynamicImport>,
    /// Files of the user's that are never read because the engine has a module of that name: module and file.
    pub shadowed: BTreeMap<String, String>,
    reasons: BTreeMap<String, Link>,
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
) -> Result<Closure, AnalysisError> {
    on_deep_stacks(|| follow(sources, target, entries))
}

fn follow(
    sources: &SourceSet,
    target: &Target,
    entries: &[NodeModule],
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
        .map(|(module, _)| (*module).to_owned());
    let roots = entries
        .iter()
        .map(|entry| entry.module.clone())
        .chain(target.boot_modules.iter().cloned())
        .chain(core);
    let world = World::discover(sources, target, roots)?;
    let statuses = settle(&world);
    let mut walk = Walk::new(&world, &statuses);
    walk.start(entries);
    walk.follow();
    walk.finish()
}

/// How importing each module ends: starts from all being well and goes on until nothing changes.
fn settle(world: &World<'_>) -> Statuses {
    let mut statuses = Statuses::new();
    for (name, presence) in world.iter() {
        if let Presence::Source(entry) = presence {
            statuses.insert(
                name.to_owned(),
                if entry.facts.is_ok() {
                    Flow::NEXT
                } else {
                    Flow::OTHER
                },
            );
        }
    }
    for round in 0..ROUNDS {
        let mut changed = Vec::new();
        for (name, presence) in world.iter() {
            let Presence::Source(entry) = presence else {
                continue;
            };
            let Ok(facts) = &entry.facts else { continue };
            // Booting imported it, so that it can be imported.
            if entry.held {
                continue;
            }
            let (_, flow) = run(world, &statuses, name, &facts.steps);
            if statuses.get(name) != Some(&flow) {
                statuses.insert(name.to_owned(), flow);
                changed.push(name.to_owned());
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

fn chain(reasons: &BTreeMap<String, Link>, module: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut at = module;
    while let Some(link) = reasons.get(at) {
        links.push(link.clone());
        // Each module's reason was reached before it, so this ends.
        if matches!(link.kind, LinkKind::Node | LinkKind::Interpreter) {
            break;
        }
        at = &link.from;
    }
    links.reverse();
    links
}

/// The breadth-first walk, strongest links first.
struct Walk<'w> {
    world: &'w World<'w>,
    statuses: &'w Statuses,
    reasons: BTreeMap<String, Link>,
    reached: BTreeMap<String, Certainty>,
    /// Links found so far whose goal was not reached by a stronger way, by the certainty of the whole way.
    waiting: BTreeMap<Certainty, Vec<Link>>,
    missing: Vec<(Certainty, Link, MissingKind)>,
    excluded: BTreeMap<String, Link>,
    dynamic: BTreeSet<DynamicImport>,
}

impl<'w> Walk<'w> {
    fn new(world: &'w World<'w>, statuses: &'w Statuses) -> Self {
        Self {
            world,
            statuses,
            reasons: BTreeMap::new(),
            reached: BTreeMap::new(),
            waiting: BTreeMap::new(),
            missing: Vec::new(),
            excluded: BTreeMap::new(),
            dynamic: BTreeSet::new(),
        }
    }

    fn start(&mut self, entries: &[NodeModule]) {
        let root = |from: &str, to: &str, kind, certainty| Link {
            from: from.to_owned(),
            to: to.to_owned(),
            file: String::new(),
            line: 0,
            kind,
            certainty,
        };
        let entries: BTreeSet<&NodeModule> = entries.iter().collect();
        for entry in entries {
            for module in super::world::prefixes(&entry.module) {
                self.wait(
                    Certainty::Certain,
                    root(&entry.node_type, module, LinkKind::Node, Certainty::Certain),
                );
            }
        }
        for module in &self.world.target.boot_modules {
            self.wait(
                Certainty::Certain,
                root("", module, LinkKind::Interpreter, Certainty::Certain),
            );
        }
        for (module, certainty) in hidden_imports::CORE {
            for prefix in super::world::prefixes(module) {
                self.wait(
                    *certainty,
                    root("", prefix, LinkKind::Interpreter, *certainty),
                );
            }
        }
    }

    fn wait(&mut self, certainty: Certainty, link: Link) {
        self.waiting.entry(certainty).or_default().push(link);
    }

    fn follow(&mut self) {
        while let Some((certainty, links)) = self.waiting.pop_first() {
            for link in links {
                self.reach(certainty, link);
            }
        }
    }

    /// Reaches what `link` leads to, unless a stronger or shorter way has.
    fn reach(&mut self, certainty: Certainty, link: Link) {
        if self.reached.contains_key(&link.to) {
            return;
        }
        let module = link.to.clone();
        if self.fails(&module) && certainty != Certainty::Certain {
            self.excluded.entry(module).or_insert(link);
            return;
        }
        match self.world.get(&module) {
            Presence::Absent => {
                // The interpreter's own list names modules that a smaller library may not have.
                if link.kind == LinkKind::Node {
                    self.missing.push((certainty, link, MissingKind::Module));
                }
                return;
            }
            Presence::Source(entry) => {
                if let Err(error) = &entry.facts
                    && certainty != Certainty::Certain
                {
                    let message = format!("{} (line {})", error.message, error.line);
                    self.missing
                        .push((certainty, link, MissingKind::NotPython(message)));
                    return;
                }
            }
            Presence::Native | Presence::Namespace => {}
        }
        self.excluded.remove(&module);
        self.reasons.insert(module.clone(), link);
        self.reached.insert(module.clone(), certainty);
        for (certainty, link) in self.links_of(&module, certainty) {
            self.wait(certainty, link);
        }
    }

    /// What `module`, reached with `reached`, leads to; what it leads to and is not there goes to `missing`.
    fn links_of(&mut self, module: &str, reached: Certainty) -> Vec<(Certainty, Link)> {
        let mut links = Vec::new();
        let mut blamed = false;
        let link = |to: &str, file: &str, edge: &Edge| Link {
            from: module.to_owned(),
            to: to.to_owned(),
            file: file.to_owned(),
            line: edge.line,
            kind: edge.kind,
            certainty: edge.certainty,
        };
        match self.world.get(module) {
            Presence::Absent | Presence::Namespace => {}
            Presence::Native => {
                for (to, certainty) in hidden_imports::imports_of(module) {
                    for prefix in super::world::prefixes(to) {
                        let edge = Edge {
                            line: 0,
                            certainty: *certainty,
                            kind: LinkKind::Native,
                            goal: Goal::Module(prefix.to_owned()),
                        };
                        links.push((reached.max(*certainty), link(prefix, "", &edge)));
                    }
                }
            }
            Presence::Source(entry) => {
                let Ok(facts) = &entry.facts else {
                    return links;
                };
                let file = &entry.source.display_path;
                if entry.source.origin == Origin::Stdlib {
                    for to in hidden_imports::computed_by(module) {
                        let edge = Edge {
                            line: 0,
                            certainty: Certainty::InFunction,
                            kind: LinkKind::Computed,
                            goal: Goal::Module((*to).to_owned()),
                        };
                        links.push((reached.max(edge.certainty), link(to, file, &edge)));
                    }
                }
                for edge in run(self.world, self.statuses, module, &facts.steps).0 {
                    let certainty = reached.max(edge.certainty);
                    match &edge.goal {
                        Goal::Module(to) => {
                            blamed |= certainty == Certainty::Certain && self.fails(to);
                            links.push((certainty, link(to, file, &edge)));
                        }
                        // The engine has imported this module, so that whatever it lacks did not matter.
                        Goal::Missing { .. }
                            if entry.held && edge.certainty == Certainty::Certain => {}
                        Goal::Missing { name, kind } => {
                            blamed |= certainty == Certainty::Certain;
                            self.missing
                                .push((certainty, link(name, file, &edge), kind.clone()));
                        }
                        Goal::Dynamic(expression) => {
                            self.dynamic.insert(DynamicImport {
                                importer: module.to_owned(),
                                file: file.clone(),
                                line: edge.line,
                                expression: expression.clone(),
                            });
                        }
                    }
                }
            }
        }
        // It fails, and no import of its own is to blame: it raises the error itself.
        if !blamed
            && reached == Certainty::Certain
            && self.fails(module)
            && let Some(reason) = self.reasons.get(module)
        {
            self.missing
                .push((reached, reason.clone(), MissingKind::Refuses));
        }
        links
    }

    fn fails(&self, module: &str) -> bool {
        self.statuses.get(module).is_some_and(|flow| flow.fails())
    }

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
        for (name, certainty) in &self.reached {
            match self.world.get(name) {
                Presence::Absent => {}
                Presence::Native => {
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
                        source: entry.source.clone(),
                        certainty: *certainty,
                        eager: *certainty != Certainty::InFunction,
                        reason: self.reasons[name].clone(),
                    };
                    closure.modules.insert(name.clone(), module);
                }
            }
        }
        closure.shadowed = self.shadowed(&closure.held)?;
        closure.excluded = self.excluded;
        closure.dynamic = self.dynamic.into_iter().collect();
        closure.reasons = self.reasons;
        Ok(closure)
    }

    fn syntax_errors(&self) -> Vec<SyntaxError> {
        let mut errors = Vec::new();
        for name in self.reached.keys() {
            if let Presence::Source(entry) = self.world.get(name)
                && let Err(error) = &entry.facts
            {
                errors.push(SyntaxError {
                    chain: chain(&self.reasons, name),
                    ..(**error).clone()
                });
            }
        }
        errors
    }

    /// What each module misses, once: at the first of the lines where that is most certain.
    fn described(&self) -> Result<Vec<MissingImport>, SourceError> {
        let mut strongest: BTreeMap<(&str, &str, &MissingKind), (Certainty, u32)> = BTreeMap::new();
        for (certainty, link, kind) in &self.missing {
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
                chain: chain(&self.reasons, importer),
                nearest: self.nearest(name, kind)?,
                hint: self.hint(name, kind, source)?,
            });
        }
        all.sort_by(|a, b| (&a.importer, a.line, &a.name).cmp(&(&b.importer, b.line, &b.name)));
        Ok(all)
    }

    fn nearest(&self, name: &str, kind: &MissingKind) -> Result<Option<String>, SourceError> {
        match kind {
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
                if let Some(file) = self.world.sources.compiled_extension(name)? {
                    Some(format!("{} is compiled for another platform and cannot be loaded", file.display()))
                } else if importer.is_some_and(|importer| importer.origin == Origin::Stdlib) {
                    Some(format!("Python has no `{name}` on {platform}, so that this part of its library cannot be used"))
                } else if self.world.target.stdlib_names.contains(name) {
                    Some(format!("Python has no `{name}` on {platform}"))
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
            MissingKind::Name { .. } | MissingKind::NotPython(_) | MissingKind::Refuses => None,
        })
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
