use num_bigint::BigInt;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::media::{Audio, DType, PixelFormat, Tensor, VideoFrame};
use crate::testing::{self, is_same};
use crate::value::Value;

fn pow2(exponent: u32) -> BigInt {
    BigInt::from(1) << exponent
}

/// Values and what CPython's `marshal.dumps(value, 2)` gives for them.
fn from_cpython() -> Vec<(Value, &'static [u8])> {
    let list = |items| Value::List(items);
    vec![
        (Value::Null, b"N"),
        (Value::Bool(true), b"T"),
        (Value::Bool(false), b"F"),
        (Value::Int(0), b"i\x00\x00\x00\x00"),
        (Value::Int(-1), b"i\xff\xff\xff\xff"),
        (Value::Int(i32::MAX.into()), b"i\xff\xff\xff\x7f"),
        (Value::Int(1 << 31), b"l\x03\x00\x00\x00\x00\x00\x00\x00\x02\x00"),
        (Value::Int(i32::MIN.into()), b"i\x00\x00\x00\x80"),
        (Value::Int(-(1 << 31) - 1), b"l\xfd\xff\xff\xff\x01\x00\x00\x00\x02\x00"),
        (Value::from(pow2(63)), b"l\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00"),
        (Value::from(-pow2(64)), b"l\xfb\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00"),
        (
            Value::from(BigInt::from(10).pow(30)),
            b"l\x07\x00\x00\x00\x00\x00\x00\x00\xa97\xa73\x04M\x93e'\x03",
        ),
        (Value::Float(1.5), b"g\x00\x00\x00\x00\x00\x00\xf8?"),
        (Value::Float(f64::INFINITY), b"g\x00\x00\x00\x00\x00\x00\xf0\x7f"),
        (Value::from("é😀"), b"u\x06\x00\x00\x00\xc3\xa9\xf0\x9f\x98\x80"),
        (Value::SurrogateStr(b"a\xed\xa0\x80b".to_vec()), b"u\x05\x00\x00\x00a\xed\xa0\x80b"),
        (Value::Bytes(vec![0, 255]), b"s\x02\x00\x00\x00\x00\xff"),
        (Value::Tuple(vec![]), b"(\x00\x00\x00\x00"),
        (
            list(vec![Value::Int(1), list(vec![Value::Float(2.0)])]),
            b"[\x02\x00\x00\x00i\x01\x00\x00\x00[\x01\x00\x00\x00g\x00\x00\x00\x00\x00\x00\x00@",
        ),
        (
            Value::Dict(vec![
                (Value::from("a"), Value::Int(1)),
                (Value::Tuple(vec![Value::Int(1), Value::from("b")]), Value::Null),
            ]),
            b"{u\x01\x00\x00\x00ai\x01\x00\x00\x00(\x02\x00\x00\x00i\x01\x00\x00\x00u\x01\x00\x00\x00bN0",
        ),
    ]
}

#[test]
fn bytes_are_those_of_cpython() {
    for (value, bytes) in from_cpython() {
        assert_eq!(to_marshal(&value).unwrap(), bytes, "{value:?}");
        assert_eq!(from_marshal(bytes).unwrap(), value);
    }
    let nan = b"g\x00\x00\x00\x00\x00\x00\xf8\x7f";
    assert_eq!(to_marshal(&Value::Float(f64::NAN)).unwrap(), nan);
    assert!(matches!(from_marshal(nan), Ok(Value::Float(f)) if f.is_nan()));
}

#[test]
fn codes_of_later_versions_are_read() {
    assert_eq!(from_marshal(b"z\x03abc"), Ok(Value::from("abc")));
    assert_eq!(from_marshal(b"Z\x03abc"), Ok(Value::from("abc")));
    assert_eq!(from_marshal(b"a\x03\0\0\0abc"), Ok(Value::from("abc")));
    assert_eq!(from_marshal(b"A\x03\0\0\0abc"), Ok(Value::from("abc")));
    assert_eq!(from_marshal(b"t\x02\0\0\0\xc3\xa9"), Ok(Value::from("é")));
    assert_eq!(from_marshal(b")\x01N"), Ok(Value::Tuple(vec![Value::Null])));
}

#[test]
fn other_types_are_refused_by_name() {
    let message = |bytes: &[u8]| from_marshal(bytes).unwrap_err().to_string();
    assert_eq!(
        message(b"[\x01\0\0\0<\0\0\0\0"),
        "unsupported marshal type < (set) at offset 5"
    );
    assert_eq!(
        message(b"c"),
        "unsupported marshal type c (code) at offset 0"
    );
    assert_eq!(
        message(b"0"),
        "unsupported marshal type 0 (end of dict) at offset 0"
    );
    assert_eq!(
        message(b"\x00"),
        r"unsupported marshal type \x00 (not a marshal type) at offset 0"
    );
    assert_eq!(
        message(b"\xda\x03abc"),
        "marshal object with a reference flag at offset 0; write with `marshal.dumps(value, 2)`"
    );
}

