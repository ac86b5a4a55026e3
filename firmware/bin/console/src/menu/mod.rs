//! The menu itself, a pure machine: keys, answers and seconds in; requests and a [`Page`] out.
//!
//! It leads from the status to a form or a question and back. What changes something is asked of the
//! system once, by one request that is waited for; meanwhile only Escape counts.

mod facts;
mod network;
mod remote;
mod time;

#[cfg(test)]
mod tests;

use model::control::Status;
use model::system::{Reply, Request};

use crate::field::{Field, Kind};
use crate::key::Key;
use crate::page::{Id, Page, Row, RowKind};
use crate::texts;
use facts::{Facts, Reach};

/// How often the machine and the exchange are asked how they are, in seconds.
const LOOK_EVERY_S: u64 = 5;

/// The word that confirms a factory reset.
const WORD: &str = "RESET";

/// What asks before it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    RestartExchange,
    Reboot,
    PowerOff,
    ResetAdminPassword,
    FactoryReset,
    StartOther,
}

impl Danger {
    /// Those that every machine has.
    const ALL: [Self; 5] = [
        Self::RestartExchange,
        Self::Reboot,
        Self::PowerOff,
        Self::ResetAdminPassword,
        Self::FactoryReset,
    ];

    const fn request(self) -> Request {
        match self {
            Self::RestartExchange => Request::RestartExchange,
            Self::Reboot => Request::Reboot,
            Self::PowerOff => Request::PowerOff,
            Self::ResetAdminPassword => Request::ResetAdminPassword,
            Self::FactoryReset => Request::FactoryReset,
            Self::StartOther => Request::StartOther,
        }
    }

    const fn ends_calls(self) -> bool {
        !matches!(self, Self::ResetAdminPassword)
    }
}

/// What the menu wants to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask everybody how they are, unless they still owe an answer.
    Look,
    /// Ask the system, and hand the answer in.
    Ask(Request),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Screen {
    Status,
    Network(network::Form),
    /// A change of the network is to be kept, or not.
    Keep,
    Time(time::Form),
    Remote(remote::Form),
    Danger(Danger, Field),
}

/// The menu.
pub struct Menu {
    facts: Facts,
    screen: Screen,
    focus: usize,
    note: String,
    /// The change that is asked for.
    waiting: Option<Request>,
    /// What comes after it.
    then: Option<Request>,
    zones: Vec<String>,
    seconds: u64,
    turn: u64,
}

impl Menu {
    /// The status, with nothing known; `zones` may be none.
    pub fn new(zones: Vec<String>) -> Self {
        Self {
            facts: Facts::default(),
            screen: Screen::Status,
            focus: 0,
            note: String::new(),
            waiting: None,
            then: None,
            zones,
            seconds: 0,
            turn: 0,
        }
    }

    /// Changes when there is something new to read: not with each second of a clock.
    pub const fn turn(&self) -> u64 {
        self.turn
    }

    /// The status is shown.
    #[cfg(test)]
    pub fn is_at_status(&self) -> bool {
        self.screen == Screen::Status
    }

