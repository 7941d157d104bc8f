//! From a document to a manifest: everything that is wrong is noted on the way, and nothing is returned if anything is.

use std::num::NonZeroU32;

use super::document::{Entry, Kind, Located};
use super::error::{Position, Problem, ProblemKind};
use super::{
    Connection, MAX_INSTANCES, Manifest, Metadata, NodeSpec, OnError, Params, ParsedManifest,
    VERSION,
};
use crate::graph::find_cycle;
use crate::sorted::SortedMap;
use crate::suggest::nearest;
use crate::value::Value;

const TEXT: &str = "text";
const OBJECT: &str = "an object";
const LIST: &str = "a list";

/// Reads a manifest, wrapped with input or not.
pub(super) fn manifest(document: Located) -> Result<ParsedManifest, Vec<Problem>> {
    let is_wrapper = match &document.kind {
        Kind::Map(entries) => {
            let has = |name: &str| entries.iter().any(|entry| entry.key == name);
            has("manifest") && !has("nodes")
        }
        Kind::Scalar(_) | Kind::List(_) => false,
    };
    let mut reader = Reader::default();
    let parsed = if is_wrapper {
        reader.wrapped(document)
    } else {
        reader
            .manifest(document, "")
            .map(|manifest| ParsedManifest {
                manifest,
                input_data: None,
            })
    };
    reader.finish(parsed)
}

/// Reads a manifest that is not wrapped.
pub(super) fn bare_manifest(document: Located) -> Result<Manifest, Vec<Problem>> {
    let mut reader = Reader::default();
    let manifest = reader.manifest(document, "");
    reader.finish(manifest)
}

/// An object whose fields are taken one by one.
struct Fields {
    place: String,
    at: Option<Position>,
    entries: Vec<Entry>,
}

impl Fields {
    fn take(&mut self, name: &str) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.key == name)?;
        Some(self.entries.remove(index))
    }

    /// A field's place in the document.
    fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        }
    }

    /// What was not taken.
    fn rest(self) -> Vec<(String, Value)> {
        self.entries
            .into_iter()
            .map(|entry| (entry.key, entry.value.into_value()))
            .collect()
    }
}

/// Text and where it stood.
struct Text {
    content: String,
    place: String,
    at: Option<Position>,
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn finish<T>(self, result: Option<T>) -> Result<T, Vec<Problem>> {
        match result {
            Some(result) if self.problems.is_empty() => Ok(result),
            _ => Err(self.in_order()),
        }
    }

    #[inline(never)]
    fn in_order(mut self) -> Vec<Problem> {
        in_order(&mut self.problems, |problem| problem.position);
        self.problems
    }

    #[inline(never)]
    fn problem(&mut self, place: &str, position: Option<Position>, kind: ProblemKind) {
        self.problems.push(Problem {
            place: place.to_owned(),
            position,
            kind,
        });
    }

    #[inline(never)]
    fn wrong_type(&mut self, place: &str, expected: &'static str, found: &Located) {
        let found_text = found.describe();
        self.problem(
            place,
            found.at,
            ProblemKind::WrongType {
                expected,
                found: found_text,
            },
        );
    }

    #[inline(never)]
    fn missing(&mut self, fields: &Fields, name: &str, expected: &'static str) {
        let similar =
            nearest(name, fields.entries.iter().map(|entry| entry.key.as_str())).map(str::to_owned);
        self.problem(
            &fields.place_of(name),
            fields.at,
            ProblemKind::Missing { expected, similar },
        );
    }

    fn fields(&mut self, located: Located, place: &str) -> Option<Fields> {
        let at = located.at;
        match located.kind {
            Kind::Map(entries) => Some(Fields {
                place: place.to_owned(),
                at,
                entries,
            }),
            Kind::Scalar(_) | Kind::List(_) => {
                self.no_object(place, &located);
                None
            }
        }
    }

