package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.header.Unsupported;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.device.Aor;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.Flow;
import org.pushbridge.device.PushReading;
import org.pushbridge.device.PushToken;

/**
 * Answers REGISTER (RFC 3261 section 10.3) with digest, outbound (RFC 5626), Path (RFC 3327) and push (RFC 8599).
 *
 * <p>Called by the SIP edge for each REGISTER that is not a retransmission. Safe for any thread; never blocks. A 200
 * is there only when the store has what it acknowledges (invariant 7).
 */
public final class Registrar {
    private static final Logger LOG = LogManager.getLogger(Registrar.class);

    private static final Set<String> SUPPORTED = Set.of("path", "outbound");
    private static final String PUSH_NOT_SUPPORTED = "Push Notification Service Not Supported";
    private static final int LONGEST_USER_AGENT = 200;
    private static final List<String> PORTSIP_HEADERS = List.of("x-p-push", "portsip-push");
    private static final Pattern CONTROLS = Pattern.compile("\\p{Cntrl}");

    private final RegistrarSettings settings;
    private final DeviceDirectory directory;
    private final DigestAuthenticator authenticator;
    private final Clock clock;
    private final RegisterResponses responses = new RegisterResponses();

    /**
     * @param response to send; complete but for what the transport adds
     * @param registered what may now be called, if the REGISTER was accepted and is not a mere removal or question
     */
    public record Registration(SIPResponse response, Optional<Registered> registered) {}

    /** A device that is reachable now, over the flow of this binding. */
    public record Registered(Device device, Binding binding) {}

    /** @param authenticator must know the same domains as {@code settings} */
    public Registrar(
            RegistrarSettings settings, DeviceDirectory directory, DigestAuthenticator authenticator, Clock clock) {
        this.settings = settings;
        this.directory = directory;
        this.authenticator = authenticator;
        this.clock = clock;
    }

    /**
     * Answers a REGISTER.
     *
     * @param flow what it came over
     * @return the answer, once what it says is on disk. Completes normally even if the store fails: with a 500
     */
    public CompletionStage<Registration> register(SIPRequest request, Flow flow) {
        try {
            Aor aor = addressed(request, flow);
            requireKnownExtensions(request);
            authenticate(request, aor);
            return accept(request, aor, flow);
        } catch (RefusedException refused) {
            logRefusal(request, flow, refused);
            return CompletableFuture.completedFuture(
                    new Registration(responses.refused(request, refused), Optional.empty()));
        }
    }

    /** Steps 1 and 5 of RFC 3261 section 10.3. The Request-URI may also be the address the request came to. */
    private Aor addressed(SIPRequest request, Flow flow) {
        if (!(request.getRequestURI() instanceof SipUri server) || server.getHost() == null) {
            throw new RefusedException(416, "Unsupported URI Scheme");
        }
        String host = server.getHost().toLowerCase(Locale.ROOT);
        Aor aor = Addresses.aor(request.getTo().getAddress().getURI())
                .orElseThrow(() -> new RefusedException(400, "To Names No User"));
        boolean ours = settings.domains().contains(host)
                || Addresses.isAddress(host, flow.local().getAddress());
        if (!ours || !settings.domains().contains(aor.host())) {
            throw new RefusedException(404, "Not A Domain Of This Registrar");
        }
        return aor;
    }

    private static void requireKnownExtensions(SIPRequest request) {
        List<Unsupported> unknown = new ArrayList<>(0);
        for (String tag : values(request, "Require")) {
            if (!SUPPORTED.contains(tag)) {
                unknown.add(new Unsupported(tag));
            }
        }
        if (!unknown.isEmpty()) {
            throw new RefusedException(420, "Bad Extension", Optional.empty(), unknown);
        }
    }

    private void authenticate(SIPRequest request, Aor aor) {
        AuthResult result = authenticator.authenticate(request, DigestAuthenticator.Challenge.WWW);
        if (result instanceof AuthResult.Challenged challenged) {
            throw new RefusedException(challenged.status(), "Unauthorized", Optional.empty(), challenged.headers());
        }
        if (result instanceof AuthResult.Refused refused) {
            throw new RefusedException(
                    refused.status(),
                    refused.reason(),
                    Optional.empty(),
                    refused.retryAfter().map(RegisterResponses::retryAfter).stream()
                            .toList());
        }
        if (result instanceof AuthResult.Authenticated authenticated
                && !authenticated.user().aor().equals(aor)) {
            throw new RefusedException(403, "Not Your Address");
        }
    }

