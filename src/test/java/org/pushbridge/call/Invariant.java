package org.pushbridge.call;

/** What must hold for every call, whatever happens; the names are those that a failure prints. */
enum Invariant {
    ONE_FINAL_RESPONSE("the caller gets exactly one final response, the right one, and nothing provisional after it"),
    PROMPT("the caller is told at once when nothing is left to wait for, within the ring limit, and not before"),
    ONE_ANSWER("one dialog is answered; each other 2xx is acknowledged once and sent one BYE; no 2xx lacks its ACK"),
    ONE_PUSH("one VoIP push a device, when a push is what can reach it, and none after the final response"),
    VERDICT("a device that was called learns how the call ended: by its own outcome, by CANCEL or by tombstone"),
    ONE_INVITE("a device is not invited again while an earlier INVITE may have reached it"),
    CANCELLED("each INVITE that is not wanted any more is cancelled, once and at once, and no other"),
    ALERT("a missed-call alert goes once to each device that missed the call, and to no other"),
    EXCHANGE("a request inside a dialog gets exactly one final answer, and a re-INVITE's 2xx exactly one ACK"),
    HANG_UP("each party of an answered call sends or gets exactly one BYE, and only when the call is over"),
    END_PUSH("a push hints at the end to devices that show the call and are cut off; VoIP only where that is allowed"),
    HELD("what waits for a device without connection reaches it when it is back, or is settled within the hold limit"),
    SPARED("a sleeping device that wants to be spared is pushed to once nobody else has the call, and not before"),
    BUDGET("a device whose VoIP pushes lead nowhere gets no more of them for a while; any other is never held back"),
    TIMERS("timers run only while they are needed, and one that was stopped or replaced has no effect"),
    FINISH("a call finishes as soon as nothing is owed, not before, once, and does nothing afterwards"),
    FAULT("the rules take every event");

    private final String words;

    Invariant(String words) {
        this.words = words;
    }

    String words() {
        return words;
    }
}
