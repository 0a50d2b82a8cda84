package org.pushbridge.sip;

import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import javax.sip.address.TelURL;
import javax.sip.address.URI;
import javax.sip.header.Header;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.call.CallId;
import org.pushbridge.call.CallPlan;
import org.pushbridge.call.CallPlan.Candidate;
import org.pushbridge.call.CallPlan.Reach;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Pushes;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Device;
import org.pushbridge.device.Flow;
import org.pushbridge.engine.RunningCall;
import org.pushbridge.sip.registrar.Addresses;
import org.pushbridge.sip.registrar.AuthResult;
import org.pushbridge.sip.registrar.DigestAuthenticator;
import org.pushbridge.sip.stack.InboundRequest;
import org.pushbridge.sip.stack.Responses;

/**
 * INVITE outside a dialog: who calls, may they, whom do they call, and how is that one reached. What passes becomes a
 * call of the engine; what does not is answered here. Runs on transport threads.
 */
final class InviteHandler {
    private static final Logger log = LogManager.getLogger(InviteHandler.class);

    private final Bridge bridge;
    private final DigestAuthenticator digest;

    InviteHandler(Bridge bridge, DigestAuthenticator digest) {
        this.bridge = bridge;
        this.digest = digest;
    }

    /** A refusal: a status and what to add to the response. */
    private record Refusal(int status, List<Header> headers) {
        static Refusal of(int status) {
            return new Refusal(status, List.of());
        }

        static Refusal of(int status, String header, String value) {
            return new Refusal(status, List.of((Header) Messages.header(header, value)));
        }
    }

    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        private final transient Refusal refusal;

