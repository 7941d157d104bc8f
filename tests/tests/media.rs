//! Sound, pictures, tensors and large buffers on their way to Python and back, and WAV files on theirs through a pipeline.

mod packed;

use std::path::Path;

use end_to_end::{Finished, rm_pack, tree};
use packed::{python, run, through};
use rm_runtime::media::{Audio, DType, PixelFormat, Tensor, VideoFrame};
use rm_runtime::value::Value;

const ECHO: &str = "class Case:\n    def process(self, data):\n        return data\n";

const MIB: usize = 1 << 20;

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

fn sound(samples: usize, channels: u16) -> Value {
    let samples = noise(samples).into_iter();
    let samples: Vec<_> = samples.map(|byte| f32::from(byte) / 256.0 - 0.5).collect();
    Audio::new(samples, 48_000, channels).unwrap().into()
}

fn picture() -> Value {
    let frame = VideoFrame::new(noise(512 * 512 * 4), 512, 512, PixelFormat::Rgba32);
    frame.unwrap().into()
}

fn tensor() -> Value {
    let shape = vec![256, 512, 2];
    Tensor::new(noise(MIB), shape, DType::F32).unwrap().into()
}

fn large() -> Vec<Value> {
    vec![noise(MIB).into(), sound(MIB / 4, 2), picture(), tensor()]
}

#[test]
fn large_buffers_come_back_unchanged() {
    // A tensor of noise has NaNs, which differ from themselves: its bytes are compared.
    let bits = |value: &Value| match value {
        Value::Tensor(tensor) => (tensor.shape().to_vec(), tensor.data().to_vec()),
        other => panic!("{}", other.describe()),
    };
    let outputs = run(&python(ECHO), large());
    assert_eq!(outputs[..3], large()[..3]);
    assert_eq!(bits(&outputs[3]), bits(&tensor()));
    assert_eq!(outputs.len(), 4);
}

#[test]
fn every_format_of_pictures_and_numbers_comes_back_unchanged() {
    let mut items = Vec::new();
    for format in PixelFormat::ALL {
        for (width, height) in [(0, 0), (1, 1), (3, 5), (640, 360)] {
            let bytes = format.bytes(width, height).unwrap();
            items.push(Value::from(
                VideoFrame::new(noise(bytes), width, height, format).unwrap(),
            ));
        }
    }
    for dtype in DType::ALL {
        for shape in [vec![], vec![0], vec![3], vec![2, 0, 3], vec![5, 7, 64]] {
            let count: usize = shape.iter().product();
            let bytes = vec![1; count * dtype.size()];
            items.push(Tensor::new(bytes, shape, dtype).unwrap().into());
        }
    }
    for samples in [0, 2, 2 * 882, MIB] {
        items.push(sound(samples, 2));
    }
    assert_eq!(run(&python(ECHO), items.clone()), items);
}

#[test]
fn media_may_stand_in_lists_and_dictionaries() {
    let nested = |value: Value| {
        Value::Dict(vec![
            ("plain".into(), 1.into()),
            (
                "inside".into(),
                Value::List(vec![
                    value.clone(),
                    Value::Tuple(vec![value.clone(), "text".into()]),
                    Value::Dict(vec![(Value::Int(7), value)]),
                ]),
            ),
        ])
    };
    let items: Vec<Value> = large().into_iter().take(3).map(nested).collect();
    assert_eq!(run(&python(ECHO), items.clone()), items);
    let small = nested(sound(10, 1));
    assert_eq!(run(&python(ECHO), [small.clone()]), [small]);
}

#[test]
fn python_sees_media_with_what_is_said_about_them() {
    let source = "
from remotemedia import Audio, Tensor, VideoFrame


class Case:
    def process(self, data):
        if isinstance(data, Audio):
            return [data.sample_rate, data.channels, data.frames, list(data.samples[:2]), data.samples.format]
        if isinstance(data, VideoFrame):
            return [data.width, data.height, data.format, data.data.nbytes]
        if isinstance(data, Tensor):
            return [list(data.shape), data.dtype, data.tolist()]
";
    let items: Vec<Value> = vec![
        Audio::new(vec![0.5, -0.25, 0.0, 1.0], 8000, 2)
            .unwrap()
            .into(),
        VideoFrame::new(vec![1; 6], 2, 2, PixelFormat::Yuv420p)
            .unwrap()
            .into(),
        Tensor::new(vec![1, 0, 2, 0, 255, 255], vec![3, 1], DType::I16)
            .unwrap()
            .into(),
    ];
    let outputs = run(&python(source), items);
    let expected = r#"[[8000,2,2,[0.5,-0.25],"f"],[2,2,"yuv420p",6],[[3,1],"i16",[[1],[2],[-1]]]]"#;
    assert_eq!(packed::json(outputs), expected);
}

