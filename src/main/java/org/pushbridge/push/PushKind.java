package org.pushbridge.push;

/** What a push is for. How it is sent follows from this and from the app's settings: see {@link PushRule}. */
public enum PushKind {
    /** Rings the device. A VoIP push, save for apps that must not use CallKit (China's App Store). */
    VOIP,
    /** Rings the device by an alert, although its app is rung by VoIP pushes: iOS must not be given another now. */
    RING_ALERT,
    /** Ends a call screen by a further VoIP push; for apps that say they handle it. */
    END_VOIP,
    /** Tells the user of a call that nobody answered. */
    MISSED_CALL_ALERT,
    /** A hint to a lost device that its call is over. Nothing may depend on it: Apple budgets background pushes. */
    BACKGROUND_END,
    /** A hint to a device in a call that a request waits for it: it should register (RFC 8599 section 6). */
    REQUEST_WAITING
}