    #[inline(never)]
    fn no_object(&mut self, place: &str, found: &Located) {
        let place = if place.is_empty() { "document" } else { place };
        self.wrong_type(place, OBJECT, found);
    }

    fn list(&mut self, located: Located, place: &str) -> Option<Vec<Located>> {
        match located.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar(_) | Kind::Map(_) => {
                self.wrong_type(place, LIST, &located);
                None
            }
        }
    }

    fn text(&mut self, located: Located, place: String) -> Option<Text> {
        match located.kind {
            Kind::Scalar(Value::Str(text)) => Some(Text {
                content: text,
                place,
                at: located.at,
            }),
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => {
                self.wrong_type(&place, TEXT, &located);
                None
            }
        }
    }

    fn required(
        &mut self,
        fields: &mut Fields,
        name: &str,
        expected: &'static str,
    ) -> Option<Located> {
        if let Some(entry) = fields.take(name) {
            return Some(entry.value);
        }
        self.missing(fields, name, expected);
        None
    }

    /// A field that may be left out or null.
    fn optional(fields: &mut Fields, name: &str) -> Option<Located> {
        fields
            .take(name)
            .map(|entry| entry.value)
            .filter(|value| !matches!(value.kind, Kind::Scalar(Value::Null)))
    }

    fn required_text(&mut self, fields: &mut Fields, name: &str) -> Option<Text> {
        let place = fields.place_of(name);
        let text = self.required(fields, name, TEXT)?;
        let text = self.text(text, place)?;
        if text.content.is_empty() {
            self.problem(&text.place, text.at, ProblemKind::Empty);
            return None;
        }
        Some(text)
    }

    fn optional_text(&mut self, fields: &mut Fields, name: &str) -> Option<String> {
        let text = Self::optional(fields, name)?;
        Some(self.text(text, fields.place_of(name))?.content)
    }

    fn optional_object(&mut self, fields: &mut Fields, name: &str) -> Option<Value> {
        let located = Self::optional(fields, name)?;
        Some(self.object(located, &fields.place_of(name)))
    }

    #[inline(never)]
    fn object(&mut self, located: Located, place: &str) -> Value {
        if !matches!(located.kind, Kind::Map(_)) {
            self.wrong_type(place, OBJECT, &located);
        }
        located.into_value()
    }

    /// The manifest in a document that has input beside it.
    #[inline(never)]
    fn wrapped(&mut self, document: Located) -> Option<ParsedManifest> {
        let mut wrapper = self.fields(document, "")?;
        let input_data = wrapper
            .take("input_data")
            .map(|entry| entry.value.into_value());
        let manifest = self.manifest(wrapper.take("manifest")?.value, "manifest")?;
        Some(ParsedManifest {
            manifest,
            input_data,
        })
    }

    fn manifest(&mut self, document: Located, place: &str) -> Option<Manifest> {
        let mut fields = self.fields(document, place)?;
        self.version(&mut fields);
        let metadata = self.metadata(&mut fields);
        let nodes = self.nodes(&mut fields);
        let connections = self.connections(&mut fields, nodes.as_ref());
        Some(Manifest {
            metadata: metadata?,
            nodes: nodes?.specs,
            connections: connections?,
            extra: fields.rest(),
        })
    }

    fn version(&mut self, fields: &mut Fields) {
        if let Some(version) = self.required_text(fields, "version")
            && version.content != VERSION
        {
            let found = version.content;
            self.problem(&version.place, version.at, ProblemKind::Version { found });
        }
    }

    fn metadata(&mut self, fields: &mut Fields) -> Option<Metadata> {
        let place = fields.place_of("metadata");
        let metadata = self.required(fields, "metadata", OBJECT)?;
        let mut fields = self.fields(metadata, &place)?;
        let name = self.required_text(&mut fields, "name");
        let description = self.optional_text(&mut fields, "description");
        let created_at = self.optional_text(&mut fields, "created_at");
        Some(Metadata {
            name: name?.content,
            description,
            created_at,
            extra: fields.rest(),
        })
    }

    fn nodes(&mut self, fields: &mut Fields) -> Option<Nodes> {
        let place = fields.place_of("nodes");
        let list = self.required(fields, "nodes", LIST)?;
        let at = list.at;
        let list = self.list(list, &place)?;
        if list.is_empty() {
            self.problem(&place, at, ProblemKind::NoNodes);
            return None;
        }
        let mut nodes = Nodes {
            specs: Vec::new(),
            ids: SortedMap::new(),
            all_ids_known: true,
        };
        for (index, item) in list.into_iter().enumerate() {
            let spec = self.node(item, &format!("{place}[{index}]"), &mut nodes);
            nodes.specs.extend(spec);
        }
        Some(nodes)
    }

    fn node(&mut self, item: Located, place: &str, nodes: &mut Nodes) -> Option<NodeSpec> {
        let Some(mut fields) = self.fields(item, place) else {
            nodes.all_ids_known = false;
            return None;
        };
        let id = self.node_id(&mut fields, nodes);
        let node_type = self.required_text(&mut fields, "node_type");
        let params = self.params(&mut fields);
        let capabilities = self.optional_object(&mut fields, "capabilities");
        let host = self.optional_text(&mut fields, "host");
        let is_streaming = self.flag(&mut fields, "is_streaming");
        let runtime_hint = self.optional_text(&mut fields, "runtime_hint");
        let execution = self.optional_object(&mut fields, "execution");
        let on_error = self.on_error(&mut fields);
        let instances = self.instances(&mut fields);
        let join = self.flag(&mut fields, "join");
        Some(NodeSpec {
            id: id?,
            node_type: node_type?.content,
            params,
            capabilities,
            host,
            is_streaming,
            runtime_hint,
            execution,
            on_error,
            instances,
            join,
            extra: fields.rest(),
        })
    }

    fn node_id(&mut self, fields: &mut Fields, nodes: &mut Nodes) -> Option<String> {
        let Some(id) = self.required_text(fields, "id") else {
            nodes.all_ids_known = false;
            return None;
        };
        let Text {
            content: id,
            place,
            at,
        } = id;
        if !is_name(&id) {
            self.problem(&place, at, ProblemKind::BadId { found: id.clone() });
        }
        if let Some(first) = nodes.ids.get(&id) {
            self.duplicate_id(&id, &place, at, first);
        } else {
            nodes.ids.insert(id.clone(), (place, at));
        }
        Some(id)
    }

    #[inline(never)]
    fn duplicate_id(
        &mut self,
        id: &str,
        place: &str,
        at: Option<Position>,
        (first, first_position): &Place,
    ) {
        let kind = ProblemKind::DuplicateId {
            id: id.to_owned(),
            first: first.clone(),
            first_position: *first_position,
        };
        self.problem(place, at, kind);
    }

    fn params(&mut self, fields: &mut Fields) -> Params {
        let Some(located) = Self::optional(fields, "params") else {
            return Params::new();
        };
        self.fields(located, &fields.place_of("params"))
            .map(|fields| fields.rest().into_iter().collect())
            .unwrap_or_default()
    }

    /// A field that is true or false, or left out for the latter.
    fn flag(&mut self, fields: &mut Fields, name: &str) -> bool {
        Self::optional(fields, name).is_some_and(|flag| self.flag_of(&flag, &fields.place_of(name)))
    }

    #[inline(never)]
    fn flag_of(&mut self, flag: &Located, place: &str) -> bool {
        if let Kind::Scalar(Value::Bool(flag)) = flag.kind {
            return flag;
        }
        self.wrong_type(place, "true or false", flag);
        false
    }

    fn on_error(&mut self, fields: &mut Fields) -> Option<OnError> {
        let located = Self::optional(fields, "on_error")?;
        self.on_error_of(&located, &fields.place_of("on_error"))
    }

    #[inline(never)]
    fn on_error_of(&mut self, located: &Located, place: &str) -> Option<OnError> {
        const EXPECTED: &str = "`fail`, `skip` or `stop`";
        let Kind::Scalar(Value::Str(found)) = &located.kind else {
            self.wrong_type(place, EXPECTED, located);
            return None;
        };
        let on_error = OnError::from_name(found);
        if on_error.is_none() {
            let kind = ProblemKind::UnknownChoice {
                expected: EXPECTED,
                found: found.clone(),
                nearest: nearest(found, OnError::ALL.map(OnError::name)),
            };
            self.problem(place, located.at, kind);
        }
        on_error
    }

    fn instances(&mut self, fields: &mut Fields) -> Option<NonZeroU32> {
        let located = Self::optional(fields, "instances")?;
        self.instances_of(&located, &fields.place_of("instances"))
    }

    #[inline(never)]
    fn instances_of(&mut self, located: &Located, place: &str) -> Option<NonZeroU32> {
        const { assert!(MAX_INSTANCES == 64, "the message says so") };
        let instances = match located.kind {
            Kind::Scalar(Value::Int(number)) => u32::try_from(number).ok(),
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => None,
        };
        let instances = instances
            .filter(|instances| *instances <= MAX_INSTANCES)
            .and_then(NonZeroU32::new);
        if instances.is_none() {
            self.wrong_type(place, "a whole number from 1 to 64", located);
        }
        instances
    }

    /// The connections, checked against the nodes if there are any to check against.
    fn connections(
        &mut self,
        fields: &mut Fields,
        nodes: Option<&Nodes>,
    ) -> Option<Vec<Connection>> {
        let place = fields.place_of("connections");
        let Some(list) = Self::optional(fields, "connections") else {
            return Some(Vec::new());
        };
        let list = self.list(list, &place)?;
        let mut connections = Vec::with_capacity(list.len());
        let mut seen = Seen::default();
        for (index, item) in list.into_iter().enumerate() {
            connections.extend(self.connection(
                item,
                &format!("{place}[{index}]"),
                nodes,
                &mut seen,
            ));
        }
        self.cycle(&seen);
        Some(connections)
    }

    fn connection(
        &mut self,
        item: Located,
        place: &str,
        nodes: Option<&Nodes>,
        seen: &mut Seen,
    ) -> Option<Connection> {
        let at = item.at;
        let mut fields = self.fields(item, place)?;
        let from = self.required_text(&mut fields, "from");
        let to = self.required_text(&mut fields, "to");
        let output = self.output(&mut fields);
        for endpoint in [&from, &to].into_iter().flatten() {
            self.endpoint(endpoint, nodes);
        }
        let (from, to) = (from?.content, to?.content);
        let ends = (from.clone(), to.clone());
        if from == to {
            self.problem(place, at, ProblemKind::SelfLoop { id: from.clone() });
        } else if let Some(first) = seen.get(&ends, output.as_ref()) {
            self.duplicate_connection(ends, place, at, first);
        } else {
            let outputs = seen.0.get_or_insert_with(ends, Vec::new);
            outputs.push((output.clone(), (place.to_owned(), at)));
        }
        Some(Connection {
            from,
            to,
            output,
            extra: fields.rest(),
        })
    }

    #[inline(never)]
    fn duplicate_connection(
        &mut self,
        (from, to): (String, String),
        place: &str,
        at: Option<Position>,
        (first, first_position): &Place,
    ) {
        let kind = ProblemKind::DuplicateConnection {
            from,
            to,
            first: first.clone(),
            first_position: *first_position,
        };
        self.problem(place, at, kind);
    }

    fn output(&mut self, fields: &mut Fields) -> Option<String> {
        let located = Self::optional(fields, "output")?;
        self.output_of(located, fields.place_of("output"))
    }

    #[inline(never)]
    fn output_of(&mut self, located: Located, place: String) -> Option<String> {
        let Text { content, place, at } = self.text(located, place)?;
        if content.is_empty() {
            self.problem(&place, at, ProblemKind::Empty);
        } else if !is_name(&content) {
            let found = content.clone();
            self.problem(&place, at, ProblemKind::BadOutput { found });
        }
        Some(content)
    }

    fn endpoint(&mut self, endpoint: &Text, nodes: Option<&Nodes>) {
        // A node whose own id could not be read may be the one that is meant.
        let Some(nodes) = nodes.filter(|nodes| nodes.all_ids_known) else {
            return;
        };
        if !nodes.ids.contains_key(&endpoint.content) {
            self.unknown_endpoint(endpoint, nodes);
        }
    }

    #[inline(never)]
    fn unknown_endpoint(&mut self, endpoint: &Text, nodes: &Nodes) {
        let nearest = nearest(&endpoint.content, nodes.ids.keys().map(String::as_str));
        let kind = ProblemKind::UnknownEndpoint {
            id: endpoint.content.clone(),
            nearest: nearest.map(str::to_owned),
        };
        self.problem(&endpoint.place, endpoint.at, kind);
    }

    fn cycle(&mut self, seen: &Seen) {
        let (mut numbers, mut names) = (SortedMap::new(), Vec::new());
        for (from, to) in seen.0.keys() {
            for id in [from, to] {
                numbers.get_or_insert_with(id, || {
                    names.push(id);
                    names.len() - 1
                });
            }
        }
        let edges: Vec<_> = seen
            .0
            .keys()
            .map(|(from, to)| (numbers[from], numbers[to]))
            .collect();
        if let Some(cycle) = find_cycle(names.len(), &edges) {
            self.closed_by(&cycle, &names, seen);
        }
    }

    #[inline(never)]
    fn closed_by(&mut self, cycle: &[usize], names: &[&String], seen: &Seen) {
        let mut ids: Vec<String> = cycle.iter().map(|number| names[*number].clone()).collect();
        ids.push(ids[0].clone());
        // Reported at the connection that closes it, the last in the text.
        let closing = ids
            .windows(2)
            .map(|pair| &seen.0[&(pair[0].clone(), pair[1].clone())][0].1);
        let (place, at) = closing
            .max_by_key(|(_, at)| *at)
            .expect("a cycle has a connection");
        self.problem(place, *at, ProblemKind::Cycle { ids });
    }
}

