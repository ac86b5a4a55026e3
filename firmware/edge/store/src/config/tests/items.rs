//! Parts of the configuration that are kept as JSON.

use model::config::{
    IdentityHeader, Interface, Mapping, Partner, Rewrite, Rewriting, Route, SipServer,
};
use model::{InterfaceId, RouteId, SrtpPolicy, Transport};

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
