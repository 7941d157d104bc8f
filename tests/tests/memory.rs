//! Memory stays bounded, however long a stream is. What is measured is this process, so the tests take turns.
#![cfg(target_os = "linux")]

mod packed;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use packed::{
    pack_files, pipeline_under, pipeline_with, python, run_to_end, status_of_process, within,
};
use rm_runtime::nodes::{NodeError, Registry};
use rm_runtime::packet::Emission;
use rm_runtime::pipeline::{Pipeline, Settings};
use rm_runtime::value::Value;

fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn resident_mib() -> usize {
    status_of_process("VmRSS") / 1024
}

/// Waits until memory and threads are about what they were.
#[track_caller]
fn comes_back_to(mib: usize, threads: usize) {
    let begun = Instant::now();
    loop {
        let now = (resident_mib(), status_of_process("Threads"));
        if now.0 <= mib + 40 && now.1 <= threads {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "MiB and threads: {now:?}, before {:?}",
            (mib, threads)
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// What went in and out of a run, how far apart they were at most, and how memory grew after its first tenth.
#[derive(Debug)]
struct Flow {
    taken: usize,
    given: usize,
    most_apart: usize,
    grown_mib: usize,
}

fn flow(pipeline: &Pipeline, items: usize) -> Flow {
    let taken = std::cell::Cell::new(0_usize);
    let (mut given, mut most_apart) = (0_usize, 0);
    let mut early = None;
    pipeline
        .run_with(
            || {
                let number = taken.get();
                taken.set(number + 1);
                if number == items / 10 {
                    early = Some(resident_mib());
                }
                Ok((number < items).then(|| Value::from(number as u64).into()))
            },
            |_| {
                given += 1;
                most_apart = most_apart.max(taken.get().saturating_sub(given));
                Ok(())
            },
        )
        .unwrap();
    Flow {
        taken: taken.get() - 1,
        given,
        most_apart,
        grown_mib: resident_mib().saturating_sub(early.unwrap()),
    }
}

#[test]
fn a_million_items_take_no_more_memory_than_some() {
    let _alone = alone();
    let manifest = "
nodes:
  - {id: first, node_type: AddNode, params: {addend: 1}}
  - {id: second, node_type: MultiplyNode, params: {factor: 2}}
  - {id: sieve, node_type: Echo}
  - {id: last, node_type: AddNode, params: {addend: -1}}
connections:
  - {from: first, to: second}
  - {from: second, to: sieve}
  - {from: sieve, to: last}
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, "");
    let flow = within(60, move || flow(&pipeline, 1_000_000));
    assert_eq!((flow.taken, flow.given), (1_000_000, 1_000_000));
    assert!(flow.grown_mib <= 40, "{flow:?}");
    assert!(flow.most_apart <= 200, "{flow:?}");
}

#[test]
fn a_node_slower_than_the_input_holds_it_back() {
    let _alone = alone();
    let manifest = "
nodes:
  - {id: first, node_type: Echo}
  - {id: slow, node_type: Slow}
  - {id: last, node_type: Echo}
connections:
  - {from: first, to: slow}
  - {from: slow, to: last}
";
    let source = "
class Slow:
    def process(self, data):
        for _ in range(500):
            pass
        return [data] * 100
";
    for threads in [1, 2] {
        let settings = Settings {
            threads,
            ..Settings::default()
        };
        let pipeline = pipeline_under(settings, manifest, source);
        let flow = within(60, move || flow(&pipeline, 100_000));
        assert_eq!((flow.taken, flow.given), (100_000, 100_000));
        assert!(flow.grown_mib <= 40, "{flow:?}");
        assert!(flow.most_apart <= 100, "{flow:?}");
    }
}

/// What one item becomes waits at neither branch, although one of them is slow.
#[test]
fn an_item_that_becomes_many_stays_bounded_in_a_diamond() {
    let _alone = alone();
    let manifest = "
nodes:
  - {id: many, node_type: Many}
  - {id: slow, node_type: Slow}
  - {id: fast, node_type: Echo}
  - {id: both, node_type: Echo}
connections:
  - {from: many, to: slow}
  - {from: many, to: fast}
  - {from: slow, to: both}
  - {from: fast, to: both}
";
    // A kilobyte each: held, all would be 100 MB at each place.
    let source = "
class Many:
    def process(self, data):
        for number in range(data):
            yield str(number) * 200


class Slow:
    def process(self, data):
        for _ in range(50):
            pass
        return data
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, source);
    let (given, early, end) = within(100, move || {
        let session = pipeline.session();
        session.send_blocking(100_000).unwrap();
        session.close();
        let (mut given, mut early) = (0, 0);
        while session.receive_blocking().unwrap().is_some() {
            given += 1;
            if given == 20_000 {
                early = resident_mib();
            }
        }
        (given, early, resident_mib())
    });
    assert_eq!(given, 200_000);
    assert!(end <= early + 40, "{early} MiB, then {end} MiB");
}

/// Three ways to give without end: nobody receives, so nobody gives.
#[test]
fn what_nobody_receives_is_not_made() {
    let _alone = alone();
    let chunk = "str(time.monotonic()) * 1000";
    for body in [
        format!("    def process(self):\n        while True:\n            yield {chunk}\n"),
        format!("    async def process(self):\n        while True:\n            yield {chunk}\n"),
        format!(
            "    async def process(self):\n        while True:\n            await asyncio.sleep(0)\n            yield {chunk}\n"
        ),
    ] {
        let source = format!("import asyncio\nimport time\n\n\nclass Case:\n{body}");
        let pipeline = python(&source);
        let session = pipeline.session();
        session.receive_blocking().unwrap().unwrap();
        thread::sleep(Duration::from_millis(300));
        let early = resident_mib();
        thread::sleep(Duration::from_secs(2));
        let late = resident_mib();
        assert!(late <= early + 10, "{body}: {early} MiB, then {late} MiB");
        session.receive_blocking().unwrap().unwrap();
    }
}

#[test]
fn what_a_timer_gives_waits_for_room_too() {
    let _alone = alone();
    let source = "
import asyncio
import time


class Case:
    is_streaming = True

    async def process(self, stream):
        reading = asyncio.ensure_future(anext(stream))
        yield await reading
        reading = asyncio.ensure_future(anext(stream, None))
        while not reading.done():
            yield str(time.monotonic()) * 1000
            await asyncio.sleep(0.0001)
";
    let pipeline = python(source);
    let session = pipeline.session();
    session.send_blocking(1).unwrap();
    session.receive_blocking().unwrap().unwrap();
    session.receive_blocking().unwrap().unwrap();
    thread::sleep(Duration::from_millis(300));
    let early = resident_mib();
    thread::sleep(Duration::from_secs(3));
    let late = resident_mib();
    assert!(late <= early + 10, "{early} MiB, then {late} MiB");
}

/// The processor time that this process has used, in user code and in the kernel, also of threads that have ended.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name, which may hold anything; the 14th and 15th field, in hundredths of a second.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    let ticks = fields.skip(11).take(2);
    Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
}

