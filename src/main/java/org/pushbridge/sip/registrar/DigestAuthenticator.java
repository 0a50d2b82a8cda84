package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.AuthenticationHeader;
import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.header.ProxyAuthenticate;
import gov.nist.javax.sip.header.WWWAuthenticate;
import gov.nist.javax.sip.message.SIPRequest;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.text.ParseException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sip.address.URI;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.User;

/**
 * Checks digest credentials (RFC 3261 section 22, RFC 7616, RFC 8760): MD5 and SHA-256, {@code qop=auth} only, and
 * only nonces this process issued, each count once.
 *
 * <p>The user name is {@code alice} or {@code alice@example.com}; in both cases the hash has to be over {@code alice},
 * for that is what is kept. An unknown user goes the very way of a wrong password, and of too many. Safe for any thread; never blocks.
 */
public final class DigestAuthenticator {
    /** Who asks: the server that answers (401), or one on the way (407). */
    public enum Challenge {
        WWW,
        PROXY
    }

    private static final Pattern NONCE = Pattern.compile("(?i)[ ,]nonce=\"([^\"\\\\]{1,100})\"");
    private static final Pattern REALM = Pattern.compile("(?i)[ ,]realm=\"([^\"\\\\]{1,255})\"");

    private final DigestSettings settings;
    private final DeviceDirectory users;
    private final Nonces nonces;
    private final Guesses guesses;
    private final LongAdder wrong = new LongAdder();
    private final LongAdder refused = new LongAdder();
    /** What an unknown user's password is compared with; no password has this hash. */
    private final User nobody = new User(
            new Aor("nobody", "invalid"),
            DigestAlgorithm.MD5.hash(UUID.randomUUID().toString()),
            DigestAlgorithm.SHA_256.hash(UUID.randomUUID().toString()));

    /** @param clock tells how old a nonce is */
    public DigestAuthenticator(DigestSettings settings, DeviceDirectory users, InstantSource clock) {
        this.settings = settings;
        this.users = users;
        this.nonces = new Nonces(settings.nonceLifetime(), settings.rememberedNonces(), clock);
        this.guesses = new Guesses(settings.guesses(), clock);
    }

    /**
     * Finds out who sent the request. The realm is the domain of the address it is about: To for a REGISTER, From for
     * all else.
     *
     * @param request any request but ACK and CANCEL, which cannot be challenged (RFC 3261 section 22.1)
     * @param challenge which of the two pairs of headers to use
     */
    public AuthResult authenticate(SIPRequest request, Challenge challenge) {
        String realm = realmOf(request);
        String header = challenge == Challenge.WWW ? "Authorization" : "Proxy-Authorization";
        for (Credentials given : Credentials.of(request, header)) {
            Optional<DigestAlgorithm> algorithm = DigestAlgorithm.named(given.algorithm());
            if (given.realm().equalsIgnoreCase(realm)
                    && algorithm.isPresent()
                    && settings.algorithms().contains(algorithm.get())) {
                return check(given, request, challenge, realm);
            }
        }
        return challenged(challenge, realm, placeOf(request), false);
    }

    private AuthResult check(Credentials given, SIPRequest request, Challenge challenge, String realm) {
        Optional<String> fault = given.fault();
        if (fault.isPresent()) {
            return new AuthResult.Refused(400, fault.get());
        }
        if (!isFor(request, given.uri())) {
            return new AuthResult.Refused(400, "Digest uri Is Not The Request-URI");
        }
        String place = placeOf(request);
        if (!nonces.isGood(given.nonce(), realm, place)) {
            // Before any look at the password: who guesses has to get a nonce where the answers go to, so that no guess
            // is
            // counted against an address that it only claims to come from. stale, as a client then tries again by
            // itself,
            // which it has to after a restart and when it moved.
            return challenged(challenge, realm, place, true);
        }
        Optional<User> user = userNamed(given.username(), realm);
        Guesses.Guesser guesser = guesser(request, given.username(), realm);
        Optional<Duration> ban = guesses.banned(guesser);
        if (ban.isPresent()) {
            refused.increment();
            // Not 403: phones take that for a wrong password for good, and stop.
            return new AuthResult.Refused(503, "Too Many Wrong Passwords", ban);
        }
        boolean right = isRightPassword(given, request.getMethod(), user.orElse(nobody));
        if (user.isEmpty() || !right) {
            wrong.increment();
            guesses.failed(guesser);
            return challenged(challenge, realm, place, false);
        }
        if (!nonces.countUse(given.nonce(), user.get().aor().user(), given.count())) {
            return challenged(challenge, realm, place, true);
        }
        guesses.succeeded(guesser);
        return new AuthResult.Authenticated(user.get());
    }

