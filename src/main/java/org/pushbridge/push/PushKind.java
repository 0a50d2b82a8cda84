package org.pushbridge.push;

/** What a push is for. How it is sent follows from this and from the app's settings: see {@link PushRule}. */
public enum PushKind {
    /** Rings the device. A VoIP push, save for apps that must not use CallKit (China's App Store). */
    VOIP,
    /** Tells the user of a call that nobody answered. */
    MISSED_CALL_ALERT,
    /** A hint to a lost device that its call is over. Nothing may depend on it: Apple budgets background pushes. */
    BACKGROUND_END
}
