//! Who a request is from (RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! An unknown user costs the same hashes as a known one, and both get the same answer; so neither
//! its words nor its time tell which names exist.

use core::hash::BuildHasher;
use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use model::{ExtensionId, Instant, Secret};

use super::{Account, AuthenticationFailure, Random, Seeded};
use crate::digest::{
    Algorithm, Credentials, DigestOffer, Ha1, NonceTable, PasswordHashes, Refusal, Server,
    ServerOptions,
};
use crate::message::{HeaderName, Request, Response};

/// An account with its password hashed, so that a request costs no more than its own hashes.
#[derive(Debug)]
struct Known {
    account: Account,
    hashes: PasswordHashes,
}

/// Digest for the whole exchange.
#[derive(Debug)]
pub(crate) struct Gatekeeper {
    accounts: BTreeMap<String, Known>,
    digest: Server,
    /// What unknown users are checked against.
    nobody: PasswordHashes,
    nobodys_password: Secret,
    /// Makes of a source what stands for it in a nonce.
    askers: Seeded,
}

/// Whoever wants something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    /// Where the request came from.
    pub(crate) address: IpAddr,
    /// It is about a call to an urgent number.
    pub(crate) urgent: bool,
}

impl Asker {
    fn may_be(self, account: &Account) -> bool {
        (!account.loopback_only || self.address.to_canonical().is_loopback())
            && (!account.urgent_only || self.urgent)
    }
}

/// What the credentials of a request are worth.
#[derive(Debug)]
pub(crate) enum Verdict<'a> {
    /// They prove this account.
    Proved(&'a Account),
    /// There are none that can be checked.
    Missing,
    /// They are right but old.
    Stale,
    /// They are wrong.
    Wrong {
        /// Who they claim to be from.
        username: String,
        /// What is wrong.
        failure: AuthenticationFailure,
    },
    /// They are wrong, and answer no challenge that was sent to where they came from.
    Unasked,
}

impl Gatekeeper {
    pub(crate) fn new(realm: &str, offer: DigestOffer, random: &Random) -> Self {
        let key = random.derive("nonces");
        let options = ServerOptions {
            offer,
            ..ServerOptions::default()
        };
        let nobodys_password = Secret::new(format!("{:?}", random.derive("nobody's password")));
        Self {
            accounts: BTreeMap::new(),
            digest: Server::new(realm, &key, options, NonceTable::default()),
            nobody: hashes("nobody", realm, &nobodys_password),
            nobodys_password,
            askers: Seeded::new(random.derive("askers")),
        }
    }

    /// Another realm, another offer. Hashes are of a realm and are made anew with it.
    pub(crate) fn reconfigure(&mut self, realm: &str, offer: DigestOffer) {
        let moved = self.digest.realm() != realm;
        self.digest.reconfigure(realm, offer);
        if !moved {
            return;
        }
        self.nobody = hashes("nobody", realm, &self.nobodys_password);
        for (username, known) in &mut self.accounts {
            known.hashes = hashes(username, realm, &known.account.password);
        }
    }

    /// These accounts, and no others. The extensions come back whose user name and password are what
    /// they were: who registered with others has to prove himself again.
    pub(crate) fn set_accounts(&mut self, accounts: Vec<Account>) -> BTreeSet<ExtensionId> {
        let mut unchanged = BTreeSet::new();
        let mut known = core::mem::take(&mut self.accounts);
        for account in accounts {
            let old = known
                .remove(&account.username)
                .filter(|old| old.account.password == account.password);
            let hashes = match old {
                Some(old) => {
                    if old.account.extension == account.extension && !account.urgent_only {
                        unchanged.insert(account.extension);
                    }
                    old.hashes
                }
                None => hashes(&account.username, self.digest.realm(), &account.password),
            };
            self.accounts
                .insert(account.username.clone(), Known { account, hashes });
        }
        unchanged
    }

    /// Checks a request.
    pub(crate) fn check(&mut self, now: Instant, from: Asker, request: &Request) -> Verdict<'_> {
        let asker = self.asker(from.address);
        let credentials = self.credentials(request);
        let Some(credentials) = credentials else {
            return Verdict::Missing;
        };
        let known =
            (self.accounts.get(&credentials.username)).filter(|known| from.may_be(&known.account));
        let hashes = known.map_or(&self.nobody, |known| &known.hashes);
        let result = self.digest.verify(now, request, &credentials, hashes);
        let failure = match (result, known) {
            (Ok(()), Some(known)) => return Verdict::Proved(&known.account),
            (Err(Refusal::Stale), Some(_)) => return Verdict::Stale,
            // Nobody's password is not known to anybody; all the same nobody gets in by it.
            (Ok(()) | Err(Refusal::Stale), None)
            | (Err(Refusal::WrongResponse | Refusal::OtherUri), None) => {
                AuthenticationFailure::UnknownUser
            }
            (Err(Refusal::WrongResponse), Some(_)) => AuthenticationFailure::WrongPassword,
            (Err(Refusal::OtherUri), Some(_)) => AuthenticationFailure::NotAllowed,
            (Err(Refusal::NotOffered), _) => return Verdict::Missing,
        };
        // A datagram with a made-up source must not show up as a break-in from there.
        if !self.digest.is_answer_of(asker, now, &credentials) {
            return Verdict::Unasked;
        }
        Verdict::Wrong {
            username: credentials.username,
            failure,
        }
    }

    fn credentials(&self, request: &Request) -> Option<Credentials> {
        let headers = &request.headers;
        self.digest
            .credentials(headers, &HeaderName::Authorization)
            .or_else(|| {
                self.digest
                    .credentials(headers, &HeaderName::ProxyAuthorization)
            })
    }

    /// What stands for a source in the nonces it gets.
    fn asker(&self, source: IpAddr) -> u32 {
        // The lower half is as good as the whole, and fits.
        u32::try_from(self.askers.hash_one(source) & u64::from(u32::MAX)).unwrap_or(0)
    }

    /// Adds the challenges.
    pub(crate) fn challenge(
        &mut self,
        now: Instant,
        source: IpAddr,
        stale: bool,
        response: &mut Response,
    ) {
        let asker = self.asker(source);
        for challenge in self.digest.challenges_to(asker, now, stale) {
            response
                .headers
                .push(HeaderName::WwwAuthenticate, challenge);
        }
    }
}

fn hashes(username: &str, realm: &str, password: &Secret) -> PasswordHashes {
    PasswordHashes::Precomputed {
        md5: Some(Ha1::new(Algorithm::Md5, username, realm, password)),
        sha256: Some(Ha1::new(Algorithm::Sha256, username, realm, password)),
    }
}
