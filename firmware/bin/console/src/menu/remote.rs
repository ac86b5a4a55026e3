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
    /// The key that is set: where nobody types another it stays, to the letter.
    set: Option<String>,
    more: Vec<String>,
    fingerprint: Option<String>,
}

impl Form {
    /// As it is set.
    pub fn new(remote: RemoteMenu) -> Self {
        let mut keys = remote.settings.keys.into_iter();
        let set = keys.next();
        Self {
            enabled: remote.settings.enabled,
            key: Field::new(Kind::Key, set.as_deref().unwrap_or_default()),
            set,
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
        let shown = self.set.as_deref().map(|key| Field::new(Kind::Key, key));
        let own = if shown.is_some_and(|shown| shown.typed() == self.key.typed()) {
            self.set.clone()
        } else {
            Some(self.key.text().to_owned()).filter(|key| !key.is_empty())
        };
        RemoteMenuSettings {
            enabled: self.enabled,
            keys: own.into_iter().chain(self.more.iter().cloned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn a_key_that_nobody_touches_stays_to_the_letter_however_long_it_is() {
        let long = "x".repeat(4000);
        let odd = "ssh-ed25519 AAAA jiří@stůl".to_owned();
        for key in [long, odd] {
            let mut form = Form::new(RemoteMenu {
                settings: RemoteMenuSettings {
                    enabled: true,
                    keys: vec![key.clone(), "another".into()],
                },
                fingerprint: None,
            });
            form.switch(Id::Enabled);
            assert_eq!(form.settings().keys, [key.as_str(), "another"]);
            let field = form.field(Id::Key).expect("a field");
            field.key(Key::Clear);
            field.key(Key::Char('y'));
            assert_eq!(form.settings().keys, ["y", "another"]);
            form.field(Id::Key).expect("a field").key(Key::Clear);
            assert_eq!(form.settings().keys, ["another"]);
        }
    }

    #[test]
    fn a_key_of_rsa_has_room() {
        let key = "k".repeat(platform::ssh::KEY_CHARS);
        assert_eq!(Field::new(Kind::Key, &key).typed(), key);
    }
}
