//! The signalling loop: one thread that moves bytes and events into the switch and carries out what
//! comes of them.
//!
//! Its one rule of order: what has to outlive the process is in the journal before the next message
//! leaves.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use model::control::{Listening, Notice, Reply, Request, Status};
use model::{Flow, Transport, WallTime};
use pbx::{Input, Load, Output, Switch, SwitchConfig};
use platform::log::Row;
use sip::endpoint::{self as endpoint_api, Closing};
use store::{LiveRecord, Store};
use tokio::net::unix::pipe::Receiver;
use tokio::task::yield_now;
use tokio::time::{Instant as TokioInstant, sleep_until};
use tracing::{error, info, warn};

use crate::clock::{self, Clock};
use crate::control::{Answer, Control, Question};
use crate::debug_log::DebugLog;
use crate::files::Files;
use crate::listing::Listing;
use crate::live::{Before, Live};
use crate::lookup::Lookups;
use crate::media::Media;
use crate::options::Options;
use crate::self_call::{Concealed, SelfCall, is_seen};
use crate::sockets::stream::{StreamEvent, Streams};
use crate::sockets::tls::Tls;
use crate::sockets::udp::{Received, UdpSockets};
use crate::stop::Stop;

/// How often the loop looks after what has no event of its own.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// Warnings and errors kept each second: what comes faster says nothing new.
const ROWS: usize = 16;

/// How long calls may take to be cleared at the end: a BYE that is lost over UDP is sent three times
/// within it. Whoever has not answered then is told by the next process.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// How long connections may take after that for what was sent on them last.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// The least time between two turns under load: what comes within it is handled together, which saves
/// most of the waking, writing and sending, and costs each message at most this much delay: nothing to
/// a person who waits for ringing. What comes while nothing else does is handled at once.
const PACE: Duration = Duration::from_millis(4);

/// Batches of datagrams of a socket taken in a turn, before other things get theirs: 512 datagrams,
/// more than a second of either core brings in one pace.
const BATCHES: usize = 16;

/// Events of connections taken in a turn.
const STREAM_EVENTS: usize = 256;

/// Timers, and questions of other processes, in a turn. A timeout may bring the next with it.
const TIMEOUTS: usize = 64;
const QUESTIONS: usize = 16;

struct Process {
    clock: Clock,
    started: WallTime,
    store: Store,
    switch: Switch,
    live: Live,
    media: Media,
    /// Warnings and errors of this process, for the logs.
    rows: mpsc::Receiver<Row>,
    udp: UdpSockets,
    streams: Streams,
    /// Where both listen.
    listening: Listening,
    certificate: Rc<Tls>,
    lookups: Lookups,
    control: Control,
    /// Lists that are being written, the first one now: one for each connection at most.
    listings: VecDeque<Listing>,
    config: model::ConfigVersion,
    debug: DebugLog,
    /// Extensions that nobody configured or sees.
    self_call: SelfCall,
    concealed: Concealed,
    /// Someone wants to see calls as they are.
    watched: bool,
    /// Phones that will not be told that their call has ended, as far as it was said.
    given_up: u64,
    /// Filled and emptied by `carry_out`; kept for its memory.
    records: Vec<LiveRecord>,
    sends: Vec<Send>,
}

enum Send {
    Message(Flow, Bytes),
    Close(Flow, Closing),
}