#[test]
fn python_makes_media() {
    let source = "
from array import array

from remotemedia import Audio, Tensor, VideoFrame


class Case:
    def process(self, data):
        yield Audio([0.5] * data, 8000)
        yield Audio(array('f', [0.5] * data), 8000, channels=1)
        yield VideoFrame(bytes(3 * data), data, 1)
        yield Tensor([1, 2] * data, (data, 2), 'u16')
";
    for count in [2_u32, 20_000] {
        let size = count as usize;
        let audio: Value = Audio::new(vec![0.5; size], 8000, 1).unwrap().into();
        let frame = VideoFrame::new(vec![0; 3 * size], count, 1, PixelFormat::Rgb24);
        let tensor = Tensor::new([1, 0, 2, 0].repeat(size), vec![size, 2], DType::U16);
        let expected = [
            audio.clone(),
            audio,
            frame.unwrap().into(),
            tensor.unwrap().into(),
        ];
        assert_eq!(run(&python(source), [count]), expected);
    }
}

/// Whatever Python may do with memory that it got or gives: cut it, keep it, write to it, give it twice.
#[test]
fn buffers_are_python_s_own() {
    let source = "
class Case:
    kept = None

    def process(self, data):
        view = memoryview(data)
        yield view
        yield view[1::2]
        changed = bytearray(data)
        yield changed
        changed[0] ^= 255
        yield changed
        yield [data, data]
        if self.kept is not None:
            yield self.kept
        self.kept = data
";
    for size in [10, 5000, MIB] {
        let (one, other) = (noise(size), noise(size + 1)[1..].to_vec());
        let outputs = run(&python(source), [one.clone(), other.clone()]);
        let of = |data: &Vec<u8>| {
            let halved: Vec<u8> = data.iter().skip(1).step_by(2).copied().collect();
            let mut changed = data.clone();
            changed[0] ^= 255;
            let twice = Value::List(vec![data.clone().into(), data.clone().into()]);
            [
                data.clone().into(),
                halved.into(),
                data.clone().into(),
                changed.into(),
                twice,
            ]
        };
        let mut expected: Vec<Value> = of(&one).into();
        expected.extend(of(&other));
        expected.push(one.into());
        assert_eq!(outputs.len(), expected.len());
        for (place, (output, expected)) in outputs.iter().zip(&expected).enumerate() {
            assert!(output == expected, "output {place} of {size} bytes");
        }
    }
}

#[test]
fn an_odd_length_of_samples_is_the_node_s_error() {
    let source = "
from remotemedia import Audio


class Case:
    def process(self, data):
        try:
            Audio(bytes(data), 8000, 2)
        except ValueError as error:
            return str(error)
";
    let outputs = through(&python(source), "[8, 12, 7]");
    let expected = r#"["3 samples cannot be shared out over 2 channels","samples take 4 bytes each, and 7 is not a multiple of 4"]"#;
    assert_eq!(outputs, expected);
}

/// A WAV file of 16-bit samples.
fn wav(samples: &[i16], rate: u32, channels: u16) -> Vec<u8> {
    let data = u32::try_from(samples.len() * 2).unwrap();
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + data).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(data.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// The chunk of a RIFF file with this name.
fn chunk<'a>(file: &'a [u8], name: &[u8]) -> &'a [u8] {
    let mut rest = &file[12..];
    loop {
        let size: [u8; 4] = rest[4..8].try_into().unwrap();
        let size = u32::from_le_bytes(size) as usize;
        let (head, tail) = rest[8..].split_at(size);
        if &rest[..4] == name {
            return head;
        }
        rest = &tail[size % 2..];
    }
}

const PIPELINE: &str = "
version: v1
metadata: {name: sound}
nodes: [{id: rust, node_type: Echo}, {id: case, node_type: Case}]
connections: [{from: rust, to: case}]
";

