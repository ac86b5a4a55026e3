//! The way of a phone's messages on loopback: UDP, or TLS without a look at the certificate. It is the
//! machine's own and may be signed by itself; nobody else answers on its loopback ports.

use core::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sip::message::{Limits, Message};
use sip::stream::{Frame, Framer, Side};

/// The shortest wait that sockets know: none at all means for ever.
const SHORTEST: Duration = Duration::from_millis(1);

/// A datagram, or as much of a stream as is read at once.
const PIECE: usize = 64 * 1024;

/// By what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// RFC 3261 §18.
    Udp,
    /// RFC 3261 §26.3.1.
    Tls,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tls => "TLS",
        })
    }
}

/// An open way to the exchange.
pub struct Wire {
    carrier: Carrier,
    remote: SocketAddr,
    piece: Vec<u8>,
}

enum Carrier {
    Udp(UdpSocket),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>, Framer),
}

impl Wire {
    /// Opens one; over TLS the handshake is done then.
    pub fn open(way: Way, remote: SocketAddr, until: Instant) -> Result<Self> {
        let carrier = match way {
            Way::Udp => udp(remote).map(Carrier::Udp),
            Way::Tls => tls(remote, until).map(|stream| {
                Carrier::Tls(Box::new(stream), Framer::new(Side::Opener, Limits::DEFAULT))
            }),
        };
        Ok(Self {
            carrier: carrier.with_context(|| nobody(way, remote))?,
            remote,
            piece: vec![0; PIECE],
        })
    }

    /// By what.
    pub const fn way(&self) -> Way {
        match self.carrier {
            Carrier::Udp(_) => Way::Udp,
            Carrier::Tls(..) => Way::Tls,
        }
    }

    /// Our end.
    pub fn local(&self) -> Result<SocketAddr> {
        Ok(match &self.carrier {
            Carrier::Udp(socket) => socket.local_addr()?,
            Carrier::Tls(stream, _) => stream.sock.local_addr()?,
        })
    }

    /// Sends one message.
    pub fn send(&mut self, octets: &[u8]) -> Result<()> {
        let sent = match &mut self.carrier {
            Carrier::Udp(socket) => socket.send(octets).map(drop),
            Carrier::Tls(stream, _) => stream.write_all(octets).and_then(|()| stream.flush()),
        };
        sent.with_context(|| nobody(self.way(), self.remote))
    }

    /// The next message; none where none comes in time.
    pub fn receive(&mut self, until: Instant) -> Result<Option<Message>> {
        loop {
            if let Carrier::Tls(_, framer) = &mut self.carrier {
                match framer.next().transpose()? {
                    Some(Frame::Message(octets)) => {
                        return Ok(Some(Message::parse_bytes(&octets, &Limits::DEFAULT)?));
                    }
                    Some(Frame::Ping | Frame::Pong) => continue,
                    None => {}
                }
            }
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(None);
            }
            let rest = Some(rest.max(SHORTEST));
            let read = match &mut self.carrier {
                Carrier::Udp(socket) => {
                    socket.set_read_timeout(rest)?;
                    socket.recv(&mut self.piece)
                }
                Carrier::Tls(stream, _) => {
                    stream.sock.set_read_timeout(rest)?;
                    stream.read(&mut self.piece)
                }
            };
            let count = match read {
                Ok(count) => count,
                Err(error) if is_timeout(&error) => continue,
                Err(error) => {
                    return Err(error).with_context(|| nobody(self.way(), self.remote));
                }
            };
            let octets = self.piece.get(..count).unwrap_or_default();
            match &mut self.carrier {
                Carrier::Udp(_) => {
                    return Ok(Some(Message::parse(octets, &Limits::DEFAULT)?));
                }
                Carrier::Tls(..) if count == 0 => {
                    bail!("the exchange closed the TLS connection");
                }
                Carrier::Tls(_, framer) => framer.push(octets),
            }
        }
    }
}

fn nobody(way: Way, remote: SocketAddr) -> String {
    format!("the exchange can't be reached over {way} at {remote}")
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

fn udp(remote: SocketAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    // So a closed port is told at once.
    socket.connect(remote)?;
    Ok(socket)
}

fn tls(remote: SocketAddr, until: Instant) -> Result<StreamOwned<ClientConnection, TcpStream>> {
    let rest = || {
        until
            .saturating_duration_since(Instant::now())
            .max(SHORTEST)
    };
    let mut socket = TcpStream::connect_timeout(&remote, rest())?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(rest()))?;
    socket.set_write_timeout(Some(rest()))?;
    let name = ServerName::IpAddress(remote.ip().into());
    let mut session = ClientConnection::new(Arc::new(any_server()?), name)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(session, socket))
}

/// A client that takes every certificate.
pub fn any_server() -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth())
}

/// Takes every certificate; that the peer has its key is looked at all the same.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        (self.0.signature_verification_algorithms).supported_schemes()
    }
}
