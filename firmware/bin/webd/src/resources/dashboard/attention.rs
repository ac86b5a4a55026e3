//! What needs an administrator's attention: a stable code each, and what it is about.

use std::net::IpAddr;
use std::time::Duration;

use model::config::{Extension, Interface, User};
use model::control::{
    BrakesOf, FailedLogin, InterfaceCondition, InterfaceState, LoginFailure, UnknownLogin,
};
use model::{InterfaceId, Role, WallTime};
use serde::Serialize;
use store::{Ended, Snapshot};
use utoipa::ToSchema;

use crate::certificate::Facts;
use crate::clock;
use crate::password;
use crate::phones::Phones;
use crate::resources::status::Status;
use crate::words::{ObjectKind, shown_name};

/// Objects named with one item; the rest is counted. A page shows no more.
const OBJECTS: usize = 20;
/// A certificate that ends so soon is told.
const CERTIFICATE_ENDS: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A process that ended by itself is told for so long: the next working day has begun by then.
pub(super) const ENDINGS: Duration = Duration::from_secs(24 * 60 * 60);
/// No box is older than this software: a clock that says so was never set (2026-01-01).
const SOFTWARE: WallTime = WallTime::from_unix_seconds(1_767_225_600);

/// Something that needs attention.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Attention {
    /// What.
    pub code: AttentionCode,
    /// How grave it is.
    pub severity: Severity,
    /// In words.
    #[schema(example = "The disk is nearly full: remove old records or recordings.")]
    pub detail: String,
    /// How many objects it is about, or how often it happened; 0 where it is about the whole box.
    pub total: u32,
    /// The first of them, 20 at most.
    pub objects: Vec<AttentionObject>,
    /// When it happened last; nothing where it lasts.
    #[schema(format = DateTime)]
    pub time: Option<String>,
}

/// An object that needs attention.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttentionObject {
    /// What it is; nothing where it is no object that there is.
    pub kind: Option<ObjectKind>,
    /// Its id, where it has one.
    pub id: Option<u32>,
    /// What a person knows it by: a number, a name.
    #[schema(example = "122")]
    pub name: String,
    /// The address that is the reason, where there is one.
    #[schema(example = "192.0.2.7")]
    pub host: Option<String>,
    /// When it happened last, where it does not last.
    #[schema(format = DateTime)]
    pub time: Option<String>,
}

/// How grave something is; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something will not work, or is not safe.
    Warning,
    /// Good to know.
    Info,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $severity:ident, $detail:literal;)*) => {
        /// What needs attention.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum AttentionCode {
            $($(#[$doc])* $name,)*
        }

        impl AttentionCode {
            const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            const fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail,)* }
            }
        }
    };
}

