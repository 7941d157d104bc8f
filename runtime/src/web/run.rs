//! One run, driven by a host that asks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::ahead::{Ahead, Reply};
use super::event::{Ending, Event, Policy, Request, Within};
use super::failure::{Cause, Moment, RunFailure};
use super::lane::{Awaits, Doing, Job, Lane, Worker};
use super::pipeline::Pipeline;
use crate::driver::{self, Calls, Phase, QUEUE_CAPACITY};
use crate::executor::{Executor, Output, PushError, Status, Task, Work};
use crate::graph::NodeIndex;
use crate::manifest::{NodeSpec, OnError};
use crate::nodes::NodeError;
use crate::packet::Emission;
use crate::python::PythonNode;
use crate::python::answer::AnswerError;
use crate::python::operation::Operation;
use crate::python::progress::{Progress, Step, create_arguments, process_arguments, progress_of};
use crate::shape::NodeKind;
use crate::sorted::SortedMap;
use crate::value::Value;

/// How long the host may let a Rust node be whose output is not there yet.
const PENDING: Duration = Duration::from_millis(10);

pub(super) type RustNode = driver::RustNode<Plainly>;

/// A panic is the end of the whole module here.
pub(super) struct Plainly;

impl Calls for Plainly {
    type Failure = NodeError;

    fn call<R>(code: impl FnOnce() -> R) -> Result<R, NodeError> {
        Ok(code())
    }
}

/// A pipeline at work, with nodes of its own. See the [module](super).
pub struct Run {
    pipeline: Arc<Pipeline>,
    on_error: OnError,
    now: fn() -> f64,
    executor: Executor,
    phase: Phase,
    lanes: Vec<Lane>,
    /// The lanes, nearest to the sinks first, so that the first result leaves before the last item enters.
    order: Vec<usize>,
    /// How many lanes are not over, and how many have not started.
    live: usize,
    starting: usize,
    /// What went wrong at the start, in a node (also by lane), or in its cleanup.
    start_errors: SortedMap<NodeIndex, RunFailure>,
    errors: SortedMap<(NodeIndex, usize), RunFailure>,
    cleanup_errors: SortedMap<NodeIndex, RunFailure>,
    verdict: Option<RunFailure>,
    events: VecDeque<Event>,
    tickets: u64,
}

impl Run {
    /// Begin a run: Rust nodes are made, and Python nodes asked for. `now` is the host's clock, in milliseconds.
    pub fn start(pipeline: &Arc<Pipeline>, on_error: OnError, now: fn() -> f64) -> Self {
        let graph = pipeline.graph();
        let setups = &pipeline.shapes().setups;
        let executor = Executor::new(graph.clone(), setups, QUEUE_CAPACITY);
        let mut lanes = Vec::new();
        let mut of_node = Vec::new();
        for node in graph.nodes() {
            let first = lanes.len();
            lanes.extend((0..setups[node.get()].lanes).map(|number| Lane {
                node,
                number,
                worker: Worker::Gone,
                doing: Doing::Idle { timer: None },
                item: None,
                spent: 0.0,
                silent: 0.0,
                last: Operation::Create,
                ahead: Ahead::default(),
            }));
            of_node.push(first..lanes.len());
        }
        let sinks_first = graph.topological_order().iter().rev();
        let order = sinks_first.flat_map(|node| of_node[node.get()].clone());
        let mut run = Self {
            pipeline: pipeline.clone(),
            on_error,
            now,
            executor,
            phase: Phase::Starting,
            order: order.collect(),
            live: lanes.len(),
            starting: lanes.len(),
            lanes,
            start_errors: SortedMap::new(),
            errors: SortedMap::new(),
            cleanup_errors: SortedMap::new(),
            verdict: None,
            events: VecDeque::new(),
            tickets: 0,
        };
        for place in 0..run.lanes.len() {
            run.create(place, Job::Start);
        }
        run.settle();
        run
    }

    /// Hand over an item.
    ///
    /// # Errors
    /// [`PushError`] gives it back, when there is no room for now, or the run takes no more.
    pub fn push(
        &mut self,
        value: Value,
        session: Option<Arc<str>>,
        timestamp_us: Option<i64>,
    ) -> Result<u64, PushError> {
        if self.phase > Phase::Running {
            return Err(PushError::Closed(value));
        }
        self.executor.push(value, session, timestamp_us)
    }

