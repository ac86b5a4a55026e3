//! Calls to and from the world by providers: real registrars that ask for digest, refuse, fall silent and die.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use interop::{Admin, Need, Peer, Phone, Provider, Scenario, Setup, Stage};
use serde_json::{Value, json};

use crate::support::{Office, end, hear_both, needs};

/// Hosts of the two providers, and of a phone in the world at each.
const PROVIDERS: [u8; 2] = [3, 4];
const ABROAD: [u8; 2] = [31, 32];
/// The number of both phones in the world: whoever of the providers carries the call reaches one.
const FAR: &str = "777001";
/// The record of a call may be written a moment after its end.
const RECORDED: Duration = Duration::from_secs(1);

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut needed = needs(&[Peer::Pjsua, Peer::Baresip]);
    needed.push(Need::Kamailio);
    vec![
        Scenario::new(
            "a_phone_calls_out_by_a_provider_and_is_called_back",
            &needed,
            out_and_back,
        )
        .ours_only(),
        Scenario::new(
            "calls_go_by_the_second_provider_when_the_first_fails",
            &needed,
            fail_over,
        )
        .ours_only(),
        Scenario::new(
            "a_call_rings_the_desk_and_the_mobile_or_goes_on_to_it",
            &needed,
            ringing_rules,
        )
        .ours_only(),
    ]
}

/// An office with an account at each provider, and the route for 9 to them in order.
struct World {
    // Phones first: they unregister while their servers still run.
    abroad: [Phone; 2],
    office: Office,
    providers: [Provider; 2],
}

impl World {
    fn open(stage: &Stage) -> Result<Self> {
        let office = Office::of(stage, &[Peer::Pjsua])?;
        let providers = [
            Provider::start(stage, PROVIDERS[0])?,
            Provider::start(stage, PROVIDERS[1])?,
        ];
        let admin = admin(&office)?;
        let first = providers[0].serve(admin, "first", "5550100", "21", Some("9"))?;
        let second = providers[1].serve(admin, "second", "6660100", "21", None)?;
        let route = &admin.done("GET", "/routes", &Value::Null)?["routes"][0];
        let both = json!({ "prefix": route["prefix"], "outgoing": route["outgoing"],
            "interfaces": [first, second] });
        let path = format!("/routes/{}", route["id"]);
        admin.done_as_seen("PUT", &path, "*", &both)?;
        let abroad = [0, 1].map(|at| {
            let account = Some(providers[at].add_subscriber(FAR)?);
            let setup = Setup {
                account,
                tone_hz: 440,
                ..Setup::default()
            };
            let phone = Phone::start(stage, Peer::Baresip, ABROAD[at], setup)?;
            phone.register()?;
            Ok(phone)
        });
        let [one, two]: [Result<Phone>; 2] = abroad;
        Ok(Self {
            abroad: [one?, two?],
            office,
            providers,
        })
    }

    /// The phone in the office calls the far number, and the far phone at this provider rings; they hear
    /// each other, and the history names the way.
    fn call_out(&self, by: usize, name: &str) -> Result<()> {
        let [alice] = self.office.phones()?;
        let far = &self.abroad[by];
        let out = alice.dial(&format!("9{FAR}"))?;
        let call = far.incoming()?;
        far.answer(&call)?;
        alice.established(&out)?;
        far.established(&call)?;
        hear_both((alice, &out), (far, &call))?;
        end((alice, &out), (far, &call))?;
        let record = self.newest()?;
        ensure!(record["disposition"] == "answered", "{record}");
        ensure!(record["dialled"] == format!("9{FAR}"), "{record}");
        ensure!(interface(&record, "called") == name, "{record}");
        Ok(())
    }

    fn newest(&self) -> Result<Value> {
        std::thread::sleep(RECORDED);
        let history = admin(&self.office)?.history()?;
        history.into_iter().next().context("a record")
    }
}

