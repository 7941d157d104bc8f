//! Runs a module's [`Step`]s against what the target has: which imports happen, which cannot, and how the module ends.

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;

use ruff_text_size::TextSize;
use rustc_hash::FxBuildHasher;

use super::Certainty;
use super::flow::Flow;
use super::hidden_imports;
use super::steps::{Import, Request, Step, Stop, Try};
use super::world::{Attribute, Entry, Presence, Statuses, World};
use super::{LinkKind, MissingKind};
use crate::source::{Origin, prefixes};

/// Something an import leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Goal {
    /// A module.
    Module(String),
    /// Something that is not there.
    Missing { name: String, kind: MissingKind },
    /// Whatever the expression with this text names.
    Dynamic(String),
}

/// One outcome of an import.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    /// Where the import stands in the text.
    pub(super) at: TextSize,
    pub(super) line: u32,
    pub(super) certainty: Certainty,
    pub(super) kind: LinkKind,
    /// Whether a handler catches it for good if it fails.
    pub(super) caught: bool,
    pub(super) goal: Goal,
}

/// What running a module's steps found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order in which the code runs.
    pub(super) edges: Vec<Edge>,
    /// Handlers, by where they begin, that something can lead to.
    handled: BTreeSet<TextSize>,
    /// Handlers that were looked at and that nothing led to.
    passed: BTreeSet<TextSize>,
    /// Whether only how the module ends is asked for: no edges are listed, and functions are not looked into.
    only_end: bool,
    /// In that case the modules whose ends this one's depends on, as hashes of their names.
    depends_on: Vec<u64>,
}

impl Found {
    /// Whether the handler that begins at `at` can never run.
    pub(super) fn is_dead(&self, at: TextSize) -> bool {
        self.passed.contains(&at) && !self.handled.contains(&at)
    }
}

/// Every edge of `module`, in the order its code runs, and how importing it ends.
///
/// Behind a top-level import that cannot work nothing runs; its edges are listed all the same, so that one error can
/// name everything that is missing.
pub(super) fn run(
    world: &World<'_>,
    statuses: &Statuses<'_>,
    module: &str,
    steps: &[Step],
) -> Found {
    let mut found = Found::default();
    follow(world, statuses, module, steps, &mut found);
    found
}

/// How importing `module` ends, and the modules, by [`dependency`], that this depends on.
pub(super) fn end(
    world: &World<'_>,
    statuses: &Statuses<'_>,
    module: &str,
    steps: &[Step],
) -> (Flow, Vec<u64>) {
    let mut found = Found {
        only_end: true,
        ..Found::default()
    };
    let flow = follow(world, statuses, module, steps, &mut found);
    (flow, found.depends_on)
}

/// What stands for a module in the answer of [`end`]; two may have the same.
pub(super) fn dependency(module: &str) -> u64 {
    FxBuildHasher.hash_one(module)
}

fn follow(
    world: &World<'_>,
    statuses: &Statuses<'_>,
    module: &str,
    steps: &[Step],
    found: &mut Found,
) -> Flow {
    let is_stdlib = |entry: &Entry| entry.source.origin == Origin::Stdlib;
    let runner = Runner {
        world,
        statuses,
        module,
        has_all_it_asks_for: hidden_imports::has_all_it_asks_for(module, world.target)
            && matches!(world.get(module), Presence::Source(entry) if is_stdlib(entry)),
    };
    let mut flow = Flow::NEXT;
    for step in steps {
        let end = runner.step(step, Mode::TOP, found);
        if flow.has(Flow::NEXT) {
            flow = flow.without(Flow::NEXT) | end;
        }
        if !end.has(Flow::NEXT) && !matches!(step, Step::Import(_)) {
            break;
        }
    }
    flow.without(Flow::WEAK | Flow::LEAVE)
}

struct Runner<'r> {
    world: &'r World<'r>,
    statuses: &'r Statuses<'r>,
    module: &'r str,
    /// It is a module of the library of which nothing fails while it is imported.
    has_all_it_asks_for: bool,
}

