//! What holds for all passes together, over small traps, over the standard library, and over what is made from it.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::Index;
use ruff_python_ast::Stmt;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged as _, TextRange};

use super::removal::suites_of;
use super::strings::OutsideOfInterpolated;
use super::*;

const EVERYTHING: &[Pass] = &[
    Pass::Docstrings,
    Pass::Asserts,
    Pass::Comments,
    Pass::Layout,
];

fn minified(text: &str, passes: &[Pass]) -> Minified {
    minify(&Task { text, passes })
}

/// What `passes` make of `before` is `after`, which is Python again and stays as it is when it is minified once more.
#[track_caller]
pub(super) fn becomes(passes: &[Pass], before: &str, after: &str) {
    let once = minified(before, passes);
    assert_eq!(once.problem, None, "{before}");
    assert_eq!(once.text, after);
    if !passes.contains(&Pass::Layout) {
        let lines = |text: &str| text.matches('\n').count();
        assert_eq!(lines(before), lines(after), "lines moved");
    }
    lines_lead_back(before, passes, &once);
    let again = minified(after, passes);
    assert_eq!(again.problem, None, "{after}");
    assert_eq!(again.text, after, "minifying once more changed it");
}

/// `passes` leave `text` as it is.
#[track_caller]
pub(super) fn stays(passes: &[Pass], text: &str) {
    becomes(passes, text, text);
}

/// The first lines of a module's statements, in the order of the text.
fn statement_lines(text: &str, body: &[Stmt]) -> Vec<u32> {
    fn collect(body: &[Stmt], starts: &mut Vec<usize>) {
        for statement in body {
            starts.push(statement.start().to_usize());
            for (_, inner) in suites_of(statement) {
                collect(inner, starts);
            }
        }
    }
    let mut starts = Vec::new();
    collect(body, &mut starts);
    let (mut line, mut done) = (1, 0);
    let line_of = |start: usize| {
        line += u32::try_from(text[done..start].matches('\n').count()).expect("a small text");
        done = start;
        line
    };
    starts.into_iter().map(line_of).collect()
}

/// Every statement of what `passes` made of `text` is led back to the line it was on.
#[track_caller]
fn lines_lead_back(text: &str, passes: &[Pass], minified: &Minified) {
    let parsed = parse(text).expect("Python");
    let changes = run(text, &parsed, passes);
    let mut wanted = parsed.into_syntax();
    changes.carry_out_in(&mut wanted);
    let read = parse(&minified.text).expect("Python").into_syntax();
    let led_back: Vec<_> = statement_lines(&minified.text, &read.body)
        .into_iter()
        .map(|line| minified.lines.original(line).expect("a line of the text"))
        .collect();
    assert_eq!(led_back, statement_lines(text, &wanted.body));
    let lines = u32::try_from(minified.text.lines().count()).expect("a small text");
    assert_eq!(minified.lines.lines(), lines);
    assert_eq!(minified.lines.original(lines + 1), None);
    let written = serde_json::to_string(&minified.lines).expect("plain data");
    let read: LineMap = serde_json::from_str(&written).expect("a line map");
    assert_eq!(read, minified.lines);
}

#[test]
fn the_standard_library_is_minified() {
    let stdlib = crate::engine::stdlib();
    assert!(stdlib.len() > 600, "the whole library is carried");
    for passes in [FOR_CODE, FOR_SOURCE, EVERYTHING] {
        let minify_texts = |texts: &[&str]| {
            let tasks: Vec<_> = texts.iter().map(|text| Task { text, passes }).collect();
            minify_all(&tasks)
        };
        let texts: Vec<&str> = stdlib.values().map(AsRef::as_ref).collect();
        let once = minify_texts(&texts);
        let again = minify_texts(&once.iter().map(|one| &*one.text).collect::<Vec<_>>());
        for ((path, text), (once, again)) in stdlib.iter().zip(once.into_iter().zip(again)) {
            assert_eq!(once.problem, None, "{path}");
            let stable = once.text == again.text;
            assert!(stable, "{path}: minifying once more changed it");
            lines_lead_back(text, passes, &once);
            if !passes.contains(&Pass::Layout) {
                let lines = once.text.lines().count();
                assert_eq!(text.lines().count(), lines, "{path}: lines moved");
            }
        }
    }
}

