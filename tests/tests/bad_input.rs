//! Whatever is wrong with an input: the exit code and the whole message. The cases are folders in `cases/bad_input/`.

use end_to_end::{repository, session};

macro_rules! topics {
    ($($topic:ident),* $(,)?) => {
        $(
            #[test]
            fn $topic() {
                session::check(concat!("bad_input/", stringify!($topic)));
            }
        )*

        #[test]
        fn no_topic_is_forgotten() {
            let folders = std::fs::read_dir(repository().join("tests/cases/bad_input")).unwrap();
            let mut found: Vec<_> = folders
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            found.sort();
            assert_eq!(found, [$(stringify!($topic)),*]);
        }
    };
}

topics!(
    finding,
    imports,
    manifest,
    not_a_bundle,
    output,
    running,
    usage
);
