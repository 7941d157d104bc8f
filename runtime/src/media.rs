//! Large kinds of data: sound, video frames and tensors.
//!
//! Their data is shared, so that a clone, as for a second branch of the graph, copies nothing. A node that changes data
//! takes it out, which copies only if another branch holds it too:
//!
//! ```
//! use rm_runtime::media::Audio;
//!
//! let stereo = Audio::new(vec![0.5, -0.5, 0.25, 0.0], 48_000, 2)?;
//! assert_eq!((stereo.frames(), stereo.duration_us()), (2, 41));
//! let (sample_rate, channels) = (stereo.sample_rate(), stereo.channels());
//! let mut samples = stereo.into_samples();
//! for sample in &mut samples {
//!     *sample *= 2.0;
//! }
//! let louder = Audio::new(samples, sample_rate, channels)?;
//! assert_eq!(louder.samples(), [1.0, -1.0, 0.5, 0.0]);
//! # Ok::<(), rm_runtime::media::MediaError>(())
//! ```

use std::sync::Arc;

#[cfg(target_endian = "big")]
compile_error!(
    "samples are handed to Python as they lie in memory, and Python's memory is little-endian"
);

/// Sound: samples of all channels, interleaved, where ±1.0 is full scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    samples: Arc<Vec<f32>>,
    sample_rate: u32,
    channels: u16,
}

/// Why data is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// Sound without channels or time.
    #[error(
        "audio needs at least one channel and a sample rate above 0, not {channels} channels at {sample_rate} Hz"
    )]
    AudioFormat {
        /// Channels asked for.
        channels: u16,
        /// Samples per second and channel.
        sample_rate: u32,
    },
    /// Samples that are not the same number for every channel.
    #[error("{samples} samples cannot be shared out over {channels} channels")]
    UnevenChannels {
        /// How many samples there are.
        samples: usize,
        /// How many channels.
        channels: u16,
    },
    /// Bytes that end inside a sample.
    #[error("{bytes} bytes are not a whole number of 32-bit samples")]
    PartialSample {
        /// How many bytes there are.
        bytes: usize,
    },
    /// Data that is too long or too short for its description.
    #[error("{what} takes {expected} bytes, not {found}")]
    Length {
        /// The description: `a 2x2 rgb24 frame`.
        what: String,
        /// What it takes.
        expected: usize,
        /// What is there.
        found: usize,
    },
    /// A description of more bytes than there can be.
    #[error("{0} is larger than this machine can address")]
    TooLarge(String),
}

impl Audio {
    /// Sound from interleaved samples; `sample_rate` is per channel, in Hz.
    ///
    /// # Errors
    /// [`MediaError::AudioFormat`], [`MediaError::UnevenChannels`].
    pub fn new(
        samples: impl Into<Arc<Vec<f32>>>,
        sample_rate: u32,
        channels: u16,
    ) -> Result<Self, MediaError> {
        let samples = samples.into();
        if channels == 0 || sample_rate == 0 {
            return Err(MediaError::AudioFormat {
                channels,
                sample_rate,
            });
        }
        if samples.len() % usize::from(channels) != 0 {
            return Err(MediaError::UnevenChannels {
                samples: samples.len(),
                channels,
            });
        }
        Ok(Self {
            samples,
            sample_rate,
            channels,
        })
    }

    /// Sound from the bytes of interleaved samples, little-endian, as JSON and Python have them.
    ///
    /// # Errors
    /// [`MediaError::PartialSample`], [`MediaError::AudioFormat`], [`MediaError::UnevenChannels`].
    pub fn from_le_bytes(
        bytes: &[u8],
        sample_rate: u32,
        channels: u16,
    ) -> Result<Self, MediaError> {
        let (samples, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(MediaError::PartialSample { bytes: bytes.len() });
        }
        let samples: Vec<f32> = samples
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        Self::new(samples, sample_rate, channels)
    }

    /// All samples, interleaved.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// The bytes of all samples, interleaved, little-endian.
    pub fn as_le_bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.samples)
    }

    /// All samples, interleaved; copied only if somebody else holds them too.
    pub fn into_samples(self) -> Vec<f32> {
        Arc::unwrap_or_clone(self.samples)
    }

    /// Samples per second and channel.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// How many channels, at least one.
    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// How many samples each channel has.
    pub fn frames(&self) -> usize {
        self.samples.len() / usize::from(self.channels)
    }

    /// How long the sound lasts, in microseconds, rounded down. Sums of it drift; sum frames instead.
    pub fn duration_us(&self) -> i64 {
        // A `usize` times a million fits 128 bits.
        let duration = self.frames() as u128 * 1_000_000 / u128::from(self.sample_rate);
        i64::try_from(duration).unwrap_or(i64::MAX)
    }
}

/// Whether there are as many bytes as the description takes.
fn check_length(
    found: usize,
    expected: usize,
    what: impl Fn() -> String,
) -> Result<(), MediaError> {
    if found == expected {
        return Ok(());
    }
    Err(MediaError::Length {
        what: what(),
        expected,
        found,
    })
}

