package org.pushbridge.sip;

import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.Event;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.sip.header.Header;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Device;
import org.pushbridge.device.Flow;
import org.pushbridge.sip.registrar.Addresses;
import org.pushbridge.sip.registrar.AuthResult;
import org.pushbridge.sip.registrar.DigestAuthenticator;
import org.pushbridge.sip.stack.InboundRequest;
import org.pushbridge.sip.stack.Responses;

/**
 * SUBSCRIBE (RFC 6665 section 4.2.1): a device may follow the state of its own calls, and nothing else. Runs on
 * transport threads.
 */
final class SubscribeHandler {
    private static final Logger log = LogManager.getLogger(SubscribeHandler.class);
    static final String PACKAGE = "dialog";
    private static final String RETRY_SECONDS = "10";
    private static final Duration ALWAYS_LONG_ENOUGH = Duration.ofHours(1);

    private final Bridge bridge;
    private final DigestAuthenticator digest;
    private final Subscriptions subscriptions;

    SubscribeHandler(Bridge bridge, DigestAuthenticator digest, Subscriptions subscriptions) {
        this.bridge = bridge;
        this.digest = digest;
        this.subscriptions = subscriptions;
    }

    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        private final int status;
        private final transient List<Header> headers;

        Refused(int status, List<Header> headers) {
            super("refused with " + status, null, false, false);
            this.status = status;
            this.headers = headers;
        }

        Refused(int status, String header, String value) {
            this(status, List.of((Header) Messages.header(header, value)));
        }