/// Runs the exchange until it is told to stop.
pub async fn run(options: Options, files: Files, rows: mpsc::Receiver<Row>) -> Result<()> {
    let mut process = Process::start(&options, files, rows)?;
    let clock = process.clock;
    let mut stop = Stop::listen()?;
    let bell = process.media.take_bell().context("the bell")?;
    let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
    info!("the exchange is ready");
    process.carry_out();
    let mut last = clock.now();
    let end = loop {
        // Connections write what the last turn gave them.
        yield_now().await;
        if let Some(rest) = PACE.checked_sub(clock.now() - last) {
            std::thread::sleep(rest);
        }
        let timeout = process.switch.poll_timeout();
        let timer = async {
            match timeout {
                Some(at) => {
                    sleep_until(TokioInstant::from_std(process.clock.system(at))).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = process.udp.readable() => {}
            event = process.streams.next() => process.stream(event),
            rung = bell.readable() => rung.context("the bell")?,
            () = timer => {}
            () = std::future::ready(()), if !process.listings.is_empty() => {}
            question = process.control.next() => process.answer(question),
            (interface, flows) = process.lookups.next() => {
                process.input(Input::LookedUp { interface, flows });
            }
            () = process.live.security_row() => process.control.notify(Notice::Security),
            _ = housekeeping.tick() => if let Err(error) = process.keep_house() {
                break Err(error);
            },
            () = stop.asked() => break Ok(()),
        }
        // Connections that woke up read.
        yield_now().await;
        last = clock.now();
        hush(&bell);
        process.turn();
    };
    process.stop(bell).await;
    end
}

impl Process {
    fn start(options: &Options, files: Files, rows: mpsc::Receiver<Row>) -> Result<Self> {
        let clock = Clock::start();
        let started = clock::wall();
        let store = Store::open(&options.data).context("the store")?;
        let mut configuration = store.load().context("the configuration")?;
        let config = configuration.version;
        let (
            live,
            Before {
                bindings,
                dialogs,
                next_call,
            },
        ) = Live::open(&options.data, &store, started)?;
        info!(
            config = config.raw(),
            extensions = configuration.extensions.len(),
            registrations = bindings.len(),
            "starting"
        );
        let mut self_call = SelfCall::new(options.self_call.clone());
        self_call.look(&configuration);
        self_call.add_to(&mut configuration);
        let ports = files.calls.saturating_mul(2);
        let media = Media::start(clock, ports, options.rtp_ports)?;
        let udp = UdpSockets::bind(&options.sip_address, options.sip_port)?;
        let certificate = Rc::new(Tls::new(
            options.data.join("tls/certificate.pem"),
            options.data.join("tls/key.pem"),
        ));
        let streams = Streams::listen(
            &options.sip_address,
            options.sip_port,
            options.sips_port,
            &certificate,
            files.connections(),
        )?;
        let control = Control::listen(&options.control)?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).context("random bytes")?;
        let switch = Switch::new(
            clock.now(),
            SwitchConfig {
                configuration: Arc::new(configuration),
                wall: started,
                seed,
                first_call: next_call,
                rtp_ports: media.rtp_ports().to_vec(),
                streams: files.streams,
                bindings,
                dialogs,
                product: concat!("Operator-Box/", env!("CARGO_PKG_VERSION")).into(),
            },
        );
        Ok(Self {
            clock,
            started,
            store,
            switch,
            live,
            media,
            rows,
            udp,
            streams,
            listening: Listening {
                addresses: options.sip_address.clone(),
                port: options.sip_port,
                tls_port: Some(options.sips_port),
            },
            certificate,
            lookups: Lookups::new(options.sip_port),
            control,
            listings: VecDeque::new(),
            config,
            debug: DebugLog::default(),
            self_call,
            concealed: Concealed::default(),
            watched: false,
            given_up: 0,
            records: Vec::new(),
            sends: Vec::new(),
        })
    }

    /// Handles a share of everything that is there, whatever woke the loop: so nothing that comes
    /// without end keeps the others waiting.
    fn turn(&mut self) {
        self.media_events();
        for index in 0..self.udp.len() {
            self.datagrams(index);
        }
        for _ in 0..STREAM_EVENTS {
            let Some(event) = self.streams.try_next() else {
                break;
            };
            self.stream(event);
        }
        for _ in 0..TIMEOUTS {
            if (self.switch.poll_timeout()).is_none_or(|at| at > self.clock.now()) {
                break;
            }
            self.input(Input::Timeout);
        }
        while let Some((interface, flows)) = self.lookups.try_next() {
            self.input(Input::LookedUp { interface, flows });
        }
        for _ in 0..QUESTIONS {
            let Some(question) = self.control.try_next() else {
                break;
            };
            self.answer(question);
        }
        self.list();
        self.carry_out();
    }

    fn input(&mut self, input: Input) {
        let now = self.clock.now();
        self.switch.handle_input(now, input);
    }

    fn datagrams(&mut self, index: usize) {
        let Self {
            udp, switch, clock, ..
        } = self;
        for _ in 0..BATCHES {
            let more = udp.receive(index, |received| {
                let input = match received {
                    Received::Waited(waited) => Input::Load(Load {
                        queue_delay_us: u64::try_from(waited.as_micros()).unwrap_or(u64::MAX),
                    }),
                    Received::Datagram(flow, bytes) => {
                        Input::Sip(endpoint_api::Input::Datagram { flow, bytes })
                    }
                };
                switch.handle_input(clock.now(), input);
            });
            if !more {
                return;
            }
        }
    }

    fn stream(&mut self, event: StreamEvent) {
        let input = match event {
            StreamEvent::Opened(flow) => endpoint_api::Input::StreamOpened { flow },
            StreamEvent::Data(flow, bytes) => endpoint_api::Input::StreamData { flow, bytes },
            StreamEvent::Closed(flow) => endpoint_api::Input::StreamClosed { flow },
        };
        self.input(Input::Sip(input));
    }

    fn media_events(&mut self) {
        while let Some(event) = self.media.event() {
            self.input(Input::Media(event));
        }
    }

    /// Fails where a thread of this process has: only a new process mends that.
    /// Hands warnings and errors to the logs.
    fn keep_rows(&self) {
        for row in self.rows.try_iter().take(ROWS) {
            self.live.row(row);
        }
    }

    fn keep_house(&mut self) -> Result<()> {
        self.keep_rows();
        self.input(Input::Clock(clock::wall()));
        self.input(Input::Zone(clock::east_s()));
        self.watch();
        if !self.switch.is_ending_dialogs() {
            self.live.dialogs_ended();
        }
        let given_up = self.switch.given_up_dialogs();
        let phones = given_up - std::mem::replace(&mut self.given_up, given_up);
        if phones > 0 {
            warn!(
                phones,
                "phones that can't be reached are not told that their calls have ended"
            );
        }
        if self.debug.expire(self.clock.now()) {
            self.input(Input::Debug {
                messages: false,
                decisions: false,
            });
        }
        self.live.catch_up();
        // Where the bell was missed nothing is lost.
        self.media_events();
        self.media.flush();
        self.live.check()?;
        self.media.check()
    }

    /// Carries out everything the switch has decided.
    fn carry_out(&mut self) {
        loop {
            self.collect();
            self.live.keep(&self.records);
            self.records.clear();
            let mut failed = Vec::new();
            for send in self.sends.drain(..) {
                match send {
                    Send::Message(flow, bytes) => {
                        let sent = if flow.transport == Transport::Udp {
                            self.udp.send(flow, &bytes)
                        } else {
                            self.streams.send(flow, bytes)
                        };
                        if sent.is_err() {
                            failed.push(flow);
                        }
                    }
                    Send::Close(flow, why) => self.streams.close(flow, why),
                }
            }
            self.media.flush();
            if failed.is_empty() {
                return;
            }
            for flow in failed {
                self.input(Input::Sip(endpoint_api::Input::SendFailed { flow }));
            }
        }
    }

    fn collect(&mut self) {
        while let Some(output) = self.switch.poll_output() {
            if self.concealed.is(&output) {
                continue;
            }
            match output {
                Output::Transmit { flow, bytes } => {
                    if self.debug.wants().0 {
                        let now = self.clock.now();
                        (self.debug).message(now, clock::wall(), false, flow, &bytes);
                    }
                    self.sends.push(Send::Message(flow, bytes));
                }
                Output::Heard { flow, bytes } => {
                    let now = self.clock.now();
                    (self.debug).message(now, clock::wall(), true, flow, &bytes);
                }
                Output::Decision { text, .. } => {
                    self.debug.decision(self.clock.now(), clock::wall(), text);
                }
                Output::CloseStream { flow, why } => self.sends.push(Send::Close(flow, why)),
                Output::Media(command) => self.media.command(command),
                Output::BindingPut(binding) => {
                    self.records.push(LiveRecord::BindingPut(*binding));
                }
                Output::BindingRemove { extension, contact } => self
                    .records
                    .push(LiveRecord::BindingRemove { extension, contact }),
                Output::CallOpened(call) => self.records.push(LiveRecord::CallOpened(*call)),
                Output::CallClosed(call) => self.records.push(LiveRecord::CallClosed(*call)),
                Output::LookUp {
                    interface,
                    host,
                    port,
                    transport,
                } => self.lookups.ask(interface, host, port, transport),
                Output::Notice(notice) => self.control.notify(*notice),
                Output::Security { text, times } => {
                    self.live.security(clock::wall(), text, times);
                }
                Output::Warning(text) => warn!("{text}"),
            }
        }
    }

    fn answer(&mut self, question: Question) {
        let reply = match question.request {
            Request::Status => Reply::Status(self.status()),
            Request::Reload => self.reload(),
            Request::Calls => {
                self.listings.push_back(Listing::calls(question.answer));
                return;
            }
            Request::Registrations => {
                self.listings
                    .push_back(Listing::registrations(question.answer));
                return;
            }
            Request::Interfaces => Reply::Interfaces {
                interfaces: self.switch.interfaces(),
            },
            Request::Brakes => Reply::Brakes(self.switch.brakes()),
            Request::Explain { caller, dialled } => {
                Reply::Explained(self.switch.explain(caller, &dialled))
            }
            Request::HangUp { call, by } => {
                if self
                    .switch
                    .caller_of(call)
                    .is_some_and(|caller| is_seen(&caller))
                {
                    self.input(Input::HangUp { call, by });
                    Reply::Done
                } else {
                    Reply::NotFound
                }
            }
            Request::Debug {
                messages,
                decisions,
                minutes,
            } => {
                let now = self.clock.now();
                (self.debug).set(now, clock::wall(), messages, decisions, minutes);
                self.input(Input::Debug {
                    messages,
                    decisions,
                });
                Reply::Done
            }
            Request::DebugLog { after } => Reply::DebugLog(self.debug.told(after)),
            Request::Watch => {
                // At once: from the answer on nothing is missed.
                self.watch();
                Reply::Done
            }
            Request::FailedLogins => {
                let (failed, unknown) = self.switch.failed_logins();
                Reply::FailedLogins { failed, unknown }
            }
            Request::LastPhone { extension } => Reply::LastPhone {
                phone: self.switch.last_phone(extension),
            },
            Request::SelfCall => self.self_call.reply(),
        };
        // Where the asker is gone nobody needs the answer.
        drop(question.answer.send(Answer::Reply(reply)));
    }

    /// Writes a piece of the list that is asked for.
    fn list(&mut self) {
        if let Some(listing) = self.listings.pop_front()
            && let Some(more) = listing.go_on(&self.switch)
        {
            self.listings.push_front(more);
        }
    }

    /// Tells the switch whether anybody watches.
    fn watch(&mut self) {
        let watched = self.control.is_watched();
        if watched != self.watched {
            self.watched = watched;
            self.input(Input::Watch(watched));
        }
    }

    fn status(&self) -> Status {
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            started: self.started,
            uptime_s: self.clock.now().as_millis() / 1000,
            config: self.config,
            calls: count(self.switch.count_calls(is_seen)),
            registrations: count(self.switch.count_registrations(|phone| !phone.is_hidden())),
            real_time: self.media.is_real_time(),
            overload_refusals: self.switch.overload_refusals(),
            sip: Listening {
                tls_port: (self.listening.tls_port)
                    .filter(|_| self.certificate.acceptor().is_some()),
                ..self.listening.clone()
            },
        }
    }

    fn reload(&mut self) -> Reply {
        let mut configuration = match self.store.load() {
            Ok(configuration) => configuration,
            Err(error) => {
                error!(%error, "the configuration can't be loaded; the old one stays in force");
                return Reply::Failed {
                    text: error.to_string(),
                };
            }
        };
        let faults = configuration.check();
        if !faults.is_empty() {
            error!(
                ?faults,
                "the configuration is faulty; the old one stays in force"
            );
            return Reply::Faulty { faults };
        }
        let version = configuration.version;
        let is_new = version != self.config;
        if self.self_call.look(&configuration) || is_new {
            self.self_call.add_to(&mut configuration);
            self.input(Input::Configure(Arc::new(configuration)));
        }
        if is_new {
            self.config = version;
            self.control.notify(Notice::Config { version });
            info!(config = version.raw(), "a configuration came into force");
        }
        Reply::Reloaded { version }
    }

    async fn stop(mut self, bell: Receiver) {
        info!("stopping: calls are cleared");
        self.input(Input::Shutdown);
        self.carry_out();
        let limit = TokioInstant::now() + STOP_WITHIN;
        while self.switch.unfinished() > 0 {
            let timeout = self
                .switch
                .poll_timeout()
                .map_or(limit, |at| TokioInstant::from_std(self.clock.system(at)));
            tokio::select! {
                _ = self.udp.readable() => {}
                event = self.streams.next() => self.stream(event),
                _ = bell.readable() => hush(&bell),
                () = sleep_until(timeout) => {}
                () = sleep_until(limit) => {
                    warn!("some phones did not answer; they are told the end of their calls after the next start");
                    break;
                }
            }
            yield_now().await;
            self.turn();
        }
        let mut left = self.switch.unended_dialogs();
        left.retain(|dialog| {
            dialog
                .extension
                .is_none_or(|extension| !extension.is_hidden())
        });
        self.live.leave(left, clock::wall());
        self.streams.finish(LEAVE_WITHIN).await;
        self.keep_rows();
        self.live.finish();
        self.media.stop();
    }
}

/// Silences the bell: events that come after ring it again.
fn hush(bell: &Receiver) {
    let mut rings = [0; 64];
    while bell.try_read(&mut rings).is_ok_and(|count| count > 0) {}
}
