//! Throughput, latency and memory of a pipeline of four nodes, Rust and Python in turn, against the same four steps in one
//! process of the `python3` on the path.
//!
//! ```text
//! cargo bench -p end-to-end --bench pipeline [-- --items N]
//! ```
//!
//! Two loads: *light* nodes do next to nothing, so that what is measured is moving items; *busy* ones compute for some tens
//! of microseconds. Times are medians of rounds in which all variants take turns.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rm_pack::pack::{Request, pack};
use rm_runtime::cache::Cache;
use rm_runtime::pipeline::{Pipeline, Settings};
use rm_runtime::value::Value;

const ROUNDS: usize = 5;

const MANIFEST: &str = "
version: v1
metadata: {name: bench}
nodes:
  - {id: add, node_type: AddNode, params: {addend: 1}}
  - {id: first, node_type: First}
  - {id: multiply, node_type: MultiplyNode, params: {factor: 3}}
  - {id: second, node_type: Second}
connections:
  - {from: add, to: first}
  - {from: first, to: multiply}
  - {from: multiply, to: second}
";

const LIGHT: &str = "
class First:
    def process(self, data):
        return data + 1


class Second:
    def process(self, data):
        return {'number': data}
";

const BUSY: &str = "
def work(number):
    total = number
    for step in range(200):
        total = (total * 31 + step) % 1000003
    return total


class First:
    def process(self, data):
        return work(data)


class Second:
    def process(self, data):
        return {'number': work(data)}
";

/// The same four steps as a loop in one interpreter.
const NATIVE: &str = "
import sys
import time

from nodes import First, Second

count = int(sys.argv[1])
first, second = First(), Second()
started = time.perf_counter()
checksum = 0
for item in range(count):
    checksum += second.process(first.process(item + 1) * 3)['number']
print(time.perf_counter() - started, checksum)
";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let items = arguments
        .iter()
        .position(|argument| argument == "--items")
        .and_then(|place| arguments.get(place + 1)?.parse().ok())
        .unwrap_or(100_000_u64);
    println!("{}\n", machine());
    println!("| load | variant | items | median | items/s | against python3 |");
    println!("|---|---|---|---|---|---|");
    for (load, source, items) in [("light", LIGHT, items), ("busy", BUSY, items / 5)] {
        throughput(load, source, items);
    }
    println!();
    latency();
    println!();
    sessions();
    println!();
    memory();
}

