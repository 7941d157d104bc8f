//! What holds for all passes together, over small traps and over the standard library.

use super::*;

/// What `passes` make of `before` is `after`, which is Python again and stays as it is when it is minified once more.
#[track_caller]
pub(super) fn becomes(passes: &[Pass], before: &str, after: &str) {
    let minified = minify(&Task {
        text: before,
        passes,
    });
    assert_eq!(minified.problem, None, "{before}");
    assert_eq!(minified.text, after);
    if !passes.contains(&Pass::Layout) {
        let lines = |text: &str| text.matches('\n').count();
        assert_eq!(lines(before), lines(after), "lines moved");
    }
    let again = minify(&Task {
        text: after,
        passes,
    });
    assert_eq!(again.problem, None, "{after}");
    assert_eq!(again.text, after, "minifying once more changed it");
}

/// `passes` leave `text` as it is.
#[track_caller]
pub(super) fn stays(passes: &[Pass], text: &str) {
    becomes(passes, text, text);
}

#[test]
fn measure() {
    let stdlib = crate::engine::stdlib();
    let tasks: Vec<_> = stdlib.values().map(|text| Task { text, passes: FOR_SOURCE }).collect();
    let start = cpu_time::ProcessTime::now();
    let out = minify_all(&tasks);
    println!("cpu {:?}", start.elapsed());
    let size = |text: &str| {
        use std::io::Write as _;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap().len()
    };
    let raw: usize = stdlib.values().map(|text| size(text)).sum();
    let small: usize = out.iter().map(|m| size(&m.text)).sum();
    let len: usize = out.iter().map(|m| m.text.len()).sum();
    println!("raw {raw} small {small} len {len}");
    std::fs::create_dir_all("/tmp/min").unwrap();
    for ((name, _), m) in stdlib.iter().zip(&out) {
        if let Some(problem) = &m.problem { println!("{name}: {problem}"); }
        let path = std::path::Path::new("/tmp/min").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &m.text).unwrap();
    }
    let t = cpu_time::ProcessTime::now();
    for text in stdlib.values() { std::hint::black_box(parse_module(text).unwrap()); }
    println!("parse only {:?}", t.elapsed());
    let texts: Vec<_> = stdlib.values().map(|t| parse_module(t).unwrap()).collect();
    let t = cpu_time::ProcessTime::now();
    for p in &texts { 
        for s in &p.syntax().body { assert!(rustpython_ruff_python_ast::comparable::ComparableStmt::from(s) == rustpython_ruff_python_ast::comparable::ComparableStmt::from(s)); } }
    println!("compare only {:?}", t.elapsed());
}
