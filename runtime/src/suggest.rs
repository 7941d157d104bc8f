//! "Did you mean": the known name nearest to one that was not found.

use std::fmt;

use strsim::damerau_levenshtein;

use crate::unicode::lower as in_lower_case;

/// The candidate nearest to `name`, or `None` when nothing is near enough to be worth naming.
///
/// Near means: equal but for case, or about one slip (a wrong, missing, extra or swapped letter) in three letters. Ties go
/// to the candidate with fewer differences in case, then to the one that sorts first, so the order of the candidates
/// does not matter.
///
/// ```
/// use rm_runtime::suggest::nearest;
///
/// assert_eq!(nearest("multiplynod", ["AddNode", "MultiplyNode"]), Some("MultiplyNode"));
/// assert_eq!(nearest("Resample", ["AddNode", "MultiplyNode"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = in_lower_case(name);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let candidate_lower = in_lower_case(candidate);
            let (length, candidate_length) =
                (lower.chars().count(), candidate_lower.chars().count());
            let longer = length.max(candidate_length);
            // Each letter that one has more is a slip: most candidates need no closer look.
            if length.abs_diff(candidate_length) > longer / 3 {
                return None;
            }
            let distance = damerau_levenshtein(&lower, &candidate_lower);
            // Two letters share one by chance; below three only a difference in case is near.
            (distance <= longer / 3)
                .then(|| (distance, damerau_levenshtein(name, candidate), candidate))
        })
        .min()
        .map(|(_, _, candidate)| candidate)
}

/// The [nearest] name at the end of a message; nothing at all if there is none.
///
/// ```
/// use rm_runtime::suggest::DidYouMean;
///
/// assert_eq!(DidYouMean(Some("Echo")).to_string(), "; did you mean `Echo`?");
/// assert_eq!(DidYouMean(None::<&str>).to_string(), "");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DidYouMean<T>(pub Option<T>);

impl<T: fmt::Display> fmt::Display for DidYouMean<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(formatter, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["PassThrough", "MultiplyNode", "AddNode", "Echo"];
        assert_eq!(nearest("Passthrough", known), Some("PassThrough"));
        assert_eq!(nearest("MultplyNode", known), Some("MultiplyNode"));
        assert_eq!(nearest("ADDNODE", known), Some("AddNode"));
        assert_eq!(nearest("Ehco", known), Some("Echo"));
    }

    #[test]
    fn far_names_are_not() {
        assert_eq!(nearest("TextProcessorNode", ["MultiplyNode", "Echo"]), None);
        assert_eq!(nearest("b", ["a"]), None);
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn ties_do_not_depend_on_order() {
        assert_eq!(nearest("nod", ["nodb", "noda"]), Some("noda"));
        assert_eq!(nearest("nod", ["noda", "nodb"]), Some("noda"));
        assert_eq!(nearest("node", ["NODE", "Node"]), Some("Node"));
    }
}
