//! One run: the executor, shared by a task for each lane of each node, whoever sends items and whoever receives outputs.
//!
//! All of them take what they can do from the executor, do it, report it, and wake those who have something to do because of
//! that. Nobody decides for the others, so that nodes work in parallel as far as the graph and the threads allow.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_lite::FutureExt as _;
use tracing::instrument::WithSubscriber as _;

use super::error::{NodeFailure, RunError, SendError};
use super::session::{Item, Output};
use super::worker::{Progress, Step, Worker};
use super::{Inner, QUEUE_CAPACITY};
use crate::executor::{Executor, PushError, Status, Task, Work};
use crate::graph::NodeIndex;
use crate::manifest::OnError;
use crate::packet::Emission;

/// What everybody who takes part in a run shares.
pub(super) struct Run {
    inner: Arc<Inner>,
    core: Mutex<Core>,
}

struct Core {
    executor: Executor,
    phase: Phase,
    lanes: Vec<Lane>,
    /// How many lanes have not ended.
    live: usize,
    /// How many have not started.
    starting: usize,
    /// What went wrong at the start, in a node (also by lane), or in its cleanup.
    start_errors: BTreeMap<NodeIndex, RunError>,
    errors: BTreeMap<(NodeIndex, usize), RunError>,
    cleanup_errors: BTreeMap<NodeIndex, RunError>,
    /// What is told when everything has ended.
    verdict: Option<RunError>,
    /// Whether there is or was a verdict.
    is_decided: bool,
    senders: Vec<Waker>,
    receivers: Vec<Waker>,
    /// To be woken as soon as the lock is free.
    due: Vec<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Nodes are being made; no item is worked on before all are there.
    Starting,
    Running,
    /// Everything is done, or a failure has decided the run: nodes finish what they are at, and clean up.
    Ending,
    /// Nobody is interested any more: nodes are interrupted.
    Cancelled,
}

/// Somebody who does a node's work; a node has several with `instances`.
struct Lane {
    node: NodeIndex,
    /// Which of the node's lanes, from 0.
    number: usize,
    waits_for: Wait,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// At work, and to be woken only when the run is over.
    Nothing,
    Task,
    /// Room for outputs.
    Room,
}

/// What somebody who sends and receives at the same time may do next.
pub(super) enum Turn {
    /// Look at an output.
    Output(Output),
    /// Send an item, or close the input.
    Send,
    /// Nothing any more.
    End,
}

impl Run {
    /// Start a run's lanes.
    pub(super) fn start(inner: &Arc<Inner>) -> Arc<Self> {
        let executor = Executor::new(inner.graph.clone(), &inner.shapes.setups, QUEUE_CAPACITY);
        let mut lanes = Vec::new();
        for node in inner.graph.nodes() {
            for lane in 0..inner.shapes.setups[node.get()].lanes {
                lanes.push(Lane {
                    node,
                    number: lane,
                    waits_for: Wait::Nothing,
                    waker: None,
                });
            }
        }
        let count = lanes.len();
        let run = Arc::new(Self {
            inner: inner.clone(),
            core: Mutex::new(Core {
                executor,
                phase: Phase::Starting,
                lanes,
                live: count,
                starting: count,
                start_errors: BTreeMap::new(),
                errors: BTreeMap::new(),
                cleanup_errors: BTreeMap::new(),
                verdict: None,
                is_decided: false,
                senders: Vec::new(),
                receivers: Vec::new(),
                due: Vec::new(),
            }),
        });
        for place in 0..count {
            let lane = run.clone().work_unharmed(place);
            inner.threads().spawn(lane.with_current_subscriber());
        }
        run
    }

    /// The life of a lane, whatever happens in it: a lane that was lost would be waited for for ever.
    async fn work_unharmed(self: Arc<Self>, place: usize) {
        let work = AssertUnwindSafe(self.clone().work(place));
        if let Err(panic) = work.catch_unwind().await {
            let node = self.lock().lanes[place].node;
            let error = RunError::Source {
                node: self.id(node),
                source: NodeFailure::panicked(&*panic),
            };
            self.change(|core| {
                core.decide(error);
                core.over(Phase::Cancelled);
                core.lane_ended();
            });
        }
    }

