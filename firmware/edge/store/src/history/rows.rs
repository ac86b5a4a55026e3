//! Calls as rows.

use model::{CallId, CallRecord, Cause, ExtensionId, Party, WallTime};
use rusqlite::{Row, Transaction, params};

use crate::StoreError;
use crate::word::{damaged, id32, json, unjson, unword, word};

/// The columns that [`call`] reads.
pub(super) const COLUMNS: &str = "SELECT id, started, answered, ended, caller_number, caller_name, \
     caller_extension, dialled, called_number, called_name, called_extension, disposition, cause, \
     ended_by, transferred_from, administrator, shown_outside, \
     forwarded_from, brake FROM calls";

/// Inserts a call; false where it is there already.
pub(super) fn insert(tx: &Transaction<'_>, record: &CallRecord) -> Result<bool, rusqlite::Error> {
    let caller = Columns::of(Some(&record.caller));
    let called = Columns::of(record.called.as_ref());
    let worst = record
        .legs
        .iter()
        .filter_map(|leg| leg.quality?.mos_hundredths)
        .min();
    let inserted = tx
        .prepare_cached(
            "INSERT OR IGNORE INTO calls (id, started, answered, ended, duration, caller_number,
             caller_name, caller_extension, dialled, called_number, called_name, called_extension,
             disposition, cause, ended_by, transferred_from, mos, administrator,
             shown_outside, forwarded_from, brake)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
             ?18, ?19, ?20, ?21)",
        )?
        .execute(params![
            raw(record.call),
            record.started.as_unix_micros(),
            record.answered.map(WallTime::as_unix_micros),
            record.ended.as_unix_micros(),
            talked(record),
            caller.number,
            caller.name,
            caller.extension,
            record.dialled,
            called.number,
            called.name,
            called.extension,
            word(record.disposition),
            record.cause.value(),
            word(record.ended_by),
            record.transferred_from.map(raw),
            worst,
            record.administrator,
            record.shown_outside,
            record.forwarded_from.as_ref().map(json),
            record.brake.map(word)
        ])?;
    if inserted == 0 {
        measured(tx, record, worst)?;
        return Ok(false);
    }
    tx.prepare_cached("INSERT INTO call_legs (call, legs) VALUES (?1, ?2)")?
        .execute(params![raw(record.call), json(&record.legs)])?;
    tx.prepare_cached("UPDATE meta SET last_call = max(ifnull(last_call, ?1), ?1)")?
        .execute([raw(record.call)])?;
    Ok(true)
}

/// A call comes again once its sound is measured to the end: all else stays as it was.
fn measured(
    tx: &Transaction<'_>,
    record: &CallRecord,
    worst: Option<u16>,
) -> Result<(), rusqlite::Error> {
    if record.legs.iter().all(|leg| leg.quality.is_none()) {
        return Ok(());
    }
    tx.prepare_cached("UPDATE calls SET mos = ?2 WHERE id = ?1 AND mos IS NOT ?2")?
        .execute(params![raw(record.call), worst])?;
    tx.prepare_cached("UPDATE call_legs SET legs = ?2 WHERE call = ?1 AND legs IS NOT ?2")?
        .execute(params![raw(record.call), json(&record.legs)])?;
    Ok(())
}

/// A call from the row of [`COLUMNS`].
pub(super) fn call(tx: &Transaction<'_>, row: &Row<'_>) -> Result<CallRecord, StoreError> {
    let id: i64 = row.get(0)?;
    let legs: String = tx
        .prepare_cached("SELECT legs FROM call_legs WHERE call = ?1")?
        .query_row([id], |row| row.get(0))?;
    let cause: u8 = row.get(12)?;
    Ok(CallRecord {
        call: unraw(id),
        caller: party(row, 4)?.ok_or_else(|| damaged("a call", &"it has no caller"))?,
        dialled: row.get(7)?,
        called: party(row, 8)?,
        started: WallTime::from_unix_micros(row.get(1)?),
        answered: row
            .get::<_, Option<i64>>(2)?
            .map(WallTime::from_unix_micros),
        ended: WallTime::from_unix_micros(row.get(3)?),
        disposition: unword(row.get(11)?)?,
        cause: Cause::from_wire(cause),
        ended_by: unword(row.get(13)?)?,
        administrator: row.get(15)?,
        shown_outside: row.get(16)?,
        forwarded_from: (row.get::<_, Option<String>>(17)?)
            .map(|party| unjson(&party))
            .transpose()?,
        brake: (row.get::<_, Option<String>>(18)?)
            .map(unword)
            .transpose()?,
        transferred_from: row.get::<_, Option<i64>>(14)?.map(unraw),
        legs: unjson(&legs)?,
    })
}

/// A call id as a column. Ids are far below the sign bit; one that isn't comes back as it was.
pub(super) const fn raw(call: CallId) -> i64 {
    call.raw().cast_signed()
}

pub(super) const fn unraw(id: i64) -> CallId {
    CallId::new(id.cast_unsigned())
}

/// Microseconds from the answer to the end.
fn talked(record: &CallRecord) -> i64 {
    let span = record.answered.map(|answered| record.ended.since(answered));
    span.map_or(0, |span| {
        i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
    })
}

/// The three columns of a party.
struct Columns<'a> {
    number: Option<&'a str>,
    name: Option<&'a str>,
    extension: Option<u32>,
}

impl<'a> Columns<'a> {
    fn of(party: Option<&'a Party>) -> Self {
        Self {
            number: party.map(|party| party.number.as_str()),
            name: party.and_then(|party| party.name.as_deref()),
            extension: party
                .and_then(|party| party.extension)
                .map(ExtensionId::raw),
        }
    }
}

fn party(row: &Row<'_>, first: usize) -> Result<Option<Party>, StoreError> {
    let Some(number) = row.get(first)? else {
        return Ok(None);
    };
    let extension: Option<i64> = row.get(first + 2)?;
    Ok(Some(Party {
        number,
        name: row.get(first + 1)?,
        extension: extension.map(id32).transpose()?.map(ExtensionId::new),
    }))
}
