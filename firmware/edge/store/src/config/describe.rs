//! What the Config log says of a change (LOG-2): always English, never a secret.

use model::config::{CallerId, DigestChoice, Extension, General, Ringing, Target, User};
use model::{Language, Role};

use super::apply::Edit;
use super::item;
use crate::word::word;

/// One row for an edit; none where it isn't worth one.
pub(super) fn describe(edit: &Edit) -> Option<String> {
    match edit {
        Edit::General { before, after } => {
            Some(format!("Changed general: {}", general(before, after)))
        }
        Edit::User { before, after } => match (before, after) {
            (None, Some(user)) => Some(format!("Added user {} (ID={})", user.name, user.id)),
            (Some(before), Some(after)) => Some(format!(
                "Changed user {} (ID={}): {}",
                before.name,
                before.id,
                user(before, after)
            )),
            (Some(user), None) => Some(format!("Removed user {} (ID={})", user.name, user.id)),
            (None, None) => None,
        },
        Edit::Extension { before, after } => match (before, after) {
            (None, Some((extension, _))) => Some(format!(
                "Added extension {} (ID={})",
                extension.number, extension.id
            )),
            (Some(before), Some(after)) => Some(format!(
                "Changed extension {} (ID={}): {}",
                before.0.number,
                before.0.id,
                extension(before, after)
            )),
            (Some((extension, _)), None) => Some(format!(
                "Removed extension {} (ID={})",
                extension.number, extension.id
            )),
            (None, None) => None,
        },
        Edit::Item { before, after } => item::describe(before.as_ref(), after.as_ref()),
        Edit::Password { initial: true, .. } => None,
        Edit::Password {
            user,
            hash,
            initial: false,
            ..
        } => Some(format!(
            "Changed user {} (ID={}): password {}",
            user.name,
            user.id,
            if hash.is_some() { "changed" } else { "removed" }
        )),
    }
}

fn general(before: &General, after: &General) -> String {
    let mut list = Differences::default();
    list.text("country", &before.country, &after.country);
    list.text("realm", &before.realm, &after.realm);
    list.plain(
        "no answer after",
        &before.no_answer_s,
        &after.no_answer_s,
        " s",
    );
    list.plain(
        "phones prove their password by",
        &digest(before.digest),
        &digest(after.digest),
        "",
    );
    list.0.join(", ")
}

fn user(before: &User, after: &User) -> String {
    let mut list = Differences::default();
    list.text("name", &before.name, &after.name);
    list.text("full name", &before.full_name, &after.full_name);
    list.optional("e-mail", before.email.as_deref(), after.email.as_deref());
    list.plain(
        "language",
        &language(before.language),
        &language(after.language),
        "",
    );
    list.plain("rights", &role(before.role), &role(after.role), "");
    list.plain("", &state(before.enabled), &state(after.enabled), "");
    list.plain(
        "ringing rules",
        &ringing(&before.ringing),
        &ringing(&after.ringing),
        "",
    );
    list.0.join(", ")
}

/// Numbers are told by what they are, extensions by their id.
fn ringing(rules: &Ringing) -> String {
    let target = |target: &Target| match target {
        Target::Extension(id) => format!("extension ID={id}"),
        Target::Number(number) => number.to_string(),
    };
    let mut parts: Vec<String> = (rules.rings.iter())
        .map(|ring| {
            let until = ring.for_s.map_or(String::new(), |s| format!(" for {s} s"));
            let to = target(&ring.target);
            format!("{to} rings after {} s{until}", ring.after_s)
        })
        .collect();
    if rules.do_not_disturb {
        parts.push("do not disturb".into());
    }
    for (when, to) in [
        ("always", &rules.always),
        ("busy", &rules.busy),
        ("no answer", &rules.no_answer),
    ] {
        parts.extend(to.as_ref().map(|to| format!("{when} to {}", target(to))));
    }
    parts.extend(rules.no_answer_s.map(|s| format!("no answer after {s} s")));
    if parts.is_empty() {
        return "none".into();
    }
    format!("[{}]", parts.join(", "))
}

fn extension(
    (before, owner_before): &(Extension, Option<String>),
    (after, owner_after): &(Extension, Option<String>),
) -> String {
    let mut list = Differences::default();
    list.text("number", before.number.as_str(), after.number.as_str());
    list.text("description", &before.description, &after.description);
    list.optional("user", owner_before.as_deref(), owner_after.as_deref());
    list.optional(
        "caller name",
        before.caller_name.as_deref(),
        after.caller_name.as_deref(),
    );
    list.plain(
        "number shown outside",
        &caller_id(before.caller_id),
        &caller_id(after.caller_id),
        "",
    );
    list.plain("", &state(before.enabled), &state(after.enabled), "");
    list.text("SIP user name", &before.sip_username, &after.sip_username);
    if before.sip_password != after.sip_password {
        list.0.push("SIP password changed".into());
    }
    list.plain("codecs", &codecs(before), &codecs(after), "");
    list.plain("SRTP", &word(before.srtp), &word(after.srtp), "");
    list.plain("call permission group", &group(before), &group(after), "");
    list.0.join(", ")
}

/// The call permission group of an extension.
fn group(extension: &Extension) -> String {
    let group = extension.permission_group;
    group.map_or_else(|| "none".into(), |id| format!("ID={id}"))
}

/// As the pages call it.
const fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::ReadOnly => "read only",
        Role::ReadWrite => "administrator",
    }
}

const fn language(language: Language) -> &'static str {
    match language {
        Language::En => "English",
        Language::Cs => "Czech",
    }
}

const fn digest(digest: DigestChoice) -> &'static str {
    match digest {
        DigestChoice::Md5 => "MD5",
        DigestChoice::Sha256ThenMd5 => "SHA-256 or else MD5",
        DigestChoice::Sha256 => "SHA-256",
    }
}

fn caller_id(caller_id: CallerId) -> String {
    match caller_id {
        CallerId::Own => "own".into(),
        CallerId::Hidden => "hidden".into(),
        CallerId::Extension(id) => format!("that of extension ID={id}"),
    }
}

const fn state(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}

fn codecs(extension: &Extension) -> String {
    let names: Vec<&str> = extension
        .codecs
        .iter()
        .map(|codec| codec.encoding_name())
        .collect();
    names.join(" ")
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    /// Free text: in quotes, so that it can't be taken for ours.
    fn text(&mut self, name: &str, before: &str, after: &str) {
        self.optional(name, Some(before), Some(after));
    }

    fn optional(&mut self, name: &str, before: Option<&str>, after: Option<&str>) {
        let quoted =
            |text: Option<&str>| text.map_or_else(|| "none".into(), |text| format!("{text:?}"));
        self.plain(name, &quoted(before), &quoted(after), "");
    }

    fn plain<T: PartialEq + std::fmt::Display>(
        &mut self,
        name: &str,
        before: &T,
        after: &T,
        unit: &str,
    ) {
        if before != after {
            let space = if name.is_empty() { "" } else { " " };
            self.0
                .push(format!("{name}{space}{before}{unit} -> {after}{unit}"));
        }
    }
}