    /// The life of a lane.
    async fn work(self: Arc<Self>, place: usize) {
        let (node, lane) = {
            let core = self.lock();
            (core.lanes[place].node, core.lanes[place].number)
        };
        let started = self
            .unless_cancelled(place, Worker::start(&self.inner, node))
            .await;
        let worker = match started {
            Some(Ok(worker)) => {
                self.change(Core::started);
                self.serve(place, node, lane, worker).await
            }
            Some(Err(source)) => {
                let node_id = self.id(node);
                self.change(|core| {
                    let error = RunError::Start {
                        node: node_id,
                        source,
                    };
                    core.start_errors.entry(node).or_insert(error);
                    core.started();
                });
                None
            }
            None => None,
        };
        if let Some(worker) = worker
            && let Err(source) = worker.cleanup().await
        {
            let node_id = self.id(node);
            self.change(|core| {
                let error = RunError::Cleanup {
                    node: node_id,
                    source,
                };
                core.cleanup_errors.entry(node).or_insert(error);
            });
        }
        self.change(Core::lane_ended);
    }

    /// Do a node's work until there is none any more; gives back the worker for its cleanup unless it was interrupted.
    async fn serve(
        &self,
        place: usize,
        node: NodeIndex,
        lane: usize,
        mut worker: Worker,
    ) -> Option<Worker> {
        // A streaming node may have something to give, or a timer to set, before an item comes.
        let is_streaming = self.inner.shapes.kinds[node.get()].is_streaming();
        let mut wake = is_streaming.then_some(Duration::ZERO);
        // The number of the item that was worked on last.
        let mut item = 0;
        loop {
            let at = match self.next(place, wake.take()).await {
                Next::Task(task) => task.work,
                Next::Timer => {
                    if !self.has_room(place).await {
                        continue;
                    }
                    // Between two items: whatever the node gives belongs to none of them.
                    let result = self.unless_cancelled(place, worker.wake()).await?;
                    match result {
                        Ok(Progress { outputs, step }) => {
                            self.emit(node, lane, outputs);
                            wake = match step {
                                Step::Done { wake } => wake,
                                Step::More => Some(Duration::ZERO),
                                Step::Waiting(delay) => Some(delay),
                            };
                        }
                        Err(source) => {
                            let error = RunError::Item {
                                node: self.id(node),
                                item: item + 1,
                                source,
                            };
                            self.resolve(place, node, lane, &mut worker, error, true)
                                .await?;
                        }
                    }
                    continue;
                }
                Next::End => return Some(worker),
            };
            let stage = Stage::of(&at);
            if let Stage::Item(number) = stage {
                item = number;
            }
            let mut progress = self.unless_cancelled(place, worker.begin(at)).await?;
            loop {
                match progress {
                    Ok(Progress { outputs, step }) => match step {
                        Step::Done { wake: timer } => {
                            wake = timer;
                            self.change(|core| {
                                core.emit(node, lane, outputs);
                                core.executor.complete(node, lane);
                            });
                            break;
                        }
                        Step::More => {
                            self.emit(node, lane, outputs);
                            if !self.has_room(place).await {
                                self.change(|core| core.executor.complete(node, lane));
                                break;
                            }
                        }
                        Step::Waiting(delay) => {
                            self.emit(node, lane, outputs);
                            match self.unless_over(place, worker.sleep(delay)).await {
                                None => return Some(worker),
                                Some(Ok(())) => {}
                                Some(Err(source)) => {
                                    progress = Err(source);
                                    continue;
                                }
                            }
                        }
                    },
                    Err(source) => {
                        let error = stage.error(self.id(node), source);
                        self.resolve(place, node, lane, &mut worker, error, false)
                            .await?;
                        break;
                    }
                }
                progress = self.unless_cancelled(place, worker.resume()).await?;
            }
        }
    }

