//! Digits by INFO (RFC 6086 §1.1: the use of before it): `application/dtmf-relay` and `application/dtmf`.

use super::Session;
use crate::endpoint::{Core, Event};
use crate::message::{HeaderName, Request, StatusCode};
use crate::transaction::ServerId;

/// Where the length of a digit is not said, in milliseconds.
const USUAL_MS: u32 = 160;
/// A longer digit is a mistake of the phone.
const LONGEST_MS: u32 = 60_000;

impl Session {
    /// INFO.
    pub(super) fn on_info(&mut self, core: &mut Core, server: ServerId, request: &Request) {
        if request.body.is_empty() {
            core.respond_status(server, StatusCode::OK);
            return;
        }
        let kind = request.headers.content_type().ok().flatten();
        let kind = kind.as_ref();
        let digit = if kind.is_some_and(|kind| kind.is("application", "dtmf-relay")) {
            relay(&request.body)
        } else if kind.is_some_and(|kind| kind.is("application", "dtmf")) {
            plain(&request.body)
        } else {
            self.unknown_info(core, server);
            return;
        };
        let Some((digit, duration_ms)) = digit else {
            core.respond_status(server, StatusCode::BAD_REQUEST);
            return;
        };
        core.respond_status(server, StatusCode::OK);
        let session = self.id;
        self.tell(
            core,
            Event::Digit {
                session,
                digit,
                duration_ms,
            },
        );
    }

    fn unknown_info(&self, core: &mut Core, server: ServerId) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        if let Some(mut response) = core.response(server, status) {
            response.headers.push(
                HeaderName::Accept,
                "application/dtmf-relay, application/dtmf",
            );
            core.respond(server, &response);
        }
    }
}

/// `Signal=5` and `Duration=160`, one a line.
fn relay(body: &[u8]) -> Option<(char, u32)> {
    let text = core::str::from_utf8(body).ok()?;
    let value = |name: &str| {
        text.lines().find_map(|line| {
            let (own, value) = line.split_once('=')?;
            own.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let digit = digit(value("Signal")?)?;
    let duration = value("Duration").and_then(|duration| duration.parse().ok());
    Some((digit, duration.unwrap_or(USUAL_MS).min(LONGEST_MS)))
}

/// The digit alone.
fn plain(body: &[u8]) -> Option<(char, u32)> {
    let text = core::str::from_utf8(body).ok()?;
    digit(text.trim()).map(|digit| (digit, USUAL_MS))
}

/// A digit, or by its event number of RFC 4733 from 10 on; `!` is the flash.
fn digit(text: &str) -> Option<char> {
    let mut chars = text.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        let c = c.to_ascii_uppercase();
        return matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | '!').then_some(c);
    }
    match text {
        "10" => Some('*'),
        "11" => Some('#'),
        "12" => Some('A'),
        "13" => Some('B'),
        "14" => Some('C'),
        "15" => Some('D'),
        "16" => Some('!'),
        _ => (text.eq_ignore_ascii_case("hf") || text.eq_ignore_ascii_case("flash")).then_some('!'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_in_all_their_spellings() {
        assert_eq!(relay(b"Signal=5\r\nDuration=160\r\n"), Some(('5', 160)));
        assert_eq!(relay(b"Signal= *\nDuration= 250\n"), Some(('*', 250)));
        assert_eq!(relay(b"signal=11"), Some(('#', USUAL_MS)));
        assert_eq!(relay(b"Signal=hf"), Some(('!', USUAL_MS)));
        assert_eq!(
            relay(b"Signal=5\r\nDuration=99999999999"),
            Some(('5', USUAL_MS))
        );
        assert_eq!(plain(b"d\r\n"), Some(('D', USUAL_MS)));
        assert_eq!(relay(b"Duration=160"), None);
        assert_eq!(relay(b"Signal=x"), None);
        assert_eq!(plain(b"\xff"), None);
        assert_eq!(plain(b""), None);
    }
}
