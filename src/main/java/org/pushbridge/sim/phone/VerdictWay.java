package org.pushbridge.sim.phone;

/** How an app can learn, without an INVITE, what became of the call it was woken for. */
public enum VerdictWay {
    /** Its REGISTER says {@code Allow-Events: dialog}, so a NOTIFY may follow the 200 to it; it can subscribe, too. */
    DIALOG_EVENTS,
    /** It asks the address in the push, beside SIP. */
    HTTPS
}
