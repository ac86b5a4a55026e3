//! The configuration as rows.

use std::collections::{BTreeMap, BTreeSet};

use model::config::{Configuration, Emergency, Extension, FraudProtection, General, Ringing, User};
use model::{
    ConfigVersion, ExtensionId, ExtensionNumber, PermissionGroupId, Secret, UserId, WallTime,
};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::item::{self, ItemId};
use super::{Author, Credentials, Revisions, Snapshot};
use crate::StoreError;
use crate::word::{damaged, id32, json, unjson, unword, version, word};

/// Former numbers that are remembered, the last ones: as many as a full exchange has extensions.
const FORMER_NUMBERS: u32 = 5000;

pub(super) fn load(tx: &Transaction<'_>) -> Result<Snapshot, StoreError> {
    let version = load_version(tx)?;
    let (general, general_revision) = load_general(tx)?;
    let mut revisions = Revisions {
        general: general_revision,
        users: BTreeMap::new(),
        extensions: BTreeMap::new(),
        items: BTreeMap::new(),
    };
    let mut users = Vec::new();
    let mut statement = tx.prepare_cached(
        "SELECT id, name, full_name, email, language, role, enabled, revision, ringing
         FROM users ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut user = user(row)?;
        user.ringing = unjson(&row.get::<_, String>(8)?)?;
        revisions.users.insert(user.id, revision(row, 7)?);
        users.push(user);
    }
    let mut extensions = Vec::new();
    let mut statement = tx.prepare_cached(
        "SELECT id, number, description, user, enabled, sip_username, sip_password, codecs,
         caller_name, srtp, permission_group, caller_id, revision FROM extensions ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let extension = extension(row)?;
        revisions
            .extensions
            .insert(extension.id, revision(row, 12)?);
        extensions.push(extension);
    }
    let mut configuration = Configuration {
        version,
        general,
        users,
        extensions,
        interfaces: Vec::new(),
        routes: Vec::new(),
        emergency: Emergency::preset(""),
        permission_groups: Vec::new(),
        fraud_protection: FraudProtection::preset(""),
    };
    revisions.items = item::load(tx, &mut configuration)?;
    if !revisions.items.contains_key(&ItemId::Emergency) {
        configuration.emergency = configuration.preset_emergency();
    }
    if !revisions.items.contains_key(&ItemId::FraudProtection) {
        configuration.fraud_protection = configuration.preset_fraud_protection();
    }
    Ok(Snapshot {
        configuration,
        revisions,
        with_password: load_with_password(tx)?,
    })
}

pub(super) fn changed_by(
    tx: &Transaction<'_>,
    version: ConfigVersion,
) -> Result<Option<(Author, WallTime)>, StoreError> {
    Ok(tx
        .prepare_cached("SELECT author, host, at FROM config_log WHERE version = ?1 LIMIT 1")?
        .query_row([raw(version)], |row| {
            let author = Author {
                name: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                host: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            };
            Ok((author, WallTime::from_unix_micros(row.get(2)?)))
        })
        .optional()?)
}

pub(super) fn load_version(tx: &Transaction<'_>) -> Result<ConfigVersion, StoreError> {
    let raw = tx
        .prepare_cached("SELECT version FROM meta")?
        .query_row([], |row| row.get(0))?;
    Ok(version(raw))
}

pub(super) fn store_version(
    tx: &Transaction<'_>,
    version: ConfigVersion,
) -> Result<(), rusqlite::Error> {
    tx.prepare_cached("UPDATE meta SET version = ?1")?
        .execute([raw(version)])?;
    Ok(())
}

/// The ids that the next user and the next extension get: beyond all that ever were.
pub(super) fn next_ids(tx: &Transaction<'_>) -> Result<(UserId, ExtensionId), StoreError> {
    let next = |table: &str| -> Result<u32, StoreError> {
        let last: Option<i64> = tx
            .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = ?1")?
            .query_row([table], |row| row.get(0))
            .optional()?;
        id32(last.unwrap_or(0) + 1)
    };
    Ok((
        UserId::new(next("users")?),
        ExtensionId::new(next("extensions")?),
    ))
}

