//! What a pipeline is fed with: lines of JSON, a WAV file, or what came with the manifest.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use rm_runtime::json::{self, JsonError};
use rm_runtime::pipeline::Item;
use rm_runtime::value::Value;

use super::wav::{WavError, WavPackets};

/// An item of the input that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}:{line}: not UTF-8", path.display())]
    Encoding { path: PathBuf, line: u64 },
    #[error("{}:{line}:{column}: not a JSON value: {message}", path.display())]
    Syntax {
        path: PathBuf,
        line: u64,
        column: usize,
        message: String,
    },
    #[error("{}:{line}: not a JSON value", path.display())]
    Json {
        path: PathBuf,
        line: u64,
        source: JsonError,
    },
    #[error("{}: not a WAV file that can be read", path.display())]
    Wav { path: PathBuf, source: WavError },
    #[error("nothing to run on: give --input FILE, or --input - for standard input")]
    None,
    #[error(
        "`{}` is not read: no node of the pipeline takes items; one that does has a process(self, data)",
        .0.display()
    )]
    Unwanted(PathBuf),
}

/// The items to run on, one by one.
pub(super) struct Items {
    source: ItemSource,
    taken: u64,
    is_live: bool,
}

enum ItemSource {
    Lines {
        path: PathBuf,
        lines: io::Lines<Box<dyn BufRead + Send>>,
        line: u64,
    },
    Wav {
        path: PathBuf,
        packets: Box<WavPackets>,
    },
    Given(std::vec::IntoIter<Value>),
}

impl Items {
    /// `input` comes first; what is in the manifest serves when there is none, and a pipeline of sources needs neither.
    pub(super) fn open(
        input: Option<&Path>,
        given: Option<Value>,
        takes_input: bool,
    ) -> Result<Self, InputError> {
        let source = match (input, given) {
            (Some(path), _) if !takes_input => return Err(InputError::Unwanted(path.to_owned())),
            (None, _) if !takes_input => ItemSource::Given(Vec::new().into_iter()),
            (Some(path), _) if path.as_os_str() == "-" => {
                let stdin: Box<dyn BufRead + Send> = Box::new(BufReader::new(io::stdin()));
                ItemSource::Lines {
                    path: "standard input".into(),
                    lines: stdin.lines(),
                    line: 0,
                }
            }
            (Some(path), _) => {
                let file = File::open(path).map_err(|source| InputError::Read {
                    path: path.to_owned(),
                    source,
                })?;
                let file: Box<dyn BufRead + Send> = Box::new(BufReader::new(file));
                if is_wav(path) {
                    let packets = WavPackets::new(file).map_err(|source| InputError::Wav {
                        path: path.to_owned(),
                        source,
                    })?;
                    ItemSource::Wav {
                        path: path.to_owned(),
                        packets: Box::new(packets),
                    }
                } else {
                    ItemSource::Lines {
                        path: path.to_owned(),
                        lines: file.lines(),
                        line: 0,
                    }
                }
            }
            (None, Some(Value::List(items))) => ItemSource::Given(items.into_iter()),
            (None, Some(item)) => ItemSource::Given(vec![item].into_iter()),
            (None, None) => return Err(InputError::None),
        };
        Ok(Self {
            source,
            taken: 0,
            is_live: input.is_some_and(|path| path.as_os_str() == "-"),
        })
    }

    /// Whether somebody feeds items one by one, and waits for what each gives.
    pub(super) fn is_live(&self) -> bool {
        self.is_live
    }

    /// How many items were taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, InputError> {
        let item = match &mut self.source {
            ItemSource::Given(items) => items.next().map(Item::from),
            ItemSource::Wav { path, packets } => {
                packets.next().map_err(|source| InputError::Wav {
                    path: path.clone(),
                    source,
                })?
            }
            ItemSource::Lines { path, lines, line } => next_line(path, lines, line)?,
        };
        self.taken += u64::from(item.is_some());
        Ok(item)
    }
}

/// Whether a path is that of a WAV file.
pub(super) fn is_wav(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("wav"))
}

fn next_line(
    path: &Path,
    lines: &mut io::Lines<Box<dyn BufRead + Send>>,
    line: &mut u64,
) -> Result<Option<Item>, InputError> {
    loop {
        *line += 1;
        match lines.next() {
            None => return Ok(None),
            Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(InputError::Encoding {
                    path: path.to_owned(),
                    line: *line,
                });
            }
            Some(Err(source)) => {
                return Err(InputError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
            Some(Ok(text)) if text.trim().is_empty() => {}
            Some(Ok(text)) => {
                // Some editors begin a file with a byte order mark.
                let packet = json::from_json_packet(text.trim_start_matches('\u{feff}'));
                let (value, session, timestamp_us) = packet.map_err(|error| {
                    let (path, line) = (path.to_owned(), *line);
                    match error {
                        JsonError::Syntax {
                            column, message, ..
                        } => InputError::Syntax {
                            path,
                            line,
                            column,
                            message,
                        },
                        source => InputError::Json { path, line, source },
                    }
                })?;
                return Ok(Some(Item {
                    value,
                    session,
                    timestamp_us,
                }));
            }
        }
    }
}
