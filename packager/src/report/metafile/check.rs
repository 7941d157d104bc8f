//! What must hold in every metafile, so that whatever works on one need not ask.

use super::{Because, Metafile, Module, Place, Totals};

/// What is wrong first, with its place in the document.
pub(super) fn check(metafile: &Metafile) -> Result<(), String> {
    for (number, module) in metafile.modules.iter().enumerate() {
        let place = format!("modules[{number}] (`{}`)", module.name);
        check_order(metafile, number).map_err(|what| format!("{place} {what}"))?;
        check_module(module).map_err(|what| format!("{place} {what}"))?;
        for because in [&module.because, &module.refused].into_iter().flatten() {
            check_link(metafile, because).map_err(|what| format!("{place} {what}"))?;
        }
        for (number, definition) in module.definitions.iter().enumerate() {
            let place = format!("{place}.definitions[{number}] (`{}`)", definition.name);
            if let Some(because) = &definition.because {
                check_link(metafile, because).map_err(|what| format!("{place} {what}"))?;
            }
            if definition.because.is_some() && module.because.is_none() {
                return Err(format!("{place} is in the bundle, and its module is not"));
            }
        }
    }
    check_chains(metafile)?;
    if metafile.totals != Totals::of(&metafile.modules) {
        return Err("totals are not the sums over its modules".to_owned());
    }
    Ok(())
}

fn check_order(metafile: &Metafile, number: usize) -> Result<(), String> {
    let Some(before) = number
        .checked_sub(1)
        .map(|before| &metafile.modules[before])
    else {
        return Ok(());
    };
    if before.name < metafile.modules[number].name {
        Ok(())
    } else {
        Err(format!(
            "stands behind `{}`: modules are sorted, each named once",
            before.name
        ))
    }
}

fn check_module(module: &Module) -> Result<(), String> {
    // Text that was made smaller may be kept whole: only what was there before bounds the definitions.
    let bytes = module
        .definitions
        .iter()
        .try_fold(0u64, |sum, definition| sum.checked_add(definition.bytes));
    if module.origin.is_packed() && bytes.is_none_or(|bytes| bytes > module.source.before) {
        return Err(format!(
            "has {} bytes of source, and its definitions add up to more: those of a class must not count its methods again",
            module.source.before
        ));
    }
    if module.because.is_some() && module.refused.is_some() {
        return Err("is in the bundle, and is said to be refused".to_owned());
    }
    Ok(())
}

fn check_link(metafile: &Metafile, because: &Because) -> Result<(), String> {
    let Some(from) = because.from() else {
        return Ok(());
    };
    let numbers: Vec<usize> = from.into();
    if metafile.because(from).is_some() {
        Ok(())
    } else {
        Err(format!(
            "is there because of {numbers:?}, which is not in the bundle"
        ))
    }
}

/// Every chain ends at a root. Each place is walked over once.
fn check_chains(metafile: &Metafile) -> Result<(), String> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        OnTheWay,
        Ends,
    }
    // One row for each module: the module itself, then its definitions.
    let mut states: Vec<Vec<State>> = metafile
        .modules
        .iter()
        .map(|module| vec![State::New; module.definitions.len() + 1])
        .collect();
    let column = |place: Place| place.definition.map_or(0, |number| number + 1);
    for (module, row) in metafile.modules.iter().enumerate() {
        let definitions =
            (0..row.definitions.len()).map(|number| Place::definition(module, number));
        for start in [Place::module(module)].into_iter().chain(definitions) {
            let mut way = Vec::new();
            let mut at = Some(start);
            while let Some(place) = at {
                let state = &mut states[place.module][column(place)];
                match state {
                    State::Ends => break,
                    State::OnTheWay => {
                        return Err(format!(
                            "`{}` is there because of itself",
                            metafile.name(place)
                        ));
                    }
                    State::New => *state = State::OnTheWay,
                }
                way.push(place);
                at = metafile.because(place).and_then(Because::from);
            }
            for place in way {
                states[place.module][column(place)] = State::Ends;
            }
        }
    }
    Ok(())
}
