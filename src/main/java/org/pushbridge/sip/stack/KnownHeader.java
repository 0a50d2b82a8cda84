package org.pushbridge.sip.stack;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Headers that are looked at, or that come so often that their names are worth knowing by sight. */
enum KnownHeader {
    ALLOW("Allow"),
    AUTHORIZATION("Authorization"),
    CALL_ID("Call-ID", 'i', true),
    CONTACT("Contact", 'm', false),
    CONTENT_ENCODING("Content-Encoding", 'e', false),
    CONTENT_LENGTH("Content-Length", 'l', true),
    CONTENT_TYPE("Content-Type", 'c', true),
    CSEQ("CSeq", true),
    EVENT("Event", 'o', true),
    EXPIRES("Expires", true),
    FROM("From", 'f', true),
    MAX_FORWARDS("Max-Forwards", true),
    MIN_SE("Min-SE", true),
    RACK("RAck", true),
    RECORD_ROUTE("Record-Route"),
    REFER_TO("Refer-To", 'r', true),
    REPLACES("Replaces", true),
    REQUIRE("Require"),
    ROUTE("Route"),
    RSEQ("RSeq", true),
    SERVER("Server"),
    SESSION_EXPIRES("Session-Expires", 'x', true),
    SUBJECT("Subject", 's', false),
    SUPPORTED("Supported", 'k', false),
    TO("To", 't', true),
    USER_AGENT("User-Agent"),
    VIA("Via", 'v', false);

    private static final char NOT_COMPACT = 0;
    private static final KnownHeader[] ALL = values();
    private static final int LONGEST = "Content-Encoding".length();
    private static final KnownHeader[][] BY_LENGTH = new KnownHeader[LONGEST + 1][];
    private static final @Nullable KnownHeader[] BY_LETTER = new KnownHeader['z' + 1];
    private static final Map<String, KnownHeader> BY_LOWER_CASE = new HashMap<>();

    static {
        for (int length = 0; length <= LONGEST; length++) {
            int wanted = length;
            BY_LENGTH[length] = Arrays.stream(ALL)
                    .filter(header -> header.title.length() == wanted)
                    .toArray(KnownHeader[]::new);
        }
        for (KnownHeader header : ALL) {
            BY_LOWER_CASE.put(header.title.toLowerCase(Locale.ROOT), header);
            if (header.compact != NOT_COMPACT) {
                BY_LETTER[header.compact] = header;
                BY_LOWER_CASE.put(String.valueOf(header.compact), header);
            }
        }
    }

    private final String title;
    private final char compact;
    private final boolean single;

    KnownHeader(String title) {
        this(title, false);
    }

    KnownHeader(String title, boolean single) {
        this(title, NOT_COMPACT, single);
    }

    /** @param single whether there can be one only; a second may be an attempt to slip something past somebody */
    KnownHeader(String title, char compact, boolean single) {
        this.title = title;
        this.compact = compact;
        this.single = single;
    }

    /** As nearly everybody spells it. */
    String title() {
        return title;
    }

    boolean isSingle() {
        return single;
    }

    /** The header whose name {@code text[from, to)} is, if it is spelled as by nearly everybody, or compact. */
    static @Nullable KnownHeader usual(String text, int from, int to) {
        int length = to - from;
        if (length == 1) {
            char letter = text.charAt(from);
            return letter < BY_LETTER.length ? BY_LETTER[letter] : null;
        }
        if (length > LONGEST) {
            return null;
        }
        for (KnownHeader header : BY_LENGTH[length]) {
            if (text.startsWith(header.title, from)) {
                return header;
            }
        }
        return null;
    }

    /** The header with that name, compact or not. */
    static @Nullable KnownHeader named(String lowerCase) {
        return BY_LOWER_CASE.get(lowerCase);
    }
}
