//! What Python nodes print, caught.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Keeps the lines of Python nodes: node, stream, text.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<(String, String, String)>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "rm_runtime::python" {
            let mut fields = Fields::default();
            event.record(&mut fields);
            let mut take = |name: &str| fields.0.remove(name).unwrap_or_default();
            let line = (take("node"), take("stream"), take("message"));
            self.0.lock().unwrap().push(line);
        }
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// The lines that nodes print on this thread meanwhile: node, stream, text. Nodes run on the thread that runs a pipeline
/// only if the pipeline has one thread.
pub fn printed(action: impl FnOnce()) -> Vec<(String, String, String)> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    tracing::subscriber::with_default(subscriber, action);
    let lines = lines.0.lock().unwrap();
    lines.clone()
}
