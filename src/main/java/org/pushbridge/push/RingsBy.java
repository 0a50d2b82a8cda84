package org.pushbridge.push;

/** How an app is rung. */
public enum RingsBy {
    /** By VoIP push, which PushKit and CallKit turn into the system's call screen. */
    VOIP,
    /** By alert: for apps that may not use CallKit, as in China's App Store. */
    ALERT
}
