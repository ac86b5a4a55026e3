//! What becomes of contacts where the accounts of phones are others.

use model::Secret;

use super::Tape;
use super::register::{alice, binding, registered};
use super::tape::account;
use crate::endpoint::BindingChange;

#[test]
fn contacts_of_an_account_that_is_gone_end() {
    let mut tape = Tape::new();
    let mut phone = alice();
    registered(&mut tape, &mut phone, "");
    tape.events.clear();
    tape.act(|box_, now| box_.set_accounts(now, vec![account(2, "200")]));
    binding(&mut tape, BindingChange::Removed);
    phone.authenticated(&mut tape, "REGISTER", "", "");
    tape.sends("401 REGISTER");
}

#[test]
fn who_may_call_urgent_numbers_only_does_not_register() {
    let mut tape = Tape::new();
    let mut phone = alice();
    registered(&mut tape, &mut phone, "");
    tape.events.clear();
    let mut urgent_only = account(1, "100");
    urgent_only.urgent_only = true;
    tape.act(|box_, now| box_.set_accounts(now, vec![urgent_only]));
    binding(&mut tape, BindingChange::Removed);
    phone.authenticated(&mut tape, "REGISTER", "", "");
    tape.sends("401 REGISTER");
}

#[test]
fn contacts_registered_with_an_old_password_end() {
    let mut tape = Tape::new();
    let mut phone = alice();
    registered(&mut tape, &mut phone, "");
    binding(&mut tape, BindingChange::Added);
    let mut changed = account(1, "100");
    tape.act(|box_, now| box_.set_accounts(now, vec![changed.clone()]));
    tape.no_event();
    changed.password = Secret::new("another");
    tape.act(|box_, now| box_.set_accounts(now, vec![changed]));
    binding(&mut tape, BindingChange::Removed);
}
