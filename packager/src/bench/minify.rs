//! What minifying makes of a library, beside `python-minifier`: size after deflate, and processor time.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cpu_time::ProcessTime;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use serde::{Deserialize, Serialize};

use crate::minify::{FOR_CODE, FOR_SOURCE, Pass, Task, minify_all};

/// A way to make texts smaller, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What was done.
    pub variant: String,
    /// What it came to.
    pub outcome: Outcome,
}

/// What a way to make texts smaller came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// It was tried.
    Measured {
        /// The sum of the texts' sizes in bytes, each deflated for itself at level 9.
        deflated: u64,
        /// Processor time of all threads, parsing included, reading files and deflating not; none where nothing was done.
        cpu: Option<Duration>,
        /// How many texts it could not handle; they count with their own size.
        failed: usize,
    },
    /// It could not be tried.
    Missing {
        /// Why, and what would help.
        reason: String,
    },
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<50} | ", self.variant)?;
        match &self.outcome {
            Outcome::Measured {
                deflated,
                cpu,
                failed,
            } => {
                write!(f, "{:>6} kB | ", deflated / 1000)?;
                match cpu {
                    Some(cpu) => write!(f, "{:>6.2} s", cpu.as_secs_f64())?,
                    None => write!(f, "{:>8}", "")?,
                }
                if *failed > 0 {
                    write!(f, " | {failed} files not read")?;
                }
                Ok(())
            }
            Outcome::Missing { reason } => f.write_str(reason),
        }
    }
}

/// Measure every variant on `texts`, file names to Python sources. `python-minifier` takes about a minute of processor time
/// for each of its variants on the standard library; it is not asked if `python` is none.
pub fn rows(texts: &BTreeMap<String, Arc<str>>, python: Option<&str>) -> Vec<Row> {
    let row = |variant: &str, outcome| Row {
        variant: variant.to_owned(),
        outcome,
    };
    let mut rows = vec![
        row("as it is", as_it_is(texts)),
        row(
            "rm-pack, for code objects: docstrings",
            ours(texts, FOR_CODE),
        ),
        row(
            "rm-pack, comments and layout",
            ours(texts, &[Pass::Comments, Pass::Layout]),
        ),
        row(
            "rm-pack, docstrings, comments and layout",
            ours(texts, FOR_SOURCE),
        ),
    ];
    if let Some(python) = python {
        rows.push(row("python-minifier", theirs(texts, python, false)));
        rows.push(row(
            "python-minifier, docstrings and annotations too",
            theirs(texts, python, true),
        ));
    }
    rows
}

fn as_it_is(texts: &BTreeMap<String, Arc<str>>) -> Outcome {
    Outcome::Measured {
        deflated: deflated(texts.values().map(|text| &**text).collect()),
        cpu: None,
        failed: 0,
    }
}

fn ours(texts: &BTreeMap<String, Arc<str>>, passes: &[Pass]) -> Outcome {
    let start = ProcessTime::now();
    let tasks: Vec<_> = texts.values().map(|text| Task { text, passes }).collect();
    let minified = minify_all(&tasks);
    let cpu = start.elapsed();
    Outcome::Measured {
        deflated: deflated(minified.iter().map(|minified| &*minified.text).collect()),
        cpu: Some(cpu),
        failed: minified.iter().filter(|one| one.problem.is_some()).count(),
    }
}

/// Minifies a JSON object of texts on standard input, in one process that imports `python_minifier` once.
const SCRIPT: &str = r#"
import json, sys, time
try:
    import python_minifier
except ImportError:
    sys.exit(3)
texts = json.load(sys.stdin)
more = {"remove_literal_statements": True, "remove_annotations": True} if sys.argv[1] == "more" else {}
start = time.process_time()
minified = {}
for name, text in texts.items():
    try:
        minified[name] = python_minifier.minify(text, name, **more)
    except Exception:
        pass
json.dump({"cpu": time.process_time() - start, "minified": minified}, sys.stdout)
"#;

/// What [`SCRIPT`] prints.
#[derive(Deserialize)]
struct Answer {
    cpu: f64,
    minified: BTreeMap<String, String>,
}