    /// A second went by.
    pub fn second(&mut self) -> Vec<Effect> {
        self.facts.second();
        let due = self.seconds.is_multiple_of(LOOK_EVERY_S);
        self.seconds += 1;
        let over = self.screen == Screen::Keep && self.facts.confirm_within_s() == Some(0);
        if due || over {
            vec![Effect::Look]
        } else {
            Vec::new()
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Vec<Effect> {
        if self.waiting.is_some() {
            if key == Key::Escape {
                self.waiting = None;
                self.then = None;
                self.leave();
            }
            return Vec::new();
        }
        self.say("");
        let rows = self.rows();
        let row = rows.get(self.focus);
        let numbered = !rows.iter().any(Row::is_typed);
        if let Some(row) = row
            && let Some(field) = self.field(row.id)
            && row.is_typed()
            && field.key(key)
        {
            return Vec::new();
        }
        match key {
            Key::Up | Key::BackTab => self.step(rows.len(), rows.len().saturating_sub(1)),
            Key::Down | Key::Tab => self.step(rows.len(), 1),
            Key::Home => self.focus = 0,
            Key::End => self.focus = rows.len().saturating_sub(1),
            Key::Escape | Key::Char('q' | 'Q') => self.leave(),
            Key::Char(' ') | Key::Left | Key::Right => {
                if let Some(row) = row {
                    self.switch(row.id);
                }
            }
            Key::Char(digit @ '1'..='9') if numbered => {
                let index = usize::from(digit as u8 - b'1');
                if index < rows.len() {
                    return self.choose(index);
                }
            }
            Key::Enter => match row.map(|row| (&row.kind, row.id)) {
                Some((RowKind::Choice, id)) => return self.activate(id),
                Some((RowKind::Switch { .. } | RowKind::Field { .. }, _)) => {
                    self.step(rows.len(), 1);
                }
                None => {}
            },
            Key::Char(_) | Key::Backspace | Key::Delete | Key::Clear | Key::Redraw => {}
        }
        Vec::new()
    }

    /// Chooses a row by its place: what can be chosen is done, what has values gets the next one.
    pub fn choose(&mut self, index: usize) -> Vec<Effect> {
        let rows = self.rows();
        let Some(row) = rows.get(index).filter(|_| self.waiting.is_none()) else {
            return Vec::new();
        };
        self.say("");
        self.focus = index;
        match row.kind {
            RowKind::Choice => return self.activate(row.id),
            RowKind::Switch { .. } => self.switch(row.id),
            RowKind::Field { .. } => {}
        }
        self.turn += 1;
        Vec::new()
    }

    /// Types a whole text into a row.
    pub fn fill(&mut self, row: Id, text: &str) {
        if let Some(field) = self.field(row) {
            field.fill(text);
            self.turn += 1;
        }
    }

    /// Says something.
    pub fn say(&mut self, note: &str) {
        if self.note != note {
            self.turn += u64::from(!note.is_empty());
            note.clone_into(&mut self.note);
        }
    }

    /// The system answered.
    pub fn answered(&mut self, request: &Request, reply: Reply) -> Vec<Effect> {
        self.facts.system = Reach::Here;
        let urls = self.facts.urls();
        let awaited = self.waiting.as_ref() == Some(request);
        let refused = self.learn(request, reply);
        if *request == Request::Network {
            self.facts.trouble = refused.as_ref().map(|(_, text)| text.clone());
        }
        if self.facts.urls() != urls {
            self.turn += 1;
        }
        if awaited {
            self.waiting = None;
            return self.concluded(request, refused);
        }
        let decided = self.screen == Screen::Keep && self.facts.confirm_within_s().is_none();
        if decided && self.waiting.is_none() {
            self.show(Screen::Status);
            self.say(texts::DECIDED);
        }
        Vec::new()
    }

    /// The system doesn't answer: what was asked for is lost.
    pub fn system_away(&mut self) {
        self.facts.read_only = false;
        if self.facts.system != Reach::Away {
            self.facts.system = Reach::Away;
            self.turn += 1;
        }
        if self.waiting.take().is_some() {
            self.then = None;
            self.say(texts::LOST);
        }
    }

    /// The exchange said how it is, or nothing.
    pub fn exchange(&mut self, status: Option<Status>) {
        let reach = if status.is_some() {
            Reach::Here
        } else {
            Reach::Away
        };
        self.turn += u64::from(self.facts.exchange != reach);
        self.facts.exchange = reach;
        self.facts.status = status;
    }

    /// What is shown.
    pub fn page(&self) -> Page {
        let calls = self.facts.calls();
        let (title, text) = match &self.screen {
            Screen::Status => (texts::STATUS, self.facts.lines()),
            Screen::Network(form) => {
                let mut text = form.text();
                text.push(texts::network_calls(calls));
                (texts::NETWORK_CONFIGURATION, text)
            }
            Screen::Keep => {
                let left = self.facts.confirm_within_s().unwrap_or(0);
                let mut text = vec![texts::keep_text(left), String::new()];
                text.extend(self.facts.lines());
                (texts::KEEP_TITLE, text)
            }
            Screen::Time(form) if form.is_searching() => (texts::ZONES, form.text(&self.zones)),
            Screen::Time(_) => {
                let now = self.facts.time.as_ref().map(facts::moment);
                (texts::TIME_ZONE, now.into_iter().collect())
            }
            Screen::Remote(form) => (texts::REMOTE, form.text()),
            Screen::Danger(danger, _) => {
                let mut text = vec![texts::danger_text(*danger).to_owned()];
                if *danger == Danger::StartOther {
                    let slots = self.facts.slots.as_ref();
                    text.push(slots.map_or_else(|| texts::NOT_KNOWN.to_owned(), texts::other));
                }
                if danger.ends_calls() {
                    text.extend([String::new(), texts::ends(calls)]);
                }
                (texts::danger(*danger), text)
            }
        };
        Page {
            title,
            text,
            rows: self.rows(),
            focus: self.focus,
            note: self.note.clone(),
        }
    }

    fn rows(&self) -> Vec<Row> {
        match &self.screen {
            Screen::Status => {
                let mut rows = vec![
                    choice(Id::Network, texts::NETWORK_CONFIGURATION),
                    choice(Id::Time, texts::TIME_ZONE),
                ];
                let dangers = Danger::ALL.into_iter();
                rows.extend(dangers.map(|danger| choice(Id::Ask(danger), texts::danger(danger))));
                rows.push(choice(Id::Remote, texts::REMOTE));
                // These come and go: the others keep their numbers.
                let left = self.facts.confirm_within_s();
                rows.extend(left.map(|left| choice(Id::Keep, &texts::keep_row(left))));
                let other = self.facts.slots.as_ref();
                if let Some(version) = other.and_then(|slots| slots.other_version.as_ref()) {
                    let label = texts::other_row(version);
                    rows.push(choice(Id::Ask(Danger::StartOther), &label));
                }
                rows
            }
            Screen::Network(form) => form.rows(),
            Screen::Keep => vec![
                choice(Id::Keep, texts::KEEP),
                choice(Id::Revert, texts::REVERT),
                choice(Id::Back, texts::BACK),
            ],
            Screen::Time(form) => form.rows(&self.zones),
            Screen::Remote(form) => form.rows(),
            // What does nothing comes first: it has the focus.
            Screen::Danger(Danger::FactoryReset, word) => vec![
                field(Id::Word, texts::WORD, word, ""),
                choice(Id::Apply, texts::danger_yes(Danger::FactoryReset)),
                choice(Id::Back, texts::BACK),
            ],
            Screen::Danger(danger, _) => vec![
                choice(Id::Back, texts::BACK),
                choice(Id::Apply, texts::danger_yes(*danger)),
            ],
        }
    }

    fn field(&mut self, row: Id) -> Option<&mut Field> {
        match &mut self.screen {
            Screen::Network(form) => form.field(row),
            Screen::Time(form) => form.field(row),
            Screen::Remote(form) => form.field(row),
            Screen::Danger(_, word) => (row == Id::Word).then_some(word),
            Screen::Status | Screen::Keep => None,
        }
    }

    fn step(&mut self, rows: usize, by: usize) {
        self.focus = (self.focus + by) % rows.max(1);
    }

    fn switch(&mut self, row: Id) {
        match &mut self.screen {
            Screen::Network(form) => form.switch(row),
            Screen::Remote(form) => form.switch(row),
            _ => {}
        }
    }

    fn show(&mut self, screen: Screen) {
        self.screen = screen;
        self.focus = 0;
        self.turn += 1;
    }

    /// One screen back.
    fn leave(&mut self) {
        match &mut self.screen {
            Screen::Time(form) if form.is_searching() => {
                form.search(false);
                self.focus = 0;
                self.turn += 1;
            }
            _ => self.show(Screen::Status),
        }
    }

    fn focus_on(&mut self, id: Id) {
        let rows = self.rows();
        if let Some(index) = rows.iter().position(|row| row.id == id) {
            self.focus = index;
        }
    }

    fn activate(&mut self, id: Id) -> Vec<Effect> {
        match (id, &mut self.screen) {
            (Id::Keep, Screen::Keep) => self.ask(Request::ConfirmNetwork),
            (Id::Revert, _) => self.ask(Request::RevertNetwork),
            (Id::Keep, _) => {
                self.show(Screen::Keep);
                Vec::new()
            }
            (Id::Network, _) => {
                let form = self.facts.network.as_ref().map(network::Form::new);
                self.open(form.map(Screen::Network))
            }
            (Id::Time, _) => {
                let form = self.facts.time.as_ref().map(time::Form::new);
                self.open(form.map(Screen::Time))
            }
            (Id::Remote, _) if self.facts.read_only || self.facts.system != Reach::Here => {
                self.open(None)
            }
            (Id::Remote, _) => self.ask(Request::RemoteMenu),
            (Id::Ask(danger), _) => {
                self.show(Screen::Danger(danger, Field::new(Kind::Word, "")));
                vec![Effect::Look]
            }
            (Id::Zone, Screen::Time(form)) => {
                form.search(true);
                self.focus = 0;
                self.turn += 1;
                Vec::new()
            }
            (Id::Found(index), Screen::Time(form)) => {
                form.take(&self.zones, index);
                self.focus = 0;
                self.turn += 1;
                Vec::new()
            }
            (Id::Apply, _) => self.apply(),
            (Id::Back, _) => {
                self.leave();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn open(&mut self, screen: Option<Screen>) -> Vec<Effect> {
        if let Some(screen) = screen.filter(|_| !self.facts.read_only) {
            self.show(screen);
            return Vec::new();
        }
        let why = match (self.facts.system, self.facts.read_only) {
            (Reach::Away, _) => texts::SYSTEM_AWAY,
            (_, true) => texts::READ_ONLY,
            (Reach::Unknown | Reach::Here, false) => texts::NETWORK_UNKNOWN,
        };
        self.say(why);
        vec![Effect::Look]
    }

    fn apply(&mut self) -> Vec<Effect> {
        let wanted = match &mut self.screen {
            Screen::Network(form) => form
                .settings()
                .map(|settings| Request::SetNetwork { settings }),
            Screen::Time(form) => form.wanted().map(|wanted| {
                self.then = wanted.clock.map(|now| Request::SetClock { now });
                Request::SetTime {
                    settings: wanted.settings,
                }
            }),
            Screen::Remote(form) => Ok(Request::SetRemoteMenu {
                settings: form.settings(),
            }),
            Screen::Danger(Danger::FactoryReset, word) if word.text() != WORD => {
                Err((Id::Word, texts::BAD_WORD.to_owned()))
            }
            Screen::Danger(danger, _) => Ok(danger.request()),
            Screen::Status | Screen::Keep => return Vec::new(),
        };
        match wanted {
            Ok(request) => self.ask(request),
            Err((row, text)) => {
                self.blame(row, &text);
                Vec::new()
            }
        }
    }

    fn ask(&mut self, request: Request) -> Vec<Effect> {
        self.waiting = Some(request.clone());
        self.say(texts::WAIT);
        vec![Effect::Ask(request)]
    }

    fn blame(&mut self, row: Id, text: &str) {
        self.focus_on(row);
        let label = (self.rows().into_iter())
            .find(|shown| shown.id == row)
            .map_or_else(String::new, |shown| shown.label);
        self.say(&texts::fault(&label, text));
    }

    /// Takes what a reply tells; hands back the field and the reason where it tells of none.
    fn learn(&mut self, request: &Request, reply: Reply) -> Option<(String, String)> {
        // Whatever machine it is, it shows how it is; but only its own slots.
        if *request == Request::Slots {
            self.facts.read_only = reply == Reply::ReadOnly;
        }
        match reply {
            Reply::Network(network) => self.facts.network = Some(network),
            Reply::Time(time) => self.facts.time = Some(time),
            Reply::Health(health) => self.facts.health = Some(health),
            Reply::Slots(slots) => self.facts.slots = Some(slots),
            Reply::RemoteMenu(remote) => self.facts.remote = Some(remote),
            // The menu has no room for the kernel's log, and asks for none.
            Reply::Done | Reply::KernelLog { .. } => {}
            Reply::ReadOnly => return Some((String::new(), texts::READ_ONLY.to_owned())),
            Reply::Refused { field, text } => return Some((field, text)),
            Reply::Failed { text } => return Some((String::new(), text)),
        }
        None
    }

    /// The change that was waited for is made, or not.
    fn concluded(&mut self, request: &Request, refused: Option<(String, String)>) -> Vec<Effect> {
        let then = self.then.take();
        if let Some((refused, text)) = refused {
            let row = match &mut self.screen {
                Screen::Network(form) => form.row_of(&refused),
                Screen::Time(_) if refused.starts_with("zone") => Some(Id::Zone),
                Screen::Time(_) if refused.starts_with("servers") => Some(Id::Servers),
                Screen::Time(_) if refused.starts_with("now") => Some(Id::Clock),
                Screen::Remote(_) if refused.starts_with("keys") => Some(Id::Key),
                Screen::Time(_)
                | Screen::Remote(_)
                | Screen::Status
                | Screen::Keep
                | Screen::Danger(..) => None,
            };
            match row {
                Some(row) => self.blame(row, &text),
                None => self.say(&text),
            }
            return Vec::new();
        }
        if let Some(next) = then {
            return self.ask(next);
        }
        if *request == Request::RemoteMenu {
            self.say("");
            if let Some(remote) = self.facts.remote.take() {
                self.show(Screen::Remote(remote::Form::new(remote)));
            }
            return Vec::new();
        }
        if matches!(request, Request::SetNetwork { .. }) && self.facts.confirm_within_s().is_some()
        {
            self.say("");
            self.show(Screen::Keep);
            return vec![Effect::Look];
        }
        let note = match request {
            Request::ConfirmNetwork => texts::KEPT,
            Request::RevertNetwork => texts::REVERTED,
            _ => match &self.screen {
                Screen::Danger(danger, _) => texts::danger_done(*danger),
                _ => texts::SAVED,
            },
        };
        self.show(Screen::Status);
        self.say(note);
        vec![Effect::Look]
    }
}

impl Row {
    /// Something is typed into it.
    pub const fn is_typed(&self) -> bool {
        matches!(self.kind, RowKind::Field { .. })
    }
}

fn choice(id: Id, label: &str) -> Row {
    Row {
        id,
        label: label.to_owned(),
        kind: RowKind::Choice,
        hint: "",
    }
}

fn switch(id: Id, label: &str, value: &str) -> Row {
    Row {
        id,
        label: label.to_owned(),
        kind: RowKind::Switch {
            value: value.to_owned(),
        },
        hint: texts::HINT_SWITCH,
    }
}

fn field(id: Id, label: &str, field: &Field, hint: &'static str) -> Row {
    Row {
        id,
        label: label.to_owned(),
        kind: RowKind::Field {
            value: field.typed().to_owned(),
            caret: field.caret(),
        },
        hint,
    }
}