        static Refused because(int status, String sentence) {
            return new Refused(status, "Warning", "399 pushbridge \"" + sentence + "\"");
        }
    }

    private interface Step {
        void run() throws Refused;
    }

    /** A SUBSCRIBE outside a dialog. */
    void handle(InboundRequest request) {
        answered(request, () -> subscribe(request));
    }

    /** A SUBSCRIBE inside a dialog that is no call's. */
    void handleInDialog(InboundRequest request) {
        answered(request, () -> refresh(request));
    }

    private static void answered(InboundRequest request, Step step) {
        try {
            step.run();
        } catch (Refused refused) {
            SIPResponse response = Responses.create(request.message(), refused.status, Optional.of(Messages.token()));
            refused.headers.forEach(response::addHeader);
            request.respond(response);
            log.debug("A SUBSCRIBE from {} was refused with {}", request.flow(), refused.status);
        }
    }

    private void subscribe(InboundRequest request) throws Refused {
        SIPRequest message = request.message();
        String event = event(message);
        checkForm(message);
        Aor aor = authorize(request, addressed(message, request.flow()));
        requireUsableType(message);
        Duration expires = expires(message);
        Device device = deviceOf(message, aor, request.flow());
        Dialog dialog = dialog(message);
        Subscription made = new Subscription(subscriptions, aor, device.id(), dialog, event, request.flow());
        Subscriptions.Added added = made.begin(expires, () -> accept(request, Optional.of(dialog.localTag()), expires));
        if (!added.taken()) {
            throw new Refused(503, "Retry-After", RETRY_SECONDS);
        }
        added.replaced().ifPresent(old -> old.terminate(Subscription.End.REPLACED));
    }

    private void refresh(InboundRequest request) throws Refused {
        SIPRequest message = request.message();
        Subscription subscription = subscriptions
                .byTag(message.getToTag())
                .filter(s -> s.isDialogOf(message.getCallId().getCallId(), fromTag(message)))
                .orElseThrow(() -> new Refused(481, List.of()));
        if (!subscription.event().equals(event(message))) {
            // Another subscription in the same dialog, which RFC 6665 section 4.5.2 lets a notifier refuse.
            throw Refused.because(403, "One subscription in a dialog");
        }
        checkForm(message);
        authorize(request, subscription.aor());
        requireUsableType(message);
        Duration expires = expires(message);
        switch (subscription.refresh(request, expires, () -> accept(request, Optional.empty(), expires))) {
            case OVER -> throw new Refused(481, List.of());
            case OUT_OF_ORDER -> throw new Refused(500, List.of()); // RFC 3261 section 12.2.2
            case DONE -> {}
        }
    }

    private void accept(InboundRequest request, Optional<String> tag, Duration expires) {
        SIPResponse response = Responses.create(request.message(), 200, tag);
        response.setHeader((Header) bridge.contactFor(request.flow()));
        response.setHeader((Header) Messages.header("Expires", Long.toString(expires.toSeconds())));
        request.respond(response);
    }

    // --- what is asked for ---------------------------------------------------------------------------------------

    /** The value of Event for the NOTIFYs: the package, and the id if there is one (RFC 6665 section 4.2.1.2). */
    private static String event(SIPRequest message) throws Refused {
        if (!(message.getHeader("Event") instanceof Event event) || !PACKAGE.equals(event.getEventType())) {
            throw new Refused(489, "Allow-Events", PACKAGE);
        }
        return event.getEventId() == null ? PACKAGE : PACKAGE + ";id=" + event.getEventId();
    }

    private static void checkForm(SIPRequest message) throws Refused {
        if (message.getMaxForwards().getMaxForwards() == 0) {
            throw new Refused(483, List.of());
        }
        List<String> required = Carried.options(message, "Require");
        if (!required.isEmpty()) {
            throw new Refused(
                    420,
                    required.stream()
                            .map(tag -> (Header) Messages.header("Unsupported", tag))
                            .toList());
        }
        if (message.getToTag() == null && Messages.contactUri(message).isEmpty()) {
            throw Refused.because(400, "A SUBSCRIBE needs a Contact with one URI");
        }
    }

    /** RFC 6665 section 3.1.3: without Accept, the package's own type is meant. */
    private static void requireUsableType(SIPRequest message) throws Refused {
        List<String> types = accepted(message);
        if (!types.isEmpty() && types.stream().noneMatch(SubscribeHandler::coversDialogInfo)) {
            throw new Refused(406, "Accept", DialogInfo.CONTENT_TYPE);
        }
    }

    private static List<String> accepted(SIPRequest message) {
        List<String> types = new ArrayList<>();
        for (Iterator<SIPHeader> headers = message.getHeaders("Accept"); headers.hasNext(); ) {
            for (String type : headers.next().getHeaderValue().split(",", -1)) {
                types.add(type.replaceAll("\\s", "").toLowerCase(Locale.ROOT));
            }
        }
        return types;
    }

    private static boolean coversDialogInfo(String type) {
        String range = type.split(";", 2)[0];
        boolean refused = type.matches(".*;q=0(\\.0*)?(;.*)?");
        return !refused
                && (range.equals(DialogInfo.CONTENT_TYPE) || range.equals("application/*") || range.equals("*/*"));
    }

    private Duration expires(SIPRequest message) throws Refused {
        SubscriptionSettings settings = subscriptions.settings;
        if (message.getExpires() == null) {
            return settings.defaultExpires();
        }
        Duration asked = Duration.ofSeconds(message.getExpires().getExpires());
        if (!asked.isZero()
                && asked.compareTo(ALWAYS_LONG_ENOUGH) < 0 // RFC 6665 section 4.2.1.1
                && asked.compareTo(settings.minExpires()) < 0) {
            throw new Refused(
                    423, "Min-Expires", Long.toString(settings.minExpires().toSeconds()));
        }
        return asked.compareTo(settings.maxExpires()) > 0 ? settings.maxExpires() : asked;
    }

    // --- who asks, and about whom --------------------------------------------------------------------------------

    /** Whose state is asked for; empty if nobody of that name is served here. */
    private Optional<Aor> addressed(SIPRequest message, Flow flow) throws Refused {
        if (!(message.getRequestURI() instanceof SipUri uri)) {
            throw new Refused(416, List.of());
        }
        return Addresses.aor(uri)
                .filter(aor -> bridge.isOwnDomain(aor.host()) || bridge.isOwnAddress(aor.host(), flow))
                .map(aor -> bridge.isOwnDomain(aor.host())
                        ? aor
                        : new Aor(aor.user(), bridge.settings().defaultDomain()))
                .filter(aor -> bridge.directory().user(aor).isPresent());
    }

    private Aor authorize(InboundRequest request, Aor about) throws Refused {
        return authorize(request, Optional.of(about));
    }

    /** Strangers are challenged before they learn who is a user here. */
    private Aor authorize(InboundRequest request, Optional<Aor> about) throws Refused {
        AuthResult result = digest.authenticate(request.message(), DigestAuthenticator.Challenge.WWW);
        if (result instanceof AuthResult.Challenged challenged) {
            throw new Refused(challenged.status(), List.copyOf(challenged.headers()));
        }
        if (result instanceof AuthResult.Refused refused) {
            throw new Refused(
                    refused.status(),
                    refused
                            .retryAfterSeconds()
                            .map(seconds -> (Header) Messages.header("Retry-After", seconds))
                            .stream()
                            .toList());
        }
        Aor asking = ((AuthResult.Authenticated) result).user().aor();
        Aor asked = about.orElseThrow(() -> new Refused(404, List.of()));
        if (!asked.equals(asking)) {
            throw Refused.because(403, "Only one's own calls can be followed");
        }
        return asked;
    }

    /** The device that subscribes: the one with the Contact's instance, else the only one on this flow. */
    private Device deviceOf(SIPRequest message, Aor aor, Flow flow) throws Refused {
        List<Device> devices = bridge.directory().devices(aor);
        Optional<String> instance = Addresses.instanceIdentity(message.getContactHeader());
        Optional<Device> named = instance.flatMap(identity ->
                devices.stream().filter(d -> d.identity().equals(identity)).findFirst());
        if (named.isPresent()) {
            return named.get();
        }
        List<Device> onFlow = devices.stream()
                .filter(d -> d.bindings().stream().anyMatch(b -> b.flow().equals(flow)))
                .toList();
        if (onFlow.size() != 1) {
            throw Refused.because(
                    480,
                    onFlow.isEmpty()
                            ? "Register first; then subscribe on the same connection or with the same +sip.instance"
                            : "Several devices share this connection; subscribe with +sip.instance");
        }
        return onFlow.get(0);
    }

    /** The dialog the 200 makes (RFC 3261 section 12.1.1). */
    private static Dialog dialog(SIPRequest message) throws Refused {
        Dialog dialog = new Dialog(
                message.getCallId().getCallId(),
                Messages.party(message.getTo().getAddress()),
                Messages.token(),
                Messages.party(message.getFrom().getAddress()),
                fromTag(message),
                0,
                message.getCSeq().getSeqNumber(),
                Messages.recordRoutes(message),
                Messages.contactUri(message).orElseThrow(),
                false);
        try {
            Messages.inDialog("NOTIFY", dialog, 1);
        } catch (IllegalArgumentException | IllegalStateException unusable) {
            throw Refused.because(400, "No NOTIFY can be made for this Contact, From or Record-Route");
        }
        return dialog;
    }

    private static String fromTag(SIPRequest message) {
        return message.getFromTag() == null ? "" : message.getFromTag();
    }
}
