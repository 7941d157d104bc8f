//! What the host asks of the guest: numbers, arguments and answers.

/// The format of the boundary; an engine that says another number is refused.
pub const PROTOCOL: i64 = 2;

/// A request, by its place in the guest's table (`OPERATIONS` in `_rm_guest.py`).
///
/// Arguments travel as one tuple in `marshal` format, large buffers beside it; what each takes and gives is said here in
/// Python's terms. What `Progress` stands for is in `_rm_nodes.py`: a list of outputs, or a tuple that begins with one and
/// says what is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Operation {
    /// `() -> dict`: what the engine is; see [`EngineDescription`](super::engine::EngineDescription).
    Describe = 0,
    /// `(filename: str, source: str, optimize: int) -> bytes`: compile a module, as a marshalled code object.
    Compile = 1,
    /// `(names: list[str])`: which modules the standard library has.
    SetStdlibNames = 2,
    /// `(modules: list[(name, is_package, filename, code | None, removed, doubtful)], sources: list[(name, text)],
    /// cold: list[(name, pieces | None)])`: carry these modules, the texts of some, and what was left out of some.
    Install = 3,
    /// `(names: list[str]) -> list[str]`: import these, and say which modules that imported.
    Load = 4,
    /// `() -> list[(descriptor, bytes)]`: end packing, and hand over what was printed meanwhile.
    Seal = 5,
    /// `()`: first request after a restore.
    Resume = 6,
    /// `(name: str)`: import one module, as `rm-pack verify` does.
    TryImport = 7,
    /// `(node_id: str, module: str, class_name: str, params: dict, is_streaming: bool) -> Progress`: build and initialise a
    /// node.
    Create = 8,
    /// `(node_id: str, data, session: str | None, timestamp_us: int | None, sequence: int) -> Progress`: one item in.
    Process = 9,
    /// `(node_id: str) -> Progress`: end of the input.
    Flush = 10,
    /// `(node_id: str) -> Progress`: give up what the node is at, and let it clean up.
    Cleanup = 11,
    /// `() -> dict[str, list[str]]`: what each built-in module defines.
    BuiltinNames = 12,
    /// `(module: str, class_name: str) -> (bool, bool)`: raise if the class cannot be a node; else whether it says that it
    /// takes the whole stream, and whether it is a source.
    CheckClass = 13,
    /// `()`: raise, saying what in the last result cannot leave Python.
    Explain = 14,
    /// `(node_id: str) -> Progress`: all that a source gives.
    Generate = 15,
    /// `(node_id: str) -> Progress`: go on with what was begun.
    ResumeNode = 16,
    /// `(filename: str, pieces: list[(names, mentions, line, text)], optimize: int, flags: int) -> bytes`: compile what was left
    /// out of a module, for `Install`.
    CompilePieces = 17,
    /// `()`: note from now on which code runs.
    Trace = 18,
    /// `() -> list[(module: str, line: int)]`: which code ran so far; what runs from now on is said on standard output.
    Traced = 19,
    /// `(names: list[str])`: which modules were left out that are neither the library's nor unknown, to say so of them.
    SetAbsent = 20,
}
