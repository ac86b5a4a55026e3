//! One REGISTER (RFC 3261 §10.3): either all of it is carried out, or nothing.

use core::time::Duration;

use model::Flow;

use super::flows::Flows;
use super::{Record, Registrar, contact, tell};
use crate::endpoint::limits::{BINDINGS_PER_EXTENSION, CONTACTS_PER_REGISTER, PATH_VALUES};
use crate::endpoint::{Account, Binding, BindingChange, Core};
use crate::message::{
    Contact, Contacts, Essentials, HeaderName, Headers, NameAddr, Request, Response, StatusCode,
    Uri,
};

/// What a REGISTER does to one contact.
struct Change {
    binding: Binding,
    preference: u16,
    /// Zero takes it away.
    expires_s: u32,
}

/// A REGISTER that can't be carried out.
struct Refused {
    status: StatusCode,
    min_expires: Option<u32>,
}

impl From<StatusCode> for Refused {
    fn from(status: StatusCode) -> Self {
        Self {
            status,
            min_expires: None,
        }
    }
}

impl Registrar {
    /// Carries out a REGISTER and makes its answer; the events come first.
    pub(crate) fn register(
        &mut self,
        core: &mut Core,
        account: &Account,
        flow: Flow,
        request: &Request,
        essentials: &Essentials,
    ) -> Response {
        let result = self.carry_out(core, account, flow, request, essentials);
        match result {
            Ok(outbound) => self.answer(core, account, request, outbound),
            Err(refused) => {
                let mut response = core.response_to(request, refused.status);
                if let Some(seconds) = refused.min_expires {
                    response.headers.push(HeaderName::MinExpires, seconds);
                }
                response
            }
        }
    }

    /// Whether it made a contact that ends with its connection.
    fn carry_out(
        &mut self,
        core: &mut Core,
        account: &Account,
        flow: Flow,
        request: &Request,
        essentials: &Essentials,
    ) -> Result<bool, Refused> {
        let contacts = request
            .headers
            .contacts()
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        match contacts {
            Contacts::Star => {
                self.remove_all(core, account, request, essentials)?;
                Ok(false)
            }
            // A query (§10.2.3).
            Contacts::List(list) if list.is_empty() => Ok(false),
            Contacts::List(list) => {
                let path = path(&request.headers)?;
                let new = NewBindings {
                    account,
                    flow,
                    request,
                    essentials,
                    path,
                };
                let changes = new.changes(core, list)?;
                let outbound = (changes.iter())
                    .any(|change| change.expires_s > 0 && change.binding.ends_with_flow());
                self.apply(core, account, changes)?;
                Ok(outbound)
            }
        }
    }

    /// `Contact: *` (§10.3 step 6).
    fn remove_all(
        &mut self,
        core: &mut Core,
        account: &Account,
        request: &Request,
        essentials: &Essentials,
    ) -> Result<(), Refused> {
        if request.headers.expires() != Ok(Some(0)) {
            return Err(StatusCode::BAD_REQUEST.into());
        }
        let call_id = essentials.call_id.as_str();
        let seq = essentials.cseq.seq;
        let out_of_order = self
            .bindings(account.extension)
            .iter()
            .any(|binding| binding.call_id == call_id && binding.cseq >= seq);
        if out_of_order {
            return Err(StatusCode::SERVER_INTERNAL_ERROR.into());
        }
        self.remove_where(core, account.extension, BindingChange::Removed, |_| true);
        Ok(())
    }

    /// §10.3 step 7: ordering is judged for all before anything is changed.
    fn apply(
        &mut self,
        core: &mut Core,
        account: &Account,
        changes: Vec<Change>,
    ) -> Result<(), Refused> {
        let record = self.records.entry(account.extension).or_default();
        let out_of_order = changes.iter().any(|change| {
            record.bindings.iter().any(|old| {
                contact::same(old, &change.binding)
                    && old.call_id == change.binding.call_id
                    && old.cseq >= change.binding.cseq
            })
        });
        if out_of_order {
            self.tidy(account.extension);
            // "the request MUST be aborted … 500"
            return Err(StatusCode::SERVER_INTERNAL_ERROR.into());
        }
        for change in changes {
            record.change(core, change, &mut self.flows);
        }
        record.restart(core, account.extension);
        self.tidy(account.extension);
        Ok(())
    }

    /// 200 with all contacts of the extension (§10.3 step 8).
    fn answer(
        &self,
        core: &Core,
        account: &Account,
        request: &Request,
        outbound: bool,
    ) -> Response {
        let mut response = core.response_to(request, StatusCode::OK);
        let headers = &mut response.headers;
        if let Some(record) = self.records.get(&account.extension) {
            for (binding, preference) in record.bindings.iter().zip(&record.preferences) {
                let contact = described(core, binding, *preference);
                headers.push(HeaderName::Contact, contact);
            }
        }
        // RFC 3327 §5.3
        headers.copy_from(&request.headers, &HeaderName::Path);
        let supports = |tag| {
            request
                .headers
                .supported()
                .is_ok_and(|supported| supported.contains(tag))
        };
        if outbound && supports("outbound") {
            // RFC 5626 §6
            headers.push(HeaderName::Require, "outbound");
        }
        response
    }
}

