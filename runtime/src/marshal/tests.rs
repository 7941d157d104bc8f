use num_bigint::BigInt;

use super::*;
use crate::testing::Dice;
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

fn generated(dice: &mut Dice, depth: u32) -> Value {
    let bytes = |dice: &mut Dice| {
        (0..dice.roll(40))
            .map(|_| dice.bits().to_le_bytes()[0])
            .collect::<Vec<u8>>()
    };
    match dice.roll(if depth == 0 { 8 } else { 11 }) {
        0 => Value::Null,
        1 => Value::Bool(dice.once_in(2)),
        2 => Value::Int(dice.bits().cast_signed() >> dice.roll(64)),
        3 => Value::from(BigInt::from_signed_bytes_le(&bytes(dice))),
        // Any finite float: the exponent's highest bit is cleared, since only all ones are special.
        4 => Value::Float(f64::from_bits(dice.bits() & !(1 << 62))),
        5 => Value::Str(String::from_utf8_lossy(&bytes(dice)).into_owned()),
        6 => Value::from_surrogate_utf8(b"\xed\xb0\x80x".repeat(dice.roll(3))).unwrap(),
        7 => Value::Bytes(bytes(dice)),
        8 => Value::List(
            (0..dice.roll(4))
                .map(|_| generated(dice, depth - 1))
                .collect(),
        ),
        9 => Value::Tuple(
            (0..dice.roll(4))
                .map(|_| generated(dice, depth - 1))
                .collect(),
        ),
        _ => Value::Dict(
            (0..3)
                .map(|i| {
                    (
                        Value::Tuple(vec![Value::from(i), generated(dice, 0)]),
                        generated(dice, depth - 1),
                    )
                })
                .collect(),
        ),
    }
}

#[test]
fn generated_values_survive_the_round_trip() {
    for seed in 1..2000 {
        let value = generated(&mut Dice::seeded(seed), 4);
        let bytes = to_marshal(&value).unwrap();
        assert_eq!(from_marshal(&bytes).unwrap(), value);
    }
}

#[test]
fn damaged_bytes_never_panic() {
    for seed in 1..2000 {
        let mut dice = Dice::seeded(seed);
        let mut bytes = to_marshal(&generated(&mut dice, 4)).unwrap();
        let at = dice.roll(bytes.len());
        bytes[at] ^= 1 << dice.roll(8);
        if let Ok(value) = from_marshal(&bytes) {
            assert!(to_marshal(&value).is_ok());
        }
    }
}
