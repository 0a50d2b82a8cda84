package org.pushbridge.sim.apns;

/** What a device token was made for: PushKit and the regular push service give an app different tokens. */
public enum TokenKind {
    REGULAR(""),
    VOIP(".voip"),
    PUSH_TO_TALK(".voip-ptt");

    private final String topicSuffix;

    TokenKind(String topicSuffix) {
        this.topicSuffix = topicSuffix;
    }

    /** The topic that reaches such tokens of an app. */
    public String topic(String bundleId) {
        return bundleId + topicSuffix;
    }

    String topicSuffix() {
        return topicSuffix;
    }
}
