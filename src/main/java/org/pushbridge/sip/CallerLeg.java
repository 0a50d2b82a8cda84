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
    /** Who calls and who is called, as text: From and To of every leg. */
    final String from;

    final String to;
    final String requestUri;
    final String callId;
    final long cseq;
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
        this.from = Messages.party(invite.message().getFrom().getAddress());
        this.to = Messages.party(invite.message().getTo().getAddress());
        this.requestUri = invite.message().getRequestURI().toString();
        this.callId = invite.message().getCallId().getCallId();
        this.cseq = invite.message().getCSeq().getSeqNumber();
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
                    callId,
                    to,
                    tag,
                    from,
                    message.getFromTag() == null ? "" : message.getFromTag(),
                    0,
                    cseq,
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