/// How the pixels of a [`VideoFrame`] are laid out; rows from the top, without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// Three bytes a pixel: red, green, blue.
    Rgb24,
    /// Four bytes a pixel: red, green, blue, alpha.
    Rgba32,
    /// One byte a pixel: luma.
    Gray8,
    /// Planes of luma, then of both chroma components at half width and height (rounded up).
    Yuv420p,
}

impl PixelFormat {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Rgb24, Self::Rgba32, Self::Gray8, Self::Yuv420p];

    /// The name on the Python side and in JSON: `rgb24`, `rgba32`, `gray8`, `yuv420p`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rgb24 => "rgb24",
            Self::Rgba32 => "rgba32",
            Self::Gray8 => "gray8",
            Self::Yuv420p => "yuv420p",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// How many bytes a frame takes; `None` if that is more than memory can have.
    pub fn bytes(self, width: u32, height: u32) -> Option<usize> {
        let pixels = |width: u32, height: u32| {
            usize::try_from(width)
                .ok()?
                .checked_mul(usize::try_from(height).ok()?)
        };
        match self {
            Self::Rgb24 => pixels(width, height)?.checked_mul(3),
            Self::Rgba32 => pixels(width, height)?.checked_mul(4),
            Self::Gray8 => pixels(width, height),
            Self::Yuv420p => pixels(width.div_ceil(2), height.div_ceil(2))?
                .checked_mul(2)?
                .checked_add(pixels(width, height)?),
        }
    }
}

/// One picture.
///
/// ```
/// use rm_runtime::media::{PixelFormat, VideoFrame};
///
/// let white = VideoFrame::new(vec![255; 12], 2, 2, PixelFormat::Rgb24)?;
/// assert_eq!(white.data()[..3], [255, 255, 255]);
/// let short = VideoFrame::new(vec![255; 11], 2, 2, PixelFormat::Rgb24);
/// assert_eq!(short.unwrap_err().to_string(), "a 2x2 rgb24 frame takes 12 bytes, not 11");
/// # Ok::<(), rm_runtime::media::MediaError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoFrame {
    data: Arc<Vec<u8>>,
    width: u32,
    height: u32,
    format: PixelFormat,
}

impl VideoFrame {
    /// A picture from its pixels; width and height in pixels.
    ///
    /// # Errors
    /// [`MediaError::Length`], [`MediaError::TooLarge`].
    pub fn new(
        data: impl Into<Arc<Vec<u8>>>,
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self, MediaError> {
        let data = data.into();
        let what = || format!("a {width}x{height} {} frame", format.name());
        let expected = format
            .bytes(width, height)
            .ok_or_else(|| MediaError::TooLarge(what()))?;
        check_length(data.len(), expected, what)?;
        Ok(Self {
            data,
            width,
            height,
            format,
        })
    }

    /// The pixels.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The pixels; copied only if somebody else holds them too.
    pub fn into_data(self) -> Vec<u8> {
        Arc::unwrap_or_clone(self.data)
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// How the pixels are laid out.
    pub fn format(&self) -> PixelFormat {
        self.format
    }
}

/// The type of a [`Tensor`]'s elements; little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DType {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl DType {
    /// All types.
    pub const ALL: [Self; 11] = [
        Self::Bool,
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::U64,
        Self::I64,
        Self::F32,
        Self::F64,
    ];

    /// The name on the Python side and in JSON: `bool`, `u8`, `i16`, `f32`, ...
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    /// The type of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

/// Numbers of one type in rows, columns and further dimensions; the last dimension's are adjacent.
///
/// ```
/// use rm_runtime::media::{DType, Tensor};
///
/// let data = [1.0_f32, 2.0, 3.0].iter().flat_map(|number| number.to_le_bytes()).collect();
/// let row = Tensor::new(data, vec![1, 3], DType::F32)?;
/// assert_eq!(row.data()[4..8], 2.0_f32.to_le_bytes());
/// # Ok::<(), rm_runtime::media::MediaError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    inner: Arc<TensorParts>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TensorParts {
    data: Vec<u8>,
    shape: Vec<usize>,
    dtype: DType,
}

impl Tensor {
    /// A tensor from the bytes of its elements; an empty shape is a single number.
    ///
    /// # Errors
    /// [`MediaError::Length`], [`MediaError::TooLarge`].
    pub fn new(data: Vec<u8>, shape: Vec<usize>, dtype: DType) -> Result<Self, MediaError> {
        let what = || format!("a tensor of shape {shape:?} and type {}", dtype.name());
        // Without elements a tensor takes no bytes, however long its other sides are.
        let expected = if shape.contains(&0) {
            0
        } else {
            shape
                .iter()
                .try_fold(dtype.size(), |size, side| size.checked_mul(*side))
                .ok_or_else(|| MediaError::TooLarge(what()))?
        };
        check_length(data.len(), expected, what)?;
        Ok(Self {
            inner: Arc::new(TensorParts { data, shape, dtype }),
        })
    }