    /// Do about an error what the manifest says; between items (`is_idle`) there is no task to end.
    async fn resolve(
        &self,
        place: usize,
        node: NodeIndex,
        lane: usize,
        worker: &mut Worker,
        error: RunError,
        is_idle: bool,
    ) -> Option<()> {
        let spec = &self.inner.manifest.nodes[node.get()];
        let policy = spec.on_error.unwrap_or(self.inner.settings.on_error);
        match policy {
            OnError::Fail => self.fail(node, lane, error),
            OnError::Stop => {
                report(&spec.id, "the stream ends here", &error);
                self.change(|core| core.executor.stop(node, lane));
            }
            OnError::Skip => {
                report(&spec.id, "skipped", &error);
                if worker.is_gone() {
                    let restarted = self
                        .unless_cancelled(place, Worker::start(&self.inner, node))
                        .await?;
                    match restarted {
                        Ok(fresh) => *worker = fresh,
                        Err(source) => {
                            let error = RunError::Start {
                                node: self.id(node),
                                source,
                            };
                            self.fail(node, lane, error);
                            return Some(());
                        }
                    }
                }
                if !is_idle {
                    self.change(|core| core.executor.complete(node, lane));
                }
            }
        }
        Some(())
    }

    fn fail(&self, node: NodeIndex, lane: usize, error: RunError) {
        self.change(|core| {
            core.executor.fail(node, lane);
            core.errors.entry((node, lane)).or_insert(error);
        });
    }

    fn id(&self, node: NodeIndex) -> String {
        self.inner.graph.id(node).to_owned()
    }

    fn emit(&self, node: NodeIndex, lane: usize, outputs: Vec<Emission>) {
        if !outputs.is_empty() {
            self.change(|core| core.emit(node, lane, outputs));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Change something, and wake whoever has something to do because of it.
    fn change<R>(&self, change: impl FnOnce(&mut Core) -> R) -> R {
        let mut wakers = Vec::new();
        let result = {
            let mut core = self.lock();
            let result = change(&mut core);
            core.collect_wakers(&mut wakers);
            result
        };
        wakers.into_iter().for_each(Waker::wake);
        result
    }

    /// The next thing for a lane to do.
    async fn next(&self, place: usize, wake: Option<Duration>) -> Next {
        let Some(delay) = wake else {
            return poll_fn(|context| self.poll_task(place, context)).await;
        };
        let mut timer = pin!(tokio::time::sleep(delay));
        poll_fn(|context| match self.poll_task(place, context) {
            Poll::Pending => Future::poll(timer.as_mut(), context).map(|()| Next::Timer),
            ready @ Poll::Ready(_) => ready,
        })
        .await
    }

    fn poll_task(&self, place: usize, context: &mut Context<'_>) -> Poll<Next> {
        self.change(|core| {
            let (node, lane) = (core.lanes[place].node, core.lanes[place].number);
            if core.phase == Phase::Running {
                if let Some(task) = core.executor.next_task_for(node, lane) {
                    core.lanes[place].waits_for = Wait::Nothing;
                    return Poll::Ready(Next::Task(task));
                }
                if core.executor.has_ended(node) {
                    return Poll::Ready(Next::End);
                }
            } else if core.phase > Phase::Running {
                return Poll::Ready(Next::End);
            }
            core.wait(place, Wait::Task, context);
            Poll::Pending
        })
    }

    /// Wait until a lane may give more outputs; false if nobody wants them any more.
    async fn has_room(&self, place: usize) -> bool {
        poll_fn(|context| {
            let mut core = self.lock();
            let (node, lane) = (core.lanes[place].node, core.lanes[place].number);
            if core.phase != Phase::Running || core.executor.is_dropped(node, lane) {
                return Poll::Ready(false);
            }
            if core.executor.can_emit(node, lane) {
                core.lanes[place].waits_for = Wait::Nothing;
                return Poll::Ready(true);
            }
            core.wait(place, Wait::Room, context);
            Poll::Pending
        })
        .await
    }

    /// Do something unless the run is cancelled first; then nothing comes of it.
    async fn unless_cancelled<F: Future>(&self, place: usize, work: F) -> Option<F::Output> {
        self.unless(place, Phase::Cancelled, work).await
    }

    /// The same if the run merely ends.
    async fn unless_over<F: Future>(&self, place: usize, work: F) -> Option<F::Output> {
        self.unless(place, Phase::Ending, work).await
    }

    async fn unless<F: Future>(&self, place: usize, phase: Phase, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(output) = Future::poll(work.as_mut(), context) {
                return Poll::Ready(Some(output));
            }
            let mut core = self.lock();
            if core.phase >= phase {
                return Poll::Ready(None);
            }
            core.wait(place, Wait::Nothing, context);
            Poll::Pending
        })
        .await
    }