    private CompletionStage<Registration> accept(SIPRequest request, Aor aor, Flow flow) {
        Instant now = clock.instant();
        List<Contact> contacts = contacts(request);
        boolean all = isWildcard(request, contacts);
        List<RegisterChange.Granted> granted = all ? List.of() : granted(request, contacts, aor);
        requireOutboundPath(request, granted);
        RegisterChange change = new RegisterChange(
                aor,
                granted,
                now,
                flow,
                path(request),
                request.getCallId().getCallId(),
                request.getCSeq().getSeqNumber(),
                userAgent(request),
                understandsDialogEvents(request),
                settings.maxContacts());
        RegisterChange.Outcome[] outcome = new RegisterChange.Outcome[1];
        CompletionStage<Void> stored = directory.updateAll(aor, known -> {
            outcome[0] = all ? change.removeAll(known) : change.applyTo(known);
            return outcome[0].devices();
        });
        List<CompletableFuture<Void>> moved = new ArrayList<>();
        for (PushToken token : tokens(granted)) {
            moved.add(directory.keepNewestHolder(token).toCompletableFuture());
        }
        CompletableFuture<Void> tokensMoved = CompletableFuture.allOf(moved.toArray(CompletableFuture[]::new));
        return stored.thenCombine(tokensMoved, (done, alsoDone) -> registration(request, change, outcome[0]))
                .exceptionally(failure -> {
                    // Only the kind: a database puts the values it chokes on into its messages, tokens among them.
                    LOG.error(
                            "A REGISTER could not be stored and was answered 500: aor={} flow={} cause={}",
                            aor,
                            flow,
                            rootOf(failure).getClass().getName());
                    return new Registration(responses.notStored(request), Optional.empty());
                });
    }

