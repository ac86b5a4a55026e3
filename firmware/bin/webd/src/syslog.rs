//! Rows of the logs, sent to a syslog server (RFC 5424, over UDP as in RFC 5426). Nobody listens here.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::{LogKind, LogRow};
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::clock;
use crate::keeping::LogSettings;
use crate::problem::word;

/// RFC 5426 §3.3.
const PORT: u16 = 514;
/// A name server that doesn't answer holds up the rows behind for no longer.
const LOOK_UP: Duration = Duration::from_secs(5);
/// Who we are to the server.
const APP: &str = "operator-box";

/// A server that gets the rows of the logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Syslog {
    /// Its name or address, with a port where it isn't 514.
    #[schema(example = "10.10.10.2", max_length = 253)]
    pub server: String,
    /// Under which facility the rows are filed there.
    pub facility: LogFacility,
    /// What is less grave is not sent.
    pub severity: LogSeverity,
}

/// A facility of syslog (RFC 5424 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFacility {
    /// 1, programs of users.
    User,
    /// 3, services of the system.
    Daemon,
    /// 16, for local use, as all further ones.
    Local0,
    /// 17.
    Local1,
    /// 18.
    Local2,
    /// 19.
    Local3,
    /// 20.
    Local4,
    /// 21.
    Local5,
    /// 22.
    Local6,
    /// 23.
    Local7,
}

/// How grave a row is: that follows from its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogSeverity {
    /// The Error log.
    Error,
    /// The Warning log.
    Warning,
    /// The Security log.
    Notice,
    /// The Config log.
    Info,
}

impl LogFacility {
    const fn code(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Daemon => 3,
            Self::Local0 => 16,
            Self::Local1 => 17,
            Self::Local2 => 18,
            Self::Local3 => 19,
            Self::Local4 => 20,
            Self::Local5 => 21,
            Self::Local6 => 22,
            Self::Local7 => 23,
        }
    }
}

impl LogSeverity {
    const fn code(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Notice => 5,
            Self::Info => 6,
        }
    }
}

impl From<LogKind> for LogSeverity {
    fn from(kind: LogKind) -> Self {
        match kind {
            LogKind::Error => Self::Error,
            LogKind::Warning => Self::Warning,
            LogKind::Security => Self::Notice,
            LogKind::Config => Self::Info,
        }
    }
}

impl Syslog {
    /// Whether the server is written so that it can be looked for.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let (host, _) = split(&self.server);
        host.parse::<std::net::IpAddr>().is_ok()
            || (host.len() <= 253 && platform::network::is_host_name(host))
    }
}

/// Name or address, and port.
fn split(server: &str) -> (&str, u16) {
    if let Ok(address) = server.parse::<SocketAddr>() {
        let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
        return (host.trim_matches(['[', ']']), address.port());
    }
    match server.rsplit_once(':') {
        // One colon alone: an IPv6 address has more.
        Some((host, port)) if !host.contains(':') => match port.parse() {
            Ok(port) => (host, port),
            Err(_) => (server, PORT),
        },
        _ => (server, PORT),
    }
}

/// Sends the rows as the settings say. What can't be sent is in the log here all the same: it is not told
/// of, since that would be another row to send.
pub async fn send_rows(
    mut rows: Receiver<(LogKind, LogRow)>,
    settings: watch::Receiver<LogSettings>,
) {
    loop {
        let (kind, row) = match rows.recv().await {
            Ok(row) => row,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let Some(syslog) = settings.borrow().syslog.clone() else {
            continue;
        };
        if LogSeverity::from(kind) > syslog.severity {
            continue;
        }
        let message = message(&syslog, kind, &row, &host_name());
        if let Err(error) = send(&syslog.server, &message).await {
            tracing::debug!(%error, "A row is not sent to the syslog server.");
        }
    }
}

async fn send(server: &str, message: &str) -> std::io::Result<()> {
    let found = timeout(LOOK_UP, lookup_host(split(server))).await;
    let Some(to) = found.map_err(std::io::Error::other)??.next() else {
        return Err(std::io::Error::other("no such server"));
    };
    let from = match to {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(from).await?;
    socket.send_to(message.as_bytes(), to).await.map(drop)
}

/// RFC 5424 §6: the log is the message's id.
fn message(syslog: &Syslog, kind: LogKind, row: &LogRow, host: &str) -> String {
    let priority = syslog.facility.code() * 8 + LogSeverity::from(kind).code();
    let at = clock::rfc3339(row.at);
    let log = word(&crate::words::Log::from(kind));
    let by = row.author.as_ref();
    let by = by.map_or_else(String::new, |by| format!("{} ({}): ", by.name, by.host));
    let series = match row.times {
        0 | 1 => String::new(),
        times => format!(" ({times} times so far)"),
    };
    format!(
        "<{priority}>1 {at} {host} {APP} - {log} - {by}{}{series}",
        row.text
    )
}

/// The name of the machine, or what stands for none.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let can_be_said = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic());
    if can_be_said { name } else { "-" }.to_owned()
}

#[cfg(test)]
mod tests {
    use model::WallTime;
    use store::Author;

    use super::*;

    fn to(server: &str) -> Syslog {
        Syslog {
            server: server.into(),
            facility: LogFacility::Local0,
            severity: LogSeverity::Info,
        }
    }

    #[test]
    fn a_row_is_a_message_of_its_log() {
        let row = LogRow {
            id: 1,
            at: WallTime::from_unix_micros(1_795_332_953_120_000),
            text: "Added extension 122 (ID=7)".into(),
            author: Some(Author {
                name: "Admin".into(),
                host: "192.0.2.1".into(),
            }),
            times: 1,
            first: WallTime::from_unix_micros(1_795_332_953_120_000),
        };
        assert_eq!(
            message(&to("x"), LogKind::Config, &row, "box"),
            "<134>1 2026-11-22T07:35:53.120Z box operator-box - config - Admin (192.0.2.1): Added extension 122 (ID=7)"
        );
        assert!(message(&to("x"), LogKind::Error, &row, "-").starts_with("<131>1 "));
        let series = LogRow { times: 3, ..row };
        let sent = message(&to("x"), LogKind::Security, &series, "-");
        assert!(
            sent.ends_with("Added extension 122 (ID=7) (3 times so far)"),
            "{sent}"
        );
    }

    #[test]
    fn a_server_has_the_port_of_syslog_unless_it_says_another() {
        assert_eq!(split("10.1.1.1"), ("10.1.1.1", 514));
        assert_eq!(split("log.example:1514"), ("log.example", 1514));
        assert_eq!(split("2001:db8::1"), ("2001:db8::1", 514));
        assert_eq!(split("[2001:db8::1]:600"), ("2001:db8::1", 600));
        assert!(to("log.example").is_well_formed());
        for server in ["", "two words", "log.example:x", "http://log", "a:b:c"] {
            assert!(!to(server).is_well_formed(), "{server}");
        }
    }
}
