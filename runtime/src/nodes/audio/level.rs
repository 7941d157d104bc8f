//! `AudioLevelNode`: how loud sound is.

use super::audio;
use crate::manifest::Params;
use crate::media::Audio;
use crate::nodes::{Node, NodeError, Outputs, ParamReader};
use crate::value::Value;

/// Far coarser than what the mathematics of two platforms differ by.
const DIGITS: usize = 2;

/// As many as a float of this size has behind the point.
const MAX_DIGITS: usize = 12;

/// Param `digits`, 0 to 12 and 2 by default: digits behind the point that levels are rounded to.
///
/// Gives `{"rms_dbfs", "peak_dbfs", "channels": [{"rms_dbfs", "peak_dbfs"}, ...]}` for each packet, the first two over
/// all channels. Decibels are relative to a sample of ±1.0, so a sine of full scale has -3.01 RMS; silence is `None`.
struct AudioLevel {
    digits: usize,
}

pub(in crate::nodes) fn create(params: &Params) -> Result<Box<dyn Node>, NodeError> {
    let mut reader = ParamReader::new(params);
    let digits: Option<u64> = reader.optional("digits")?;
    reader.finish()?;
    let digits = match digits {
        None => DIGITS,
        Some(digits) => usize::try_from(digits)
            .ok()
            .filter(|digits| *digits <= MAX_DIGITS)
            .ok_or_else(|| {
                NodeError::failed(format!(
                    "param `digits`: expected 0 to {MAX_DIGITS}, found {digits}"
                ))
            })?,
    };
    Ok(Box::new(AudioLevel { digits }))
}

impl Node for AudioLevel {
    fn process(&mut self, input: Value, out: &mut Outputs) -> Result<(), NodeError> {
        let audio = audio(input)?;
        let channels = by_channel(&audio);
        let mut levels = self.levels(channels.iter().copied().fold(Level::default(), Level::and));
        let channels = channels
            .into_iter()
            .map(|level| Value::Dict(self.levels(level)));
        levels.push(("channels".into(), Value::List(channels.collect())));
        out.push(levels);
        Ok(())
    }
}

/// Sums over samples.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    samples: f64,
    squares: f64,
    peak: f64,
}

impl Level {
    fn and(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            squares: self.squares + other.squares,
            // Unlike `f64::max`, this keeps what is not a number.
            peak: if other.peak > self.peak || other.peak.is_nan() {
                other.peak
            } else {
                self.peak
            },
        }
    }
}

fn by_channel(audio: &Audio) -> Vec<Level> {
    let mut channels = vec![Level::default(); usize::from(audio.channels())];
    for frame in audio.samples().chunks_exact(channels.len()) {
        for (channel, sample) in channels.iter_mut().zip(frame) {
            let sample = f64::from(*sample);
            *channel = channel.and(Level {
                samples: 1.0,
                squares: sample * sample,
                peak: sample.abs(),
            });
        }
    }
    channels
}

impl AudioLevel {
    fn levels(&self, level: Level) -> Vec<(Value, Value)> {
        let rms = if level.samples == 0.0 {
            0.0
        } else {
            (level.squares / level.samples).sqrt()
        };
        vec![
            ("rms_dbfs".into(), self.decibels(rms)),
            ("peak_dbfs".into(), self.decibels(level.peak)),
        ]
    }

    fn decibels(&self, amplitude: f64) -> Value {
        if amplitude == 0.0 {
            return Value::Null;
        }
        let rounded = format!("{:.*}", self.digits, 20.0 * amplitude.log10());
        let rounded: f64 = rounded.parse().expect("a float that was just written");
        // Adding zero turns -0.0 into 0.0.
        Value::Float(rounded + 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::process;
    use super::*;
    use crate::json::to_json;

    fn levels(params: &Params, samples: &[f32], channels: u16) -> String {
        let mut node = create(params).unwrap();
        let audio = Audio::new(samples.to_vec(), 8000, channels).unwrap();
        to_json(&process(&mut *node, audio, None, None)[0].value).unwrap()
    }

    #[test]
    fn levels_are_overall_and_by_channel() {
        assert_eq!(
            levels(&Params::new(), &[1.0, 0.0, -1.0, 0.0], 2),
            r#"{"rms_dbfs":-3.01,"peak_dbfs":0.0,"channels":[{"rms_dbfs":0.0,"peak_dbfs":0.0},"#
                .to_owned()
                + r#"{"rms_dbfs":null,"peak_dbfs":null}]}"#
        );
        assert_eq!(
            levels(&[("digits", 0)].into_iter().collect(), &[0.25, -0.5], 1),
            r#"{"rms_dbfs":-8.0,"peak_dbfs":-6.0,"channels":[{"rms_dbfs":-8.0,"peak_dbfs":-6.0}]}"#
        );
        assert_eq!(
            levels(&Params::new(), &[], 1),
            r#"{"rms_dbfs":null,"peak_dbfs":null,"channels":[{"rms_dbfs":null,"peak_dbfs":null}]}"#
        );
    }

    #[test]
    fn what_is_not_a_number_is_not_hidden() {
        let text = levels(&Params::new(), &[f32::NAN, 0.5, f32::INFINITY], 1);
        assert_eq!(text.matches("nan").count(), 4, "{text}");
    }

    #[test]
    fn other_things_are_refused() {
        let mut node = create(&Params::new()).unwrap();
        let error = node.process(5.into(), &mut Outputs::new()).unwrap_err();
        assert_eq!(error.to_string(), "expected Audio, got int 5");
        let error = create(&[("digits", 13)].into_iter().collect());
        assert_eq!(
            error.err().unwrap().to_string(),
            "param `digits`: expected 0 to 12, found 13"
        );
    }
}
