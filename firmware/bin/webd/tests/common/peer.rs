//! An exchange as `webd` sees it: a Unix socket that answers and sends notices.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use model::config::{Brake, Used};
use model::control::{
    ActiveCall, Ask, BrakeReached, Brakes, BrakesOf, CallState, DebugLog, DebugRow, FailedLogin,
    InterfaceCondition, InterfaceState, LastPhone, Listening, LoginFailure, Message, Notice,
    Registration, Reply, Request, Status, UnknownLogin,
};
use model::explain::{Caller, Explanation, Step, Verdict};
use model::{CallId, ConfigVersion, ExtensionId, InterfaceId, Party, Transport, WallTime};

/// What the peer was asked, and who watches it.
#[derive(Default)]
struct Seen {
    reloads: usize,
    /// Who wanted the call to end.
    ended_by: Vec<String>,
    /// What the Debug log is to have, and for how long.
    debug: Option<(bool, bool, u16)>,
    watchers: Vec<UnixStream>,
    connections: Vec<UnixStream>,
}

/// A fake exchange; it goes when this is dropped.
pub struct Peer {
    seen: Arc<Mutex<Seen>>,
    path: std::path::PathBuf,
}

impl Peer {
    pub fn start(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self {
            seen,
            path: path.to_owned(),
        }
    }

    /// How often it was told to load the configuration.
    pub fn reloads(&self) -> usize {
        self.seen.lock().unwrap().reloads
    }

    /// Who wanted the call to end.
    pub fn ended_by(&self) -> Vec<String> {
        self.seen.lock().unwrap().ended_by.clone()
    }

    /// What the Debug log is to have, and for how long.
    pub fn debug(&self) -> Option<(bool, bool, u16)> {
        self.seen.lock().unwrap().debug
    }

    /// True once somebody watches.
    pub fn is_watched(&self) -> bool {
        !self.seen.lock().unwrap().watchers.is_empty()
    }