        Refused(Refusal refusal) {
            super("refused with " + refusal.status(), null, false, false);
            this.refusal = refusal;
        }
    }

    void handle(InboundRequest request) {
        CancelSwitch cancel = new CancelSwitch();
        request.attach(cancel);
        boolean answeredSoFar = false;
        try {
            checkAdmission();
            SIPRequest message = request.message();
            checkForm(message);
            FarEnd caller = authorize(request);
            CallMemory.Called called = find(request, caller);
            answeredSoFar = true;
            begin(request, caller, called, cancel);
        } catch (Refused refused) {
            refuse(request, refused.refusal, answeredSoFar);
            cancel.connect(InboundRequest::confirm);
        }
    }

    private void checkAdmission() throws Refused {
        Optional<CallRefusal> obstacle = bridge.admission().obstacle();
        if (obstacle.isPresent()) {
            throw new Refused(notNow(obstacle.get()));
        }
    }

    private Refusal notNow(CallRefusal why) {
        bridge.admission().refused(why);
        return Refusal.of(503, "Retry-After", Long.toString(bridge.admission().retryAfter()));
    }

    /** @param answered whether there may have been a 100, which keeps the caller from sending the INVITE again */
    private void refuse(InboundRequest request, Refusal refusal, boolean answered) {
        SIPResponse response = Responses.create(request.message(), refusal.status(), Optional.of(Messages.token()));
        refusal.headers().forEach(response::addHeader);
        if (answered) {
            request.respond(response);
        } else {
            request.respondOnce(response);
        }
        log.debug(
                "An INVITE from {} to {} was refused with {}",
                request.flow(),
                request.message().getRequestURI(),
                refusal.status());
    }

    // --- its form ------------------------------------------------------------------------------------------------

    private static void checkForm(SIPRequest message) throws Refused {
        if (message.getMaxForwards().getMaxForwards() == 0) {
            throw new Refused(Refusal.of(483));
        }
        List<String> unsupported = Carried.unsupported(message);
        if (!unsupported.isEmpty()) {
            throw new Refused(new Refusal(
                    420,
                    unsupported.stream()
                            .map(tag -> (Header) Messages.header("Unsupported", tag))
                            .toList()));
        }
        if (Messages.contactUri(message).isEmpty()) {
            // RFC 3261 section 8.1.1.8: without it nothing can be sent inside the dialog.
            throw new Refused(Refusal.of(400, "Warning", "399 pushbridge \"An INVITE needs a Contact with one URI\""));
        }
    }

    // --- who calls -----------------------------------------------------------------------------------------------

    private FarEnd authorize(InboundRequest request) throws Refused {
        Optional<Trunk> trunk = bridge.settings().trunks().stream()
                .filter(t -> t.owns(request.flow().remote()))
                .findFirst();
        // A device may live on a trunk's address (a test set-up, a NAT); it is known by its credentials or its domain.
        if (trunk.isPresent() && request.message().getHeader("Proxy-Authorization") == null && !isFromDevice(request)) {
            return new FarEnd.TrunkEnd(trunk.get(), Optional.of(request.flow()));
        }
        AuthResult result = digest.authenticate(request.message(), DigestAuthenticator.Challenge.PROXY);
        if (result instanceof AuthResult.Authenticated authenticated) {
            Aor aor = authenticated.user().aor();
            if (!claims(request.message(), aor)) {
                throw new Refused(Refusal.of(
                        403, "Warning", "399 pushbridge \"The From address is not the authenticated user's\""));
            }
            return new FarEnd.DeviceEnd(aor, deviceOn(aor, request.flow()).map(Device::id), request.flow());
        }
        if (result instanceof AuthResult.Challenged challenged) {
            throw new Refused(new Refusal(407, List.copyOf(challenged.headers())));
        }
        AuthResult.Refused refused = (AuthResult.Refused) result;
        throw new Refused(refused.retryAfterSeconds()
                .map(seconds -> Refusal.of(refused.status(), "Retry-After", seconds))
                .orElseGet(
                        () -> Refusal.of(refused.status(), "Warning", "399 pushbridge \"" + refused.reason() + "\"")));
    }

    private boolean isFromDevice(InboundRequest request) {
        return fromAor(request.message())
                .filter(aor -> deviceOn(aor, request.flow()).isPresent())
                .isPresent();
    }

    private boolean claims(SIPRequest message, Aor aor) {
        return fromAor(message).filter(aor::equals).isPresent();
    }

    private static Optional<Aor> fromAor(SIPRequest message) {
        return Addresses.aor(message.getFrom().getAddress().getURI());
    }

    private Optional<Device> deviceOn(Aor aor, Flow flow) {
        return bridge.directory().devices(aor).stream()
                .filter(device ->
                        device.bindings().stream().anyMatch(b -> b.flow().equals(flow)))
                .findFirst();
    }

    // --- whom --------------------------------------------------------------------------------------------------

    private CallMemory.Called find(InboundRequest request, FarEnd caller) throws Refused {
        URI uri = request.message().getRequestURI();
        String user;
        String domain = bridge.settings().defaultDomain();
        if (uri instanceof TelURL tel) {
            user = (tel.isGlobal() ? "+" : "") + tel.getPhoneNumber();
        } else if (uri instanceof SipUri sip) {
            Aor named = Addresses.aor(sip).orElseThrow(() -> new Refused(Refusal.of(404)));
            user = named.user();
            if (bridge.isOwnDomain(named.host())) {
                domain = named.host();
            } else if (!bridge.isOwnAddress(named.host(), request.flow())) {
                throw new Refused(Refusal.of(
                        404, "Warning", "399 pushbridge \"The domain of the Request-URI is not served here\""));
            }
        } else {
            throw new Refused(Refusal.of(416));
        }
        Aor aor = new Aor(user, domain);
        if (bridge.directory().user(aor).isPresent()) {
            return new CallMemory.Called.ByUser(aor);
        }
        // Only users may call out: a trunk is no way to another trunk.
        Optional<Trunk> out = caller instanceof FarEnd.DeviceEnd
                ? bridge.settings().trunks().stream()
                        .filter(t -> t.match(user) >= 0)
                        .max(Comparator.comparingInt(t -> t.match(user)))
                : Optional.empty();
        return new CallMemory.Called.ByTrunk(out.orElseThrow(() -> new Refused(Refusal.of(404))), user);
    }

    // --- how ---------------------------------------------------------------------------------------------------

    private void begin(InboundRequest request, FarEnd caller, CallMemory.Called called, CancelSwitch cancel)
            throws Refused {
        SipSettings settings = bridge.settings();
        int whileParked = caller instanceof FarEnd.TrunkEnd end
                ? end.trunk().whileParked().orElse(settings.whileParked())
                : settings.whileParked();
        List<Candidate> candidates = candidates(caller, called);
        if (candidates.stream().noneMatch(c -> c.pushes().wake() || c.reach() != Reach.ASLEEP)) {
            throw new Refused(Refusal.of(480, "Reason", "Q.850;cause=20;text=\"No device is registered\""));
        }
        Optional<LegId> callerLeg =
                caller instanceof FarEnd.DeviceEnd end ? end.id().map(Bridge::leg) : Optional.empty();
        CallPlan plan = new CallPlan(
                CallId.random(),
                callerLeg,
                candidates,
                settings.ringLimit(),
                settings.silenceLimit(),
                settings.durationLimit(),
                settings.holdLimit(),
                whileParked,
                settings.declinesAll());
        RunningCall<BridgedCall> call = bridge.engine()
                .begin(plan, running -> new BridgedCall(bridge, running, request, caller, called))
                .orElseThrow(() -> new Refused(notNow(CallRefusal.CALLS)));
        call.submit(() -> call.edge().catchUp());
        cancel.connect(by -> call.submit(() -> call.edge().onCancel(by)));
    }

    private List<Candidate> candidates(FarEnd caller, CallMemory.Called called) throws Refused {
        if (called instanceof CallMemory.Called.ByTrunk out) {
            return List.of(new Candidate(new LegId("trunk:" + out.trunk().name()), Reach.CONNECTED, Pushes.NONE));
        }
        Aor aor = ((CallMemory.Called.ByUser) called).aor();
        long parked = bridge.engine().byAor(aor.toString()).stream()
                .filter(call -> call.edge().rings(aor))
                .count();
        if (parked >= bridge.settings().maxParkedPerUser()) {
            bridge.admission().refused(CallRefusal.UNANSWERED_OF_USER);
            throw new Refused(Refusal.of(486, "Retry-After", "5"));
        }
        return bridge.directory().devices(aor).stream()
                .filter(device ->
                        !(caller instanceof FarEnd.DeviceEnd end && end.id().equals(Optional.of(device.id()))))
                .map(this::candidate)
                .toList();
    }

    private Candidate candidate(Device device) {
        boolean connected = bridge.reachableBinding(device).isPresent();
        Reach reach = connected ? Reach.CONNECTED : Reach.ASLEEP;
        if (!bridge.settings().callWaiting() && bridge.isBusy(device.id())) {
            reach = Reach.BUSY;
        }
        return new Candidate(Bridge.leg(device.id()), reach, bridge.pushes(device));
    }
}
