//! `AudioChunkNode`: sound in packets of equal length.

use std::mem;

use super::{Clock, Format, audio, count};
use crate::manifest::Params;
use crate::media::Audio;
use crate::nodes::sessions::Sessions;
use crate::nodes::{Node, NodeError, Outputs, ParamReader};
use crate::packet::Emission;
use crate::value::Value;

/// The longest chunk, 46 minutes at 48 kHz: what is shorter may have to be padded to it.
const MAX_FRAMES: usize = 1 << 27;

/// Params: the length of a chunk, as `frames` or `duration_ms`; from one chunk's start to the next, `hop_frames` or
/// `hop_ms`, at most and by default the chunk's length, so that chunks overlap if it is less; `pad`, false by default,
/// whether a last chunk that is too short is filled up with silence.
///
/// The last chunk comes when the input ends, or when its sample rate or number of channels changes, and only if it has
/// sound that no chunk before had. Timestamps are those of a chunk's first frame, counted from the first timestamp.
struct AudioChunk {
    length: Length,
    hop: Option<Length>,
    pad: bool,
    streams: Sessions<Stream>,
}

#[derive(Clone, Copy, Debug)]
enum Length {
    Frames(usize),
    Milliseconds(f64),
}

/// Sound that no chunk or not every chunk has had yet.
#[derive(Default)]
struct Stream {
    format: Option<Format>,
    samples: Vec<f32>,
    /// The number of the first frame of `samples`.
    first: u64,
    /// The number of the first frame that was in no chunk.
    fresh: u64,
    clock: Clock,
}

pub(in crate::nodes) fn create(params: &Params) -> Result<Box<dyn Node>, NodeError> {
    let mut reader = ParamReader::new(params);
    let length = Length::read(&mut reader, "frames", "duration_ms")?;
    let hop = Length::read(&mut reader, "hop_frames", "hop_ms")?;
    let pad = reader.optional("pad")?.unwrap_or(false);
    reader.finish()?;
    let length = length.ok_or(NodeError::MissingParam {
        name: "frames",
        expected: "the length of a chunk, or `duration_ms` instead",
    })?;
    Ok(Box::new(AudioChunk {
        length,
        hop,
        pad,
        streams: Sessions::new(),
    }))
}

impl Length {
    fn read(
        reader: &mut ParamReader,
        frames: &'static str,
        milliseconds: &'static str,
    ) -> Result<Option<Self>, NodeError> {
        let (in_frames, in_ms): (Option<u64>, Option<f64>) =
            (reader.optional(frames)?, reader.optional(milliseconds)?);
        match (in_frames, in_ms) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(NodeError::failed(format!(
                "params `{frames}` and `{milliseconds}` say the same: expected one of them"
            ))),
            (Some(found), None) => match usize::try_from(found) {
                Ok(length @ 1..=MAX_FRAMES) => Ok(Some(Self::Frames(length))),
                _ => Err(NodeError::failed(format!(
                    "param `{frames}`: expected 1 to {MAX_FRAMES}, found {found}"
                ))),
            },
            (None, Some(found)) if found > 0.0 && found.is_finite() => {
                Ok(Some(Self::Milliseconds(found)))
            }
            (None, Some(found)) => Err(NodeError::failed(format!(
                "param `{milliseconds}`: expected a length above 0, found {found}"
            ))),
        }
    }

    /// The nearest number of frames, at least one.
    fn frames(self, sample_rate: u32) -> Result<usize, NodeError> {
        match self {
            Self::Frames(frames) => Ok(frames),
            Self::Milliseconds(milliseconds) => {
                let frames = (milliseconds * f64::from(sample_rate) / 1000.0).round();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "above zero, and beyond the limit the cast saturates"
                )]
                match (frames as usize).max(1) {
                    frames @ 1..=MAX_FRAMES => Ok(frames),
                    _ => Err(NodeError::failed(format!(
                        "{milliseconds} ms at {sample_rate} Hz are more than {MAX_FRAMES} frames"
                    ))),
                }
            }
        }
    }
}

impl AudioChunk {
    /// The length of a chunk and of a hop.
    fn sizes(&self, sample_rate: u32) -> Result<(usize, usize), NodeError> {
        let length = self.length.frames(sample_rate)?;
        let hop = match self.hop {
            Some(hop) => hop.frames(sample_rate)?,
            None => length,
        };
        if hop > length {
            return Err(NodeError::failed(format!(
                "a hop of {hop} frames would leave out some behind a chunk of {length}"
            )));
        }
        Ok((length, hop))
    }
}

