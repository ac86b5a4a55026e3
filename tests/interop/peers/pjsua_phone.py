#!/usr/bin/env python3
"""A telephone without a screen on pjsua2, driven by JSON lines.

The first line on standard input is the set-up (see `Phone.__init__`). Every later line is a request,
`{"n": 1, "op": "call", ...}`; each is answered by `{"n": 1, "ok": {...}}` or `{"n": 1, "error": "..."}`.
What happens by itself comes as `{"event": "...", ...}`. A call is named by a number that is never used twice.
The end of standard input ends the telephone.
"""

import json
import os
import sys
import time

import pjsua2 as pj

TRANSPORTS = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}
SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "offered": pj.PJMEDIA_SRTP_OPTIONAL,
    "required": pj.PJMEDIA_SRTP_MANDATORY,
}
DTMF = {0: "rfc4733", 1: "info"}
POLL_MS = 20


def say(**message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def event(what, **fields):
    say(event=what, **fields)


class Call(pj.Call):
    """One call: plays the telephone's own tone as soon as there is media, records when asked."""

    def __init__(self, phone, call_id=pj.PJSUA_INVALID_ID):
        super().__init__(phone.account, call_id)
        self.phone = phone
        self.name = phone.name_of_next_call()
        self.player = None
        self.recorder = None
        self.media = None
        self.ended = False
        # pjsua2 hangs up a call whose object dies.
        phone.calls[self.name] = self

    def onCallState(self, prm):
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY and info.role == pj.PJSIP_ROLE_UAC:
            event("ringing", call=self.name, code=info.lastStatusCode)
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            event("established", call=self.name, remote=info.remoteUri)
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.ended = True
            self.media = self.player = self.recorder = None
            event("ended", call=self.name, code=info.lastStatusCode, reason=info.lastReason)

    def onCallMediaState(self, prm):
        info = self.getInfo()
        states = {
            pj.PJSUA_CALL_MEDIA_NONE: "none",
            pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
            pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "held_here",
            pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "held_there",
            pj.PJSUA_CALL_MEDIA_ERROR: "error",
        }
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            codec = remote = ""
            if media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
                self.connect(index)
                stream = self.getStreamInfo(index)
                codec, remote = stream.codecName, stream.remoteRtpAddress
            event("media", call=self.name, state=states.get(media.status, "other"), codec=codec, remote=remote)

    def connect(self, index):
        self.media = self.getAudioMedia(index)
        if self.player is None and self.phone.tone:
            self.player = pj.AudioMediaPlayer()
            self.player.createPlayer(self.phone.tone)
        if self.player is not None:
            self.player.startTransmit(self.media)
        if self.recorder is not None:
            self.media.startTransmit(self.recorder)

    def record(self, path):
        if self.media is None:
            raise RuntimeError("the call has no media yet")
        self.recorder = pj.AudioMediaRecorder()
        self.recorder.createRecorder(path)
        self.media.startTransmit(self.recorder)

    def onDtmfDigit(self, prm):
        event("digit", call=self.name, digit=prm.digit, by=DTMF.get(prm.method, str(prm.method)))

    def onCallTransferRequest(self, prm):
        follow = Call(self.phone)
        prm.newCall = follow
        event("transfer_asked", call=self.name, to=prm.dstUri, follow=follow.name)

    def onCallTransferStatus(self, prm):
        event("transfer_status", call=self.name, code=prm.statusCode, final=bool(prm.finalNotify))

    def onCallReplaced(self, prm):
        follow = Call(self.phone, prm.newCallId)
        prm.newCall = follow
        event("replaced", call=self.name, follow=follow.name)


class Account(pj.Account):
    def __init__(self, phone):
        super().__init__()
        self.phone = phone

    def onRegState(self, prm):
        if prm.code // 100 == 2:
            event("registered" if prm.expiration else "unregistered")
        else:
            event("register_failed", code=prm.code, reason=prm.reason)

    def onIncomingCall(self, prm):
        call = Call(self.phone, prm.callId)
        event("incoming", call=call.name, remote=call.getInfo().remoteUri)
        ring = pj.CallOpParam()
        ring.statusCode = 180
        call.answer(ring)

    def onMwiInfo(self, prm):
        event("mwi", body=prm.rdata.wholeMsg.split("\r\n\r\n", 1)[-1])


class Phone:
    """Set-up: name, address, transport, codecs, srtp, tone, log, uri, perhaps agent; and for a registered
    telephone registrar, user, password, expires."""

    def __init__(self, setup):
        self.calls = {}
        self.made = 0
        self.tone = setup["tone"]
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        config = pj.EpConfig()
        # One thread: every callback comes from `libHandleEvents`.
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = 8
        config.uaConfig.userAgent = setup.get("agent", "pjsua2")
        config.logConfig.level = 4
        config.logConfig.consoleLevel = 0
        config.logConfig.filename = setup["log"]
        config.medConfig.threadCnt = 1
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        self.endpoint.libInit(config)
        self.endpoint.transportCreate(*self.transport(setup))
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        self.choose_codecs(setup["codecs"])
        self.account = Account(self)
        self.account.create(self.account_config(setup))

    def transport(self, setup):
        config = pj.TransportConfig()
        config.port = 5061 if setup["transport"] == "tls" else 5060
        config.boundAddress = setup["address"]
        if setup["transport"] == "tls":
            config.tlsConfig.certFile = setup.get("certificate") or ""
            config.tlsConfig.privKeyFile = setup.get("key") or ""
            config.tlsConfig.CaListFile = setup.get("trust") or ""
            config.tlsConfig.verifyServer = bool(setup.get("trust"))
        return TRANSPORTS[setup["transport"]], config

    def choose_codecs(self, wanted):
        for codec in self.endpoint.codecEnum2():
            if codec.codecId in wanted:
                self.endpoint.codecSetPriority(codec.codecId, 255 - wanted.index(codec.codecId))
            else:
                self.endpoint.codecSetPriority(codec.codecId, 0)

    def account_config(self, setup):
        config = pj.AccountConfig()
        config.idUri = setup["uri"]
        if setup.get("user"):
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", setup["user"], 0, setup["password"]))
        if setup.get("registrar"):
            config.regConfig.registrarUri = setup["registrar"]
            config.regConfig.timeoutSec = setup["expires"]
            config.regConfig.registerOnAdd = False
            # After a failure of the transport: soon, so that a restarted exchange is found again in test time.
            config.regConfig.retryIntervalSec = 2
            config.regConfig.firstRetryIntervalSec = 1
            config.regConfig.randomRetryIntervalSec = 0
        config.mediaConfig.srtpUse = SRTP[setup["srtp"]]
        config.mediaConfig.srtpSecureSignaling = 0
        config.mediaConfig.transportConfig.boundAddress = setup["address"]
        config.mediaConfig.transportConfig.port = 4000
        config.mwiConfig.enabled = bool(setup.get("mwi"))
        return config

    def name_of_next_call(self):
        self.made += 1
        return str(self.made)

    def call(self, request):
        return self.calls[request["call"]]

    # Requests

    def register(self, request):
        self.account.setRegistration(True)

    def unregister(self, request):
        self.account.setRegistration(False)

    def dial(self, request):
        call = Call(self)
        call.makeCall(request["to"], pj.CallOpParam(True))
        return {"call": call.name}

    def answer(self, request):
        param = pj.CallOpParam(True)
        param.statusCode = request.get("code", 200)
        self.call(request).answer(param)

    def hangup(self, request):
        self.call(request).hangup(pj.CallOpParam(True))

    def hold(self, request):
        self.call(request).setHold(pj.CallOpParam(True))

    def resume(self, request):
        param = pj.CallOpParam(True)
        param.opt.flag = pj.PJSUA_CALL_UNHOLD
        self.call(request).reinvite(param)

    def transfer(self, request):
        self.call(request).xfer(request["to"], pj.CallOpParam(True))

    def transfer_attended(self, request):
        self.call(request).xferReplaces(self.calls[request["other"]], pj.CallOpParam(True))

    def digits(self, request):
        param = pj.CallSendDtmfParam()
        by_info = request["by"] == "info"
        param.method = pj.PJSUA_DTMF_METHOD_SIP_INFO if by_info else pj.PJSUA_DTMF_METHOD_RFC2833
        param.digits = request["digits"]
        param.duration = 160
        self.call(request).sendDtmf(param)

    def record(self, request):
        self.call(request).record(request["path"])

    def stats(self, request):
        stat = self.call(request).getStreamStat(0).rtcp
        stream = self.call(request).getStreamInfo(0)
        return {
            "codec": stream.codecName,
            "received": stat.rxStat.pkt,
            "sent": stat.txStat.pkt,
            "lost": stat.rxStat.loss,
            "reordered": stat.rxStat.reorder,
            "duplicates": stat.rxStat.dup,
            "jitter_us": stat.rxStat.jitterUsec.mean,
            "jitter_max_us": stat.rxStat.jitterUsec.max,
        }

    OPS = {
        "register", "unregister", "dial", "answer", "hangup", "hold", "resume", "transfer",
        "transfer_attended", "digits", "record", "stats",
    }  # fmt: skip

    def handle(self, line):
        request = json.loads(line)
        try:
            if request["op"] not in self.OPS:
                raise RuntimeError("no such request")
            say(n=request["n"], ok=getattr(self, request["op"])(request) or {})
        except (pj.Error, RuntimeError, KeyError) as error:
            text = error.info() if isinstance(error, pj.Error) else repr(error)
            say(n=request["n"], error=text.strip().replace("\n", " "))

    def run(self):
        os.set_blocking(0, False)
        text = b""
        while True:
            self.endpoint.libHandleEvents(POLL_MS)
            try:
                read = os.read(0, 65536)
            except BlockingIOError:
                continue
            if not read:
                break
            text += read
            while b"\n" in text:
                line, text = text.split(b"\n", 1)
                self.handle(line)
        self.close()

    def close(self):
        self.endpoint.hangupAllCalls()
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            self.endpoint.libHandleEvents(POLL_MS)
        sys.stdout.flush()
        # Taking the library down may assert in its own threads: nothing is left that it would have to save.
        os._exit(0)


def main():
    setup = b""
    while not setup.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return
        setup += byte
    phone = Phone(json.loads(setup))
    event("ready")
    phone.run()


if __name__ == "__main__":
    main()
