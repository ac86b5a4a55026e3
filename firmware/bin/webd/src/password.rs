//! Passwords of people: which are good enough, how they are kept, and how they are compared.
//!
//! Argon2id takes 19 MiB and tens of milliseconds each time, so few run at once, few wait, and the
//! rest is told to come again: logging in must not stop the box.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::Secret;
use tokio::sync::Semaphore;

use crate::problem::{Code, FieldCode, FieldError, Problem};

/// Shortest password of a person.
pub const MIN_CHARS: usize = 8;
/// Longest password of a person: a long sentence; hashing more costs time for nothing.
pub const MAX_CHARS: usize = 128;
/// Guessed online at a thousand tries a second, it takes longer than anybody lives.
const STRONG_BITS: f64 = 50.0;
/// Hashes computed at once: two cores, 38 MiB.
const AT_ONCE: usize = 2;
/// Requests that may wait for a hash: about two seconds' worth on the slowest box.
const WAITING: usize = 16;

/// Passwords that are tried first by everyone who tries.
const COMMON: &[&str] = &[
    "00000000",
    "11111111",
    "12121212",
    "123123123",
    "12341234",
    "12344321",
    "12345678",
    "123456789",
    "1234567890",
    "123456789a",
    "1234qwer",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "87654321",
    "abc12345",
    "abcd1234",
    "admin123",
    "admin1234",
    "administrator",
    "asdfghjk",
    "asdfghjkl",
    "baseball",
    "changeme",
    "computer",
    "football",
    "heslo123",
    "heslo1234",
    "hesloheslo",
    "iloveyou",
    "internet",
    "letmein1",
    "michelle",
    "operator",
    "operator1",
    "operatorbox",
    "operator-box",
    "p@ssw0rd",
    "p@ssword",
    "passw0rd",
    "password",
    "password1",
    "password12",
    "password123",
    "password1234",
    "princess",
    "q1w2e3r4",
    "qazwsxedc",
    "qwer1234",
    "qwertyui",
    "qwertyuiop",
    "qwerty123",
    "qwertzui",
    "qwertzuiop",
    "starwars",
    "sunshine",
    "superman",
    "telefon1",
    "telephone",
    "trustno1",
    "welcome1",
    "whatever",
    "zaq12wsx",
];

/// Hashes and compares passwords, a few at a time.
#[derive(Clone, Debug)]
pub struct Hasher {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    dummy: Secret,
}

impl Hasher {
    /// Takes as long as one hash: the one that unknown users are compared with.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn new() -> anyhow::Result<Self> {
        let dummy = hash(&random_token()?)
            .ok_or_else(|| anyhow::anyhow!("no password can be hashed on this machine"))?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::default(),
            dummy,
        })
    }

    /// The Argon2id hash to keep, as a PHC string.
    ///
    /// # Errors
    /// [`Code::Busy`] where too many wait.
    pub async fn hash(&self, password: Secret) -> Result<Secret, Problem> {
        self.run(move || hash(&password))
            .await?
            .ok_or_else(Problem::internal)
    }

    /// True where `password` is the one `expected` was made of. Without `expected` it takes as long
    /// and is false: an answer's time doesn't tell who exists.
    ///
    /// # Errors
    /// [`Code::Busy`] where too many wait.
    pub async fn verify(
        &self,
        expected: Option<Secret>,
        password: Secret,
    ) -> Result<bool, Problem> {
        let known = expected.is_some();
        let expected = expected.unwrap_or_else(|| self.dummy.clone());
        let same = self.run(move || verify(&expected, &password)).await?;
        Ok(same && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let queue = Queued::enter(&self.waiting)?;
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| Problem::internal())?;
        drop(queue);
        // The permit goes with the work: who gives up waiting doesn't let one more start.
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(|_| Problem::internal())
    }
}

struct Queued(Arc<AtomicUsize>);

