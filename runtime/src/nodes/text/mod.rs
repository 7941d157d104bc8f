//! `RustTextProcessorNode`: rewrites and counts text, as the example bundle's `TextProcessorNode` does in Python.

mod unicode;

pub(super) use self::unicode::Text;
use super::{Node, NodeError, Outputs, ParamReader};
use crate::json::from_json;
use crate::manifest::Params;
use crate::value::Value;

/// What can be done to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Uppercase,
    Lowercase,
    Title,
    Reverse,
    WordCount,
    CharCount,
}

/// Each once, in order.
#[derive(Clone, Debug)]
struct Operations(Vec<Operation>);

/// Param `operations`, a list of names, all of them by default: what is done to an item that does not say.
struct TextProcessor {
    operations: Operations,
}

pub(super) fn create(params: &Params) -> Result<Box<dyn Node>, NodeError> {
    let mut reader = ParamReader::new(params);
    let operations = match reader.optional::<Value>("operations")? {
        Some(names) => Operations::of(&names)?,
        None => Operations(Operation::ALL.to_vec()),
    };
    reader.finish()?;
    Ok(Box::new(TextProcessor { operations }))
}

impl Node for TextProcessor {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        let request = request(input)?;
        let Some(text) = request.get("text").and_then(Text::of) else {
            return Err(no_text(&request));
        };
        let asked = request.get("operations").map(Operations::of).transpose()?;
        let Operations(operations) = asked.as_ref().unwrap_or(&self.operations);
        let results = operations
            .iter()
            .map(|operation| (operation.name().into(), operation.apply(text)));
        let processed = operations.iter().map(|operation| operation.name().into());
        out.push(vec![
            ("original".into(), request.get("text").cloned().into()),
            ("results".into(), Value::Dict(results.collect())),
            ("processed".into(), Value::List(processed.collect())),
        ]);
        Ok(())
    }
}

/// The item, read first if it is JSON text.
fn request(input: Value) -> Result<Value, NodeError> {
    let text = match &input {
        Value::Str(text) => text,
        Value::Bytes(bytes) => std::str::from_utf8(bytes.strip_prefix(BOM).unwrap_or(bytes))
            .map_err(|error| NodeError::caused("the item is not JSON in UTF-8", error))?,
        _ => return Ok(input),
    };
    from_json(text).map_err(|error| NodeError::caused("the item is not JSON", error))
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

fn no_text(request: &Value) -> NodeError {
    match request {
        Value::Dict(_) => match request.get("text") {
            Some(text) => {
                NodeError::failed(format!("`text`: expected text, got {}", text.describe()))
            }
            None => NodeError::failed("expected a dict with `text`: it is missing"),
        },
        other => NodeError::input("a dict with `text`, or one as JSON text", other),
    }
}

impl Operation {
    const ALL: [Self; 6] = [
        Self::Uppercase,
        Self::Lowercase,
        Self::Title,
        Self::Reverse,
        Self::WordCount,
        Self::CharCount,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Uppercase => "uppercase",
            Self::Lowercase => "lowercase",
            Self::Title => "title",
            Self::Reverse => "reverse",
            Self::WordCount => "word_count",
            Self::CharCount => "char_count",
        }
    }

    fn of(value: &Value) -> Result<Self, NodeError> {
        let named = |operation: &Self| value.as_str() == Some(operation.name());
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            NodeError::unknown_name("unknown operation", value, &Self::ALL.map(Self::name))
        })
    }

    fn apply(self, text: Text) -> Value {
        let count = |count: usize| Value::from(u64::try_from(count).expect("64 bits are enough"));
        match self {
            Self::Uppercase => text.upper(),
            Self::Lowercase => text.lower(),
            Self::Title => text.title(),
            Self::Reverse => text.reversed(),
            Self::WordCount => count(text.words()),
            Self::CharCount => count(text.length()),
        }
    }
}

impl Operations {
    fn of(names: &Value) -> Result<Self, NodeError> {
        let (Value::List(names) | Value::Tuple(names)) = names else {
            return Err(NodeError::failed(format!(
                "`operations`: expected a list of names, got {}",
                names.describe()
            )));
        };
        let mut operations = Vec::new();
        for name in names {
            let operation = Operation::of(name)?;
            if !operations.contains(&operation) {
                operations.push(operation);
            }
        }
        Ok(Self(operations))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::to_json;

    #[track_caller]
    fn process(params: &str, input: impl Into<Value>) -> String {
        let Value::Dict(params) = from_json(params).unwrap() else {
            panic!("params are a dict")
        };
        let params = params
            .into_iter()
            .map(|(name, value)| (name.as_str().unwrap().to_owned(), value))
            .collect();
        let mut outputs = Outputs::new();
        match create(&params).and_then(|mut node| node.process(input.into(), &mut outputs)) {
            Ok(()) => to_json(&outputs.into_values()[0]).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_operation_is_done_by_default() {
        assert_eq!(
            process("{}", from_json(r#"{"text": "it's ΣΑΣ"}"#).unwrap()),
            r#"{"original":"it's ΣΑΣ","results":{"uppercase":"IT'S ΣΑΣ","lowercase":"it's σας","#
                .to_owned()
                + r#""title":"It's Σας","reverse":"ΣΑΣ s'ti","word_count":2,"char_count":8},"#
                + r#""processed":["uppercase","lowercase","title","reverse","word_count","char_count"]}"#
        );
    }

    #[test]
    fn operations_are_the_items_or_else_the_nodes_each_once() {
        let params = r#"{"operations": ["title"]}"#;
        let item = r#"{"text": "a", "operations": ["char_count", "uppercase", "char_count"]}"#;
        let counted = r#"{"original":"a","results":{"char_count":1,"uppercase":"A"},"processed":["char_count","uppercase"]}"#;
        assert_eq!(process(params, item), counted);
        assert_eq!(
            process(params, r#"{"text": "a"}"#.as_bytes()),
            r#"{"original":"a","results":{"title":"A"},"processed":["title"]}"#
        );
        let none = r#"{"original":"a","results":{},"processed":[]}"#;
        assert_eq!(process("{}", r#"{"text": "a", "operations": []}"#), none);
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("{}", "expected a dict with `text`: it is missing"),
            (
                "[]",
                "expected a dict with `text`, or one as JSON text, got list of 0",
            ),
            (r#"{"text": 5}"#, "`text`: expected text, got int 5"),
            ("not JSON", "the item is not JSON"),
            (
                r#"{"text": "", "operations": null}"#,
                "`operations`: expected a list of names, got None",
            ),
            (
                r#"{"text": "", "operations": ["titel"]}"#,
                "unknown operation str \"titel\", known: \
                 uppercase, lowercase, title, reverse, word_count, char_count; did you mean `title`?",
            ),
        ];
        for (item, message) in cases {
            assert_eq!(process("{}", item), message);
        }
        assert_eq!(
            process(r#"{"operations": "title"}"#, "{}"),
            "`operations`: expected a list of names, got str \"title\""
        );
    }
}
