//! One side of a comparison: what a bundle and a metafile both can say, and what only a metafile can.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rm_runtime::bundle::{
    BUNDLE_MAGIC, Bundle, BundleError, Description, has_bundle_name, read_file,
};
use rm_runtime::digest::Digest;
use serde_json::Value;

use super::nodes;
use crate::report::metafile::{Metafile, MetafileError};

/// What is compared.
#[derive(Clone, Debug)]
pub struct Side {
    pub(super) content: Digest,
    pub(super) facts: BTreeMap<&'static str, Option<String>>,
    pub(super) totals: BTreeMap<&'static str, u64>,
    pub(super) entries: BTreeMap<String, (u64, Digest)>,
    pub(super) nodes: BTreeMap<String, BTreeMap<String, Value>>,
    pub(super) connections: BTreeSet<String>,
    pub(super) modules: BTreeMap<String, ModuleSide>,
    /// The definitions of each module that is in the bundle, with their bytes; those of one name add up.
    pub(super) definitions: Option<BTreeMap<String, BTreeMap<String, u64>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModuleSide {
    pub(super) code: u64,
    pub(super) loaded: bool,
}

/// Why a file cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum SideError {
    /// The file cannot be read, or is a damaged bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// It is no bundle, and no metafile that can be used.
    #[error(transparent)]
    Metafile(#[from] MetafileError),
}

impl Side {
    /// Reads a bundle or a metafile, whichever it is.
    ///
    /// # Errors
    ///
    /// [`SideError`] names the file, and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, SideError> {
        let bytes = read_file(path)?;
        if has_bundle_name(path) || bytes.starts_with(BUNDLE_MAGIC) {
            Ok((&Bundle::from_bytes(&bytes, path)?).into())
        } else {
            Ok((&Metafile::from_json(&bytes, path)?).into())
        }
    }

    fn of(
        description: &Description,
        content: Digest,
        modules: BTreeMap<String, ModuleSide>,
    ) -> Self {
        let engine = description.engine.as_ref();
        let facts = BTreeMap::from([
            ("name", Some(description.name.clone())),
            ("target", Some(description.target.to_string())),
            ("packer", Some(description.packer.clone())),
            ("engine", engine.map(|engine| engine.digest.to_string())),
            ("python", engine.map(|engine| engine.python.clone())),
        ]);
        let code = modules
            .values()
            .fold(0u64, |sum, module| sum.saturating_add(module.code));
        let connections = description.manifest.connections.iter().map(|connection| {
            let output = connection.output.as_ref();
            let output = output.map(|name| format!(" ({name})")).unwrap_or_default();
            format!("{} -> {}{output}", connection.from, connection.to)
        });
        let entries = description.entries.iter();
        Self {
            content,
            facts,
            totals: BTreeMap::from([("modules", modules.len() as u64), ("code", code)]),
            entries: entries
                .map(|(name, entry)| (name.clone(), (entry.size, entry.sha256)))
                .collect(),
            nodes: nodes::of(description),
            connections: connections.collect(),
            modules,
            definitions: None,
        }
    }
}

impl From<&Bundle> for Side {
    fn from(bundle: &Bundle) -> Self {
        let modules = bundle.modules().iter().map(|module| {
            let side = ModuleSide {
                code: module.size,
                loaded: module.loaded,
            };
            (module.name.clone(), side)
        });
        Self::of(bundle.description(), bundle.content(), modules.collect())
    }
}

impl From<&Metafile> for Side {
    fn from(metafile: &Metafile) -> Self {
        let in_bundle = metafile
            .modules
            .iter()
            .filter(|module| module.origin.is_packed() && module.because.is_some());
        let modules = in_bundle.clone().map(|module| {
            let side = ModuleSide {
                code: module.code,
                loaded: module.loaded,
            };
            (module.name.clone(), side)
        });
        let mut side = Self::of(&metafile.bundle, metafile.content, modules.collect());
        side.totals.insert("source", metafile.totals.source.kept);
        let counts = metafile.totals.definitions;
        if counts.kept > 0 || counts.removed > 0 {
            side.totals.insert("definitions", counts.kept);
            let definitions = in_bundle.map(|module| {
                let mut bytes = BTreeMap::new();
                let kept = module.definitions.iter();
                for definition in kept.filter(|definition| definition.because.is_some()) {
                    *bytes.entry(definition.name.clone()).or_default() += definition.bytes;
                }
                (module.name.clone(), bytes)
            });
            side.definitions = Some(definitions.collect());
        }
        side
    }
}

impl From<&Self> for Side {
    fn from(side: &Self) -> Self {
        side.clone()
    }
}
