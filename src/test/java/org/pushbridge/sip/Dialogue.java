package org.pushbridge.sip;

import java.util.ArrayList;
import java.util.List;

/** What one party knows of its dialog with the bridge. */
final class Dialogue {
    final Party party;
    final String local;
    final String remote;
    final String callId;
    private final String target;
    private long cseq;

    private Dialogue(Party party, String local, String remote, String callId, String target, long cseq) {
        this.party = party;
        this.local = local;
        this.remote = remote;
        this.callId = callId;
        this.target = target;
        this.cseq = cseq;
    }

    /** The dialog of the one that sent the INVITE this response answers. */
    static Dialogue ofCaller(Party party, String response) {
        return new Dialogue(
                party,
                Wire.header(response, "From"),
                Wire.header(response, "To"),
                Wire.header(response, "Call-ID"),
                Wire.uri(Wire.header(response, "Contact")),
                Wire.cseq(response));
    }

    /** The dialog of the one that sent this response to the INVITE. */
    static Dialogue ofCallee(Party party, String invite, String response) {
        return new Dialogue(
                party,
                Wire.header(response, "To"),
                Wire.header(response, "From"),
                Wire.header(response, "Call-ID"),
                Wire.uri(Wire.header(invite, "Contact")),
                100);
    }

    /** The number of its last request. */
    long cseq() {
        return cseq;
    }

    String send(String method, String body, String... more) {
        cseq++;
        return send(method, cseq, body, more);
    }

    String send(String method, long number, String body, String... more) {
        List<String> headers = new ArrayList<>(List.of(
                party.via(),
                "Max-Forwards: 70",
                "From: " + local,
                "To: " + remote,
                "Call-ID: " + callId,
                "CSeq: " + number + " " + method,
                party.contact()));
        headers.addAll(List.of(more));
        return party.send(Wire.message(method + " " + target + " SIP/2.0", headers, body));
    }
}
