package org.pushbridge.sip;

import gov.nist.javax.sip.message.SIPRequest;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.pushbridge.call.LegDialog;
import org.pushbridge.sip.stack.InboundRequest;

/**
 * What the bridge keeps of the caller's leg. The caller sees each dialog of a device leg as a dialog of its own, with a
 * To tag of its own, as behind a forking proxy. Belongs to the call's thread.
 */
final class CallerLeg {
    final InboundRequest invite;
    FarEnd farEnd;
    private final boolean trusted;
    private @Nullable Carried offer;
    /** Read when it is first needed: of a call that is taken up from the journal and talks on, nothing may ever be. */
    private volatile @Nullable Heading heading;

    /** The To tag of responses that stem from no device. */
    final String ownTag;

    final Map<LegDialog, Dialog> dialogs = new HashMap<>();

    private final Function<LegDialog, String> tags;
    private final Consumer<String> claim;

    /**
     * @param tags the bridge's tag in each dialog with the caller
     * @param claim told of each tag the bridge takes in a dialog with the caller
     */
    CallerLeg(
            InboundRequest invite,
            FarEnd farEnd,
            String ownTag,
            Function<LegDialog, String> tags,
            Consumer<String> claim) {
        this.ownTag = ownTag;
        this.tags = tags;
        this.claim = claim;
        claim.accept(ownTag);
        this.invite = invite;
        this.farEnd = farEnd;
        this.trusted = farEnd.isTrusted();
    }

    /** What is needed of the INVITE time and again. */
    private record Heading(String from, String to, String requestUri, String callId, long cseq) {
        static Heading of(SIPRequest invite) {
            return new Heading(
                    Messages.party(invite.getFrom().getAddress()),
                    Messages.party(invite.getTo().getAddress()),
                    invite.getRequestURI().toString(),
                    invite.getCallId().getCallId(),
                    invite.getCSeq().getSeqNumber());
        }
    }

    private Heading heading() {
        Heading known = heading;
        if (known == null) {
            known = Heading.of(invite.message());
            heading = known;
        }
        return known;
    }

    /** Who calls, as text: From of every leg. */
    String from() {
        return heading().from();
    }

    /** Who is called, as text: To of every leg. */
    String to() {
        return heading().to();
    }

    String requestUri() {
        return heading().requestUri();
    }

    /** Any thread may ask. */
    String callId() {
        return heading().callId();
    }

    long cseq() {
        return heading().cseq();
    }

    /** What its INVITE carries across. */
    Carried offer() {
        Carried known = offer;
        if (known == null) {
            known = Carried.of(invite.message(), trusted);
            offer = known;
        }
        return known;
    }

    /** Takes little room until it is next needed. */
    void fold() {
        offer = null;
        invite.fold();
    }

    /** The caller's dialog that belongs to a dialog of a device leg; made when first needed (RFC 3261 section 12.1.1). */
    Dialog dialog(LegDialog legDialog) {
        return dialogs.computeIfAbsent(legDialog, key -> {
            SIPRequest message = invite.message();
            String tag = tags.apply(key);
            claim.accept(tag);
            return new Dialog(
                    callId(),
                    to(),
                    tag,
                    from(),
                    message.getFromTag() == null ? "" : message.getFromTag(),
                    0,
                    cseq(),
                    Messages.recordRoutes(message),
                    Messages.contactUri(message)
                            .orElse(message.getFrom().getAddress().getURI().toString()),
                    isSecure(message));
        });
    }

    /** Takes up a dialog from before the bridge was started anew. */
    void restore(LegDialog legDialog, Dialog dialog) {
        dialogs.put(legDialog, dialog);
        claim.accept(dialog.localTag());
    }

    Optional<LegDialog> byLocalTag(String tag) {
        for (Map.Entry<LegDialog, Dialog> each : dialogs.entrySet()) {
            if (each.getValue().localTag().equals(tag)) {
                return Optional.of(each.getKey());
            }
        }
        return Optional.empty();
    }

    private boolean isSecure(SIPRequest message) {
        return message.getRequestURI().getScheme().equalsIgnoreCase("sips")
                && invite.flow().transport().equals("tls");
    }
}
