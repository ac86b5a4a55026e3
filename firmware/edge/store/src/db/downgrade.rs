//! What the old software finds after an upgrade that was taken back, and the new one at the next.

use std::fs;
use std::path::Path;

use super::*;

const OLD: Schema = Schema {
    file: "test.db",
    synchronous: "FULL",
    steps: &["CREATE TABLE a (x INTEGER) STRICT"],
    revision: "SELECT count(*) FROM a",
    expendable: None,
};
const NEW: Schema = Schema {
    steps: &[OLD.steps[0], "ALTER TABLE a ADD COLUMN y TEXT"],
    ..OLD
};
const NEWEST: Schema = Schema {
    steps: &[
        OLD.steps[0],
        NEW.steps[1],
        "ALTER TABLE a ADD COLUMN z TEXT",
    ],
    ..OLD
};

/// The numbers in it, once software of this schema has opened it.
fn found(dir: &Path, schema: Schema) -> Vec<i64> {
    let database = Database::open(dir, schema).unwrap();
    numbers(&database)
}

fn numbers(database: &Database) -> Vec<i64> {
    let all = |tx: &Transaction<'_>| -> Result<Vec<i64>, StoreError> {
        let mut query = tx.prepare("SELECT x FROM a ORDER BY x")?;
        let rows = query.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    database.read(all).unwrap()
}

/// Software of this schema adds a number.
fn add(dir: &Path, schema: Schema, number: i64) {
    let database = Database::open(dir, schema).unwrap();
    let add = "INSERT INTO a (x) VALUES (?1)";
    database.write(|tx| tx.execute(add, [number])).unwrap();
}

/// One number under the old software, one more under the new.
fn upgraded(schema: Schema) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    add(dir.path(), old_of(schema), 1);
    add(dir.path(), schema, 2);
    dir
}

/// The old software's, where it is of this kind.
const fn old_of(schema: Schema) -> Schema {
    Schema {
        steps: OLD.steps,
        ..schema
    }
}

#[test]
fn after_an_upgrade_that_is_taken_back_each_finds_its_own() {
    let dir = upgraded(NEW);
    // As often as it starts.
    assert_eq!(found(dir.path(), OLD), [1]);
    assert_eq!(found(dir.path(), OLD), [1]);
    // The next upgrade loses nothing of the first.
    assert_eq!(found(dir.path(), NEW), [1, 2]);
    assert_eq!(found(dir.path(), NEWEST), [1, 2]);
    // Back by two at once, and forth.
    assert_eq!(found(dir.path(), OLD), [1]);
    assert_eq!(found(dir.path(), NEWEST), [1, 2]);
    assert_eq!(found(dir.path(), NEW), [1, 2]);
}

#[test]
fn what_was_changed_under_the_old_software_goes_on_and_nothing_is_lost() {
    let dir = upgraded(NEW);
    add(dir.path(), OLD, 3);
    assert_eq!(found(dir.path(), NEW), [1, 3]);
    let kept = Schema {
        file: "test.db.newer-2.superseded",
        ..NEW
    };
    assert_eq!(found(dir.path(), kept), [1, 2]);
    // That was decided: it is not asked again.
    assert_eq!(found(dir.path(), OLD), [1, 3]);
    assert_eq!(found(dir.path(), NEW), [1, 3]);
}

#[test]
fn what_is_still_in_the_log_beside_the_file_is_kept_too() {
    let dir = upgraded(NEW);
    let database = Database::open(dir.path(), NEW).unwrap();
    database.never_fold().unwrap();
    let add = "INSERT INTO a (x) VALUES (5)";
    database.write(|tx| tx.execute(add, [])).unwrap();
    // As a kill leaves it.
    let crashed = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), crashed.path().join(entry.file_name())).unwrap();
    }
    assert!(crashed.path().join("test.db-wal").metadata().unwrap().len() > 0);
    assert_eq!(found(crashed.path(), OLD), [1]);
    assert_eq!(found(crashed.path(), NEW), [1, 2, 5]);
}

