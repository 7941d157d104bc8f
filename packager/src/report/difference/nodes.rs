//! The nodes of a manifest, field by field.

use std::collections::{BTreeMap, BTreeSet};

use rm_runtime::bundle::Description;
use serde_json::Value;

use super::{Change, ChangedNode, How};

type Fields = BTreeMap<String, Value>;

/// The fields of each node, by its id: those of the manifest, with each of its params on its own, and its Python class.
pub(super) fn of(description: &Description) -> BTreeMap<String, Fields> {
    let manifest = serde_json::to_value(&description.manifest).unwrap_or_default();
    let specs = manifest["nodes"].as_array().into_iter().flatten();
    description
        .manifest
        .nodes
        .iter()
        .zip(specs)
        .map(|(spec, json)| {
            let mut fields = Fields::new();
            for (name, value) in json.as_object().into_iter().flatten() {
                match (name.as_str(), value) {
                    ("id", _) => {}
                    ("params", Value::Object(params)) => {
                        let params = params.iter();
                        fields.extend(
                            params.map(|(name, value)| (format!("params.{name}"), value.clone())),
                        );
                    }
                    _ => drop(fields.insert(name.clone(), value.clone())),
                }
            }
            if let Some(class) = description.nodes.get(&spec.node_type)
                && let Ok(Value::Object(facts)) = serde_json::to_value(class)
            {
                fields.extend(
                    facts
                        .into_iter()
                        .map(|(name, value)| (format!("python.{name}"), value)),
                );
            }
            (spec.id.clone(), fields)
        })
        .collect()
}

/// The nodes that are not the same on both sides, by id.
pub(super) fn changed(
    before: &BTreeMap<String, Fields>,
    after: &BTreeMap<String, Fields>,
) -> Vec<ChangedNode> {
    let ids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    ids.into_iter()
        .filter_map(|id| {
            let (how, fields) = match (before.get(id), after.get(id)) {
                (Some(before), Some(after)) if before == after => return None,
                (Some(before), Some(after)) => (How::Altered, changed_fields(before, after)),
                (None, _) => (How::Came, BTreeMap::new()),
                (_, None) => (How::Went, BTreeMap::new()),
            };
            Some(ChangedNode {
                id: id.clone(),
                how,
                fields,
            })
        })
        .collect()
}

fn changed_fields(before: &Fields, after: &Fields) -> BTreeMap<String, Change<Option<String>>> {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let text = |fields: &Fields, name: &str| fields.get(name).map(Value::to_string);
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| {
            let change = Change {
                before: text(before, name),
                after: text(after, name),
            };
            (name.clone(), change)
        })
        .collect()
}