impl Runner<'_> {
    fn steps(&self, steps: &[Step], mode: Mode, found: &mut Found) -> Flow {
        let mut flow = Flow::NEXT;
        for step in steps {
            flow = flow.without(Flow::NEXT) | self.step(step, mode, found);
            if !flow.has(Flow::NEXT) {
                break;
            }
        }
        flow
    }

    fn step(&self, step: &Step, mode: Mode, found: &mut Found) -> Flow {
        match step {
            Step::Import(import) => self.import(import, mode, found),
            Step::Either(arms) => arms.iter().fold(Flow::NEVER, |flow, arm| {
                flow | self.steps(arm, mode.perhaps(), found)
            }),
            Step::Loop(body) => {
                let flow = self.steps(body, mode.perhaps(), found);
                flow.without(Flow::LEAVE) | Flow::NEXT
            }
            Step::Try(step) => self.try_step(step, mode, found),
            Step::Later(body) => {
                if !found.only_end {
                    self.steps(body, Mode::LATER, found);
                }
                Flow::NEXT
            }
            Step::Stop(reason) => match reason {
                Stop::ImportError => Flow::IMPORT_ERROR,
                Stop::ModuleNotFound => Flow::NOT_FOUND,
                Stop::Reraise if mode.caught == Flow::NEVER => Flow::OTHER,
                Stop::Reraise => mode.caught,
                Stop::Exception => Flow::OTHER,
                Stop::Unknown => Flow::OTHER | Flow::IMPORT_ERROR,
                Stop::Leave => Flow::LEAVE,
            },
        }
    }

    /// Whether a block imports a module that is not the library's: its top level can raise whatever it likes.
    fn runs_own_module(&self, steps: &[Step]) -> bool {
        let is_own = |name: &str| self.is_own(name);
        steps.iter().any(|step| match step {
            Step::Import(import) => match &import.request {
                Request::Module(name) | Request::Star(name) | Request::Call(name) => is_own(name),
                Request::Name { module, name } => {
                    is_own(module) || is_own(&format!("{module}.{name}"))
                }
                Request::Dynamic(_) => true,
                Request::Beyond(_) | Request::Codec(_) | Request::Find(_) => false,
            },
            Step::Either(arms) => arms.iter().any(|arm| self.runs_own_module(arm)),
            Step::Loop(body) => self.runs_own_module(body),
            Step::Try(inner) => {
                self.runs_own_module(&inner.body)
                    || self.runs_own_module(&inner.orelse)
                    || self.runs_own_module(&inner.finally)
                    || inner
                        .handlers
                        .iter()
                        .any(|handler| self.runs_own_module(&handler.steps))
            }
            Step::Later(_) | Step::Stop(_) => false,
        })
    }

    fn try_step(&self, step: &Try, mode: Mode, found: &mut Found) -> Flow {
        // An import that fails is only survived if the handler that catches it does not raise in turn.
        let mut survived = mode.survived;
        let mut taken = Flow::NEVER;
        for handler in &step.handlers {
            let caught = handler.catches.any().without(taken);
            let probe = Mode {
                caught: Flow::RAISES,
                ..mode
            };
            let end = if found.only_end {
                self.steps(&handler.steps, probe, found)
            } else {
                self.steps(&handler.steps, probe, &mut Found::default())
            };
            if end.has(Flow::NEXT | Flow::LEAVE) {
                survived |= caught.and(Flow::NOT_FOUND | Flow::IMPORT_ERROR);
            }
            taken |= handler.catches.sure;
        }
        let body = self.steps(&step.body, Mode { survived, ..mode }, found);

        let mut flow = body.without(Flow::NEXT | Flow::RAISES);
        let mut rest = body.and(Flow::RAISES);
        let mut sure_to_handle = !body.has(Flow::NEXT | Flow::LEAVE);
        for handler in &step.handlers {
            let (sure, any) = (handler.catches.sure, handler.catches.any());
            let matched = rest.and(any);
            // What a callee raises is not known, and nearly everything but an import can raise something.
            let called = step.body_calls && any.has(Flow::RAISES);
            let raised =
                (step.body_raises || self.runs_own_module(&step.body)) && any.has(Flow::OTHER);
            let never = mode.certainty != Certainty::InFunction
                && !any.has(Flow::NOT_FOUND | Flow::IMPORT_ERROR)
                && self.has_all_it_asks_for;
            if never || (matched == Flow::NEVER && !called && !raised) {
                found.passed.insert(handler.at);
                continue;
            }
            found.handled.insert(handler.at);
            sure_to_handle &= rest.without(sure) == Flow::NEVER;
            let level = if sure_to_handle { mode } else { mode.perhaps() };
            let caught = if matched == Flow::NEVER {
                Flow::OTHER
            } else {
                matched
            };
            flow |= self.steps(&handler.steps, Mode { caught, ..level }, found);
            rest = rest.without(sure);
            // A handler further down runs only if this one did not.
            sure_to_handle = sure_to_handle && matched == Flow::NEVER;
        }
        flow |= rest;
        if body.has(Flow::NEXT) {
            flow |= self.steps(&step.orelse, mode, found);
        }
        let finally = self.steps(&step.finally, mode, found);
        if finally.has(Flow::NEXT) {
            flow | finally.without(Flow::NEXT)
        } else {
            finally
        }
    }

    fn import(&self, import: &Import, mode: Mode, found: &mut Found) -> Flow {
        let mut emit = Emit {
            at: import.at,
            line: import.line,
            mode,
            found,
        };
        match &import.request {
            Request::Module(name) => self.chain(name, LinkKind::Import, &mut emit),
            Request::Call(name) => self.chain(name, LinkKind::Call, &mut emit),
            Request::Name { module, name } => {
                let flow = self.chain(module, LinkKind::From, &mut emit);
                if !flow.has(Flow::NEXT) && self.may_work_shaken(module, &emit) {
                    self.name(module, name, &mut emit);
                }
                then(flow, || self.name(module, name, &mut emit))
            }
            Request::Star(module) => {
                let flow = self.chain(module, LinkKind::Star, &mut emit);
                if !flow.has(Flow::NEXT) && self.may_work_shaken(module, &emit) {
                    self.star(module, &mut emit);
                }
                then(flow, || self.star(module, &mut emit))
            }
            Request::Find(name) => {
                if !self.world.get(name).is_absent() {
                    // Nothing fails that is only looked for.
                    emit.mode.survived = Flow::RAISES;
                    self.chain(name, LinkKind::Call, &mut emit);
                }
                Flow::NEXT | Flow::WEAK
            }
            Request::Codec(name) => {
                if let Some(module) = self
                    .world
                    .codec(name)
                    .filter(|module| !self.world.get(module).is_absent())
                {
                    self.chain(&module, LinkKind::Codec, &mut emit);
                }
                Flow::NEXT
            }
            Request::Dynamic(text) => {
                emit.edge(LinkKind::Call, Flow::NEVER, || Goal::Dynamic(text.clone()));
                Flow::NEXT | Flow::WEAK
            }
            Request::Beyond(text) => {
                let goal = || Goal::Missing {
                    name: text.clone(),
                    kind: MissingKind::BeyondTopLevel,
                };
                emit.edge(LinkKind::From, Flow::IMPORT_ERROR, goal);
                Flow::IMPORT_ERROR
            }
        }
    }

    /// Imports `name` and, before it, the packages around it.
    fn chain(&self, name: &str, kind: LinkKind, emit: &mut Emit<'_>) -> Flow {
        let mut flow = Flow::NEXT;
        let mut failed = None;
        let mut parent: Option<&str> = None;
        for prefix in prefixes(name) {
            let presence = self.world.get(prefix);
            if presence.is_absent() {
                let facts = parent.and_then(|parent| self.world.get(parent).facts());
                let provided =
                    facts.is_some_and(|facts| facts.provides.iter().any(|name| name == prefix));
                if provided || hidden_imports::provides(prefix) {
                    parent = None;
                    continue;
                }
                if facts.is_some_and(|facts| facts.open_children)
                    || (parent.is_none() && prefix.contains('.'))
                {
                    return flow | Flow::WEAK;
                }
                let goal = || Goal::Missing {
                    name: prefix.to_owned(),
                    kind: MissingKind::Module,
                };
                emit.edge(kind, Flow::NOT_FOUND, goal);
                return flow.without(Flow::NEXT) | Flow::NOT_FOUND;
            }
            let link = if prefix == name {
                kind
            } else {
                LinkKind::Package
            };
            flow = flow.without(Flow::NEXT) | self.reach(prefix, link, emit);
            if !flow.has(Flow::NEXT) {
                if !self.may_work_shaken(prefix, emit) {
                    return failed.unwrap_or(flow);
                }
                failed.get_or_insert(flow);
                flow |= Flow::NEXT;
            }
            parent = Some(prefix);
        }
        failed.unwrap_or(flow)
    }

    /// Whether a module that fails may work without what is left out of it: nobody writes one of their own for it to fail, and
    /// what is imported from it is listed all the same. Where a handler is there for the failure, that is what happens.
    fn may_work_shaken(&self, module: &str, emit: &Emit<'_>) -> bool {
        !emit.found.only_end && emit.mode.survived == Flow::NEVER && self.is_own(module)
    }

    fn is_own(&self, module: &str) -> bool {
        matches!(self.world.get(module), Presence::Source(entry) if entry.source.origin != Origin::Stdlib)
    }

    /// Imports one module that is there.
    fn reach(&self, name: &str, kind: LinkKind, emit: &mut Emit<'_>) -> Flow {
        // The module itself and the packages around it are in `sys.modules` while it runs.
        let running = self.module == name
            || self
                .module
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.'));
        let flow = if running {
            Flow::NEXT
        } else {
            if emit.found.only_end {
                emit.found.depends_on.push(dependency(name));
            }
            self.statuses.get(name).copied().unwrap_or(Flow::NEXT)
        };
        let failure = if flow.fails() {
            flow.and(Flow::RAISES)
        } else {
            Flow::NEVER
        };
        emit.edge(kind, failure, || Goal::Module(name.to_owned()));
        flow
    }

    /// `from module import name`, the module having been imported: its attribute, else its submodule.
    fn name(&self, module: &str, name: &str, emit: &mut Emit<'_>) -> Flow {
        let child = format!("{module}.{name}");
        let has_child = !self.world.get(&child).is_absent();
        let attribute = self.world.attribute(module, name);
        // While a package's own code runs, a name it binds may not be bound yet, and the submodule is taken instead.
        let inside = self.module == module
            || self
                .module
                .strip_prefix(module)
                .is_some_and(|rest| rest.starts_with('.'));
        match (attribute, has_child) {
            (Attribute::Always, false) => Flow::NEXT,
            (Attribute::Always, true) if !inside => Flow::NEXT,
            (Attribute::Always | Attribute::Maybe, true) => {
                self.reach(&child, LinkKind::Submodule, emit);
                Flow::NEXT | Flow::WEAK
            }
            (Attribute::Never, true) => self.reach(&child, LinkKind::Submodule, emit),
            (Attribute::Maybe, false) => Flow::NEXT | Flow::WEAK,
            (Attribute::Never, false) => {
                let open =
                    self.world.get(module).facts().is_some_and(|facts| {
                        facts.open_children || facts.provides.contains(&child)
                    });
                if open {
                    return Flow::NEXT | Flow::WEAK;
                }
                emit.edge(LinkKind::From, Flow::IMPORT_ERROR, || Goal::Missing {
                    name: name.to_owned(),
                    kind: MissingKind::Name {
                        module: module.to_owned(),
                    },
                });
                Flow::IMPORT_ERROR
            }
        }
    }

    /// `from module import *` imports the submodules that `__all__` lists and the package does not bind.
    fn star(&self, module: &str, emit: &mut Emit<'_>) -> Flow {
        let Presence::Source(entry) = self.world.get(module) else {
            return Flow::NEXT;
        };
        let Ok(facts) = &entry.facts else {
            return Flow::NEXT;
        };
        let mut flow = Flow::NEXT;
        for name in &facts.all {
            let child = format!("{module}.{name}");
            if self.world.get(&child).is_absent()
                || self.world.attribute(module, name) == Attribute::Always
            {
                continue;
            }
            flow = flow.without(Flow::NEXT) | self.reach(&child, LinkKind::Submodule, emit);
            if !flow.has(Flow::NEXT) {
                break;
            }
        }
        flow
    }
}