pub(super) fn credentials(
    tx: &Transaction<'_>,
    name: &str,
) -> Result<Option<Credentials>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, name, full_name, email, language, role, enabled, hash
         FROM users LEFT JOIN passwords ON user = id WHERE name = ?1 COLLATE NOCASE",
    )?;
    let mut rows = statement.query([name])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Credentials {
        user: user(row)?,
        hash: row.get::<_, Option<String>>(7)?.map(Secret::new),
    }))
}

pub(super) fn needs_first_password(tx: &Transaction<'_>) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("SELECT NOT first_password_set FROM meta")?
        .query_row([], |row| row.get(0))?)
}

/// True where somebody could still log in and change things; before the first password was set, it
/// is enough that somebody is there to get it.
pub(super) fn has_administrator(tx: &Transaction<'_>) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM users WHERE role = 'read_write' AND enabled
             AND (NOT (SELECT first_password_set FROM meta)
                  OR EXISTS (SELECT 1 FROM passwords WHERE user = id)))",
        )?
        .query_row([], |row| row.get(0))?)
}

pub(super) fn put_general(
    tx: &Transaction<'_>,
    general: &General,
    revision: ConfigVersion,
) -> Result<(), rusqlite::Error> {
    tx.prepare_cached(
        "UPDATE general SET country = ?1, realm = ?2, no_answer_s = ?3, digest = ?4, revision = ?5",
    )?
    .execute(params![
        general.country,
        general.realm,
        general.no_answer_s,
        word(general.digest),
        raw(revision)
    ])?;
    Ok(())
}

/// Inserts a user or updates the one with its id. An upsert, since a replacement would take what
/// refers to the row with it.
pub(super) fn put_user(
    tx: &Transaction<'_>,
    user: &User,
    revision: ConfigVersion,
) -> Result<(), rusqlite::Error> {
    tx.prepare_cached(
        "INSERT INTO users (id, name, full_name, email, language, role, enabled, revision, ringing)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (id) DO UPDATE SET name = ?2, full_name = ?3, email = ?4, language = ?5,
         role = ?6, enabled = ?7, revision = ?8, ringing = ?9",
    )?
    .execute(params![
        user.id.raw(),
        user.name,
        user.full_name,
        user.email,
        word(user.language),
        word(user.role),
        user.enabled,
        raw(revision),
        json(&user.ringing)
    ])?;
    Ok(())
}

pub(super) fn delete_user(tx: &Transaction<'_>, user: UserId) -> Result<(), rusqlite::Error> {
    tx.prepare_cached("DELETE FROM users WHERE id = ?1")?
        .execute([user.raw()])?;
    Ok(())
}

pub(super) fn put_password(
    tx: &Transaction<'_>,
    user: UserId,
    hash: Option<&Secret>,
) -> Result<(), rusqlite::Error> {
    match hash {
        Some(hash) => tx
            .prepare_cached(
                "INSERT INTO passwords (user, hash) VALUES (?1, ?2)
                 ON CONFLICT (user) DO UPDATE SET hash = ?2",
            )?
            .execute(params![user.raw(), hash.expose()])?,
        None => tx
            .prepare_cached("DELETE FROM passwords WHERE user = ?1")?
            .execute([user.raw()])?,
    };
    Ok(())
}

pub(super) fn set_first_password_set(
    tx: &Transaction<'_>,
    set: bool,
) -> Result<(), rusqlite::Error> {
    tx.execute("UPDATE meta SET first_password_set = ?1", [set])?;
    Ok(())
}

pub(super) fn put_extension(
    tx: &Transaction<'_>,
    extension: &Extension,
    revision: ConfigVersion,
) -> Result<(), rusqlite::Error> {
    tx.prepare_cached(
        "INSERT INTO extensions
         (id, number, description, user, enabled, sip_username, sip_password, codecs, caller_name,
          srtp, permission_group, caller_id, revision)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (id) DO UPDATE SET number = ?2, description = ?3, user = ?4, enabled = ?5,
         sip_username = ?6, sip_password = ?7, codecs = ?8, caller_name = ?9, srtp = ?10,
         permission_group = ?11, caller_id = ?12, revision = ?13",
    )?
    .execute(params![
        extension.id.raw(),
        extension.number.as_str(),
        extension.description,
        extension.user.map(UserId::raw),
        extension.enabled,
        extension.sip_username,
        extension.sip_password.expose(),
        json(&extension.codecs),
        extension.caller_name,
        word(extension.srtp),
        extension.permission_group.map(PermissionGroupId::raw),
        json(&extension.caller_id),
        raw(revision)
    ])?;
    Ok(())
}

