//! What is kept of a peer's words, and how long it may be: addresses, names, products.
//!
//! A request with more is refused as a whole, with a Warning that names the field. Of a response, which
//! can't be refused, what is too long is passed over.

use super::limits::{
    KEPT_NAME_BYTES, KEPT_PARTY_BYTES, KEPT_PRODUCT_BYTES, KEPT_URI_BYTES, KEPT_URI_PARAMS,
};
use crate::message::{Essentials, Field, HeaderName, Headers, Method, NameAddr, Request, Uri};

/// The field of a request that is too long to be kept; none where all are in order.
pub(super) fn too_long(
    request: &Request,
    essentials: &Essentials,
    outside: bool,
) -> Option<HeaderName> {
    if !is_kept(&request.method) {
        return None;
    }
    let headers = &request.headers;
    // What is in a dialog has the names that were taken when it began.
    if outside {
        if essentials.call_id.as_str().len() > KEPT_NAME_BYTES {
            return Some(HeaderName::CallId);
        }
        for (name, party) in [
            (HeaderName::From, &essentials.from),
            (HeaderName::To, &essentials.to),
        ] {
            let tag = party.tag().unwrap_or_default();
            let party = headers.raw(&name).map_or(0, |raw| raw.as_bytes().len());
            if tag.len() > KEPT_NAME_BYTES || party > KEPT_PARTY_BYTES {
                return Some(name);
            }
        }
    }
    [
        HeaderName::Contact,
        HeaderName::RecordRoute,
        HeaderName::Path,
    ]
    .into_iter()
    .find(|name| !are_short(headers, name) && !headers.elements(name).all(element_fits))
}

/// True for methods whose addresses are kept: by a dialog or the registrar.
const fn is_kept(method: &Method) -> bool {
    matches!(
        method,
        Method::Invite | Method::Register | Method::Update | Method::Refer
    )
}

/// True where nothing in the lines of a field can be too long, as in all but one of a million messages.
pub(crate) fn are_short(headers: &Headers, name: &HeaderName) -> bool {
    headers.values(name).all(|line| {
        let line = line.as_bytes();
        let semicolons = || line.iter().filter(|byte| **byte == b';').count();
        line.len() <= KEPT_NAME_BYTES && semicolons() <= KEPT_URI_PARAMS
    })
}

/// One value of Contact, Record-Route or Path. What can't be read is refused elsewhere.
fn element_fits(element: &[u8]) -> bool {
    NameAddr::parse(element).map_or(true, |address| {
        fits(&address.uri)
            && address
                .instance()
                .is_none_or(|instance| instance.len() <= KEPT_NAME_BYTES)
    })
}

/// True for a URI that may be kept.
pub(crate) fn fits(uri: &Uri) -> bool {
    let params = match uri {
        Uri::Sip(uri) => uri.params.iter().count(),
        Uri::Tel(uri) => uri.params.iter().count(),
        Uri::Other(_) => 0,
    };
    params <= KEPT_URI_PARAMS && uri.to_string().len() <= KEPT_URI_BYTES
}

/// What a peer calls itself, for people to read.
pub(crate) fn product(headers: &Headers) -> Option<String> {
    let agent = headers.user_agent().ok().flatten();
    let mut product = agent.or_else(|| headers.server().ok().flatten())?;
    product.truncate(product.floor_char_boundary(KEPT_PRODUCT_BYTES));
    Some(product)
}
