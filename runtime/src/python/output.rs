//! What Python prints: lines, attributed to a node, as `tracing` events.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A line longer than this is handed over in pieces, so that a node that never ends a line does not fill the memory.
const LONGEST_LINE: usize = 64 << 10;

/// Which of the two streams a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// `sys.stdout`
    Stdout,
    /// `sys.stderr`, where `logging` writes by default.
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Receives the lines of one instance; the text has no line end.
pub type LineHandler = Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// The standard streams of one instance, cut into lines.
#[derive(Clone)]
pub struct OutputSink {
    stdout: LineWriter,
    stderr: LineWriter,
}

impl OutputSink {
    /// Hand every line to `handler`.
    pub fn new(handler: &LineHandler) -> Self {
        let writer = |stream| LineWriter {
            stream,
            handler: handler.clone(),
            partial: Arc::default(),
        };
        Self {
            stdout: writer(Stream::Stdout),
            stderr: writer(Stream::Stderr),
        }
    }

    /// Report lines as `tracing` events of the target `rm_runtime::python` and the level `INFO`, with the node's id in
    /// the field `node` and `stdout` or `stderr` in the field `stream`.
    pub fn tracing(node: &str) -> Self {
        let node = node.to_owned();
        let handler: LineHandler = Arc::new(move |stream, line| {
            tracing::info!(target: "rm_runtime::python", node, stream = stream.name(), "{line}");
        });
        Self::new(&handler)
    }

    /// Hand over what was printed without a line end, as after a call.
    pub fn flush(&self) {
        self.stdout.flush_partial();
        self.stderr.flush_partial();
    }

    pub(super) fn stdout(&self) -> impl StdoutStream + use<> {
        self.stdout.clone()
    }

    pub(super) fn stderr(&self) -> impl StdoutStream + use<> {
        self.stderr.clone()
    }
}

impl fmt::Debug for OutputSink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OutputSink").finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct LineWriter {
    stream: Stream,
    handler: LineHandler,
    partial: Arc<Mutex<Vec<u8>>>,
}

impl LineWriter {
    fn accept(&self, bytes: &[u8]) {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            partial.extend_from_slice(piece);
            if partial.ends_with(b"\n") || partial.len() >= LONGEST_LINE {
                self.hand_over(&mut partial);
            }
        }
    }

    fn flush_partial(&self) {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        if !partial.is_empty() {
            self.hand_over(&mut partial);
        }
    }

    fn hand_over(&self, line: &mut Vec<u8>) {
        (self.handler)(
            self.stream,
            String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']),
        );
        line.clear();
    }
}

impl IsTerminal for LineWriter {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineWriter {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only `p2_stream` is ever asked for by the WASI 0.2 interfaces that the engine imports.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for LineWriter {
    async fn ready(&mut self) {}
}

impl OutputStream for LineWriter {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.accept(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LONGEST_LINE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = Arc<Mutex<Vec<(Stream, String)>>>;

    fn collecting() -> (OutputSink, Lines) {
        let lines = Lines::default();
        let kept = lines.clone();
        let handler: LineHandler = Arc::new(move |stream, line| {
            kept.lock().unwrap().push((stream, line.to_owned()));
        });
        (OutputSink::new(&handler), lines)
    }

    #[test]
    fn lines_are_put_together_across_writes_and_streams_kept_apart() {
        let (sink, lines) = collecting();
        sink.stdout.accept(b"one\ntw");
        sink.stderr.accept(b"warning\r\n");
        sink.stdout.accept(b"o\n");
        let expected = [
            (Stream::Stdout, "one"),
            (Stream::Stderr, "warning"),
            (Stream::Stdout, "two"),
        ];
        assert_eq!(
            *lines.lock().unwrap(),
            expected.map(|(stream, line)| (stream, line.to_owned()))
        );
    }

    #[test]
    fn flush_hands_over_what_has_no_line_end_once() {
        let (sink, lines) = collecting();
        sink.stdout.accept(b"no end");
        sink.flush();
        sink.flush();
        assert_eq!(
            *lines.lock().unwrap(),
            [(Stream::Stdout, "no end".to_owned())]
        );
    }

    #[test]
    fn a_line_without_end_does_not_grow_without_bound() {
        let (sink, lines) = collecting();
        for _ in 0..200 {
            sink.stdout.accept(&[b'x'; 1000]);
        }
        assert!(sink.stdout.partial.lock().unwrap().len() < LONGEST_LINE);
        assert!(lines.lock().unwrap().len() >= 3);
    }
}
