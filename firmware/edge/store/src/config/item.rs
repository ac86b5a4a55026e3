//! Parts of the configuration that are kept as JSON: one table for all their kinds.
//!
//! A new kind is a variant of [`Item`] and a line in each function here.

use std::collections::BTreeMap;

use model::config::{Configuration, Emergency, FraudProtection, Interface, PermissionGroup, Route};
use model::{ConfigVersion, ExtensionId, InterfaceId, PermissionGroupId, RouteId};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::Value;

use super::apply::Edit;
use super::rows::raw;
use crate::word::{id32, json, unjson, version, word};
use crate::{ChangeError, StoreError};

/// A part of the configuration of some kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A way to another network.
    Interface(Interface),
    /// A route of outgoing calls.
    Route(Route),
    /// The emergency numbers; there is one such part, from the first time it is set.
    Emergency(Emergency),
    /// A call permission group.
    PermissionGroup(PermissionGroup),
    /// The fraud protection; there is one such part, from the first time it is set.
    FraudProtection(FraudProtection),
}

/// Names an [`Item`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemId {
    /// A way to another network.
    Interface(InterfaceId),
    /// A route of outgoing calls.
    Route(RouteId),
    /// The emergency numbers.
    Emergency,
    /// A call permission group.
    PermissionGroup(PermissionGroupId),
    /// The fraud protection.
    FraudProtection,
}

/// The kinds of [`Item`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Interface,
    Route,
    Emergency,
    PermissionGroup,
    FraudProtection,
}

const KINDS: [Kind; 5] = [
    Kind::Interface,
    Kind::Route,
    Kind::Emergency,
    Kind::PermissionGroup,
    Kind::FraudProtection,
];

impl Kind {
    /// For people, in English.
    const fn name(self) -> &'static str {
        match self {
            Self::Interface => "interface",
            Self::Route => "route",
            Self::Emergency => "emergency numbers",
            Self::PermissionGroup => "call permission group",
            Self::FraudProtection => "fraud protection",
        }
    }

    /// Where its items are in the configuration, as a JSON pointer.
    const fn path(self) -> &'static str {
        match self {
            Self::Interface => "/interfaces",
            Self::Route => "/routes",
            Self::Emergency => "/emergency",
            Self::PermissionGroup => "/permission_groups",
            Self::FraudProtection => "/fraud_protection",
        }
    }
}

impl ItemId {
    const fn kind(self) -> Kind {
        match self {
            Self::Interface(_) => Kind::Interface,
            Self::Route(_) => Kind::Route,
            Self::Emergency => Kind::Emergency,
            Self::PermissionGroup(_) => Kind::PermissionGroup,
            Self::FraudProtection => Kind::FraudProtection,
        }
    }

    const fn raw(self) -> u32 {
        match self {
            Self::Interface(id) => id.raw(),
            Self::Route(id) => id.raw(),
            Self::Emergency | Self::FraudProtection => 1,
            Self::PermissionGroup(id) => id.raw(),
        }
    }
}

impl Item {
    /// Its name; of one that is yet to be added it means nothing.
    #[must_use]
    pub const fn id(&self) -> ItemId {
        match self {
            Self::Interface(interface) => ItemId::Interface(interface.id),
            Self::Route(route) => ItemId::Route(route.id),
            Self::Emergency(_) => ItemId::Emergency,
            Self::PermissionGroup(group) => ItemId::PermissionGroup(group.id),
            Self::FraudProtection(_) => ItemId::FraudProtection,
        }
    }

    const fn set_id(&mut self, raw: u32) {
        match self {
            Self::Interface(interface) => interface.id = InterfaceId::new(raw),
            Self::Route(route) => route.id = RouteId::new(raw),
            Self::Emergency(_) | Self::FraudProtection(_) => {}
            Self::PermissionGroup(group) => group.id = PermissionGroupId::new(raw),
        }
    }

    /// What people know it by.
    fn label(&self) -> String {
        match self {
            Self::Interface(interface) => interface.name.clone(),
            Self::Route(route) if route.prefix.is_empty() => "for all numbers".to_owned(),
            Self::Route(route) => format!("for {}", route.prefix),
            Self::Emergency(_) | Self::FraudProtection(_) => String::new(),
            Self::PermissionGroup(group) => format!("{:?}", group.name),
        }
    }

    fn to_json(&self) -> String {
        match self {
            Self::Interface(interface) => json(interface),
            Self::Route(route) => json(route),
            Self::Emergency(emergency) => json(emergency),
            Self::PermissionGroup(group) => json(group),
            Self::FraudProtection(protection) => json(protection),
        }
    }

    fn of_json(kind: Kind, text: &str) -> Result<Self, StoreError> {
        Ok(match kind {
            Kind::Interface => Self::Interface(unjson(text)?),
            Kind::Route => Self::Route(unjson(text)?),
            Kind::Emergency => Self::Emergency(unjson(text)?),
            Kind::PermissionGroup => Self::PermissionGroup(unjson(text)?),
            Kind::FraudProtection => Self::FraudProtection(unjson(text)?),
        })
    }
}