/// Sorts by place, what has the same place in the order that it has. There are few, mostly sorted already, and the standard
/// library's sort is some 2 KB of code for each kind of thing.
pub(crate) fn in_order<T>(troubles: &mut [T], position: impl Fn(&T) -> Option<Position>) {
    for end in 1..troubles.len() {
        let at =
            troubles[..end].partition_point(|before| position(before) <= position(&troubles[end]));
        troubles[at..=end].rotate_right(1);
    }
}

/// The nodes read so far.
struct Nodes {
    specs: Vec<NodeSpec>,
    /// Each id and where it was first used.
    ids: SortedMap<String, (String, Option<Position>)>,
    all_ids_known: bool,
}

/// The place of a connection in the document and in the text.
type Place = (String, Option<Position>);

/// An output that a connection takes, and the connection's place.
type Taken = (Option<String>, Place);

/// The nodes that are connected, by which outputs.
#[derive(Default)]
struct Seen(SortedMap<(String, String), Vec<Taken>>);

impl Seen {
    fn get(&self, ends: &(String, String), output: Option<&String>) -> Option<&Place> {
        let mut outputs = self.0.get(ends)?.iter();
        let (_, place) = outputs.find(|(known, _)| known.as_ref() == output)?;
        Some(place)
    }
}

/// Whether a text has the form of ids and of outputs' names.
fn is_name(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}
