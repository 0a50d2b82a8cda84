package org.pushbridge.sip.stack;

import gov.nist.javax.sip.address.SipUri;
import org.jspecify.annotations.Nullable;

/**
 * A URI that all messages share which have it, with its text at hand. It must not be changed; a clone of it is like any
 * other, and may be.
 */
final class SharedUri extends SipUri {
    /** Null in a clone, and as long as it is being made. */
    private @Nullable String text;

    /** It is complete. */
    SharedUri complete() {
        text = super.encode(new StringBuilder()).toString();
        return this;
    }

    @Override
    public String encode() {
        String known = text;
        return known == null ? super.encode() : known;
    }

    @Override
    public StringBuilder encode(StringBuilder buffer) {
        String known = text;
        return known == null ? super.encode(buffer) : buffer.append(known);
    }

    @Override
    public Object clone() {
        SharedUri copy = (SharedUri) super.clone();
        copy.text = null;
        return copy;
    }
}