/// What is known about where a step stands.
#[derive(Debug, Clone, Copy)]
struct Mode {
    certainty: Certainty,
    /// The failures of imports that a handler around the step catches for good.
    survived: Flow,
    /// What a bare `raise` raises here.
    caught: Flow,
}

impl Mode {
    const TOP: Self = Self {
        certainty: Certainty::Certain,
        survived: Flow::NEVER,
        caught: Flow::NEVER,
    };
    const LATER: Self = Self {
        certainty: Certainty::InFunction,
        survived: Flow::NEVER,
        caught: Flow::RAISES,
    };

    fn perhaps(self) -> Self {
        Self {
            certainty: self.certainty.max(Certainty::Guarded),
            ..self
        }
    }
}

struct Emit<'e> {
    at: TextSize,
    line: u32,
    mode: Mode,
    found: &'e mut Found,
}

impl Emit<'_> {
    /// Adds an edge that fails with `failure`; a failure that nothing survives makes the edge as certain as its place.
    fn edge(&mut self, kind: LinkKind, failure: Flow, goal: impl FnOnce() -> Goal) {
        if self.found.only_end {
            return;
        }
        let Mode {
            certainty,
            survived,
            ..
        } = self.mode;
        let guarded = if failure == Flow::NEVER {
            survived != Flow::NEVER
        } else {
            failure.without(survived) == Flow::NEVER
        };
        let certainty = if guarded {
            certainty.max(Certainty::Guarded)
        } else {
            certainty
        };
        self.found.edges.push(Edge {
            at: self.at,
            line: self.line,
            certainty,
            kind,
            caught: guarded,
            goal: goal(),
        });
    }
}

/// `next`, if the code before it goes on.
fn then(flow: Flow, next: impl FnOnce() -> Flow) -> Flow {
    if flow.has(Flow::NEXT) {
        flow.without(Flow::NEXT) | next()
    } else {
        flow
    }
}
