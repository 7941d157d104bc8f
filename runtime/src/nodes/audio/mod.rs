//! Nodes that take sound.

pub(super) mod chunk;
pub(super) mod level;
pub(super) mod resample;

use super::NodeError;
use crate::media::Audio;
use crate::value::Value;

/// What a stream of sound has in common from packet to packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Format {
    sample_rate: u32,
    channels: u16,
}

impl Format {
    fn of(audio: &Audio) -> Self {
        Self {
            sample_rate: audio.sample_rate(),
            channels: audio.channels(),
        }
    }

    /// How many frames so many samples are.
    fn frames(self, samples: usize) -> usize {
        samples / usize::from(self.channels)
    }

    /// How many samples so many frames are.
    fn samples(self, frames: usize) -> usize {
        frames * usize::from(self.channels)
    }

    /// Sound of whole frames.
    fn audio(self, samples: Vec<f32>) -> Audio {
        Audio::new(samples, self.sample_rate, self.channels).expect("the samples are whole frames")
    }
}

/// When the first frame of a stream was, as far as its packets' timestamps tell.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    start_us: Option<i64>,
}

impl Clock {
    /// Notes the timestamp of a packet that begins with some frame of the stream; the first one counts.
    fn set(&mut self, timestamp_us: Option<i64>, frame: u64, sample_rate: u32) {
        self.start_us = self.start_us.or_else(|| {
            timestamp_us.map(|timestamp| timestamp.saturating_sub(duration_us(frame, sample_rate)))
        });
    }

    /// The timestamp of a frame.
    fn at(self, frame: u64, sample_rate: u32) -> Option<i64> {
        self.start_us
            .map(|start| start.saturating_add(duration_us(frame, sample_rate)))
    }
}

/// How long some frames last, rounded to microseconds.
fn duration_us(frames: u64, sample_rate: u32) -> i64 {
    let rate = u128::from(sample_rate);
    let microseconds = (u128::from(frames) * 1_000_000 + rate / 2) / rate;
    i64::try_from(microseconds).unwrap_or(i64::MAX)
}

/// A length in memory as a number that is added up over a stream.
fn count(length: usize) -> u64 {
    u64::try_from(length).expect("a length in memory fits 64 bits")
}

fn audio(input: Value) -> Result<Audio, NodeError> {
    match input {
        Value::Audio(audio) => Ok(audio),
        other => Err(NodeError::input("Audio", &other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::{Given, Node, Outputs};
    use crate::packet::{Emission, Metadata};

    /// Everything that was given, in order.
    pub(super) fn all(outputs: Outputs) -> Vec<Emission> {
        let mut emissions = Vec::new();
        for given in outputs.into_given() {
            match given {
                Given::Now(emission) => emissions.push(emission),
                Given::Lazily(source) => emissions.extend(source.map(Result::unwrap)),
                Given::Later(_) => panic!("nothing comes later"),
            }
        }
        emissions
    }

    /// What a node gives for a packet.
    pub(super) fn process(
        node: &mut dyn Node,
        value: impl Into<Value>,
        session: Option<&str>,
        timestamp_us: Option<i64>,
    ) -> Vec<Emission> {
        let mut outputs = Outputs::of(Metadata {
            session: session.map(Into::into),
            timestamp_us,
            sequence: 0,
        });
        node.process(value.into(), &mut outputs).unwrap();
        all(outputs)
    }

    pub(super) fn flush(node: &mut dyn Node) -> Vec<Emission> {
        let mut outputs = Outputs::new();
        node.flush(&mut outputs).unwrap();
        all(outputs)
    }

    pub(super) fn samples(emission: &Emission) -> &[f32] {
        match &emission.value {
            Value::Audio(audio) => audio.samples(),
            other => panic!("{}", other.describe()),
        }
    }

    #[test]
    fn clocks_count_from_the_first_timestamp() {
        let mut clock = Clock::default();
        assert_eq!(clock.at(0, 48000), None);
        clock.set(None, 0, 48000);
        clock.set(Some(5_000_000), 48000, 48000);
        clock.set(Some(9_000_000), 96000, 48000);
        assert_eq!(clock.at(0, 48000), Some(4_000_000));
        assert_eq!(clock.at(1, 44100), Some(4_000_023));
        assert_eq!(clock.at(u64::MAX, 1), Some(i64::MAX));
    }
}
