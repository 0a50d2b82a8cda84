package org.pushbridge.sim.apns;

import java.util.Optional;

/** The values of {@code apns-push-type} that a server which rings phones has a use for. */
public enum PushType {
    ALERT("alert", TokenKind.REGULAR, 4096),
    BACKGROUND("background", TokenKind.REGULAR, 4096),
    VOIP("voip", TokenKind.VOIP, 5120),
    PUSH_TO_TALK("pushtotalk", TokenKind.PUSH_TO_TALK, 4096);

    private final String header;
    private final TokenKind tokenKind;
    private final int payloadLimit;

    PushType(String header, TokenKind tokenKind, int payloadLimit) {
        this.header = header;
        this.tokenKind = tokenKind;
        this.payloadLimit = payloadLimit;
    }

    /** As it stands in the request. */
    public String header() {
        return header;
    }

    /** The kind of token, and so the topic, that it goes with. */
    public TokenKind tokenKind() {
        return tokenKind;
    }

    /** The longest payload Apple takes, in bytes. */
    public int payloadLimit() {
        return payloadLimit;
    }

    static Optional<PushType> of(String header) {
        for (PushType type : values()) {
            if (type.header.equals(header)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