pub(super) fn delete_extension(
    tx: &Transaction<'_>,
    extension: ExtensionId,
) -> Result<(), rusqlite::Error> {
    tx.prepare_cached("DELETE FROM extensions WHERE id = ?1")?
        .execute([extension.raw()])?;
    Ok(())
}

/// Remembers the number of an extension that has another one now, or is gone.
pub(super) fn put_former_number(
    tx: &Transaction<'_>,
    number: &ExtensionNumber,
    freed: ConfigVersion,
) -> Result<(), rusqlite::Error> {
    tx.prepare_cached("INSERT OR REPLACE INTO former_numbers (number, version) VALUES (?1, ?2)")?
        .execute(params![number.as_str(), raw(freed)])?;
    tx.prepare_cached(
        "DELETE FROM former_numbers WHERE number IN
         (SELECT number FROM former_numbers ORDER BY version DESC LIMIT -1 OFFSET ?1)",
    )?
    .execute([FORMER_NUMBERS])?;
    Ok(())
}

pub(super) fn former_numbers(
    tx: &Transaction<'_>,
) -> Result<BTreeSet<ExtensionNumber>, StoreError> {
    let mut statement = tx.prepare_cached("SELECT number FROM former_numbers")?;
    let mut rows = statement.query([])?;
    let mut numbers = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let number: String = row.get(0)?;
        // What is no number any more is not proposed either.
        numbers.extend(number.parse::<ExtensionNumber>());
    }
    Ok(numbers)
}

/// A user from the first seven columns, in the order of its fields; without rules.
pub(crate) fn user(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: UserId::new(id32(row.get(0)?)?),
        name: row.get(1)?,
        full_name: row.get(2)?,
        email: row.get(3)?,
        language: unword(row.get(4)?)?,
        role: unword(row.get(5)?)?,
        enabled: row.get(6)?,
        ringing: Ringing::default(),
    })
}

fn extension(row: &Row<'_>) -> Result<Extension, StoreError> {
    let number: String = row.get(1)?;
    let owner: Option<i64> = row.get(3)?;
    let codecs: String = row.get(7)?;
    let permission_group: Option<i64> = row.get(10)?;
    let caller_id: String = row.get(11)?;
    Ok(Extension {
        id: ExtensionId::new(id32(row.get(0)?)?),
        number: number
            .parse()
            .map_err(|error| damaged("an extension's number", &error))?,
        description: row.get(2)?,
        user: owner.map(id32).transpose()?.map(UserId::new),
        enabled: row.get(4)?,
        sip_username: row.get(5)?,
        sip_password: Secret::new(row.get::<_, String>(6)?),
        codecs: unjson(&codecs)?,
        caller_name: row.get(8)?,
        srtp: unword(row.get(9)?)?,
        permission_group: (permission_group.map(id32).transpose()?).map(PermissionGroupId::new),
        caller_id: unjson(&caller_id)?,
    })
}

fn load_general(tx: &Transaction<'_>) -> Result<(General, ConfigVersion), StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT country, realm, no_answer_s, digest, revision FROM general")?;
    let mut rows = statement.query([])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let general = General {
        country: row.get(0)?,
        realm: row.get(1)?,
        no_answer_s: row.get(2)?,
        digest: unword(row.get(3)?)?,
    };
    Ok((general, revision(row, 4)?))
}

fn load_with_password(tx: &Transaction<'_>) -> Result<BTreeSet<UserId>, StoreError> {
    let mut statement = tx.prepare_cached("SELECT user FROM passwords")?;
    let mut rows = statement.query([])?;
    let mut users = BTreeSet::new();
    while let Some(row) = rows.next()? {
        users.insert(UserId::new(id32(row.get(0)?)?));
    }
    Ok(users)
}

fn revision(row: &Row<'_>, column: usize) -> Result<ConfigVersion, StoreError> {
    Ok(version(row.get(column)?))
}

/// A version as a column; it grows by one a change and stays far below the limit.
pub(super) fn raw(version: ConfigVersion) -> i64 {
    version.raw().cast_signed()
}