fn theirs(texts: &BTreeMap<String, Arc<str>>, python: &str, more: bool) -> Outcome {
    match ask(texts, python, more) {
        Ok(Answer { cpu, minified }) => Outcome::Measured {
            deflated: deflated(
                texts
                    .iter()
                    .map(|(name, text)| minified.get(name).map_or(&**text, |text| &**text))
                    .collect(),
            ),
            cpu: Some(Duration::try_from_secs_f64(cpu).unwrap_or_default()),
            failed: texts.len() - minified.len(),
        },
        Err(reason) => Outcome::Missing { reason },
    }
}

fn ask(texts: &BTreeMap<String, Arc<str>>, python: &str, more: bool) -> Result<Answer, String> {
    let texts: BTreeMap<&str, &str> = texts
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let question = serde_json::to_vec(&texts).map_err(|error| error.to_string())?;
    let mut child = Command::new(python)
        .args(["-c", SCRIPT, if more { "more" } else { "default" }])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start `{python}`: {error}"))?;
    let mut input = child.stdin.take().expect("it was asked for above");
    // The script reads everything before it writes; a script that ended early is told by its status.
    let sent = input.write_all(&question);
    drop(input);
    let output = child
        .wait_with_output()
        .map_err(|error| format!("cannot read from `{python}`: {error}"))?;
    match output.status.code() {
        Some(0) => {
            sent.map_err(|error| format!("cannot write to `{python}`: {error}"))?;
            serde_json::from_slice(&output.stdout)
                .map_err(|error| format!("`{python}` answered with something else: {error}"))
        }
        Some(3) => Err(format!(
            "not there; `{python} -m pip install python-minifier` installs it"
        )),
        _ => Err(format!("`{python}` failed: {}", output.status)),
    }
}

pub(super) fn deflated(texts: Vec<&str>) -> u64 {
    texts
        .into_par_iter()
        .map(|text| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder
                .write_all(text.as_bytes())
                .and_then(|()| encoder.finish())
                .expect("memory takes what is written")
                .len() as u64
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn bytes(row: &Row) -> u64 {
        match row.outcome {
            Outcome::Measured {
                deflated,
                failed: 0,
                ..
            } => deflated,
            Outcome::Measured { .. } | Outcome::Missing { .. } => panic!("{row}"),
        }
    }

    #[test]
    fn the_standard_library_is_nearly_halved() {
        let rows = rows(&crate::engine::stdlib(), None);
        // `--nocapture` shows the table; its times count whatever other tests do meanwhile.
        for row in &rows {
            println!("{row}");
        }
        let sizes: Vec<_> = rows.iter().map(bytes).collect();
        let [raw, code, layout, source] = *sizes else {
            panic!("four variants are ours")
        };
        // Measured: 0.81, 0.74 and 0.535.
        assert!(code * 100 < raw * 82, "{code} of {raw}");
        assert!(layout * 100 < raw * 75, "{layout} of {raw}");
        assert!(source * 100 < raw * 54, "{source} of {raw}");
    }

    #[test]
    fn what_is_missing_says_how_to_get_it() {
        let texts = BTreeMap::from([("a.py".to_owned(), Arc::from("a = 1\n"))]);
        let rows = rows(&texts, Some("no-such-python"));
        let shown = rows.last().expect("rows").to_string();
        assert!(shown.contains("cannot start `no-such-python`: "), "{shown}");
    }

    #[test]
    fn python_minifier_is_asked_where_it_is() {
        let text = "def f(first, second):\n    \"\"\"doc\"\"\"\n    return first + second\n";
        let texts = BTreeMap::from([
            ("a.py".to_owned(), Arc::from(text)),
            ("b.py".to_owned(), Arc::from("not = 1\n")),
        ]);
        let rows = rows(&texts, Some("python3"));
        let row = rows.last().expect("rows");
        match &row.outcome {
            Outcome::Measured {
                deflated, failed, ..
            } => {
                assert_eq!(*failed, 1, "{row}");
                assert!(*deflated < bytes(&rows[0]), "{row}");
            }
            Outcome::Missing { reason } => {
                let helps = reason.contains("pip install python-minifier")
                    || reason.starts_with("cannot start `python3`");
                assert!(helps, "{row}");
                println!("python-minifier is not here; only its absence was tested");
            }
        }
    }
}
