package org.pushbridge.sip.stack;

import gov.nist.javax.sip.header.SIPHeaderNamesCache;
import java.lang.reflect.Field;
import java.util.Map;

/**
 * The names of headers, which JAIN-SIP remembers in lower case: each that ever came, for good, while strangers can think of
 * ever new ones. Here they are forgotten now and then; it finds them anew. Safe for any thread.
 */
final class HeaderNames {
    /** Two for each name. There are some 120 names that mean something. */
    private static final int MOST = 5_000;

    private static final Map<?, ?> REMEMBERED = remembered();

    private HeaderNames() {}

    private static Map<?, ?> remembered() {
        try {
            Field field = SIPHeaderNamesCache.class.getDeclaredField("lowercaseMap");
            field.setAccessible(true);
            if (field.get(null) instanceof Map<?, ?> map) {
                return map;
            }
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("JAIN-SIP does not remember the names of headers where it did", e);
        }
        throw new LinkageError("JAIN-SIP does not remember the names of headers in a map any more");
    }

    /** To be called after each message. */
    static void forgetTooMany() {
        if (REMEMBERED.size() > MOST) {
            REMEMBERED.clear();
        }
    }

    static int count() {
        return REMEMBERED.size();
    }
}
