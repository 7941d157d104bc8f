//! The rules of order, room and ends, one at a time.

use super::*;

#[test]
fn the_first_result_leaves_before_the_last_item_enters() {
    let mut executor = plain(graph(2, &[(0, 1)]), 1);
    assert_eq!(executor.push(Value::Int(1), None, None), Ok(0));
    assert!(!executor.can_push());
    assert_eq!(
        executor.push(Value::Int(2), None, None),
        Err(PushError::Full(Value::Int(2)))
    );
    run(&mut executor, 0, &[10]);
    assert_eq!(executor.push(Value::Int(2), None, None), Ok(1));
    // Both nodes could work; the later one goes first.
    let task = executor.next_task().unwrap();
    assert_eq!((task.node, task.lane), (NodeIndex(1), 0));
    complete(&mut executor, 1, &[100]);
    assert_eq!(outputs(&mut executor), [(1, 0, Value::Int(100))]);
}

#[test]
fn fan_in_goes_by_item_then_by_connection() {
    // 0 feeds 1 and 2, which feed 3; the connection from 2 comes first.
    let mut executor = plain(graph(4, &[(0, 1), (0, 2), (2, 3), (1, 3)]), 4);
    push(&mut executor, 0);
    push(&mut executor, 1);
    run(&mut executor, 0, &[0]);
    begin(&mut executor, 2);
    begin(&mut executor, 1);
    complete(&mut executor, 1, &[1]);
    run(&mut executor, 0, &[0]);
    // What 1 gave waits for 2, which may give something for the same item.
    begin(&mut executor, 1);
    complete(&mut executor, 2, &[2]);
    for expected in [2, 1] {
        assert_eq!(begin_value(&mut executor, 3), Value::Int(expected));
        complete(&mut executor, 3, &[]);
    }
}

#[test]
fn branches_meet_in_the_order_of_what_they_came_from() {
    // One item becomes three; 1 is slow, and 2 gives each twice. All of it is the same item.
    let mut executor = plain(graph(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]), 8);
    push(&mut executor, 0);
    run(&mut executor, 0, &[1, 2, 3]);
    for value in [1, 2, 3] {
        run(&mut executor, 2, &[20 + value, 200 + value]);
    }
    let mut seen = Vec::new();
    for value in [1, 2, 3] {
        run(&mut executor, 1, &[10 + value]);
        while let Some(task) = executor.next_task_for(NodeIndex(3), 0) {
            let Work::Process(packet) = task.work else {
                panic!("{task:?}")
            };
            assert_eq!(packet.metadata.sequence, 0);
            seen.push(packet.value);
            complete(&mut executor, 3, &[]);
        }
    }
    assert_eq!(seen, ints(&[11, 21, 201, 12, 22, 202, 13, 23, 203]));
}

#[test]
fn outputs_for_the_same_key_count_on() {
    // 3 gets two packets with the key of the item; what it gives for the second comes after all it gave for the first.
    let mut executor = plain(
        graph(5, &[(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4)]),
        8,
    );
    push(&mut executor, 0);
    run(&mut executor, 0, &[0]);
    run(&mut executor, 2, &[2]);
    run(&mut executor, 1, &[1]);
    run(&mut executor, 3, &[31, 32]);
    assert_eq!(begin_value(&mut executor, 4), Value::Int(31));
    complete(&mut executor, 4, &[]);
    run(&mut executor, 3, &[33, 34]);
    let mut seen = Vec::new();
    executor.close_input();
    while let Some(task) = executor.next_task_for(NodeIndex(4), 0) {
        let Work::Process(packet) = task.work else {
            panic!("{task:?}")
        };
        seen.push(packet.value);
        complete(&mut executor, 4, &[]);
    }
    assert_eq!(seen, ints(&[0, 32, 33, 34]));
}

