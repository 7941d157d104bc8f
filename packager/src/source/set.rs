//! The ordered roots and how a dotted name is found in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::SourceError;
use super::files::{self, EntryKind, Listing};

/// Which kind of root a module came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A folder of the user's.
    Node,
    /// The packager's own `remotemedia` package.
    Builtin,
    /// The engine's standard library.
    Stdlib,
}

/// A module with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleSource {
    /// The dotted name it is imported by.
    pub name: String,
    /// Whether it is a package's `__init__.py`.
    pub is_package: bool,
    /// The kind of root it came from.
    pub origin: Origin,
    /// The path below its root with forward slashes; the only path that may reach an output.
    pub display_path: String,
    /// The absolute path, for messages; `None` for modules that come from memory.
    pub real_path: Option<PathBuf>,
    /// The text, with `\n` line ends.
    pub text: Arc<str>,
}

impl ModuleSource {
    /// The package that relative imports in this module start from; empty for a top-level module.
    pub fn package(&self) -> &str {
        if self.is_package {
            &self.name
        } else {
            self.name
                .rsplit_once('.')
                .map_or("", |(package, _)| package)
        }
    }

    /// The path to show to the user: the real one when there is one.
    pub fn shown_path(&self) -> String {
        self.real_path.as_ref().map_or_else(
            || self.display_path.clone(),
            |path| path.display().to_string(),
        )
    }
}

/// What a dotted name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A module or a package with `__init__.py`.
    Module(ModuleSource),
    /// A namespace package: folders without `__init__.py`.
    Namespace,
}

#[derive(Debug)]
enum Root {
    Folder(PathBuf),
    Memory {
        origin: Origin,
        files: BTreeMap<String, Arc<str>>,
        folders: BTreeMap<String, Arc<Listing>>,
    },
}

/// The roots modules are looked up in, in order.
#[derive(Debug, Default)]
pub struct SourceSet {
    roots: Vec<Root>,
    /// Modules that count as not there, with all below them.
    excluded: BTreeSet<String>,
    listings: Mutex<BTreeMap<PathBuf, Arc<Listing>>>,
}

/// A folder of a root that is part of a package's search path.
type Portion = (usize, String);

enum Place {
    File { portion: Portion, is_package: bool },
    Namespace(Vec<Portion>),
}