/// Where an item is, or would be, in the configuration.
fn find(configuration: &Configuration, id: ItemId) -> Result<usize, usize> {
    match id {
        ItemId::Interface(id) => (configuration.interfaces).binary_search_by_key(&id, |i| i.id),
        ItemId::Route(id) => configuration
            .routes
            .binary_search_by_key(&id, |route| route.id),
        ItemId::Emergency | ItemId::FraudProtection => Ok(0),
        ItemId::PermissionGroup(id) => {
            (configuration.permission_groups).binary_search_by_key(&id, |group| group.id)
        }
    }
}

/// Puts an item in, in place of that with its id; returns the one before.
fn put(configuration: &mut Configuration, item: Item) -> Option<Item> {
    fn into<T>(list: &mut Vec<T>, at: Result<usize, usize>, item: T) -> Option<T> {
        match at {
            Ok(index) => Some(core::mem::replace(&mut list[index], item)),
            Err(index) => {
                list.insert(index, item);
                None
            }
        }
    }
    let at = find(configuration, item.id());
    match item {
        Item::Interface(interface) => {
            into(&mut configuration.interfaces, at, interface).map(Item::Interface)
        }
        Item::Route(route) => into(&mut configuration.routes, at, route).map(Item::Route),
        Item::Emergency(emergency) => {
            let before = core::mem::replace(&mut configuration.emergency, emergency);
            Some(Item::Emergency(before))
        }
        Item::PermissionGroup(group) => {
            into(&mut configuration.permission_groups, at, group).map(Item::PermissionGroup)
        }
        Item::FraudProtection(protection) => {
            let before = core::mem::replace(&mut configuration.fraud_protection, protection);
            Some(Item::FraudProtection(before))
        }
    }
}

fn take(configuration: &mut Configuration, id: ItemId) -> Option<Item> {
    let index = find(configuration, id).ok()?;
    Some(match id {
        ItemId::Interface(_) => Item::Interface(configuration.interfaces.remove(index)),
        ItemId::Route(_) => Item::Route(configuration.routes.remove(index)),
        // What holds where nobody has set anything comes back.
        ItemId::Emergency => {
            let preset = configuration.preset_emergency();
            Item::Emergency(core::mem::replace(&mut configuration.emergency, preset))
        }
        ItemId::PermissionGroup(_) => {
            Item::PermissionGroup(configuration.permission_groups.remove(index))
        }
        ItemId::FraudProtection => {
            let preset = configuration.preset_fraud_protection();
            let before = core::mem::replace(&mut configuration.fraud_protection, preset);
            Item::FraudProtection(before)
        }
    })
}