fn machine() -> String {
    let version = Command::new("python3").arg("--version").output();
    let version = version.map_or_else(
        |_| "no python3 to compare with".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{processors} processors, {version}")
}

fn throughput(load: &str, source: &str, items: u64) {
    let folder = tempfile::tempdir().unwrap();
    let pipelines = [1, 2].map(|threads| (threads, pipeline(folder.path(), source, threads)));
    std::fs::write(folder.path().join("native.py"), NATIVE).unwrap();
    let mut rows: Vec<(String, Vec<Duration>)> = vec![
        ("python3, one process".to_owned(), Vec::new()),
        ("1 thread".to_owned(), Vec::new()),
        ("2 threads".to_owned(), Vec::new()),
    ];
    let mut sums = Vec::new();
    for _ in 0..ROUNDS {
        if let Some((time, sum)) = native(folder.path(), items) {
            rows[0].1.push(time);
            sums.push(sum);
        }
        for (row, (_, pipeline)) in pipelines.iter().enumerate() {
            let started = Instant::now();
            sums.push(run(pipeline, items));
            rows[row + 1].1.push(started.elapsed());
        }
    }
    assert!(
        sums.windows(2).all(|pair| pair[0] == pair[1]),
        "the variants disagree: {sums:?}"
    );
    let reference = median(&mut rows[0].1);
    for (name, times) in &mut rows {
        let Some(time) = median(times) else {
            continue;
        };
        let ratio = reference.map_or_else(
            || "-".to_owned(),
            |reference| format!("{:.2}", reference.as_secs_f64() / time.as_secs_f64()),
        );
        let rate = precise(items) / time.as_secs_f64();
        let milliseconds = time.as_secs_f64() * 1e3;
        println!("| {load} | {name} | {items} | {milliseconds:.1} ms | {rate:.0} | {ratio} |");
    }
}

fn pipeline(folder: &Path, source: &str, threads: usize) -> Pipeline {
    std::fs::write(folder.join("pipeline.yaml"), MANIFEST).unwrap();
    std::fs::write(folder.join("nodes.py"), source).unwrap();
    let request = Request::new(folder.join("pipeline.yaml"));
    let packed = pack(&request, &Cache::user(), &|_| {}).unwrap();
    let settings = Settings {
        threads,
        ..Settings::default()
    };
    let engine = packed.engine.map(|built| built.engine);
    Pipeline::with_engine(&packed.bundle, engine, settings).unwrap()
}

fn run(pipeline: &Pipeline, items: u64) -> u64 {
    let mut numbers = 0..items;
    let mut sum = 0;
    pipeline
        .run_with(
            || Ok(numbers.next().map(Into::into)),
            |output| {
                sum += number(&output.value);
                Ok(())
            },
        )
        .unwrap();
    sum
}

fn number(value: &Value) -> u64 {
    match value.get("number") {
        Some(Value::Int(number)) => u64::try_from(*number).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn native(folder: &Path, items: u64) -> Option<(Duration, u64)> {
    let output = Command::new("python3")
        .args(["native.py", &items.to_string()])
        .current_dir(folder)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (seconds, sum) = text.trim().split_once(' ')?;
    let time = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    Some((time, sum.parse().ok()?))
}

/// From sending an item to receiving what became of it, with nothing else under way.
fn latency() {
    const ITEMS: usize = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("| latency of one item | median | 99 % |\n|---|---|---|\n");
    for threads in [1, 2] {
        let session = pipeline(folder.path(), LIGHT, threads).session();
        let mut times: Vec<Duration> = (0..ITEMS)
            .map(|_| {
                let started = Instant::now();
                session.send_blocking(1).unwrap();
                session.receive_blocking().unwrap().unwrap();
                started.elapsed()
            })
            .skip(ITEMS / 10)
            .collect();
        times.sort();
        let [median, high] = [times.len() / 2, times.len() * 99 / 100].map(|place| {
            let time = times[place].as_secs_f64() * 1e6;
            format!("{time:.0} us")
        });
        let _ = writeln!(text, "| {threads} threads | {median} | {high} |");
    }
    print!("{text}");
}

/// What sessions cost that are open at the same time, each with two interpreters of its own.
fn sessions() {
    const OPEN: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let pipeline = pipeline(folder.path(), LIGHT, 2);
    // Whatever is set up once is not a session's.
    run(&pipeline, 10);
    let before = resident();
    let started = Instant::now();
    let open: Vec<_> = (0..OPEN)
        .map(|_| {
            let session = pipeline.session();
            session.send_blocking(1).unwrap();
            session
        })
        .collect();
    for session in &open {
        session.receive_blocking().unwrap().unwrap();
    }
    let time = started.elapsed();
    let memory = resident()
        .zip(before)
        .map(|(after, before)| (after.saturating_sub(before) >> 10) / u64::try_from(OPEN).unwrap());
    println!(
        "sessions: {OPEN} opened, each answered once, in {:.0} ms; {} KiB resident for each while it is open",
        time.as_secs_f64() * 1e3,
        memory.map_or_else(|| "?".to_owned(), |memory| memory.to_string())
    );
}

/// What a long stream takes: nothing that grows.
fn memory() {
    const ITEMS: u64 = 1_000_000;
    let folder = tempfile::tempdir().unwrap();
    let pipeline = pipeline(folder.path(), LIGHT, 2);
    let mut given = 0;
    let mut seen = 0;
    let mut early = None;
    let started = Instant::now();
    pipeline
        .run_with(
            || {
                given += 1;
                Ok((given <= ITEMS).then(|| given.into()))
            },
            |_| {
                seen += 1;
                if seen == ITEMS / 100 {
                    early = resident();
                }
                Ok(())
            },
        )
        .unwrap();
    let late = resident();
    let show = |bytes: Option<u64>| {
        bytes.map_or_else(|| "?".to_owned(), |bytes| format!("{} MiB", bytes >> 20))
    };
    println!(
        "memory: {} resident after {} items, {} after {ITEMS}; {:.1} s",
        show(early),
        ITEMS / 100,
        show(late),
        started.elapsed().as_secs_f64()
    );
}

/// The memory that this process has in use, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort();
    times.get(times.len() / 2).copied()
}

#[expect(clippy::cast_precision_loss, reason = "counts of items are small")]
fn precise(count: u64) -> f64 {
    count as f64
}