#[test]
fn a_slow_consumer_holds_the_input_back() {
    let mut executor = plain(graph(3, &[(0, 1), (1, 2)]), 2);
    let mut pushed = 0;
    let mut tasks = 0;
    // Nobody takes results.
    loop {
        if executor.can_push() {
            push(&mut executor, 0);
            pushed += 1;
        } else if let Some(task) = executor.next_task() {
            tasks += 1;
            complete(&mut executor, task.node.get(), &[0]);
        } else {
            break;
        }
        assert!(pushed < 100);
    }
    // Two results, and two packets before each node.
    assert_eq!((pushed, tasks), (8, 2 * 3 + 2 * 2 + 2));
    executor.take_output().unwrap();
    assert!(executor.next_task().is_some());
}

#[test]
fn several_sinks_give_by_item_then_by_manifest() {
    let mut executor = plain(graph(2, &[]), 4);
    push(&mut executor, 0);
    push(&mut executor, 1);
    executor.close_input();
    // Each node: two items and a flush.
    for node in [1, 1, 1] {
        run(&mut executor, node, &[1]);
    }
    assert!(
        !executor.has_output(),
        "node 0 may still give something for item 0"
    );
    for _ in 0..3 {
        run(&mut executor, 0, &[0]);
    }
    let order: Vec<_> = outputs(&mut executor)
        .into_iter()
        .map(|(node, sequence, _)| (sequence, node))
        .collect();
    assert_eq!(order, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]);
    assert_eq!(executor.status(), Status::Finished);
}

#[test]
fn an_empty_stream_is_flushed() {
    let mut executor = plain(graph(2, &[(0, 1)]), 2);
    assert_eq!(executor.next_task(), None);
    assert_eq!(executor.status(), Status::Running);
    assert!(executor.takes_input() && executor.is_open());
    executor.close_input();
    executor.close_input();
    assert!(!executor.is_open());
    assert_eq!(
        executor.push(Value::Null, None, None),
        Err(PushError::Closed(Value::Null))
    );
    run(&mut executor, 0, &[5]);
    assert!(executor.has_ended(NodeIndex(0)) && !executor.has_ended(NodeIndex(1)));
    run(&mut executor, 1, &[6]);
    run(&mut executor, 1, &[7]);
    assert_eq!(executor.status(), Status::Running, "results are left");
    let expected = [(1, 0, Value::Int(6)), (1, 0, Value::Int(7))];
    assert_eq!(outputs(&mut executor), expected);
    assert_eq!(executor.status(), Status::Finished);
}

#[test]
fn a_flush_comes_after_all_that_flushes_before_gave() {
    let mut executor = plain(graph(2, &[(0, 1)]), 4);
    push(&mut executor, 0);
    executor.close_input();
    run(&mut executor, 0, &[]);
    run(&mut executor, 0, &[1, 2]);
    run(&mut executor, 1, &[10]);
    run(&mut executor, 1, &[20, 21]);
    run(&mut executor, 1, &[30]);
    let expected = [10, 20, 21, 30].map(|value| (1, 1, Value::Int(value)));
    assert_eq!(outputs(&mut executor), expected);
}

#[test]
fn named_outputs_go_their_ways() {
    let edges = [(0, 1, Some("low")), (0, 2, None), (0, 2, Some("low"))];
    let mut executor = plain(named_graph(3, &edges), 4);
    push(&mut executor, 0);
    begin(&mut executor, 0);
    let node = NodeIndex(0);
    executor.emit(node, 0, Emission::new(1));
    executor.emit(node, 0, Emission::new(2).on("high"));
    executor.emit(node, 0, Emission::new(3).on("low"));
    executor.complete(node, 0);
    assert_eq!(begin_value(&mut executor, 2), Value::Int(1));
    complete(&mut executor, 2, &[]);
    assert_eq!(begin_value(&mut executor, 2), Value::Int(3));
    complete(&mut executor, 2, &[]);
    assert_eq!(begin_value(&mut executor, 1), Value::Int(3));
    complete(&mut executor, 1, &[]);
    // No connection takes `high`.
    let output = executor.take_output().unwrap();
    assert_eq!(
        (output.node, output.output.as_deref()),
        (node, Some("high"))
    );
    assert_eq!(output.packet.value, Value::Int(2));
    assert!(!executor.has_output());
}

