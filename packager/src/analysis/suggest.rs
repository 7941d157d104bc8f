//! The nearest known name, for "did you mean".

/// The candidate most like `name`, when one is alike enough; of equals, the first.
pub fn nearest<'a, I, S>(name: &str, candidates: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a S>,
    S: AsRef<str> + ?Sized + 'a,
{
    // A third of the letters, rounded up, may differ, as long as something is left that is the same.
    let limit = name.chars().count().div_ceil(3);
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(AsRef::as_ref)
        .filter(|candidate| *candidate != name)
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_is_found_and_far_is_not() {
        assert_eq!(nearest("jsn", &["csv", "json", "os"]), Some("json"));
        assert_eq!(
            nearest("textprocessor", &["TextProcessor"]),
            Some("TextProcessor")
        );
        assert_eq!(nearest("numpy", &["json", "types"]), None);
        assert_eq!(nearest("x", &["y"]), None);
    }
}
