//! Any octets as a challenge or as credentials: nothing panics, values are read back the same, a
//! client can answer every challenge it takes, and nobody gets in without the password.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Instant, Secret};
use sip::digest::{
    Challenge, Client, Credentials, NonceTable, PasswordHashes, Server, ServerOptions, Side,
};
use sip::message::{AuthValue, Field, Method, Request, Uri};

fuzz_target!(|octets: &[u8]| {
    let Ok(value) = AuthValue::parse(octets) else {
        return;
    };
    if let Ok(Some(challenge)) = Challenge::from_value(&value) {
        let again = Challenge::from_value(&challenge.to_value());
        assert_eq!(again, Ok(Some(challenge.clone())));
        let mut client = Client::answering(challenge, Side::Server, "100", &Secret::new("pw"));
        let answer = client.authorize("INVITE", "sip:a@b", octets, b"chance");
        assert!(matches!(Credentials::from_value(&answer), Ok(Some(_))));
    }
    if let Ok(Some(credentials)) = Credentials::from_value(&value) {
        let again = Credentials::from_value(&credentials.to_value());
        assert_eq!(again, Ok(Some(credentials.clone())));
        let table = NonceTable::new(2);
        let mut server = Server::new("box", b"key", ServerOptions::default(), table);
        let target: Uri = "sip:box".parse().expect("a URI");
        let request = Request::new(Method::Register, target);
        let password = PasswordHashes::Password(Secret::new("not to be guessed"));
        let result = server.verify(Instant::ZERO, &request, &credentials, &password);
        assert!(result.is_err());
    }
});