    /// Whether an item would be taken now.
    pub fn can_push(&self) -> bool {
        self.is_open() && self.executor.can_push()
    }

    /// Whether items may still be taken.
    pub fn is_open(&self) -> bool {
        self.phase <= Phase::Running && self.executor.is_open()
    }

    /// Say that no item will follow.
    pub fn close_input(&mut self) {
        self.executor.close_input();
    }

    /// Take the next result, if it is there.
    pub fn take_output(&mut self) -> Option<Output> {
        let output = self.executor.take_output();
        // The last result before a failure may have been what the failure waited for.
        self.settle();
        output
    }

    /// Take the next event.
    pub fn take_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    #[cfg(test)]
    pub(super) fn put_back(&mut self, events: VecDeque<Event>) {
        self.events = events;
    }

    /// Do one thing, if there is one to do before the host pushes, answers or takes results.
    pub fn step(&mut self) -> bool {
        self.settle();
        let mut did = false;
        for index in 0..self.order.len() {
            did = self.work(self.order[index]);
            if did {
                break;
            }
        }
        self.settle();
        did
    }

    /// Hand over what an interpreter said to a request. What nobody waits for is dropped.
    pub fn reply(&mut self, ticket: u64, reply: Reply) {
        let awaits = |lane: &Lane| match lane.doing {
            Doing::Busy(_, Awaits::Answer(own) | Awaits::Explanation(own, _)) => own == ticket,
            Doing::Busy(_, Awaits::Sleep(own)) => own == ticket && matches!(reply, Reply::Lost(_)),
            _ => false,
        };
        if let Some(place) = self.lanes.iter().position(awaits) {
            self.replied(place, reply);
        } else if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.ahead.has(ticket)) {
            lane.ahead.keep(ticket, reply);
        }
        self.settle();
    }

    /// What a lane waited for has come.
    #[inline(never)]
    fn replied(&mut self, place: usize, reply: Reply) {
        let lane = &mut self.lanes[place];
        let Doing::Busy(job, awaits) = std::mem::replace(&mut lane.doing, Doing::Woken) else {
            return;
        };
        let answer = match reply {
            Reply::Answer(answer, milliseconds) => {
                lane.spent += milliseconds;
                lane.silent += milliseconds;
                if lane.last == Operation::Process {
                    lane.ahead.pace(milliseconds);
                }
                answer
            }
            Reply::Lost(reason) => return self.fault(place, job, Cause::Gone(reason)),
            Reply::PassedOver => Err(AnswerError::Protocol(
                "it did not do what it was asked for".into(),
            )),
        };
        let unexplained = match awaits {
            Awaits::Explanation(_, error) => Some(error),
            Awaits::Answer(_) | Awaits::Sleep(_) | Awaits::Room => None,
        };
        let result = match (answer.and_then(progress_of), unexplained) {
            (Err(AnswerError::Exception(exception)), _) => Err(Cause::Exception(exception)),
            (_, Some(error)) => Err(Cause::Unreadable(error)),
            (Err(AnswerError::Unreadable(error)), None) => {
                // The guest knows the place of what cannot be read, when asked for it.
                let ticket = self.request(place, Operation::Explain, Vec::new(), false);
                let awaits = Awaits::Explanation(ticket, error.to_string());
                self.lanes[place].doing = Doing::Busy(job, awaits);
                return;
            }
            (Err(AnswerError::Protocol(message)), None) => Err(Cause::Gone(format!(
                "the Python engine misbehaved: {message}"
            ))),
            (Ok(progress), None) => Ok(progress),
        };
        match result {
            Ok(progress) => self.go_on(place, job, progress),
            Err(cause) => self.fault(place, job, cause),
        }
    }

    /// Say that the time of a [sleep](Event::Sleep) has passed. One that no longer matters is passed over.
    pub fn wake(&mut self, ticket: u64) {
        for place in 0..self.lanes.len() {
            match self.lanes[place].doing {
                Doing::Busy(job, Awaits::Sleep(own)) if own == ticket => {
                    self.resume(place, job);
                    break;
                }
                Doing::Idle { timer: Some(own) } if own == ticket => {
                    self.lanes[place].doing = Doing::Woken;
                    break;
                }
                _ => {}
            }
        }
        self.settle();
    }

    /// Let the nodes clean up, but those that are at work: the host interrupts their interpreters.
    #[inline(never)]
    pub fn cancel(&mut self) {
        self.phase = Phase::Cancelled;
        for place in 0..self.lanes.len() {
            if let Doing::Busy(..) = self.lanes[place].doing {
                self.over(place);
            }
        }
        self.settle();
    }

    /// How the run has ended; none while it goes on or results are left.
    pub fn ending(&self) -> Option<Ending<'_>> {
        if self.live > 0 || self.phase <= Phase::Running || self.executor.has_output() {
            return None;
        }
        Some(
            self.verdict
                .as_ref()
                .map_or(Ending::Finished, Ending::Failed),
        )
    }

    /// Let happen what follows from what has happened.
    fn settle(&mut self) {
        if self.phase == Phase::Starting && self.starting == 0 {
            self.phase = Phase::Running;
            if !self.start_errors.is_empty() {
                self.has_not_started();
            }
        }
        if self.phase == Phase::Running {
            match self.executor.status() {
                Status::Running => {}
                Status::Finished => self.phase = Phase::Ending,
                Status::Failed(node) => self.has_failed(node),
            }
        }
        if self.live == 0 && self.phase > Phase::Running && !self.cleanup_errors.is_empty() {
            self.has_not_cleaned_up();
        }
    }

    #[inline(never)]
    fn has_not_started(&mut self) {
        self.verdict = self.start_errors.pop_first().map(|(_, failure)| failure);
        self.phase = Phase::Ending;
    }

    #[inline(never)]
    fn has_failed(&mut self, node: NodeIndex) {
        let lane = self.executor.failed_lane(node);
        self.verdict = lane.and_then(|lane| self.errors.remove(&(node, lane)));
        self.phase = Phase::Ending;
    }

    #[inline(never)]
    fn has_not_cleaned_up(&mut self) {
        for (_, failure) in std::mem::take(&mut self.cleanup_errors) {
            if self.verdict.is_none() && self.phase != Phase::Cancelled {
                self.verdict = Some(failure);
            } else {
                let policy = Policy::AsWell;
                self.events.push_back(Event::Report { policy, failure });
            }
        }
    }

    /// Let a lane do what it can; whether that was anything.
    fn work(&mut self, place: usize) -> bool {
        let lane = &mut self.lanes[place];
        let (node, number) = (lane.node, lane.number);
        match lane.doing {
            Doing::Busy(Job::Work(_), Awaits::Sleep(_)) if self.phase >= Phase::Ending => {
                self.clean_up(place)
            }
            Doing::Busy(Job::Work(_), Awaits::Answer(_)) => self.look_ahead(place),
            Doing::Over
            | Doing::Busy(_, Awaits::Answer(_) | Awaits::Explanation(..) | Awaits::Sleep(_)) => {
                false
            }
            Doing::Busy(job, Awaits::Room) => {
                if self.phase != Phase::Running || self.executor.is_dropped(node, number) {
                    self.executor.complete(node, number);
                    self.rest(place, None);
                } else if self.executor.can_emit(node, number) {
                    self.resume(place, job);
                } else {
                    return false;
                }
                true
            }
            Doing::Idle { .. } | Doing::Woken if self.phase < Phase::Running => false,
            Doing::Idle { .. } | Doing::Woken if self.phase > Phase::Running => {
                self.clean_up(place)
            }
            Doing::Woken if self.executor.can_emit(node, number) => {
                self.lanes[place].silent = 0.0;
                self.resume(place, Job::Timer);
                true
            }
            // What comes next is known when it is known what became of what was sent ahead.
            Doing::Woken | Doing::Idle { .. } if lane.ahead.is_waiting() => false,
            Doing::Woken | Doing::Idle { .. } => {
                if let Some(task) = self.executor.next_task_for(node, number) {
                    self.begin(place, task);
                    true
                } else {
                    self.executor.has_ended(node) && self.clean_up(place)
                }
            }
        }
    }

    fn begin(&mut self, place: usize, task: Task) {
        let lane = &mut self.lanes[place];
        let moment = Moment::of(&task.work);
        if let Moment::Item(number) = moment {
            lane.item = Some(number);
        }
        lane.spent = 0.0;
        lane.silent = 0.0;
        let job = Job::Work(moment);
        match &mut lane.worker {
            Worker::Rust(rust) => {
                let begun = (self.now)();
                rust.begin(task.work);
                let pulled = pull(rust);
                lane.spent += (self.now)() - begun;
                self.pulled(place, job, pulled);
            }
            Worker::Python => self.begin_in_python(place, job, task),
            Worker::Gone => self.go_on(place, job, Progress::NOTHING),
        }
    }

    #[inline(never)]
    fn begin_in_python(&mut self, place: usize, job: Job, task: Task) {
        let lane = &mut self.lanes[place];
        let id = self.pipeline.id(task.node);
        let (operation, arguments) = match task.work {
            Work::Process(packet) => {
                if let Some(reply) = lane.ahead.take() {
                    // No ticket is awaited any more.
                    lane.doing = Doing::Busy(job, Awaits::Answer(0));
                    return self.replied(place, reply);
                }
                (Operation::Process, process_arguments(id, packet))
            }
            Work::Generate => (Operation::Generate, vec![id]),
            Work::Flush => (Operation::Flush, vec![id]),
        };
        lane.ahead.clear();
        self.ask(place, job, operation, arguments);
    }

    /// Send items ahead of their turn, those that certainly follow; whether there were any.
    #[inline(never)]
    fn look_ahead(&mut self, place: usize) -> bool {
        let mut did = false;
        loop {
            let lane = &self.lanes[place];
            if self.phase != Phase::Running
                || lane.last != Operation::Process
                || !lane.ahead.wants()
            {
                return did;
            }
            let packet = {
                let mut upcoming = self.executor.upcoming(lane.node, lane.number);
                upcoming.nth(lane.ahead.len()).cloned()
            };
            let Some(packet) = packet else {
                return did;
            };
            let arguments = process_arguments(self.pipeline.id(lane.node), packet);
            let ticket = self.request(place, Operation::Process, arguments, true);
            self.lanes[place].ahead.sent(ticket);
            did = true;
        }
    }

    /// Go on with what was begun.
    #[inline(never)]
    fn resume(&mut self, place: usize, job: Job) {
        let lane = &mut self.lanes[place];
        match &mut lane.worker {
            Worker::Rust(rust) => {
                let begun = (self.now)();
                let pulled = pull(rust);
                lane.spent += (self.now)() - begun;
                self.pulled(place, job, pulled);
            }
            Worker::Python => {
                let arguments = vec![self.pipeline.id(lane.node)];
                self.ask(place, job, Operation::ResumeNode, arguments);
            }
            Worker::Gone => self.go_on(place, job, Progress::NOTHING),
        }
    }

    fn pulled(&mut self, place: usize, job: Job, pulled: Result<Progress, NodeError>) {
        match pulled {
            Ok(progress) => self.go_on(place, job, progress),
            Err(error) => self.fault(place, job, error.into()),
        }
    }

    /// What a node gave, and what follows.
    fn go_on(&mut self, place: usize, job: Job, Progress { outputs, step }: Progress) {
        match (job, step) {
            (Job::Start, Step::Done { .. }) => {
                self.starting -= 1;
                self.rest_and_listen(place);
            }
            (Job::Restart { is_idle }, Step::Done { .. }) => {
                if !is_idle {
                    self.complete(place);
                }
                self.rest_and_listen(place);
            }
            (Job::Cleanup, Step::Done { .. }) => self.over(place),
            (Job::Start | Job::Restart { .. } | Job::Cleanup, Step::More) => {
                self.resume(place, job);
            }
            (Job::Work(_), Step::Done { wake }) => {
                self.emit(place, outputs);
                self.complete(place);
                self.rest(place, wake);
            }
            (Job::Work(_), Step::More) => {
                self.emit(place, outputs);
                self.lanes[place].doing = Doing::Busy(job, Awaits::Room);
            }
            (Job::Timer, Step::Done { wake }) => {
                self.emit(place, outputs);
                self.rest(place, wake);
            }
            (Job::Timer, Step::More) => {
                self.emit(place, outputs);
                self.lanes[place].doing = Doing::Woken;
            }
            (Job::Timer, Step::Waiting(duration)) => {
                self.emit(place, outputs);
                self.rest(place, Some(duration));
            }
            (
                Job::Start | Job::Restart { .. } | Job::Work(_) | Job::Cleanup,
                Step::Waiting(duration),
            ) => {
                self.emit(place, outputs);
                let lane = &mut self.lanes[place];
                let within = Within {
                    lane: place,
                    spent: lane.silent,
                };
                lane.silent += duration.as_secs_f64() * 1000.0;
                let ticket = self.sleep(duration, Some(within));
                self.lanes[place].doing = Doing::Busy(job, Awaits::Sleep(ticket));
            }
        }
    }

    /// What comes of an error.
    #[inline(never)]
    fn fault(&mut self, place: usize, job: Job, cause: Cause) {
        let is_fatal = cause.is_fatal();
        let (node, number) = (self.lanes[place].node, self.lanes[place].number);
        let moment = match job {
            Job::Start | Job::Restart { .. } => Moment::Start,
            Job::Work(moment) => moment,
            Job::Timer => Moment::Between(self.lanes[place].item),
            Job::Cleanup => Moment::Cleanup,
        };
        let failure = RunFailure {
            node: self.pipeline.graph().id(node).to_owned(),
            moment,
            cause,
        };
        if is_fatal {
            self.lanes[place].worker = Worker::Gone;
            self.lanes[place].ahead.clear();
        }
        let is_idle = match job {
            Job::Start => {
                self.start_errors.get_or_insert_with(node, || failure);
                self.starting -= 1;
                return self.over(place);
            }
            Job::Cleanup => {
                self.cleanup_errors.get_or_insert_with(node, || failure);
                return self.over(place);
            }
            Job::Restart { .. } => {
                self.lanes[place].worker = Worker::Gone;
                return self.fail(place, failure);
            }
            Job::Work(_) => false,
            Job::Timer => true,
        };
        let spec = &self.pipeline.manifest().nodes[node.get()];
        match spec.on_error.unwrap_or(self.on_error) {
            OnError::Fail => self.fail(place, failure),
            OnError::Stop => {
                let policy = Policy::Stopped;
                self.events.push_back(Event::Report { policy, failure });
                self.worked(place);
                self.executor.stop(node, number);
                self.rest(place, None);
            }
            OnError::Skip => {
                let policy = Policy::Skipped;
                self.events.push_back(Event::Report { policy, failure });
                if let Worker::Gone = self.lanes[place].worker {
                    self.create(place, Job::Restart { is_idle });
                } else {
                    if !is_idle {
                        self.complete(place);
                    }
                    self.rest(place, None);
                }
            }
        }
    }

    fn fail(&mut self, place: usize, failure: RunFailure) {
        let Lane { node, number, .. } = self.lanes[place];
        self.worked(place);
        self.executor.fail(node, number);
        self.errors.get_or_insert_with((node, number), || failure);
        self.rest(place, None);
    }

    /// Make a node.
    fn create(&mut self, place: usize, job: Job) {
        let pipeline = self.pipeline.clone();
        let node = self.lanes[place].node;
        let spec = &pipeline.manifest().nodes[node.get()];
        match &pipeline.shapes().kinds[node.get()] {
            NodeKind::Rust { is_source } => {
                match RustNode::create(pipeline.registry(), spec, *is_source) {
                    Ok(rust) => {
                        self.lanes[place].worker = Worker::Rust(rust);
                        self.go_on(place, job, Progress::NOTHING);
                    }
                    Err(error) => self.fault(place, job, error.into()),
                }
            }
            NodeKind::Python(class) => self.create_in_python(place, job, spec, class),
        }
    }

    #[inline(never)]
    fn create_in_python(&mut self, place: usize, job: Job, spec: &NodeSpec, class: &PythonNode) {
        self.lanes[place].worker = Worker::Python;
        self.ask(place, job, Operation::Create, create_arguments(spec, class));
    }

    /// Let a node clean up. Always something.
    fn clean_up(&mut self, place: usize) -> bool {
        let lane = &mut self.lanes[place];
        match lane.worker {
            Worker::Rust(_) | Worker::Gone => self.over(place),
            Worker::Python => self.clean_up_in_python(place),
        }
        true
    }

    #[inline(never)]
    fn clean_up_in_python(&mut self, place: usize) {
        let lane = &mut self.lanes[place];
        let is_lost = lane.ahead.is_lost();
        lane.ahead.clear();
        if is_lost {
            lane.worker = Worker::Gone;
            return self.over(place);
        }
        let arguments = vec![self.pipeline.id(lane.node)];
        self.ask(place, Job::Cleanup, Operation::Cleanup, arguments);
    }

    #[inline(never)]
    fn ask(&mut self, place: usize, job: Job, operation: Operation, arguments: Vec<Value>) {
        let ticket = self.request(place, operation, arguments, false);
        let lane = &mut self.lanes[place];
        if operation != Operation::ResumeNode {
            lane.silent = 0.0;
        }
        lane.doing = Doing::Busy(job, Awaits::Answer(ticket));
    }

    fn request(
        &mut self,
        place: usize,
        operation: Operation,
        arguments: Vec<Value>,
        is_ahead: bool,
    ) -> u64 {
        let ticket = self.ticket();
        let lane = &mut self.lanes[place];
        lane.last = operation;
        let goes_on = operation == Operation::ResumeNode;
        let spent = if goes_on { lane.silent } else { 0.0 };
        self.events.push_back(Event::Request(Request {
            ticket,
            lane: place,
            node: lane.node,
            operation,
            is_ahead,
            spent,
            arguments: Value::Tuple(arguments),
        }));
        ticket
    }

    #[inline(never)]
    fn sleep(&mut self, duration: Duration, within: Option<Within>) -> u64 {
        let ticket = self.ticket();
        self.events.push_back(Event::Sleep {
            ticket,
            duration,
            within,
        });
        ticket
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    fn emit(&mut self, place: usize, outputs: Vec<Emission>) {
        if !outputs.is_empty() {
            self.lanes[place].silent = 0.0;
        }
        let Lane { node, number, .. } = self.lanes[place];
        for output in outputs {
            self.executor.emit(node, number, output);
        }
    }

    fn complete(&mut self, place: usize) {
        self.worked(place);
        let Lane { node, number, .. } = self.lanes[place];
        self.executor.complete(node, number);
    }

    fn worked(&mut self, place: usize) {
        let Lane { node, spent, .. } = self.lanes[place];
        self.events.push_back(Event::Worked { node, time: spent });
    }

    /// Nothing to do until a task or a timer comes.
    fn rest(&mut self, place: usize, wake: Option<Duration>) {
        let timer = wake.map(|duration| self.sleep(duration, None));
        self.lanes[place].doing = Doing::Idle { timer };
    }

    /// The same for a node that was just made: a streaming node may have something to give, or a timer to set, before an
    /// item comes.
    fn rest_and_listen(&mut self, place: usize) {
        let node = self.lanes[place].node;
        self.lanes[place].doing = if self.pipeline.shapes().kinds[node.get()].is_streaming() {
            Doing::Woken
        } else {
            Doing::Idle { timer: None }
        };
    }

    fn over(&mut self, place: usize) {
        if !matches!(self.lanes[place].doing, Doing::Over) {
            self.live -= 1;
        }
        self.lanes[place].doing = Doing::Over;
    }
}

/// What a Rust node gives next. Nothing here could be woken by one that waits: the host comes back.
fn pull(rust: &mut RustNode) -> Result<Progress, NodeError> {
    match rust.pull(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(pulled) => pulled,
        Poll::Pending => Ok(Progress {
            outputs: Vec::new(),
            step: Step::Waiting(PENDING),
        }),
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Run")
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
