//! The resampler of one stream, over `rubato`.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType,
    WindowFunction, calculate_cutoff,
};

use crate::nodes::audio::{Format, count};
use crate::nodes::{FromParam, NodeError};
use crate::value::Value;

const WINDOW: WindowFunction = WindowFunction::BlackmanHarris2;

/// How far apart two rates may be; the filter grows with it.
const MAX_RATIO: u32 = 256;

/// The largest filter that is kept for every position at which a sample can lie, in coefficients.
const MAX_EXACT: u64 = 1 << 20;

/// How steep the filter at the lower of the two Nyquist frequencies is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quality {
    Low,
    Medium,
    High,
}

impl Quality {
    /// The filter's length in samples at the lower of the two rates. Half the amplitude passes at 79, 89 or 95 percent of
    /// the highest frequency that this rate can carry; what it cannot carry is removed.
    fn length(self) -> usize {
        match self {
            Self::Low => 64,
            Self::Medium => 128,
            Self::High => 256,
        }
    }
}

impl FromParam for Quality {
    const EXPECTED: &'static str = "one of `low`, `medium`, `high`";

    fn from_param(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            _ => None,
        }
    }
}

/// Resamples in steps of a fixed length, so that the samples do not depend on how they came in.
pub(super) struct Engine {
    resampler: Async<f64>,
    format: Format,
    /// Samples that are too few for a step.
    pending: Vec<f64>,
    /// Where one step's output goes.
    step: Vec<f64>,
    /// How many frames are still to be dropped, because they lie before the first.
    early: usize,
}

impl Engine {
    pub(super) fn new(from: Format, to: u32, quality: Quality) -> Result<Self, NodeError> {
        let plan = Plan::new(from.sample_rate, to, quality)?;
        let channels = usize::from(from.channels);
        let resampler = Async::new_sinc(
            f64::from(to) / f64::from(from.sample_rate),
            1.0,
            &plan.filter,
            plan.step,
            channels,
            FixedAsync::Input,
        )
        .map_err(|error| NodeError::caused("the resampler cannot be made", error))?;
        Ok(Self {
            format: from,
            pending: vec![0.0; plan.silence * channels],
            step: vec![0.0; resampler.output_frames_max() * channels],
            early: plan.early,
            resampler,
        })
    }

    /// Takes samples, and gives those that can be computed.
    pub(super) fn process(&mut self, samples: &[f32]) -> Result<Vec<f32>, NodeError> {
        self.pending.extend(samples.iter().copied().map(f64::from));
        let mut resampled = Vec::new();
        let step = self.format.samples(self.resampler.input_frames_next());
        let whole = self.pending.len() / step * step;
        let pending = std::mem::take(&mut self.pending);
        for input in pending[..whole].chunks_exact(step) {
            self.run(input, &mut resampled)?;
        }
        pending[whole..].clone_into(&mut self.pending);
        Ok(resampled)
    }

    /// Gives so many more frames, which the samples that came determine, with silence behind them.
    pub(super) fn finish(mut self, frames: u64) -> Result<Vec<f32>, NodeError> {
        let step = self.format.samples(self.resampler.input_frames_next());
        let mut input = std::mem::take(&mut self.pending);
        let mut resampled = Vec::new();
        while count(self.format.frames(resampled.len())) < frames {
            input.resize(step, 0.0);
            self.run(&input, &mut resampled)?;
            input.clear();
        }
        let frames = usize::try_from(frames).expect("they are in memory");
        resampled.truncate(self.format.samples(frames));
        Ok(resampled)
    }