impl Record {
    fn change(&mut self, core: &mut Core, change: Change, flows: &mut Flows) {
        let Change {
            binding,
            preference,
            expires_s,
        } = change;
        let known = self
            .bindings
            .iter()
            .position(|old| contact::same(old, &binding));
        let kind = match (known, expires_s) {
            (None, 0) => return,
            (Some(at), 0) => {
                let gone = self.remove(at, flows);
                tell(core, BindingChange::Removed, gone);
                return;
            }
            (Some(at), _) => {
                let old = self.remove(at, flows);
                if old.contact == binding.contact {
                    BindingChange::Refreshed
                } else {
                    // Contacts are kept by their text: the old one would never be heard of again.
                    tell(core, BindingChange::Removed, old);
                    BindingChange::Added
                }
            }
            (None, _) => {
                self.make_room(core, flows);
                BindingChange::Added
            }
        };
        self.insert(binding.clone(), preference, flows);
        tell(core, kind, binding);
    }

    /// The contact that would run out first makes room: it is the one that was refreshed longest ago.
    fn make_room(&mut self, core: &mut Core, flows: &mut Flows) {
        while self.bindings.len() >= BINDINGS_PER_EXTENSION {
            let oldest = self
                .bindings
                .iter()
                .enumerate()
                .min_by_key(|(_, binding)| binding.expires)
                .map_or(0, |(at, _)| at);
            let gone = self.remove(oldest, flows);
            tell(core, BindingChange::Removed, gone);
        }
    }
}

/// What the contacts of one REGISTER have in common.
struct NewBindings<'a> {
    account: &'a Account,
    flow: Flow,
    request: &'a Request,
    essentials: &'a Essentials,
    path: Vec<Uri>,
}

impl NewBindings<'_> {
    fn changes(&self, core: &Core, list: Vec<Contact>) -> Result<Vec<Change>, Refused> {
        if list.len() > CONTACTS_PER_REGISTER {
            return Err(StatusCode::REQUEST_ENTITY_TOO_LARGE.into());
        }
        list.into_iter()
            .map(|contact| self.change(core, contact))
            .collect()
    }

    fn change(&self, core: &Core, contact: Contact) -> Result<Change, Refused> {
        if !matches!(contact.uri, Uri::Sip(_)) {
            return Err(StatusCode::UNSUPPORTED_URI_SCHEME.into());
        }
        let expires_s = self.expires(core, &contact)?;
        let preference = contact.q_thousandths();
        let binding = Binding {
            extension: self.account.extension,
            instance: contact.instance().map(str::to_owned),
            // Without an instance it is nobody's (RFC 5626 §6).
            reg_id: contact.reg_id().filter(|_| contact.instance().is_some()),
            contact: contact.uri,
            path: self.path.clone(),
            flow: self.flow,
            call_id: self.essentials.call_id.as_str().to_owned(),
            cseq: self.essentials.cseq.seq,
            user_agent: crate::endpoint::product(&self.request.headers),
            expires: core.now + Duration::from_secs(expires_s.into()),
        };
        Ok(Change {
            binding,
            preference,
            expires_s,
        })
    }

    /// The contact's own parameter, else the header, else the default (§10.3 step 6, §10.2.1.1).
    fn expires(&self, core: &Core, contact: &Contact) -> Result<u32, Refused> {
        let (min, default, max) = core.config.expires_s;
        // A malformed one is as good as none (§20.10).
        let own = contact.expires().ok().flatten();
        let header = || self.request.headers.expires().ok().flatten();
        let seconds = own.or_else(header).unwrap_or(default);
        if seconds == 0 {
            return Ok(0);
        }
        // A whole hour or more must never be refused (§10.3 step 7).
        if seconds < min && seconds < 3600 {
            return Err(Refused {
                status: StatusCode::INTERVAL_TOO_BRIEF,
                min_expires: Some(min),
            });
        }
        Ok(seconds.min(max.max(min)))
    }
}

/// Path (RFC 3327 §5.3): 420-like where the phone does not know of it.
fn path(headers: &Headers) -> Result<Vec<Uri>, Refused> {
    if !headers.contains(&HeaderName::Path) {
        return Ok(Vec::new());
    }
    let path = headers.paths().map_err(|_| StatusCode::BAD_REQUEST)?;
    if path.len() > PATH_VALUES {
        return Err(StatusCode::REQUEST_ENTITY_TOO_LARGE.into());
    }
    Ok(path.into_iter().map(|value| value.uri).collect())
}

/// A contact as the 200 names it.
fn described(core: &Core, binding: &Binding, preference: u16) -> NameAddr {
    let mut contact = NameAddr::new(binding.contact.clone());
    let left = binding.expires.since(core.now).as_secs();
    contact.params.set("expires", left.to_string());
    if preference < 1000 {
        contact.params.set("q", format!("0.{preference:03}"));
    }
    if let Some(instance) = &binding.instance {
        let quoted = crate::message::ParamValue::quoted(format!("<{instance}>"));
        contact.params.set("+sip.instance", quoted);
    }
    if let Some(reg_id) = binding.reg_id.filter(|_| binding.ends_with_flow()) {
        contact.params.set("reg-id", reg_id.to_string());
    }
    contact
}