#[test]
fn lines_lead_back_to_the_statement_that_failed() {
    let text = "'''doc'''\n\nimport a  # b\n\n\ndef f(\n    x,\n):\n    '''doc\n    doc'''\n    y = '''\n\n'''\n    return g(x,\n\n             1 / 0)\n";
    let after = "import a\ndef f(\nx,\n):\n y='''\n\n'''\n return g(x,\n1/0)\n";
    becomes(FOR_SOURCE, text, after);
    let lines = minified(text, FOR_SOURCE).lines;
    let original: Vec<_> = (1..).map_while(|line| lines.original(line)).collect();
    assert_eq!(original, [3, 6, 7, 8, 11, 12, 13, 14, 16]);
}

#[test]
fn what_the_documents_say_about_lines_holds() {
    let text = "import sys\n\n\nclass Counterexample:\n    def process(self, data):\n        # This is line 6.\n        return sys._getframe().f_lineno\n";
    let after = minified(text, FOR_SOURCE);
    assert_eq!(
        after.text.lines().nth(3),
        Some("  return sys._getframe().f_lineno")
    );
    assert_eq!(after.lines.original(4), Some(7));
}

#[test]
fn what_is_not_python_stays_and_says_so() {
    let text = "a = 1 \nb = )\n";
    let same = minified(text, FOR_SOURCE);
    assert_eq!(same.text, text);
    assert_eq!(same.lines.original(2), Some(2));
    assert_eq!(
        same.problem.map(|problem| problem.to_string()),
        Some("line 2: not minified, because it is not Python: Expected an expression".to_owned())
    );
}

#[test]
fn mistakes_of_the_passes_are_found_and_not_shipped() {
    let text = "a = 1\nb = 2\nc = 3\n";
    let with_mistake = |start: u32, end: u32, mistake: &'static str| {
        let wanted = Read {
            text,
            tree: parse(text).expect("Python").into_syntax(),
            shown: vec![],
        };
        let range = TextRange::new(start.into(), end.into());
        let edits = [Edit::replace(range, mistake)];
        minified_or_as_it_was(text, checked(&wanted, &edits))
    };
    assert_eq!(with_mistake(6, 7, "b").problem, None);
    let changed = with_mistake(6, 7, "d");
    assert_eq!(changed.problem, Some(Problem::Changed { line: 2 }));
    assert_eq!(changed.text, text);
    let broken = with_mistake(0, 11, "\n\n)");
    let why = "line 2: not minified, because the minifier would have broken it (Expected a statement); please report this";
    assert_eq!(
        broken.problem.map(|problem| problem.to_string()),
        Some(why.to_owned())
    );
    assert_eq!(broken.text, text);
    assert_eq!(broken.lines.original(3), Some(3));
}

#[test]
fn nesting_does_not_run_out_of_stack() {
    let brackets = "(".repeat(6000) + &")".repeat(6000);
    let sum = format!("x = {}1\n", "1 + ".repeat(100_000));
    let tasks = [&*brackets, &*sum].map(|text| Task {
        text,
        passes: FOR_SOURCE,
    });
    let [brackets, sum] = minify_all(&tasks).try_into().expect("an answer for each");
    assert_eq!(brackets.problem, Some(Problem::TooDeep { line: 1 }));
    assert_eq!(sum.problem, None);
    assert_eq!(sum.text, format!("x={}1\n", "1+".repeat(100_000)));
}