impl SourceSet {
    /// A set without roots.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a folder of node sources behind the roots there are; a folder that is there already is not added twice.
    ///
    /// # Errors
    /// [`SourceError::Root`] when it is not a folder.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), SourceError> {
        let real = files::real_folder(folder)?;
        if !self.folders().any(|known| known == real) {
            self.roots.push(Root::Folder(real));
        }
        Ok(())
    }

    /// Adds modules held in memory, given by their path with forward slashes, such as `json/decoder.py`.
    pub fn add_memory<I>(&mut self, origin: Origin, files: I)
    where
        I: IntoIterator<Item = (String, Arc<str>)>,
    {
        let files: BTreeMap<String, Arc<str>> = files.into_iter().collect();
        let mut folders: BTreeMap<String, Listing> =
            BTreeMap::from([(String::new(), Listing::new())]);
        for path in files.keys() {
            let mut kind = EntryKind::File;
            let mut rest = path.as_str();
            loop {
                let (folder, name) = rest.rsplit_once('/').unwrap_or(("", rest));
                folders
                    .entry(folder.to_owned())
                    .or_default()
                    .insert(name.to_owned(), kind);
                if folder.is_empty() {
                    break;
                }
                kind = EntryKind::Folder;
                rest = folder;
            }
        }
        let folders = folders
            .into_iter()
            .map(|(path, listing)| (path, Arc::new(listing)))
            .collect();
        self.roots.push(Root::Memory {
            origin,
            files,
            folders,
        });
    }

    /// From here on a module is not there, nor is anything below it.
    pub fn exclude(&mut self, name: &str) {
        self.excluded.insert(name.to_owned());
    }

    /// Whether a module would be there but for [`exclude`](Self::exclude).
    pub fn is_excluded(&self, name: &str) -> bool {
        prefixes(name).any(|prefix| self.excluded.contains(prefix))
    }

    /// The node folders, in order.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.roots.iter().filter_map(|root| match root {
            Root::Folder(path) => Some(path.as_path()),
            Root::Memory { .. } => None,
        })
    }

    /// Finds and reads the module `name`, such as `json.decoder`, on all roots.
    ///
    /// # Errors
    /// [`SourceError`] when a folder or the file cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<Found>, SourceError> {
        self.find_among(name, (0..self.roots.len()).collect())
    }

    /// Finds and reads the module `name` of the engine's standard library, whatever else has its name.
    ///
    /// # Errors
    /// [`SourceError`], as [`SourceSet::find`].
    pub fn find_stdlib(&self, name: &str) -> Result<Option<Found>, SourceError> {
        let is_stdlib = |root: &Root| {
            matches!(
                root,
                Root::Memory {
                    origin: Origin::Stdlib,
                    ..
                }
            )
        };
        let roots = (0..self.roots.len())
            .filter(|&index| is_stdlib(&self.roots[index]))
            .collect();
        self.find_among(name, roots)
    }

    /// The names of the modules directly below the package `package`, or of all top-level modules when it is empty.
    ///
    /// # Errors
    /// [`SourceError::List`] when a folder cannot be listed.
    pub fn children(&self, package: &str) -> Result<BTreeSet<String>, SourceError> {
        self.children_among(package, (0..self.roots.len()).collect())
    }

    /// The same in the node folders alone.
    ///
    /// # Errors
    /// [`SourceError::List`] when a folder cannot be listed.
    pub fn children_in_folders(&self, package: &str) -> Result<BTreeSet<String>, SourceError> {
        let is_folder = |&index: &usize| matches!(self.roots[index], Root::Folder(_));
        self.children_among(package, (0..self.roots.len()).filter(is_folder).collect())
    }

    fn children_among(
        &self,
        package: &str,
        roots: Vec<usize>,
    ) -> Result<BTreeSet<String>, SourceError> {
        let portions = if package.is_empty() {
            roots.iter().map(|&root| (root, String::new())).collect()
        } else {
            match self.place(package, roots)? {
                Some(Place::File {
                    portion,
                    is_package: true,
                }) => vec![portion],
                Some(Place::Namespace(portions)) => portions,
                Some(Place::File { .. }) | None => Vec::new(),
            }
        };
        let mut names = BTreeSet::new();
        for (root, folder) in portions {
            for (name, kind) in self.list(root, &folder)?.iter() {
                match kind {
                    EntryKind::File => {
                        if let Some(stem) =
                            name.strip_suffix(".py").filter(|stem| *stem != "__init__")
                        {
                            names.insert(stem.to_owned());
                        }
                    }
                    EntryKind::Folder => {
                        if self
                            .list(root, &join(&folder, name))?
                            .contains_key("__init__.py")
                        {
                            names.insert(name.clone());
                        }
                    }
                }
            }
        }
        names.retain(|name| !self.is_excluded(&join_name(package, name)));
        Ok(names)
    }

    /// The file name of a compiled extension module that a node folder has for `name`, which no target can load.
    ///
    /// # Errors
    /// [`SourceError::List`] when a folder cannot be listed.
    pub fn compiled_extension(&self, name: &str) -> Result<Option<PathBuf>, SourceError> {
        let (folder, stem) = name
            .rsplit_once('.')
            .map_or_else(|| (String::new(), name), |(p, s)| (p.replace('.', "/"), s));
        for (index, root) in self.roots.iter().enumerate() {
            let Root::Folder(path) = root else { continue };
            for file in self.list(index, &folder)?.keys() {
                let suffix = file
                    .strip_prefix(stem)
                    .and_then(|rest| rest.strip_prefix('.'));
                if suffix.is_some_and(|rest| rest.ends_with("so") || rest.ends_with("pyd")) {
                    return Ok(Some(path.join(&folder).join(file)));
                }
            }
        }
        Ok(None)
    }

    fn find_among(&self, name: &str, roots: Vec<usize>) -> Result<Option<Found>, SourceError> {
        match self.place(name, roots)? {
            None => Ok(None),
            Some(Place::Namespace(_)) => Ok(Some(Found::Namespace)),
            Some(Place::File {
                portion: (root, folder),
                is_package,
            }) => {
                let display_path = if is_package {
                    format!("{folder}/__init__.py")
                } else {
                    format!("{folder}.py")
                };
                let (origin, real_path, text) = match &self.roots[root] {
                    Root::Folder(path) => {
                        let real = path.join(&display_path);
                        let text = files::read_python(&real)?;
                        (Origin::Node, Some(real), Arc::from(text))
                    }
                    Root::Memory { origin, files, .. } => {
                        (*origin, None, Arc::clone(&files[&display_path]))
                    }
                };
                Ok(Some(Found::Module(ModuleSource {
                    name: name.to_owned(),
                    is_package,
                    origin,
                    display_path,
                    real_path,
                    text,
                })))
            }
        }
    }

    /// Walks down the parts of `name`; a package's parts are looked up in that package's own folders only.
    fn place(&self, name: &str, roots: Vec<usize>) -> Result<Option<Place>, SourceError> {
        if self.is_excluded(name) {
            return Ok(None);
        }
        let mut portions: Vec<Portion> = roots
            .into_iter()
            .map(|root| (root, String::new()))
            .collect();
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            // `name` may come from a string in the source: it must not climb out of the root.
            if part.is_empty() || part.contains(['/', '\\']) {
                return Ok(None);
            }
            let Some(place) = self.step(&portions, part)? else {
                return Ok(None);
            };
            if parts.peek().is_none() {
                return Ok(Some(place));
            }
            portions = match place {
                Place::File {
                    portion,
                    is_package: true,
                } => vec![portion],
                Place::File {
                    is_package: false, ..
                } => return Ok(None),
                Place::Namespace(portions) => portions,
            };
        }
        Ok(None)
    }

    fn step(&self, portions: &[Portion], part: &str) -> Result<Option<Place>, SourceError> {
        let mut namespace = Vec::new();
        for (root, folder) in portions {
            let listing = self.list(*root, folder)?;
            let path = join(folder, part);
            let is_folder = listing.get(part) == Some(&EntryKind::Folder);
            if is_folder && self.list(*root, &path)?.get("__init__.py") == Some(&EntryKind::File) {
                return Ok(Some(Place::File {
                    portion: (*root, path),
                    is_package: true,
                }));
            }
            if listing.get(&format!("{part}.py")) == Some(&EntryKind::File) {
                return Ok(Some(Place::File {
                    portion: (*root, path),
                    is_package: false,
                }));
            }
            if is_folder {
                namespace.push((*root, path));
            }
        }
        Ok((!namespace.is_empty()).then_some(Place::Namespace(namespace)))
    }

    fn list(&self, root: usize, folder: &str) -> Result<Arc<Listing>, SourceError> {
        match &self.roots[root] {
            Root::Memory { folders, .. } => Ok(folders.get(folder).cloned().unwrap_or_default()),
            Root::Folder(path) => {
                let path = path.join(folder);
                // The map is only ever added to, so it is whole even if a thread died while it held the lock.
                if let Some(known) = self
                    .listings
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get(&path)
                {
                    return Ok(Arc::clone(known));
                }
                let listing = Arc::new(files::list(&path)?);
                self.listings
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(path, Arc::clone(&listing));
                Ok(listing)
            }
        }
    }
}

