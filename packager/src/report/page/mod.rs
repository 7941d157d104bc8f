//! stub
use super::{Metafile, Side};
/// stub
pub fn html(_m: &Metafile, _p: Option<&Side>) -> String { String::new() }
