//! How deep Python texts may be nested, and stacks that are deep enough for the trees of those that are not deeper.

/// How deep brackets may be nested. CPython itself reads 200; this only keeps the parser from running out of stack, and
/// counts brackets in strings too, because finding those out is the parser's work.
pub(crate) const DEEPEST: usize = 5000;

/// Stack of a thread that parses, walks, compares and drops trees, all of which recurse. It is reserved, and used only by
/// code that is nested so deep: a sum of a hundred thousand terms is a tree of that depth.
const STACK: usize = 512 << 20;

/// Do work that recurses into syntax trees, in parallel on as many threads as there are now.
///
/// # Panics
///
/// The operating system refuses to make threads.
pub(crate) fn on_deep_stacks<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new()
        .num_threads(rayon::current_num_threads())
        .stack_size(STACK)
        .build()
        .expect("the operating system makes threads")
        .install(work)
}

/// The offset at which brackets are nested too deep to parse.
pub(crate) fn nested_too_deep(text: &str) -> Option<usize> {
    // What has no more brackets than that has them nowhere so deep. Counting in bytes is what processors do many at a time.
    let opening: usize = text
        .as_bytes()
        .chunks(128)
        .map(|part| {
            let count = part.iter().fold(0_u8, |count, byte| {
                count + u8::from(matches!(byte, b'(' | b'[' | b'{'))
            });
            usize::from(count)
        })
        .sum();
    if opening <= DEEPEST {
        return None;
    }
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_open_at_once_is_deep() {
        let flat = "()".repeat(DEEPEST + 1);
        assert_eq!(nested_too_deep(&flat), None);
        let deep = format!("{flat}{}", "[".repeat(DEEPEST + 2));
        assert_eq!(nested_too_deep(&deep), Some(flat.len() + DEEPEST));
    }
}
