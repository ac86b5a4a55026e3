//! The form of zone, servers and clock, and the search for a zone.

use model::WallTime;
use model::system::{Time, TimeSettings};

use super::network::{Fault, words};
use super::{choice, field};
use crate::field::{Field, Kind};
use crate::page::{Id, Row};
use crate::{clock, texts};

/// The screen has room for so many zones.
const FOUND: usize = 12;

/// What is typed of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    zone: Field,
    servers: Field,
    /// Those that are set: they stay to the letter where nobody types others.
    set: Vec<String>,
    clock: Field,
    /// Part of a zone's name, while it is searched for.
    search: Option<Field>,
}

/// What is to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub settings: TimeSettings,
    pub clock: Option<WallTime>,
}

impl Form {
    /// The time as it is set.
    pub fn new(time: &Time) -> Self {
        let settings = &time.settings;
        Self {
            zone: Field::new(Kind::Zone, &settings.zone),
            servers: shown(&settings.servers),
            set: settings.servers.clone(),
            clock: Field::new(Kind::Moment, ""),
            search: None,
        }
    }

    /// A zone is being searched for.
    pub const fn is_searching(&self) -> bool {
        self.search.is_some()
    }

    /// Begins to search for a zone, or ends it.
    pub fn search(&mut self, begin: bool) {
        self.search = begin.then(|| Field::new(Kind::Zone, ""));
    }

    /// Takes a zone of those found.
    pub fn take(&mut self, zones: &[String], index: usize) {
        let found = self.found(zones).nth(index).cloned();
        if let Some(zone) = found {
            self.zone.fill(&zone);
            self.search = None;
        }
    }

    /// Its rows; `zones` are all there are, none where that isn't known.
    pub fn rows(&self, zones: &[String]) -> Vec<Row> {
        if let Some(search) = &self.search {
            let mut rows = vec![field(Id::Search, texts::SEARCH, search, texts::HINT_SEARCH)];
            let found = self.found(zones).take(FOUND).enumerate();
            rows.extend(found.map(|(index, zone)| choice(Id::Found(index), zone)));
            rows.push(choice(Id::Back, texts::BACK));
            return rows;
        }
        let zone = if zones.is_empty() {
            field(Id::Zone, texts::ZONE, &self.zone, texts::HINT_ZONE)
        } else {
            choice(Id::Zone, &format!("{}: {}", texts::ZONE, self.zone.text()))
        };
        let servers = &self.servers;
        vec![
            zone,
            field(Id::Servers, texts::SERVERS, servers, texts::HINT_SERVERS),
            field(Id::Clock, texts::CLOCK, &self.clock, texts::HINT_CLOCK),
            choice(Id::Apply, texts::APPLY),
            choice(Id::Back, texts::BACK),
        ]
    }

    /// What there is no room for.
    pub fn text(&self, zones: &[String]) -> Vec<String> {
        if !self.is_searching() {
            return Vec::new();
        }
        match self.found(zones).count() {
            0 => vec![texts::NO_ZONE.to_owned()],
            count if count > FOUND => vec![texts::more_zones(count - FOUND)],
            _ => Vec::new(),
        }
    }

    /// The field of a row.
    pub fn field(&mut self, row: Id) -> Option<&mut Field> {
        match row {
            Id::Zone => Some(&mut self.zone),
            Id::Servers => Some(&mut self.servers),
            Id::Clock => Some(&mut self.clock),
            Id::Search => self.search.as_mut(),
            _ => None,
        }
    }

    /// What was typed.
    pub fn wanted(&self) -> Result<Wanted, Fault> {
        let zone = self.zone.text();
        if zone.is_empty() {
            return Err((Id::Zone, texts::BAD_ZONE.to_owned()));
        }
        let servers: Vec<String> = if self.servers.typed() == shown(&self.set).typed() {
            self.set.clone()
        } else {
            words(self.servers.text()).map(str::to_owned).collect()
        };
        let clock = match self.clock.text() {
            "" => None,
            _ if !servers.is_empty() => {
                return Err((Id::Clock, texts::CLOCK_BY_SERVERS.to_owned()));
            }
            text => {
                Some(clock::parsed(text, zone).ok_or((Id::Clock, texts::BAD_CLOCK.to_owned()))?)
            }
        };
        let zone = zone.to_owned();
        Ok(Wanted {
            settings: TimeSettings { zone, servers },
            clock,
        })
    }

    fn found<'a>(&'a self, zones: &'a [String]) -> impl Iterator<Item = &'a String> {
        let search = self.search.as_ref().map_or("", Field::text);
        let part = search.replace(' ', "_").to_ascii_lowercase();
        (zones.iter()).filter(move |zone| zone.to_ascii_lowercase().contains(&part))
    }
}

fn shown(servers: &[String]) -> Field {
    Field::new(Kind::List, &servers.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_nobody_touches_stay_to_the_letter() {
        let label = "a".repeat(60);
        let long = [label.as_str(); 4].join(".");
        let names = vec!["čas.example".to_owned(), long.clone(), long.clone(), long];
        let form = Form::new(&Time {
            settings: TimeSettings {
                zone: "Etc/UTC".into(),
                servers: names.clone(),
            },
            now: WallTime::default(),
            synchronised: None,
            offset_ms: None,
        });
        let wanted = form.wanted().expect("right");
        assert_eq!(wanted.settings.servers, names);
    }
}
