//! Archives and wheels are read back by other programs than the one that wrote them.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::DeflateDecoder;

use super::wheel::Wheel;
use super::{FIRST_MODULE, Facts, guest, path_of, pyc, uses, zip};

/// The entries of an archive, by its directory.
fn entries(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize, width: usize| {
        let bytes = archive[at..at + width].iter().rev();
        bytes.fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let end = archive.len() - 22;
    assert_eq!(archive[end..end + 4], *b"PK\x05\x06");
    let mut at = number(end + 16, 4);
    let mut entries = Vec::new();
    for _ in 0..number(end + 10, 2) {
        assert_eq!(archive[at..at + 4], *b"PK\x01\x02");
        let (crc, compressed) = (number(at + 16, 4), number(at + 20, 4));
        let (size, name, local) = (number(at + 24, 4), number(at + 28, 2), number(at + 42, 4));
        let path = std::str::from_utf8(&archive[at + 46..at + 46 + name]).unwrap();
        // The header in front of the contents says the same.
        assert_eq!(archive[local..local + 4], *b"PK\x03\x04");
        assert_eq!(archive[local + 4..local + 30], archive[at + 6..at + 32]);
        let start = local + 30 + name;
        let mut contents = Vec::new();
        DeflateDecoder::new(&archive[start..start + compressed])
            .read_to_end(&mut contents)
            .unwrap();
        assert_eq!(contents.len(), size);
        let mut sum = flate2::Crc::new();
        sum.update(&contents);
        assert_eq!(sum.sum() as usize, crc);
        entries.push((path.to_owned(), contents));
        at += 46 + name;
    }
    assert_eq!(at, end);
    entries
}

#[test]
fn an_archive_has_what_was_put_in_sorted_and_without_times() {
    let files = BTreeMap::from([
        ("b/c.pyc".to_owned(), vec![7; 10_000]),
        ("a.pyc".to_owned(), Vec::new()),
        ("b.pyc".to_owned(), (0..=255).collect()),
    ]);
    let archive = zip::archive(&files);
    assert!(archive.len() < 700, "{}", archive.len());
    assert_eq!(entries(&archive), files.into_iter().collect::<Vec<_>>());
}

#[test]
fn a_wheel_records_every_file_with_its_hash() {
    let wheel = Wheel {
        name: "text-processor".into(),
        version: "0.1.0".into(),
        summary: "a test".into(),
        files: BTreeMap::from([("text_processor.pyc".to_owned(), b"code".to_vec())]),
    };
    let entries: BTreeMap<_, _> = entries(&wheel.to_bytes()).into_iter().collect();
    let text = |name: &str| {
        let path = format!("text_processor-0.1.0.dist-info/{name}");
        String::from_utf8(entries[&path].clone()).unwrap()
    };
    assert!(
        text("METADATA")
            .starts_with("Metadata-Version: 2.1\nName: text-processor\nVersion: 0.1.0\n")
    );
    assert!(text("WHEEL").ends_with("Root-Is-Purelib: true\nTag: cp314-none-any\n"));
    let record = text("RECORD");
    let recorded: Vec<_> = record
        .lines()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    let mut there: Vec<_> = entries.keys().map(String::as_str).collect();
    there.sort_by_key(|path| path.ends_with("/RECORD"));
    assert_eq!(recorded, there);
    let line = "text_processor.pyc,sha256=VpTQii5T_8rgwxA-Wtb2B2q9lg6x-KVldwQLwQKPcCs,4\n";
    assert!(record.contains(line), "{record}");
}

#[test]
fn code_is_in_the_form_that_python_imports_without_a_source() {
    let facts = Facts::known();
    let bytes = pyc(&facts, b"code");
    assert_eq!(bytes[2..4], *b"\r\n", "the end of every magic number");
    assert_eq!(bytes[4..8], [1, 0, 0, 0], "a hash that is not checked");
    assert_eq!(bytes[16..], *b"code");
    assert_eq!(path_of("json.decoder", false), "json/decoder.pyc");
    assert_eq!(path_of("json", true), "json/__init__.pyc");
}

#[test]
fn what_is_known_of_pyodide_is_whole() {
    let facts = Facts::known();
    assert!(facts.python.starts_with("3.14."));
    assert_eq!(facts.lock["python"], *facts.python);
    assert!(facts.keep.iter().any(|name| name.starts_with(FIRST_MODULE)));
    let guest = guest();
    for module in super::BOOT {
        assert!(guest.contains_key(module), "{module}");
    }
    assert!(guest.contains_key("_rm_pyodide") && guest.contains_key("_rm_nodes"));
    let (path, text) = uses();
    assert_eq!(path, "_rm_uses.py");
    assert!(text.contains(&format!("from version {}.", facts.pyodide)));
}