impl Queued {
    fn enter(waiting: &Arc<AtomicUsize>) -> Result<Self, Problem> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let queued = Self(Arc::clone(waiting));
        if before >= WAITING {
            return Err(
                Problem::new(Code::Busy, "Too many log in at once: try again.").retry_after(5),
            );
        }
        Ok(queued)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is wrong with a password that somebody chooses for the login `name`.
///
/// # Errors
/// Of the field `password` of a body: which rule it breaks, and what to do.
pub fn check(password: &str, name: &str) -> Result<(), FieldError> {
    let bad = |code, text: &str| Err(FieldError::new("/password", code, text));
    let chars = password.chars().count();
    if chars < MIN_CHARS {
        let text = format!("use at least {MIN_CHARS} characters");
        return bad(FieldCode::WeakPassword, &text);
    }
    if chars > MAX_CHARS {
        let text = format!("use at most {MAX_CHARS} characters");
        return bad(FieldCode::WeakPassword, &text);
    }
    let lower = password.to_lowercase();
    let name = name.to_lowercase();
    if !name.is_empty() && (lower == name || lower == name.chars().rev().collect::<String>()) {
        let text = "choose one that is not the user name";
        return bad(FieldCode::PasswordIsName, text);
    }
    let first = lower.chars().next();
    if COMMON.contains(&lower.as_str()) || lower.chars().all(|c| Some(c) == first) {
        let text =
            "this is among the first ones that are tried: choose another, such as four words";
        return bad(FieldCode::CommonPassword, text);
    }
    Ok(())
}

/// True where a SIP password is one that a program guesses: it is common, has one of `names` in it,
/// or is too short for the kinds of characters it has. People do not choose by chance, so that the
/// bits of chance it could have are the most it may have.
#[must_use]
pub fn is_weak(password: &str, names: &[&str]) -> bool {
    let lower = password.to_lowercase();
    let named = names
        .iter()
        .any(|name| name.len() >= 3 && lower.contains(&name.to_lowercase()));
    let alphabet: u32 = [('0'..='9', 10), ('a'..='z', 26), ('A'..='Z', 26)]
        .into_iter()
        .filter(|(kind, _)| password.chars().any(|c| kind.contains(&c)))
        .map(|(_, size)| size)
        .sum();
    let others = !password.chars().all(|c| c.is_ascii_alphanumeric());
    let alphabet = f64::from((alphabet + if others { 32 } else { 0 }).max(2));
    let chars = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
    let bits = f64::from(chars) * alphabet.log2();
    named || check(password, "").is_err() || bits < STRONG_BITS
}

/// 256 random bits as text: a session token.
///
/// # Errors
/// Where the system gives no random bytes.
pub fn random_token() -> anyhow::Result<Secret> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// A strong password for a phone: 20 characters that can't be mistaken for each other, 115 bits.
///
/// # Errors
/// Where the system gives no random bytes.
pub fn random_sip_password() -> anyhow::Result<Secret> {
    const ALPHABET: &[u8; 56] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    const CHARS: usize = 20;
    let mut text = String::with_capacity(CHARS);
    let mut bytes = [0_u8; 64];
    while text.len() < CHARS {
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
        // Bytes beyond a whole number of alphabets are left out: each character is as likely.
        text.extend(
            bytes
                .iter()
                .filter(|byte| **byte < 224)
                .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
                .map(|byte| char::from(*byte))
                .take(CHARS - text.len()),
        );
    }
    Ok(Secret::new(text))
}

fn hash(password: &Secret) -> Option<Secret> {
    let hash = Argon2::default().hash_password(password.expose().as_bytes());
    hash.ok().map(|hash| Secret::new(hash.to_string()))
}

fn verify(expected: &Secret, password: &Secret) -> bool {
    PasswordHash::new(expected.expose()).is_ok_and(|expected| {
        Argon2::default()
            .verify_password(password.expose().as_bytes(), &expected)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_password_is_told_what_to_do() {
        assert!(check("čtyři slova stačí", "Admin").is_ok());
        assert!(check(&"ab".repeat(64), "Admin").is_ok());
        for (bad, name, code) in [
            ("short", "Admin", FieldCode::WeakPassword),
            ("Password", "Admin", FieldCode::CommonPassword),
            ("winston.smith", "Winston.Smith", FieldCode::PasswordIsName),
            ("htims.notsniw", "Winston.Smith", FieldCode::PasswordIsName),
            ("zzzzzzzzz", "Admin", FieldCode::CommonPassword),
            (&"ab".repeat(65), "Admin", FieldCode::WeakPassword),
        ] {
            let error = check(bad, name).map_err(|error| error.code);
            assert_eq!(error, Err(code), "{bad}");
        }
    }

    #[test]
    fn a_weak_sip_password_is_known() {
        let names = ["122", "reception"];
        let weak = |password: &str| is_weak(password, &names);
        for bad in [
            "12345678",
            "abcdefgh",
            "a1b2c3d4",
            "Xy7!122-Qr5%",
            "MyReception-77%",
        ] {
            assert!(weak(bad), "{bad}");
        }
        for good in ["kR7mQ2xVb9Lp", "a1b2c3d4e5f6", "correct-horse-battery"] {
            assert!(!weak(good), "{good}");
        }
        let generated = random_sip_password().expect("random bytes");
        assert!(!weak(generated.expose()));
    }

    #[test]
    fn generated_secrets_differ() {
        let one = random_sip_password().expect("random bytes");
        let other = random_sip_password().expect("random bytes");
        assert_eq!(one.expose().len(), 20);
        assert_ne!(one, other);
        assert_eq!(random_token().expect("random bytes").expose().len(), 43);
    }

    #[test]
    fn a_hash_is_argon2id_and_fits_its_password_only() {
        let password = Secret::new("correct horse");
        let hash = hash(&password).expect("it hashes");
        assert!(hash.expose().starts_with("$argon2id$v=19$"));
        assert!(verify(&hash, &password));
        assert!(!verify(&hash, &Secret::new("correct house")));
        assert!(!verify(&Secret::new("not a hash"), &password));
    }
}
