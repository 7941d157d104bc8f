//! Requests that are sent before their turn: nobody can tell from what comes out.

use std::collections::VecDeque;

use super::*;
use crate::testing::Dice;

/// How a node is at an item.
#[derive(Clone, Copy, Debug)]
enum Way {
    Plain,
    Nothing,
    InTwo,
    Raises,
    Unreadable,
    Ends,
}

const WAYS: [Way; 6] = [
    Way::Plain,
    Way::Nothing,
    Way::InTwo,
    Way::Raises,
    Way::Unreadable,
    Way::Ends,
];

fn answered(value: Value, milliseconds: f64) -> Reply {
    let payload = to_marshal(&Value::Tuple(vec![Value::Int(0), value])).unwrap();
    Reply::Answer(read_answer(&payload, &[]), milliseconds)
}

fn raised(milliseconds: f64) -> Reply {
    let error = dict([("type", "ValueError".into()), ("message", "no".into())]);
    let payload = to_marshal(&Value::Tuple(vec![Value::Int(1), error])).unwrap();
    Reply::Answer(read_answer(&payload, &[]), milliseconds)
}

/// An interpreter that does one thing after the other.
#[derive(Default)]
struct Interpreter {
    asked: VecDeque<Request>,
    is_plain: bool,
    is_gone: bool,
    /// How often it was at each item.
    begun: Vec<usize>,
}

impl Interpreter {
    fn reply(&mut self, ways: &[Way], milliseconds: f64) -> Option<(u64, Reply)> {
        let request = self.asked.pop_front()?;
        let reply = if self.is_gone {
            Reply::Lost("it is gone".into())
        } else if request.is_ahead && !self.is_plain {
            Reply::PassedOver
        } else {
            self.work(&request, ways, milliseconds)
        };
        Some((request.ticket, reply))
    }

    fn work(&mut self, request: &Request, ways: &[Way], milliseconds: f64) -> Reply {
        self.is_plain = true;
        if request.operation != Operation::Process {
            self.is_plain = request.operation == Operation::ResumeNode;
            return match request.operation {
                Operation::Explain => raised(milliseconds),
                Operation::ResumeNode => answered(done(&[-1]), milliseconds),
                _ => answered(done(&[]), milliseconds),
            };
        }
        let Value::Tuple(arguments) = &request.arguments else {
            panic!("{request:?}");
        };
        let Some(Value::Int(item)) = arguments.get(1) else {
            panic!("{request:?}");
        };
        let place = usize::try_from(*item).unwrap();
        self.begun[place] += 1;
        let way = ways[place];
        self.is_plain = matches!(way, Way::Plain | Way::Nothing);
        self.is_gone = matches!(way, Way::Ends);
        match way {
            Way::Plain => answered(done(&[*item]), milliseconds),
            Way::Nothing => answered(done(&[]), milliseconds),
            Way::InTwo => answered(state(&[*item], 1, Value::Null), milliseconds),
            Way::Raises => raised(milliseconds),
            Way::Unreadable => Reply::Answer(read_answer(b"y", &[]), milliseconds),
            Way::Ends => Reply::Lost("it has ended".into()),
        }
    }
}

/// What comes out, what was reported, how the run ended, how often each item was begun, and how many requests were sent
/// ahead.
type Outcome = (Vec<String>, Vec<String>, Option<String>, Vec<usize>, usize);

fn run(policy: &str, ways: &[Way], milliseconds: f64, dice: &mut Dice) -> Outcome {
    let node = format!("{{id: n, node_type: Case, on_error: {policy}}}");
    let mut run = start(&load(&node, ""));
    let mut interpreter = Interpreter {
        begun: vec![0; ways.len()],
        ..Interpreter::default()
    };
    let (mut outputs, mut reports, mut ahead) = (Vec::new(), Vec::new(), 0);
    let mut items = 0..ways.len();
    loop {
        match dice.roll(4) {
            0 if run.can_push() => match items.next() {
                Some(item) => drop(run.push((item as u64).into(), None, None).unwrap()),
                None => run.close_input(),
            },
            1 => {
                if let Some(output) = run.take_output() {
                    outputs.push(to_json(&output.packet.value).unwrap());
                }
            }
            2 => {
                if let Some((ticket, reply)) = interpreter.reply(ways, milliseconds) {
                    run.reply(ticket, reply);
                }
            }
            _ => drop(run.step()),
        }
        while let Some(event) = run.take_event() {
            match event {
                Event::Request(request) => {
                    if request.operation == Operation::Create {
                        // What the one before was asked for is lost with it.
                        for request in std::mem::take(&mut interpreter.asked) {
                            run.reply(request.ticket, Reply::Lost("it is stopped".into()));
                        }
                        interpreter.is_gone = false;
                    }
                    ahead += usize::from(request.is_ahead);
                    interpreter.asked.push_back(request);
                }
                Event::Report { failure, .. } => reports.push(failure.to_string()),
                Event::Sleep { .. } | Event::Worked { .. } => {}
            }
        }
        let ending = match run.ending() {
            None => continue,
            Some(Ending::Finished) => None,
            Some(Ending::Failed(failure)) => Some(failure.to_string()),
        };
        return (outputs, reports, ending, interpreter.begun, ahead);
    }
}

#[test]
fn what_is_sent_ahead_changes_nothing() {
    let mut dice = Dice::seeded(11);
    let mut ahead = 0;
    for round in 0..600 {
        let policy = ["fail", "skip", "stop"][dice.roll(3)];
        let often_plain = dice.roll(2) == 0;
        let ways: Vec<Way> = (0..dice.roll(40))
            .map(|_| {
                WAYS[if often_plain && !dice.once_in(10) {
                    0
                } else {
                    dice.roll(6)
                }]
            })
            .collect();
        // So slow that nothing is sent ahead, and so fast that much is.
        let (outputs, reports, ending, begun, none) = run(policy, &ways, 1000.0, &mut dice);
        let fast = run(policy, &ways, 0.01, &mut dice);
        assert_eq!(none, 0);
        let told = (&fast.0, &fast.1, &fast.2);
        assert_eq!(
            told,
            (&outputs, &reports, &ending),
            "round {round}: {policy} {ways:?}"
        );
        // Nothing is done twice, and nothing after an error that ends the run.
        assert_eq!(fast.3, begun, "round {round}: {policy} {ways:?}");
        ahead += fast.4;
    }
    assert!(ahead > 1000, "only {ahead} were sent ahead");
}

#[test]
fn a_slow_node_is_sent_nothing_ahead() {
    for (milliseconds, expected) in [(10.0, 0), (1.0, 4), (0.0, 15)] {
        let mut run = started("{id: n, node_type: Case}");
        for item in 0..16 {
            run.push(item.into(), None, None).unwrap();
        }
        let first = request(&mut run, Operation::Process);
        run.push(16.into(), None, None).unwrap();
        run.reply(first.ticket, answered(done(&[]), milliseconds));
        let next = requests(&mut run);
        assert_eq!(
            (next[0].is_ahead, next.len() - 1),
            (false, expected),
            "{milliseconds} ms"
        );
        assert!(next[1..].iter().all(|request| request.is_ahead));
    }
}
