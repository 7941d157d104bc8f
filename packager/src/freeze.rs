//! Import the application inside the engine, and keep what that changed in memory as a layer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rm_runtime::layer::Layer;
use rm_runtime::python::instance::Options;
use rm_runtime::python::operation::Operation;
use rm_runtime::python::{Engine, Instance, InstanceError};
use rm_runtime::value::Value;

/// A module as the engine's importer takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedModule {
    /// The dotted name.
    pub name: String,
    /// Whether it is a package.
    pub is_package: bool,
    /// The file name that tracebacks show; for a namespace package its folder, with a final slash.
    pub filename: String,
    /// The marshalled code object; none for a namespace package.
    pub code: Option<Vec<u8>>,
    /// The source text, where it is carried.
    pub source: Option<Arc<str>>,
    /// What was left out, where it is carried.
    pub cold: Cold,
    /// Globals that were left out.
    pub removed: Vec<String>,
    /// Globals that were left out and that the whole module may not have either.
    pub doubtful: Vec<String>,
}

/// What an application is imported from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// What it can import.
    pub modules: Vec<CarriedModule>,
    /// Modules that it cannot import, because they were left out.
    pub absent: Vec<String>,
}

/// What a bundle has of what was left out, to be brought in when it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cold {
    /// Nothing.
    #[default]
    Nothing,
    /// Of this module, definitions: the engine's answer to [`Operation::CompilePieces`].
    Pieces(Vec<u8>),
    /// This module.
    Module,
}

/// An application in memory.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// What importing it changed.
    pub layer: Layer,
    /// Which modules were imported on the way, sorted; the others are carried as code.
    pub loaded: Vec<String>,
    /// What the classes say of themselves, in the order in which they were given.
    pub classes: Vec<ClassFacts>,
    /// What the application printed while it was imported.
    pub printed: String,
    /// The functions and classes that ran meanwhile, by module and line, if that was asked for.
    pub traced: Traced,
}

/// Functions and classes that ran, by module and line.
pub type Traced = BTreeSet<(String, u32)>;

/// What a class says of itself once it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassFacts {
    /// It has an attribute `is_streaming` that is true.
    pub is_streaming: bool,
    /// Its `process` takes nothing but `self`.
    pub is_source: bool,
}

/// Import the modules of `classes` (module and class), with `contents` to import from, check that the classes can be
/// nodes, and freeze the result. With `with_trace`, what runs is noted from the start, and said by whatever runs the result.
/// Importing may take `limit`, or as long as it likes.
///
/// # Errors
///
/// An exception while importing, [`InstanceError::TimeIsUp`], or a failure of the engine.
pub async fn freeze(
    engine: &Engine,
    Contents { modules, absent }: Contents,
    classes: &[(&str, &str)],
    with_trace: bool,
    limit: Option<Duration>,
) -> Result<Frozen, InstanceError> {
    let mut instance = Instance::new(engine, &Options::for_packing()).await?;
    let before = instance.with_memory(|memory, _| memory.to_vec()).await?;
    let sources = modules.iter().filter_map(|module| {
        let text = module.source.as_deref()?;
        Some(Value::Tuple(vec![module.name.as_str().into(), text.into()]))
    });
    let sources = Value::List(sources.collect());
    let cold = modules.iter().filter_map(|module| {
        let cold = match &module.cold {
            Cold::Nothing => return None,
            Cold::Pieces(pieces) => Value::Bytes(pieces.clone()),
            Cold::Module => Value::Null,
        };
        Some(Value::Tuple(vec![module.name.as_str().into(), cold]))
    });
    let cold = Value::List(cold.collect());
    let modules = modules.into_iter().map(CarriedModule::into_value).collect();
    let arguments = vec![Value::List(modules), sources, cold];
    instance.call(Operation::Install, arguments).await?;
    if !absent.is_empty() {
        let names = absent.into_iter().map(Value::from).collect();
        let arguments = vec![Value::List(names)];
        instance.call(Operation::SetAbsent, arguments).await?;
    }
    if with_trace {
        instance.call(Operation::Trace, Vec::new()).await?;
    }
    let names = classes
        .iter()
        .map(|(module, _)| Value::from(*module))
        .collect();
    let names = vec![Value::List(names)];
    let mut loaded = texts(match limit {
        Some(limit) => instance.call_within(limit, Operation::Load, names).await?,
        None => instance.call(Operation::Load, names).await?,
    });
    loaded.sort_unstable();
    let mut facts = Vec::new();
    for (module, class) in classes {
        let arguments = vec![Value::from(*module), Value::from(*class)];
        let answer = instance.call(Operation::CheckClass, arguments).await?;
        let is_true = |place: usize| matches!(&answer, Value::Tuple(parts) if parts.get(place) == Some(&Value::Bool(true)));
        facts.push(ClassFacts {
            is_streaming: is_true(0),
            is_source: is_true(1),
        });
    }
    let traced = if with_trace {
        places(&instance.call(Operation::Traced, Vec::new()).await?)
    } else {
        Traced::new()
    };
    let printed = printed(&instance.call(Operation::Seal, Vec::new()).await?);
    instance.scrub().await?;
    let layer = instance
        .with_memory(|after, layout| Layer::between(&before, after, &layout.keep))
        .await?;
    Ok(Frozen {
        layer,
        loaded,
        classes: facts,
        printed,
        traced,
    })
}

impl CarriedModule {
    fn into_value(self) -> Value {
        Value::Tuple(vec![
            self.name.into(),
            self.is_package.into(),
            self.filename.into(),
            self.code.map_or(Value::Null, Value::Bytes),
            self.removed.join(" ").into(),
            self.doubtful.join(" ").into(),
        ])
    }
}

fn texts(value: Value) -> Vec<String> {
    let Value::List(items) = value else {
        return Vec::new();
    };
    items
        .into_iter()
        .filter_map(|item| {
            if let Value::Str(text) = item {
                Some(text)
            } else {
                None
            }
        })
        .collect()
}

fn places(value: &Value) -> Traced {
    let Value::List(places) = value else {
        return Traced::new();
    };
    let place = |place: &Value| {
        let Value::Tuple(parts) = place else {
            return None;
        };
        let [Value::Str(module), Value::Int(line)] = parts.as_slice() else {
            return None;
        };
        Some((module.clone(), u32::try_from(*line).ok()?))
    };
    places.iter().filter_map(place).collect()
}

fn printed(value: &Value) -> String {
    let Value::List(pieces) = value else {
        return String::new();
    };
    let mut all = Vec::new();
    for piece in pieces {
        if let Value::Tuple(parts) = piece
            && let [_, Value::Bytes(bytes)] = parts.as_slice()
        {
            all.extend(bytes);
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}
