//! Parts of the configuration that are kept as JSON.

use model::config::{
    IdentityHeader, Interface, Mapping, Partner, Permission, PermissionGroup, PermissionRule,
    Rewrite, Rewriting, Ring, Ringing, Route, SipServer, Target,
};
use model::{InterfaceId, PermissionGroupId, RouteId, SrtpPolicy, Transport};

use super::*;

fn interface(name: &str) -> Interface {
    Interface {
        id: InterfaceId::ADDED,
        name: name.into(),
        enabled: true,
        partner: Partner::Provider,
        server: SipServer {
            host: "sip.example.com".into(),
            port: None,
            transport: Transport::Udp,
            username: "5550100".into(),
            user_id: None,
            password: Some(Secret::new("provider-key")),
            register: true,
            external_address: None,
            identity: IdentityHeader::From,
        },
        numbers: vec![Mapping {
            number: "5550100".parse().unwrap(),
            extension: None,
        }],
        operator: None,
        incoming: Rewriting::default(),
        codecs: vec![Codec::Pcma],
        srtp: SrtpPolicy::Off,
    }
}

fn route(prefix: &str) -> Route {
    Route {
        id: RouteId::new(0),
        prefix: prefix.into(),
        description: String::new(),
        enabled: true,
        interfaces: vec![InterfaceId::ADDED],
        outgoing: Rewriting {
            called: Rewrite {
                strip: 1,
                prefix: String::new(),
            },
            calling: Rewrite::default(),
        },
    }
}

fn add(store: &Store) -> Changed {
    let operations = vec![
        Operation::AddItem(Item::Interface(interface("provider1"))),
        Operation::AddItem(Item::Route(route("9"))),
    ];
    let author = admin();
    (store.change_all(now(), &author, Expected::Anything, operations)).unwrap()
}

#[test]
fn an_interface_is_added_with_its_route_and_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let changed = add(&open(dir.path()));
    let [interface, route] = &changed.items[..] else {
        panic!("{changed:?}");
    };
    let snapshot = open(dir.path()).snapshot().unwrap();
    let configuration = &snapshot.configuration;
    assert_eq!(configuration.interfaces[0].name, "provider1");
    let password = configuration.interfaces[0].server.password.as_ref();
    assert_eq!(password.map(Secret::expose), Some("provider-key"));
    assert_eq!(
        configuration.routes[0].interfaces,
        [configuration.interfaces[0].id]
    );
    assert_eq!(
        snapshot.revisions.items.get(interface),
        Some(&changed.version)
    );
    assert_eq!(snapshot.revisions.items.get(route), Some(&changed.version));
    assert_eq!(
        log(&open(dir.path())),
        [
            "Added interface provider1 (ID=1)",
            "Added route for 9 (ID=1)"
        ]
    );
}

#[test]
fn the_log_tells_what_differs_in_an_item_and_keeps_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add(&store);
    let mut interface = store.load().unwrap().interfaces[0].clone();
    interface.server.password = Some(Secret::new("another-key"));
    interface.server.port = Some(5070);
    interface.name = "provider2".into();
    interface.numbers[0].number = "55501XX".parse().unwrap();
    change(&store, Operation::UpdateItem(Item::Interface(interface))).unwrap();
    let text = log(&store).pop().unwrap();
    assert_eq!(
        text,
        "Changed interface provider1 (ID=1): name \"provider1\" -> \"provider2\", \
         numbers [none=\"5550100\"] -> [none=\"55501XX\"], server password changed, \
         server port none -> 5070"
    );
    assert!(!text.contains("key"), "{text}");
}

#[test]
fn a_stale_revision_of_an_item_is_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let changed = add(&store);
    let interface = store.load().unwrap().interfaces[0].clone();
    let seen = Expected::Object(changed.version);
    let update = |name: &str| {
        let interface = Interface {
            name: name.into(),
            ..interface.clone()
        };
        let operation = Operation::UpdateItem(Item::Interface(interface));
        store.change(now(), &admin(), seen, operation)
    };
    update("one").unwrap();
    assert!(matches!(update("two"), Err(ChangeError::Conflict { .. })));
}

#[test]
fn an_interface_that_a_route_uses_can_not_go_and_ids_are_never_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let changed = add(&store);
    let [interface, route] = changed.items[..] else {
        panic!("{changed:?}");
    };
    let (found, _) = faults(change(&store, Operation::RemoveItem(interface)).unwrap_err());
    assert_eq!(found[0].path, "/routes/0/interfaces");
    assert_eq!(found[0].code, FaultCode::UnknownReference);
    change(&store, Operation::RemoveItem(route)).unwrap();
    change(&store, Operation::RemoveItem(interface)).unwrap();
    assert!(matches!(
        change(&store, Operation::RemoveItem(interface)),
        Err(ChangeError::NotFound("interface"))
    ));
    drop(store);
    let changed = add(&open(dir.path()));
    assert_eq!(changed.items[0], ItemId::Interface(InterfaceId::new(2)));
    assert_eq!(changed.items[1], ItemId::Route(RouteId::new(2)));
}

#[test]
fn an_extension_that_goes_is_taken_out_of_the_interfaces_that_ring_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let number = change(&store, Operation::AddExtension(extension("122"))).unwrap();
    let id = number.extensions[0];
    let mut rings = interface("provider1");
    rings.operator = Some(id);
    rings.numbers[0].extension = Some(id);
    change(&store, Operation::AddItem(Item::Interface(rings))).unwrap();
    let changed = change(&store, Operation::RemoveExtension(id)).unwrap();
    let snapshot = store.snapshot().unwrap();
    let interface = &snapshot.configuration.interfaces[0];
    assert!(!interface.rings(id));
    let item = ItemId::Interface(interface.id);
    assert_eq!(snapshot.revisions.items.get(&item), Some(&changed.version));
    let said = log(&store);
    assert!(
        said.iter().any(|line| line.contains("operator")),
        "{said:?}"
    );
}