    /**
     * Whether credentials answer a challenge that was given to that place, and can still be right. For whoever has to
     * choose among requests that are not parsed yet; whether they are right is for {@link #authenticate} to say.
     *
     * @param authorization the value of the header
     */
    public boolean answersChallenge(String authorization, InetAddress source) {
        Matcher nonce = NONCE.matcher(authorization);
        Matcher realm = REALM.matcher(authorization);
        return nonce.find()
                && realm.find()
                && nonces.isGood(nonce.group(1), realm.group(1).toLowerCase(Locale.ROOT), Addresses.place(source));
    }

    private static InetAddress addressOf(SIPRequest request) {
        InetAddress address = request.getRemoteAddress();
        return address == null ? InetAddress.getLoopbackAddress() : address;
    }

    private static String placeOf(SIPRequest request) {
        return Addresses.place(addressOf(request));
    }

    private Guesses.Guesser guesser(SIPRequest request, String name, String realm) {
        InetAddress address = addressOf(request);
        String user = bareName(name, realm);
        Contact contact = request.getContactHeader();
        Optional<String> shown = contact == null ? Optional.empty() : Addresses.instanceIdentity(contact);
        boolean isDevice = false;
        boolean registered = false;
        for (Device known : user.isEmpty() ? List.<Device>of() : users.devices(new Aor(user, realm))) {
            isDevice |= shown.isPresent() && shown.get().equals(known.identity());
            for (Binding binding : known.bindings()) {
                registered |=
                        Addresses.isSamePlace(address, binding.flow().remote().getAddress());
            }
        }
        return new Guesses.Guesser(address, user + "@" + realm, isDevice ? shown : Optional.empty(), registered);
    }

    /** How many wrong passwords came since the start; unknown users count. */
    public long wrongPasswords() {
        return wrong.sum();
    }

    /** How many passwords were not looked at, as there had been too many wrong ones. */
    public long refusedPasswords() {
        return refused.sum();
    }

    private String realmOf(SIPRequest request) {
        URI about = request.getMethod().equals("REGISTER")
                ? request.getTo().getAddress().getURI()
                : request.getFrom().getAddress().getURI();
        return Addresses.aor(about)
                .map(Aor::host)
                .filter(settings.domains()::contains)
                .orElse(settings.domains().get(0));
    }

    private static String bareName(String name, String realm) {
        String suffix = "@" + realm;
        boolean full = name.toLowerCase(Locale.ROOT).endsWith(suffix);
        return full ? name.substring(0, name.length() - suffix.length()) : name;
    }

    private Optional<User> userNamed(String name, String realm) {
        String bare = bareName(name, realm);
        return bare.isEmpty() ? Optional.empty() : users.user(new Aor(bare, realm));
    }

    /** RFC 7616 section 3.4.1, with qop=auth. */
    private static boolean isRightPassword(Credentials given, String method, User user) {
        DigestAlgorithm algorithm = DigestAlgorithm.named(given.algorithm()).orElseThrow();
        String ha2 = algorithm.hash(method + ":" + given.uri());
        String expected = algorithm.hash(
                String.join(":", algorithm.ha1(user), given.nonce(), given.nc(), given.cnonce(), given.qop(), ha2));
        return MessageDigest.isEqual(
                expected.getBytes(StandardCharsets.US_ASCII),
                given.response().toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8));
    }

    /** RFC 3261 section 22.4 wants the Request-URI; some clients leave its parameters or the default port out. */
    private static boolean isFor(SIPRequest request, String digestUri) {
        URI requested = request.getRequestURI();
        if (requested.toString().equals(digestUri)) {
            return true;
        }
        return requested instanceof SipUri sip
                && Addresses.sipUri(digestUri)
                        .filter(uri -> Addresses.sameResource(uri, sip))
                        .isPresent();
    }

    private AuthResult.Challenged challenged(Challenge challenge, String realm, String place, boolean stale) {
        String nonce = nonces.issue(realm, place);
        List<AuthenticationHeader> headers = new ArrayList<>();
        for (DigestAlgorithm algorithm : settings.algorithms()) {
            AuthenticationHeader header = challenge == Challenge.WWW ? new WWWAuthenticate() : new ProxyAuthenticate();
            try {
                header.setScheme("Digest");
                header.setRealm(realm);
                header.setNonce(nonce);
                header.setAlgorithm(algorithm.token());
                header.setQop("auth");
                if (stale) {
                    header.setStale(true);
                }
            } catch (ParseException e) {
                throw new IllegalStateException("A domain, a nonce and fixed words make a challenge", e);
            }
            headers.add(header);
        }
        return new AuthResult.Challenged(challenge == Challenge.WWW ? 401 : 407, headers, stale);
    }
}