#[test]
fn waiting_for_a_node_that_sleeps_costs_nothing() {
    let _alone = alone();
    let source = "
import asyncio
import time


class Case:
    async def process(self, data):
        await asyncio.sleep(3)
        return data


class Other:
    def process(self, data):
        time.sleep(3)
        return data
";
    for node_type in ["Case", "Other"] {
        for threads in [1, 2] {
            let settings = Settings {
                threads,
                ..Settings::default()
            };
            let manifest = format!("nodes: [{{id: case, node_type: {node_type}}}]");
            let pipeline = pipeline_under(settings, &manifest, source);
            pipeline.run::<Value>([]).unwrap();
            let (memory, time) = (resident_mib(), processor_time());
            pipeline.run([1]).unwrap();
            let (memory, time) = (
                resident_mib().saturating_sub(memory),
                processor_time().saturating_sub(time),
            );
            let what = format!("{node_type} at {threads} threads: {time:?}, {memory} MiB");
            assert!(time < Duration::from_secs(1) && memory < 40, "{what}");
        }
    }
}

/// Neither a node that computes, sleeps or waits without end keeps what it has when nobody is interested any more.
#[test]
fn a_session_that_is_dropped_gives_back_its_memory_and_its_threads() {
    let _alone = alone();
    for body in [
        "while True:\n            pass",
        "time.sleep(1000)",
        "await asyncio.sleep(1000)",
        "await asyncio.Event().wait()",
    ] {
        let source = format!(
            "
import asyncio
import time


class Case:
    async def process(self, data):
        if not data:
            return 'still here'
        self.memory = bytearray(50_000_000)
        asyncio.get_running_loop().call_later(1000, print)
        {body}
"
        );
        let pipeline = python(&source);
        let other = pipeline.session();
        let hello = || {
            other.send_blocking(0).unwrap();
            let answer = other.receive_blocking().unwrap().unwrap();
            assert_eq!(answer.value, "still here".into(), "{body}");
        };
        hello();
        let (mib, threads) = (resident_mib(), status_of_process("Threads"));
        let sessions: Vec<_> = (0..4).map(|_| pipeline.session()).collect();
        for session in &sessions {
            session.send_blocking(1).unwrap();
        }
        let begun = Instant::now();
        while resident_mib() < mib + 150 {
            assert!(begun.elapsed() < Duration::from_secs(30), "{body}");
            thread::sleep(Duration::from_millis(10));
        }
        hello();
        drop(sessions);
        comes_back_to(mib, threads);
        hello();
    }
}

