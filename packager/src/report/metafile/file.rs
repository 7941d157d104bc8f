//! Metafiles as files.

use std::io;
use std::path::Path;

use rm_runtime::file::write_atomically;
use serde::{Deserialize, Serialize};
use serde_json::ser::Formatter;

use super::{Metafile, MetafileError, SCHEMA, check};

/// What tells a metafile, of whatever schema, from other JSON.
#[derive(Deserialize)]
struct Head {
    schema: Option<serde_json::Value>,
    modules: Option<serde::de::IgnoredAny>,
}

impl Metafile {
    /// Reads a metafile, and checks all of it.
    ///
    /// # Errors
    ///
    /// [`MetafileError`] names the file, and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, MetafileError> {
        let bytes = std::fs::read(path).map_err(|source| MetafileError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_json(&bytes, path)
    }

    /// Reads a metafile's text; `path` names it in errors.
    ///
    /// # Errors
    ///
    /// [`MetafileError`] names the file, and what is wrong with it.
    pub fn from_json(json: &[u8], path: &Path) -> Result<Self, MetafileError> {
        let other = |what: String| MetafileError::Other {
            path: path.to_owned(),
            what,
        };
        let head: Head = serde_json::from_slice(json)
            .map_err(|error| other(format!("it is no JSON object ({error})")))?;
        let Some(schema) = head.schema else {
            return Err(other("it has no `schema`".to_owned()));
        };
        if head.modules.is_none() {
            return Err(other("it has no `modules`".to_owned()));
        }
        if schema != SCHEMA {
            return Err(MetafileError::Schema {
                path: path.to_owned(),
                found: schema.to_string(),
            });
        }
        let metafile: Self =
            serde_json::from_slice(json).map_err(|source| MetafileError::Shape {
                path: path.to_owned(),
                source,
            })?;
        check::check(&metafile).map_err(|what| MetafileError::Contents {
            path: path.to_owned(),
            what,
        })?;
        Ok(metafile)
    }

    /// The metafile as JSON: compact, with each module and each definition on a line of its own.
    ///
    /// # Panics
    ///
    /// A metafile that cannot be written as JSON, which none is.
    pub fn to_json(&self) -> String {
        let mut bytes = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Lines::default());
        self.serialize(&mut serializer)
            .expect("a metafile has text keys only");
        bytes.push(b'\n');
        String::from_utf8(bytes).expect("JSON is UTF-8")
    }

    /// Writes the metafile to a file.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), MetafileError> {
        write_atomically(path, self.to_json().as_bytes()).map_err(|source| MetafileError::Write {
            path: path.to_owned(),
            source,
        })
    }
}

/// Compact JSON, but for a line break before each field of the document and before each element of a list that is a field
/// of it or of an element of such a list: so that two metafiles can be compared line by line.
#[derive(Default)]
struct Lines {
    depth: usize,
}

impl Lines {
    fn separate<W: ?Sized + io::Write>(
        &self,
        writer: &mut W,
        first: bool,
        breaks: &[usize],
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if breaks.contains(&self.depth) {
            writer.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.separate(writer, first, &[2, 4])
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.separate(writer, first, &[1])
    }
}
