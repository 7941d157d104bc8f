//! Folders of files: what is in them, and copies of them.

use std::collections::BTreeMap;
use std::path::Path;

/// Every file below a folder, by its path with `/` as separator, and its bytes; a folder that is empty counts as `NAME/`
/// without bytes.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// Read a folder; one that does not exist is empty.
///
/// # Panics
///
/// Something in it cannot be read.
pub fn read(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    if folder.exists() {
        add(folder, "", &mut tree);
    }
    tree
}

fn add(folder: &Path, prefix: &str, tree: &mut Tree) {
    let mut is_empty = true;
    for entry in std::fs::read_dir(folder).expect("the folder can be listed") {
        let entry = entry.expect("the folder can be listed");
        is_empty = false;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            add(&entry.path(), &format!("{name}/"), tree);
        } else {
            let bytes = std::fs::read(entry.path()).expect("the file can be read");
            tree.insert(name, bytes);
        }
    }
    if is_empty && !prefix.is_empty() {
        tree.insert(prefix.to_owned(), Vec::new());
    }
}

/// Write files, with their folders.
///
/// # Panics
///
/// The folder cannot be written.
pub fn write<'a>(folder: &Path, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
    for (name, bytes) in files {
        let path = folder.join(name);
        let parent = path.parent().expect("a file in a folder has a parent");
        std::fs::create_dir_all(parent).expect("the folder can be made");
        std::fs::write(&path, bytes).expect("the file can be written");
    }
}

/// Copy a folder's files.
///
/// # Panics
///
/// One cannot be read, the other not be written.
pub fn copy(from: &Path, to: &Path) {
    let tree = read(from);
    write(
        to,
        tree.iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    );
}

/// A short account of what differs between two folders, one name a line; empty when nothing does.
pub fn differences(before: &Tree, after: &Tree) -> Vec<String> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let changed = after
        .iter()
        .filter_map(|(name, bytes)| match before.get(name) {
            None => Some(format!("new: {name}")),
            Some(old) if old != bytes => Some(format!("changed: {name}")),
            Some(_) => None,
        });
    gone.map(|name| format!("gone: {name}"))
        .chain(changed)
        .collect()
}
