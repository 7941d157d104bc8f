//! `asyncio` in Python nodes: what waits lets others work.

mod packed;

use std::time::{Duration, Instant};

use packed::{pipeline_under, pipeline_with, python, run, through, within};
use rm_runtime::nodes::Registry;
use rm_runtime::pipeline::Settings;
use rm_runtime::value::Value;

/// What `async def work(data)` gives for an item, called by a coroutine and by an asynchronous generator.
#[track_caller]
fn works(work: &str, item: &str, output: &str) {
    let shapes = [
        "return await work(data)",
        "yield await work(data)",
        "return await asyncio.create_task(work(data))",
    ];
    for shape in shapes {
        let source = format!(
            "
import asyncio

{work}


class Case:
    async def process(self, data):
        {shape}
"
        );
        let items = format!("[{item}, {item}]");
        let outputs = format!("[{output},{output}]");
        assert_eq!(through(&python(&source), &items), outputs, "{shape}");
    }
}

#[test]
fn sleep_returns_its_result() {
    works(
        "
async def work(data):
    await asyncio.sleep(0)
    return await asyncio.sleep(0.01, data)
",
        "1",
        "1",
    );
}

#[test]
fn gather_keeps_order() {
    works(
        "
async def double(number):
    await asyncio.sleep(number / 100)
    return number * 2


async def work(data):
    return await asyncio.gather(*map(double, data))
",
        "[3, 1, 2]",
        "[6,2,4]",
    );
}

#[test]
fn a_queue_between_two_tasks() {
    works(
        "
async def work(data):
    queue = asyncio.Queue(maxsize=1)

    async def produce():
        for number in range(data):
            await queue.put(number)
        await queue.put(None)

    producer = asyncio.create_task(produce())
    taken = []
    while (number := await queue.get()) is not None:
        taken.append(number)
    await producer
    return taken
",
        "5",
        "[0,1,2,3,4]",
    );
}

#[test]
fn a_task_group_cancels_what_is_left_when_one_fails() {
    works(
        "
async def work(data):
    seen = []

    async def wait():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            seen.append('cancelled')
            raise

    async def fail():
        await asyncio.sleep(0.01)
        raise ValueError(data)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait())
            group.create_task(fail())
    except* ValueError as errors:
        seen.append(str(errors.exceptions[0]))
    return seen
",
        "7",
        r#"["cancelled","7"]"#,
    );
}

#[test]
fn a_timeout_ends_what_takes_too_long() {
    works(
        "
async def work(data):
    try:
        async with asyncio.timeout(0.02):
            await asyncio.sleep(1000)
    except TimeoutError:
        pass
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.02)
    except TimeoutError:
        return 'both'
",
        "1",
        r#""both""#,
    );
}

#[test]
fn a_lock_lets_one_in_and_a_semaphore_some() {
    works(
        "
async def work(data):
    inside = most = 0

    async def enter(gate):
        nonlocal inside, most
        async with gate:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.005)
            inside -= 1

    found = []
    for gate in (asyncio.Lock(), asyncio.Semaphore(3), asyncio.BoundedSemaphore(2)):
        most = 0
        await asyncio.gather(*(enter(gate) for _ in range(5)))
        found.append(most)
    return found
",
        "1",
        "[1,3,2]",
    );
}

#[test]
fn an_event_a_condition_and_a_barrier_wake_who_waits() {
    works(
        "
async def work(data):
    log = []
    event, condition, barrier = asyncio.Event(), asyncio.Condition(), asyncio.Barrier(3)

    async def wait(number):
        await event.wait()
        log.append('event')
        async with condition:
            await condition.wait_for(lambda: data in log)
        log.append('condition')
        await barrier.wait()

    waiting = asyncio.gather(wait(1), wait(2))
    await asyncio.sleep(0)
    event.set()
    await asyncio.sleep(0)
    async with condition:
        log.append(data)
        condition.notify_all()
    await barrier.wait()
    await waiting
    return log
",
        r#""now""#,
        r#"["event","event","now","condition","condition"]"#,
    );
}

