//! Lists for those who ask, written piece by piece: the thread that all calls go through has other work in
//! between, and nobody needs a list at once.
//!
//! What changes while a list is written may be in it as it was before or as it is after. Who watches on the
//! same connection is told of the change after the list.

use model::control::{Message, Registration, Reply};
use model::{CallId, ExtensionId};
use pbx::Switch;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::control::Answer;
use crate::self_call;

/// Items in a turn: a fraction of a millisecond. 5,000 phones take fifty turns, a fifth of a second.
const PIECE: usize = 100;

/// A list that is being written.
pub struct Listing {
    written: Written,
    next: Next,
    answer: oneshot::Sender<Answer>,
}

/// The items of a list, as they are sent.
#[derive(Debug)]
pub struct Written {
    /// The answer without them.
    around: Reply,
    items: Vec<u8>,
}

/// Behind which item it goes on.
#[derive(Debug)]
enum Next {
    Calls(Option<CallId>),
    Registrations(Option<ExtensionId>),
}

/// Whether there is more to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    More,
    Done,
}

impl Listing {
    /// The calls that people may see.
    pub fn calls(answer: oneshot::Sender<Answer>) -> Self {
        let around = Reply::Calls { calls: Vec::new() };
        Self::new(around, Next::Calls(None), answer)
    }

    /// The phones that people may see.
    pub fn registrations(answer: oneshot::Sender<Answer>) -> Self {
        let registrations = Vec::new();
        let around = Reply::Registrations { registrations };
        Self::new(around, Next::Registrations(None), answer)
    }

    const fn new(around: Reply, next: Next, answer: oneshot::Sender<Answer>) -> Self {
        let written = Written {
            around,
            items: Vec::new(),
        };
        Self {
            written,
            next,
            answer,
        }
    }

    /// Writes a piece. Gives itself back where there is more; else the asker has it.
    pub fn go_on(mut self, switch: &Switch) -> Option<Self> {
        if self.answer.is_closed() {
            return None;
        }
        match self.piece(switch) {
            Ok(Progress::More) => return Some(self),
            Ok(Progress::Done) => drop(self.answer.send(Answer::List(self.written))),
            Err(error) => {
                let text = error.to_string();
                drop(self.answer.send(Answer::Reply(Reply::Failed { text })));
            }
        }
        None
    }

    fn piece(&mut self, switch: &Switch) -> serde_json::Result<Progress> {
        let more = match &mut self.next {
            Next::Calls(after) => {
                let calls = switch.calls_after(*after, PIECE);
                *after = calls.last().map(|call| call.call);
                let more = after.is_some();
                self.written.add(&self_call::calls(calls))?;
                more
            }
            Next::Registrations(after) => {
                let phones = switch.registrations_after(*after, PIECE);
                *after = phones.last().map(|phone: &Registration| phone.extension);
                let more = after.is_some();
                self.written.add(&self_call::registrations(phones))?;
                more
            }
        };
        Ok(if more { Progress::More } else { Progress::Done })
    }
}

impl Written {
    fn add(&mut self, items: &[impl Serialize]) -> serde_json::Result<()> {
        for item in items {
            if !self.items.is_empty() {
                self.items.push(b',');
            }
            serde_json::to_writer(&mut self.items, item)?;
        }
        Ok(())
    }