#[test]
fn metadata_is_inherited_or_given() {
    let mut executor = plain(graph(1, &[]), 4);
    let session = || Some(Arc::from("s"));
    executor.push(Value::Int(0), session(), Some(7)).unwrap();
    begin(&mut executor, 0);
    let node = NodeIndex(0);
    executor.emit(node, 0, Emission::new(1));
    executor.emit(node, 0, Emission::new(2).at(9).in_session("t"));
    executor.complete(node, 0);
    executor.close_input();
    run(&mut executor, 0, &[3]);
    let metadata: Vec<_> = std::iter::from_fn(|| executor.take_output())
        .map(|output| output.packet.metadata)
        .collect();
    let expected = [
        (session(), Some(7), 0),
        (Some(Arc::from("t")), Some(9), 0),
        (None, None, 1),
    ];
    let expected = expected.map(|(session, timestamp_us, sequence)| Metadata {
        session,
        timestamp_us,
        sequence,
    });
    assert_eq!(metadata, expected);
}

#[test]
fn a_join_gets_what_belongs_together() {
    // 3 joins 0, twice, and 1 and 2; 1 gives nothing for item 1, and 2 gives two things for item 0.
    let edges = [
        (0, 1, None),
        (0, 2, None),
        (0, 3, None),
        (2, 3, None),
        (1, 3, None),
        (0, 3, Some("low")),
    ];
    let setups = [
        NodeSetup::default(),
        NodeSetup::default(),
        NodeSetup::default(),
        JOIN,
    ];
    let mut executor = Executor::new(named_graph(4, &edges), &setups, 8);
    for item in 0..2 {
        push(&mut executor, item);
        begin(&mut executor, 0);
        executor.emit(NodeIndex(0), 0, Emission::new(item));
        executor.complete(NodeIndex(0), 0);
    }
    run(&mut executor, 2, &[20, 21]);
    run(&mut executor, 2, &[22]);
    run(&mut executor, 1, &[10]);
    let dict = |entries: &[(&str, i64)]| {
        let entries = entries.iter();
        Value::Dict(
            entries
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
        )
    };
    assert_eq!(
        begin_value(&mut executor, 3),
        dict(&[("0", 0), ("2", 20), ("1", 10)])
    );
    complete(&mut executor, 3, &[]);
    assert_eq!(begin_value(&mut executor, 3), dict(&[("2", 21)]));
    complete(&mut executor, 3, &[]);
    assert!(
        !executor.ready(NodeIndex(3), 0),
        "1 may still give something"
    );
    run(&mut executor, 1, &[]);
    assert_eq!(begin_value(&mut executor, 3), dict(&[("0", 1), ("2", 22)]));
    complete(&mut executor, 3, &[]);
    push(&mut executor, 2);
    begin(&mut executor, 0);
    executor.emit(NodeIndex(0), 0, Emission::new(2).on("low"));
    executor.complete(NodeIndex(0), 0);
    assert_eq!(begin_value(&mut executor, 3), dict(&[("0.low", 2)]));
}

#[test]
fn a_join_of_one_is_a_join() {
    let mut executor = Executor::new(graph(2, &[(0, 1)]), &[JOIN, JOIN], 4);
    push(&mut executor, 5);
    let dict = |name: &str| Value::Dict(vec![(name.into(), 5.into())]);
    assert_eq!(begin_value(&mut executor, 0), dict("input"));
    complete(&mut executor, 0, &[5]);
    assert_eq!(begin_value(&mut executor, 1), dict("0"));
}

#[test]
#[should_panic(expected = "node `0` has no task under way in lane 0")]
fn completing_what_was_not_begun_is_a_bug_of_the_driver() {
    plain(graph(1, &[]), 1).complete(NodeIndex(0), 0);
}
