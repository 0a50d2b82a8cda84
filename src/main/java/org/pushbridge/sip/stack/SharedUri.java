package org.pushbridge.sip.stack;

import gov.nist.javax.sip.address.SipUri;
import java.text.ParseException;
import org.jspecify.annotations.Nullable;

/**
 * A URI that all messages share which have it, with its text at hand. It cannot be changed; a clone of it is like any
 * other, and can be.
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

    private void change() {
        if (text != null) {
            throw new IllegalStateException("This URI is shared: change a clone of it");
        }
    }

    @Override
    public void setParameter(String name, String value) throws ParseException {
        change();
        super.setParameter(name, value);
    }

    @Override
    public void removeParameter(String name) {
        change();
        super.removeParameter(name);
    }

    @Override
    public void setUser(String user) {
        change();
        super.setUser(user);
    }

    @Override
    public void setHost(String host) throws ParseException {
        change();
        super.setHost(host);
    }

    @Override
    public void setPort(int port) {
        change();
        super.setPort(port);
    }

    @Override
    public Object clone() {
        SharedUri copy = (SharedUri) super.clone();
        copy.text = null;
        return copy;
    }
}