impl Node for AudioChunk {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        let audio = audio(input)?;
        let format = Format::of(&audio);
        let sizes = self.sizes(format.sample_rate)?;
        let (length, pad) = (self.length, self.pad);
        let metadata = out.metadata().clone();
        let (stream, evicted) = self.streams.state(metadata.session.as_ref());
        if let Some(mut evicted) = evicted
            && let Some(rest) = evicted.state.end(length, pad)?
        {
            evicted.push(rest, out);
        }
        if stream.format != Some(format) {
            if let Some(rest) = stream.end(length, pad)? {
                out.push(rest);
            }
            stream.format = Some(format);
        }
        stream.take(audio, format, metadata.timestamp_us);
        stream.give(format, sizes, out);
        Ok(())
    }

    fn flush(&mut self, out: &mut Outputs) -> Result<(), NodeError> {
        for mut ended in self.streams.end() {
            if let Some(rest) = ended.state.end(self.length, self.pad)? {
                ended.push(rest, out);
            }
        }
        Ok(())
    }
}

impl Stream {
    fn take(&mut self, audio: Audio, format: Format, timestamp_us: Option<i64>) {
        let frame = self.first + count(format.frames(self.samples.len()));
        self.clock.set(timestamp_us, frame, format.sample_rate);
        if self.samples.is_empty() {
            self.samples = audio.into_samples();
        } else {
            self.samples.extend_from_slice(audio.samples());
        }
    }

    /// Gives all chunks that are complete.
    fn give(&mut self, format: Format, (length, hop): (usize, usize), out: &mut Outputs) {
        let frames = format.frames(self.samples.len());
        if frames < length {
            return;
        }
        let chunks = (frames - length) / hop + 1;
        let rest = self.samples[format.samples(chunks * hop)..].to_vec();
        let samples = mem::replace(&mut self.samples, rest);
        let (first, clock) = (self.first, self.clock);
        self.fresh = first + count((chunks - 1) * hop + length);
        self.first += count(chunks * hop);
        out.extend_lazily((0..chunks).map(move |chunk| {
            let start = chunk * hop;
            let chunk = samples[format.samples(start)..format.samples(start + length)].to_vec();
            Ok(emission(format, chunk, clock, first + count(start)))
        }));
    }

    /// What is left when a stream has ended, if anything; the stream begins anew.
    fn end(&mut self, length: Length, pad: bool) -> Result<Option<Emission>, NodeError> {
        let mut stream = mem::take(self);
        let Some(format) = stream.format else {
            return Ok(None);
        };
        let end = stream.first + count(format.frames(stream.samples.len()));
        if end <= stream.fresh {
            return Ok(None);
        }
        if pad {
            let length = format.samples(length.frames(format.sample_rate)?);
            stream.samples.resize(length, 0.0);
        }
        Ok(Some(emission(
            format,
            stream.samples,
            stream.clock,
            stream.first,
        )))
    }
}

