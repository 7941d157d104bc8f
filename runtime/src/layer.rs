//! An application as a layer: what its imports changed in the engine's memory.
//!
//! A layer belongs to one exact engine. It is a list of *runs* (an address and the bytes there), packed into *batches*
//! that an engine's `layer-write` takes as they are:
//!
//! ```text
//! layer   = "RMLAYER1", pages: u32, batch*          pages: memory size in units of 64 KiB
//! batch   = length: u32, record*                    length of the records in bytes, at most BATCH_BYTES
//! record  = address: u32, length: u32, bytes        all numbers little-endian
//! ```

use std::ops::Range;
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"RMLAYER1";

/// How many bytes of records one batch holds at the most: the size of the engine's bounce buffer.
pub const BATCH_BYTES: usize = 256 << 10;

/// Equal stretches shorter than this do not end a run: a record costs eight bytes, and restoring costs page faults, not
/// bytes, so finer runs would gain nothing.
const GRANULE: usize = 64;

const PAGE: usize = 64 << 10;
const RECORD_HEADER: usize = 8;

/// An encoded layer, checked to be well-formed. Cheap to clone; all clones share the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Layer {
    bytes: Arc<Vec<u8>>,
}

/// Bytes that are not a layer.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the layer is damaged at byte {offset}: {problem}")]
pub struct LayerError {
    offset: usize,
    problem: &'static str,
}

impl Layer {
    /// The layer that turns `before` into `after`, both whole memories of an engine, leaving out the ranges in `keep`,
    /// which stay as the engine has them.
    ///
    /// # Panics
    ///
    /// `after` is shorter than `before`, not a whole number of pages, or larger than 4 GiB: it was not a wasm memory.
    pub fn between(before: &[u8], after: &[u8], keep: &[Range<usize>]) -> Self {
        assert!(
            after.len() >= before.len() && after.len().is_multiple_of(PAGE),
            "memories only grow, by pages"
        );
        let pages =
            u32::try_from(after.len() / PAGE).expect("a wasm memory has at most 65536 pages");
        let mut encoder = Encoder {
            bytes: MAGIC.to_vec(),
            batch: Vec::new(),
        };
        encoder.bytes.extend(pages.to_le_bytes());
        let mut run: Option<Range<usize>> = None;
        for start in (0..after.len()).step_by(GRANULE) {
            let granule = start..start + GRANULE;
            if !differs(before, after, granule.clone(), keep) {
                continue;
            }
            match &mut run {
                Some(open) if open.end == granule.start => open.end = granule.end,
                _ => {
                    if let Some(done) = run.replace(granule) {
                        encoder.run(done, after, keep);
                    }
                }
            }
        }
        if let Some(last) = run {
            encoder.run(last, after, keep);
        }
        encoder.end_batch();
        Self {
            bytes: Arc::new(encoder.bytes),
        }
    }

    /// Read an encoded layer, and check its structure.
    ///
    /// # Errors
    ///
    /// The bytes are not a layer of this version, are cut off, or name memory outside the pages they declare.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, LayerError> {
        let error = |offset, problem| LayerError { offset, problem };
        if !bytes.starts_with(MAGIC) {
            return Err(error(0, "it does not begin with RMLAYER1"));
        }
        let number = |offset: usize| read_u32(&bytes, offset).ok_or(error(offset, "it is cut off"));
        let memory = number(MAGIC.len())? * PAGE;
        let mut offset = MAGIC.len() + 4;
        while offset < bytes.len() {
            let batch_end = offset + 4 + number(offset)?;
            if batch_end > bytes.len() || batch_end - offset - 4 > BATCH_BYTES {
                return Err(error(offset, "a batch is longer than it may be"));
            }
            offset += 4;
            while offset < batch_end {
                let address = number(offset)?;
                let length = number(offset + 4)?;
                let end = offset + RECORD_HEADER + length;
                if end > batch_end || address + length > memory {
                    return Err(error(offset, "a record reaches too far"));
                }
                offset = end;
            }
        }
        Ok(Self {
            bytes: Arc::new(bytes),
        })
    }

    /// The encoded form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The size of the memory it is made for, in pages of 64 KiB.
    pub fn pages(&self) -> u32 {
        u32::try_from(self.number(MAGIC.len())).expect("it was read from four bytes")
    }

    /// The records, in batches as the engine takes them.
    pub fn batches(&self) -> impl Iterator<Item = &[u8]> {
        let mut offset = MAGIC.len() + 4;
        std::iter::from_fn(move || {
            (offset < self.bytes.len()).then(|| {
                let start = offset + 4;
                offset = start + self.number(offset);
                &self.bytes[start..offset]
            })
        })
    }

    /// How many bytes of memory it sets, and in how many runs.
    pub fn extent(&self) -> (usize, usize) {
        let mut total = (0, 0);
        for batch in self.batches() {
            let mut offset = 0;
            while offset < batch.len() {
                let length = read_u32(batch, offset + 4)
                    .expect("the structure was checked when it was made");
                total = (total.0 + length, total.1 + 1);
                offset += RECORD_HEADER + length;
            }
        }
        total
    }

    fn number(&self, offset: usize) -> usize {
        read_u32(&self.bytes, offset).expect("the structure was checked when it was made")
    }
}

