//! RFC 4475 §3.1.1: messages that are right, however they look.

use super::{wire, with_sdp};

pub(super) fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let sdp = |head: &str, address: &str| with_sdp(head, address, address, "0 0");
    vec![
        ("wsinv", with_sdp(WSINV, "192.0.2.3", "192.0.2.4", "0 0")),
        ("intmeth", wire(INTMETH)),
        ("esc01", sdp(ESC01, "192.0.2.1")),
        ("escnull", wire(ESCNULL)),
        ("esc02", wire(ESC02)),
        ("lwsdisp", wire(LWSDISP)),
        ("longreq", longreq()),
        ("dblreq", dblreq()),
        ("semiuri", wire(SEMIURI)),
        ("transports", wire(TRANSPORTS)),
        ("mpart01", mpart01()),
        ("unreason", sdp(UNREASON, "192.0.2.198")),
        ("noreason", wire(NOREASON)),
    ]
}

const WSINV: &str = r#"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
TO :
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
from   : "J Rosenberg \\\""       <sip:jdrosen@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.ndaksdj@192.0.2.1
Content-Length   : 150
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \"\"" <sip:jdrosen@example.com> ; newparam =
      newvalue ;
  secondparam ; q = 0.33
"#;

const INTMETH: &str = concat!(
    "!interesting-Method0123456789_*+`.%indeed'~ ",
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
    ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\n",
    "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\n",
    "To: \"BEL:\\\u{7} NUL:\\\0 DEL:\\\u{7f}\" ",
    "<sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>\n",
    "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>",
    ";fromParam''~+*_!.-%=\"работающий\";tag=_token~1'+`*%!-.\n",
    "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\n",
    "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\n",
    "Max-Forwards: 255\n",
    "extensionHeader-!.%*+_`'~:\u{feff}大停電\n",
    "Content-Length: 0\n\n",
);

const ESC01: &str = "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0
To: sip:%75se%72@example.com
From: <sip:I%20have%20spaces@example.net>;tag=938
Max-Forwards: 87
i: esc01.239409asdfakjkn23onasd0-3234
CSeq: 234234 INVITE
Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw
C: application/sdp
Contact:
  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>
Content-Length: 150
";

const ESCNULL: &str = "REGISTER sip:example.com SIP/2.0
To: sip:null-%00-null@example.com
From: sip:null-%00-null@example.com;tag=839923423
Max-Forwards: 70
Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd
CSeq: 14398234 REGISTER
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
Contact: <sip:%00@host5.example.com>
Contact: <sip:%00%00@host5.example.com>
L:0

";

const ESC02: &str = r#"RE%47IST%45R sip:registrar.example.com SIP/2.0
To: "%Z%45" <sip:resource@example.com>
From: "%Z%45" <sip:resource@example.com>;tag=f232jadfj23
Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf
Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234
CSeq: 29344 RE%47IST%45R
Max-Forwards: 70
Contact: <sip:alias1@host1.example.com>
C%6Fntact: <sip:alias2@host2.example.com>
Contact: <sip:alias3@host3.example.com>
l: 0

"#;

const LWSDISP: &str = "OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: caller<sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID: lwsdisp.1234abcd@funky.example.com
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw
l: 0

";

const SEMIURI: &str = "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0
To: sip:j_user@example.com
From: sip:caller@example.org;tag=33242
Max-Forwards: 3
Call-ID: semiuri.0ha0isndaksdj
CSeq: 8 OPTIONS
Accept: application/sdp, application/pkcs7-mime,
        multipart/mixed, multipart/signed,
        message/sip, message/sipfrag
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw
l: 0

";

const TRANSPORTS: &str = "OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: <sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID:  transports.kijh4akdnaqjkwendsasfdj
Accept: application/sdp
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw
Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf
Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj
Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en
Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee
l: 0

";

const UNREASON: &str = "SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Call-ID: unreason.1234ksdfak3j2erwedfsASdf
CSeq: 35 INVITE
From: sip:user@example.com;tag=11141343
To: sip:user@example.edu;tag=2229
Content-Length: 154
Content-Type: application/sdp
Contact: <sip:user@host198.example.com>
";

const NOREASON: &str = concat!(
    "SIP/2.0 100 \n",
    "Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: noreason.asndj203insdf99223ndf
CSeq: 35 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@host105.example.com>

"
);

fn longreq() -> Vec<u8> {
    let caller = "amazinglylongcallername".repeat(5);
    let long = |times: usize| "long".repeat(times);
    let mut head = format!(
        "INVITE sip:user@example.com SIP/2.0\n\
         To: \"I have a user name of {extreme} proportion\"<sip:user@example.com:6000\
         ;unknownparam1=very{long20}value;longparam{name25}=shortvalue\
         ;very{long25}ParameterNameWithNoValue>\n\
         F: sip:{caller}@example.net;tag=12{tag}424;unknownheaderparam{name20}=unknowheaderparam{value15}\
         ;unknownValueless{paramname10}\n\
         Call-ID: longreq.one{really}longcallid\n\
         CSeq: 3882340 INVITE\n\
         Unknown-{Long20}-Name: unknown-{long20}-value; unknown-{long20}-parameter-name = \
         unknown-{long20}-parameter-value\n",
        extreme = "extreme".repeat(10),
        long20 = long(20),
        long25 = long(25),
        name25 = "name".repeat(25),
        name20 = "name".repeat(20),
        value15 = "value".repeat(15),
        paramname10 = "paramname".repeat(10),
        tag = "982".repeat(50),
        really = "really".repeat(20),
        Long20 = "Long".repeat(20),
    );
    let spellings = [
        "Via:", "v:", "V:", "Via:", "ViA:", "VIa:", "VIA:", "via:", "viA:", "vIa:", "vIA:", "V : ",
        "v : ", "V  :", "v  :", "Via :", "Via  :",
    ];
    for hop in (1..=33).rev() {
        let spelling = spellings.get(33 - hop).unwrap_or(&"Via:");
        head += &format!("{spelling} SIP/2.0/TCP sip{hop}.example.com\n");
    }
    head += &format!(
        "Via: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very{}branchvalue\n\
         Max-Forwards: 70\n\
         Contact: <sip:{caller}@host5.example.net>\n\
         Content-Type: application/sdp\n\
         l: 150\n",
        long(50),
    );
    with_sdp(&head, "192.0.2.1", "192.0.2.1", "0 0")
}

