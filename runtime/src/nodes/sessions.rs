//! What a node keeps for each session.

use std::mem;
use std::sync::Arc;

use super::Outputs;
use crate::packet::Emission;
use crate::sorted::SortedMap;

/// How many sessions a node keeps, as the base class of Python nodes does by default.
const MAX_SESSIONS: usize = 1000;

/// A state for each session, and one for packets without a session; beyond [`MAX_SESSIONS`] the session that was used
/// least recently has to go.
#[derive(Debug)]
pub(super) struct Sessions<S> {
    unnamed: Option<S>,
    named: SortedMap<Arc<str>, Kept<S>>,
    /// Who used the node when; as many entries as `named`.
    by_use: SortedMap<u64, Arc<str>>,
    uses: u64,
    limit: usize,
}

#[derive(Debug)]
struct Kept<S> {
    state: S,
    used: u64,
}

/// A state whose session has ended or had to go, to be given the last word.
pub(super) struct Ended<S> {
    pub(super) state: S,
    session: Option<Arc<str>>,
}

impl<S> Ended<S> {
    /// Gives an output in the session that has ended, whatever the packet worked on.
    pub(super) fn push(&self, emission: Emission, out: &mut Outputs) {
        out.push(match &self.session {
            Some(session) => emission.in_session(session.clone()),
            None => emission,
        });
    }
}

impl<S: Default> Sessions<S> {
    pub(super) fn new() -> Self {
        Self::with_limit(MAX_SESSIONS)
    }

    fn with_limit(limit: usize) -> Self {
        Self {
            unnamed: None,
            named: SortedMap::new(),
            by_use: SortedMap::new(),
            uses: 0,
            limit,
        }
    }

    /// The state of a session, and the one that had to go for it.
    pub(super) fn state(&mut self, session: Option<&Arc<str>>) -> (&mut S, Option<Ended<S>>) {
        let Some(session) = session else {
            return (self.unnamed.get_or_insert_default(), None);
        };
        self.uses += 1;
        let mut evicted = None;
        match self.named.get(session) {
            Some(kept) => {
                self.by_use.remove(&kept.used);
            }
            None if self.named.len() >= self.limit => evicted = self.evict(),
            None => {}
        }
        self.by_use.insert(self.uses, session.clone());
        let kept = self.named.get_or_insert_with(session.clone(), || Kept {
            state: S::default(),
            used: 0,
        });
        kept.used = self.uses;
        (&mut kept.state, evicted)
    }

    fn evict(&mut self) -> Option<Ended<S>> {
        let (_, session) = self.by_use.pop_first()?;
        let kept = self.named.remove(&session)?;
        Some(Ended {
            state: kept.state,
            session: Some(session),
        })
    }

    /// Ends all sessions: first packets without one, then in the order of their last use.
    pub(super) fn end(&mut self) -> impl Iterator<Item = Ended<S>> {
        let mut sessions = mem::replace(self, Self::with_limit(self.limit));
        let unnamed = sessions.unnamed.take().map(|state| Ended {
            state,
            session: None,
        });
        unnamed
            .into_iter()
            .chain(std::iter::from_fn(move || sessions.evict()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes() {
        let mut sessions: Sessions<Vec<u8>> = Sessions::with_limit(2);
        let [a, b, c] = ["a", "b", "c"].map(Arc::<str>::from);
        let mut gone = Vec::new();
        for (session, byte) in [
            (Some(&a), 1),
            (None, 2),
            (Some(&b), 3),
            (Some(&a), 4),
            (Some(&c), 5),
            (None, 6),
            (Some(&b), 7),
        ] {
            let (state, evicted) = sessions.state(session);
            state.push(byte);
            gone.extend(evicted.map(|ended| (ended.session, ended.state)));
        }
        assert_eq!(gone, [(Some(b.clone()), vec![3]), (Some(a), vec![1, 4])]);
        let rest: Vec<_> = sessions
            .end()
            .map(|ended| (ended.session, ended.state))
            .collect();
        assert_eq!(
            rest,
            [(None, vec![2, 6]), (Some(c), vec![5]), (Some(b), vec![7])]
        );
        assert_eq!(sessions.end().count(), 0);
    }
}
