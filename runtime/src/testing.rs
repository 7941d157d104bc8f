//! What tests of several modules and crates share: random numbers, values to try, and an equality by bits.

use std::collections::HashSet;

use num_bigint::BigInt;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::marshal::BUFFER_BYTES;
use crate::media::{Audio, DType, PixelFormat, Tensor, VideoFrame};
use crate::value::Value;
use crate::wtf8;

/// Random numbers that need no crate: xorshift, the same for the same seed everywhere.
#[cfg(test)]
pub(crate) struct Dice(u64);

#[cfg(test)]
impl Dice {
    /// Dice for one case of a test.
    pub(crate) fn seeded(seed: u32) -> Self {
        let mut dice = Dice(u64::from(seed) << 17 | 1);
        for _ in 0..10 {
            dice.bits();
        }
        dice
    }

    /// Sixty-four random bits, not all zero.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 0 to `sides - 1`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        let sides = u64::try_from(sides).expect("a `usize` fits 64 bits");
        usize::try_from(self.bits() % sides).expect("less than `sides`, which was a `usize`")
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }
}

/// Whether two values are the same bit by bit: a NaN is the same as itself, and the two zeros differ.
pub fn is_same(one: &Value, other: &Value) -> bool {
    let all_same = |one: &[Value], other: &[Value]| {
        one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_same(a, b))
    };
    match one {
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::Str(_)
        | Value::SurrogateStr(_)
        | Value::Bytes(_)
        | Value::Video(_)
        | Value::Tensor(_) => one == other,
        Value::Float(a) => matches!(other, Value::Float(b) if a.to_bits() == b.to_bits()),
        Value::List(a) => matches!(other, Value::List(b) if all_same(a, b)),
        Value::Tuple(a) => matches!(other, Value::Tuple(b) if all_same(a, b)),
        Value::Dict(a) => {
            let Value::Dict(b) = other else {
                return false;
            };
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| is_same(&a.0, &b.0) && is_same(&a.1, &b.1))
        }
        Value::Audio(a) => {
            matches!(other, Value::Audio(b) if a.as_le_bytes() == b.as_le_bytes()
                && (a.sample_rate(), a.channels()) == (b.sample_rate(), b.channels()))
        }
    }
}

/// Values of all kinds, some of them nested 40 levels deep.
pub fn values() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![9 => scalars(Carrier::Wire), 1 => large_bytes()];
    let keys = keys.prop_recursive(2, 6, 3, |keys| vec(keys, 0..3).prop_map(Value::Tuple));
    nested(leaves(Carrier::Wire), keys.boxed(), Carrier::Wire)
}

/// Values that JSON carries without a change: [`values`] without tuples, keys that are not text, NaNs of other bits than
/// `f64::NAN`, and halves of a surrogate pair in a row.
pub fn json_values() -> impl Strategy<Value = Value> {
    let keys = texts(Carrier::Json);
    nested(leaves(Carrier::Json), keys.boxed(), Carrier::Json)
}

/// Values of each kind of container, nested so many levels deep around something that travels beside them.
pub fn towers(levels: usize) -> Vec<Value> {
    let leaf = || {
        Value::from(Audio::new(vec![0.5, f32::NAN], 8000, 2).expect("one frame of two channels"))
    };
    [WrapIn::List, WrapIn::Tuple, WrapIn::Dict]
        .map(|wrap| (0..levels).fold(leaf(), |value, _| wrap.around(value)))
        .to_vec()
}

/// What a value must survive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Wire,
    Json,
}

#[derive(Clone, Copy, Debug)]
enum WrapIn {
    List,
    Tuple,
    Dict,
    Form,
    Crowd,
}

impl WrapIn {
    fn around(self, value: Value) -> Value {
        match self {
            WrapIn::List => Value::List(vec![value]),
            WrapIn::Tuple => Value::Tuple(vec![value]),
            WrapIn::Dict => Value::Dict(vec![(Value::from("k"), value)]),
            // What JSON has to tell from bytes.
            WrapIn::Form => Value::Dict(vec![(Value::from("$bytes"), value)]),
            WrapIn::Crowd => Value::List(vec![Value::Null, value, Value::from("beside")]),
        }
    }
}