#[test]
fn call_later_and_futures() {
    works(
        "
async def work(data):
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_later(0.02, future.set_result, data)
    loop.call_soon(lambda: None)
    begun = loop.time()
    result = await asyncio.shield(future)
    return [result, loop.time() - begun >= 0.015]
",
        "1",
        "[1,true]",
    );
}

#[test]
fn a_task_begun_with_one_item_is_awaited_with_another() {
    let source = "
import asyncio


class Case:
    task = None

    async def work(self, data):
        await asyncio.sleep(0.05)
        return data

    async def process(self, data):
        before, self.task = self.task, asyncio.create_task(self.work(data))
        if before is not None:
            return await before

    async def flush(self):
        return await self.task
";
    assert_eq!(through(&python(source), "[1, 2, 3]"), "[1,2,3]");
}

#[test]
fn a_plain_function_may_run_a_loop_of_its_own() {
    let source = "
import asyncio


async def double(number):
    await asyncio.sleep(0.02)
    return number * 2


class Case:
    def initialize(self):
        self.first = asyncio.run(double(10))

    def process(self, data):
        with asyncio.Runner() as runner:
            return [self.first, asyncio.run(double(data)), runner.run(double(data))]
";
    assert_eq!(through(&python(source), "[1, 2]"), "[[20,2,2],[20,4,4]]");
}

#[test]
fn a_coroutine_cannot_run_a_loop_inside_its_own() {
    let source = "
import asyncio


class Case:
    async def process(self, data):
        coroutine = asyncio.sleep(0)
        try:
            asyncio.run(coroutine)
        except RuntimeError as error:
            coroutine.close()
            return str(error)
";
    let expected = r#"["asyncio.run() cannot be called from a running event loop"]"#;
    assert_eq!(through(&python(source), "[1]"), expected);
}

#[test]
fn asyncio_may_be_imported_inside_a_method() {
    let source = "
class Case:
    async def process(self, data):
        import asyncio

        return await asyncio.sleep(0.01, data)
";
    assert_eq!(through(&python(source), "[1, 2]"), "[1,2]");
}

/// Gives what comes, and a word whenever nothing came for a while.
const IMPATIENT: &str = "
import asyncio


class Case:
    is_streaming = True

    async def process(self, stream):
        queue = asyncio.Queue()

        async def read():
            async for item in stream:
                await queue.put(item)
            await queue.put(None)

        reader = asyncio.create_task(read())
        while True:
            try:
                async with asyncio.timeout(0.2):
                    item = await queue.get()
            except TimeoutError:
                yield 'nothing'
                continue
            if item is None:
                break
            yield item
        await reader
";

#[test]
fn a_streaming_node_with_a_timer_gives_something_although_no_item_comes() {
    let pipeline = python(IMPATIENT);
    let session = pipeline.session();
    let next = || session.receive_blocking().unwrap().unwrap().value;
    for round in 0..2 {
        session.send_blocking(round).unwrap();
        let mut seen = Vec::new();
        while seen.len() < 4 {
            seen.push(next());
        }
        assert!(seen.contains(&Value::from(round)), "{seen:?}");
        let nothings = seen.iter().filter(|value| **value == "nothing".into());
        assert_eq!(nothings.count(), 3, "{seen:?}");
    }
    session.close();
    while session.receive_blocking().unwrap().is_some() {}
}

/// What fails then belongs to no item that is under way.
#[test]
fn a_streaming_node_may_fail_between_two_items() {
    let pipeline = python(
        "
import asyncio

class Case:
    is_streaming = True

    async def process(self, stream):
        items = aiter(stream)
        while True:
            yield await asyncio.wait_for(anext(items), 0.2)
",
    );
    let session = pipeline.session();
    session.send_blocking(5).unwrap();
    let first = session.receive_blocking().unwrap().unwrap();
    assert_eq!(first.value, Value::from(5));
    let error = session.receive_blocking().unwrap_err();
    assert_eq!(
        error.to_string(),
        "node `case` failed between items, after item 1"
    );
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.ends_with("TimeoutError"), "{source}");

    let session = pipeline.session();
    let error = session.receive_blocking().unwrap_err();
    assert_eq!(
        error.to_string(),
        "node `case` failed before its first item"
    );
}

