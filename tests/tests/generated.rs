//! Generated programs do the same packed whole and shaken.
//!
//! `RM_GENERATED=500 RM_GENERATED_SEED=1000` tries 500 applications from seed 1000 on. What differs is kept below the
//! target folder, in `tmp/generated/SEED`: the sources, and what both runs said.

mod generator;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use end_to_end::{Finished, rm_pack};
use serde_json::Value;

/// How many applications are tried where nothing else is said.
const APPLICATIONS: u64 = 16;

fn setting(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not {text}"))
    })
}

/// What trying an application has shown.
#[derive(Default)]
struct Outcome {
    /// Functions that were called and gave something.
    values: usize,
    /// Functions that were called and raised.
    raised: Vec<String>,
    /// What the memory takes that is frozen in the bundle, in MB, packed whole.
    whole: f64,
    /// The same, shaken.
    shaken: f64,
}

#[test]
fn generated_programs_do_the_same_shaken() {
    let first = setting("RM_GENERATED_SEED", 0);
    let until = first + setting("RM_GENERATED", APPLICATIONS);
    let next = AtomicU64::new(first);
    let outcomes = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= until {
                        break;
                    }
                    let outcome = check(seed);
                    outcomes.lock().unwrap().insert(seed, outcome);
                }
            });
        }
    });
    let mut sum = Outcome::default();
    let mut failed = Vec::new();
    for (seed, outcome) in outcomes.into_inner().unwrap() {
        match outcome {
            Ok(outcome) => {
                sum.values += outcome.values;
                sum.whole += outcome.whole;
                sum.shaken += outcome.shaken;
                sum.raised.extend(outcome.raised);
            }
            Err(message) => failed.push(format!("seed {seed}: {message}")),
        }
    }
    println!(
        "{} applications: {} functions called, {} of them raised; {:.0} MB packed whole, {:.0} MB shaken",
        until - first,
        sum.values + sum.raised.len(),
        sum.raised.len(),
        sum.whole,
        sum.shaken
    );
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    // A generator that writes what does not run, or what uses everything, would compare nothing.
    assert_eq!(sum.raised, Vec::<String>::new());
    assert!(sum.shaken < sum.whole, "nothing is left out");
}

/// Pack an application both ways, and compare.
fn check(seed: u64) -> Result<Outcome, String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("generated")
        .join(seed.to_string());
    let _ = std::fs::remove_dir_all(&folder);
    for (path, text) in generator::application(seed) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let manifest = folder.join("pipeline.yaml");
    let (whole, shaken) = (run(&manifest, &["--no-shake"]), run(&manifest, &[]));
    for (name, finished) in [("whole", &whole), ("shaken", &shaken)] {
        let text = format!("{}{}", finished.stdout, finished.stderr);
        std::fs::write(folder.join(name), text).unwrap();
    }
    if whole.code != Some(0) {
        return Err(format!("packed whole, it fails\n{}", whole.stderr));
    }
    if shaken.code != Some(0) || whole.stdout != shaken.stdout {
        let differ = whole.stdout.lines().zip(shaken.stdout.lines());
        let differ: Vec<_> = differ
            .filter(|(whole, shaken)| whole != shaken)
            .map(|(whole, shaken)| format!("whole  {whole}\nshaken {shaken}"))
            .collect();
        return Err(format!(
            "see {}\n{}\n{}",
            folder.display(),
            differ.join("\n"),
            shaken.stderr
        ));
    }
    let mut outcome = Outcome {
        whole: bytes(&whole),
        shaken: bytes(&shaken),
        ..Outcome::default()
    };
    for line in whole.stdout.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        if line.contains("\"!") {
            outcome.raised.push(format!("seed {seed}: {line}"));
        } else {
            assert!(value[0].is_string(), "{line}");
            outcome.values += 1;
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    Ok(outcome)
}

fn run(pipeline: &Path, options: &[&str]) -> Finished {
    let mut command = rm_pack();
    Finished::of(command.arg("run").arg(pipeline).args(options))
}

/// What the summary says of the memory.
fn bytes(finished: &Finished) -> f64 {
    let before = finished.stderr.split_once(" MB in memory");
    let number = before.and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok());
    number.unwrap_or_else(|| {
        panic!(
            "a summary says how much memory there is\n{}",
            finished.stderr
        )
    })
}