#[test]
fn a_pipeline_that_is_dropped_gives_back_its_threads() {
    let _alone = alone();
    let source = "class Case:\n    def process(self, data):\n        return data\n";
    let folder = tempfile::tempdir().unwrap();
    let manifest = "version: v1\nmetadata: {name: case}\nnodes: [{id: case, node_type: Case}]\n";
    // Packed once: a packer's memory comes and goes by hundreds of MiB, a pipeline's does not.
    let packed = pack_files(
        folder.path(),
        &[("pipeline.yaml", manifest), ("nodes.py", source)],
    );
    let engine = packed.engine.map(|built| built.engine);
    let load_use_and_drop = || {
        let pipeline =
            Pipeline::with_engine(&packed.bundle, engine.clone(), Settings::default()).unwrap();
        pipeline.run([1, 2]).unwrap();
        let session = pipeline.session();
        session.send_blocking(1).unwrap();
        drop(pipeline);
        let output = session.receive_blocking().unwrap().unwrap();
        assert_eq!(output.value, Value::from(1));
    };
    load_use_and_drop();
    let (mib, threads) = (resident_mib(), status_of_process("Threads"));
    for _ in 0..20 {
        load_use_and_drop();
    }
    comes_back_to(mib, threads);
}

#[test]
fn a_caller_that_panics_leaves_nothing_behind() {
    let _alone = alone();
    let source = "
class Case:
    def __init__(self):
        self.memory = bytearray(30_000_000)

    def process(self, data):
        return data
";
    let pipeline = python(source);
    pipeline.run([1]).unwrap();
    let (mib, threads) = (resident_mib(), status_of_process("Threads"));
    for _ in 0..30 {
        let emit = |_| panic!("the caller's own");
        let run = || pipeline.run_with(|| Ok(Some(1.into())), emit);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        assert!(result.is_err());
    }
    pipeline.run([1]).unwrap();
    // Kept, they would come to more than a gigabyte; what the allocators hold back is less.
    comes_back_to(mib + 100, threads + 2);
}

/// An error is no reason to keep an interpreter.
#[test]
fn runs_that_fail_give_their_memory_back() {
    let _alone = alone();
    let source = "
class Case:
    def __init__(self):
        self.memory = bytearray(30_000_000)

    def process(self, data):
        return 6 // data
";
    let mut registry = Registry::builtin();
    registry.register_source("Endless", |_| {
        Ok(Box::new((0_i64..).map(|number| {
            Ok::<_, NodeError>(Emission::new(5 - number))
        })))
    });
    let manifest = "
nodes: [{id: source, node_type: Endless, runtime_hint: rust}, {id: case, node_type: Case}]
connections: [{from: source, to: case}]
";
    let pipeline = pipeline_with(registry, manifest, source);
    let fail = || {
        let (outputs, result) = run_to_end::<Value>(&pipeline, []);
        assert!(outputs.len() == 5 && result.is_err());
    };
    fail();
    let (mib, threads) = (resident_mib(), status_of_process("Threads"));
    (0..20).for_each(|_| fail());
    comes_back_to(mib, threads);
}
