package org.pushbridge.sip;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.pushbridge.call.LegId;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.stack.ClientCall;

/** What the bridge keeps of one leg away from the caller. Belongs to the call's thread. */
final class DeviceLeg {
    private static final int TRYING = 100;
    private static final int FLOW_FAILED = 430;
    /** It has another copy of the INVITE (RFC 3261 section 8.2.2.2). */
    static final int MERGED_REQUEST = 482;
    /** How many dialogs one leg may make; a fork has a handful of branches. */
    private static final int MAX_DIALOGS = 32;

    final LegId id;
    final String callId;
    /** The same for each attempt, so that a device that gets two knows them for one (RFC 3261 section 8.2.2.2). */
    final String localTag;

    FarEnd farEnd;
    /** What the newest INVITE was sent to; the remote target until a Contact says better. */
    String requestUri = "";
    /** The INVITE of each attempt. */
    final Map<Integer, ClientCall> invites = new HashMap<>();
    /** What the INVITE of each attempt went out on. */
    final Map<Integer, Flow> flows = new HashMap<>();
    /** Early and confirmed dialogs by the far end's tag. */
    final Map<String, Dialog> dialogs = new HashMap<>();
    /** The tags whose 2xx has been reported. */
    final Set<String> answered = new HashSet<>();

    private boolean heard;
    /** The attempts whose INVITE its device took for the first. */
    private final Set<Integer> taken = new HashSet<>();

    private boolean ended;

    /** Notes that its device answered something; true the first time. */
    boolean noteHeard() {
        boolean first = !heard;
        heard = true;
        return first;
    }

    /** Whether a response with this To tag is of a known dialog, or may make one more; others are not listened to. */
    boolean hasRoomFor(String tag) {
        return dialogs.containsKey(tag) || dialogs.size() < MAX_DIALOGS;
    }

    /** Notes what its device answered to an attempt: who has another copy says 482 (RFC 3261 section 8.2.2.2). */
    void noteTaken(int attempt, int status) {
        if (status > TRYING && status != MERGED_REQUEST && status != FLOW_FAILED) {
            taken.add(attempt);
        }
    }

    /** Whether its device has the call by another attempt's INVITE, so that it cannot have this one's. */
    boolean tookAnotherThan(int attempt) {
        return taken.stream().anyMatch(other -> other != attempt);
    }

    /** Notes that its device gave an INVITE a final response that is no 2xx. */
    void noteEnded(int status) {
        ended |= status != MERGED_REQUEST;
    }

    /** Whether its device knows that an INVITE of the call is over. */
    boolean hasEndedAnInvite() {
        return ended || !answered.isEmpty();
    }

    DeviceLeg(LegId id, String callId, String localTag, FarEnd farEnd) {
        this.id = id;
        this.callId = callId;
        this.localTag = localTag;
        this.farEnd = farEnd;
    }
}
