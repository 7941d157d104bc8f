use std::path::Path;

use super::*;

fn parts(name: &str) -> Parts {
    let manifest = "nodes: [{id: a, node_type: PassThrough}]\nversion: v1\nmetadata: {name: a}\n";
    Parts {
        name: name.to_owned(),
        manifest: Manifest::parse(manifest, Path::new("a.yaml"))
            .unwrap()
            .manifest,
        packer: "a test".to_owned(),
        python: None,
    }
}

/// A bundle as a program could write it that does not go by the rules: what is described is changed first.
fn forged(
    change: impl FnOnce(&mut Description),
    entries: &[(&str, &[u8])],
) -> Result<Bundle, BundleError> {
    let mut bundle = Bundle::assemble(parts("a")).unwrap();
    change(&mut bundle.description);
    let bytes = archive::write(&bundle.description_bytes(), entries.iter().copied());
    Bundle::from_bytes(&bytes, Path::new("forged.rmpkg"))
}

#[test]
fn a_name_stays_in_its_folder() {
    let long = "a".repeat(LONGEST_NAME + 1);
    for name in [
        "",
        ".",
        "..",
        "../evil",
        "/tmp/evil",
        "a/b",
        "a\\b",
        "a\0b",
        "a\x1b[31m",
        "a b",
        ".a",
        "\u{fc}",
        &long,
    ] {
        let read = forged(|description| name.clone_into(&mut description.name), &[]);
        for result in [read, Bundle::assemble(parts(name))] {
            let error = result.unwrap_err();
            assert!(matches!(error, BundleError::BadName { .. }), "{error:?}");
            assert!(!error.to_string().contains('\x1b'), "{error}");
            assert!(error.to_string().len() < 400, "{error}");
        }
    }
    for name in ["a", "my-pipeline_2.0", &long[1..]] {
        let bundle = Bundle::assemble(parts(name)).unwrap();
        let read = Bundle::from_bytes(&bundle.to_bytes(), Path::new("a.rmpkg")).unwrap();
        assert_eq!(read.description().name, name);
    }
}

#[test]
fn an_entry_that_claims_too_much_is_not_even_decompressed() {
    let zeros = zstd::encode_all(vec![0; 1 << 20].as_slice(), 1).unwrap();
    for (name, size) in [
        (LAYER, LARGEST_LAYER + 1),
        (ENGINE, LARGEST_ENGINE + 1),
        (MODULES, LARGEST_JSON + 1),
        ("stray.zst", u64::MAX),
    ] {
        let claim = |description: &mut Description| {
            let sha256 = Digest::of(b"");
            let entry = Entry { sha256, size };
            description.entries.insert(name.to_owned(), entry);
        };
        let error = forged(claim, &[(name, &zeros)]).unwrap_err();
        assert!(
            matches!(&error, BundleError::TooLarge { entry, .. } if entry == name),
            "{error:?}"
        );
    }
    let long = "x".repeat(usize::try_from(LARGEST_JSON).unwrap());
    let mut large = parts("a");
    large.packer.clone_from(&long);
    let made = Bundle::assemble(large);
    for result in [made, forged(|description| description.packer = long, &[])] {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, BundleError::TooLarge { entry, .. } if entry == DESCRIPTION),
            "{error:?}"
        );
    }
}