#[test]
fn faults_of_an_item_name_its_fields() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut bad = interface("two words");
    bad.server.host = "sip:provider".into();
    bad.codecs.clear();
    bad.operator = Some(ExtensionId::new(77));
    bad.incoming.called.prefix = "abc".into();
    let add = Operation::AddItem(Item::Interface(bad));
    let (found, object) = faults(change(&store, add).unwrap_err());
    assert_eq!(object.as_deref(), Some("/interfaces/0"));
    let paths: Vec<&str> = found.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/interfaces/0/name",
            "/interfaces/0/server/host",
            "/interfaces/0/codecs",
            "/interfaces/0/incoming/called/prefix",
            "/interfaces/0/operator",
        ]
    );
    assert!(store.load().unwrap().interfaces.is_empty());
}

#[test]
fn the_fraud_protection_is_the_countrys_until_it_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let costly = |store: &Store| store.load().unwrap().fraud_protection.costly;
    assert!(costly(&store).contains(&"900".to_owned()));
    let mut general = store.load().unwrap().general;
    general.country = "DE".into();
    change(&store, Operation::UpdateGeneral(general.clone())).unwrap();
    assert!(costly(&store).contains(&"0900".to_owned()));
    let mut protection = store.load().unwrap().fraud_protection;
    protection.costly = vec!["00".into()];
    protection.extension.calls = Some(7);
    let set = Operation::UpdateItem(Item::FraudProtection(protection.clone()));
    change(&store, set).unwrap();
    general.country = "CZ".into();
    change(&store, Operation::UpdateGeneral(general)).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.load().unwrap().fraud_protection, protection);
    let rows = log(&store);
    let row = rows
        .iter()
        .find(|row| row.starts_with("Changed fraud protection"));
    assert!(
        row.is_some_and(|row| row.contains("extension calls 5 -> 7")),
        "{rows:?}"
    );
}

#[test]
fn a_call_permission_group_that_an_extension_has_is_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let group = PermissionGroup {
        id: PermissionGroupId::new(0),
        name: "Office".into(),
        description: String::new(),
        rules: vec![PermissionRule {
            prefix: "0900".into(),
            permission: Permission::Deny,
        }],
        default: Permission::Allow,
        fraud_protection: true,
    };
    let added = change(&store, Operation::AddItem(Item::PermissionGroup(group))).unwrap();
    let [ItemId::PermissionGroup(id)] = added.items[..] else {
        panic!("{added:?}");
    };
    let mut new = extension("122");
    new.permission_group = Some(id);
    let mut one = add_extension(&store, new);
    drop(store);
    let store = open(dir.path());
    assert_eq!(
        store.load().unwrap().extensions[0].permission_group,
        Some(id)
    );
    let remove = || change(&store, Operation::RemoveItem(ItemId::PermissionGroup(id)));
    let (found, _) = faults(remove().unwrap_err());
    assert_eq!(found[0].path, "/extensions/0/permission_group");
    assert_eq!(found[0].code, FaultCode::UnknownReference);
    one.permission_group = None;
    change(&store, Operation::UpdateExtension(one)).unwrap();
    remove().unwrap();
    assert_eq!(
        log(&store),
        [
            "Added call permission group \"Office\" (ID=1)",
            "Added extension 122 (ID=1)",
            "Changed extension 122 (ID=1): call permission group ID=1 -> none",
            "Removed call permission group \"Office\" (ID=1)",
        ]
    );
}

#[test]
fn who_showed_the_number_of_an_extension_that_goes_hides_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let shown = add_extension(&store, extension("101"));
    let mut shows = extension("102");
    shows.caller_id = CallerId::Extension(shown.id);
    let shows = add_extension(&store, shows);
    let of = |store: &Store| store.load().unwrap().extension(shows.id).unwrap().caller_id;
    assert_eq!(of(&store), CallerId::Extension(shown.id));
    change(&store, Operation::RemoveExtension(shown.id)).unwrap();
    assert_eq!(of(&store), CallerId::Hidden);
    let log = log(&store);
    assert!(
        log.iter()
            .any(|row| row.ends_with("number shown outside that of extension ID=1 -> hidden")),
        "{log:?}"
    );
}

#[test]
fn ringing_rules_outlive_a_restart_and_lose_an_extension_that_goes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let desk = add_extension(&store, extension("101"));
    let mut jana = add_user(&store, user("jana"));
    jana.ringing = Ringing {
        rings: vec![Ring {
            target: Target::Extension(desk.id),
            after_s: 0,
            for_s: Some(20),
        }],
        no_answer: Some(Target::Number("90602111111".parse().unwrap())),
        ..Ringing::default()
    };
    change(&store, Operation::UpdateUser(jana.clone())).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.load().unwrap().user(jana.id), Some(&jana));
    change(&store, Operation::RemoveExtension(desk.id)).unwrap();
    let left = store.load().unwrap().user(jana.id).unwrap().ringing.clone();
    assert_eq!(left, jana.ringing.without(desk.id));
    assert_eq!(
        log(&store)[2..],
        [
            "Changed user jana (ID=2): ringing rules none -> [extension ID=1 rings after 0 s for 20 s, \
             no answer to 90602111111]",
            "Changed user jana (ID=2): ringing rules [extension ID=1 rings after 0 s for 20 s, no answer \
             to 90602111111] -> [no answer to 90602111111]",
            "Removed extension 101 (ID=1)",
        ]
    );
}