fn nested(
    leaves: BoxedStrategy<Value>,
    keys: BoxedStrategy<Value>,
    carrier: Carrier,
) -> impl Strategy<Value = Value> {
    let bushes = leaves.prop_recursive(5, 40, 3, move |inner| {
        let dicts = vec((keys.clone(), inner.clone()), 0..4).prop_map(dict);
        let lists = vec(inner.clone(), 0..5).prop_map(Value::List);
        match carrier {
            Carrier::Wire => {
                let tuples = vec(inner, 0..4).prop_map(Value::Tuple);
                prop_oneof![dicts, lists, tuples].boxed()
            }
            Carrier::Json => prop_oneof![dicts, lists].boxed(),
        }
    });
    let mut wraps = vec![WrapIn::List, WrapIn::Dict, WrapIn::Form, WrapIn::Crowd];
    if carrier == Carrier::Wire {
        wraps.push(WrapIn::Tuple);
    }
    let depths = prop_oneof![4 => Just(0..1_usize), 1 => Just(1..37)];
    let wraps = depths.prop_flat_map(move |depth| vec(select(wraps.clone()), depth));
    (bushes, wraps).prop_map(|(bush, wraps)| {
        wraps
            .into_iter()
            .fold(bush, |value, wrap| wrap.around(value))
    })
}

/// A dictionary in which Python finds no key twice.
fn dict(mut entries: Vec<(Value, Value)>) -> Value {
    fn identity(key: &Value) -> String {
        match key {
            Value::Bool(b) => i32::from(*b).to_string(),
            Value::Int(i) => i.to_string(),
            Value::BigInt(i) => i.to_string(),
            // Adding makes the negative zero positive.
            Value::Float(float) if float.fract() == 0.0 => format!("{:.0}", float + 0.0),
            Value::Tuple(items) => format!("{:?}", items.iter().map(identity).collect::<Vec<_>>()),
            key => format!("{key:?}"),
        }
    }
    let mut known = HashSet::new();
    entries.retain(|(key, _)| known.insert(identity(key)));
    Value::Dict(entries)
}

fn leaves(carrier: Carrier) -> BoxedStrategy<Value> {
    prop_oneof![
        8 => scalars(carrier),
        1 => large_bytes(),
        1 => sound(),
        1 => pictures(),
        1 => tensors(),
    ]
    .boxed()
}

/// What can be a key.
fn scalars(carrier: Carrier) -> BoxedStrategy<Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        integers(),
        floats(carrier),
        texts(carrier),
        vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ]
    .boxed()
}

fn integers() -> impl Strategy<Value = Value> {
    let edges = [15, 30, 31, 32, 60, 62, 63, 64, 75, 1000];
    let near_edges = (select(edges.to_vec()), any::<bool>(), -1_i64..=1).prop_map(
        |(exponent, negative, off): (u32, bool, i64)| {
            let power = BigInt::from(1) << exponent;
            Value::from(if negative { -power } else { power } + off)
        },
    );
    prop_oneof![
        any::<i64>().prop_map(Value::Int),
        (-3_i64..300).prop_map(Value::Int),
        near_edges,
        vec(any::<u8>(), 0..40).prop_map(|bytes| BigInt::from_signed_bytes_le(&bytes).into()),
    ]
}

fn floats(carrier: Carrier) -> impl Strategy<Value = Value> {
    let special = [
        0.0,
        -0.0,
        1.0,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
        // With a payload, and one that signals.
        f64::from_bits(0x7FF8_0000_0000_1234),
        f64::from_bits(0xFFF0_0000_0000_0001),
    ];
    let floats = prop_oneof![
        select(special.to_vec()),
        any::<u64>().prop_map(f64::from_bits),
        (-1000_i32..1000).prop_map(|number| f64::from(number) / 8.0),
    ];
    floats.prop_map(move |float| {
        let plain_nan = carrier == Carrier::Json && float.is_nan();
        Value::Float(if plain_nan { f64::NAN } else { float })
    })
}

/// Text, sometimes with lone surrogates, sometimes such as JSON gives a meaning.
fn texts(carrier: Carrier) -> BoxedStrategy<Value> {
    let names = [
        "",
        "k",
        "$",
        "$bytes",
        "$float",
        "$audio",
        "$dict",
        "$packet",
        "nan",
        "ud800",
        "\u{E000}ud800",
    ];
    let units = vec(
        prop_oneof![
            any::<char>().prop_map(|c| c.to_string().into_bytes()),
            (0xD800_u16..0xE000).prop_map(|unit| wtf8::encode(unit).to_vec()),
            Just("\u{E000}\\".as_bytes().to_vec()),
        ],
        0..8,
    );
    prop_oneof![
        vec(any::<char>(), 0..12).prop_map(|text| Value::Str(text.into_iter().collect())),
        select(names.to_vec()).prop_map(Value::from),
        units.prop_map(move |units| {
            let mut text: Vec<u8> = Vec::new();
            for unit in units {
                let ends_high = matches!(text[..], [.., 0xED, 0xA0..=0xAF, _]);
                let begins_low = matches!(unit[..], [0xED, 0xB0..=0xBF, _]);
                if carrier == Carrier::Json && ends_high && begins_low {
                    text.push(b'-');
                }
                text.extend(unit);
            }
            Value::from_surrogate_utf8(text).expect("characters and surrogates")
        }),
    ]
    .boxed()
}