fn dblreq() -> Vec<u8> {
    let second = with_sdp(
        "INVITE sip:joe@example.com SIP/2.0
t: sip:joe@example.com
From: sip:caller@example.net;tag=141334
Max-Forwards: 8
Call-ID: dblreq.0ha0isnda977644900765@192.0.2.15
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw380234
Content-Type: application/sdp
Content-Length: 150
",
        "192.0.2.15",
        "192.0.2.15",
        "0 0",
    );
    // The blank is the RFC's own.
    let second = String::from_utf8(second)
        .expect("ASCII")
        .replace("m=video", "m =video");
    let first = wire(
        "REGISTER sip:example.com SIP/2.0
To: sip:j.user@example.com
From: sip:j.user@example.com;tag=43251j3j324
Max-Forwards: 8
I: dblreq.0ha0isndaksdj99sdfafnl3lk233412
Contact: sip:j.user@host.example.com
CSeq: 8 REGISTER
Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492
Content-Length: 0


",
    );
    [first, second.into_bytes(), wire("\n")].concat()
}

fn mpart01() -> Vec<u8> {
    let head = wire(
        "MESSAGE sip:kumiko@example.org SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport
Max-Forwards: 70
Route: <sip:127.0.0.1:5080>
Identity: r5mwreLuyDRYBi/0TiPwEsY3rEVsk/G2WxhgTV1PF7hHuLIK0YWVKZhKv9Mj8UeXqkMVbnVq37CD+813gvYjcBUaZngQmXc9WNZSDNGCzA+fWl9MEUHWIZo1CeJebdY/XlgKeTa0Olvq0rt70Q5jiSfbqMJmQFteeivUhkMWYUA=
Contact: <sip:fluffy@127.0.0.1:5070>
To: <sip:kumiko@example.org>
From: <sip:fluffy@example.com>;tag=2fb0dcc9
Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..
CSeq: 1 MESSAGE
Content-Transfer-Encoding: binary
Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
Date: Sat, 15 Oct 2005 04:44:56 GMT
User-Agent: SIPimp.org/0.2.5 (curses)
Content-Length: 553

--7a9cbec02ceef655
Content-Type: text/plain
Content-Transfer-Encoding: binary

Hello
--7a9cbec02ceef655
Content-Type: application/octet-stream
Content-Transfer-Encoding: binary

",
    );
    // A PKCS #7 signature in DER.
    let signature: &[u8] = b"0\x82\x01R\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02\xa0\x82\x01C0\x82\x01?\x02\x01\x01\
        1\x090\x07\x06\x05+\x0e\x03\x02\x1a0\x0b\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x011\x82\x01 0\x82\x01\x1c\
        \x02\x01\x010|0p1\x0b0\x09\x06\x03U\x04\x06\x13\x02US1\x130\x11\x06\x03U\x04\x08\x13\nCalifornia\
        1\x110\x0f\x06\x03U\x04\x07\x13\x08San Jose1\x0e0\x0c\x06\x03U\x04\n\x13\x05sipit\
        1)0'\x06\x03U\x04\x0b\x13 Sipit Test Certificate Authority\x02\x08\x01\x95\x00q\x023\x01\x13\
        0\x07\x06\x05+\x0e\x03\x02\x1a0\x0d\x06\x09*\x86H\x86\xf7\x0d\x01\x01\x01\x05\x00\x04\x81\x80\
        \x8e\xf4f\xf9H\xf0R-\xd2\xe5\x97\x8e\x9d\x95\xaa\xe9\xf2\xfe\x15\xa0fYqb\x92\xe8\xda*\xa8\xd8\
        5\nh\xce\xff\xae<\xbd+\xff\x16u\xdd\xd5d\x8eY=\xd6G(\xf2b \xf7\xe9At\x9e3\x0d\x9a\x15\xed\xab\xdb\
        \x93\xd1\x0cB\x10.{r\x89\xd2\x9c\xc0\xc9\xae.\xfb\xc7\xc0\xcf\xf9\x17/;\x02~O\xc0'\xe1Tm\xe4\
        \xb6\xaa:\xbb>f\xcc\xcb]\xd6\xc6K\x83\x83\x14\x9c\xb8\xe6\xff\x18-\x94O\xe5{e\xbc\x99\xd0\x05";
    [&head, signature, b"\r\n--7a9cbec02ceef655--\r\n"].concat()
}