codes! {
    /// The exchange does not answer: there are no calls.
    ExchangeUnreachable = Error, "The exchange is starting or has stopped: there are no calls.";
    /// The disk with the data is full, or all but.
    DiskFull = Error, "The disk is full: remove old records or recordings.";
    /// The certificate has ended, or is not valid yet.
    CertificateNotValid = Error, "The certificate of the administration is not valid at this time.";
    /// There are ways for emergency calls, and none of them can carry a call now.
    HelpNotReady = Error, "Emergency calls would fail now: none of the interfaces by which they leave is ready.";
    /// The stored configuration is not the one in force.
    ConfigNotInForce = Warning, "The exchange does not run the stored configuration: the Error log says why.";
    /// The exchange ended by itself within the last 24 hours, and was started again.
    ExchangeRestarted = Warning, "The exchange ended unexpectedly and was started again: the Warning log says when.";
    /// The administration ended by itself within the last 24 hours, and was started again.
    AdministrationRestarted = Warning, "The administration ended unexpectedly and was started again: the Warning log says when.";
    /// There are emergency numbers, and no way by which a call to them could leave.
    NoWayToHelp = Warning, "Emergency calls lead nowhere: no route with an enabled interface is there for them.";
    /// There are no emergency numbers.
    NoEmergencyNumbers = Warning, "There are no emergency numbers: a call for help has no precedence.";
    /// Less than a tenth of the disk with the data is free.
    DiskNearlyFull = Warning, "The disk is nearly full: remove old records or recordings.";
    /// The certificate ends within 30 days.
    CertificateEnds = Warning, "The certificate of the administration ends within 30 days.";
    /// The clock of the box was never set.
    ClockNotSet = Warning, "The clock of the box is not set: times in logs and records are wrong.";
    /// Phones with the user name of an extension that are not let in: mostly their password is another one.
    PhoneRefused = Warning, "Phones of extensions are not let in: correct the password in the phone.";
    /// Phones with user names that no extension has.
    UnknownLogin = Warning, "Phones try user names that no extension has.";
    /// SIP passwords that are easy to guess.
    WeakSipPassword = Warning, "SIP passwords that are easy to guess: generate others.";
    /// Sound has neither real-time priority nor locked memory.
    NoRealTime = Warning, "Sound runs without real-time priority: it may stutter under load.";
    /// Interfaces that can't carry a call now.
    InterfaceNotReady = Warning, "Interfaces that can't carry calls: Call Routing says why.";
    /// Extensions of which a phone that is registered does not respond.
    ExtensionNotResponding = Warning, "Extensions with a phone that does not respond.";
    /// Extensions that came upon a limit of the fraud protection within the last 24 hours.
    FraudLimitReached = Warning, "Extensions whose calls the fraud protection held or ended: the Security log says why.";
    /// There is no extension yet.
    NoExtensions = Info, "There are no extensions yet: add the first.";
    /// Extensions whose phones have all lost their connection: they can't be called until one is back.
    ExtensionReconnecting = Info, "Extensions whose phones have lost their connection.";
    /// Extensions without a registered phone.
    ExtensionNotRegistered = Info, "Extensions without a registered phone.";
    /// Enabled users with rights on the server but without a password: they can't log in.
    UserWithoutPassword = Info, "Users with rights on the server can't log in without a password.";
    /// The certificate vouches for itself.
    CertificateSelfSigned = Info, "The certificate is self-signed: browsers warn visitors.";
}

/// What is looked at.
pub(super) struct Seen<'a> {
    pub(super) now: WallTime,
    pub(super) status: &'a Status,
    pub(super) snapshot: &'a Snapshot,
    pub(super) phones: Option<&'a Phones>,
    /// Phones that were not let in.
    pub(super) refused: &'a [FailedLogin],
    pub(super) unknown: &'a [UnknownLogin],
    /// What is used of the limits of the fraud protection; nothing likewise.
    pub(super) brakes: &'a [BrakesOf],
    /// How the interfaces are; nothing where the exchange does not answer.
    pub(super) interfaces: &'a [InterfaceState],
    pub(super) certificate: Option<&'a Facts>,
    /// Processes that ended by themselves since [`ENDINGS`] ago, the first first.
    pub(super) ended: &'a [Ended],
}

/// All that needs attention, the gravest first.
pub(super) fn look(seen: &Seen<'_>) -> Vec<Attention> {
    let mut found = Vec::new();
    of_box(seen, &mut found);
    of_processes(seen, &mut found);
    of_certificate(seen, &mut found);
    of_users(seen, &mut found);
    of_extensions(seen, &mut found);
    of_interfaces(seen, &mut found);
    of_brakes(seen, &mut found);
    of_logins(seen, &mut found);
    found.sort_by_key(|attention| attention.severity);
    found
}

