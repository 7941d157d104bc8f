//! The page: one HTML file that needs no other, with its data inside.
//!
//! It is written as `page.html`, `page.css` and a few scripts, each for one part of it, and put together here. What it
//! shows comes from the metafile and the difference, which it holds as JSON; the rest is the same in every page.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rm_runtime::digest::Digest;
use serde::Serialize;

use super::difference::{Difference, Side, diff};
use super::metafile::{LinkKind, Metafile, When};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// In the order in which they rely on each other.
const SCRIPTS: [&str; 7] = [
    include_str!("model.js"),
    include_str!("words.js"),
    include_str!("map.js"),
    include_str!("table.js"),
    include_str!("details.js"),
    include_str!("rest.js"),
    include_str!("page.js"),
];

/// What the scripts work on.
#[derive(Serialize)]
struct Data<'a> {
    metafile: &'a Metafile,
    difference: Option<Difference>,
    phrases: Phrases,
}

/// The words of links, so that the page and `rm-pack why` use the same.
#[derive(Serialize)]
struct Phrases {
    kinds: BTreeMap<LinkKind, &'static str>,
    when: BTreeMap<When, &'static str>,
}

/// A page that shows a metafile, compared with another one or with a bundle if there is one.
///
/// The page asks for nothing over the network and lets nothing else run in it: its own policy allows only the style and
/// the script that it was written with.
///
/// # Panics
///
/// A metafile that cannot be written as JSON, which none is.
pub fn html(metafile: &Metafile, previous: Option<&Side>) -> String {
    let data = Data {
        metafile,
        difference: previous.map(|previous| diff(previous, metafile)),
        phrases: Phrases {
            kinds: LinkKind::ALL.map(|kind| (kind, kind.phrase())).into(),
            when: When::ALL.map(|when| (when, when.phrase())).into(),
        },
    };
    let data = serde_json::to_string(&data).expect("a metafile has text keys only");
    let script = format!("\"use strict\";\n{}", SCRIPTS.join("\n"));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        source_hash(STYLE),
        source_hash(&script)
    );
    fill(
        TEMPLATE,
        &[
            ("policy", &policy),
            ("title", &text(&metafile.bundle.manifest.metadata.name)),
            ("style", STYLE),
            ("data", &json(&data)),
            ("script", &script),
        ],
    )
}

/// The hash by which a content security policy knows an inline style or script.
fn source_hash(text: &str) -> String {
    STANDARD.encode(Digest::of(text.as_bytes()).as_bytes())
}

/// Text as HTML.
fn text(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(char),
        }
    }
    html
}

/// JSON for a script element: what ends the element, or begins a comment in it, starts with `<`, which JSON has in strings
/// only.
fn json(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// A template with each `{{name}}` replaced. What is put in is not looked into again.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after
            .split_once("}}")
            .expect("the template closes what it opens");
        let (_, value) = values
            .iter()
            .find(|(known, _)| *known == name)
            .expect("the template uses known names");
        filled.push_str(before);
        filled.push_str(value);
        rest = behind;
    }
    filled + rest
}

#[cfg(test)]
mod tests;
