//! What the analysis says of definitions is true: those that are left out are not missed, and those that are kept are.
//!
//! Definitions are taken out of copies of the sources by `mutation/remove.py`, which shares nothing with what packing
//! leaves out. That the others are missed shows that comparing outputs, as the tests of shaking do, notices it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use end_to_end::{Finished, example, repository, rm_pack, tree};
use rm_pack::report::metafile::{Definition, DefinitionKind, Metafile, Origin};

/// A pipeline whose sources can be changed.
struct Subject {
    /// A folder with the manifest, the input and what is expected.
    folder: PathBuf,
    /// Where further sources are.
    sources: Vec<PathBuf>,
}

/// A definition, and the file that it is in, below its root.
#[derive(Clone)]
struct Known {
    file: String,
    definition: Definition,
}

impl Known {
    fn name(&self) -> String {
        format!("{}:{}", self.file, self.definition.name)
    }
}

impl Subject {
    fn example(name: &str) -> Self {
        Self {
            folder: example(name).parent().unwrap().to_owned(),
            sources: Vec::new(),
        }
    }

    /// A package of the corpus, which `fetch.py` has put into one folder below another.
    fn package(name: &str) -> Self {
        let corpus = repository().join("tests/corpus");
        let mut fetch = Command::new("python3");
        let fetched = Finished::of(fetch.arg(corpus.join("fetch.py")).arg(name)).success();
        Self {
            sources: vec![Path::new(fetched.trim_end()).join("wheel").join(name)],
            folder: corpus.join(name),
        }
    }

    fn command(&self, command: &str) -> Command {
        let mut run = rm_pack();
        run.arg(command).arg(self.folder.join("pipeline.yaml"));
        for source in &self.sources {
            run.arg("--source").arg(source);
        }
        run
    }

    /// What the sources of the application define.
    fn definitions(&self) -> Vec<Known> {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("metafile.json");
        let mut build = self.command("build");
        build.arg("--out").arg(out.path()).arg("--metafile");
        Finished::of(build.arg(&path)).success();
        let metafile = Metafile::read(&path).unwrap();
        let own = metafile.modules.into_iter();
        own.filter(|module| module.origin == Origin::Node)
            .flat_map(|module| {
                let file = module.file;
                let definitions = module.definitions.into_iter();
                definitions.map(move |definition| Known {
                    file: file.clone(),
                    definition,
                })
            })
            .collect()
    }

    /// Whether the outputs are what is expected, without some definitions.
    fn is_same_without(&self, gone: &[Known], options: &[&str]) -> bool {
        let scratch = tempfile::tempdir().unwrap();
        let copied = |number: usize, from: &Path| {
            let folder = scratch.path().join(number.to_string());
            tree::copy(from, &folder);
            folder
        };
        let folder = copied(0, &self.folder);
        let sources = self.sources.iter().zip(1..);
        let copy = Self {
            sources: sources
                .map(|(source, number)| copied(number, source))
                .collect(),
            folder,
        };
        for of_file in gone.chunk_by(|left, right| left.file == right.file) {
            let mut roots = copy.sources.iter().chain([&copy.folder]);
            let path = roots
                .find_map(|root| {
                    let path = root.join(&of_file[0].file);
                    path.is_file().then_some(path)
                })
                .unwrap_or_else(|| panic!("there is no {}", of_file[0].file));
            remove(&path, of_file);
        }
        let mut run = copy.command("run");
        run.args(options);
        run.arg("--input").arg(copy.folder.join("input.jsonl"));
        let expected = std::fs::read_to_string(self.folder.join("expected.jsonl")).unwrap();
        let finished = Finished::of(&mut run);
        finished.code == Some(0) && finished.stdout == expected
    }

    /// The definitions, of some that are kept, that nothing misses.
    fn not_missed(&self, kept: &[Known]) -> Vec<String> {
        let next = AtomicUsize::new(0);
        let survived = Mutex::new(Vec::new());
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(one) = kept.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if self.is_same_without(std::slice::from_ref(one), &[]) {
                            survived.lock().unwrap().push(one.name());
                        }
                    }
                });
            }
        });
        let mut survived = survived.into_inner().unwrap();
        survived.sort();
        println!(
            "{}: of {} definitions, {} are missed; not {survived:?}",
            self.folder.display(),
            kept.len(),
            kept.len() - survived.len()
        );
        survived
    }
}

/// Take definitions out of a file.
fn remove(path: &Path, definitions: &[Known]) {
    let definitions: Vec<_> = definitions.iter().map(|known| &known.definition).collect();
    let mut script = Command::new("python3")
        .arg(repository().join("tests/tests/mutation/remove.py"))
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tests need Python 3.11.4 or later as `python3`");
    let mut input = script.stdin.take().unwrap();
    input
        .write_all(&serde_json::to_vec(&definitions).unwrap())
        .unwrap();
    drop(input);
    let gone = Finished::from_output(script.wait_with_output().unwrap()).success();
    assert_eq!(
        gone.trim_end(),
        definitions.len().to_string(),
        "{}: {definitions:?}",
        path.display()
    );
}

fn split(definitions: Vec<Known>) -> (Vec<Known>, Vec<Known>) {
    definitions
        .into_iter()
        .partition(|known| known.definition.because.is_some())
}

#[test]
fn what_an_example_keeps_is_missed() {
    let subject = Subject::example("subtitles");
    let (kept, _) = split(subject.definitions());
    assert!(kept.len() >= 25);
    // What only annotations name is not missed: they are evaluated when somebody asks for them.
    let annotations = [
        "subtitle_tools/cues.py:Iterable",
        "subtitle_tools/parser.py:Block",
        "subtitle_tools/parser.py:Iterator",
    ];
    assert_eq!(subject.not_missed(&kept), annotations);
}

#[test]
fn what_a_package_keeps_is_missed() {
    let subject = Subject::package("jmespath");
    let (kept, _) = split(subject.definitions());
    let kept: Vec<_> = kept.into_iter().step_by(8).collect();
    let survived = subject.not_missed(&kept);
    // Its methods are found by computed names, so all of them are kept; the input has not every kind of query in it.
    assert!(survived.len() * 5 <= kept.len() * 2, "{survived:?}");
}

#[test]
fn what_is_left_out_is_not_missed() {
    for (package, at_least) in [("more-itertools", 200), ("webvtt-py", 10), ("sqlparse", 10)] {
        let subject = Subject::package(package);
        let (_, removed) = split(subject.definitions());
        // A class goes with all that is in it.
        let classes: Vec<_> = removed
            .iter()
            .filter(|known| known.definition.kind == DefinitionKind::Class)
            .map(|known| (known.file.clone(), format!("{}.", known.definition.name)))
            .collect();
        let inside = |known: &Known| {
            classes.iter().any(|(file, class)| {
                *file == known.file && known.definition.name.starts_with(class)
            })
        };
        let removed: Vec<_> = removed.into_iter().filter(|known| !inside(known)).collect();
        println!("{package}: {} definitions are left out", removed.len());
        assert!(removed.len() >= at_least, "{package}");
        assert!(
            subject.is_same_without(&removed, &["--no-shake"]),
            "{package}"
        );
    }
}
