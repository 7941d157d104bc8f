//! The contract of Python nodes, shape by shape, in the real interpreter.

mod packed;

use packed::lines::printed;
use packed::{list, pipeline_under, pipeline_with, python, run_to_end, through};
use rm_runtime::nodes::Registry;
use rm_runtime::pipeline::Settings;

#[track_caller]
fn gives(source: &str, items: &str, outputs: &str) {
    assert_eq!(through(&python(source), items), outputs);
}

#[test]
fn a_function_that_returns_none_gives_nothing() {
    let source = "class Case:\n    def process(self, data):\n        return data or None\n";
    gives(source, "[0, 1, null, 2, \"\", 3]", "[1,2,3]");
}

#[test]
fn a_coroutine_needs_no_asyncio() {
    let source = "
async def double(number):
    return number * 2


class Case:
    async def process(self, data):
        return await double(data) or None

    async def flush(self):
        return 'end'
";
    gives(source, "[1, 0, 2]", r#"[2,4,"end"]"#);
}

#[test]
fn a_generator_gives_what_it_yields() {
    let source = "
class Case:
    def process(self, data):
        for number in range(data):
            yield number
            yield None
        return 'not an output'

    def flush(self):
        yield 'the'
        yield 'end'
";
    gives(source, "[2, 0, 3]", r#"[0,1,0,1,2,"the","end"]"#);
}

#[test]
fn an_async_generator_needs_no_asyncio() {
    let source = "
class Case:
    async def process(self, data):
        for number in range(data):
            yield number
            yield None

    async def flush(self):
        yield 'the'
        yield 'end'
";
    gives(source, "[2, 0, 3]", r#"[0,1,0,1,2,"the","end"]"#);
}

#[test]
fn a_generator_made_elsewhere_is_gone_through_too() {
    let source = "
def parts(data):
    yield from data


class Case:
    def process(self, data):
        return parts(data)
";
    gives(source, r#"["ab", "", "c"]"#, r#"["a","b","c"]"#);
}

#[test]
fn a_list_is_one_output() {
    let source = "class Case:\n    def process(self, data):\n        return [data, [None]]\n";
    gives(source, "[1, null]", "[[1,[null]],[null,[null]]]");
}

const RUNNING_SUM: &str = "
        total = 0
        async for number in stream:
            total += number
            yield total

    def flush(self):
        return 'end'
";

#[test]
fn a_node_takes_the_whole_stream_if_its_class_says_so() {
    let source = format!(
        "class Case:\n    is_streaming = True\n\n    async def process(self, stream):{RUNNING_SUM}"
    );
    gives(&source, "[1, 2, 3]", r#"[1,3,6,"end"]"#);
    gives(&source, "[]", r#"["end"]"#);
}

#[test]
fn a_node_takes_the_whole_stream_if_its_annotation_says_so() {
    for (import, annotation) in [
        ("from typing import AsyncIterator", "AsyncIterator[int]"),
        ("from collections.abc import AsyncIterable", "AsyncIterable"),
        ("import typing", "typing.AsyncGenerator[int, None]"),
        ("", "'AsyncIterator[int]'"),
        ("from __future__ import annotations", "AsyncGenerator"),
    ] {
        let source = format!(
            "{import}\n\n\nclass Case:\n    async def process(self, stream: {annotation}):{RUNNING_SUM}"
        );
        gives(&source, "[1, 2, 3]", r#"[1,3,6,"end"]"#);
    }
}

#[test]
fn a_node_takes_the_whole_stream_if_the_manifest_says_so() {
    let source = format!("class Case:\n    async def process(self, stream):{RUNNING_SUM}");
    let manifest = "nodes: [{id: case, node_type: Case, is_streaming: true}]";
    let pipeline = pipeline_with(Registry::builtin(), manifest, &source);
    assert_eq!(through(&pipeline, "[1, 2, 3]"), r#"[1,3,6,"end"]"#);
}

#[test]
fn a_class_inherits_that_it_takes_the_whole_stream() {
    let source = format!(
        "class Base:\n    is_streaming = True\n\n\nclass Case(Base):\n    async def process(self, stream):{RUNNING_SUM}"
    );
    gives(&source, "[1, 2, 3]", r#"[1,3,6,"end"]"#);
}

#[test]
fn a_coroutine_may_take_the_whole_stream() {
    let source = "
class Case:
    is_streaming = True

    async def process(self, stream):
        return [item async for item in stream]
";
    gives(source, "[1, 2, 3]", "[[1,2,3]]");
    gives(source, "[]", "[[]]");
}

#[test]
fn the_rest_of_a_stream_that_is_left_early_is_dropped() {
    let source = "
class Case:
    is_streaming = True

    async def process(self, stream):
        async for item in stream:
            yield item
            if item == 2:
                return

    async def flush(self):
        yield 'end'
";
    gives(source, "[1, 2, 3, 4]", r#"[1,2,"end"]"#);
    let items = format!("[1, 2{}]", ", 3".repeat(200));
    gives(source, &items, r#"[1,2,"end"]"#);
}

#[test]
fn a_streaming_node_may_give_before_its_first_item_and_after_its_last() {
    let source = "
class Case:
    is_streaming = True

    async def process(self, stream):
        yield 'begin'
        async for item in stream:
            yield item
        yield 'over'
";
    gives(source, "[1, 2]", r#"["begin",1,2,"over"]"#);
    gives(source, "[]", r#"["begin","over"]"#);
}

#[test]
fn streams_have_anext_and_may_be_read_in_several_places() {
    let source = "
class Case:
    is_streaming = True

    async def process(self, stream):
        header = await anext(stream)
        async for item in stream:
            following = await anext(stream, 'none')
            yield [header, item, following]
";
    gives(source, "[0, 1, 2, 3]", r#"[[0,1,2],[0,3,"none"]]"#);
}

#[test]
fn a_source_makes_its_own_items() {
    for body in [
        "    def process(self):\n        yield 1\n        yield None\n        yield 2\n",
        "    async def process(self):\n        yield 1\n        yield None\n        yield 2\n",
        "    def process(self):\n        return iter_of(1, 2)\n",
        "    @logged\n    def process(self):\n        yield 1\n        yield 2\n",
    ] {
        let source = format!(
            "
import functools


def iter_of(*items):
    yield from items


def logged(function):
    @functools.wraps(function)
    def logging(*args):
        return function(*args)

    return logging


class Case:
{body}
    def flush(self):
        return 'end'
"
        );
        let pipeline = python(&source);
        assert!(!pipeline.takes_input());
        assert_eq!(through(&pipeline, "[]"), r#"[1,2,"end"]"#, "{body}");
    }
}

#[test]
fn a_source_that_returns_gives_one_item() {
    gives(
        "class Case:\n    def process(self):\n        return 'once'\n",
        "[]",
        r#"["once"]"#,
    );
    gives(
        "class Case:\n    async def process(self):\n        return 'once'\n",
        "[]",
        r#"["once"]"#,
    );
}

/// A node that prints when its methods are called, and the lines of a run with the run's error, if there was one.
fn life_of(class: &str, items: &str) -> Vec<String> {
    let source = format!("import asyncio\n\n\n{class}");
    let settings = Settings {
        threads: 1,
        ..Settings::default()
    };
    let pipeline = pipeline_under(settings, "nodes: [{id: case, node_type: Case}]", &source);
    let mut error = None;
    let lines = printed(|| error = run_to_end(&pipeline, list(items)).1.err());
    let lines = lines.into_iter().map(|(_, _, text)| text);
    lines.chain(error.map(|error| error.to_string())).collect()
}

const LIFE: &str = "
    def process(self, data):
        print('process', 6 // data)

    def flush(self):
        print('flush')
";

#[test]
fn nodes_live_from_initialize_to_cleanup() {
    for (word, pause) in [("def", "pass"), ("async def", "await asyncio.sleep(0.01)")] {
        let class = format!(
            "
class Case:
    {word} initialize(self):
        {pause}
        print('initialize')
{LIFE}
    {word} cleanup(self):
        {pause}
        print('cleanup')
"
        );
        let whole = ["initialize", "process 6", "process 3", "flush", "cleanup"];
        assert_eq!(life_of(&class, "[1, 2]"), whole, "{word}");
        assert_eq!(life_of(&class, "[]"), ["initialize", "flush", "cleanup"]);
        // Cleaned up once, after an error too.
        let broken = [
            "initialize",
            "process 6",
            "cleanup",
            "node `case` failed on item 2",
        ];
        assert_eq!(life_of(&class, "[1, 0]"), broken, "{word}");
    }
}

#[test]
fn what_was_not_initialized_is_not_cleaned_up() {
    for (word, pause) in [("def", "pass"), ("async def", "await asyncio.sleep(0.01)")] {
        let class = format!(
            "
class Case:
    {word} initialize(self):
        print('initialize')
        {pause}
        raise RuntimeError('not today')
{LIFE}
    def cleanup(self):
        print('cleanup')
"
        );
        let expected = ["initialize", "node `case` could not be started"];
        assert_eq!(life_of(&class, "[1]"), expected);
    }
}

#[test]
fn generators_that_are_given_up_run_their_finally_before_cleanup() {
    for word in ["def", "async def"] {
        let class = format!(
            "
class Case:
    {word} process(self, data):
        try:
            yield data
            6 // data
        finally:
            print('finally', data)

    def cleanup(self):
        print('cleanup')
"
        );
        let expected = [
            "finally 1",
            "finally 0",
            "cleanup",
            "node `case` failed on item 2",
        ];
        assert_eq!(life_of(&class, "[1, 0]"), expected, "{word}");
    }
}

#[test]
fn a_stream_is_closed_before_cleanup() {
    let class = "
class Case:
    is_streaming = True

    async def process(self, stream):
        try:
            async for item in stream:
                yield 6 // item
        finally:
            print('closed')

    def flush(self):
        print('flush')

    async def cleanup(self):
        print('cleanup')
";
    assert_eq!(life_of(class, "[1]"), ["closed", "flush", "cleanup"]);
    let expected = ["closed", "cleanup", "node `case` failed on item 2"];
    assert_eq!(life_of(class, "[1, 0, 1]"), expected);
}

#[test]
fn params_that_a_node_does_not_declare_are_its_config() {
    let manifest = "nodes: [{id: n, node_type: Case, params: {mark: '?', a: 1, b: [2]}}]";
    let source = "
from remotemedia.core.node import Node


class Case(Node):
    def __init__(self, mark='!', **config):
        super().__init__(**config)
        self.mark = mark

    async def process(self, data):
        return [self.name, self.mark, self.config]
";
    let pipeline = pipeline_with(Registry::builtin(), manifest, source);
    assert_eq!(through(&pipeline, "[0]"), r#"[["n","?",{"a":1,"b":[2]}]]"#);
}