#[test]
fn a_power_cut_in_between_is_made_good_by_the_next_start() {
    // The newer file has its second name already; the copy was being written.
    let dir = upgraded(NEW);
    let path = |name: &str| dir.path().join(name);
    fs::hard_link(path("test.db"), path("test.db.newer-2")).unwrap();
    fs::write(path("test.db.unfinished"), "half").unwrap();
    assert_eq!(found(dir.path(), OLD), [1]);
    assert_eq!(found(dir.path(), NEW), [1, 2]);
    // A copy for the old software was being made, or is there and the migration isn't.
    let dir = tempfile::tempdir().unwrap();
    add(dir.path(), OLD, 1);
    fs::write(dir.path().join("test.db.unfinished"), "half").unwrap();
    fs::write(dir.path().join("test.db.schema-1"), "of before").unwrap();
    add(dir.path(), NEW, 2);
    assert_eq!(found(dir.path(), OLD), [1]);
    assert_eq!(found(dir.path(), NEW), [1, 2]);
}

#[test]
fn what_can_be_done_without_is_set_aside_where_there_is_no_copy() {
    let expendable = Schema {
        expendable: Some("SELECT max(x) FROM a"),
        ..NEW
    };
    let dir = upgraded(expendable);
    fs::remove_file(dir.path().join("test.db.schema-1")).unwrap();
    assert_eq!(found(dir.path(), old_of(expendable)), [0; 0]);
    assert_eq!(found(dir.path(), expendable), [1, 2]);
    // With a copy it is as anything else.
    let dir = upgraded(expendable);
    assert_eq!(found(dir.path(), old_of(expendable)), [1]);
    assert_eq!(found(dir.path(), expendable), [1, 2]);
}

#[test]
fn a_copy_of_long_ago_goes_where_none_is_made() {
    let expendable = Schema {
        expendable: Some("SELECT max(x) FROM a"),
        ..NEW
    };
    let dir = tempfile::tempdir().unwrap();
    add(dir.path(), old_of(expendable), 1);
    fs::write(dir.path().join("test.db.schema-1"), "of long ago").unwrap();
    // In the way of the copy: a folder can't be replaced.
    fs::create_dir(dir.path().join("test.db.unfinished")).unwrap();
    assert_eq!(found(dir.path(), expendable), [1]);
    assert!(!dir.path().join("test.db.schema-1").exists());
}

#[test]
fn what_was_left_unfinished_is_not_written_through() {
    let dir = upgraded(NEW);
    let other = dir.path().join("other");
    fs::write(&other, "kept").unwrap();
    std::os::unix::fs::symlink(&other, dir.path().join("test.db.unfinished")).unwrap();
    assert_eq!(found(dir.path(), OLD), [1]);
    assert_eq!(fs::read_to_string(&other).unwrap(), "kept");
}

#[test]
fn what_newer_software_has_open_is_left_to_it() {
    let expendable = Schema {
        expendable: Some("SELECT max(x) FROM a"),
        ..NEW
    };
    for newer in [NEW, expendable] {
        let dir = upgraded(newer);
        let database = Database::open(dir.path(), newer).unwrap();
        let refused = Database::open(dir.path(), old_of(newer)).err().unwrap();
        assert!(
            matches!(refused, StoreError::NewerSchema { .. }),
            "{refused}"
        );
        let add = "INSERT INTO a (x) VALUES (3)";
        database.write(|tx| tx.execute(add, [])).unwrap();
        drop(database);
        assert_eq!(found(dir.path(), newer), [1, 2, 3]);
        assert_eq!(found(dir.path(), old_of(newer)), [1]);
    }
}

#[test]
fn copies_have_the_rights_of_the_file() {
    let dir = upgraded(NEW);
    found(dir.path(), OLD);
    for name in ["test.db", "test.db.schema-1", "test.db.newer-2"] {
        let mode = fs::metadata(dir.path().join(name)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
}