    /// The bytes of the elements.
    pub fn data(&self) -> &[u8] {
        &self.inner.data
    }

    /// The bytes of the elements; copied only if somebody else holds them too.
    pub fn into_data(self) -> Vec<u8> {
        Arc::unwrap_or_clone(self.inner).data
    }

    /// How many elements each dimension has.
    pub fn shape(&self) -> &[usize] {
        &self.inner.shape
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        self.inner.dtype
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_is_checked() {
        let audio = Audio::new(vec![0.0; 6], 16_000, 2).unwrap();
        assert_eq!((audio.frames(), audio.duration_us()), (3, 187));
        assert_eq!(
            Audio::new(vec![0.0; 5], 16_000, 2),
            Err(MediaError::UnevenChannels {
                samples: 5,
                channels: 2
            })
        );
        for (sample_rate, channels) in [(0, 1), (16_000, 0)] {
            assert_eq!(
                Audio::new(vec![], sample_rate, channels),
                Err(MediaError::AudioFormat {
                    channels,
                    sample_rate
                })
            );
        }
        assert_eq!(Audio::new(vec![], 1, 1).unwrap().duration_us(), 0);
    }

    #[test]
    fn samples_are_read_bit_by_bit() {
        // A signalling NaN, which arithmetic would change.
        let bytes = [0x01, 0x00, 0xA0, 0x7F, 0x00, 0x00, 0x00, 0x80];
        let audio = Audio::from_le_bytes(&bytes, 8000, 1).unwrap();
        let bits: Vec<u32> = audio.samples().iter().map(|s| s.to_bits()).collect();
        assert_eq!(bits, [0x7FA0_0001, 0x8000_0000]);
        assert_eq!(audio.as_le_bytes(), bytes);
        assert_eq!(
            Audio::from_le_bytes(&bytes[..7], 8000, 1),
            Err(MediaError::PartialSample { bytes: 7 })
        );
    }

    #[test]
    fn data_is_shared_and_taken_out_without_a_copy() {
        let audio = Audio::new(vec![1.0; 8], 8000, 1).unwrap();
        let at = audio.samples().as_ptr();
        assert_eq!(audio.clone().samples().as_ptr(), at);
        let taken = audio.into_samples();
        assert_eq!(taken.as_ptr(), at);
        let frame = VideoFrame::new(vec![1; 8], 2, 1, PixelFormat::Rgba32).unwrap();
        let at = frame.data().as_ptr();
        assert_eq!(frame.clone().data().as_ptr(), at);
        let taken = frame.into_data();
        assert_eq!(taken.as_ptr(), at);
        let tensor = Tensor::new(vec![1; 8], vec![2], DType::I32).unwrap();
        let at = tensor.data().as_ptr();
        assert_eq!(tensor.clone().data().as_ptr(), at);
        let taken = tensor.into_data();
        assert_eq!(taken.as_ptr(), at);
    }

    #[test]
    fn frames_take_what_their_format_says() {
        let bytes = |width, height| PixelFormat::ALL.map(|format| format.bytes(width, height));
        assert_eq!(bytes(4, 2), [Some(24), Some(32), Some(8), Some(12)]);
        // Chroma of odd sides is rounded up.
        assert_eq!(bytes(3, 3), [Some(27), Some(36), Some(9), Some(17)]);
        assert_eq!(bytes(0, 7), [Some(0); 4]);
        assert_eq!(PixelFormat::Rgba32.bytes(u32::MAX, u32::MAX), None);
        assert!(matches!(
            VideoFrame::new(vec![], u32::MAX, u32::MAX, PixelFormat::Rgba32),
            Err(MediaError::TooLarge(_))
        ));
    }

    #[test]
    fn tensors_take_what_their_shape_says() {
        let size = |shape: &[usize], bytes| Tensor::new(vec![0; bytes], shape.to_vec(), DType::U16);
        assert_eq!(size(&[2, 3], 12).unwrap().shape(), [2, 3]);
        assert_eq!(size(&[], 2).unwrap().shape(), [0; 0]);
        assert!(size(&[usize::MAX, usize::MAX, 0], 0).is_ok());
        assert_eq!(
            size(&[2, 3], 11).unwrap_err().to_string(),
            "a tensor of shape [2, 3] and type u16 takes 12 bytes, not 11"
        );
        assert!(matches!(
            size(&[usize::MAX, 2], 0),
            Err(MediaError::TooLarge(_))
        ));
    }

    #[test]
    fn names_are_read_back() {
        for format in PixelFormat::ALL {
            assert_eq!(PixelFormat::from_name(format.name()), Some(format));
        }
        for dtype in DType::ALL {
            assert_eq!(DType::from_name(dtype.name()), Some(dtype));
        }
        assert_eq!(PixelFormat::from_name("RGB24"), None);
        assert_eq!(DType::from_name(""), None);
    }
}