    /// Send an item, or say why not.
    pub(super) fn poll_send(
        &self,
        item: &mut Option<Item>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        self.change(|core| {
            let Some(Item {
                value,
                session,
                timestamp_us,
            }) = item.take()
            else {
                return Poll::Ready(Ok(()));
            };
            if core.has_failed() {
                return Poll::Ready(Err(SendError::Failed(value)));
            }
            if core.phase > Phase::Running {
                return Poll::Ready(Err(SendError::Closed(value)));
            }
            // Cloning two small things is cheap, and the value comes back when it is not taken.
            match core.executor.push(value, session.clone(), timestamp_us) {
                Ok(_) => Poll::Ready(Ok(())),
                Err(PushError::Full(value)) => {
                    *item = Some(Item {
                        value,
                        session,
                        timestamp_us,
                    });
                    note(&mut core.senders, context);
                    Poll::Pending
                }
                Err(PushError::Closed(value)) => Poll::Ready(Err(SendError::Closed(value))),
            }
        })
    }

    pub(super) fn close_input(&self) {
        self.change(|core| core.executor.close_input());
    }

    /// The next output, or that there will be none.
    pub(super) fn poll_receive(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Output>, RunError>> {
        self.change(|core| {
            if let Some(result) = core.receive(&self.inner) {
                return Poll::Ready(result);
            }
            note(&mut core.receivers, context);
            Poll::Pending
        })
    }

    /// What somebody who both sends and receives may do next; outputs come first.
    pub(super) fn poll_turn(&self, context: &mut Context<'_>) -> Poll<Result<Turn, RunError>> {
        self.change(|core| {
            if let Some(result) = core.receive(&self.inner) {
                return Poll::Ready(result.map(|output| output.map_or(Turn::End, Turn::Output)));
            }
            if core.phase <= Phase::Running && core.executor.can_push() {
                return Poll::Ready(Ok(Turn::Send));
            }
            note(&mut core.receivers, context);
            // Behind the last item nobody waits for room, and a closed input wakes all who do.
            if core.executor.is_open() {
                note(&mut core.senders, context);
            }
            Poll::Pending
        })
    }

    /// Whether no node is left.
    pub(super) fn has_ended(&self) -> bool {
        self.lock().live == 0
    }

    /// Let the nodes finish what they are at, and clean up.
    pub(super) fn end(&self) {
        self.change(|core| core.over(Phase::Ending));
    }

    /// Interrupt the nodes.
    pub(super) fn cancel(&self) {
        self.change(|core| core.over(Phase::Cancelled));
    }
}

impl Core {
    fn started(&mut self) {
        self.starting -= 1;
        if self.starting > 0 || self.phase != Phase::Starting {
            return;
        }
        if let Some((_, error)) = self.start_errors.pop_first() {
            self.decide(error);
            self.over(Phase::Ending);
        } else {
            self.phase = Phase::Running;
            self.wake_lanes();
        }
    }

    fn emit(&mut self, node: NodeIndex, lane: usize, outputs: Vec<Emission>) {
        for output in outputs {
            self.executor.emit(node, lane, output);
        }
    }

    fn decide(&mut self, error: RunError) {
        self.verdict = Some(error);
        self.is_decided = true;
    }

    /// Whether a node has failed, told or not.
    fn has_failed(&self) -> bool {
        self.is_decided || !self.errors.is_empty()
    }

    fn over(&mut self, phase: Phase) {
        if phase > self.phase {
            self.phase = phase;
            self.wake_lanes();
        }
    }

