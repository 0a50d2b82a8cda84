package org.pushbridge.sip;

import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import javax.sip.header.Header;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.call.CallId;
import org.pushbridge.call.Verdict;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;
import org.pushbridge.device.Tombstone;
import org.pushbridge.sip.stack.ClientCall;
import org.pushbridge.sip.stack.Destination;
import org.pushbridge.sip.stack.ResponseHandler;

/**
 * Tells devices over SIP how calls ended that they were pushed to for (invariant 4): right behind the 200 to their
 * REGISTER, in the way their app understands. Safe for any thread.
 *
 * <p>An app on dialog events gets a NOTIFY with the calls that are alive. Any other gets an INVITE that is cancelled at
 * once: the call its push announced appears, and is over. It has the Call-ID, From tag and CSeq of the call's own INVITE,
 * so that a device that gets both takes the second for a copy (RFC 3261 section 8.2.2.2), and the same branch each time:
 * a device that still rings for it, over a connection that is gone or a bridge that died, is cancelled by the next.
 */
final class Verdicts {
    private static final Logger log = LogManager.getLogger(Verdicts.class);
    private static final long CSEQ = 1;
    /** What the INVITE offers. It is cancelled before anyone can take it up, but there are apps that want an offer. */
    private static final String OFFER = """
            v=0\r
            o=- 0 0 IN IP4 0.0.0.0\r
            s=-\r
            c=IN IP4 0.0.0.0\r
            t=0 0\r
            m=audio 9 RTP/AVP 0 8 101\r
            a=rtpmap:101 telephone-event/8000\r
            a=inactive\r
            """;

    private final Bridge bridge;
    private final DialogEvents dialogEvents;
    /** The INVITEs under way, and what they went out on. */
    private final Map<Due, Flow> underWay = new ConcurrentHashMap<>();

    private record Due(UUID call, DeviceId device) {
        static Due of(Tombstone tombstone) {
            return new Due(tombstone.call(), tombstone.device());
        }
    }

    Verdicts(Bridge bridge, DialogEvents dialogEvents) {
        this.bridge = bridge;
        this.dialogEvents = dialogEvents;
    }

    /** The device has registered over this flow, and its 200 is on the way: it is told what is due. */
    void onRegistered(Device device, Flow flow) {
        device.bindings().stream()
                .filter(binding -> binding.flow().equals(flow))
                .max(Comparator.comparing(Binding::registeredAt))
                .ifPresent(binding -> tell(device, binding));
    }

    /**
     * The bridge was started anew: devices that had come back already, and may have been told half of it, are told.
     *
     * @param ringLimit a device that registered longer before the end than this had the call itself
     */
    void resume(Duration ringLimit) {
        bridge.tombstones()
                .untold()
                .forEach((id, due) -> bridge.directory()
                        .device(id)
                        .filter(device -> bridge.reachableBinding(device)
                                .filter(binding -> due.stream()
                                        .anyMatch(each -> binding.registeredAt()
                                                .isAfter(each.endedAt().minus(ringLimit))))
                                .isPresent())
                        .ifPresent(this::tell));
    }

    /** Tells a device what is due, if anything is and it is connected. */
    void tell(Device device) {
        if (bridge.tombstones().untold(device.id()).isEmpty()) {
            return;
        }
        bridge.reachableBinding(device).ifPresent(binding -> tell(device, binding));
    }

    private void tell(Device device, Binding binding) {
        List<Tombstone> due = bridge.tombstones().untold(device.id());
        AppRules.VerdictBy way = bridge.settings().rulesFor(device).verdict();
        boolean understandsEvents = binding.dialogEvents() || way == AppRules.VerdictBy.DIALOG_EVENTS;
        boolean byEvents = way == AppRules.VerdictBy.AUTO || way == AppRules.VerdictBy.DIALOG_EVENTS;
        // One that subscribed is told in any case: it asked.
        Optional<CompletionStage<Boolean>> told =
                dialogEvents.onRegistered(device, binding.flow(), byEvents && understandsEvents);
        if (told.isPresent()) {
            var unused = told.get().thenAccept(acknowledged -> {
                if (acknowledged) {
                    due.forEach(each -> bridge.tombstones().told(each.call(), each.device()));
                }
            });
        } else if (way == AppRules.VerdictBy.AUTO || way == AppRules.VerdictBy.INVITE_CANCEL) {
            inviteAndCancel(device, binding);
        }
    }

    /**
     * A device that came back over a new connection does not know the INVITE any more that it had, though its app may
     * show the call. If it is one that is told by NOTIFY, it has been.
     */
    void onInviteForgotten(Device device) {
        AppRules.VerdictBy way = bridge.settings().rulesFor(device).verdict();
        bridge.reachableBinding(device)
                .filter(binding -> way == AppRules.VerdictBy.INVITE_CANCEL
                        || (way == AppRules.VerdictBy.AUTO && !binding.dialogEvents()))
                .ifPresent(binding -> inviteAndCancel(device, binding));
    }

