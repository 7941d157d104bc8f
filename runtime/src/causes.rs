//! Errors and what caused them.

use std::error::Error;

/// What caused an error, what caused that, and so on.
///
/// ```
/// use rm_runtime::causes;
/// use rm_runtime::nodes::NodeError;
///
/// let error = NodeError::caused("cannot decode", "bad byte");
/// let causes = causes(&error).map(ToString::to_string);
/// assert_eq!(causes.collect::<Vec<_>>(), ["bad byte"]);
/// ```
pub fn causes<'a>(
    error: &'a (dyn Error + 'a),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + use<'a> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
