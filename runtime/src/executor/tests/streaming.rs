//! Outputs that leave while a task goes on, sources, and lanes.

use super::*;

#[test]
fn outputs_leave_while_the_task_goes_on() {
    let mut executor = plain(graph(2, &[(0, 1)]), 2);
    let node = NodeIndex(0);
    push(&mut executor, 0);
    begin(&mut executor, 0);
    emit(&mut executor, 0, &[1, 2]);
    assert!(!executor.can_emit(node, 0));
    run(&mut executor, 1, &[10]);
    assert_eq!(outputs(&mut executor), [(1, 0, Value::Int(10))]);
    assert!(executor.can_emit(node, 0));
    // It is not refused if there is no room.
    emit(&mut executor, 0, &[3, 4]);
    assert!(!executor.can_emit(node, 0));
    executor.complete(node, 0);
    for value in [20, 30] {
        run(&mut executor, 1, &[value]);
    }
    assert_eq!(values(&mut executor), ints(&[20, 30]));
}

#[test]
fn an_item_that_becomes_many_is_bounded_too() {
    // A node that gives 10,000 things for one item, and two branches of different length that meet.
    const CAPACITY: usize = 4;
    let edges = [(0, 1), (0, 2), (2, 3), (1, 4), (3, 4), (0, 4)];
    let mut executor = plain(graph(5, &edges), CAPACITY);
    let node = NodeIndex(0);
    push(&mut executor, 0);
    executor.close_input();
    begin(&mut executor, 0);
    let mut given = 0;
    let mut results = Vec::new();
    while executor.status() == Status::Running {
        if given < 10_000 && executor.can_emit(node, 0) {
            emit(&mut executor, 0, &[given]);
            given += 1;
            if given == 10_000 {
                executor.complete(node, 0);
            }
        } else if let Some(task) = executor.next_task() {
            if let Work::Process(packet) = task.work {
                executor.emit(task.node, task.lane, packet.value.into());
            }
            executor.complete(task.node, task.lane);
        } else {
            let output = executor.take_output().expect("something that can move");
            results.push(output.packet.value);
        }
        let inputs = executor.nodes.iter();
        let longest = inputs.map(|node| node.input.longest_queue()).max();
        assert!(longest.max(Some(executor.results.longest_queue())) <= Some(CAPACITY));
    }
    let expected = (0..10_000).flat_map(|value| ints(&[value; 3]));
    assert!(results.into_iter().eq(expected));
}

#[test]
fn sources_make_items_of_their_own() {
    let mut executor = Executor::new(graph(3, &[(0, 2), (1, 2)]), &[SOURCE, SOURCE], 2);
    assert!(!executor.takes_input() && !executor.is_open() && !executor.can_push());
    assert_eq!(
        executor.push(Value::Null, None, None),
        Err(PushError::Closed(Value::Null))
    );
    for node in [1, 0] {
        assert_eq!(begin(&mut executor, node).work, Work::Generate);
    }
    assert_eq!(executor.next_task(), None);
    emit(&mut executor, 1, &[10, 11]);
    assert!(!executor.can_emit(NodeIndex(1), 0));
    assert!(executor.can_emit(NodeIndex(0), 0));
    complete(&mut executor, 0, &[0]);
    assert!(executor.has_ended(NodeIndex(0)));
    let mut results = Vec::new();
    for value in [0, 10, 11] {
        assert_eq!(begin_value(&mut executor, 2), Value::Int(value));
        complete(&mut executor, 2, &[value]);
        results.append(&mut outputs(&mut executor));
    }
    complete(&mut executor, 1, &[]);
    // Sources are not flushed; what they feed is, with the highest number at which one ended.
    run(&mut executor, 2, &[99]);
    let expected = [(0, 0), (0, 10), (1, 11), (2, 99)];
    let expected = expected.map(|(sequence, value)| (2, sequence, Value::Int(value)));
    results.append(&mut outputs(&mut executor));
    assert_eq!(results, expected);
    assert_eq!(executor.status(), Status::Finished);
}

