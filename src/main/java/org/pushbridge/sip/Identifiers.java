package org.pushbridge.sip;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.pushbridge.call.CallId;
import org.pushbridge.call.LegDialog;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Side;

/**
 * The tags and branches of the bridge's own legs. Each follows from what it is for and a secret, so that the bridge finds
 * them again after a restart without having written them down, and nobody else can guess them. Safe for any thread.
 */
final class Identifiers {
    private static final int SECRET_BYTES = 32;
    private static final String HMAC = "HmacSHA256";

    private final ThreadLocal<Mac> macs;

    /** @param secret the same for as long as calls may be taken up that were made with it */
    Identifiers(byte[] secret) {
        SecretKeySpec key = new SecretKeySpec(secret.clone(), HMAC);
        this.macs = ThreadLocal.withInitial(() -> {
            try {
                Mac mac = Mac.getInstance(HMAC);
                mac.init(key);
                return mac;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("Every JDK has " + HMAC, e);
            }
        });
    }

    static byte[] freshSecret() {
        byte[] secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        return secret;
    }

    /** The bridge's tag towards the caller, of responses that stem from no device. */
    String callerTag(CallId call) {
        return tag("caller " + call);
    }

    /** The bridge's tag towards the caller in the dialog that belongs to one of a leg. */
    String callerTag(CallId call, LegDialog dialog) {
        return tag("caller " + call + " " + dialog.leg() + " " + dialog.tag());
    }

    /**
     * The bridge's tag towards one device, which is the same in each INVITE of a call, also in one that only tells of its
     * end: a device that gets two takes the second for a copy (RFC 3261 section 8.2.2.2).
     */
    String legTag(CallId call, LegId leg) {
        return tag("leg " + call + " " + leg);
    }

    /** The Call-ID of the INVITE of a call on a leg; known before the INVITE is sent, because the push names it. */
    static String callId(CallId call, LegId leg) {
        return call + "-" + leg.value().replace(':', '-');
    }

    /** The branch of the INVITE of an attempt: one that is sent again after a restart is a repetition. */
    String inviteBranch(CallId call, LegId leg, int attempt) {
        return branch("invite " + call + " " + leg + " " + attempt);
    }

    /** The branch of the INVITE that only tells a device how a call ended. */
    String verdictBranch(CallId call, LegId leg) {
        return branch("verdict " + call + " " + leg);
    }

    /** The branch of a request inside a dialog; a number is used once in it. */
    String branch(CallId call, Side to, LegDialog dialog, String method, long cseq) {
        return branch(method + " " + call + " " + to + " " + dialog.leg() + " " + dialog.tag() + " " + cseq);
    }

    private String tag(String what) {
        return hex(what, 8);
    }

    private String branch(String what) {
        return "z9hG4bK" + hex(what, 12);
    }

    private String hex(String what, int bytes) {
        return HexFormat.of().formatHex(macs.get().doFinal(what.getBytes(StandardCharsets.UTF_8)), 0, bytes);
    }
}
