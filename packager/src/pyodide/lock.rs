//! `pyodide-lock.json`: what Pyodide's `loadPackage` has to know about wheels.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::Facts;
use super::packages::Package;

/// A wheel in a lock file, which has what is written down of every one, and a field that is the same for all.
#[derive(Serialize)]
struct Locked<'p> {
    #[serde(flatten)]
    package: &'p Package,
    unvendored_tests: bool,
}

/// A lock file of these wheels, and of packages that come with Pyodide.
///
/// # Panics
///
/// Not on any input: its keys are text.
pub(crate) fn lock<'p>(
    facts: &Facts,
    wheels: &'p [Package],
    packages: impl IntoIterator<Item = (&'p String, &'p &'p Package)>,
) -> Vec<u8> {
    let of_pyodide = packages.into_iter();
    let of_pyodide = of_pyodide.map(|(key, package)| (key, *package));
    let wheels = wheels.iter().map(|wheel| (&wheel.name, wheel));
    // What the bundle has itself comes last, and wins.
    let packages: BTreeMap<&String, Value> = of_pyodide
        .chain(wheels)
        .map(|(key, package)| {
            let locked = Locked {
                package,
                unvendored_tests: false,
            };
            (key, json!(locked))
        })
        .collect();
    let lock = json!({ "info": facts.lock, "packages": packages });
    let mut bytes = serde_json::to_vec_pretty(&lock).expect("keys are text");
    bytes.push(b'\n');
    bytes
}
