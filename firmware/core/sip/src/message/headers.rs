//! The header section: an ordered list of names and raw values (RFC 3261 §7.3.1).

use super::error::{HeaderError, HeaderFault};
use super::fields::Field;
use super::list::split_element;
use super::{Elements, HeaderName, HeaderValue};

/// Header fields in the order they were given. `Content-Length` is never among them: it is framing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// How many a message of ours has.
    pub(crate) const USUAL: usize = 16;

    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn with_capacity(fields: usize) -> Self {
        Self(Vec::with_capacity(fields))
    }

    /// How many fields (lines, not list elements).
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// True where there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Adds a field at the end. `Content-Length` is passed over.
    pub fn push(&mut self, name: HeaderName, value: impl Into<HeaderValue>) {
        if name != HeaderName::ContentLength {
            self.0.push((name, value.into()));
        }
    }

    /// Adds a field in front of all, as a Via, Route or Record-Route is put on top.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<HeaderValue>) {
        if name != HeaderName::ContentLength {
            self.0.insert(0, (name, value.into()));
        }
    }

    /// Makes this the only field of its name, in the place of the first of them.
    pub fn set(&mut self, name: HeaderName, value: impl Into<HeaderValue>) {
        let Some(at) = self.0.iter().position(|(other, _)| *other == name) else {
            self.push(name, value);
            return;
        };
        let mut seen = false;
        self.0
            .retain(|(other, _)| *other != name || !core::mem::replace(&mut seen, true));
        if let Some(field) = self.0.get_mut(at) {
            field.1 = value.into();
        }
    }

    /// Replaces the first element of a list, as a server completes the topmost Via; false where there is none.
    pub fn set_first_element(&mut self, name: &HeaderName, value: impl Into<HeaderValue>) -> bool {
        let Some((_, line)) = self.0.iter_mut().find(|(other, _)| other == name) else {
            return false;
        };
        let first: HeaderValue = value.into();
        *line = match split_element(line.as_bytes()).1 {
            None => first,
            Some(rest) => HeaderValue::new([first.as_bytes(), b",", rest].concat()),
        };
        true
    }

    /// Removes the first element of a list, as a client strips its Via or a router its Route;
    /// false where there is none.
    pub fn remove_first_element(&mut self, name: &HeaderName) -> bool {
        let Some(at) = self.0.iter().position(|(other, _)| other == name) else {
            return false;
        };
        let rest = self
            .0
            .get(at)
            .and_then(|(_, line)| split_element(line.as_bytes()).1)
            .map(|rest| HeaderValue::new(rest.to_vec()));
        match (rest, self.0.get_mut(at)) {
            (Some(rest), Some(field)) => field.1 = rest,
            _ => {
                self.0.remove(at);
            }
        }
        true
    }

    /// Removes all fields of a name and says how many there were.
    pub fn remove(&mut self, name: &HeaderName) -> usize {
        let before = self.0.len();
        self.0.retain(|(other, _)| other != name);
        before - self.0.len()
    }

    /// Adds all of `other`'s fields of a name, in order.
    pub fn copy_from(&mut self, other: &Self, name: &HeaderName) {
        self.0
            .extend(other.0.iter().filter(|(own, _)| own == name).cloned());
    }

    /// True where there is a field of that name.
    #[must_use]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.raw(name).is_some()
    }

    /// The raw value of the first field of that name.
    #[must_use]
    pub fn raw(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    }

    /// The raw values of all fields of that name, line by line.
    pub fn values<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a HeaderValue> {
        self.0
            .iter()
            .filter(move |(own, _)| own == name)
            .map(|(_, value)| value)
    }

    /// The elements of all fields of that name, however they are spread over lines.
    pub fn elements<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
        Elements::new(self.values(name))
    }

    /// The one field of that name, in typed form.
    ///
    /// # Errors
    /// Where it is missing, repeated or malformed.
    pub fn typed<T: Field>(&self, name: HeaderName) -> Result<T, HeaderError> {
        match self.typed_opt(name.clone()) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(HeaderError::new(name, HeaderFault::Missing)),
            Err(error) => Err(error),
        }
    }

    /// The one field of that name, where there is one.
    ///
    /// # Errors
    /// Where it is repeated or malformed.
    pub fn typed_opt<T: Field>(&self, name: HeaderName) -> Result<Option<T>, HeaderError> {
        let mut lines = self.values(&name);
        let (first, second) = (lines.next(), lines.next());
        drop(lines);
        match (first, second) {
            (None, _) => Ok(None),
            (Some(value), None) => match T::parse(value.as_bytes()) {
                Ok(value) => Ok(Some(value)),
                Err(what) => Err(HeaderError::malformed(name, what)),
            },
            (Some(_), Some(_)) => Err(HeaderError::new(name, HeaderFault::Repeated)),
        }
    }

    /// The first element of a list, in typed form; the others are not looked at.
    ///
    /// # Errors
    /// Where there is none, or it is malformed.
    pub fn typed_first<T: Field>(&self, name: HeaderName) -> Result<T, HeaderError> {
        let first = self.elements(&name).next().map(T::parse);
        match first {
            None => Err(HeaderError::new(name, HeaderFault::Missing)),
            Some(Ok(value)) => Ok(value),
            Some(Err(what)) => Err(HeaderError::malformed(name, what)),
        }
    }

    /// All elements of a list, in typed form; empty where there is no such field.
    ///
    /// # Errors
    /// Where one is malformed.
    pub fn typed_list<T: Field>(&self, name: HeaderName) -> Result<Vec<T>, HeaderError> {
        let list = self.elements(&name).map(T::parse).collect();
        match list {
            Ok(list) => Ok(list),
            Err(what) => Err(HeaderError::malformed(name, what)),
        }
    }

    /// One value for each line, for fields whose values hold commas (challenges and credentials).
    ///
    /// # Errors
    /// Where one is malformed.
    pub fn typed_lines<T: Field>(&self, name: HeaderName) -> Result<Vec<T>, HeaderError> {
        let list = self
            .values(&name)
            .map(|value| T::parse(value.as_bytes()))
            .collect();
        match list {
            Ok(list) => Ok(list),
            Err(what) => Err(HeaderError::malformed(name, what)),
        }
    }

    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.0 {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Adds a field read from the wire.
    pub(crate) fn push_parsed(&mut self, name: HeaderName, value: HeaderValue) {
        self.0.push((name, value));
    }
}