    /// Tells all who watch.
    pub fn notify(&self, notice: &Notice) {
        let message = Message::Notice {
            notice: notice.clone(),
        };
        let line = serde_json::to_string(&message).unwrap() + "\n";
        for mut watcher in &self.seen.lock().unwrap().watchers {
            watcher.write_all(line.as_bytes()).unwrap();
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        for connection in &self.seen.lock().unwrap().connections {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// The one call there is.
pub fn call() -> ActiveCall {
    let party = |number: &str| Party {
        number: number.into(),
        name: None,
        extension: None,
    };
    ActiveCall {
        call: CallId::new(1),
        state: CallState::Ringing,
        caller: party("101"),
        dialled: "102".into(),
        called: Some(party("102")),
        started: WallTime::from_unix_seconds(1_800_000_000),
        answered: None,
        legs: Vec::new(),
    }
}

fn serve(stream: &UnixStream, seen: &Mutex<Seen>) {
    seen.lock()
        .unwrap()
        .connections
        .push(stream.try_clone().unwrap());
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    for line in lines {
        let Ok(line) = line else { return };
        let ask: Ask = serde_json::from_str(&line).unwrap();
        let reply = answer(&ask.request, seen);
        let message = Message::Reply { id: ask.id, reply };
        let line = serde_json::to_string(&message).unwrap() + "\n";
        if { stream }.write_all(line.as_bytes()).is_err() {
            return;
        }
        if ask.request == Request::Watch {
            let watcher = stream.try_clone().unwrap();
            seen.lock().unwrap().watchers.push(watcher);
        }
    }
}

fn answer(request: &Request, seen: &Mutex<Seen>) -> Reply {
    match request {
        Request::Status => Reply::Status(Status {
            version: "9.9".into(),
            started: WallTime::from_unix_seconds(1_800_000_000),
            uptime_s: 4000,
            config: ConfigVersion::new(3),
            calls: 1,
            registrations: 1,
            real_time: true,
            overload_refusals: 0,
            sip: Listening {
                addresses: vec![[192, 0, 2, 10].into()],
                port: 5060,
                tls_port: Some(5061),
            },
        }),
        Request::Reload => {
            seen.lock().unwrap().reloads += 1;
            Reply::Reloaded {
                version: ConfigVersion::new(3),
            }
        }
        Request::Calls => Reply::Calls {
            calls: vec![call()],
        },
        Request::Explain { caller, dialled } => Reply::Explained(Explanation {
            steps: vec![
                Step::Dialled {
                    text: dialled.clone(),
                    valid: true,
                },
                match *caller {
                    Caller::Extension(extension) => Step::Caller {
                        extension,
                        active: true,
                    },
                    Caller::Interface(interface) => Step::Incoming { interface },
                },
            ],
            verdict: Verdict::Refused {
                status: 404,
                cause: 1,
            },
        }),
        Request::Interfaces => Reply::Interfaces {
            interfaces: vec![InterfaceState {
                interface: InterfaceId::new(1),
                condition: InterfaceCondition::NotRegistered { status: None },
                address: None,
                calls: 0,
            }],
        },
        Request::Registrations => Reply::Registrations {
            registrations: vec![
                Registration {
                    extension: ExtensionId::new(1),
                    contact: "sip:101@192.0.2.9".into(),
                    address: "192.0.2.9:5060".into(),
                    transport: Transport::Udp,
                    user_agent: Some("Phone 1.0".into()),
                    expires: WallTime::from_unix_seconds(1_800_000_600),
                    reachable: true,
                    unresponsive_since: None,
                },
                Registration {
                    extension: ExtensionId::new(3),
                    contact: "sip:103@192.0.2.11;transport=tls".into(),
                    address: "192.0.2.11:40000".into(),
                    transport: Transport::Tls,
                    user_agent: None,
                    expires: WallTime::from_unix_seconds(1_800_000_600),
                    reachable: false,
                    unresponsive_since: None,
                },
            ],
        },
        Request::HangUp { call, by } if call.raw() == 1 => {
            seen.lock().unwrap().ended_by.push(by.clone());
            Reply::Done
        }
        Request::FailedLogins => Reply::FailedLogins {
            failed: vec![FailedLogin {
                extension: ExtensionId::new(2),
                at: WallTime::from_unix_seconds(1_800_000_000),
                host: [192, 0, 2, 7].into(),
                reason: LoginFailure::WrongPassword,
            }],
            unknown: vec![UnknownLogin {
                username: "phone7".into(),
                at: WallTime::from_unix_seconds(1_800_000_000),
                host: [192, 0, 2, 8].into(),
                times: 3,
            }],
        },
        Request::Brakes => Reply::Brakes(Brakes {
            exchange: Used {
                calls: 2,
                hour_s: 600,
                day_s: 4000,
            },
            extensions: vec![BrakesOf {
                extension: ExtensionId::new(2),
                used: Used {
                    calls: 2,
                    hour_s: 600,
                    day_s: 4000,
                },
                reached: Some(BrakeReached {
                    brake: Brake::ExtensionHour,
                    at: WallTime::from_unix_seconds(1_800_000_000),
                    times: 3,
                }),
            }],
        }),
        Request::LastPhone { extension } => Reply::LastPhone {
            phone: (extension.raw() == 4).then(|| LastPhone {
                address: "192.0.2.14:5060".into(),
                transport: Transport::Udp,
                user_agent: Some("Desk 4".into()),
                until: WallTime::from_unix_seconds(1_800_000_000),
                left: false,
            }),
        },
        Request::Debug {
            messages,
            decisions,
            minutes,
        } => {
            seen.lock().unwrap().debug = Some((*messages, *decisions, *minutes));
            Reply::Done
        }
        Request::DebugLog { after } => Reply::DebugLog(DebugLog {
            messages: true,
            decisions: false,
            until: Some(WallTime::from_unix_seconds(1_800_000_900)),
            rows: (after.unwrap_or(0) + 1..=3)
                .map(|number| DebugRow {
                    number,
                    at: WallTime::from_unix_seconds(1_800_000_000),
                    text: format!("row {number}\nof two lines"),
                })
                .collect(),
            more: false,
        }),
        Request::HangUp { .. } | Request::SelfCall => Reply::NotFound,
        Request::Watch => Reply::Done,
    }
}