/// Modules of the standard library that are large enough to have everything and small enough to be minified often.
fn some_modules() -> &'static [Arc<str>] {
    static MODULES: LazyLock<Vec<Arc<str>>> = LazyLock::new(|| {
        let library = crate::engine::stdlib().into_values();
        let handy = library.filter(|text| (2_000..20_000).contains(&text.len()));
        handy.collect()
    });
    &MODULES
}

/// `text` with blanks, empty lines, comments and backslashes wherever they change nothing.
fn with_noise(text: &str, noise: &[u8]) -> String {
    let mut noise = noise.iter().copied().map(usize::from).cycle();
    let mut pick = |choices: &[&'static str]| {
        let choice = noise.next().and_then(|number| choices.get(number));
        choice.copied().unwrap_or_default()
    };
    let starts_line = |kind| {
        matches!(
            kind,
            TokenKind::Newline
                | TokenKind::NonLogicalNewline
                | TokenKind::Indent
                | TokenKind::Dedent
        )
    };
    let parsed = parse(text).expect("Python");
    let mut outside = OutsideOfInterpolated::default();
    let mut output = String::new();
    let mut done = 0;
    let mut before = TokenKind::Newline;
    for token in parsed.tokens() {
        let was_outside = outside.is_outside();
        outside.holds(token);
        let kind = token.kind();
        let added = match kind {
            _ if !was_outside => "",
            TokenKind::Newline if before != TokenKind::Comment => pick(&[" ", "  # x = '", "\t"]),
            TokenKind::Indent
            | TokenKind::Dedent
            | TokenKind::EndOfFile
            | TokenKind::Comment
            | TokenKind::Newline
            | TokenKind::NonLogicalNewline => "",
            _ if starts_line(before) => "",
            _ => pick(&[" ", "  ", "\t", " \\\n  ", "\x0c"]),
        };
        let (start, end) = (token.start().to_usize(), token.end().to_usize());
        output.push_str(&text[done..start]);
        output.push_str(added);
        output.push_str(&text[start..end]);
        done = end;
        if kind == TokenKind::Newline && start < end {
            output.push_str(pick(&["\n", "# \"\n", "  \n\n", "\t # (\n"]));
        }
        before = kind;
    }
    output + &text[done..]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_makes_no_difference(
        module in any::<Index>(),
        noise in vec(0_u8..12, 1..200),
    ) {
        let text = module.get(some_modules());
        let disturbed = with_noise(text, &noise);
        let quiet = minified(&disturbed, FOR_SOURCE);
        prop_assert_eq!(&quiet.problem, &None);
        // Where a statement has come to share its logical line only, it keeps the backslash.
        let joined = |text: &str| text.replace(":\\\n", ":").replace(";\\\n", ";");
        let expected = minified(text, FOR_SOURCE);
        prop_assert_eq!(joined(&quiet.text), joined(&expected.text));
        lines_lead_back(&disturbed, FOR_SOURCE, &quiet);
    }

    #[test]
    fn whatever_is_python_is_minified(
        module in any::<Index>(),
        changes in vec((any::<Index>(), any::<Index>(), any::<bool>()), 1..4),
    ) {
        let mut text = module.get(some_modules()).to_string();
        for (token, place, twice) in changes {
            // Leave out a token, or say it once more: what remains may be Python that nobody would write.
            let tokens = tokens(&text);
            let range = token.get(&tokens).clone();
            if twice {
                let said = text[range].to_owned();
                text.insert_str(place.get(&tokens).start, &said);
            } else {
                text.replace_range(range, "");
            }
        }
        let after = minified(&text, EVERYTHING);
        match after.problem {
            None => lines_lead_back(&text, EVERYTHING, &after),
            Some(Problem::NotPython { .. }) => prop_assert_eq!(after.text, text),
            Some(problem) => prop_assert!(false, "{problem}\n{text}"),
        }
    }
}

/// The tokens of a text that may not be Python.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    let tokens = parsed.tokens().iter();
    tokens.map(|token| token.range().to_std_range()).collect()
}
