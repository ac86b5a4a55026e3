//! What a decision costs where much is configured: 10,000 extensions, as many external numbers, 1,000 routes.

use std::sync::Arc;

use anyhow::{Result, ensure};
use model::config::{
    CallerId, Configuration, Extension, IdentityHeader, Interface, Mapping, Partner, Rewriting,
    Route, SipServer,
};
use model::explain::{Caller, Step};
use model::{
    CallId, Codec, ExtensionId, Instant, InterfaceId, RouteId, Secret, SrtpPolicy, Transport,
    WallTime,
};
use pbx::{Switch, SwitchConfig};

use crate::cost::each;
use crate::table::{Figure, figure};

const EXTENSIONS: u32 = 10_000;
const ROUTES: u32 = 1_000;
/// Decisions in a round.
const COUNT: u32 = 2_000;

/// Of each kind.
pub fn run() -> Result<Vec<Figure>> {
    let switch = Switch::new(
        Instant::from_millis(1000),
        SwitchConfig {
            configuration: Arc::new(configuration()?),
            wall: WallTime::from_unix_seconds(1_800_000_000),
            seed: [7; 32],
            first_call: CallId::new(1),
            rtp_ports: (0..100).map(|index| 20_000 + 2 * index).collect(),
            streams: sip::endpoint::STREAMS,
            bindings: Vec::new(),
            dialogs: Vec::new(),
            product: "Operator Box".into(),
        },
    );
    let inside = Caller::Extension(ExtensionId::new(5000));
    let outside = Caller::Interface(InterfaceId::new(1));
    let kinds = [
        ("an extension", inside, "17777", "called"),
        (
            "outside, by one of 1,000 prefixes",
            inside,
            "9123555123456",
            "attempt",
        ),
        ("an emergency number", inside, "112", "emergency"),
        (
            "from outside, one of 10,000 numbers",
            outside,
            "5550017777",
            "external",
        ),
    ];
    let mut figures = Vec::new();
    for (index, (name, caller, dialled, wanted)) in kinds.into_iter().enumerate() {
        let steps = switch.explain(caller, dialled).steps;
        ensure!(
            steps.iter().any(|step| matches!(
                (wanted, step),
                ("called", Step::Called { .. })
                    | ("attempt", Step::Attempt { .. })
                    | ("emergency", Step::Emergency { .. })
                    | (
                        "external",
                        Step::External {
                            number: Some(_),
                            ..
                        }
                    )
            )),
            "{name} was decided otherwise: {steps:?}"
        );
        let cost = each(
            COUNT,
            || (),
            |()| drop(std::hint::black_box(switch.explain(caller, dialled))),
        );
        let lead = if index == 0 { "route to " } else { "  " };
        figures.push(figure(&format!("{lead}{name}"), cost.text()));
    }
    Ok(figures)
}

fn configuration() -> Result<Configuration> {
    let mut configuration = Configuration::initial();
    configuration.extensions = (0..EXTENSIONS)
        .map(|index| {
            let number = format!("1{index:04}");
            Ok(Extension {
                id: ExtensionId::new(index + 1),
                number: number.parse()?,
                description: String::new(),
                user: None,
                caller_name: None,
                caller_id: CallerId::Own,
                enabled: true,
                sip_username: number,
                sip_password: Secret::new("a-good-password"),
                codecs: vec![Codec::Pcma],
                srtp: SrtpPolicy::Off,
                permission_group: None,
            })
        })
        .collect::<Result<_>>()?;
    let numbers = (0..EXTENSIONS).map(|index| {
        Ok(Mapping {
            number: format!("555001{index:04}").parse()?,
            extension: Some(ExtensionId::new(index + 1)),
        })
    });
    configuration.interfaces = vec![Interface {
        id: InterfaceId::new(1),
        name: "provider".into(),
        enabled: true,
        partner: Partner::Provider,
        server: SipServer {
            host: "192.0.2.1".into(),
            port: None,
            transport: Transport::Udp,
            username: "5550010000".into(),
            user_id: None,
            password: None,
            register: false,
            external_address: None,
            identity: IdentityHeader::From,
        },
        numbers: numbers.collect::<Result<_>>()?,
        operator: Some(ExtensionId::new(1)),
        incoming: Rewriting::default(),
        codecs: vec![Codec::Pcma],
        srtp: SrtpPolicy::Off,
    }];
    configuration.routes = (0..ROUTES)
        .map(|index| Route {
            id: RouteId::new(index + 1),
            prefix: format!("9{index:03}"),
            description: String::new(),
            enabled: true,
            interfaces: vec![InterfaceId::new(1)],
            outgoing: Rewriting::default(),
        })
        .collect();
    let faults = configuration.check();
    ensure!(faults.is_empty(), "{:?}", faults.first());
    Ok(configuration)
}
