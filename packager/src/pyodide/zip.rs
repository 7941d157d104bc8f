//! Zip archives that are the same bytes for the same files: sorted, compressed by one implementation, without times.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Version 2.0 of the format, for folders and compression.
const NEEDS: u16 = 20;
/// Made on Unix.
const MADE_BY: u16 = 0x0300 | NEEDS;
const DEFLATED: u16 = 8;
/// Midnight of 1 January 1980, the earliest date that archives have.
const DATE: u16 = 0x0021;
/// A plain file that everybody may read.
const ATTRIBUTES: u32 = 0o100_644 << 16;

/// An archive of files, given by their path with forward slashes.
///
/// # Panics
///
/// More than 65,535 files, or more than 4 GiB of them.
pub(crate) fn archive(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (path, contents) in files {
        let mut crc = flate2::Crc::new();
        crc.update(contents);
        let compressed = deflate(contents);
        let offset = size(bytes.len());
        // From the version to the length of the name, both kinds of headers say the same.
        let mut common = Vec::new();
        put16(&mut common, &[NEEDS, 0, DEFLATED, 0, DATE]);
        put32(
            &mut common,
            &[crc.sum(), size(compressed.len()), size(contents.len())],
        );
        put16(&mut common, &[short(path.len()), 0]);

        put32(&mut bytes, &[LOCAL]);
        bytes.extend(&common);
        bytes.extend(path.as_bytes());
        bytes.extend(compressed);

        put32(&mut directory, &[CENTRAL]);
        put16(&mut directory, &[MADE_BY]);
        directory.extend(&common);
        put16(&mut directory, &[0, 0, 0]);
        put32(&mut directory, &[ATTRIBUTES, offset]);
        directory.extend(path.as_bytes());
    }
    let start = size(bytes.len());
    bytes.extend(&directory);
    put32(&mut bytes, &[END]);
    let count = short(files.len());
    put16(&mut bytes, &[0, 0, count, count]);
    put32(&mut bytes, &[size(directory.len()), start]);
    put16(&mut bytes, &[0]);
    bytes
}

fn deflate(contents: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(contents)
        .and_then(|()| encoder.finish())
        .expect("compressing from memory into memory")
}

fn put16(bytes: &mut Vec<u8>, values: &[u16]) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn put32(bytes: &mut Vec<u8>, values: &[u32]) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn size(length: usize) -> u32 {
    u32::try_from(length).expect("less than 4 GiB")
}

fn short(length: usize) -> u16 {
    u16::try_from(length).expect("fewer than 65,536")
}
