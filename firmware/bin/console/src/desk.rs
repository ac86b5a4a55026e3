//! Carries what the menu asks to the system and to the exchange, and the answers back.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use model::control;
use model::system::{Ask, Reply, Request};
use nix::poll::PollFlags;

use crate::menu::{Effect, Menu};
use crate::peer::Peer;
use crate::texts;

/// Both connections.
#[derive(Debug)]
pub struct Desk {
    /// Who asks, in the log of the system.
    by: String,
    system: Peer,
    /// What the system owes answers to, in order.
    asked: VecDeque<Request>,
    exchange: Peer,
    id: u64,
}

impl Desk {
    /// The sockets are in this folder.
    pub fn new(run: &Path, by: String, now: Instant) -> Self {
        Self {
            by,
            system: Peer::new(run.join("system.sock"), now),
            asked: VecDeque::new(),
            exchange: Peer::new(run.join("pbxd.sock"), now),
            id: 0,
        }
    }

    /// Does what the menu wants.
    pub fn carry_out(&mut self, menu: &mut Menu, effects: Vec<Effect>, now: Instant) {
        for effect in effects {
            match effect {
                Effect::Ask(request) => self.ask(menu, request, now),
                Effect::Look => {
                    self.look_at_exchange(menu, now);
                    if self.system.is_idle() {
                        // The network last: where it is new the whole page is printed again.
                        for request in [
                            Request::Slots,
                            Request::Health,
                            Request::Time,
                            Request::Network,
                        ] {
                            self.ask(menu, request, now);
                        }
                    }
                }
            }
        }
    }

    /// Takes what has come.
    pub fn pump(&mut self, menu: &mut Menu, now: Instant) {
        let (lines, lost) = self.system.pump(now);
        for line in lines {
            let Some(request) = self.asked.pop_front() else {
                continue;
            };
            let reply = serde_json::from_str(&line).unwrap_or_else(|_| Reply::Failed {
                text: texts::NO_ANSWER.to_owned(),
            });
            let effects = menu.answered(&request, reply);
            self.carry_out(menu, effects, now);
        }
        if lost {
            self.lose_system(menu);
        }
        let (lines, lost) = self.exchange.pump(now);
        for line in lines {
            if let Ok(control::Message::Reply {
                reply: control::Reply::Status(status),
                ..
            }) = serde_json::from_str(&line)
            {
                menu.exchange(Some(status));
            }
        }
        if lost {
            menu.exchange(None);
        }
    }

    /// What to wait for.
    pub fn waits_for(&self) -> impl Iterator<Item = (std::os::fd::BorrowedFd<'_>, PollFlags)> {
        [self.system.waits_for(), self.exchange.waits_for()]
            .into_iter()
            .flatten()
    }

    fn ask(&mut self, menu: &mut Menu, request: Request, now: Instant) {
        let ask = Ask {
            by: self.by.clone(),
            request,
        };
        let asked = serde_json::to_string(&ask).is_ok_and(|line| self.system.ask(&line, now));
        if asked {
            self.asked.push_back(ask.request);
        } else {
            self.lose_system(menu);
        }
    }

    fn lose_system(&mut self, menu: &mut Menu) {
        self.asked.clear();
        menu.system_away();
    }

    fn look_at_exchange(&mut self, menu: &mut Menu, now: Instant) {
        if !self.exchange.is_idle() {
            return;
        }
        self.id += 1;
        let ask = control::Ask {
            id: self.id,
            request: control::Request::Status,
        };
        let asked = serde_json::to_string(&ask).is_ok_and(|line| self.exchange.ask(&line, now));
        if !asked {
            menu.exchange(None);
        }
    }
}
