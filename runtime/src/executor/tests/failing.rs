//! Nodes that fail, stop or skip.

use super::*;

#[test]
fn what_comes_before_a_failure_is_delivered() {
    let mut executor = plain(graph(2, &[(0, 1)]), 4);
    for item in 0..3 {
        push(&mut executor, item);
        run(&mut executor, 0, &[item]);
    }
    begin(&mut executor, 1);
    push(&mut executor, 3);
    begin(&mut executor, 0);
    executor.fail(NodeIndex(0), 0);
    assert!(!executor.is_open() && executor.has_ended(NodeIndex(0)));
    assert_eq!(executor.status(), Status::Running);
    complete(&mut executor, 1, &[10]);
    for value in [11, 12] {
        run(&mut executor, 1, &[value]);
    }
    assert_eq!(executor.next_task(), None, "nothing is flushed");
    assert_eq!(executor.status(), Status::Running, "results are left");
    assert_eq!(values(&mut executor), ints(&[10, 11, 12]));
    assert_eq!(executor.status(), Status::Failed(NodeIndex(0)));
    assert_eq!(executor.failed_lane(NodeIndex(0)), Some(0));
    assert_eq!(executor.failed_lane(NodeIndex(1)), None);
}

#[test]
fn what_comes_after_a_failure_is_not_begun() {
    let mut executor = plain(graph(2, &[]), 4);
    for item in 0..3 {
        push(&mut executor, item);
    }
    run(&mut executor, 1, &[10]);
    begin(&mut executor, 1);
    emit(&mut executor, 1, &[11]);
    executor.fail(NodeIndex(1), 0);
    run(&mut executor, 0, &[0]);
    begin(&mut executor, 0);
    emit(&mut executor, 0, &[1]);
    assert!(executor.can_emit(NodeIndex(0), 0));
    emit(&mut executor, 0, &[2]);
    assert!(
        !executor.can_emit(NodeIndex(0), 0),
        "1 gave one thing as well"
    );
    executor.complete(NodeIndex(0), 0);
    assert_eq!(executor.next_task(), None, "item 2 does not matter");
    assert!(executor.has_ended(NodeIndex(0)));
    assert_eq!(values(&mut executor), ints(&[0, 10, 1, 11, 2]));
    assert_eq!(executor.status(), Status::Failed(NodeIndex(1)));
}

#[test]
fn of_several_failures_the_first_in_order_counts() {
    for (first, second) in [(1, 2), (2, 1)] {
        let mut executor = plain(graph(3, &[(0, 1), (0, 2)]), 4);
        push(&mut executor, 0);
        run(&mut executor, 0, &[0]);
        begin(&mut executor, 2);
        begin(&mut executor, 1);
        executor.fail(NodeIndex(first), 0);
        let early = executor.status();
        executor.fail(NodeIndex(second), 0);
        assert_eq!(executor.status(), Status::Failed(NodeIndex(1)));
        // It is certain as soon as the one that comes first has failed.
        assert_eq!(early != Status::Running, first == 1);
    }
}

#[test]
fn a_failure_is_seen_through_idle_nodes() {
    // Node 0, which gives the results, waits for node 1, which fails.
    let mut executor = plain(graph(3, &[(1, 0), (2, 0)]), 4);
    push(&mut executor, 0);
    begin(&mut executor, 1);
    executor.fail(NodeIndex(1), 0);
    assert_eq!(executor.status(), Status::Failed(NodeIndex(1)));
    // If 2 comes first, it may still give something for the same item, or fail itself.
    let mut executor = plain(graph(3, &[(2, 0), (1, 0)]), 4);
    push(&mut executor, 0);
    for node in [2, 1] {
        begin(&mut executor, node);
    }
    executor.fail(NodeIndex(1), 0);
    assert_eq!(executor.status(), Status::Running);
    complete(&mut executor, 2, &[2]);
    run(&mut executor, 0, &[20]);
    assert_eq!(values(&mut executor), ints(&[20]));
    assert_eq!(executor.status(), Status::Failed(NodeIndex(1)));
}

#[test]
fn a_failure_in_a_lane_waits_for_its_turn() {
    let node = NodeIndex(0);
    let mut executor = Executor::new(graph(1, &[]), &[lanes(3)], 4);
    for item in 0..3 {
        push(&mut executor, item);
        begin(&mut executor, 0);
    }
    executor.emit(node, 1, 10.into());
    executor.emit(node, 2, 20.into());
    executor.fail(node, 1);
    assert!(executor.is_open(), "lane 0 may stop before that");
    executor.emit(node, 0, 0.into());
    executor.complete(node, 0);
    assert!(!executor.is_open() && executor.is_dropped(node, 2));
    assert!(!executor.can_emit(node, 2));
    assert_eq!(values(&mut executor), ints(&[0, 10]));
    assert_eq!(executor.status(), Status::Failed(node));
    assert_eq!(executor.failed_lane(node), Some(1));
    executor.complete(node, 2);
}