fn of_box(seen: &Seen<'_>, found: &mut Vec<Attention>) {
    let status = seen.status;
    match &status.exchange {
        None => found.push(whole(AttentionCode::ExchangeUnreachable)),
        Some(exchange) => {
            if exchange.config_version != status.config_version {
                found.push(whole(AttentionCode::ConfigNotInForce));
            }
            if !exchange.real_time {
                found.push(whole(AttentionCode::NoRealTime));
            }
        }
    }
    if let Some(disk) = &status.disk {
        if disk.free_bytes < disk.total_bytes / 50 {
            found.push(whole(AttentionCode::DiskFull));
        } else if disk.free_bytes < disk.total_bytes / 10 {
            found.push(whole(AttentionCode::DiskNearlyFull));
        }
    }
    if seen.now < SOFTWARE {
        found.push(whole(AttentionCode::ClockNotSet));
    }
}

fn of_processes(seen: &Seen<'_>, found: &mut Vec<Attention>) {
    for (process, code) in [
        ("pbxd", AttentionCode::ExchangeRestarted),
        ("webd", AttentionCode::AdministrationRestarted),
    ] {
        let ended = || seen.ended.iter().filter(|ended| ended.process == process);
        if let Some(last) = ended().next_back() {
            found.push(Attention {
                total: u32::try_from(ended().count()).unwrap_or(u32::MAX),
                time: Some(clock::rfc3339(last.at)),
                ..whole(code)
            });
        }
    }
}

fn of_certificate(seen: &Seen<'_>, found: &mut Vec<Attention>) {
    let Some(certificate) = seen.certificate else {
        return;
    };
    if certificate.self_signed {
        found.push(whole(AttentionCode::CertificateSelfSigned));
    }
    if !(certificate.from..=certificate.until).contains(&seen.now) {
        found.push(whole(AttentionCode::CertificateNotValid));
    } else if certificate.until.since(seen.now) < CERTIFICATE_ENDS {
        found.push(whole(AttentionCode::CertificateEnds));
    }
}

fn of_users(seen: &Seen<'_>, found: &mut Vec<Attention>) {
    // Who has no rights has nothing to log in for: the phone has a password of its own.
    let without = (seen.snapshot.configuration.users.iter())
        .filter(|user| user.enabled && user.role > Role::User)
        .filter(|user| !seen.snapshot.with_password.contains(&user.id));
    found.extend(about(AttentionCode::UserWithoutPassword, without.map(user)));
}

fn of_extensions(seen: &Seen<'_>, found: &mut Vec<Attention>) {
    let configuration = &seen.snapshot.configuration;
    if configuration.extensions.is_empty() {
        found.push(whole(AttentionCode::NoExtensions));
    }
    // An exchange in the making is not told of it: there is nobody who could call.
    let anybody = !configuration.extensions.is_empty();
    if anybody && configuration.emergency.numbers.is_empty() {
        found.push(whole(AttentionCode::NoEmergencyNumbers));
    } else if anybody && !configuration.help_can_be_reached() {
        found.push(whole(AttentionCode::NoWayToHelp));
    }
    let active = || {
        configuration
            .extensions
            .iter()
            .filter(|extension| configuration.is_active(extension))
    };
    let weak = active().filter(|extension| {
        let names = [extension.sip_username.as_str(), extension.number.as_str()];
        password::is_weak(extension.sip_password.expose(), &names)
    });
    found.extend(about(AttentionCode::WeakSipPassword, weak.map(extension)));
    if let Some(phones) = seen.phones {
        // Of whom is told why its phone is not there nothing more is said.
        let silent = active()
            .filter(|extension| phones.of(extension.id) == 0 && refusal(seen, extension).is_none());
        found.extend(about(
            AttentionCode::ExtensionNotRegistered,
            silent.map(extension),
        ));
        let dead = active().filter(|extension| phones.are_silent(extension.id));
        found.extend(about(
            AttentionCode::ExtensionNotResponding,
            dead.map(extension),
        ));
        let away = active().filter(|extension| phones.are_away(extension.id));
        found.extend(about(
            AttentionCode::ExtensionReconnecting,
            away.map(extension),
        ));
    }
}