#[test]
fn lanes_work_at_once_and_give_in_order() {
    let mut executor = Executor::new(graph(1, &[]), &[lanes(2)], 2);
    let node = NodeIndex(0);
    push(&mut executor, 0);
    push(&mut executor, 1);
    for lane in [0, 1] {
        assert_eq!(begin(&mut executor, 0).lane, lane);
    }
    push(&mut executor, 2);
    assert_eq!(executor.next_task(), None, "its lane is at work");
    for value in [10, 11] {
        assert!(executor.can_emit(node, 1));
        executor.emit(node, 1, value.into());
    }
    assert!(!executor.can_emit(node, 1) && executor.can_emit(node, 0));
    executor.complete(node, 1);
    assert!(
        !executor.has_output(),
        "the first task may still give something"
    );
    assert!(!executor.ready(node, 1));
    executor.emit(node, 0, 1.into());
    executor.complete(node, 0);
    assert_eq!(values(&mut executor), ints(&[1, 10, 11]));
    executor.close_input();
    // The third item, then a flush for each lane, one after the other.
    assert_eq!(begin(&mut executor, 0).lane, 0);
    assert_eq!(executor.next_task(), None);
    executor.complete(node, 0);
    for lane in [0, 1] {
        let task = begin(&mut executor, 0);
        assert_eq!((task.lane, task.work), (lane, Work::Flush));
        assert_eq!(executor.next_task(), None);
        executor.emit(node, lane, 7.into());
        executor.complete(node, lane);
    }
    assert_eq!(
        outputs(&mut executor),
        [(0, 3, Value::Int(7)), (0, 3, Value::Int(7))]
    );
    assert_eq!(executor.status(), Status::Finished);
}

#[test]
fn a_lane_waits_for_room_also_at_the_same_key() {
    // 3 gets two packets with the key of the item.
    let edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)];
    let mut setups = [NodeSetup::default(); 5];
    setups[3] = lanes(2);
    let mut executor = Executor::new(graph(5, &edges), &setups, 1);
    push(&mut executor, 0);
    for node in [0, 1, 2] {
        run(&mut executor, node, &[0]);
    }
    begin(&mut executor, 3);
    emit(&mut executor, 3, &[0]);
    begin(&mut executor, 4);
    emit(&mut executor, 3, &[1]);
    assert!(!executor.ready(NodeIndex(3), 1));
    complete(&mut executor, 4, &[]);
    begin(&mut executor, 4);
    assert!(executor.ready(NodeIndex(3), 1));
}

#[test]
fn a_session_keeps_its_lane() {
    let mut executor = Executor::new(graph(1, &[]), &[lanes(4)], 16);
    let mut dealt = Vec::new();
    for item in 0..12 {
        let session = (item % 3 > 0).then(|| Arc::from(format!("s{}", item % 3)));
        executor.push(Value::Int(item), session, None).unwrap();
        let task = begin(&mut executor, 0);
        dealt.push(task.lane);
        executor.complete(task.node, task.lane);
    }
    let of = |rest: usize| -> Vec<_> { dealt.iter().skip(rest).step_by(3).copied().collect() };
    assert_eq!(of(0), [0, 1, 2, 3]);
    assert_eq!(of(1), [dealt[1]; 4]);
    assert_eq!(of(2), [dealt[2]; 4]);
}

#[test]
fn what_a_node_gives_by_itself_has_its_place() {
    let mut executor = plain(graph(3, &[(0, 1), (0, 2)]), 4);
    let node = NodeIndex(1);
    push(&mut executor, 0);
    run(&mut executor, 0, &[0]);
    run(&mut executor, 2, &[20]);
    run(&mut executor, 1, &[10]);
    // Item 1 is the next that could come.
    assert!(executor.can_emit(node, 0));
    emit(&mut executor, 1, &[15]);
    push(&mut executor, 1);
    run(&mut executor, 0, &[1]);
    run(&mut executor, 2, &[21]);
    run(&mut executor, 1, &[11]);
    executor.close_input();
    run(&mut executor, 0, &[]);
    run(&mut executor, 2, &[]);
    run(&mut executor, 1, &[]);
    assert!(!executor.can_emit(node, 0));
    emit(&mut executor, 1, &[99]);
    let expected = [(1, 0, 10), (2, 0, 20), (1, 1, 15), (2, 1, 21), (1, 1, 11)];
    let expected = expected.map(|(node, sequence, value)| (node, sequence, Value::Int(value)));
    assert_eq!(outputs(&mut executor), expected);
    assert_eq!(executor.status(), Status::Finished);
}
