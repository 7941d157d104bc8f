use std::f64::consts::TAU;

use super::super::tests::{flush, process, samples};
use super::*;
use crate::testing::Dice;

fn node(sample_rate: u32, quality: &str) -> Box<dyn Node> {
    let params = [
        ("sample_rate", Value::from(sample_rate)),
        ("quality", quality.into()),
    ];
    create(&params.into_iter().collect()).unwrap()
}

/// A tone of half scale, in Hz, that swells and dies away within some seconds; so nothing depends on what is before its
/// start and behind its end.
fn tone(hertz: f64, sample_rate: u32, seconds: f64) -> Vec<f32> {
    let times = (0_u32..).map(|frame| f64::from(frame) / f64::from(sample_rate));
    #[expect(clippy::cast_possible_truncation, reason = "samples are 32 bits wide")]
    let sample = |time: f64| {
        let swell = (TAU / 2.0 * time / seconds).sin().powi(2);
        (0.5 * swell * (TAU * hertz * time).sin()) as f32
    };
    times
        .take_while(|time| *time < seconds)
        .map(sample)
        .collect()
}

/// Feeds a stream in packets of the lengths that come, in frames.
fn resample(
    node: &mut dyn Node,
    audio: &Audio,
    session: Option<&str>,
    timestamp_us: Option<i64>,
    mut lengths: impl FnMut() -> usize,
) -> Vec<Emission> {
    let channels = usize::from(audio.channels());
    let mut rest = audio.samples();
    let (mut given, mut frame) = (Vec::new(), 0);
    while !rest.is_empty() {
        let length = lengths().min(rest.len() / channels);
        let (packet, behind) = rest.split_at(length * channels);
        let packet = Audio::new(packet.to_vec(), audio.sample_rate(), audio.channels()).unwrap();
        let timestamp =
            timestamp_us.map(|start| start + super::super::duration_us(frame, audio.sample_rate()));
        given.extend(process(node, packet, session, timestamp));
        frame += count(length);
        rest = behind;
    }
    given
}

fn joined(emissions: &[Emission]) -> Vec<f32> {
    emissions.iter().flat_map(samples).copied().collect()
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let worst = differences.fold(0.0, f32::max);
    assert!(worst <= tolerance, "{what}: {worst}");
}

#[test]
fn a_tone_stays_in_place() {
    let rates = [8000, 11025, 16000, 44100, 48000];
    for from in rates {
        for to in rates {
            let audio = Audio::new(tone(1000.0, from, 0.1), from, 1).unwrap();
            let mut node = node(to, "low");
            let mut given = resample(&mut *node, &audio, None, None, || 1 << 20);
            given.extend(flush(&mut *node));
            let expected = tone(1000.0, to, 0.1);
            let found = joined(&given);
            assert_eq!(
                count(found.len()),
                resampled_frames(count(audio.frames()), from, to)
            );
            // A tenth of a second is not always a whole number of frames.
            let common = found.len().min(expected.len());
            let what = format!("{from} Hz to {to} Hz");
            assert_close(&found[..common], &expected[..common], 2e-4, &what);
        }
    }
}

#[test]
fn rates_with_little_in_common_are_interpolated() {
    for (from, to) in [(44_100, 44_101), (47_999, 16_001), (7_919, 48_017)] {
        let audio = Audio::new(tone(500.0, from, 0.25), from, 1).unwrap();
        let mut node = node(to, "medium");
        let mut given = resample(&mut *node, &audio, None, None, || 1000);
        given.extend(flush(&mut *node));
        let what = format!("{from} Hz to {to} Hz");
        let (found, expected) = (joined(&given), tone(500.0, to, 0.25));
        let common = found.len().min(expected.len());
        assert!(found.len() - common <= 1);
        assert_close(&found[..common], &expected[..common], 2e-5, &what);
    }
}

#[test]
fn what_the_lower_rate_cannot_carry_is_removed() {
    for quality in ["low", "medium", "high"] {
        let audio = Audio::new(tone(8500.0, 48_000, 0.25), 48_000, 1).unwrap();
        let mut node = node(16_000, quality);
        let mut given = resample(&mut *node, &audio, None, None, || 4800);
        given.extend(flush(&mut *node));
        assert_close(&joined(&given), &[0.0; 4000], 1e-5, quality);
    }
}

