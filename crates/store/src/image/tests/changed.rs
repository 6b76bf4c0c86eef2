//! What becomes of a backup that is not as it was made.

use super::*;

/// A backup with its bytes changed in some way, restored: why that is refused. Nothing is there after it.
async fn refused_with(here: &Here, change: impl FnOnce(&mut Vec<u8>)) -> Refused {
    let mut bytes = fs::read(here.path("furka.backup")).unwrap();
    change(&mut bytes);
    fs::write(here.path("changed.backup"), bytes).unwrap();
    let why = refused(here.restore("changed.backup", "new.db").await);
    assert!(!here.path("new.db").exists(), "{why}");
    why
}

/// The smallest backup, its bytes changed in all of these ways: why each is refused.
async fn refused_each(change: impl Fn(&mut Vec<u8>, usize)) -> Vec<Refused> {
    let here = Here::new();
    drop(here.open("old.db"));
    here.backup("furka.backup").await.unwrap();
    let whole = fs::read(here.path("furka.backup")).unwrap();
    assert!(whole.len() > 2000, "{}", whole.len());
    let keys = keys();
    let mut refusals = vec![];
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        change(&mut bytes, at);
        let checked = async { check(file::Made::read(&*bytes, &keys)?, &nobody).await };
        refusals.push(refused(checked.await));
    }
    refusals
}

#[tokio::test]
async fn no_byte_of_a_backup_can_be_changed() {
    let refusals = refused_each(|bytes, at| bytes[at] ^= 1).await;
    for (at, why) in refusals.into_iter().enumerate() {
        let expected = match at {
            0..12 | 15 => Refused::NotOne,
            12..15 => Refused::NewerFormat(1 + (1 << (8 * (15 - at)))),
            16..77 => Refused::OtherKey,
            _ => Refused::Changed(1),
        };
        assert_eq!(why, expected, "{at}");
    }
}

#[tokio::test]
async fn a_backup_that_was_cut_anywhere_is_refused() {
    let refusals = refused_each(Vec::truncate).await;
    for (at, why) in refusals.into_iter().enumerate() {
        let expected = match at {
            0..12 => Refused::NotOne,
            12..=77 => Refused::CutOff,
            _ => Refused::Changed(1),
        };
        assert_eq!(why, expected, "{at}");
    }
}

#[tokio::test]
async fn parts_of_a_backup_cannot_change_places_or_be_missing() {
    const PART: usize = (64 << 10) + 16;
    const FRONT: usize = 77;
    let here = Here::new();
    let store = here.open("old.db");
    store.import_people(&people(1000), &by()).await.unwrap();
    here.backup("furka.backup").await.unwrap();
    let swapped = refused_with(&here, |bytes| {
        let (one, two) = bytes[FRONT..FRONT + 2 * PART].split_at_mut(PART);
        one.swap_with_slice(two);
    });
    assert_eq!(swapped.await, Refused::Changed(1));
    let missing = refused_with(&here, |bytes| {
        drop(bytes.drain(FRONT + PART..FRONT + 2 * PART))
    });
    assert_eq!(missing.await, Refused::Changed(2));
    let cut = refused_with(&here, |bytes| bytes.truncate(FRONT + 2 * PART));
    assert_eq!(cut.await, Refused::CutOff);
    let longer = refused_with(&here, |bytes| bytes.push(0));
    assert!(matches!(longer.await, Refused::Changed(3..)));
    here.restore("furka.backup", "new.db").await.unwrap();
    let counts = here.open("new.db").counts(NOW).await.unwrap();
    assert_eq!(counts.people, 1000);
}

#[tokio::test]
async fn another_key_a_newer_format_and_a_newer_schema_have_their_own_sentences() {
    let here = Here::new();
    let (_store, _) = filled(&here).await;
    here.backup("furka.backup").await.unwrap();
    let others = Keys::from_master(&[8; 32]);
    let from = here.path("furka.backup");
    let why = refused(verify(&from, &others, &nobody).await);
    assert!(why.to_string().contains("another key file"), "{why}");
    // A later key seals, an earlier one still opens what it sealed.
    let both = Keys::from_master(&[7; 32]).and_newer(&[8; 32]);
    verify(&from, &both, &nobody).await.unwrap();

    let newer = refused_with(&here, |bytes| bytes[15] = 2).await;
    assert!(newer.to_string().contains("newer format (2)"), "{newer}");

    let rows = here.whole("old.db").snapshot().await.unwrap();
    let mut description = rows.description().clone();
    description.migrations.push("9999-later".into());
    let to = here.path("later.backup");
    let later = file::Making::begin(&to, &keys(), NOW, &description).unwrap();
    let empty = Context::new(&SHA256).finish();
    let sum = |table: &Table| Sum {
        rows: 0,
        sha256: HEXLOWER.encode(empty.as_ref()),
        table: table.name.clone(),
    };
    let sums: Vec<_> = description.tables.iter().map(sum).collect();
    later.finish(&sums).unwrap();
    let why = refused(here.restore("later.backup", "new.db").await);
    assert_eq!(why, Refused::NewerSchema("9999-later".into()));
    assert!(!here.path("new.db").exists());
}
