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

use super::Inner;
use super::error::{NodeFailure, RunError, SendError};
use super::session::{Item, Output};
use super::worker::{Progress, Step, Worker};
use crate::driver::{Moment, Phase, QUEUE_CAPACITY};
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
    /// What is told when everything has ended: to the first who asks the error itself, and to all others that there was one.
    verdict: Option<RunError>,
    /// What the first one was told, or will be; none while the run has not failed.
    failure: Option<String>,
    senders: Vec<Waker>,
    receivers: Vec<Waker>,
    /// To be woken as soon as the lock is free.
    due: Vec<Waker>,
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

/// Which lane it is that somebody works for: its place among all, its node, and its number there.
#[derive(Clone, Copy)]
struct Seat {
    place: usize,
    node: NodeIndex,
    lane: usize,
}

/// The run was cancelled while a node was at work.
struct Interrupted;

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
                failure: None,
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
            let error = self.error(node, Moment::Source, NodeFailure::panicked(&*panic));
            self.change(|core| {
                core.decide(error);
                core.over(Phase::Cancelled);
                core.lane_ended();
            });
        }
    }

    /// The life of a lane.
    async fn work(self: Arc<Self>, place: usize) {
        let seat = {
            let Lane { node, number, .. } = self.lock().lanes[place];
            Seat {
                place,
                node,
                lane: number,
            }
        };
        // An interpreter that was interrupted is beyond cleaning up.
        if let Ok(Some(worker)) = self.live(seat).await
            && let Err(source) = worker.cleanup().await
        {
            let error = self.error(seat.node, Moment::Cleanup, source);
            self.change(|core| {
                core.cleanup_errors.entry(seat.node).or_insert(error);
            });
        }
        self.change(Core::lane_ended);
    }

    /// From the start of a node until there is nothing to do for it any more; gives back the worker for its cleanup, if there
    /// is one.
    async fn live(&self, seat: Seat) -> Result<Option<Worker>, Interrupted> {
        let start = Worker::start(&self.inner, seat.node);
        match self.unless_cancelled(seat, start).await? {
            Ok(mut worker) => {
                self.change(Core::started);
                self.serve(seat, &mut worker).await?;
                Ok(Some(worker))
            }
            Err(source) => {
                let error = self.error(seat.node, Moment::Start, source);
                self.change(|core| {
                    core.start_errors.entry(seat.node).or_insert(error);
                    core.started();
                });
                Ok(None)
            }
        }
    }

    /// Do a node's work until there is none any more.
    async fn serve(&self, seat: Seat, worker: &mut Worker) -> Result<(), Interrupted> {
        // A streaming node may have something to give, or a timer to set, before an item comes.
        let is_streaming = self.inner.shapes.kinds[seat.node.get()].is_streaming();
        let mut wake = is_streaming.then_some(Duration::ZERO);
        // The number of the item that was worked on last.
        let mut last = None;
        loop {
            wake = match self.next(seat, wake).await {
                Next::Task(task) => {
                    if let Moment::Item(number) = Moment::of(&task.work) {
                        last = Some(number);
                    }
                    self.see_to(seat, worker, task.work).await?
                }
                Next::Timer if self.has_room(seat).await => self.wake(seat, worker, last).await?,
                // Nobody wants what it would give.
                Next::Timer => None,
                Next::End => return Ok(()),
            };
        }
    }

    /// Let a node do what its timer was for, between two items: whatever it gives belongs to none of them. Returns
    /// after how long it wants to be woken again.
    async fn wake(
        &self,
        seat: Seat,
        worker: &mut Worker,
        last: Option<u64>,
    ) -> Result<Option<Duration>, Interrupted> {
        match self.unless_cancelled(seat, worker.wake()).await? {
            Ok(Progress { outputs, step }) => {
                self.emit(seat, outputs);
                Ok(match step {
                    Step::Done { wake } => wake,
                    Step::More => Some(Duration::ZERO),
                    Step::Waiting(delay) => Some(delay),
                })
            }
            Err(source) => {
                let moment = Moment::Between(last);
                self.resolve(seat, worker, moment, source).await?;
                Ok(None)
            }
        }
    }

    /// Do a task to its end. Returns after how long the node wants to be woken.
    async fn see_to(
        &self,
        seat: Seat,
        worker: &mut Worker,
        work: Work,
    ) -> Result<Option<Duration>, Interrupted> {
        let moment = Moment::of(&work);
        let mut result = self.unless_cancelled(seat, worker.begin(work)).await?;
        loop {
            let Progress { outputs, step } = match result {
                Ok(progress) => progress,
                Err(source) => {
                    self.resolve(seat, worker, moment, source).await?;
                    return Ok(None);
                }
            };
            if let Step::Done { wake } = step {
                self.change(|core| {
                    core.emit(seat, outputs);
                    core.complete(seat);
                });
                return Ok(wake);
            }
            self.emit(seat, outputs);
            if let Step::Waiting(delay) = step {
                match self.unless_over(seat, worker.sleep(delay)).await {
                    Some(Ok(())) => {}
                    Some(Err(source)) => {
                        result = Err(source);
                        continue;
                    }
                    // There is no next task either.
                    None => return Ok(None),
                }
            } else if !self.has_room(seat).await {
                self.change(|core| core.complete(seat));
                return Ok(None);
            }
            result = self.unless_cancelled(seat, worker.resume()).await?;
        }
    }

    /// Do about an error what the manifest says.
    async fn resolve(
        &self,
        seat: Seat,
        worker: &mut Worker,
        moment: Moment,
        source: NodeFailure,
    ) -> Result<(), Interrupted> {
        let error = self.error(seat.node, moment, source);
        let spec = &self.inner.manifest.nodes[seat.node.get()];
        match spec.on_error.unwrap_or(self.inner.settings.on_error) {
            OnError::Fail => self.fail(seat, error),
            OnError::Stop => {
                report(&spec.id, "the stream ends here", &error);
                self.change(|core| core.executor.stop(seat.node, seat.lane));
            }
            OnError::Skip => {
                report(&spec.id, "skipped", &error);
                if worker.is_gone() {
                    let start = Worker::start(&self.inner, seat.node);
                    match self.unless_cancelled(seat, start).await? {
                        Ok(fresh) => *worker = fresh,
                        Err(source) => {
                            self.fail(seat, self.error(seat.node, Moment::Start, source));
                            return Ok(());
                        }
                    }
                }
                // Between items there is no task to end.
                if !matches!(moment, Moment::Between(_)) {
                    self.change(|core| core.complete(seat));
                }
            }
        }
        Ok(())
    }

    fn fail(&self, Seat { node, lane, .. }: Seat, error: RunError) {
        self.change(|core| {
            core.executor.fail(node, lane);
            core.errors.entry((node, lane)).or_insert(error);
        });
    }

    fn error(&self, node: NodeIndex, moment: Moment, source: NodeFailure) -> RunError {
        RunError::at(moment, self.inner.graph.id(node).to_owned(), source)
    }

    fn emit(&self, seat: Seat, outputs: Vec<Emission>) {
        if !outputs.is_empty() {
            self.change(|core| core.emit(seat, outputs));
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
    async fn next(&self, seat: Seat, wake: Option<Duration>) -> Next {
        let Some(delay) = wake else {
            return poll_fn(|context| self.poll_task(seat, context)).await;
        };
        let mut timer = pin!(tokio::time::sleep(delay));
        poll_fn(|context| match self.poll_task(seat, context) {
            Poll::Pending => Future::poll(timer.as_mut(), context).map(|()| Next::Timer),
            ready @ Poll::Ready(_) => ready,
        })
        .await
    }

    fn poll_task(&self, Seat { place, node, lane }: Seat, context: &mut Context<'_>) -> Poll<Next> {
        self.change(|core| {
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
    async fn has_room(&self, Seat { place, node, lane }: Seat) -> bool {
        poll_fn(|context| {
            let mut core = self.lock();
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
    async fn unless_cancelled<F: Future>(
        &self,
        seat: Seat,
        work: F,
    ) -> Result<F::Output, Interrupted> {
        let output = self.unless(seat, Phase::Cancelled, work).await;
        output.ok_or(Interrupted)
    }

    /// The same if the run merely ends.
    async fn unless_over<F: Future>(&self, seat: Seat, work: F) -> Option<F::Output> {
        self.unless(seat, Phase::Ending, work).await
    }

    async fn unless<F: Future>(&self, seat: Seat, phase: Phase, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(output) = Future::poll(work.as_mut(), context) {
                return Poll::Ready(Some(output));
            }
            let mut core = self.lock();
            if core.phase >= phase {
                return Poll::Ready(None);
            }
            core.wait(seat.place, Wait::Nothing, context);
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

    /// Interrupt the nodes; of no effect when all have ended.
    pub(super) fn cancel(&self) {
        self.change(|core| {
            if core.live > 0 {
                core.over(Phase::Cancelled);
            }
        });
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

    fn emit(&mut self, Seat { node, lane, .. }: Seat, outputs: Vec<Emission>) {
        for output in outputs {
            self.executor.emit(node, lane, output);
        }
    }

    fn complete(&mut self, Seat { node, lane, .. }: Seat) {
        self.executor.complete(node, lane);
    }

    fn decide(&mut self, error: RunError) {
        self.failure = Some(error.to_string());
        self.verdict = Some(error);
    }

    /// Whether a node has failed, told or not.
    fn has_failed(&self) -> bool {
        self.failure.is_some() || !self.errors.is_empty()
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
            if self.failure.is_none() && self.phase != Phase::Cancelled {
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
        if self.phase == Phase::Cancelled && self.failure.is_none() {
            return Some(Err(RunError::Cancelled));
        }
        if let Some(output) = self.executor.take_output() {
            return Some(Ok(Some(Output {
                node: inner.ids[output.node.get()].clone(),
                output: output.output,
                value: output.packet.value,
                metadata: output.packet.metadata,
            })));
        }
        if self.live > 0 {
            return None;
        }
        let told = |error: &String| RunError::Failed {
            error: error.clone(),
        };
        let error = self.verdict.take();
        let error = error.or_else(|| self.failure.as_ref().map(told));
        Some(error.map_or(Ok(None), Err))
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

fn report(node: &str, what: &str, error: &RunError) {
    let error: &(dyn std::error::Error + 'static) = error;
    tracing::warn!(node, error, "{what}");
}
