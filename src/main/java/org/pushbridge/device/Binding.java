package org.pushbridge.device;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;

/**
 * One registered Contact of a device (RFC 3261 section 10).
 *
 * @param contact the Contact URI as received, pn-* parameters included; never shown to another user (RFC 8599
 *     section 5.3.1)
 * @param contactParameters the Contact header parameters as received, such as {@code ;+sip.instance="<urn:uuid:..>"},
 *     without q and expires; echoed in the 200 to REGISTER
 * @param q the preference, 0 to 1000 thousandths
 * @param regId the {@code reg-id} (RFC 5626), if the device uses outbound
 * @param flow what the REGISTER came over
 * @param path the Path header values, topmost first (RFC 3327); become the Route set of requests to the device
 * @param callId the Call-ID of the REGISTER
 * @param cseq the CSeq of the REGISTER; a lower one with the same Call-ID is out of order
 * @param registeredAt when it was last refreshed
 * @param expires for how long from then on it counts
 * @param userAgent the User-Agent, or empty
 * @param dialogEvents whether the app says it understands dialog events (RFC 4235)
 */
public record Binding(
        String contact,
        String contactParameters,
        int q,
        OptionalInt regId,
        Flow flow,
        List<String> path,
        String callId,
        long cseq,
        Instant registeredAt,
        Duration expires,
        String userAgent,
        boolean dialogEvents) {
    public Binding {
        path = List.copyOf(path);
        if (q < 0 || q > 1000) {
            throw new IllegalArgumentException("q is 0 to 1000 thousandths, not " + q);
        }
    }

    public Instant expiresAt() {
        return registeredAt.plus(expires);
    }

    public boolean isLiveAt(Instant now) {
        return now.isBefore(expiresAt());
    }

    @Override
    public String toString() {
        return "Binding[" + flow + " q=" + q + " until " + expiresAt() + "]";
    }
}