/// The dotted name of a module in a package, or at the top level when that is empty.
fn join_name(package: &str, name: &str) -> String {
    if package.is_empty() {
        name.to_owned()
    } else {
        format!("{package}.{name}")
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// `json.decoder` for `json/decoder.py`, `json` for `json/__init__.py`.
pub(crate) fn module_name(path: &str) -> String {
    let stem = path
        .strip_suffix("/__init__.py")
        .or_else(|| path.strip_suffix(".py"))
        .unwrap_or(path);
    stem.replace('/', ".")
}

/// A module's name with those of the packages around it, the outermost first: `a`, `a.b`, `a.b.c` for `a.b.c`.
pub(crate) fn prefixes(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.')
        .map(|(at, _)| &name[..at])
        .chain(std::iter::once(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(roots: &[(Origin, &[&str])]) -> SourceSet {
        let mut set = SourceSet::new();
        for (number, (origin, files)) in roots.iter().enumerate() {
            let text: Arc<str> = Arc::from(format!("root = {number}\n"));
            set.add_memory(
                *origin,
                files
                    .iter()
                    .map(|path| ((*path).to_owned(), Arc::clone(&text))),
            );
        }
        set
    }

    #[track_caller]
    fn finds(set: &SourceSet, name: &str, expected: &str) {
        let shown = match set.find(name).unwrap() {
            None => "nothing".to_owned(),
            Some(Found::Namespace) => "namespace".to_owned(),
            Some(Found::Module(module)) => {
                format!("{} {}", module.display_path, module.text.trim())
            }
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn prefixes_of_a_name() {
        assert_eq!(prefixes("a.b.c").collect::<Vec<_>>(), ["a", "a.b", "a.b.c"]);
        assert_eq!(prefixes("a").collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn package_before_module_before_namespace() {
        let set = set(&[(
            Origin::Node,
            &["x/__init__.py", "x.py", "y.py", "y/z.py", "n/m.py"],
        )]);
        finds(&set, "x", "x/__init__.py root = 0");
        finds(&set, "y", "y.py root = 0");
        finds(&set, "y.z", "nothing");
        finds(&set, "n", "namespace");
        finds(&set, "n.m", "n/m.py root = 0");
        finds(&set, "", "nothing");
        finds(&set, "..n", "nothing");
    }

    #[test]
    fn earlier_root_wins_but_a_namespace_does_not() {
        let set = set(&[
            (Origin::Node, &["json.py", "remotemedia/mine.py", "ns/a.py"]),
            (Origin::Node, &["ns/b.py"]),
            (Origin::Builtin, &["remotemedia/__init__.py"]),
            (Origin::Stdlib, &["json/__init__.py", "json/decoder.py"]),
        ]);
        finds(&set, "json", "json.py root = 0");
        finds(&set, "json.decoder", "nothing");
        finds(&set, "remotemedia", "remotemedia/__init__.py root = 2");
        finds(&set, "remotemedia.mine", "nothing");
        finds(&set, "ns.a", "ns/a.py root = 0");
        finds(&set, "ns.b", "ns/b.py root = 1");
        assert!(matches!(
            set.find_stdlib("json.decoder").unwrap(),
            Some(Found::Module(_))
        ));
    }

    #[test]
    fn children_of_packages_and_roots() {
        let set = set(&[(
            Origin::Node,
            &[
                "a/__init__.py",
                "a/b.py",
                "a/c/__init__.py",
                "d.py",
                "e/f.txt",
            ],
        )]);
        assert_eq!(
            set.children("").unwrap().into_iter().collect::<Vec<_>>(),
            ["a", "d"]
        );
        assert_eq!(
            set.children("a").unwrap().into_iter().collect::<Vec<_>>(),
            ["b", "c"]
        );
        assert!(set.children("d").unwrap().is_empty());
        assert!(set.children_in_folders("").unwrap().is_empty());
    }

    #[test]
    fn what_is_excluded_is_not_there() {
        let files = ["a/__init__.py", "a/b.py", "ab.py", "c.py"];
        let mut set = set(&[(Origin::Stdlib, &files)]);
        set.exclude("a");
        set.exclude("c.d");
        for gone in ["a", "a.b"] {
            assert_eq!(set.find(gone).unwrap(), None);
            assert!(set.is_excluded(gone));
        }
        finds(&set, "ab", "ab.py root = 0");
        finds(&set, "c", "c.py root = 0");
        assert_eq!(
            set.children("").unwrap(),
            BTreeSet::from(["ab".to_owned(), "c".to_owned()])
        );
    }

    #[test]
    fn folders_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("p")).unwrap();
        std::fs::write(folder.path().join("p/__init__.py"), "x = 1\r\n").unwrap();
        let mut set = SourceSet::new();
        set.add_folder(folder.path()).unwrap();
        set.add_folder(&folder.path().join("p/..")).unwrap();
        assert_eq!(set.folders().count(), 1);
        let Some(Found::Module(module)) = set.find("p").unwrap() else {
            panic!("p is a package")
        };
        assert_eq!(
            (module.display_path.as_str(), &*module.text),
            ("p/__init__.py", "x = 1\n")
        );
        set.add_memory(Origin::Stdlib, [("q.py".to_owned(), "".into())]);
        let all = BTreeSet::from(["p".to_owned(), "q".to_owned()]);
        assert_eq!(set.children("").unwrap(), all);
        let own = BTreeSet::from(["p".to_owned()]);
        assert_eq!(set.children_in_folders("").unwrap(), own);
        assert!(matches!(
            set.add_folder(&folder.path().join("none")),
            Err(SourceError::Root { .. })
        ));
    }
}
