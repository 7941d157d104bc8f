//! A run under the caller's control: items in, outputs out, whenever either is there.

use std::future::poll_fn;
use std::sync::Arc;

use futures_lite::future::block_on;

use super::error::{RunError, SendError};
use super::run::Run;
use crate::packet::Metadata;
use crate::value::Value;

/// An item for a pipeline: a value, with or without what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The value.
    pub value: Value,
    /// The session that it belongs to, where one stream carries several.
    pub session: Option<Arc<str>>,
    /// When it belongs, in microseconds on the stream's own clock.
    pub timestamp_us: Option<i64>,
}

impl<V: Into<Value>> From<V> for Item {
    fn from(value: V) -> Self {
        Self {
            value: value.into(),
            session: None,
            timestamp_us: None,
        }
    }
}

/// Something that a pipeline gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The id of the node that it comes from.
    pub node: Arc<str>,
    /// The named output that it left on; none for the node's main output.
    pub output: Option<Arc<str>>,
    /// What it is.
    pub value: Value,
    /// What is known about it; its sequence is the number, from 0, of the item that it came from.
    pub metadata: Metadata,
}

/// A pipeline at work, with nodes of its own. Items are sent and outputs received independently of each other, from any
/// number of tasks or threads, in asynchronous code of any executor or in blocking code.
///
/// The queues between nodes are bounded: sending waits while the pipeline has no room, so somebody has to receive.
///
/// Dropping a session [cancels](Session::cancel) it. One that is shared in an [`Arc`] is dropped with the last of them, which
/// may be with somebody who waits.
///
/// ```no_run
/// # use rm_runtime::pipeline::{Pipeline, RunError};
/// # async fn example(pipeline: Pipeline) -> Result<(), RunError> {
/// let session = pipeline.session();
/// session.send("hello").await.expect("nobody closed it");
/// session.close();
/// while let Some(output) = session.receive().await? {
///     println!("{}: {:?}", output.node, output.value);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Session {
    run: Arc<Run>,
}

impl Session {
    pub(super) fn new(run: Arc<Run>) -> Self {
        Self { run }
    }

    /// Send an item, as soon as there is room for it.
    ///
    /// The future has the item until then. Dropped before that, as by `select!` or a `timeout`, it takes the item with it, which
    /// was not sent: keep the future, and wait for it again, or a copy of the item.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives back the value of an item that will not be taken.
    pub async fn send(&self, item: impl Into<Item>) -> Result<(), SendError> {
        let mut item = Some(item.into());
        poll_fn(|context| self.run.poll_send(&mut item, context)).await
    }

    /// The same for blocking code.
    ///
    /// # Errors
    ///
    /// As [`Session::send`].
    pub fn send_blocking(&self, item: impl Into<Item>) -> Result<(), SendError> {
        block_on(self.send(item))
    }

    /// Say that no item will follow. Nodes then give what they held back, and after that receiving comes to an end.
    pub fn close(&self) {
        self.run.close_input();
    }

    /// End the run from outside, whoever is sending or receiving: nodes that are at work are interrupted, the others clean up,
    /// and their interpreters are freed. Only a Rust node is not interrupted while a call of it works; nobody waits for that.
    ///
    /// From then on sending is refused, and receiving, also by whoever waits already, fails with [`RunError::Cancelled`]; outputs
    /// that nobody has received are lost. When every node has ended already this does nothing.
    pub fn cancel(&self) {
        self.run.cancel();
    }

    /// The next output, or none when all have been received, after which every node has cleaned up. Dropping the future loses
    /// no output.
    ///
    /// # Errors
    ///
    /// A node failed. All outputs that come before that were received; none follow. Whoever asks first gets the error itself, and
    /// everybody who asks later, or waits as well, [`RunError::Failed`]: a run that failed never looks like one that is done. After
    /// [`Session::cancel`] it is [`RunError::Cancelled`].
    pub async fn receive(&self) -> Result<Option<Output>, RunError> {
        poll_fn(|context| self.run.poll_receive(context)).await
    }

    /// The same for blocking code.
    ///
    /// # Errors
    ///
    /// As [`Session::receive`].
    pub fn receive_blocking(&self) -> Result<Option<Output>, RunError> {
        block_on(self.receive())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.run.cancel();
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").finish_non_exhaustive()
    }
}
