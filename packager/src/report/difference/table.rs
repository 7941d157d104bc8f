//! A difference as text for a terminal.

use std::fmt;

use super::{Change, Changed, ChangedNode, Difference, How};
use crate::report::describe;

/// How many lines a section has before the rest is only counted.
const LISTED: usize = 40;

/// How much of a value is shown.
const SHOWN: usize = 60;

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { before, after } = self.content;
        if self.is_none() {
            return write!(f, "no difference: both are {before}");
        }
        write!(f, "from {before}\n  to {after}")?;
        for (name, Change { before, after }) in &self.facts {
            let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
            write!(f, "\n{name}: {} -> {}", text(before), text(after))?;
        }
        write!(
            f,
            "\n\n{:<12} {:>10} {:>10} {:>11}",
            "", "before", "after", "change"
        )?;
        for (name, change) in &self.totals {
            let is_count = matches!(*name, "modules" | "definitions");
            let show = |number| {
                if is_count {
                    u64::to_string(&number)
                } else {
                    describe::size(number)
                }
            };
            let Change { before, after } = *change;
            let sign = signed(before, after, show);
            write!(
                f,
                "\n{name:<12} {:>10} {:>10} {sign:>11}",
                show(before),
                show(after)
            )?;
        }
        section(f, "entries", &self.entries, sized)?;
        section(f, "nodes", &self.nodes, node)?;
        section(f, "connections", &self.connections, |f, changed| {
            write!(f, "{} {}", mark(changed.how), changed.name)
        })?;
        section(f, "modules", &self.modules, sized)?;
        section(
            f,
            "definitions",
            self.definitions.as_deref().unwrap_or_default(),
            sized,
        )
    }
}

fn section<T>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    rows: &[T],
    row: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    write!(f, "\n\n{title}")?;
    for changed in rows.iter().take(LISTED) {
        f.write_str("\n  ")?;
        row(f, changed)?;
    }
    match rows.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => write!(f, "\n  and {more} more, which --json lists"),
    }
}

fn sized(f: &mut fmt::Formatter<'_>, changed: &Changed) -> fmt::Result {
    let Changed {
        name,
        how,
        before,
        after,
        note,
    } = changed;
    let change = signed(*before, *after, describe::size);
    write!(f, "{} {name:<44} {change:>11}", mark(*how))?;
    match how {
        How::Came | How::Went => {}
        How::Altered => write!(f, "  {}", describe::size(*after))?,
        How::Grew | How::Shrank => {
            write!(
                f,
                "  {} -> {}",
                describe::size(*before),
                describe::size(*after)
            )?;
        }
    }
    note.iter().try_for_each(|note| write!(f, ", {note}"))
}

fn node(f: &mut fmt::Formatter<'_>, node: &ChangedNode) -> fmt::Result {
    write!(f, "{} {}", mark(node.how), node.id)?;
    for (number, (name, Change { before, after })) in node.fields.iter().enumerate() {
        let separator = if number == 0 { ": " } else { ", " };
        write!(
            f,
            "{separator}{name} {} -> {}",
            short(before.as_ref()),
            short(after.as_ref())
        )?;
    }
    Ok(())
}

fn short(value: Option<&String>) -> String {
    match value {
        None => "none".to_owned(),
        Some(text) if text.chars().count() <= SHOWN => text.clone(),
        Some(text) => text.chars().take(SHOWN - 3).chain("...".chars()).collect(),
    }
}

fn mark(how: How) -> char {
    match how {
        How::Came => '+',
        How::Went => '-',
        How::Grew | How::Shrank | How::Altered => '~',
    }
}

fn signed(before: u64, after: u64, show: impl Fn(u64) -> String) -> String {
    let change = show(before.abs_diff(after));
    match after.cmp(&before) {
        std::cmp::Ordering::Greater => format!("+{change}"),
        std::cmp::Ordering::Less => format!("-{change}"),
        std::cmp::Ordering::Equal => "=".to_owned(),
    }
}