#[test]
fn sources_go_on_up_to_a_failure() {
    let mut executor = Executor::new(graph(3, &[(0, 2)]), &[SOURCE, SOURCE], 8);
    begin(&mut executor, 1);
    begin(&mut executor, 0);
    emit(&mut executor, 0, &[0, 1]);
    run(&mut executor, 2, &[20]);
    begin(&mut executor, 2);
    executor.fail(NodeIndex(2), 0);
    for value in [10, 11] {
        assert!(executor.can_emit(NodeIndex(1), 0));
        assert_eq!(executor.status(), Status::Running);
        emit(&mut executor, 1, &[value]);
        assert!(executor.has_output() || value == 11);
        while executor.take_output().is_some() {}
    }
    assert!(!executor.can_emit(NodeIndex(1), 0));
    assert_eq!(executor.status(), Status::Failed(NodeIndex(2)));
}

#[test]
fn stopping_ends_the_stream_there() {
    let mut executor = plain(graph(3, &[(0, 1), (1, 2)]), 4);
    for item in 0..3 {
        push(&mut executor, item);
        run(&mut executor, 0, &[item]);
    }
    run(&mut executor, 1, &[10]);
    begin(&mut executor, 1);
    emit(&mut executor, 1, &[11]);
    executor.stop(NodeIndex(1), 0);
    assert!(!executor.is_open());
    for value in [20, 21] {
        run(&mut executor, 2, &[value]);
    }
    // Item 2 was dropped, and so is what 0 gives in its flush.
    assert_eq!(begin(&mut executor, 1).work, Work::Flush);
    complete(&mut executor, 1, &[12]);
    run(&mut executor, 2, &[22]);
    assert_eq!(begin(&mut executor, 2).work, Work::Flush);
    complete(&mut executor, 2, &[23]);
    run(&mut executor, 0, &[99]);
    let outputs = outputs(&mut executor);
    let expected = [(0, 20), (1, 21), (1, 22), (1, 23)];
    assert_eq!(
        outputs,
        expected.map(|(item, value)| (2, item, Value::Int(value)))
    );
    assert_eq!(executor.status(), Status::Finished);
}

#[test]
fn stopping_ends_sources_and_later_lanes() {
    let setups = [SOURCE, lanes(3)];
    let mut executor = Executor::new(graph(2, &[(0, 1)]), &setups, 4);
    let node = NodeIndex(1);
    begin(&mut executor, 0);
    emit(&mut executor, 0, &[0, 1, 2, 3]);
    for _ in 0..3 {
        begin(&mut executor, 1);
    }
    executor.emit(node, 1, 10.into());
    executor.emit(node, 2, 20.into());
    executor.stop(node, 1);
    assert!(executor.has_ended(NodeIndex(0)) && executor.is_dropped(NodeIndex(0), 0));
    emit(&mut executor, 0, &[4]);
    executor.complete(NodeIndex(0), 0);
    assert!(!executor.is_dropped(node, 2), "lane 0 may fail before that");
    executor.complete(node, 0);
    assert!(executor.is_dropped(node, 2));
    assert_eq!(executor.next_task(), None, "lane 2 is at work");
    executor.emit(node, 2, 21.into());
    executor.fail(node, 2);
    for lane in 0..3 {
        assert_eq!(begin(&mut executor, 1).lane, lane);
        executor.complete(node, lane);
    }
    assert_eq!(values(&mut executor), ints(&[10]));
    assert_eq!(executor.status(), Status::Finished);
}

#[test]
fn a_task_that_is_skipped_is_one_that_ends() {
    let mut executor = plain(graph(1, &[]), 4);
    push(&mut executor, 0);
    push(&mut executor, 1);
    begin(&mut executor, 0);
    emit(&mut executor, 0, &[1]);
    executor.complete(NodeIndex(0), 0);
    run(&mut executor, 0, &[2]);
    assert_eq!(values(&mut executor), ints(&[1, 2]));
}

#[test]
fn a_node_may_fail_or_stop_between_two_tasks() {
    // What a node does on its own account, as when its timer has run out, can go wrong too.
    let graph = graph(2, &[(0, 1)]);
    let mut executor = plain(graph.clone(), 4);
    push(&mut executor, 1);
    run(&mut executor, 0, &[10]);
    executor.fail(NodeIndex(0), 0);
    assert_eq!(executor.failed_lane(NodeIndex(0)), Some(0));
    assert!(!executor.is_open());
    run(&mut executor, 1, &[20]);
    assert_eq!(executor.status(), Status::Running);
    assert_eq!(values(&mut executor), ints(&[20]));
    assert_eq!(executor.status(), Status::Failed(NodeIndex(0)));
    // Over is over.
    executor.fail(NodeIndex(0), 0);
    executor.stop(NodeIndex(0), 0);
    assert_eq!(executor.status(), Status::Failed(NodeIndex(0)));

    let mut executor = plain(graph, 4);
    push(&mut executor, 1);
    run(&mut executor, 0, &[10]);
    executor.stop(NodeIndex(0), 0);
    assert!(!executor.is_open());
    run(&mut executor, 1, &[20]);
    assert_eq!(begin(&mut executor, 0).work, Work::Flush);
    complete(&mut executor, 0, &[11]);
    run(&mut executor, 1, &[21]);
    assert_eq!(begin(&mut executor, 1).work, Work::Flush);
    complete(&mut executor, 1, &[]);
    assert_eq!(values(&mut executor), ints(&[20, 21]));
    assert_eq!(executor.status(), Status::Finished);
}
