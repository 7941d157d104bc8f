//! WAV files as streams of audio packets, and the other way round.

use std::fs::File;
use std::io::{BufRead, BufWriter};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavIntoSamples, WavReader, WavSpec, WavWriter};
use rm_runtime::file::PartialFile;
use rm_runtime::media::{Audio, MediaError};
use rm_runtime::pipeline::Item;

/// How much sound is in one packet, as parts of a second: 20 ms, as most speech codecs have it.
const PACKETS_PER_SECOND: u32 = 50;

/// Why a file is not sound, or sound cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WavError {
    #[error(transparent)]
    Format(#[from] hound::Error),
    #[error(transparent)]
    Audio(#[from] MediaError),
    #[error("cannot write `{}`", path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "a WAV file has one format, and output {number} has {channels} channels at {sample_rate} Hz, unlike those before it \
         ({} channels at {} Hz)",
        before.channels,
        before.sample_rate
    )]
    Mixed {
        number: usize,
        channels: u16,
        sample_rate: u32,
        before: WavSpec,
    },
    #[error("no audio came out of the pipeline, so `{}` is not written", .0.display())]
    Silent(PathBuf),
}

/// The packets of a WAV file: 20 ms each, the last one as long as is left, each with the time of its first sample.
pub(super) struct WavPackets {
    samples: Samples,
    spec: WavSpec,
    /// Frames read so far.
    frames: u64,
}

enum Samples {
    Float(WavIntoSamples<Box<dyn BufRead + Send>, f32>),
    Integer(WavIntoSamples<Box<dyn BufRead + Send>, i32>),
}

impl WavPackets {
    pub(super) fn new(file: Box<dyn BufRead + Send>) -> Result<Self, WavError> {
        let reader = WavReader::new(file)?;
        let spec = reader.spec();
        // Refuses a format that has no channels or no rate.
        Audio::new(Vec::new(), spec.sample_rate, spec.channels)?;
        let samples = match spec.sample_format {
            SampleFormat::Float => Samples::Float(reader.into_samples()),
            SampleFormat::Int => Samples::Integer(reader.into_samples()),
        };
        Ok(Self {
            samples,
            spec,
            frames: 0,
        })
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, WavError> {
        let WavSpec {
            channels,
            sample_rate,
            bits_per_sample,
            ..
        } = self.spec;
        let frames = sample_rate.div_ceil(PACKETS_PER_SECOND);
        let count = frames as usize * usize::from(channels);
        let samples: Vec<f32> = match &mut self.samples {
            Samples::Float(samples) => samples.take(count).collect::<Result<_, _>>()?,
            Samples::Integer(samples) => {
                let full_scale = f64::from(bits_per_sample - 1).exp2();
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "an f32 holds every sample of up to 24 bits exactly, and rounds those of 32"
                )]
                let scale = |sample: i32| (f64::from(sample) / full_scale) as f32;
                samples
                    .take(count)
                    .map(|sample| sample.map(scale))
                    .collect::<Result<_, _>>()?
            }
        };
        if samples.is_empty() {
            return Ok(None);
        }
        let audio = Audio::new(samples, sample_rate, channels)?;
        let time = u128::from(self.frames) * 1_000_000 / u128::from(sample_rate);
        self.frames += audio.frames() as u64;
        Ok(Some(Item {
            timestamp_us: i64::try_from(time).ok(),
            ..Item::from(audio)
        }))
    }
}

/// A WAV file in the making: written beside its place, and put there when it is whole.
pub(super) struct WavFile {
    path: PathBuf,
    begun: Option<Begun>,
}

struct Begun {
    file: PartialFile,
    writer: WavWriter<BufWriter<File>>,
}

impl WavFile {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            begun: None,
        }
    }

    /// Add sound, as 32-bit floats so that nothing is lost; `number` names the output in errors.
    pub(super) fn add(&mut self, audio: &Audio, number: usize) -> Result<(), WavError> {
        let spec = WavSpec {
            channels: audio.channels(),
            sample_rate: audio.sample_rate(),
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let begun = match &mut self.begun {
            Some(begun) => begun,
            None => self.begun.insert(begin(&self.path, spec)?),
        };
        let before = begun.writer.spec();
        if before != spec {
            return Err(WavError::Mixed {
                number,
                channels: spec.channels,
                sample_rate: spec.sample_rate,
                before,
            });
        }
        for sample in audio.samples() {
            begun.writer.write_sample(*sample)?;
        }
        Ok(())
    }

    /// Put the file into its place.
    pub(super) fn finish(self) -> Result<(), WavError> {
        let Some(Begun { file, writer }) = self.begun else {
            return Err(WavError::Silent(self.path));
        };
        writer.finalize()?;
        let path = self.path;
        file.finish()
            .map_err(|source| WavError::Write { path, source })
    }
}

fn begin(path: &Path, spec: WavSpec) -> Result<Begun, WavError> {
    let (partial, file) = PartialFile::create(path).map_err(|source| WavError::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(Begun {
        file: partial,
        writer: WavWriter::new(BufWriter::new(file), spec)?,
    })
}
