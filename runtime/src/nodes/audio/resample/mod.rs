//! `AudioResampleNode`: sound at another sample rate.

mod engine;
#[cfg(test)]
mod tests;

use std::mem;

use self::engine::{Engine, Quality};
use super::{Clock, Format, audio, count};
use crate::manifest::Params;
use crate::media::Audio;
use crate::nodes::sessions::Sessions;
use crate::nodes::{Node, NodeError, Outputs, ParamReader};
use crate::packet::Emission;
use crate::value::Value;

/// Params: `sample_rate` in Hz, that of what leaves; `quality`, one of `low`, `medium` and `high`, `medium` by default.
///
/// A stream of `n` frames becomes one of `n * sample_rate / rate` frames, rounded; every sound stays where it was in
/// time, and the number of channels stays too. What leaves for a packet is as much as can be computed already, so the
/// last part comes when the input ends, or when its sample rate or number of channels changes. How a stream is cut into
/// packets changes nothing about its samples. Timestamps are those of a packet's first frame, counted from the first
/// timestamp. Sound that has the sample rate already passes unchanged.
///
/// Samples are computed in 64 bits and rounded once; the last of the 32 bits may still depend on the machine's vector
/// units. They are not clipped: a signal close to full scale may exceed it.
struct AudioResample {
    sample_rate: u32,
    quality: Quality,
    streams: Sessions<Stream>,
}

#[derive(Default)]
struct Stream {
    format: Option<Format>,
    /// `None` where the sample rate is right already.
    engine: Option<Engine>,
    frames_in: u64,
    frames_out: u64,
    clock: Clock,
}

pub(in crate::nodes) fn create(params: &Params) -> Result<Box<dyn Node>, NodeError> {
    let mut reader = ParamReader::new(params);
    let sample_rate: u64 = reader.required("sample_rate")?;
    let quality = reader.optional("quality")?.unwrap_or(Quality::Medium);
    reader.finish()?;
    let sample_rate = u32::try_from(sample_rate)
        .ok()
        .filter(|rate| *rate > 0)
        .ok_or_else(|| {
            NodeError::failed(format!(
                "param `sample_rate`: expected 1 to {} Hz, found {sample_rate}",
                u32::MAX
            ))
        })?;
    Ok(Box::new(AudioResample {
        sample_rate,
        quality,
        streams: Sessions::new(),
    }))
}

impl Node for AudioResample {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        let audio = audio(input)?;
        let format = Format::of(&audio);
        let metadata = out.metadata().clone();
        let (stream, evicted) = self.streams.state(metadata.session.as_ref());
        if let Some(mut evicted) = evicted
            && let Some(rest) = evicted.state.end(self.sample_rate)?
        {
            evicted.push(rest, out);
        }
        if stream.format != Some(format) {
            if let Some(rest) = stream.end(self.sample_rate)? {
                out.push(rest);
            }
            if format.sample_rate != self.sample_rate {
                stream.engine = Some(Engine::new(format, self.sample_rate, self.quality)?);
            }
            stream.format = Some(format);
        }
        if let Some(resampled) = stream.take(audio, metadata.timestamp_us, self.sample_rate)? {
            out.push(resampled);
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Outputs) -> Result<(), NodeError> {
        for mut ended in self.streams.end() {
            if let Some(rest) = ended.state.end(self.sample_rate)? {
                ended.push(rest, out);
            }
        }
        Ok(())
    }
}

impl Stream {
    fn take(
        &mut self,
        audio: Audio,
        timestamp_us: Option<i64>,
        sample_rate: u32,
    ) -> Result<Option<Emission>, NodeError> {
        let Some(engine) = &mut self.engine else {
            return Ok(Some(Emission::new(audio)));
        };
        self.clock
            .set(timestamp_us, self.frames_in, audio.sample_rate());
        self.frames_in += count(audio.frames());
        let samples = engine.process(audio.samples())?;
        Ok(self.emission(samples, Format::of(&audio), sample_rate))
    }

    /// What is left when a stream has ended, if anything; the stream begins anew.
    fn end(&mut self, sample_rate: u32) -> Result<Option<Emission>, NodeError> {
        let mut stream = mem::take(self);
        let (Some(format), Some(engine)) = (stream.format, stream.engine.take()) else {
            return Ok(None);
        };
        let frames = resampled_frames(stream.frames_in, format.sample_rate, sample_rate);
        let samples = engine.finish(frames.saturating_sub(stream.frames_out))?;
        Ok(stream.emission(samples, format, sample_rate))
    }

    fn emission(&mut self, samples: Vec<f32>, from: Format, sample_rate: u32) -> Option<Emission> {
        if samples.is_empty() {
            return None;
        }
        let first = self.frames_out;
        self.frames_out += count(from.frames(samples.len()));
        let format = Format {
            sample_rate,
            ..from
        };
        let emission = Emission::new(format.audio(samples));
        Some(match self.clock.at(first, sample_rate) {
            Some(timestamp_us) => emission.at(timestamp_us),
            None => emission,
        })
    }
}

/// How many frames a stream has at another rate, to the nearest.
fn resampled_frames(frames: u64, from: u32, to: u32) -> u64 {
    let (from, to) = (u128::from(from), u128::from(to));
    let resampled = (u128::from(frames) * to * 2 + from) / (from * 2);
    u64::try_from(resampled).unwrap_or(u64::MAX)
}