/// Its stream begins with the run, not with its first item.
#[test]
fn a_streaming_node_need_not_wait_for_an_item() {
    let greeting = "
class Case:
    is_streaming = True

    async def process(self, stream):
        yield 'ready'
        async for item in stream:
            yield item
";
    for (source, first) in [(greeting, "ready"), (IMPATIENT, "nothing")] {
        let pipeline = python(source);
        let values = within(30, move || {
            let session = pipeline.session();
            let first = session.receive_blocking().unwrap().unwrap();
            session.send_blocking(1).unwrap();
            session.close();
            let mut values = vec![first.value];
            while let Some(output) = session.receive_blocking().unwrap() {
                values.push(output.value);
            }
            values
        });
        assert_eq!(values[0], first.into());
        assert!(values.contains(&1.into()), "{values:?}");
    }
}

const SLEEPERS: &str = "
import asyncio
import time


class Awaiting:
    async def process(self, data):
        return await asyncio.sleep(0.5, data)


class Blocking:
    def process(self, data):
        time.sleep(0.5)
        return data
";

/// Both branches sleep for half a second for each of six items.
#[test]
fn nodes_that_sleep_sleep_at_the_same_time() {
    for (one, other) in [
        ("Awaiting", "Awaiting"),
        ("Blocking", "Blocking"),
        ("Awaiting", "Blocking"),
    ] {
        for threads in [1, 2] {
            let manifest = format!(
                "nodes: [{{id: one, node_type: {one}}}, {{id: other, node_type: {other}}}]"
            );
            let settings = Settings {
                threads,
                ..Settings::default()
            };
            let pipeline = pipeline_under(settings, &manifest, SLEEPERS);
            let begun = Instant::now();
            let outputs = run(&pipeline, 0..6);
            let took = begun.elapsed();
            assert_eq!(outputs.len(), 12);
            assert!(
                took >= Duration::from_secs(3),
                "they did not sleep: {took:?}"
            );
            assert!(
                took < Duration::from_secs(5),
                "{one} and {other} at {threads}: {took:?}"
            );
        }
    }
}

/// Neighbours in a row sleep at the same time too, each for another item.
#[test]
fn a_row_of_nodes_that_sleep_is_a_pipeline() {
    let manifest = "
nodes: [{id: one, node_type: Awaiting}, {id: other, node_type: Awaiting}]
connections: [{from: one, to: other}]
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, SLEEPERS);
    let begun = Instant::now();
    assert_eq!(
        run(&pipeline, 0..6),
        (0..6).map(Value::from).collect::<Vec<_>>()
    );
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_node_that_sleeps_keeps_no_other_session_waiting() {
    for sleep in ["await asyncio.sleep(data)", "time.sleep(data)"] {
        let source = format!(
            "
import asyncio
import time


class Case:
    async def process(self, data):
        {sleep}
        return data
"
        );
        for threads in [1, 2] {
            let settings = Settings {
                threads,
                ..Settings::default()
            };
            let pipeline =
                pipeline_under(settings, "nodes: [{id: case, node_type: Case}]", &source);
            let asleep: Vec<_> = (0..5).map(|_| pipeline.session()).collect();
            for session in &asleep {
                session.send_blocking(1000).unwrap();
            }
            let begun = Instant::now();
            assert_eq!(run(&pipeline, [0, 0]), [0, 0].map(Value::from), "{sleep}");
            let session = pipeline.session();
            session.send_blocking(0).unwrap();
            let output = session.receive_blocking().unwrap().unwrap();
            assert_eq!(output.value, Value::from(0), "{sleep}");
            let took = begun.elapsed();
            assert!(
                took < Duration::from_secs(5),
                "{sleep} at {threads}: {took:?}"
            );
        }
    }
}