fn emission(format: Format, samples: Vec<f32>, clock: Clock, first: u64) -> Emission {
    let emission = Emission::new(format.audio(samples));
    match clock.at(first, format.sample_rate) {
        Some(timestamp_us) => emission.at(timestamp_us),
        None => emission,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{flush, process, samples};
    use super::*;

    fn node(params: &[(&str, f64)]) -> Box<dyn Node> {
        let params = params.iter().map(|(name, value)| match *name {
            "pad" => (*name, Value::Bool(*value != 0.0)),
            #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
            name if name.ends_with("frames") => (name, Value::Int(*value as i64)),
            name => (name, Value::Float(*value)),
        });
        create(&params.collect()).unwrap()
    }

    fn counting(range: std::ops::Range<u16>, sample_rate: u32, channels: u16) -> Audio {
        let samples: Vec<f32> = range.map(f32::from).collect();
        Audio::new(samples, sample_rate, channels).unwrap()
    }

    fn shown(emissions: &[Emission]) -> Vec<(Option<i64>, Vec<f32>)> {
        emissions
            .iter()
            .map(|emission| (emission.timestamp_us, samples(emission).to_vec()))
            .collect()
    }

    #[test]
    fn chunks_are_equal_and_the_rest_comes_last() {
        let mut node = node(&[("frames", 3.0)]);
        let first = process(&mut *node, counting(0..4, 1000, 2), None, Some(10));
        assert_eq!(first, []);
        let second = process(&mut *node, counting(4..14, 1000, 2), None, Some(2010));
        let expected = [
            (Some(10), vec![0., 1., 2., 3., 4., 5.]),
            (Some(3010), vec![6., 7., 8., 9., 10., 11.]),
        ];
        assert_eq!(shown(&second), expected);
        let rest = flush(&mut *node);
        assert_eq!(shown(&rest), [(Some(6010), vec![12., 13.])]);
        assert_eq!(flush(&mut *node), []);
    }

    #[test]
    fn lengths_in_time_and_padding() {
        let mut node = node(&[("duration_ms", 2.6), ("pad", 1.0)]);
        let chunks = process(&mut *node, counting(0..4, 1000, 1), None, None);
        assert_eq!(shown(&chunks), [(None, vec![0., 1., 2.])]);
        // Another sample rate is another stream.
        let rest = process(&mut *node, counting(0..5, 2000, 1), None, None);
        assert_eq!(
            shown(&rest),
            [(None, vec![3., 0., 0.]), (None, vec![0., 1., 2., 3., 4.])]
        );
        assert_eq!(flush(&mut *node), []);
    }

    #[test]
    fn overlapping_chunks_give_nothing_twice_at_the_end() {
        for (end, rest) in [(6, None), (7, Some(vec![4., 5., 6.]))] {
            let mut node = node(&[("frames", 4.0), ("hop_ms", 2.0)]);
            let chunks = process(&mut *node, counting(0..end, 1000, 1), None, Some(0));
            let expected = [
                (Some(0), vec![0., 1., 2., 3.]),
                (Some(2000), vec![2., 3., 4., 5.]),
            ];
            assert_eq!(shown(&chunks), expected);
            let expected: Vec<_> = rest.into_iter().map(|rest| (Some(4000), rest)).collect();
            assert_eq!(shown(&flush(&mut *node)), expected);
        }
    }

    #[test]
    fn cutting_does_not_matter() {
        let whole = counting(0..1000, 8000, 1);
        let expected = {
            let mut node = node(&[("frames", 7.0), ("hop_frames", 5.0)]);
            let mut chunks = process(&mut *node, whole.clone(), None, Some(0));
            chunks.extend(flush(&mut *node));
            chunks
        };
        for cut in [1, 5, 6, 13, 999] {
            let mut node = node(&[("frames", 7.0), ("hop_frames", 5.0)]);
            let mut chunks = Vec::new();
            for packet in whole.samples().chunks(cut) {
                let packet = Audio::new(packet.to_vec(), 8000, 1).unwrap();
                let timestamp = if chunks.is_empty() { Some(0) } else { None };
                chunks.extend(process(&mut *node, packet, None, timestamp));
            }
            chunks.extend(flush(&mut *node));
            assert_eq!(chunks, expected);
        }
    }

    #[test]
    fn sessions_do_not_mix() {
        let mut node = node(&[("frames", 2.0)]);
        let mut chunks = Vec::new();
        for (session, start) in [("a", 0), ("b", 10), ("a", 1), ("b", 11), ("a", 2)] {
            let audio = counting(start..start + 1, 1000, 1);
            chunks.extend(process(&mut *node, audio, Some(session), None));
        }
        let expected = [(None, vec![0., 1.]), (None, vec![10., 11.])];
        assert_eq!(shown(&chunks), expected);
        let rest = flush(&mut *node);
        assert_eq!(shown(&rest), [(None, vec![2.])]);
        assert_eq!(rest[0].session.as_deref(), Some("a"));
    }

    #[test]
    fn lengths_are_checked() {
        let message = |params: &[(&str, Value)]| {
            let node = create(&params.iter().cloned().collect());
            let process = |mut node: Box<dyn Node>| {
                node.process(counting(0..1, 1000, 1).into(), &mut Outputs::new())
            };
            node.and_then(process).unwrap_err().to_string()
        };
        assert_eq!(
            message(&[]),
            "param `frames` is missing: expected the length of a chunk, or `duration_ms` instead"
        );
        assert_eq!(
            message(&[("frames", 1.into()), ("duration_ms", 1.into())]),
            "params `frames` and `duration_ms` say the same: expected one of them"
        );
        assert_eq!(
            message(&[("frames", 0.into())]),
            "param `frames`: expected 1 to 134217728, found 0"
        );
        assert_eq!(
            message(&[("duration_ms", f64::NAN.into())]),
            "param `duration_ms`: expected a length above 0, found NaN"
        );
        assert_eq!(
            message(&[("duration_ms", 1e300.into())]),
            format!("{} ms at 1000 Hz are more than 134217728 frames", 1e300)
        );
        assert_eq!(
            message(&[("frames", 2.into()), ("hop_frames", 3.into())]),
            "a hop of 3 frames would leave out some behind a chunk of 2"
        );
    }
}
