//! What an error in a node means.

/// What an error in a node means for the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnError {
    /// `fail`: the run fails, after everything that comes before the error was delivered.
    #[default]
    Fail,
    /// `skip`: what the node was working on gives nothing more, and the node goes on with the next.
    Skip,
    /// `stop`: the stream ends there, as if it had had no more items.
    Stop,
}

impl OnError {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Fail, Self::Skip, Self::Stop];

    /// The text that stands for it in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Stop => "stop",
        }
    }

    /// The policy that a manifest's text stands for.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}
