use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;
use crate::media::{Audio, DType, PixelFormat, Tensor, VideoFrame};
use crate::testing::{self, is_same};

#[track_caller]
fn same(text: &str) {
    assert_eq!(to_json(&from_json(text).unwrap()).unwrap(), text);
}

#[track_caller]
fn message(result: Result<impl fmt::Debug, JsonError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn text_is_kept() {
    same("null");
    same(
        "[true,false,null,0,-1,9223372036854775807,9223372036854775808,-123456789012345678901234567890]",
    );
    same("[0.1,5.0,-0.0,1e+16,1.5e-07,123456789012345.0]");
    same(r#"{"z":1,"a":{"é":"日本 😀"},"":[]}"#);
    same(r#""quote \" slash \\ / \b\t\n\f\r \u0000 \u001f""#);
    same(r#"{"$bytes":"AAH/"}"#);
    same(r#"[{"$float":"nan"},{"$float":"inf"},{"$float":"-inf"}]"#);
}

#[test]
fn kinds_are_told_apart() {
    assert_eq!(from_json("5"), Ok(Value::Int(5)));
    assert_eq!(from_json("-0"), Ok(Value::Int(0)));
    assert_eq!(from_json("5.0"), Ok(Value::Float(5.0)));
    assert_eq!(from_json("5e0"), Ok(Value::Float(5.0)));
    assert_eq!(
        from_json("9223372036854775808"),
        Ok(Value::BigInt(BigInt::from(1_u64 << 63)))
    );
    assert_eq!(from_json("-9223372036854775808"), Ok(Value::Int(i64::MIN)));
    assert_eq!(from_json(r#"{"$bytes":""}"#), Ok(Value::Bytes(vec![])));
    // Only alone do the two keys mean something.
    let pair = from_json(r#"{"$bytes":"","a":1}"#).unwrap();
    assert_eq!(pair.get("$bytes"), Some(&Value::from("")));
}

#[test]
fn keys_are_written_as_python_does() {
    let keys = [
        Value::Null,
        Value::Bool(true),
        Value::Int(-5),
        Value::from(u64::MAX),
        Value::Float(2.0),
        Value::Float(f64::NAN),
        Value::Float(f64::NEG_INFINITY),
        Value::from("s"),
    ];
    let dict = Value::Dict(keys.into_iter().map(|key| (key, Value::Null)).collect());
    assert_eq!(
        to_json(&dict).unwrap(),
        r#"{"null":null,"true":null,"-5":null,"18446744073709551615":null,"2.0":null,"NaN":null,"-Infinity":null,"s":null}"#
    );
}

#[test]
fn what_json_lacks() {
    assert_eq!(to_json(&Value::Tuple(vec![Value::Int(1)])).unwrap(), "[1]");
    let lone = Value::SurrogateStr(b"a\xed\xa0\x80\"\xed\xb0\x80".to_vec());
    let text = r#""a\ud800\"\udc00""#;
    assert_eq!(to_json(&lone).unwrap(), text);
    assert_eq!(from_json(text), Ok(lone));
    // As in Python, halves that meet are one character.
    let halves = Value::SurrogateStr(b"\xed\xa0\xbd\xed\xb8\x80".to_vec());
    assert_eq!(from_json(&to_json(&halves).unwrap()), Ok(Value::from("😀")));
    assert_eq!(
        message(to_json(&Value::SurrogateStr(vec![0xFF]))),
        "$: text that is neither UTF-8 nor surrogates, at byte 0"
    );
}

#[test]
fn lone_surrogates_stand_anywhere_in_a_text() {
    same(r#"{"\udc00":["\ud800",1,{"é\ud83d":{"$bytes":"AAH/"}}],"😀":"x"}"#);
    assert_eq!(
        message(from_json("[\"é\\ud800\",\n\"\\udc00\" x]")),
        "line 2, column 10: expected `,` or `]`"
    );
    assert_eq!(
        message(from_json(r#"{"a\ud800": {"$float": "\udc00"}}"#)),
        r#"$["a�"]: `$float` must be "nan", "inf" or "-inf", found str with lone surrogates"#
    );
}

#[test]
fn media_is_read_as_it_is_written() {
    same(r#"{"$audio":{"sample_rate":16000,"channels":2,"samples":"AACAPwAAwH8="}}"#);
    same(r#"[{"$video":{"width":2,"height":1,"format":"rgb24","data":"AAECAwQF"}}]"#);
    same(r#"{"a":{"$tensor":{"shape":[1,2],"dtype":"i16","data":"AAABAA=="}}}"#);
    same(r#"{"$tensor":{"shape":[],"dtype":"u8","data":"/w=="}}"#);
    same(r#"{"$tensor":{"shape":[18446744073709551615,0],"dtype":"f64","data":""}}"#);
    let frame = VideoFrame::new(vec![9], 1, 1, PixelFormat::Gray8).unwrap();
    assert_eq!(
        from_json(r#"{"$video": {"data": "CQ==", "format": "gray8", "height": 1, "width": 1}}"#),
        Ok(Value::Video(frame))
    );
}

#[test]
fn media_that_does_not_fit_is_refused() {
    let audio = |fields: &str| message(from_json(&format!(r#"[{{"$audio": {fields}}}]"#)));
    assert_eq!(
        audio("5"),
        "$[0]: `$audio` must hold an object, found int 5"
    );
    assert_eq!(
        audio(r#"{"sample_rate": 1, "channels": 1}"#),
        "$[0]: `$audio` lacks `samples`"
    );
    assert_eq!(
        audio(r#"{"sample_rate": 1, "channels": 1, "samples": "", "x": 1}"#),
        "$[0]: `$audio` has no field `x`"
    );
    assert_eq!(
        audio(r#"{"sample_rate": 1, "channels": 65536, "samples": ""}"#),
        "$[0]: `$audio.channels` must be a whole number in its range, found int 65536"
    );
    assert_eq!(
        audio(r#"{"sample_rate": 1, "channels": 1, "samples": "AA="}"#),
        "$[0]: `$audio.samples` must hold padded base64 (Invalid padding)"
    );
    assert_eq!(
        audio(r#"{"sample_rate": 1, "channels": 1, "samples": "AAAAAAA="}"#),
        "$[0]: `$audio`: 5 bytes are not a whole number of 32-bit samples"
    );
    assert_eq!(
        audio(r#"{"sample_rate": 0, "channels": 1, "samples": ""}"#),
        "$[0]: `$audio`: audio needs at least one channel and a sample rate above 0, not 1 channels at 0 Hz"
    );
    assert_eq!(
        message(from_json(
            r#"{"$video": {"width": 1, "height": 1, "format": "png", "data": ""}}"#
        )),
        r#"$: `$video.format` must be one of rgb24, rgba32, gray8, yuv420p, found str "png""#
    );
    assert_eq!(
        message(from_json(
            r#"{"$tensor": {"shape": [2, -1], "dtype": "u8", "data": ""}}"#
        )),
        "$: `$tensor.shape` must be a whole number in its range, found int -1"
    );
    assert_eq!(
        message(from_json(
            r#"{"$tensor": {"shape": [2], "dtype": "u8", "data": "AA=="}}"#
        )),
        "$: `$tensor`: a tensor of shape [2] and type u8 takes 2 bytes, not 1"
    );
}

#[test]
fn dictionaries_that_look_like_something_else_stay_dictionaries() {
    for key in [
        "$bytes", "$float", "$audio", "$dict", "$packet", "$", "$other",
    ] {
        let dict = Value::Dict(vec![(Value::from(key), Value::from("AA=="))]);
        let text = to_json(&dict).unwrap();
        assert_eq!(text, format!(r#"{{"$dict":[["{key}","AA=="]]}}"#));
        assert_eq!(from_json(&text), Ok(dict));
    }
    same(r#"{"$dict":[["$dict",{"$dict":[["$bytes",[]]]}]]}"#);
    same(r#"{"$bytes":1,"$float":2}"#);
    // A single key that means nothing is let through, and written with care.
    assert_eq!(
        from_json(r#"{"$new": 1}"#),
        Ok(Value::Dict(vec![(Value::from("$new"), Value::Int(1))]))
    );
}

#[test]
fn lists_of_pairs_are_dictionaries() {
    let dict = from_json(
        r#"{"$dict": [[1, "a"], [null, "b"], [{"$bytes": "AA=="}, "c"], ["1", "d"], [1.5, "e"], [true, "f"], [1.0, "g"]]}"#,
    );
    let expected = [
        // As in Python, one is equal to true.
        (Value::Int(1), "g"),
        (Value::Null, "b"),
        (Value::Bytes(vec![0]), "c"),
        (Value::from("1"), "d"),
        (Value::Float(1.5), "e"),
    ];
    let expected = expected.map(|(key, text)| (key, Value::from(text)));
    assert_eq!(dict, Ok(Value::Dict(expected.to_vec())));
    assert_eq!(from_json(r#"{"$dict": []}"#), Ok(Value::Dict(vec![])));
    for (text, expected) in [
        (
            r#"{"$dict": {}}"#,
            "$: `$dict` must hold a list of pairs, found dict of 0",
        ),
        (
            r#"{"$dict": [[1, 2], [3]]}"#,
            "$: `$dict[1]` must be a list of a key and a value, found list of 1",
        ),
        (
            r#"{"$dict": [[[], 2]]}"#,
            "$: `$dict[0]`: a list cannot be a key of a dict",
        ),
        (
            r#"{"$dict": [["a", {"$bytes": 1}]]}"#,
            "$.$dict[0][1]: `$bytes` must hold padded base64, found int 1",
        ),
    ] {
        assert_eq!(message(from_json(text)), expected);
    }
}

#[test]
fn errors_name_the_place() {
    let key = Value::Dict(vec![(Value::Tuple(vec![]), Value::Null)]);
    let nested = Value::Dict(vec![
        (Value::from("ok"), Value::Null),
        (
            Value::from("a"),
            Value::List(vec![
                Value::Null,
                Value::Dict(vec![(Value::from("b c"), key)]),
            ]),
        ),
    ]);
    assert_eq!(
        message(to_json(&nested)),
        r#"$.a[1]["b c"]: a tuple cannot be an object key in JSON"#
    );
    assert_eq!(
        message(from_json(r#"[0, {"x": {"$bytes": "A"}}]"#)),
        "$[1].x: `$bytes` must hold padded base64 (Invalid input length: 1)"
    );
    assert_eq!(
        message(from_json(r#"{"x": {"$float": "5"}}"#)),
        r#"$.x: `$float` must be "nan", "inf" or "-inf", found str "5""#
    );
    assert_eq!(
        message(from_json("[1e400]")),
        "$[0]: 1e+400 is too large for a float"
    );
}

#[test]
fn syntax_errors_have_a_line_and_column() {
    assert_eq!(
        message(from_json("{\n  \"é\": x\n}")),
        "line 2, column 8: expected value"
    );
    assert_eq!(
        message(from_json("[1,")),
        "line 1, column 3: EOF while parsing a value"
    );
    assert_eq!(
        message(from_json("1 2")),
        "line 1, column 3: trailing characters"
    );
    assert!(message(from_json("")).starts_with("line 1, column 1: EOF"));
    for text in [
        r#""\ud80""#,
        r#""\ud800" x"#,
        "NaN",
        "01",
        "[1,]",
        "'a'",
        "\"\n\"",
        "// c\n1",
    ] {
        assert!(
            matches!(from_json(text), Err(JsonError::Syntax { .. })),
            "{text}"
        );
    }
}

#[test]
fn depth_is_bounded() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    same(&deep(MAX_DEPTH));
    assert_eq!(from_json(&deep(MAX_DEPTH + 1)), Err(JsonError::TooDeep));
    assert_eq!(
        from_json(&"{\"a\":".repeat(1_000_000)),
        Err(JsonError::TooDeep)
    );
    // Brackets inside strings nest nothing, nor does a quote that is escaped end one.
    same(&format!("[\"{}\\\"[[\",\"\\\\\"]", "[".repeat(MAX_DEPTH)));
    let too_deep = Value::List(vec![from_json(&deep(MAX_DEPTH)).unwrap()]);
    assert_eq!(to_json(&too_deep), Err(JsonError::TooDeep));
    // What is written can be read: forms nest too.
    let forms = [
        (1, Value::Bytes(vec![])),
        (1, Value::Float(f64::INFINITY)),
        (2, Audio::new(vec![], 1, 1).unwrap().into()),
        (3, Tensor::new(vec![0], vec![], DType::U8).unwrap().into()),
        (3, Value::Dict(vec![(Value::from("$"), Value::Null)])),
    ];
    for (levels, value) in forms {
        let around = |value: &Value, n| (0..n).fold(value.clone(), |v, _| Value::List(vec![v]));
        let text = to_json(&around(&value, MAX_DEPTH - levels)).unwrap();
        same(&text);
        let too_deep = around(&value, MAX_DEPTH - levels + 1);
        assert_eq!(to_json(&too_deep), Err(JsonError::TooDeep), "{value:?}");
    }
}

#[test]
fn values_embed_in_serde_documents() {
    let value = from_json(r#"{"b":[1,2.50,18446744073709551616],"a":{"$bytes":"AA=="}}"#).unwrap();
    let text = serde_json::to_string(&value).unwrap();
    assert_eq!(
        text,
        r#"{"b":[1,2.5,18446744073709551616],"a":{"$bytes":"AA=="}}"#
    );
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
}

#[test]
fn towers_survive() {
    for value in testing::towers(200) {
        let text = to_json(&value).unwrap();
        // Tuples are lists, and NaN is among the samples.
        assert_eq!(to_json(&from_json(&text).unwrap()), Ok(text));
    }
}

proptest! {
    #[test]
    fn what_json_carries_survives(value in testing::json_values()) {
        let text = to_json(&value).unwrap();
        let back = from_json(&text).unwrap();
        prop_assert!(is_same(&back, &value), "{text}");
        prop_assert_eq!(to_json(&back).unwrap(), text);
    }

    #[test]
    fn what_json_changes_changes_once(value in testing::values()) {
        // Bytes and tuples as keys are refused.
        if let Ok(text) = to_json(&value) {
            let changed = from_json(&text).unwrap();
            let back = from_json(&to_json(&changed).unwrap()).unwrap();
            prop_assert!(is_same(&back, &changed), "{text}");
        }
    }

    #[test]
    fn damage_is_an_error_or_another_value(
        value in testing::json_values(),
        damages in testing::damages(),
    ) {
        let bytes = testing::damaged(to_json(&value).unwrap().into_bytes(), &damages);
        let text = String::from_utf8_lossy(&bytes);
        let _ = from_json_packet(&text);
        if let Ok(read) = from_json(&text) {
            prop_assert!(testing::footprint(&read) <= 160 * text.len());
            if let Ok(text) = to_json(&read) {
                prop_assert!(from_json(&text).is_ok(), "{text}");
            }
        }
    }
}

#[test]
fn integers_of_many_digits_are_read_in_parts() {
    let digits = |count: usize| -> String {
        (0..count)
            .map(|place| char::from(b'0' + u8::try_from(place * 7 % 10).unwrap()))
            .collect()
    };
    for count in [1, 19, 20, 2047, 2048, 2049, 4096, 4097, 6145, 10_000] {
        let text = format!("9{}", digits(count - 1));
        let expected: BigInt = text.parse().unwrap();
        assert_eq!(from_json(&text).unwrap(), Value::from(expected.clone()));
        let negative = from_json(&format!("-{text}")).unwrap();
        assert_eq!(negative, Value::from(-expected));
    }
    // Digit by digit this took 25 s.
    let started = std::time::Instant::now();
    let value = from_json(&"9".repeat(2_000_000)).unwrap();
    assert_eq!(value.describe(), "int of 6643857 bits");
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}