impl std::fmt::Debug for Layer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (bytes, runs) = self.extent();
        write!(
            formatter,
            "Layer({} pages, {runs} runs, {bytes} bytes)",
            self.pages()
        )
    }
}

struct Encoder {
    bytes: Vec<u8>,
    batch: Vec<u8>,
}

impl Encoder {
    /// Encode a run, without the parts in `keep`, split so that no batch grows too long.
    fn run(&mut self, run: Range<usize>, memory: &[u8], keep: &[Range<usize>]) {
        let mut start = run.start;
        while start < run.end {
            if let Some(kept) = keep.iter().find(|range| range.contains(&start)) {
                start = kept.end;
                continue;
            }
            let next_kept = keep
                .iter()
                .map(|range| range.start)
                .filter(|kept| *kept > start)
                .min();
            let end = run.end.min(next_kept.unwrap_or(run.end));
            self.record(start, &memory[start..end]);
            start = end;
        }
    }

    fn record(&mut self, mut address: usize, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.batch.len() + RECORD_HEADER + GRANULE > BATCH_BYTES {
                self.end_batch();
            }
            let room = BATCH_BYTES - self.batch.len() - RECORD_HEADER;
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.batch.extend(to_u32(address).to_le_bytes());
            self.batch.extend(to_u32(now.len()).to_le_bytes());
            self.batch.extend(now);
            address += now.len();
            bytes = later;
        }
    }

    fn end_batch(&mut self) {
        if !self.batch.is_empty() {
            self.bytes.extend(to_u32(self.batch.len()).to_le_bytes());
            self.bytes.append(&mut self.batch);
        }
    }
}

fn differs(before: &[u8], after: &[u8], granule: Range<usize>, keep: &[Range<usize>]) -> bool {
    let changed = match before.get(granule.clone()) {
        Some(old) => old != &after[granule.clone()],
        // Grown memory is zero.
        None => after[granule.clone()].iter().any(|byte| *byte != 0),
    };
    changed
        && !keep
            .iter()
            .any(|kept| kept.start <= granule.start && granule.end <= kept.end)
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).expect("addresses and sizes in a 32-bit memory")
}

fn read_u32(bytes: &[u8], offset: usize) -> Option<usize> {
    let four = bytes.get(offset..offset.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an engine does with the batches.
    fn apply(layer: &Layer, memory: &mut Vec<u8>) {
        memory.resize(layer.pages() as usize * PAGE, 0);
        for batch in layer.batches() {
            assert!(batch.len() <= BATCH_BYTES);
            let mut offset = 0;
            while offset < batch.len() {
                let (address, length) = (
                    read_u32(batch, offset).unwrap(),
                    read_u32(batch, offset + 4).unwrap(),
                );
                offset += RECORD_HEADER;
                memory[address..address + length].copy_from_slice(&batch[offset..offset + length]);
                offset += length;
            }
        }
    }

    fn memory(pages: usize, changes: &[(usize, &[u8])]) -> Vec<u8> {
        let mut memory = vec![0; pages * PAGE];
        for (address, bytes) in changes {
            memory[*address..*address + bytes.len()].copy_from_slice(bytes);
        }
        memory
    }

    #[test]
    fn applying_the_difference_gives_the_memory() {
        let long = vec![7; 3 * BATCH_BYTES + 5];
        let before = memory(16, &[(100, b"engine"), (70_000, b"same")]);
        let after = memory(
            20,
            &[
                (100, b"edited"),
                (70_000, b"same"),
                (200_001, &long),
                (20 * PAGE - 1, b"!"),
            ],
        );
        let layer = Layer::between(&before, &after, &[]);
        let mut restored = before;
        apply(&layer, &mut restored);
        assert!(restored == after);
        assert_eq!(Layer::decode(layer.as_bytes().to_vec()), Ok(layer));
    }

    #[test]
    fn kept_ranges_stay_as_they_were() {
        let before = memory(1, &[(0, &[1; 1000])]);
        let after = memory(1, &[(0, &[2; 1000])]);
        let layer = Layer::between(&before, &after, &[0..100, 333..334]);
        let mut restored = before;
        apply(&layer, &mut restored);
        assert_eq!(restored[..100], [1; 100]);
        assert_eq!(restored[100..333], [2; 233]);
        assert_eq!(restored[333], 1);
        assert_eq!(restored[334..1000], [2; 666]);
    }

    #[test]
    fn every_cut_and_every_wild_number_is_refused_or_harmless() {
        let layer = Layer::between(
            &memory(1, &[]),
            &memory(1, &[(64, &[3; 200]), (9000, b"x")]),
            &[],
        );
        let bytes = layer.as_bytes();
        for length in 0..bytes.len() {
            // A cut between two batches is a shorter layer; the bundle's digest notices that.
            let _ = Layer::decode(bytes[..length].to_vec());
        }
        assert!(Layer::decode(bytes[..bytes.len() - 1].to_vec()).is_err());
        for position in 0..bytes.len() {
            let mut wild = bytes.to_vec();
            wild[position] = 0xff;
            if let Ok(layer) = Layer::decode(wild) {
                layer.extent();
            }
        }
    }
}
