use redb::{Database, TableDefinition};

use super::*;
use crate::ledger::storage::{database, encode};

/// Opens what lies in the place of the ledger: it is set aside as it is, and
/// the ledger is new and can be kept.
fn is_set_aside(place: &Place) {
    let before = fs::read(place.file()).unwrap();
    let others = place.others();
    let mut kept = place.open();
    assert!(kept.ledger().is_empty());
    let new: Vec<_> = place.others();
    let new: Vec<_> = new.iter().filter(|path| !others.contains(path)).collect();
    assert_eq!(new.len(), 1, "{new:?}");
    assert_eq!(fs::read(new[0]).unwrap(), before);
    let name = new[0].file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("a.redb.damaged-20261120T120000Z"),
        "{name}"
    );
    poll(&mut kept, 3);
    assert_eq!(content(place.open()), content(kept));
}

#[test]
fn what_is_no_ledger_is_set_aside() {
    let place = Place::new();
    let sqlite = [b"SQLite format 3\0".to_vec(), vec![0; 8192]].concat();
    let text = "sources: []\n".repeat(1000).into_bytes();
    // All of them in one second.
    for bytes in [vec![], vec![0], vec![0; 4096], text, sqlite] {
        fs::write(place.file(), bytes).unwrap();
        is_set_aside(&place);
    }
    assert_eq!(place.others().len(), 5);
}

#[test]
fn the_database_of_another_program_is_set_aside() {
    let place = Place::new();
    let database = Database::create(place.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = TableDefinition::<u64, &str>::new("songs");
    transaction
        .open_table(table)
        .unwrap()
        .insert(1, "la")
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    is_set_aside(&place);
}

#[test]
fn a_file_of_a_later_version_is_set_aside() {
    let place = Place::new();
    poll(&mut place.open(), 3);
    let database = Database::create(place.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let format = encode(&(database::FORMAT + 1)).unwrap();
    transaction
        .open_table(database::ABOUT)
        .unwrap()
        .insert(database::FORMAT_KEY, format.as_slice())
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    is_set_aside(&place);
}

#[test]
fn rows_that_name_what_is_not_there_are_not_trusted() {
    let place = Place::new();
    poll(&mut place.open(), 3);
    let database = Database::create(place.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = TableDefinition::<&[u8], &[u8]>::new("operations");
    let names = transaction.open_table(table).unwrap();
    drop(names);
    transaction.delete_table(table).unwrap();
    transaction.commit().unwrap();
    drop(database);
    is_set_aside(&place);
}

#[test]
fn a_file_of_another_system_or_source_is_set_aside() {
    for identity in [
        ("a", "vcenter", "https://a.example"),
        ("b", "sddc_manager", "https://b.example"),
    ] {
        let mut place = Place::new();
        let ours = place.identity.clone();
        let (source, system, url) = identity;
        place.identity = Identity {
            source: source.to_owned(),
            system: system.to_owned(),
            url: url.to_owned(),
        };
        poll(&mut place.open(), 3);
        let theirs = place.path().join(format!("{source}.redb"));
        if theirs != place.file() {
            fs::rename(theirs, place.file()).unwrap();
        }
        place.identity = ours;
        is_set_aside(&place);
    }
}

#[test]
fn a_file_that_moved_with_its_source_keeps_its_counts() {
    let mut place = Place::new();
    let mut kept = place.open();
    poll(&mut kept, 3);
    poll(&mut kept, 9);
    let before = content(kept);
    fs::rename(place.file(), place.path().join("new name.redb")).unwrap();
    place.identity.source = "new name".to_owned();
    assert_eq!(content(place.open()), before);
}

#[test]
fn a_changed_url_keeps_the_counts_and_makes_a_baseline() {
    let mut place = Place::new();
    let mut kept = place.open();
    poll(&mut kept, 3);
    poll(&mut kept, 9);
    let counts = |kept: &KeptLedger| kept.ledger().totals().counts().collect::<Vec<_>>();
    let before = counts(&kept);
    drop(kept);
    place.identity.url = "https://new.example".to_owned();
    let mut kept = place.open();
    let mut listing = Listing::new();
    listing.meet("tasks", Call::List, task(1001, Status::Failed));
    for number in 0..60 {
        listing.gone(task(number, Status::Running).key());
    }
    listing.read("tasks", true);
    let (here, there) = (now(), now());
    kept.apply(listing, Now { here, there });
    kept.commit(instant(), here);
    assert_eq!(
        counts(&kept),
        before,
        "neither a failure nor a vanished task"
    );
    drop(kept);
    let kept = place.open();
    assert_eq!(
        counts(&kept),
        before,
        "and the new url is known from now on"
    );
    let listed = kept.ledger().operations().iter();
    let listed = listed.map(|(_, number)| kept.ledger().counts(number).total());
    assert_eq!(listed.sum::<u64>(), 1);
}
