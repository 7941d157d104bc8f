//! What changed between two bundles.

mod nodes;
mod side;
mod table;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rm_runtime::digest::Digest;
use serde::Serialize;

pub use side::{Side, SideError};

/// What changed between two bundles. As JSON, the fields of this and of the types in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which bundles.
    pub content: Change<Digest>,
    /// What they say of themselves and differ in: `name`, `target`, `packer`, `engine`, `python`.
    pub facts: BTreeMap<&'static str, Change<Option<String>>>,
    /// Sums on both sides, the same or not; those that both sides know.
    pub totals: BTreeMap<&'static str, Change<u64>>,
    /// Entries of the archives whose size or contents changed; bytes before compression.
    pub entries: Vec<Changed>,
    /// Nodes of the manifest that came, went, or are made otherwise.
    pub nodes: Vec<ChangedNode>,
    /// Connections that came or went, as `from -> to`.
    pub connections: Vec<Changed>,
    /// Modules; bytes of code.
    pub modules: Vec<Changed>,
    /// Definitions of modules that are on both sides; bytes of source text. Absent unless both sides list definitions.
    pub definitions: Option<Vec<Changed>>,
}

/// Something before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// In the first bundle.
    pub before: T,
    /// In the second.
    pub after: T,
}

/// Something with a size that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// In which way.
    pub how: How,
    /// Its bytes before; 0 if it came, or has no size.
    pub before: u64,
    /// Its bytes after; 0 if it went, or has no size.
    pub after: u64,
    /// What else changed about it, such as `carried -> loaded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// How something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It is in the second bundle only.
    Came,
    /// It is in the first bundle only.
    Went,
    /// It takes more bytes.
    Grew,
    /// It takes fewer bytes.
    Shrank,
    /// It takes as many bytes, and is not the same.
    Altered,
}

/// A node of the manifest that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedNode {
    /// Its id.
    pub id: String,
    /// In which way: it came, went, or was altered.
    pub how: How,
    /// The fields that changed, as JSON, with a dot between `params` and a name; none where a node came or went.
    pub fields: BTreeMap<String, Change<Option<String>>>,
}

impl Difference {
    /// Whether both sides are the same bundle.
    pub fn is_none(&self) -> bool {
        self.content.before == self.content.after
    }
}

/// What changed from `before` to `after`, each a [`Metafile`](super::Metafile) or a
/// [`Bundle`](rm_runtime::bundle::Bundle).
pub fn diff(before: impl Into<Side>, after: impl Into<Side>) -> Difference {
    let (before, after) = (before.into(), after.into());
    let facts = before.facts.iter().filter_map(|(name, was)| {
        let change = Change {
            before: was.clone(),
            after: after.facts.get(name).cloned().flatten(),
        };
        (change.before != change.after).then_some((*name, change))
    });
    let totals = before.totals.iter().filter_map(|(name, was)| {
        let is = *after.totals.get(name)?;
        Some((
            *name,
            Change {
                before: *was,
                after: is,
            },
        ))
    });
    let definitions = match (&before.definitions, &after.definitions) {
        (Some(left), Some(right)) => Some(definitions(left, right)),
        _ => None,
    };
    Difference {
        content: Change {
            before: before.content,
            after: after.content,
        },
        facts: facts.collect(),
        totals: totals.collect(),
        entries: changed(
            &before.entries,
            &after.entries,
            |(size, _)| *size,
            |_, _| None,
        ),
        nodes: nodes::changed(&before.nodes, &after.nodes),
        connections: connections(&before.connections, &after.connections),
        modules: changed(
            &before.modules,
            &after.modules,
            |module| module.code,
            |left, right| match (left.loaded, right.loaded) {
                (false, true) => Some("carried -> loaded"),
                (true, false) => Some("loaded -> carried"),
                _ => None,
            },
        ),
        definitions,
    }
}

fn connections(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<Changed> {
    before
        .symmetric_difference(after)
        .map(|name| Changed {
            name: name.clone(),
            how: if before.contains(name) {
                How::Went
            } else {
                How::Came
            },
            before: 0,
            after: 0,
            note: None,
        })
        .collect()
}

type Definitions = BTreeMap<String, BTreeMap<String, u64>>;

/// A module that came or went stands for its definitions.
fn definitions(before: &Definitions, after: &Definitions) -> Vec<Changed> {
    let flat = |side: &Definitions, other: &Definitions| -> BTreeMap<String, u64> {
        let shared = side
            .iter()
            .filter(|(module, _)| other.contains_key(*module));
        shared
            .flat_map(|(module, definitions)| {
                definitions
                    .iter()
                    .map(move |(name, bytes)| (format!("{module}.{name}"), *bytes))
            })
            .collect()
    };
    changed(
        &flat(before, after),
        &flat(after, before),
        |bytes| *bytes,
        |_, _| None,
    )
}

/// What is not the same in two tables, the largest changes first.
fn changed<T: PartialEq>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    size: impl Fn(&T) -> u64,
    note: impl Fn(&T, &T) -> Option<&'static str>,
) -> Vec<Changed> {
    let mut all = Vec::new();
    for (name, was) in before {
        let was_size = size(was);
        let (how, is_size, note) = match after.get(name) {
            None => (How::Went, 0, None),
            Some(is) if is == was => continue,
            Some(is) => (how(was_size, size(is)), size(is), note(was, is)),
        };
        all.push(Changed {
            name: name.clone(),
            how,
            before: was_size,
            after: is_size,
            note,
        });
    }
    let came = after.iter().filter(|(name, _)| !before.contains_key(*name));
    all.extend(came.map(|(name, is)| Changed {
        name: name.clone(),
        how: How::Came,
        before: 0,
        after: size(is),
        note: None,
    }));
    all.sort_by(|left, right| {
        let weight = |changed: &Changed| changed.before.abs_diff(changed.after);
        (weight(right), &left.name).cmp(&(weight(left), &right.name))
    });
    all
}

fn how(before: u64, after: u64) -> How {
    match after.cmp(&before) {
        Ordering::Greater => How::Grew,
        Ordering::Less => How::Shrank,
        Ordering::Equal => How::Altered,
    }
}

#[cfg(test)]
mod tests;