fn large_bytes() -> impl Strategy<Value = Value> {
    (BUFFER_BYTES - 1..BUFFER_BYTES + 2, any::<u8>())
        .prop_map(|(length, byte)| Value::Bytes(vec![byte; length]))
}

fn sound() -> impl Strategy<Value = Value> {
    let rates = prop_oneof![Just(16_000), 1..=u32::MAX];
    let frames = prop_oneof![
        4 => (1..=8_u16, 0..8_usize),
        1 => (1..=u16::MAX, 0..2_usize),
    ];
    (rates, frames, vec(any::<u32>(), 64)).prop_map(|(rate, (channels, frames), bits)| {
        let bits = bits.iter().cycle().take(frames * usize::from(channels));
        let samples: Vec<f32> = bits.map(|bits| f32::from_bits(*bits)).collect();
        Audio::new(samples, rate, channels)
            .expect("whole frames, and neither rate nor channels are zero")
            .into()
    })
}

fn pictures() -> impl Strategy<Value = Value> {
    let formats = select(PixelFormat::ALL.to_vec());
    (formats, 0..6_u32, 0..6_u32, any::<u8>()).prop_map(|(format, width, height, start)| {
        let size = format.bytes(width, height).expect("a few pixels");
        VideoFrame::new(counted(size, start), width, height, format)
            .expect("data of the size that the format has")
            .into()
    })
}

fn tensors() -> impl Strategy<Value = Value> {
    let shapes = vec(0..4_usize, 0..5);
    (select(DType::ALL.to_vec()), shapes, any::<u8>()).prop_map(|(dtype, shape, start)| {
        let size = shape.iter().product::<usize>() * dtype.size();
        Tensor::new(counted(size, start), shape, dtype)
            .expect("data of the size that the shape has")
            .into()
    })
}

/// Bytes that all differ from their neighbours.
fn counted(length: usize, start: u8) -> Vec<u8> {
    (start..=u8::MAX)
        .chain(0..=u8::MAX)
        .cycle()
        .take(length)
        .collect()
}

/// What can happen to bytes on their way.
#[derive(Clone, Debug)]
pub enum Damage {
    /// A bit is the other way.
    Flip(Index, u8),
    /// Another byte stands there.
    Replace(Index, u8),
    /// A byte more.
    Insert(Index, u8),
    /// Bytes less.
    Remove(Index, usize),
    /// Bytes that are there again at another place.
    Repeat(Index, usize, Index),
    /// The rest is missing.
    Cut(Index),
}

/// A few damages in a row; bytes are often those that type codes and counts are made of.
pub fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let telling = b"NTFilgusaAzZt()[]{}<>0\0\x01\xff\"\\$:,";
    let bytes = prop_oneof![any::<u8>(), select(telling.to_vec())];
    let at = any::<Index>;
    let damage = prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (at(), bytes.clone()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (at(), bytes).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        (at(), 1..9_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        (at(), 1..30_usize, at()).prop_map(|(at, count, to)| Damage::Repeat(at, count, to)),
        at().prop_map(Damage::Cut),
    ];
    vec(damage, 1..4)
}

/// The bytes after all that happened to them.
pub fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        let range = |at: &Index, count: usize| {
            let start = at.index(length);
            start..(start + count).min(length)
        };
        match damage {
            Damage::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Damage::Replace(at, byte) => bytes[at.index(length)] = *byte,
            Damage::Insert(at, byte) => bytes.insert(at.index(length), *byte),
            Damage::Remove(at, count) => drop(bytes.drain(range(at, *count))),
            Damage::Repeat(at, count, to) => {
                let repeated = bytes[range(at, *count)].to_vec();
                let to = to.index(length);
                bytes.splice(to..to, repeated);
            }
            Damage::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
    bytes
}

/// How many bytes of memory a value holds, unused room included; that of media without descriptions.
pub fn footprint(value: &Value) -> usize {
    let items = |items: &Vec<Value>| {
        items.capacity() * size_of::<Value>() + items.iter().map(footprint).sum::<usize>()
    };
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
        Value::BigInt(i) => usize::try_from(i.bits() / 8).expect("it is in memory"),
        Value::Str(text) => text.capacity(),
        Value::SurrogateStr(bytes) | Value::Bytes(bytes) => bytes.capacity(),
        Value::List(list) | Value::Tuple(list) => items(list),
        Value::Dict(entries) => {
            let inside = entries
                .iter()
                .map(|(key, value)| footprint(key) + footprint(value));
            entries.capacity() * size_of::<(Value, Value)>() + inside.sum::<usize>()
        }
        Value::Audio(audio) => audio.as_le_bytes().len(),
        Value::Video(frame) => frame.data().len(),
        Value::Tensor(tensor) => tensor.data().len(),
    }
}
