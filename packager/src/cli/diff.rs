//! `rm-pack diff`

use std::path::Path;

use super::failure::Failure;
use super::output::{print_json, show};
use crate::report::{self, Side};

pub(super) fn diff(before: &Path, after: &Path, json: bool) -> Result<(), Failure> {
    let difference = report::diff(Side::read(before)?, Side::read(after)?);
    if json {
        return print_json(&difference);
    }
    show(&format!("{difference}\n"))
}
