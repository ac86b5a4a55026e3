//! What is asked, and what is done about it.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::{Context, Result};
use model::Instant;
use model::system::{Ask, Reply, Request};
use platform::board::{self, Board};
use platform::health::Meter;
use tracing::info;

use super::network::{Administered, failed};
use super::order;
use super::server::Question;
use super::upgrade::{Keeper, News};
use crate::options::System;
use crate::orders::Order;
use crate::processes::Clock;

/// How long a system that is tried may take to prove itself; phones of a whole office may be
/// registering meanwhile.
const PROOF_WITHIN: Duration = Duration::from_secs(300);

/// What comes to the thread that decides.
#[derive(Debug)]
pub enum Event {
    /// Somebody asks.
    Question(Question),
    /// The thread that writes an upgrade has news.
    Upgrade(News),
}

/// The machine, as the system child keeps it.
pub struct Machine {
    clock: Clock,
    data: PathBuf,
    board: Board,
    events: Sender<Event>,
    network: Administered,
    slots: Keeper,
    meter: Meter,
    measured: Instant,
}

impl Machine {
    /// Brings up what is this child's to bring up.
    pub fn start(options: &System, events: Sender<Event>) -> Result<Self> {
        let clock = Clock::start();
        let board = std::fs::read_to_string(board::FILE).context(board::FILE)?;
        let board = Board::parse(&board).context(board::FILE)?;
        let network = Administered::start(&options.data, &board)?;
        let slots = Keeper::start(&options.data, &board)?;
        Ok(Self {
            clock,
            data: options.data.clone(),
            board,
            events,
            network,
            slots,
            meter: Meter::default(),
            measured: Instant::ZERO,
        })
    }

    /// Something has come.
    pub fn handle(&mut self, event: Event) {
        match event {
            Event::Question(question) => {
                let reply = self.answer(question.ask);
                // Where the asker is gone nobody needs the answer.
                drop(question.answer.send(reply));
            }
            Event::Upgrade(news) => self.slots.hear(news),
        }
    }

    /// Time has passed.
    pub fn keep_house(&mut self) {
        let now = self.clock.now();
        self.network.handle_timeout(now);
        if now - self.measured >= Duration::from_secs(1) {
            self.measured = now;
            self.meter.tick();
        }
        if self.slots.is_tried() && now - Instant::ZERO >= PROOF_WITHIN {
            self.give_up("the new system did not prove itself by a call within five minutes");
        }
    }

    fn answer(&mut self, Ask { by, request }: Ask) -> Reply {
        let now = self.clock.now();
        match request {
            Request::Network => self.network.show(now),
            Request::SetNetwork { settings } => self.network.propose(now, settings, &by),
            Request::ConfirmNetwork => self.network.confirm(now, &by),
            Request::RevertNetwork => self.network.revert(now, &by),
            Request::Time | Request::SetTime { .. } | Request::SetClock { .. } => Reply::Failed {
                text: "the time is not administered yet".into(),
            },
            Request::Health => Reply::Health(self.meter.read(&self.board.name, &self.data, 0)),
            Request::Slots => Reply::Slots(self.slots.show()),
            Request::Upgrade { file } => match self.slots.begin(&file, self.events.clone()) {
                Ok(()) => {
                    info!(by, file, "an upgrade is asked for");
                    Reply::Slots(self.slots.show())
                }
                Err(text) => Reply::Refused {
                    field: "file".into(),
                    text,
                },
            },
            Request::ConfirmSlot => match self.slots.confirm() {
                Ok(()) => Reply::Slots(self.slots.show()),
                Err(error) => failed(&error),
            },
            Request::RestartExchange => ordered(&by, Order::RestartExchange),
            Request::Reboot => ordered(&by, Order::Reboot),
            Request::PowerOff => ordered(&by, Order::PowerOff),
            Request::ResetAdminPassword => {
                match platform::data::ask_for_password_reset(&self.data) {
                    Ok(()) => ordered(&by, Order::RestartAdministration),
                    Err(error) => failed(&error),
                }
            }
            Request::FactoryReset => match platform::data::ask_for_reset(&self.data) {
                Ok(()) => ordered(&by, Order::Reboot),
                Err(error) => failed(&error),
            },
        }
    }

    fn give_up(&mut self, reason: &str) {
        if let Err(error) = self.slots.give_up(reason) {
            tracing::error!(%error, "the boot loader can't be told");
        }
        ordered("the system", Order::Reboot);
    }
}

fn ordered(by: &str, asked: Order) -> Reply {
    info!(by, %asked, "asked for");
    match order(asked) {
        Ok(()) => Reply::Done,
        Err(error) => failed(&error),
    }
}
