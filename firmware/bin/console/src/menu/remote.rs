//! The form of the menu over ssh: on or off, and the key of whoever is here. Further keys, which the
//! administration sets, stay.

use model::system::{RemoteMenu, RemoteMenuSettings};

use super::{choice, field, switch};
use crate::field::{Field, Kind};
use crate::page::{Id, Row};
use crate::texts;

/// What is typed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    enabled: bool,
    key: Field,
    more: Vec<String>,
    fingerprint: Option<String>,
}

impl Form {
    /// As it is set.
    pub fn new(remote: RemoteMenu) -> Self {
        let mut keys = remote.settings.keys.into_iter();
        Self {
            enabled: remote.settings.enabled,
            key: Field::new(Kind::Key, &keys.next().unwrap_or_default()),
            more: keys.collect(),
            fingerprint: remote.fingerprint,
        }
    }

    /// Its rows.
    pub fn rows(&self) -> Vec<Row> {
        let enabled = if self.enabled { texts::ON } else { texts::OFF };
        vec![
            switch(Id::Enabled, texts::SSH, enabled),
            field(
                Id::Key,
                texts::PUBLIC_KEY,
                &self.key,
                texts::HINT_PUBLIC_KEY,
            ),
            choice(Id::Apply, texts::APPLY),
            choice(Id::Back, texts::BACK),
        ]
    }

    /// How to come in, and by what the machine is known.
    pub fn text(&self) -> Vec<String> {
        let mut text = vec![texts::SSH_TEXT.to_owned()];
        text.extend((self.fingerprint.as_deref()).map(texts::fingerprint));
        if !self.more.is_empty() {
            text.push(texts::more_keys(self.more.len()));
        }
        text
    }

    /// The field of a row.
    pub fn field(&mut self, row: Id) -> Option<&mut Field> {
        (row == Id::Key).then_some(&mut self.key)
    }

    /// On is off then, and off on.
    pub fn switch(&mut self, row: Id) {
        if row == Id::Enabled {
            self.enabled = !self.enabled;
        }
    }

    /// What is to be set.
    pub fn settings(&self) -> RemoteMenuSettings {
        let own = Some(self.key.text().to_owned()).filter(|key| !key.is_empty());
        RemoteMenuSettings {
            enabled: self.enabled,
            keys: own.into_iter().chain(self.more.iter().cloned()).collect(),
        }
    }
}