#[test]
fn cutting_does_not_matter() {
    let [left, right] = [440.0, 3000.0].map(|hertz| tone(hertz, 44_100, 0.2269));
    let both: Vec<f32> = left
        .into_iter()
        .zip(right)
        .flat_map(<[f32; 2]>::from)
        .collect();
    let audio = Audio::new(both, 44_100, 2).unwrap();
    let whole = {
        let mut node = node(16_000, "medium");
        let mut given = resample(&mut *node, &audio, None, None, || 1 << 20);
        given.extend(flush(&mut *node));
        joined(&given)
    };
    assert_eq!(whole.len(), 2 * 3631);
    for seed in 0..10 {
        let mut dice = Dice::seeded(seed);
        let longest = [1, 3, 100, 441, 2000][dice.roll(5)];
        let mut node = node(16_000, "medium");
        let mut given = resample(&mut *node, &audio, None, Some(500), || {
            1 + dice.roll(longest)
        });
        given.extend(flush(&mut *node));
        assert_eq!(joined(&given), whole);

        let mut frame = 0;
        for emission in &given {
            let timestamp = 500 + super::super::duration_us(frame, 16_000);
            assert_eq!(emission.timestamp_us, Some(timestamp));
            frame += count(samples(emission).len() / 2);
        }
    }
}

#[test]
fn sessions_do_not_mix() {
    let [a, b] = [300.0, 700.0].map(|hertz| Audio::new(tone(hertz, 8000, 0.25), 8000, 1).unwrap());
    let alone = |audio: &Audio| {
        let mut node = node(16_000, "low");
        let mut given = resample(&mut *node, audio, None, None, || 160);
        given.extend(flush(&mut *node));
        joined(&given)
    };
    let mut node = node(16_000, "low");
    let mut given = [Vec::new(), Vec::new()];
    let packets = a.samples().chunks(160).zip(b.samples().chunks(160));
    for (a, b) in packets {
        for (session, packet) in [a, b].into_iter().enumerate() {
            let packet = Audio::new(packet.to_vec(), 8000, 1).unwrap();
            let name = ["a", "b"][session];
            given[session].extend(process(&mut *node, packet, Some(name), None));
        }
    }
    let tails = flush(&mut *node);
    let names: Vec<_> = tails.iter().map(|tail| tail.session.as_deref()).collect();
    assert_eq!(names, [Some("a"), Some("b")]);
    for (given, tail) in given.iter_mut().zip(tails) {
        given.push(tail);
    }
    assert_eq!(joined(&given[0]), alone(&a));
    assert_eq!(joined(&given[1]), alone(&b));
}

#[test]
fn another_format_is_another_stream() {
    let mut node = node(16_000, "medium");
    let mut given = process(
        &mut *node,
        Audio::new(vec![0.1; 240], 48_000, 1).unwrap(),
        None,
        Some(0),
    );
    // Too short for anything to be computed; so it comes when the stream has changed.
    assert_eq!(given, []);
    for (audio, timestamp) in [
        (Audio::new(vec![0.1; 100], 16_000, 1).unwrap(), 10_000),
        (Audio::new(vec![0.1; 200], 48_000, 2).unwrap(), 20_000),
    ] {
        given.extend(process(&mut *node, audio, None, Some(timestamp)));
    }
    given.extend(flush(&mut *node));
    let shown: Vec<_> = given
        .iter()
        .map(|emission| match &emission.value {
            Value::Audio(audio) => (emission.timestamp_us, audio.channels(), audio.frames()),
            other => panic!("{}", other.describe()),
        })
        .collect();
    // What passes unchanged keeps its packet's own timestamp.
    assert_eq!(
        shown,
        [(Some(0), 1, 80), (None, 1, 100), (Some(20_000), 2, 33)]
    );
    assert_eq!(flush(&mut *node), []);
}

#[test]
fn params_and_inputs_are_checked() {
    let message = |params: &[(&str, Value)], input: Value| {
        let node = create(&params.iter().cloned().collect());
        let process = |mut node: Box<dyn Node>| node.process(input, &mut Outputs::new());
        node.and_then(process).unwrap_err().to_string()
    };
    let rate = |rate: u32| ("sample_rate", Value::from(rate));
    assert_eq!(
        message(&[rate(0)], Value::Null),
        "param `sample_rate`: expected 1 to 4294967295 Hz, found 0"
    );
    assert_eq!(
        message(&[rate(8000), ("quality", "best".into())], Value::Null),
        "param `quality`: expected one of `low`, `medium`, `high`, found str \"best\""
    );
    assert_eq!(
        message(&[rate(8000)], "a".into()),
        "expected Audio, got str \"a\""
    );
    assert_eq!(
        message(&[rate(100)], Audio::new(vec![], 48_000, 1).unwrap().into()),
        "cannot resample from 48000 to 100 Hz: one is more than 256 times the other"
    );
}

#[test]
fn extremes_work() {
    for (from, to) in [
        (1, 256),
        (256, 1),
        (192_000, 751),
        (3, 1),
        (4_000_000_000, 4_000_000_001),
    ] {
        let audio = Audio::new(vec![0.25; 300], from, 1).unwrap();
        let mut node = node(to, "low");
        let mut given = resample(&mut *node, &audio, None, None, || 100);
        given.extend(flush(&mut *node));
        let expected = resampled_frames(300, from, to);
        assert_eq!(
            count(joined(&given).len()),
            expected,
            "{from} Hz to {to} Hz"
        );
    }
}