fn in_and_out(folder: &Path, file: &[u8], node: &str) -> Finished {
    let files: [(&str, &[u8]); 3] = [
        ("pipeline.yaml", PIPELINE.as_bytes()),
        ("nodes.py", node.as_bytes()),
        ("in.wav", file),
    ];
    tree::write(folder, files);
    let mut command = rm_pack();
    command.current_dir(folder);
    let arguments = "run pipeline.yaml --input in.wav --output out.wav";
    Finished::of(command.args(arguments.split(' ')))
}

#[test]
fn a_wav_file_comes_out_as_it_went_in() {
    for (frames, rate, channels) in [
        (1, 8000, 1),
        (159, 8000, 1),
        (44_100 + 7, 44_100, 2),
        (11_025, 11_025, 2),
        (4803, 48_000, 5),
    ] {
        let mut samples: Vec<i16> = noise(frames * usize::from(channels) * 2)
            .chunks_exact(2)
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        samples[0] = i16::MIN;
        let folder = tempfile::tempdir().unwrap();
        let finished = in_and_out(folder.path(), &wav(&samples, rate, channels), ECHO);
        finished.success();
        let out = std::fs::read(folder.path().join("out.wav")).unwrap();
        let number = |at: usize| {
            let bytes = &chunk(&out, b"fmt ")[at..at + 4];
            u32::from_le_bytes(bytes.try_into().unwrap())
        };
        assert_eq!((number(0) >> 16, number(4)), (channels.into(), rate));
        let given: Vec<f32> = chunk(&out, b"data")
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        let expected: Vec<f32> = samples
            .iter()
            .map(|sample| f32::from(*sample) / 32_768.0)
            .collect();
        assert!(given == expected, "{frames} frames, {channels} channels");
    }
}

#[test]
fn packets_of_a_wav_file_are_20_ms_and_know_their_time() {
    let source = "
from remotemedia import Node


class Case(Node):
    def process(self, data):
        return [data.frames, data.channels, data.sample_rate, self.metadata.timestamp_us]
";
    let folder = tempfile::tempdir().unwrap();
    let file = wav(&[0; 2 * (2 * 882 + 5)], 44_100, 2);
    let files: [(&str, &[u8]); 3] = [
        ("pipeline.yaml", PIPELINE.as_bytes()),
        ("nodes.py", source.as_bytes()),
        ("in.wav", &file),
    ];
    tree::write(folder.path(), files);
    let mut command = rm_pack();
    command.current_dir(folder.path());
    let outputs = Finished::of(command.args("run pipeline.yaml --input in.wav".split(' ')));
    let expected = "[882,2,44100,0]\n[882,2,44100,20000]\n[5,2,44100,40000]\n";
    assert_eq!(outputs.success(), expected);
}

#[test]
fn a_pipeline_that_fails_leaves_no_wav_file() {
    let source = "
class Case:
    seen = 0

    def process(self, data):
        self.seen += 1
        return data if self.seen < 3 else 1 // 0
";
    let folder = tempfile::tempdir().unwrap();
    let finished = in_and_out(folder.path(), &wav(&[1; 8000], 8000, 1), source);
    let said = finished.failure(5);
    assert!(said.contains("failed on item 3"), "{said}");
    let left: Vec<_> = tree::read(folder.path()).into_keys().collect();
    assert_eq!(left, ["in.wav", "nodes.py", "pipeline.yaml"]);
}

/// Whoever records what is played to the pipeline ends it with Ctrl-C, and wants the recording.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_recording_and_keeps_it() {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Command, Stdio};

    let nodes = "from remotemedia import Audio\n\nclass Case:\n    def process(self, data):\n        yield Audio([0.5] * 80, 8000, 1)\n        yield data\n";
    let folder = tempfile::tempdir().unwrap();
    tree::write(
        folder.path(),
        [
            ("nodes.py", nodes.as_bytes()),
            (
                "pipeline.yaml",
                b"version: v1\nmetadata: {name: case}\nnodes:\n  - {id: case, node_type: Case}\n",
            ),
        ],
    );
    let mut run = rm_pack()
        .current_dir(folder.path())
        .args("run pipeline.yaml --input - --output out.wav".split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut items = run.stdin.take().unwrap();
    items.write_all(b"1\n").unwrap();
    // What comes behind the sound says that the sound was taken; the input stays open.
    let mut said = BufReader::new(run.stdout.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "1");
    let interrupted = Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    assert!(run.wait().unwrap().success());
    drop(items);
    let out = std::fs::read(folder.path().join("out.wav")).unwrap();
    assert_eq!(chunk(&out, b"data").len(), 80 * 4);
}