/// Item ids that a change gives.
#[derive(Debug, Default)]
pub(super) struct NextIds(BTreeMap<&'static str, u32>);

impl NextIds {
    /// The greatest that ever were.
    pub(super) fn load(tx: &Transaction<'_>) -> Result<Self, StoreError> {
        let mut last = BTreeMap::new();
        let mut statement = tx.prepare_cached("SELECT last FROM item_ids WHERE kind = ?1")?;
        for kind in KINDS {
            let raw: Option<i64> = statement
                .query_row([word(kind)], |row| row.get(0))
                .optional()?;
            last.insert(kind.name(), id32(raw.unwrap_or(0))?);
        }
        Ok(Self(last))
    }

    fn next(&mut self, kind: Kind) -> u32 {
        let last = self.0.entry(kind.name()).or_insert(0);
        *last += 1;
        *last
    }
}

/// Has a route that names [`InterfaceId::ADDED`] lead to the interface that this change added last.
fn known(item: &mut Item, added: &[ItemId]) {
    let Item::Route(route) = item else { return };
    let last = added.iter().rev().find_map(|id| match id {
        ItemId::Interface(id) => Some(*id),
        ItemId::Route(_)
        | ItemId::Emergency
        | ItemId::PermissionGroup(_)
        | ItemId::FraudProtection => None,
    });
    for interface in &mut route.interfaces {
        if let (&mut InterfaceId::ADDED, Some(last)) = (&mut *interface, last) {
            *interface = last;
        }
    }
}

/// Adds an item. A route may name [`InterfaceId::ADDED`]: the interface that this change added last.
pub(super) fn add(
    configuration: &mut Configuration,
    ids: &mut NextIds,
    mut item: Item,
    added: &[ItemId],
) -> (Edit, ItemId, String) {
    item.set_id(ids.next(item.id().kind()));
    known(&mut item, added);
    let id = item.id();
    put(configuration, item.clone());
    let edit = Edit::Item {
        before: None,
        after: Some(item),
    };
    (edit, id, pointer(configuration, id))
}

/// Where an item stands, as a JSON pointer.
pub(super) fn pointer(configuration: &Configuration, id: ItemId) -> String {
    let index = find(configuration, id).unwrap_or_else(|index| index);
    match id {
        ItemId::Interface(_) | ItemId::Route(_) | ItemId::PermissionGroup(_) => {
            format!("{}/{index}", id.kind().path())
        }
        ItemId::Emergency | ItemId::FraudProtection => id.kind().path().to_owned(),
    }
}

/// Puts an item in place of that with its id; a route may name the added interface, as in [`add`].
pub(super) fn update(
    configuration: &mut Configuration,
    mut item: Item,
    added: &[ItemId],
) -> Result<Edit, ChangeError> {
    known(&mut item, added);
    let id = item.id();
    find(configuration, id).map_err(|_| ChangeError::NotFound(id.kind().name()))?;
    Ok(Edit::Item {
        before: put(configuration, item.clone()),
        after: Some(item),
    })
}

/// Removes an item.
pub(super) fn remove(configuration: &mut Configuration, id: ItemId) -> Result<Edit, ChangeError> {
    let before = take(configuration, id).ok_or(ChangeError::NotFound(id.kind().name()))?;
    Ok(Edit::Item {
        before: Some(before),
        after: None,
    })
}

/// Takes an extension that goes away out of the interfaces whose calls it gets.
pub(super) fn without_extension(configuration: &mut Configuration, id: ExtensionId) -> Vec<Edit> {
    let mut edits = Vec::new();
    for interface in &mut configuration.interfaces {
        let mut after = interface.clone();
        for mapping in &mut after.numbers {
            mapping.extension = mapping.extension.filter(|extension| *extension != id);
        }
        after.operator = after.operator.filter(|extension| *extension != id);
        if after != *interface {
            let before = core::mem::replace(interface, after.clone());
            edits.push(Edit::Item {
                before: Some(Item::Interface(before)),
                after: Some(Item::Interface(after)),
            });
        }
    }
    edits
}

/// Loads all items into the configuration; returns when each last changed.
pub(super) fn load(
    tx: &Transaction<'_>,
    configuration: &mut Configuration,
) -> Result<BTreeMap<ItemId, ConfigVersion>, StoreError> {
    let mut revisions = BTreeMap::new();
    let mut statement =
        tx.prepare_cached("SELECT id, body, revision FROM items WHERE kind = ?1 ORDER BY id")?;
    for kind in KINDS {
        let mut rows = statement.query([word(kind)])?;
        while let Some(row) = rows.next()? {
            let body: String = row.get(1)?;
            let mut item = Item::of_json(kind, &body)?;
            item.set_id(id32(row.get(0)?)?);
            revisions.insert(item.id(), version(row.get(2)?));
            put(configuration, item);
        }
    }
    Ok(revisions)
}

pub(super) fn store(
    tx: &Transaction<'_>,
    item: &Item,
    revision: ConfigVersion,
) -> Result<(), rusqlite::Error> {
    let id = item.id();
    let kind = word(id.kind());
    tx.prepare_cached(
        "INSERT INTO items (kind, id, body, revision) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, id) DO UPDATE SET body = ?3, revision = ?4",
    )?
    .execute(params![kind, id.raw(), item.to_json(), raw(revision)])?;
    tx.prepare_cached(
        "INSERT INTO item_ids (kind, last) VALUES (?1, ?2)
         ON CONFLICT (kind) DO UPDATE SET last = max(last, ?2)",
    )?
    .execute(params![kind, id.raw()])?;
    Ok(())
}

pub(super) fn delete(tx: &Transaction<'_>, id: ItemId) -> Result<(), rusqlite::Error> {
    tx.prepare_cached("DELETE FROM items WHERE kind = ?1 AND id = ?2")?
        .execute(params![word(id.kind()), id.raw()])?;
    Ok(())
}

/// What the Config log says of a change of an item.
pub(super) fn describe(before: Option<&Item>, after: Option<&Item>) -> Option<String> {
    let item = after.or(before)?;
    let what = format!(
        "{} {} (ID={})",
        item.id().kind().name(),
        before.unwrap_or(item).label(),
        item.id().raw()
    );
    Some(match (before, after) {
        (Some(before), Some(after)) => {
            let mut differences = Vec::new();
            let value = |item: &Item| serde_json::from_str(&item.to_json()).unwrap_or(Value::Null);
            compare(&mut differences, "", &value(before), &value(after));
            format!("Changed {what}: {}", differences.join(", "))
        }
        (None, _) => format!("Added {what}"),
        (_, None) => format!("Removed {what}"),
    })
}

/// The differences, each with where it is; of a secret only that it differs.
fn compare(out: &mut Vec<String>, at: &str, before: &Value, after: &Value) {
    if before == after {
        return;
    }
    if let (Value::Object(before), Value::Object(after)) = (before, after) {
        let null = Value::Null;
        for (key, value) in after {
            let name = key.replace('_', " ");
            let at = match at {
                "" => name,
                at => format!("{at} {name}"),
            };
            compare(out, &at, before.get(key).unwrap_or(&null), value);
        }
        return;
    }
    if at.ends_with("password") {
        out.push(format!("{at} changed"));
        return;
    }
    out.push(format!("{at} {} -> {}", shown(before), shown(after)));
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(shown).collect();
            format!("[{}]", list.join(" "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields.values().map(shown).collect();
            fields.join("=")
        }
        other => other.to_string(),
    }
}