    private Registration registration(SIPRequest request, RegisterChange change, RegisterChange.Outcome outcome) {
        boolean outbound = false;
        for (RegisterChange.Granted granted : change.contacts()) {
            outbound |= !granted.leaves() && granted.contact().regId().isPresent();
        }
        SIPResponse response = responses.accepted(
                request,
                outcome.devices(),
                outcome.own(),
                featureCaps(change.contacts(), outcome.own()),
                outbound,
                change.now());
        Optional<Registered> registered = Optional.empty();
        for (Device device : outcome.own()) {
            registered = registered.or(() -> change.bindingOf(device).map(b -> new Registered(device, b)));
        }
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Accepted a REGISTER: aor={} device={} flow={} bindings={}",
                    change.aor(),
                    registered.map(r -> r.device().id().toString()).orElse("none"),
                    change.flow(),
                    outcome.devices().stream()
                            .mapToInt(d -> d.bindings().size())
                            .sum());
        }
        return new Registration(response, registered);
    }

    /** Whether it is {@code Contact: *}, which is for removing all bindings only (RFC 3261 section 10.3 step 6). */
    private static boolean isWildcard(SIPRequest request, List<Contact> contacts) {
        boolean wildcard = false;
        for (Contact contact : contacts) {
            wildcard |= contact.getWildCardFlag();
        }
        if (!wildcard) {
            return false;
        }
        boolean removesAll = contacts.size() == 1
                && request.getExpires() != null
                && request.getExpires().getExpires() == 0;
        if (!removesAll) {
            throw new RefusedException(400, "Contact * Needs Expires 0 And Stands Alone");
        }
        return true;
    }

    private static List<Contact> contacts(SIPRequest request) {
        List<Contact> contacts = new ArrayList<>();
        // The parser leaves a header it cannot read aside. Without this, a damaged Contact would pass for a question.
        Iterator<String> unread = request.getUnrecognizedHeaders();
        while (unread.hasNext()) {
            String line = unread.next();
            if (DamagedContact.isContact(line)) {
                contacts.addAll(DamagedContact.mended(line)
                        .orElseThrow(() ->
                                new RefusedException(400, "Contact Cannot Be Read", DamagedContact.explanation(line))));
            }
        }
        request.getHeaders("Contact").forEachRemaining(header -> contacts.add((Contact) header));
        return contacts;
    }

    private List<RegisterChange.Granted> granted(SIPRequest request, List<Contact> contacts, Aor aor) {
        if (contacts.size() > settings.maxContacts()) {
            throw RegisterChange.tooManyContacts(settings.maxContacts());
        }
        List<Device> known = directory.devices(aor);
        boolean outbound = supports(request, "outbound");
        // It says nothing about which Contact it is for.
        Optional<RequestedContact.Push> header = contacts.size() == 1 ? portSip(request) : Optional.empty();
        List<RegisterChange.Granted> granted = new ArrayList<>(contacts.size());
        for (Contact contact : contacts) {
            granted.add(grant(RequestedContact.of(contact, header, outbound, known), request));
        }
        return granted;
    }

    /** What PortSIP's SDK says about pushing, under its header's present name or its former one. */
    private Optional<RequestedContact.Push> portSip(SIPRequest request) {
        for (String name : PORTSIP_HEADERS) {
            if (request.getHeader(name) instanceof SIPHeader header) {
                String value = header.getHeaderValue().strip();
                return Optional.of(new RequestedContact.Push(
                        PushReading.ofPortSip(
                                value, app -> settings.apps().getOrDefault(app, ApnsEnvironment.PRODUCTION)),
                        new RequestedContact.Spelled(name, "", value)));
            }
        }
        return Optional.empty();
    }

    private RegisterChange.Granted grant(RequestedContact contact, SIPRequest request) {
        Duration asked = contact.expires()
                .or(() -> Optional.ofNullable(request.getExpires()).map(e -> Duration.ofSeconds(e.getExpires())))
                .orElse(settings.defaultExpires());
        if (asked.isZero()) {
            return new RegisterChange.Granted(contact, asked);
        }
        requireUsablePush(contact.push());
        boolean pushable = contact.push() instanceof PushReading.Target;
        Duration least = pushable ? settings.minPushExpires() : settings.minExpires();
        if (asked.compareTo(least) < 0) {
            throw new RefusedException(
                    423, "Interval Too Brief", Optional.empty(), List.of(RegisterResponses.minExpires(least)));
        }
        return new RegisterChange.Granted(
                contact, asked.compareTo(settings.maxExpires()) > 0 ? settings.maxExpires() : asked);
    }

    private void requireUsablePush(PushReading push) {
        if (push instanceof PushReading.Damaged damaged) {
            throw new RefusedException(400, "Damaged Push Parameters", damaged.fault());
        }
        if (push instanceof PushReading.Unsupported unsupported) {
            throw new RefusedException(
                    555,
                    PUSH_NOT_SUPPORTED,
                    "Push service '" + unsupported.provider() + "' is not supported; apns and apns.dev are");
        }
        if (push instanceof PushReading.Target target && !settings.apps().containsKey(target.bundleId())) {
            throw new RefusedException(
                    555, PUSH_NOT_SUPPORTED, "App '" + target.bundleId() + "' is not configured on this server");
        }
    }

    /**
     * RFC 5626 section 6: one flow at a time, and if there is a proxy between, it has to keep that flow and say so
     * with {@code ob} in its Path.
     */
    private static void requireOutboundPath(SIPRequest request, List<RegisterChange.Granted> granted) {
        int staying = 0;
        boolean outbound = false;
        for (RegisterChange.Granted each : granted) {
            staying += each.leaves() ? 0 : 1;
            outbound |= !each.leaves() && each.contact().regId().isPresent();
        }
        if (!outbound) {
            return;
        }
        if (staying > 1) {
            throw new RefusedException(400, "With reg-id One Contact At A Time");
        }
        List<String> path = path(request);
        boolean keepsFlow = !path.isEmpty() && path.get(path.size() - 1).matches("(?is)[^>]*;\\s*ob\\b.*");
        if (request.getViaHeaders().size() > 1 && !keepsFlow) {
            throw new RefusedException(439, "First Hop Lacks Outbound Support");
        }
    }

    /** RFC 3327 section 5.3: a client that does not know Path could not tell that someone reroutes its calls. */
    private static List<String> path(SIPRequest request) {
        List<String> path = new ArrayList<>();
        request.getHeaders("Path")
                .forEachRemaining(header -> path.add(header.getHeaderValue().strip()));
        if (!path.isEmpty() && !supports(request, "path")) {
            throw new RefusedException(420, "Bad Extension", Optional.empty(), List.of(new Unsupported("path")));
        }
        return path;
    }

    /**
     * RFC 8599 sections 4.1.2, 5.3 and 6.2.1: which services are there, who has to refresh by itself, and when, and by
     * what a device that can be pushed to is to be recognized in its dialogs.
     */
    private List<String> featureCaps(List<RegisterChange.Granted> contacts, List<Device> own) {
        Set<String> providers = new TreeSet<>();
        boolean wakesItself = false;
        boolean givesToken = false;
        for (RegisterChange.Granted granted : contacts) {
            if (granted.leaves()) {
                continue;
            }
            wakesItself |= granted.contact().wakesItself();
            if (granted.contact().push() instanceof PushReading.Target target) {
                givesToken = true;
                providers.add(provider(target.environment()));
            } else if (granted.contact().push() instanceof PushReading.Query query) {
                query.environment()
                        .ifPresentOrElse(
                                environment -> providers.add(provider(environment)),
                                () -> Stream.of(ApnsEnvironment.values()).forEach(e -> providers.add(provider(e))));
            }
        }
        String refresh =
                wakesItself ? ";+sip.pnsreg=\"" + settings.refreshAhead().toSeconds() + "\"" : "";
        // Of two devices in one REGISTER, neither could tell which is meant.
        String purr = givesToken && own.size() == 1
                ? ";+sip.pnspurr=\"" + own.get(0).id().purr() + "\""
                : "";
        List<String> featureCaps = new ArrayList<>(providers.size());
        for (String name : providers) {
            featureCaps.add("*;+sip.pns=\"" + name + "\"" + refresh + purr);
        }
        return featureCaps;
    }

    private static String provider(ApnsEnvironment environment) {
        return environment == ApnsEnvironment.PRODUCTION ? "apns" : "apns.dev";
    }

    private static Set<PushToken> tokens(List<RegisterChange.Granted> granted) {
        Set<PushToken> tokens = new LinkedHashSet<>();
        for (RegisterChange.Granted each : granted) {
            if (!each.leaves() && each.contact().push() instanceof PushReading.Target target) {
                target.voip().ifPresent(tokens::add);
                target.regular().ifPresent(tokens::add);
            }
        }
        return tokens;
    }

    private static boolean supports(SIPRequest request, String option) {
        return values(request, "Supported").contains(option)
                || values(request, "Require").contains(option);
    }

    private static boolean understandsDialogEvents(SIPRequest request) {
        return values(request, "Allow-Events").contains("dialog")
                || values(request, "Accept").stream().anyMatch(type -> type.startsWith("application/dialog-info+xml"));
    }

    private static String userAgent(SIPRequest request) {
        SIPHeader header = (SIPHeader) request.getHeader("User-Agent");
        String text = header == null
                ? ""
                : CONTROLS.matcher(header.getHeaderValue()).replaceAll(" ").strip();
        return text.substring(0, Math.min(text.length(), LONGEST_USER_AGENT));
    }

    /** The comma-separated values of a header, lower case. */
    private static Set<String> values(SIPRequest request, String name) {
        if (request.getHeader(name) == null) {
            return Set.of();
        }
        Set<String> values = new LinkedHashSet<>();
        request.getHeaders(name).forEachRemaining(header -> {
            for (String value : header.getHeaderValue().split(",", -1)) {
                values.add(value.strip().toLowerCase(Locale.ROOT));
            }
        });
        values.remove("");
        return values;
    }

    private static Throwable rootOf(Throwable failure) {
        Throwable cause = failure.getCause();
        return failure instanceof CompletionException && cause != null ? rootOf(cause) : failure;
    }

    private static void logRefusal(SIPRequest request, Flow flow, RefusedException refused) {
        Level level = refused.status() == 401 ? Level.DEBUG : Level.INFO;
        if (!LOG.isEnabled(level)) {
            return;
        }
        LOG.log(
                level,
                "Refused a REGISTER: status={} reason='{}' explanation='{}' aor={} flow={}",
                refused.status(),
                refused.reason(),
                refused.explanation().orElse(""),
                Addresses.aor(request.getTo().getAddress().getURI())
                        .map(Aor::toString)
                        .orElse("none"),
                flow);
    }
}