    fn wake_lanes(&mut self) {
        for lane in &mut self.lanes {
            lane.waits_for = Wait::Nothing;
            self.due.extend(lane.waker.take());
        }
    }

    /// One lane less; with the last one all is said.
    fn lane_ended(&mut self) {
        self.live -= 1;
        if self.live == 0 {
            self.conclude();
        }
    }

    fn conclude(&mut self) {
        for (_, error) in std::mem::take(&mut self.cleanup_errors) {
            if !self.is_decided && self.phase != Phase::Cancelled {
                self.decide(error);
            } else {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::warn!(error, "as well");
            }
        }
    }

    fn wait(&mut self, place: usize, wait: Wait, context: &Context<'_>) {
        let lane = &mut self.lanes[place];
        lane.waits_for = wait;
        match &mut lane.waker {
            Some(waker) => waker.clone_from(context.waker()),
            None => lane.waker = Some(context.waker().clone()),
        }
    }

    /// What `receive` comes to, if that is known.
    fn receive(&mut self, inner: &Inner) -> Option<Result<Option<Output>, RunError>> {
        if let Some(output) = self.executor.take_output() {
            return Some(Ok(Some(Output {
                node: inner.ids[output.node.get()].clone(),
                output: output.output,
                value: output.packet.value,
                metadata: output.packet.metadata,
            })));
        }
        (self.live == 0).then(|| self.verdict.take().map_or(Ok(None), Err))
    }

    fn collect_wakers(&mut self, wakers: &mut Vec<Waker>) {
        if self.phase == Phase::Running {
            match self.executor.status() {
                Status::Running => {}
                Status::Finished => self.over(Phase::Ending),
                Status::Failed(node) => {
                    let lane = self.executor.failed_lane(node);
                    if let Some(error) = lane.and_then(|lane| self.errors.remove(&(node, lane))) {
                        self.decide(error);
                    }
                    self.over(Phase::Ending);
                }
            }
        }
        wakers.append(&mut self.due);
        let executor = &self.executor;
        for lane in &mut self.lanes {
            let is_due = match lane.waits_for {
                Wait::Nothing => false,
                Wait::Task => {
                    self.phase == Phase::Running
                        && (executor.ready(lane.node, lane.number) || executor.has_ended(lane.node))
                }
                Wait::Room => {
                    executor.can_emit(lane.node, lane.number)
                        || executor.is_dropped(lane.node, lane.number)
                }
            };
            if is_due {
                lane.waits_for = Wait::Nothing;
                wakers.extend(lane.waker.take());
            }
        }
        if !self.receivers.is_empty()
            && (self.live == 0 || self.phase > Phase::Running || self.executor.has_output())
        {
            wakers.append(&mut self.receivers);
        }
        if !self.senders.is_empty()
            && (self.phase > Phase::Running || !self.executor.is_open() || self.executor.can_push())
        {
            wakers.append(&mut self.senders);
        }
    }
}

/// Note somebody who waits, once.
fn note(waiting: &mut Vec<Waker>, context: &Context<'_>) {
    if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
        waiting.push(context.waker().clone());
    }
}

/// What a lane is to do next.
enum Next {
    Task(Task),
    /// The node asked to be resumed about now.
    Timer,
    End,
}

/// What a task was about, for errors.
#[derive(Clone, Copy)]
enum Stage {
    Item(u64),
    Source,
    End,
}

impl Stage {
    fn of(work: &Work) -> Self {
        match work {
            Work::Process(packet) => Self::Item(packet.metadata.sequence),
            Work::Generate => Self::Source,
            Work::Flush => Self::End,
        }
    }

    fn error(self, node: String, source: NodeFailure) -> RunError {
        match self {
            Self::Item(number) => RunError::Item {
                node,
                item: number + 1,
                source,
            },
            Self::Source => RunError::Source { node, source },
            Self::End => RunError::End { node, source },
        }
    }
}

fn report(node: &str, what: &str, error: &RunError) {
    let error: &(dyn std::error::Error + 'static) = error;
    tracing::warn!(node, error, "{what}");
}