fn out_and_back(stage: &Stage) -> Result<()> {
    let world = World::open(stage)?;
    world.call_out(0, "first")?;
    for (by, name, number) in [(0, "first", "5550100"), (1, "second", "6660100")] {
        let [alice] = world.office.phones()?;
        let far = &world.abroad[by];
        let out = far.dial(number)?;
        let call = alice.incoming()?;
        far.ringing(&out)?;
        alice.answer(&call)?;
        far.established(&out)?;
        alice.established(&call)?;
        hear_both((far, &out), (alice, &call))?;
        end((far, &out), (alice, &call))?;
        let record = world.newest()?;
        ensure!(record["caller"]["number"] == FAR, "{record}");
        ensure!(record["called"]["number"] == "21", "{record}");
        ensure!(interface(&record, "caller") == name, "{record}");
    }
    Ok(())
}

fn fail_over(stage: &Stage) -> Result<()> {
    let mut world = World::open(stage)?;
    world.call_out(0, "first")?;
    world.providers[0].refuse(503)?;
    world.call_out(1, "second")?;
    world.providers[0].fall_silent()?;
    world.call_out(1, "second")?;
    world.providers[0].recover()?;
    world.call_out(0, "first")?;
    world.providers[0].die()?;
    world.call_out(1, "second")
}

/// The far phone at the first provider is the mobile of who has the desk phone; that at the second calls.
fn ringing_rules(stage: &Stage) -> Result<()> {
    let world = World::open(stage)?;
    let [desk] = world.office.phones()?;
    let [mobile, caller] = &world.abroad;
    let admin = admin(&world.office)?;
    let extension = admin.extension_id("21")?;
    let user = admin.add_user("alice", "Alice")?;
    admin.give_extension("21", &user["id"])?;
    let path = format!("/users/{}", user["id"]);
    let rule = |rules: Value| -> Result<()> {
        let before = admin.done("GET", &path, &Value::Null)?;
        let mut body = json!({ "ringing": rules });
        for field in ["name", "full_name", "language", "role", "enabled"] {
            body[field] = before[field].clone();
        }
        admin.done_as_seen("PUT", &path, "*", &body).map(drop)
    };
    let number = json!({ "number": format!("9{FAR}") });
    // Both ring, and who answers first has the call.
    let both = json!([{ "target": { "extension": extension } }, { "target": number }]);
    rule(json!({ "rings": both }))?;
    for picked in [mobile, desk] {
        let out = caller.dial("6660100")?;
        let calls = [mobile.incoming()?, desk.incoming()?];
        let [answered, other] = if std::ptr::eq(picked, mobile) {
            [(mobile, &calls[0]), (desk, &calls[1])]
        } else {
            [(desk, &calls[1]), (mobile, &calls[0])]
        };
        caller.ringing(&out)?;
        answered.0.answer(answered.1)?;
        caller.established(&out)?;
        answered.0.established(answered.1)?;
        other.0.ended(other.1)?;
        hear_both((caller, &out), answered)?;
        end((caller, &out), answered)?;
        let record = world.newest()?;
        let (called, from) = if std::ptr::eq(picked, mobile) {
            (FAR, json!("21"))
        } else {
            ("21", Value::Null)
        };
        ensure!(record["called"]["number"] == called, "{record}");
        ensure!(record["forwarded_from"]["number"] == from, "{record}");
    }
    // Nobody answers at the desk: the call goes on.
    rule(json!({ "no_answer": number, "no_answer_s": 5 }))?;
    let out = caller.dial("6660100")?;
    let rang = desk.incoming()?;
    let call = mobile.incoming()?;
    desk.ended(&rang)?;
    mobile.answer(&call)?;
    caller.established(&out)?;
    mobile.established(&call)?;
    hear_both((caller, &out), (mobile, &call))?;
    end((caller, &out), (mobile, &call))?;
    let record = world.newest()?;
    ensure!(interface(&record, "called") == "first", "{record}");
    ensure!(record["forwarded_from"]["number"] == "21", "{record}");
    Ok(())
}

/// The interface of a half of a call.
fn interface(record: &Value, side: &str) -> Value {
    let legs = record["legs"].as_array();
    let leg = legs.and_then(|legs| legs.iter().find(|leg| leg["side"] == side));
    leg.map(|leg| leg["interface"].clone()).unwrap_or_default()
}

fn admin(office: &Office) -> Result<&Admin> {
    office.exchange.admin().context("an administration")
}