fn of_interfaces(seen: &Seen<'_>, found: &mut Vec<Attention>) {
    use InterfaceCondition::{NotFound, NotRegistered};
    let configuration = &seen.snapshot.configuration;
    // One whose server has not answered yet may be ready in a moment.
    let is_down = |id: InterfaceId| {
        let state = seen.interfaces.iter().find(|state| state.interface == id);
        state.is_some_and(|state| matches!(state.condition, NotFound | NotRegistered { .. }))
    };
    let down = (configuration.interfaces.iter()).filter(|one| one.enabled && is_down(one.id));
    found.extend(about(AttentionCode::InterfaceNotReady, down.map(interface)));
    let ways = configuration.ways_to_help();
    let anybody = !configuration.extensions.is_empty();
    if anybody
        && !configuration.emergency.numbers.is_empty()
        && !ways.is_empty()
        && ways.into_iter().all(is_down)
    {
        found.push(whole(AttentionCode::HelpNotReady));
    }
}

fn of_brakes(seen: &Seen<'_>, found: &mut Vec<Attention>) {
    let configuration = &seen.snapshot.configuration;
    let held = configuration.extensions.iter().filter_map(|one| {
        let of = |brakes: &&BrakesOf| brakes.extension == one.id;
        let reached = seen.brakes.iter().find(of)?.reached.as_ref()?;
        Some(AttentionObject {
            time: Some(clock::rfc3339(reached.at)),
            ..extension(one)
        })
    });
    found.extend(about(AttentionCode::FraudLimitReached, held));
}

fn of_logins(seen: &Seen<'_>, found: &mut Vec<Attention>) {
    let configuration = &seen.snapshot.configuration;
    // What is disabled is to be refused.
    let refused = (configuration.extensions.iter())
        .filter(|extension| configuration.is_active(extension))
        .filter_map(|one| {
            let failed = refusal(seen, one)?;
            Some(since(extension(one), failed.host, failed.at))
        });
    found.extend(about(AttentionCode::PhoneRefused, refused));
    let unknown = seen.unknown.iter().map(|login| {
        let object = AttentionObject {
            kind: None,
            id: None,
            name: login.username.clone(),
            host: None,
            time: None,
        };
        since(object, login.host, login.at)
    });
    found.extend(about(AttentionCode::UnknownLogin, unknown));
}

fn refusal<'a>(seen: &Seen<'a>, extension: &Extension) -> Option<&'a FailedLogin> {
    (seen.refused.iter())
        .filter(|failed| failed.reason != LoginFailure::Disabled)
        .find(|failed| failed.extension == extension.id)
}

fn since(object: AttentionObject, host: IpAddr, at: WallTime) -> AttentionObject {
    AttentionObject {
        host: Some(host.to_canonical().to_string()),
        time: Some(clock::rfc3339(at)),
        ..object
    }
}

fn whole(code: AttentionCode) -> Attention {
    Attention {
        code,
        severity: code.severity(),
        detail: code.detail().to_owned(),
        total: 0,
        objects: Vec::new(),
        time: None,
    }
}

/// An item about objects; none where there is none.
fn about(code: AttentionCode, objects: impl Iterator<Item = AttentionObject>) -> Option<Attention> {
    let mut attention = whole(code);
    for object in objects {
        attention.total = attention.total.saturating_add(1);
        if attention.objects.len() < OBJECTS {
            attention.objects.push(object);
        }
    }
    (attention.total > 0).then_some(attention)
}

fn user(user: &User) -> AttentionObject {
    AttentionObject {
        kind: Some(ObjectKind::User),
        id: Some(user.id.raw()),
        name: shown_name(user).to_owned(),
        host: None,
        time: None,
    }
}

fn interface(interface: &Interface) -> AttentionObject {
    AttentionObject {
        kind: Some(ObjectKind::Interface),
        id: Some(interface.id.raw()),
        name: interface.name.clone(),
        host: None,
        time: None,
    }
}

fn extension(extension: &Extension) -> AttentionObject {
    AttentionObject {
        kind: Some(ObjectKind::Extension),
        id: Some(extension.id.raw()),
        name: extension.number.to_string(),
        host: None,
        time: None,
    }
}