    /** A tombstone was just made: a device that showed up meanwhile may not register again for long. */
    void onBuried(Device device, Instant callBegan) {
        boolean cameMeanwhile = bridge.reachableBinding(device)
                .filter(binding -> !binding.registeredAt().isBefore(callBegan))
                .isPresent();
        if (cameMeanwhile) {
            tell(device);
        }
    }

    // --- INVITE and CANCEL ---------------------------------------------------------------------------------------

    private void inviteAndCancel(Device device, Binding binding) {
        if (!bridge.isTalking(device.id())) { // else it is told when it has hung up
            bridge.tombstones().untold(device.id()).forEach(each -> inviteAndCancel(device, binding, each));
        }
    }

    private void inviteAndCancel(Device device, Binding binding, Tombstone tombstone) {
        if (tombstone.had()) {
            return; // its own INVITE is cancelled; another would not end what it shows
        }
        Flow before = underWay.put(Due.of(tombstone), binding.flow());
        if (binding.flow().equals(before)) {
            return;
        }
        String callId = Identifiers.callId(new CallId(tombstone.call()), Bridge.leg(device.id()));
        String target = Messages.withoutPushParameters(binding.contact());
        SIPRequest invite = Messages.request(
                "INVITE",
                target,
                caller(tombstone),
                bridge.identifiers().legTag(new CallId(tombstone.call()), Bridge.leg(device.id())),
                "<sip:" + Messages.userPart(device.aor().user()) + "@"
                        + device.aor().host() + ">",
                Optional.empty(),
                callId,
                CSEQ,
                Messages.MAX_FORWARDS,
                binding.path());
        Destination destination = new Destination.OverFlow(binding.flow());
        invite.setHeader((Header) Messages.header(
                "X-Pushbridge-Call-UUID",
                CallKitUuid.of(new CallId(tombstone.call())).toString()));
        invite.setHeader((Header) bridge.contactFor(destination));
        invite.setHeader((Header) Messages.allow());
        Messages.setBody(invite, "application/sdp", OFFER);
        String branch = bridge.identifiers().verdictBranch(new CallId(tombstone.call()), Bridge.leg(device.id()));
        ClientCall sent =
                bridge.stack().send(invite, branch, destination, new Outcome(tombstone, binding.flow(), target));
        sent.cancel(Reasons.lateVerdict(
                Verdict.ofWord(tombstone.reason()), bridge.settings().rulesFor(device)));
        log.info(
                "device={} woke after call={} had ended: {}; it is told by INVITE and CANCEL",
                device.id(),
                tombstone.call(),
                tombstone.reason());
    }

    private static String caller(Tombstone tombstone) {
        try {
            return Messages.named(tombstone.displayName(), tombstone.from());
        } catch (IllegalArgumentException e) {
            return "\"Anonymous\" <sip:anonymous@anonymous.invalid>"; // RFC 3261 section 8.1.1.3
        }
    }

    private final class Outcome implements ResponseHandler {
        private final Tombstone tombstone;
        private final Flow flow;
        private final String target;

        Outcome(Tombstone tombstone, Flow flow, String target) {
            this.tombstone = tombstone;
            this.flow = flow;
            this.target = target;
        }

        @Override
        public void onResponse(SIPResponse response) {
            if (response.getStatusCode() < 200) {
                return;
            }
            if (response.getStatusCode() < 300) {
                hangUp(response);
            }
            over();
            bridge.tombstones().told(tombstone.call(), tombstone.device());
        }

        /** The user was quicker than the CANCEL. */
        private void hangUp(SIPResponse response) {
            Dialog dialog = new Dialog(
                    response.getCallId().getCallId(),
                    Messages.party(response.getFrom().getAddress()),
                    response.getFromTag(),
                    Messages.party(response.getTo().getAddress()),
                    response.getToTag() == null ? "" : response.getToTag(),
                    CSEQ + 1,
                    -1,
                    Messages.reversed(Messages.recordRoutes(response)),
                    Messages.contactUri(response).orElse(target),
                    false);
            Destination destination = new Destination.OverFlow(flow);
            bridge.stack().sendAck(Messages.inDialog("ACK", dialog, CSEQ), destination);
            bridge.stack().send(Messages.inDialog("BYE", dialog, CSEQ + 1), destination, ResponseHandler.NOBODY_CARES);
        }

        @Override
        public void onTimeout() {
            over(); // it is still due
        }

        @Override
        public void onTransportFailure(String why) {
            over();
        }

        private void over() {
            underWay.remove(Due.of(tombstone), flow);
        }
    }
}
