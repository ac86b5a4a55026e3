//! Rewriting and matching, by the figures of the administrator's guide.

use super::*;

fn rule(strip: u8, prefix: &str) -> Rewrite {
    Rewrite {
        strip,
        prefix: prefix.into(),
    }
}

fn number(text: &str) -> ExternalNumber {
    text.parse().expect("an external number")
}

#[test]
fn chapter_6_3_a_block_of_a_thousand_numbers_maps_one_to_one() {
    let block = number("800225XXX");
    assert!(block.is_block());
    assert!(block.matches("800225111") && block.matches("800225000"));
    assert!(!block.matches("800226111") && !block.matches("8002251110"));
    // Incoming: 800225111 rings 111, and the caller can be dialled back with 9 in front.
    assert_eq!(rule(6, "").apply("800225111"), "111");
    assert_eq!(rule(0, "9").apply("5550399"), "95550399");
}

#[test]
fn chapter_7_3_shortened_numbers_come_in_and_leave() {
    // The provider sends the last four digits: 0101 rings 201.
    assert_eq!(rule(2, "2").apply("0101"), "201");
    assert_eq!(rule(0, "9").apply("5550399"), "95550399");
    // 201 dials 95550199: the provider gets 5550199 from 0101.
    assert_eq!(rule(1, "").apply("95550199"), "5550199");
    assert_eq!(rule(1, "01").apply("201"), "0101");
}

#[test]
fn a_number_may_be_stripped_down_to_nothing() {
    assert_eq!(rule(9, "").apply("123456789"), "");
    assert_eq!(rule(30, "7").apply("123"), "7");
    assert_eq!(rule(0, "").apply("123"), "123");
    assert_eq!(rule(1, "00").apply("+420777"), "00420777");
    assert!(rule(0, "").is_identity() && !rule(0, "1").is_identity());
}

#[test]
fn a_plus_makes_no_difference_to_an_external_number() {
    assert!(number("+420225000111").matches("420225000111"));
    assert!(number("420225000111").matches("+420225000111"));
    assert!(!number("225000111").matches("+420225000111"));
    assert_eq!(number("5550xx").as_str(), "5550XX");
}

#[test]
fn an_external_number_has_digits_and_x() {
    let parse = |text: &str| text.parse::<ExternalNumber>().map(|n| n.to_string());
    assert_eq!(parse(""), Err(InvalidNumber::Empty));
    assert_eq!(parse("+"), Err(InvalidNumber::Empty));
    assert_eq!(parse("555-01"), Err(InvalidNumber::Character('-')));
    assert_eq!(parse(&"1".repeat(33)), Err(InvalidNumber::TooLong(32)));
    assert_eq!(parse("+42022500XXXX"), Ok("+42022500XXXX".into()));
}

#[test]
fn blocks_overlap_where_some_number_is_in_both() {
    assert!(number("5550XX").overlaps(&number("555012")));
    assert!(number("5550XX").overlaps(&number("55XX12")));
    assert!(!number("5550XX").overlaps(&number("5551XX")));
    assert!(!number("5550XX").overlaps(&number("5550XXX")));
}

#[test]
fn hosts_are_names_or_addresses() {
    for good in [
        "sip.example.com",
        "10.0.0.1",
        "fd00::1",
        "pbx",
        "sip_1.example",
    ] {
        assert!(is_host(good), "{good}");
    }
    for bad in ["", "a b", "-a.example", "a..b", "sip:example.com", "a/b"] {
        assert!(!is_host(bad), "{bad}");
    }
}
