//! A small metafile for this module's tests: one node, a module that was shaken, one that was refused.

use std::collections::BTreeMap;

use rm_runtime::bundle::{Description, EngineReference, FORMAT, PythonNode, Target};
use rm_runtime::digest::Digest;
use rm_runtime::manifest::Manifest;

use super::metafile::{
    Because, BeforeAndKept, Definition, DefinitionKind, Link, LinkKind, Metafile, Module, Opaque,
    Origin, Place, When, Whole,
};

/// The description of a bundle of a node `shout`.
pub(super) fn description() -> Description {
    let manifest = "{version: v1, metadata: {name: shout}, nodes: [{id: shout, node_type: Shout, params: {mark: '!'}}]}";
    let manifest = Manifest::parse(manifest, "shout.yaml".as_ref())
        .unwrap()
        .manifest;
    let node = PythonNode {
        module: "shout".to_owned(),
        class: "Shout".to_owned(),
        is_async: false,
        is_streaming: false,
        is_source: false,
    };
    Description {
        format: FORMAT,
        name: "shout".to_owned(),
        target: Target::Wasmtime,
        packer: "rm-pack 0.1.0".to_owned(),
        engine: Some(EngineReference {
            digest: Digest::of(b"engine"),
            python: "3.14.0".to_owned(),
        }),
        nodes: BTreeMap::from([("Shout".to_owned(), node)]),
        packages: BTreeMap::new(),
        manifest,
        entries: BTreeMap::new(),
    }
}

/// A module that is kept by nothing yet.
pub(super) fn module(name: &str, origin: Origin, before: u64, kept: u64) -> Module {
    Module {
        name: name.to_owned(),
        file: format!("{}.py", name.replace('.', "/")),
        origin,
        loaded: false,
        source: BeforeAndKept { before, kept },
        code: kept / 2,
        because: None,
        refused: None,
        whole: None,
        definitions: Vec::new(),
    }
}

/// A definition of ten lines that is kept by nothing yet.
pub(super) fn definition(name: &str, kind: DefinitionKind, line: u32, bytes: u64) -> Definition {
    Definition {
        name: name.to_owned(),
        kind,
        line,
        end_line: line + 9,
        bytes,
        because: None,
    }
}

/// A link that is always followed.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it is assigned to an optional field"
)]
pub(super) fn link(from: Place, line: u32, kind: LinkKind) -> Option<Because> {
    Some(Because::Link(Link {
        from,
        line,
        kind,
        when: When::Always,
    }))
}

/// Modules 0 `_json` (engine), 1 `json`, 2 `json.decoder`, 3 `json.tool` (refused), 4 `shout`.
pub(super) fn unfinished() -> Metafile {
    use DefinitionKind::{Class, Function, Import, Method};

    let mut native = module("_json", Origin::Engine, 0, 0);
    native.file.clear();
    let mut json = module("json", Origin::Stdlib, 900, 400);
    json.file = "json/__init__.py".to_owned();
    json.definitions = vec![
        definition("JSONDecoder", Import, 5, 30),
        definition("load", Function, 10, 300),
        definition("loads", Function, 40, 350),
    ];
    let mut decoder = module("json.decoder", Origin::Stdlib, 2000, 1700);
    decoder.loaded = true;
    decoder.definitions = vec![
        definition("JSONDecoder", Class, 20, 200),
        definition("JSONDecoder.decode", Method, 30, 700),
        definition("JSONDecoder.raw_decode", Method, 50, 300),
    ];
    let mut shout = module("shout", Origin::Node, 500, 500);
    shout.loaded = true;
    shout.definitions = vec![definition("Shout", Class, 3, 480)];
    shout.whole = Some(Whole {
        line: 7,
        reason: "calls `globals()`".to_owned(),
    });
    let refused = module("json.tool", Origin::Stdlib, 800, 0);
    let modules = vec![shout, refused, decoder, native, json];
    let mut metafile = Metafile::begin(Digest::of(b"shout"), description(), modules);
    let because = |metafile: &mut Metafile, place: Place, because| {
        let module = &mut metafile.modules[place.module];
        match place.definition {
            None => module.because = because,
            Some(number) => module.definitions[number].because = because,
        }
    };
    let node = Some(Because::Node("Shout".to_owned()));
    because(&mut metafile, Place::module(4), node.clone());
    because(&mut metafile, Place::definition(4, 0), node);
    let to_json = link(Place::module(4), 1, LinkKind::Import);
    because(&mut metafile, Place::module(1), to_json);
    let to_decoder = link(Place::module(1), 5, LinkKind::Import);
    because(&mut metafile, Place::module(2), to_decoder);
    let to_native = link(Place::module(2), 4, LinkKind::Import);
    because(&mut metafile, Place::module(0), to_native);
    let to_loads = link(Place::definition(4, 0), 8, LinkKind::Call);
    because(&mut metafile, Place::definition(1, 2), to_loads);
    let to_name = link(Place::definition(1, 2), 44, LinkKind::Name);
    because(&mut metafile, Place::definition(1, 0), to_name);
    let to_class = link(Place::definition(1, 0), 5, LinkKind::Import);
    because(&mut metafile, Place::definition(2, 0), to_class);
    let to_method = link(Place::definition(1, 2), 46, LinkKind::Attribute);
    because(&mut metafile, Place::definition(2, 1), to_method);
    metafile.modules[3].refused = Some(Because::Link(Link {
        from: Place::definition(1, 2),
        line: 48,
        kind: LinkKind::Import,
        when: When::Called,
    }));
    metafile.opaque = vec![Opaque {
        module: "shout".to_owned(),
        file: "shout.py".to_owned(),
        line: 7,
        what: "calls `globals()`".to_owned(),
    }];
    metafile.notes = vec!["a note with <b>markup</b> & \"quotes\"".to_owned()];
    metafile
}

/// The same, finished.
pub(super) fn example() -> Metafile {
    unfinished().finish().unwrap()
}