    /// One step.
    fn run(&mut self, input: &[f64], resampled: &mut Vec<f32>) -> Result<(), NodeError> {
        let channels = usize::from(self.format.channels);
        let failed = |error| NodeError::caused("the resampler cannot go on", error);
        let sized = "a buffer of whole frames";
        let capacity = self.format.frames(self.step.len());
        let (_, frames) = self
            .resampler
            .process_into_buffer(
                &InterleavedSlice::new(input, channels, input.len() / channels).expect(sized),
                &mut InterleavedSlice::new_mut(&mut self.step, channels, capacity).expect(sized),
                None,
            )
            .map_err(failed)?;
        let early = self.early.min(frames);
        self.early -= early;
        let step = &self.step[self.format.samples(early)..self.format.samples(frames)];
        #[expect(
            clippy::cast_possible_truncation,
            reason = "samples are 32 bits wide; this is where they are rounded"
        )]
        resampled.extend(step.iter().map(|sample| *sample as f32));
        Ok(())
    }
}

/// How to resample from one rate to another.
struct Plan {
    filter: SincInterpolationParameters,
    /// How many frames go in at a time.
    step: usize,
    /// How many frames of silence go in before the first sample,
    silence: usize,
    /// and how many that come out are dropped, so that the next one lies where the first sample does.
    early: usize,
}

impl Plan {
    fn new(from: u32, to: u32, quality: Quality) -> Result<Self, NodeError> {
        if from / MAX_RATIO > to || to / MAX_RATIO > from {
            return Err(NodeError::failed(format!(
                "cannot resample from {from} to {to} Hz: one is more than {MAX_RATIO} times the other"
            )));
        }
        let divisor = greatest_common_divisor(from, to);
        let (from_part, to_part) = (u64::from(from / divisor), u64::from(to / divisor));
        // The filter is as long in time when the rate is reduced, and has more samples then.
        let length = count(quality.length());
        let length = (length * from_part).div_ceil(to_part).max(length);
        let length = length.next_multiple_of(8);

        // Samples lie at `to_part` different positions between those that came. Few enough, and the filter is computed
        // for each; else for some, with interpolation between them.
        let (positions, interpolation) = if to_part * length <= MAX_EXACT {
            (to_part, SincInterpolationType::Nearest)
        } else {
            let positions = (MAX_EXACT / 8 / length).clamp(8, 256);
            (positions, SincInterpolationType::Cubic)
        };
        let in_memory = |count: u64| usize::try_from(count).expect("at most `MAX_EXACT`");
        let filter = SincInterpolationParameters::new(in_memory(length), WINDOW)
            .f_cutoff(calculate_cutoff(quality.length(), WINDOW))
            .oversampling_factor(in_memory(positions))
            .interpolation(interpolation);
        let (silence, early) = alignment(length, positions, from_part, to_part);
        Ok(Self {
            filter,
            // Ten milliseconds.
            step: in_memory(u64::from((from / 100).clamp(16, 4096))),
            silence: in_memory(silence),
            early: in_memory(early),
        })
    }
}

/// How much silence goes in before the first sample, and how many frames are dropped then.
///
/// The frame `n` that comes out of the resampler, from 1, lies at `n * from_part / to_part + 1 / positions - length / 2`
/// in its input. That is a whole number `silence` for some `n` if `positions` is `to_part`, and nearly so else.
fn alignment(length: u64, positions: u64, from_part: u64, to_part: u64) -> (u64, u64) {
    const TRIED: u128 = 1 << 14;
    let [length, positions, from_part, to_part] =
        [length, positions, from_part, to_part].map(u128::from);
    let unit = to_part * positions;
    let delay = length / 2 * unit;
    let place = |frame: u128| frame * from_part * positions + to_part;
    let beyond = delay
        .saturating_sub(to_part)
        .div_ceil(from_part * positions)
        .max(1);
    let distance = |frame: &u128| {
        let behind = place(*frame) % unit;
        behind.min(unit - behind)
    };
    let frame = (beyond..beyond + to_part.min(TRIED))
        .min_by_key(distance)
        .expect("at least one is tried");
    let silence = (place(frame) - delay + unit / 2) / unit;
    let narrow = |number: u128| u64::try_from(number).expect("some filters' lengths");
    (narrow(silence), narrow(frame - 1))
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}