#[test]
fn every_truncation_is_an_error() {
    for (_, bytes) in from_cpython() {
        for end in 0..bytes.len() {
            assert!(
                matches!(
                    from_marshal(&bytes[..end]),
                    Err(MarshalError::Truncated { .. })
                ),
                "{bytes:?} {end}"
            );
        }
        let longer = [bytes, b"N"].concat();
        assert_eq!(
            from_marshal(&longer),
            Err(MarshalError::Trailing {
                offset: bytes.len(),
                count: 1
            })
        );
    }
}

#[test]
fn lies_are_caught() {
    // Lengths near the limit must neither allocate nor overflow.
    for bytes in [
        b"[\xff\xff\xff\x7f",
        b"(\xff\xff\xff\x7f",
        b"s\xff\xff\xff\x7f",
        b"l\x00\x00\x00\x80",
    ] {
        assert!(
            matches!(from_marshal(bytes), Err(MarshalError::Truncated { .. })),
            "{bytes:?}"
        );
    }
    let malformed: [&[u8]; 7] = [
        b"[\xff\xff\xff\xff",
        b"u\x01\0\0\0\xff",
        b"z\x01\xe9",
        b"l\x01\0\0\0\0\x80",
        b"l\x02\0\0\0\x01\0\0\0",
        b"{[\0\0\0\0N0",
        b"{(\x01\0\0\0{0N0",
    ];
    for bytes in malformed {
        assert!(
            matches!(from_marshal(bytes), Err(MarshalError::Malformed { .. })),
            "{bytes:?}"
        );
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |n: usize| {
        let mut bytes = b")\x01".repeat(n);
        bytes.push(b'N');
        bytes
    };
    let value = from_marshal(&nested(MAX_DEPTH)).unwrap();
    assert_eq!(from_marshal(&to_marshal(&value).unwrap()).unwrap(), value);
    assert_eq!(
        from_marshal(&nested(MAX_DEPTH + 1)),
        Err(MarshalError::TooDeep)
    );
    assert_eq!(from_marshal(&nested(1_000_000)), Err(MarshalError::TooDeep));
    assert_eq!(
        from_marshal(&b"{".repeat(1_000_000)),
        Err(MarshalError::TooDeep)
    );
    assert_eq!(
        to_marshal(&Value::List(vec![value])),
        Err(MarshalError::TooDeep)
    );
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let key = Value::Dict(vec![(Value::Tuple(vec![Value::List(vec![])]), Value::Null)]);
    assert_eq!(
        to_marshal(&key),
        Err(MarshalError::UnhashableKey { type_name: "tuple" })
    );
    assert_eq!(
        to_marshal(&Value::SurrogateStr(vec![0xFF])),
        Err(MarshalError::BadText)
    );
}

fn media() -> [Value; 3] {
    [
        Audio::new(vec![0.5, -1.0], 48_000, 2).unwrap().into(),
        VideoFrame::new(vec![1, 2], 2, 1, PixelFormat::Gray8)
            .unwrap()
            .into(),
        Tensor::new(vec![0; 12], vec![3, 1], DType::F32)
            .unwrap()
            .into(),
    ]
}

#[test]
fn placeholders_are_those_of_cpython() {
    let [audio, video, tensor] = media();
    let large = Value::Bytes(vec![7; BUFFER_BYTES]);
    // `marshal.dumps(frozenset([("audio", 0, 48000, 2)]), 2)` and so on.
    let cases: [(Value, &[u8]); 4] = [
        (
            audio,
            b">\x01\0\0\0(\x04\0\0\0u\x05\0\0\0audioi\0\0\0\0i\x80\xbb\0\0i\x02\0\0\0",
        ),
        (
            video,
            b">\x01\0\0\0(\x05\0\0\0u\x05\0\0\0videoi\0\0\0\0i\x02\0\0\0i\x01\0\0\0u\x05\0\0\0gray8",
        ),
        (
            tensor,
            b">\x01\0\0\0(\x04\0\0\0u\x06\0\0\0tensori\0\0\0\0u\x03\0\0\0f32(\x02\0\0\0i\x03\0\0\0i\x01\0\0\0",
        ),
        (
            large,
            b">\x01\0\0\0(\x02\0\0\0u\x05\0\0\0bytesi\0\0\0\0",
        ),
    ];
    for (value, payload) in cases {
        let wire = to_wire(&value).unwrap();
        assert_eq!(wire.payload, payload, "{value:?}");
        assert_eq!(wire.buffers.len(), 1);
        assert_eq!(from_wire(&wire.payload, &wire.buffers).unwrap(), value);
    }
}

#[test]
fn buffers_stay_where_they_are() {
    let [audio, video, tensor] = media();
    let large = vec![1; BUFFER_BYTES];
    let small = vec![2; BUFFER_BYTES - 1];
    let value = Value::Dict(vec![
        (Value::Bytes(large.clone()), audio),
        (Value::from("small"), Value::Bytes(small)),
        (
            Value::Tuple(vec![Value::Bytes(large.clone())]),
            Value::Tuple(vec![video, Value::Bytes(large), tensor.clone(), tensor]),
        ),
    ]);
    let wire = to_wire(&value).unwrap();
    let lengths: Vec<usize> = wire.buffers.iter().map(|buffer| buffer.len()).collect();
    assert_eq!(lengths, [8, 2, BUFFER_BYTES, 12, 12]);
    // Keys and what is short are in the bytes.
    assert!(wire.payload.len() > 3 * BUFFER_BYTES - 1);
    assert_eq!(from_wire(&wire.payload, &wire.buffers).unwrap(), value);
    // Samples need not lie at a multiple of four bytes.
    let shifted = [&[0], wire.buffers[0]].concat();
    let mut buffers = wire.buffers.clone();
    buffers[0] = &shifted[1..];
    assert_eq!(from_wire(&wire.payload, &buffers).unwrap(), value);
}

#[test]
fn plain_data_is_alike_on_both_ways() {
    for (value, bytes) in from_cpython() {
        let wire = to_wire(&value).unwrap();
        assert_eq!((&wire.payload[..], &wire.buffers[..]), (bytes, &[][..]));
        assert_eq!(from_wire(bytes, &[b"unused"]).unwrap(), value);
    }
}

#[test]
fn media_lies_at_any_depth() {
    for leaf in media() {
        let mut value = leaf;
        for _ in 0..MAX_DEPTH {
            value = Value::List(vec![value]);
        }
        let wire = to_wire(&value).unwrap();
        assert_eq!(from_wire(&wire.payload, &wire.buffers).unwrap(), value);
    }
}

#[test]
fn media_needs_the_wire() {
    let [audio, ..] = media();
    assert_eq!(
        to_marshal(&audio).unwrap_err().to_string(),
        "audio travels beside marshal data; use `to_wire`"
    );
    let wire = to_wire(&audio).unwrap();
    assert_eq!(
        from_marshal(&wire.payload),
        Err(MarshalError::UnsupportedType {
            code: b'>',
            offset: 0
        })
    );
}

#[test]
fn buffers_must_be_what_placeholders_say() {
    fn message(bytes: &[u8], buffers: &[&[u8]]) -> String {
        let error = from_wire(bytes, buffers).unwrap_err();
        match &error {
            MarshalError::Media { source, .. } => format!("{error}: {source}"),
            other => other.to_string(),
        }
    }
    // Written by CPython as `[placeholder]`, so that the offset counts.
    let of = |tuple: &str| {
        let mut bytes = b"[\x01\0\0\0>\x01\0\0\0".to_vec();
        bytes.extend(to_marshal(&crate::json::from_json(tuple).unwrap()).unwrap());
        // JSON has no tuples.
        bytes[10] = b'(';
        bytes
    };
    let bad = "bad marshal data at offset 5:";
    let no_placeholder = format!("{bad} frozenset that is no placeholder");
    for tuple in [
        "[]",
        r#"["bytes"]"#,
        r#"["bytes", 0, 0]"#,
        r#"["bytes", "0"]"#,
        r#"["audio", 0, 48000]"#,
        r#"["audio", 0, 48000.0, 2]"#,
        r#"["text", 0]"#,
        // The shape is a list.
        r#"["tensor", 0, "u8", [1]]"#,
    ] {
        assert_eq!(message(&of(tuple), &[b"abcd"]), no_placeholder, "{tuple}");
    }
    let absent = format!("{bad} placeholder for a buffer that is not there");
    for tuple in [r#"["bytes", 1]"#, r#"["bytes", -1]"#] {
        assert_eq!(message(&of(tuple), &[b"abcd"]), absent);
    }
    let range = format!("{bad} placeholder with a number out of range");
    for tuple in [
        r#"["audio", 0, 4294967296, 1]"#,
        r#"["audio", 0, 1, 65536]"#,
        r#"["video", 0, -1, 1, "gray8"]"#,
    ] {
        assert_eq!(message(&of(tuple), &[b"abcd"]), range);
    }
    assert_eq!(
        message(&of(r#"["video", 0, 1, 1, "png"]"#), &[b"abcd"]),
        format!("{bad} placeholder with an unknown pixel format")
    );
    let wrong = "the buffer of the placeholder at offset 5 does not hold what that says:";
    assert_eq!(
        message(&of(r#"["audio", 0, 48000, 1]"#), &[b"abcde"]),
        format!("{wrong} 5 bytes are not a whole number of 32-bit samples")
    );
    assert_eq!(
        message(&of(r#"["audio", 0, 48000, 2]"#), &[b"abcd"]),
        format!("{wrong} 1 samples cannot be shared out over 2 channels")
    );
    assert_eq!(
        message(&of(r#"["video", 0, 1, 1, "rgb24"]"#), &[b"abcd"]),
        format!("{wrong} a 1x1 rgb24 frame takes 3 bytes, not 4")
    );
    assert_eq!(
        message(
            &of(r#"["video", 0, 4294967295, 4294967295, "rgba32"]"#),
            &[b"abcd"]
        ),
        format!(
            "{wrong} a 4294967295x4294967295 rgba32 frame is larger than this machine can address"
        )
    );
    let twice = [&of(r#"["bytes", 0]"#)[5..], &of(r#"["bytes", 0]"#)[5..]].concat();
    assert_eq!(
        message(&[b"[\x02\0\0\0", &twice[..]].concat(), &[b"abcd"]),
        "bad marshal data at offset 30: placeholder for a buffer that was used before"
    );
    // In a key, and in another placeholder.
    let key = [b"{", &of(r#"["bytes", 0]"#)[5..], b"N0"].concat();
    assert_eq!(
        message(&key, &[b"abcd"]),
        "unsupported marshal type > (frozenset) at offset 1"
    );
    assert_eq!(
        message(&b">\x01\0\0\0".repeat(100_000), &[b"abcd"]),
        "unsupported marshal type > (frozenset) at offset 5"
    );
}

#[test]
fn towers_survive_both_ways() {
    for value in testing::towers(200) {
        let wire = to_wire(&value).unwrap();
        let back = from_wire(&wire.payload, &wire.buffers).unwrap();
        assert!(is_same(&back, &value));
    }
}

/// What is left of a value when nothing can travel beside it.
fn without_media(value: Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(without_media).collect()),
        Value::Tuple(items) => Value::Tuple(items.into_iter().map(without_media).collect()),
        Value::Dict(entries) => {
            let entries = entries.into_iter();
            Value::Dict(entries.map(|(k, v)| (k, without_media(v))).collect())
        }
        Value::Audio(audio) => Value::Bytes(audio.as_le_bytes().to_vec()),
        Value::Video(frame) => Value::Bytes(frame.into_data()),
        Value::Tensor(tensor) => Value::Bytes(tensor.into_data()),
        plain @ (Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::Float(_)
        | Value::Str(_)
        | Value::SurrogateStr(_)
        | Value::Bytes(_)) => plain,
    }
}

proptest! {
    #[test]
    fn any_value_survives_the_wire(value in testing::values()) {
        let wire = to_wire(&value).unwrap();
        let back = from_wire(&wire.payload, &wire.buffers).unwrap();
        prop_assert!(is_same(&back, &value), "{back:?}");
    }

    #[test]
    fn any_plain_value_survives_marshal(value in testing::values().prop_map(without_media)) {
        let back = from_marshal(&to_marshal(&value).unwrap()).unwrap();
        prop_assert!(is_same(&back, &value), "{back:?}");
    }

    #[test]
    fn damage_is_an_error_or_another_value(
        value in testing::values(),
        damages in testing::damages(),
        cut in any::<Option<Index>>(),
    ) {
        let wire = to_wire(&value).unwrap();
        let mut buffers = wire.buffers;
        if let (Some(cut), false) = (cut, buffers.is_empty()) {
            let cut = cut.index(buffers.len());
            buffers[cut] = &buffers[cut][..buffers[cut].len() / 2];
        }
        let payload = testing::damaged(wire.payload, &damages);
        if let Ok(read) = from_wire(&payload, &buffers) {
            let again = to_wire(&read).unwrap();
            let back = from_wire(&again.payload, &again.buffers).unwrap();
            prop_assert!(is_same(&back, &read));
            let beside: usize = buffers.iter().map(|buffer| buffer.len()).sum();
            // A byte can be a whole value, and the room for values grows by doubling.
            prop_assert!(testing::footprint(&read) <= beside + 160 * payload.len());
        }
    }

    #[test]
    fn noise_is_read_without_harm(noise in vec(any::<u8>(), 0..100)) {
        let noise = [b"[\x02\0\0\0", &noise[..]].concat();
        let _ = from_wire(&noise, &[&noise]);
    }
}
