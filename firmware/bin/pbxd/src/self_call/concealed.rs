//! What the switch says of the hidden extensions and nobody is to see: their contacts and calls reach
//! neither journal nor history, no list and no watcher.

use std::collections::BTreeSet;

use model::control::{ActiveCall, Notice, Registration};
use model::{CallId, Party};
use pbx::Output;

/// Keeps it back.
#[derive(Debug, Default)]
pub struct Concealed {
    /// Hidden calls that there are: their end names them by id alone.
    calls: BTreeSet<CallId>,
}

impl Concealed {
    /// Whether an output is to be kept back.
    pub fn is(&mut self, output: &Output) -> bool {
        match output {
            Output::BindingPut(binding) => binding.extension.is_hidden(),
            Output::BindingRemove { extension, .. } => extension.is_hidden(),
            Output::CallOpened(call) => {
                let hidden = is_hidden(&call.record.caller);
                if hidden {
                    self.calls.insert(call.record.call);
                }
                hidden
            }
            Output::CallClosed(record) => is_hidden(&record.caller),
            Output::Notice(notice) => match &**notice {
                Notice::Call { call } => is_hidden(&call.caller),
                Notice::CallEnded { call } => self.calls.remove(call),
                Notice::Registrations { extension, .. } => extension.is_hidden(),
                Notice::Interface { .. } | Notice::Security | Notice::Config { .. } => false,
            },
            Output::Decision { caller, .. } => caller.is_some_and(|id| id.is_hidden()),
            Output::Heard { .. }
            | Output::Transmit { .. }
            | Output::CloseStream { .. }
            | Output::LookUp { .. }
            | Output::Media(_)
            | Output::Security { .. }
            | Output::Warning(_) => false,
        }
    }
}

/// The calls that people may see.
pub fn calls(mut all: Vec<ActiveCall>) -> Vec<ActiveCall> {
    all.retain(|call| !is_hidden(&call.caller));
    all
}

/// The phones that people may see.
pub fn registrations(mut all: Vec<Registration>) -> Vec<Registration> {
    all.retain(|phone| !phone.extension.is_hidden());
    all
}

/// Whether people may see the calls of this caller.
pub fn is_seen(caller: &Party) -> bool {
    !is_hidden(caller)
}

/// A hidden extension calls nobody else and nobody else calls it, so the caller tells.
fn is_hidden(caller: &Party) -> bool {
    caller.extension.is_some_and(|id| id.is_hidden())
}

#[cfg(test)]
mod tests {
    use model::control::CallState;
    use model::{
        CallRecord, Cause, ConfigVersion, Disposition, EndedBy, ExtensionId, OpenCall, Transport,
        WallTime,
    };

    use super::*;

    const OPEN: ExtensionId = ExtensionId::new(1);
    const HIDDEN: ExtensionId = ExtensionId::HIDDEN[0];

    fn party(extension: ExtensionId) -> Party {
        Party {
            number: "1".into(),
            name: None,
            extension: Some(extension),
        }
    }

    fn record(call: u64, caller: ExtensionId) -> CallRecord {
        CallRecord {
            call: CallId::new(call),
            caller: party(caller),
            dialled: "2".into(),
            called: None,
            started: WallTime::default(),
            answered: None,
            ended: WallTime::default(),
            disposition: Disposition::Cancelled,
            cause: Cause::NORMAL_CALL_CLEARING,
            ended_by: EndedBy::Caller,
            shown_outside: None,
            forwarded_from: None,
            brake: None,
            administrator: None,
            transferred_from: None,
            legs: Vec::new(),
        }
    }

    fn active(caller: ExtensionId) -> ActiveCall {
        ActiveCall {
            call: CallId::new(1),
            state: CallState::Ringing,
            caller: party(caller),
            dialled: "2".into(),
            called: None,
            started: WallTime::default(),
            answered: None,
            legs: Vec::new(),
        }
    }

    fn phone(extension: ExtensionId) -> Registration {
        Registration {
            extension,
            contact: "sip:1@127.0.0.1".into(),
            address: "127.0.0.1:5062".into(),
            transport: Transport::Udp,
            user_agent: None,
            expires: WallTime::default(),
            reachable: true,
            unresponsive_since: None,
        }
    }

    /// Everything that the switch says of a phone and of its call.
    fn outputs(call: u64, extension: ExtensionId) -> Vec<Output> {
        let notice = |notice| Output::Notice(Box::new(notice));
        let opened: OpenCall = record(call, extension).into();
        vec![
            Output::BindingRemove {
                extension,
                contact: "sip:1@127.0.0.1".into(),
            },
            notice(Notice::Registrations {
                extension,
                registrations: vec![phone(extension)],
            }),
            Output::CallOpened(Box::new(opened)),
            notice(Notice::Call {
                call: active(extension),
            }),
            Output::CallClosed(Box::new(record(call, extension))),
            notice(Notice::CallEnded {
                call: CallId::new(call),
            }),
            // Once more, with what was measured.
            Output::CallClosed(Box::new(record(call, extension))),
        ]
    }

    #[test]
    fn nothing_of_a_hidden_call_comes_out_and_all_of_any_other() {
        let mut concealed = Concealed::default();
        let both = outputs(7, HIDDEN).into_iter().zip(outputs(8, OPEN));
        for (hidden, open) in both {
            assert!(concealed.is(&hidden), "{hidden:?}");
            assert!(!concealed.is(&open), "{open:?}");
        }
        assert!(concealed.calls.is_empty(), "nothing is remembered");
        let version = ConfigVersion::new(1);
        let config = Notice::Config { version };
        assert!(!concealed.is(&Output::Notice(Box::new(config))));
        assert!(!concealed.is(&Output::Security {
            text: "a row".into(),
            times: 1,
        }));
    }

    #[test]
    fn lists_leave_them_out() {
        assert_eq!(calls(vec![active(HIDDEN), active(OPEN)]), [active(OPEN)]);
        assert_eq!(
            registrations(vec![phone(OPEN), phone(HIDDEN)]),
            [phone(OPEN)]
        );
    }
}
