//! A message as people may read it: without what proves who somebody is, opens what is encrypted, or was
//! dialled in a call.

/// The most of a message that is shown: no phone's is longer, and what is not may be anything.
const MAX_OCTETS: usize = 8000;

const LEFT_OUT: &str = "(left out)";

/// Headers whose values are secret (RFC 3261 §22.2, §22.3). Neither has a short form.
const SECRET_HEADERS: [&str; 2] = ["authorization", "proxy-authorization"];

/// Lines of a session description that hold keys (RFC 4568 §9.1, RFC 4567 §3, RFC 4566 §5.12).
const SECRET_LINES: [&str; 3] = ["a=crypto:", "a=key-mgmt:", "k="];

/// The text of a message, its secrets left out.
#[must_use]
pub fn shown(message: &[u8]) -> String {
    let head = message.get(..MAX_OCTETS).unwrap_or(message);
    let text = String::from_utf8_lossy(head);
    let mut out = String::with_capacity(text.len());
    // RFC 6086: digits of a menu or a PIN come as the body of INFO.
    let is_info = text.starts_with("INFO ");
    let (mut in_headers, mut secret) = (true, false);
    // In a body a CR by itself ends a line too.
    let (head, body) = match text.split_once("\r\n\r\n") {
        Some((head, body)) => (
            format!("{head}\r\n"),
            body.replace("\r\n", "\n").replace('\r', "\n"),
        ),
        None => (text.into_owned(), String::new()),
    };
    let has_body = !body.is_empty();
    let lines = head
        .split('\n')
        .chain(body.split('\n').filter(|_| has_body));
    for line in lines {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if in_headers {
            if line.starts_with([' ', '\t']) && secret {
                continue;
            }
            secret = is_one_of(
                line.split(':').next().unwrap_or_default().trim(),
                &SECRET_HEADERS,
            );
            in_headers = !line.is_empty() || out.is_empty();
        } else if is_info && !line.is_empty() {
            push(&mut out, LEFT_OUT);
            break;
        } else {
            secret = SECRET_LINES.iter().any(|start| begins(&bare(line), start));
        }
        if secret {
            let kept = line.find([':', '=']).map_or(0, |at| at + 1);
            let kept = if in_headers {
                kept
            } else {
                line.find(':').map_or(kept, |at| at + 1)
            };
            push(&mut out, &format!("{} {LEFT_OUT}", &line[..kept]));
        } else {
            push(&mut out, &without_passwords(line));
        }
    }
    if message.len() > MAX_OCTETS {
        push(
            &mut out,
            &format!("({} octets more)", message.len() - MAX_OCTETS),
        );
    }
    out.truncate(out.trim_end().len());
    out
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// The beginning of a line as the parser sees it: without blanks.
fn bare(line: &str) -> String {
    line.chars()
        .filter(|c| !c.is_whitespace())
        .take(16)
        .collect()
}

fn begins(line: &str, start: &str) -> bool {
    (line.get(..start.len())).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Another line; what is no text in it could be anything to who reads it.
fn push(out: &mut String, line: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    let plain = |c: char| {
        if c.is_control() && c != '\t' {
            '\u{fffd}'
        } else {
            c
        }
    };
    out.extend(line.chars().map(plain));
}

/// A line without the passwords of its URIs (RFC 3261 §19.1.1: `sip:user:password@host`).
fn without_passwords(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    loop {
        let scheme = ["sip:", "sips:"].into_iter();
        let Some(at) = scheme
            .filter_map(|one| Some(rest.find(one)? + one.len()))
            .min()
        else {
            break;
        };
        let (before, uri) = rest.split_at(at);
        out.push_str(before);
        let end = uri.find([' ', '<', '>', '"', ',', ';', '?', '@']);
        rest = uri;
        if let Some(end) = end.filter(|end| uri[*end..].starts_with('@'))
            && let Some((user, _)) = uri[..end].split_once(':')
        {
            out.push_str(user);
            out.push(':');
            out.push_str(LEFT_OUT);
            rest = &uri[end..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_keys_and_digits_are_left_out() {
        let message = b"REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.7\r\n\
            authorization : Digest username=\"101\",\r\n response=\"5ec2e7\"\r\n\
            PROXY-AUTHORIZATION: Digest nonce=\"abc\"\r\nFrom: <sip:101:hunter2@10.0.0.1>;tag=1\r\n\
            To: \"A\" <sips:101@10.0.0.1:5061>\r\n\r\nv=0\r\nm=audio 5004 RTP/SAVP 8\r\n\
            a=Crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\nk=clear:secret\r\na=sendrecv\r\n";
        assert_eq!(
            shown(message),
            "REGISTER sip:10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.7\n\
             authorization : (left out)\nPROXY-AUTHORIZATION: (left out)\n\
             From: <sip:101:(left out)@10.0.0.1>;tag=1\nTo: \"A\" <sips:101@10.0.0.1:5061>\n\n\
             v=0\nm=audio 5004 RTP/SAVP 8\na=Crypto: (left out)\nk=clear: (left out)\na=sendrecv"
        );
        for line in [
            " a=crypto:1 x inline:c2VjcmV0",
            "a= crypto:1 inline:c2VjcmV0",
            "a=crypto :1 c2VjcmV0",
            "v=0\ra=crypto:1 c2VjcmV0",
        ] {
            let message = format!("INVITE sip:a@b SIP/2.0\r\nFrom: x\r\n\r\n{line}\r\nt=0 0\r\n");
            let text = shown(message.as_bytes());
            assert!(
                !text.contains("c2VjcmV0") && text.ends_with("t=0 0"),
                "{text}"
            );
        }
        let info = b"INFO sip:a@b SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=7\r\nDuration=160\r\n";
        let text = shown(info);
        assert!(
            text.ends_with("\n\n(left out)") && !text.contains('7'),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_text_is_shown_as_such_and_what_is_long_is_cut() {
        assert_eq!(shown(b"A \x1b[2J\xff\r\n"), "A \u{fffd}[2J\u{fffd}");
        assert_eq!(shown(b""), "");
        let text = shown(&vec![b'x'; 9000]);
        assert!(text.ends_with("\n(1000 octets more)"));
    }
}