    /// The line that answers a question, in three parts.
    pub fn parts(self, id: u64) -> serde_json::Result<[Vec<u8>; 3]> {
        let reply = self.around;
        let around = serde_json::to_string(&Message::Reply { id, reply })?;
        let (before, after) = around.split_once("[]").unwrap_or_default();
        let part = |text: String| text.into_bytes();
        Ok([
            part(format!("{before}[")),
            self.items,
            part(format!("]{after}\n")),
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::config::{CallerId, Configuration, Extension};
    use model::{Binding, Codec, Flow, Instant, Secret, SrtpPolicy, Transport, WallTime};
    use pbx::SwitchConfig;

    use super::*;

    const NOW: WallTime = WallTime::from_unix_seconds(1_800_000_000);

    fn extension(id: ExtensionId, number: u32) -> Extension {
        Extension {
            id,
            number: number.to_string().parse().expect("a number"),
            description: String::new(),
            user: None,
            caller_name: None,
            caller_id: CallerId::Own,
            enabled: true,
            sip_username: format!("phone{number}"),
            sip_password: Secret::new("correct-horse"),
            codecs: Codec::DEFAULT.to_vec(),
            srtp: SrtpPolicy::Off,
            permission_group: None,
        }
    }

    fn binding(extension: ExtensionId) -> Binding {
        Binding {
            extension,
            contact: format!("sip:{extension}@10.0.0.7"),
            instance: None,
            reg_id: None,
            path: Vec::new(),
            flow: Flow {
                transport: Transport::Udp,
                local: ([10, 0, 0, 1], 5060).into(),
                remote: ([10, 0, 0, 7], 5060).into(),
            },
            call_id: extension.to_string(),
            cseq: 1,
            user_agent: None,
            expires: NOW + core::time::Duration::from_secs(600),
        }
    }

    /// An exchange on which so many phones are registered, and those of its call to itself.
    fn registered(count: u32) -> Switch {
        let ids = (1..=count).map(ExtensionId::new).chain(ExtensionId::HIDDEN);
        let ids: Vec<ExtensionId> = ids.collect();
        let mut configuration = Configuration::initial();
        configuration.extensions = (ids.iter().zip(10_000..))
            .map(|(id, number)| extension(*id, number))
            .collect();
        let config = SwitchConfig {
            configuration: Arc::new(configuration),
            wall: NOW,
            seed: [1; 32],
            first_call: CallId::new(1),
            rtp_ports: Vec::new(),
            streams: 10,
            bindings: ids.into_iter().map(binding).collect(),
            dialogs: Vec::new(),
            product: "Box".into(),
        };
        Switch::new(Instant::ZERO, config)
    }

    /// The answer, and after how many turns it came; in none of them was more written than may be.
    fn written(
        mut listing: Listing,
        mut answer: oneshot::Receiver<Answer>,
        switch: &Switch,
    ) -> (Reply, usize) {
        let mut turns = 1;
        let mut seen = 0;
        while let Some(more) = listing.go_on(switch) {
            turns += 1;
            listing = more;
            let text = &listing.written.items;
            let items = text[seen..]
                .windows(9)
                .filter(|text| text == b"\"contact\"");
            assert!(items.count() <= PIECE);
            seen = text.len();
        }
        let Ok(Answer::List(list)) = answer.try_recv() else {
            panic!("no list");
        };
        let line = list.parts(7).expect("written").concat();
        match serde_json::from_slice(&line).expect("a message") {
            Message::Reply { id: 7, reply } => (reply, turns),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_list_is_written_piece_by_piece_and_comes_whole() {
        for count in [0, 1, 99, 100, 101, 5000] {
            let switch = registered(count);
            let (asker, answer) = oneshot::channel();
            let (reply, turns) = written(Listing::registrations(asker), answer, &switch);
            let registrations = self_call::registrations(switch.registrations());
            assert_eq!(registrations.len(), count as usize);
            assert_eq!(reply, Reply::Registrations { registrations });
            assert_eq!(turns, (count as usize + 2).div_ceil(PIECE) + 1);
        }
        let (asker, answer) = oneshot::channel();
        let (reply, _) = written(Listing::calls(asker), answer, &registered(1));
        assert_eq!(reply, Reply::Calls { calls: Vec::new() });
    }

    #[test]
    fn nothing_is_written_for_an_asker_who_has_gone() {
        let (asker, answer) = oneshot::channel();
        drop(answer);
        assert!(
            Listing::registrations(asker)
                .go_on(&registered(1))
                .is_none()
        );
    }
}
