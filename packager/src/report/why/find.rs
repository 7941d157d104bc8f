//! From what somebody typed to a place in a metafile.

use std::collections::{BTreeMap, BTreeSet};

use rm_runtime::suggest::nearest;

use super::QueryError;
use crate::report::metafile::{DefinitionKind, Metafile, Place};

/// The place that `query` names.
pub(super) fn find(metafile: &Metafile, query: &str) -> Result<Place, QueryError> {
    // `package.module:Class` is how manifests name a class.
    let definitions_only = query.contains(':');
    let dotted = query.replacen(':', ".", 1);
    let places = places(metafile).filter(|place| place.definition.is_some() || !definitions_only);
    let mut named: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for place in places {
        named.entry(metafile.name(place)).or_default().push(place);
    }
    if let Some(same) = named.get(&dotted) {
        return Ok(best(metafile, same));
    }
    let ending = format!(".{dotted}");
    let mut candidates: Vec<_> = named
        .iter()
        .filter(|(name, _)| !dotted.is_empty() && name.ends_with(&ending))
        .collect();
    // Who asks for `JSONDecoder` means the class, and not each of the imports that give it its name elsewhere.
    let is_original = |places: &[Place]| places.iter().any(|place| !is_import(metafile, *place));
    if candidates.iter().any(|(_, places)| is_original(places)) {
        candidates.retain(|(_, places)| is_original(places));
    }
    match candidates[..] {
        [] => Err(QueryError::Unknown {
            query: query.to_owned(),
            nearest: nearest_name(&dotted, named.keys().map(String::as_str)),
            unlisted: unlisted(metafile, &dotted),
        }),
        [(_, places)] => Ok(best(metafile, places)),
        _ => Err(QueryError::Ambiguous {
            query: query.to_owned(),
            candidates: candidates
                .into_iter()
                .map(|(name, _)| name.clone())
                .collect(),
        }),
    }
}

fn places(metafile: &Metafile) -> impl Iterator<Item = Place> {
    metafile
        .modules
        .iter()
        .enumerate()
        .flat_map(|(number, module)| {
            let definitions = (0..module.definitions.len())
                .map(move |definition| Place::definition(number, definition));
            [Place::module(number)].into_iter().chain(definitions)
        })
}

/// Of several things of one name, the module, or else the first that is in the bundle, or else the first.
fn best(metafile: &Metafile, places: &[Place]) -> Place {
    let rank = |place: &Place| {
        (
            place.definition.is_some(),
            metafile.because(*place).is_none(),
            *place,
        )
    };
    places
        .iter()
        .copied()
        .min_by_key(rank)
        .expect("a name is in the map for a place that has it")
}

fn is_import(metafile: &Metafile, place: Place) -> bool {
    place.definition.is_some_and(|number| {
        metafile.modules[place.module].definitions[number].kind == DefinitionKind::Import
    })
}

/// The module around a name that nothing has, if nobody looked at its definitions.
fn unlisted(metafile: &Metafile, dotted: &str) -> Option<String> {
    let around = dotted.rmatch_indices('.').map(|(dot, _)| &dotted[..dot]);
    let by_name = |name: &str| {
        let found = metafile
            .modules
            .binary_search_by(|module| module.name.as_str().cmp(name));
        found.ok().map(|number| &metafile.modules[number])
    };
    let module = around.into_iter().find_map(by_name)?;
    let is_namespace = module.file.is_empty();
    (module.definitions.is_empty() && !is_namespace).then(|| module.name.clone())
}

/// The name nearest to what was typed: one that ends in it but for case, or else in something near to it of as many parts, or
/// else the nearest of whole names.
fn nearest_name<'m>(dotted: &str, names: impl Iterator<Item = &'m str>) -> Option<String> {
    let names: Vec<_> = names.collect();
    let parts = dotted.split('.').count();
    let end = |name: &'m str| match name.rmatch_indices('.').nth(parts - 1) {
        Some((dot, _)) => &name[dot + 1..],
        None => name,
    };
    let lower = dotted.to_lowercase();
    if let Some(name) = names.iter().find(|name| end(name).to_lowercase() == lower) {
        return Some((*name).to_owned());
    }
    let ends: BTreeSet<_> = names.iter().map(|name| end(name)).collect();
    let name = nearest(dotted, ends)
        .and_then(|near| names.iter().copied().find(|name| end(name) == near))
        .or_else(|| nearest(dotted, names.iter().copied()))?;
    Some(name.to_owned())
}
