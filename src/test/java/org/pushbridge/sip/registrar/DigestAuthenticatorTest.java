package org.pushbridge.sip.registrar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.sun.management.ThreadMXBean;
import gov.nist.javax.sip.message.SIPRequest;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.pushbridge.device.Aor;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.User;
import org.pushbridge.sip.registrar.DigestAuthenticator.Challenge;

class DigestAuthenticatorTest {
    private static final String URI = "sip:example.com";
    private static final String REGISTER = "REGISTER";

    private final SteppedClock clock = new SteppedClock();
    private final DeviceDirectory users = DeviceDirectory.load(new MemoryStore());
    private final DigestSettings settings = DigestSettings.of(List.of("example.com", "example.org"));
    private final DigestAuthenticator authenticator = new DigestAuthenticator(settings, users, clock);

    private final User alice = user("alice", "example.com", "secret");

    @Test
    void aStrangerIsOfferedBothAlgorithmsTheBetterOneFirst() {
        List<String> challenges = challenges(register());

        assertThat(challenges).hasSize(2);
        assertThat(challenges.get(0)).startsWith("Digest ").contains("algorithm=SHA-256");
        assertThat(challenges.get(1)).contains("algorithm=MD5");
        assertThat(challenges)
                .allSatisfy(c -> assertThat(c).contains("realm=\"example.com\"", "qop=\"auth\"", "nonce=\""));
        assertThat(challenges).noneMatch(c -> c.contains("stale"));
    }

    @Test
    void eitherAlgorithmLetsTheUserIn() {
        for (int offered : new int[] {0, 1}) {
            String challenge = challenges(register()).get(offered);
            String answer = new DigestClient("alice", "secret").answer(challenge, REGISTER, URI);

            assertThat(authenticate(register(answer))).isEqualTo(new AuthResult.Authenticated(alice));
        }
    }

    @Test
    void credentialsWithoutAlgorithmAreMd5() {
        String answer = new DigestClient("alice", "secret")
                .answer(challenges(register()).get(1), REGISTER, URI)
                .replace("algorithm=MD5, ", "");

        assertThat(authenticate(register(answer))).isEqualTo(new AuthResult.Authenticated(alice));
    }

    @Test
    void aWrongPasswordAndAnUnknownUserAreToldTheSame() {
        String challenge = challenges(register()).get(0);

        AuthResult wrong = authenticate(register(new DigestClient("alice", "guess").answer(challenge, REGISTER, URI)));
        AuthResult unknown =
                authenticate(register(new DigestClient("mallory", "guess").answer(challenge, REGISTER, URI)));

        assertThat(shape(wrong)).isEqualTo(shape(unknown)).doesNotContain("stale");
    }

    /** What is allocated stands for what is done: an answer's time tells no more than that. */
    @Test
    void anUnknownUserTakesAsMuchWorkAsAWrongPassword() {
        DigestAuthenticator patient = new DigestAuthenticator(
                settings.withGuesses(new GuessLimits(
                        Integer.MAX_VALUE,
                        Integer.MAX_VALUE,
                        Integer.MAX_VALUE,
                        Duration.ofMinutes(5),
                        Duration.ofMinutes(5),
                        address -> false)),
                users,
                clock);
        String challenge =
                challenges(patient.authenticate(register(), Challenge.WWW)).get(0);
        SIPRequest known = register(new DigestClient("alice", "guess").answer(challenge, REGISTER, URI));
        SIPRequest unknown = register(new DigestClient("alica", "guess").answer(challenge, REGISTER, URI));
        long forKnown = 0;
        long forUnknown = 0;
        for (int i = 0; i < 2_000; i++) {
            forKnown += allocated(() -> patient.authenticate(known, Challenge.WWW));
            forUnknown += allocated(() -> patient.authenticate(unknown, Challenge.WWW));
        }

        assertThat(patient.wrongPasswords()).isEqualTo(4_000);
        assertThat(forUnknown).isCloseTo(forKnown, withinPercentage(5));
    }

    private static long allocated(Runnable work) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        work.run();
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @Test
    void whatAnswersAChallengeIsToldFromWhatDoesNotBeforeItIsParsed() {
        InetAddress here = InetAddress.getLoopbackAddress();
        InetAddress elsewhere = new InetSocketAddress("192.0.2.1", 0).getAddress();
        String answer = new DigestClient("alice", "secret")
                .answer(challenges(register()).get(0), REGISTER, URI);
        String nonce = DigestClient.parameter(answer, "nonce");

        assertThat(authenticator.answersChallenge(answer, here)).isTrue();
        assertThat(authenticator.answersChallenge(answer, elsewhere)).isFalse();
        assertThat(authenticator.answersChallenge(answer.replace("example.com", "example.org"), here))
                .isFalse();
        assertThat(authenticator.answersChallenge(answer.replace(nonce, "made-up"), here))
                .isFalse();
        assertThat(authenticator.answersChallenge("Digest realm=\"example.com\", cnonce=\"" + nonce + "\"", here))
                .isFalse();
        assertThat(authenticator.answersChallenge("", here)).isFalse();
        clock.advance(settings.nonceLifetime());
        assertThat(authenticator.answersChallenge(answer, here)).isFalse();
    }

    @Test
    void aReplayedRequestIsChallengedAsStale() {
        DigestClient client = new DigestClient("alice", "secret");
        String challenge = challenges(register()).get(0);
        String answer = client.answer(challenge, REGISTER, URI);
        assertThat(authenticate(register(answer))).isInstanceOf(AuthResult.Authenticated.class);

        assertThat(isStale(authenticate(register(answer)))).isTrue();
        assertThat(authenticate(register(client.answer(challenge, REGISTER, URI))))
                .isInstanceOf(AuthResult.Authenticated.class);
        assertThat(isStale(authenticate(register(client.answer(challenge, REGISTER, URI, "00000001")))))
                .isTrue();
    }

    @Test
    void anExpiredNonceIsStaleAndNoPasswordIsLookedAt() {
        String challenge = challenges(register()).get(0);
        clock.advance(settings.nonceLifetime());

        assertThat(isStale(
                        authenticate(register(new DigestClient("alice", "secret").answer(challenge, REGISTER, URI)))))
                .isTrue();
        assertThat(isStale(authenticate(register(new DigestClient("alice", "guess").answer(challenge, REGISTER, URI)))))
                .isTrue();
        assertThat(authenticator.wrongPasswords()).isZero();
    }

    @Test
    void aNonceIsGoodUntilItsTimeIsOver() {
        String challenge = challenges(register()).get(0);
        clock.advance(settings.nonceLifetime().minusMillis(1));

        assertThat(authenticate(register(new DigestClient("alice", "secret").answer(challenge, REGISTER, URI))))
                .isInstanceOf(AuthResult.Authenticated.class);
    }

    @Test
    void aNonceThatThisProcessDidNotIssueIsNotAccepted() {
        DigestAuthenticator before = new DigestAuthenticator(settings, users, clock);
        String foreign =
                challenges(before.authenticate(register(), Challenge.WWW)).get(0);
        String invented = foreign.replaceAll("nonce=\"[^\"]*\"", "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"");

        for (String challenge : List.of(foreign, invented)) {
            assertThat(isStale(authenticate(
                            register(new DigestClient("alice", "secret").answer(challenge, REGISTER, URI)))))
                    .isTrue();
        }
    }

    @Test
    void aNonceOfOneDomainIsNotGoodInAnother() {
        user("alice", "example.org", "secret");
        String challenge = challenges(register()).get(0).replace("example.com", "example.org");
        String answer = new DigestClient("alice", "secret").answer(challenge, REGISTER, "sip:example.org");

        assertThat(isStale(authenticate(request(REGISTER, "sip:example.org", "alice@example.org", answer))))
                .isTrue();
    }

    @Test
    void theRealmIsTheDomainOfTheAddress() {
        assertThat(challenges(request(REGISTER, "sip:example.org", "alice@EXAMPLE.ORG")))
                .allSatisfy(c -> assertThat(c).contains("realm=\"example.org\""));
        assertThat(challenges(request("INVITE", "sip:bob@example.org", "alice@elsewhere.example")))
                .allSatisfy(c -> assertThat(c).contains("realm=\"example.com\""));
    }

    @Test
    void aProxyChallengeHasHeadersOfItsOwn() {
        SIPRequest invite = request("INVITE", "sip:bob@example.com", "alice@example.com");
        AuthResult.Challenged challenged = (AuthResult.Challenged) authenticator.authenticate(invite, Challenge.PROXY);
        assertThat(challenged.status()).isEqualTo(407);
        assertThat(challenged.headers()).allMatch(h -> h.getName().equals("Proxy-Authenticate"));

        String answer = new DigestClient("alice", "secret")
                .answer(challenged.headers().get(0).getHeaderValue(), "INVITE", "sip:bob@example.com");
        SIPRequest again = SipText.parse(
                "INVITE sip:bob@example.com SIP/2.0",
                "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",
                "From: <sip:alice@example.com>;tag=1",
                "To: <sip:bob@example.com>",
                "Call-ID: c",
                "CSeq: 1 INVITE",
                "Proxy-Authorization: " + answer);
        assertThat(authenticator.authenticate(again, Challenge.PROXY)).isEqualTo(new AuthResult.Authenticated(alice));
    }

    @Test
    void amongCredentialsForSeveralRealmsTheRightOnesAreTaken() {
        DigestClient client = new DigestClient("alice", "secret");
        String challenge = challenges(register()).get(0);
        String other = client.answer(challenge.replace("example.com", "proxy.example.net"), REGISTER, URI);
        String unknownHash = client.answer(challenge, REGISTER, URI).replace("SHA-256", "SHA-512-256");
        String right = client.answer(challenge, REGISTER, URI);

        assertThat(authenticate(register("Basic YWxpY2U6c2VjcmV0", other, unknownHash, right)))
                .isEqualTo(new AuthResult.Authenticated(alice));
        assertThat(authenticate(register(other))).isInstanceOf(AuthResult.Challenged.class);
    }

    @Test
    void quotesAndBackslashesInUserNamesAreUnescaped() {
        User odd = user("al\"i\\ce", "example.com", "secret");
        String answer = new DigestClient("al\"i\\ce", "secret")
                .answer(challenges(register()).get(0), REGISTER, URI);
        assertThat(answer).contains("username=\"al\\\"i\\\\ce\"");

        assertThat(authenticate(register(answer))).isEqualTo(new AuthResult.Authenticated(odd));
    }

    @Test
    void passwordsMayHoldAnyCharacters() {
        User odd = user("björn", "example.com", "pä:ss\"wörd €");
        String answer = new DigestClient("björn", "pä:ss\"wörd €")
                .answer(challenges(register()).get(0), REGISTER, URI);

        assertThat(authenticate(register(answer))).isEqualTo(new AuthResult.Authenticated(odd));
    }

    @Test
    void credentialsForAnotherRequestUriAreRefused() {
        String challenge = challenges(register()).get(0);

        assertThat(refusal(new DigestClient("alice", "secret").answer(challenge, REGISTER, "sip:example.org")))
                .isEqualTo(new AuthResult.Refused(400, "Digest uri Is Not The Request-URI"));
        assertThat(refusal(new DigestClient("alice", "secret").answer(challenge, REGISTER, "*")))
                .isInstanceOf(AuthResult.Refused.class);
        assertThat(refusal(new DigestClient("alice", "secret")
                        .answer(challenge, REGISTER, "sip:EXAMPLE.com:5060;transport=tcp")))
                .isEqualTo(new AuthResult.Authenticated(alice));
    }

    @Test
    void credentialsForAnotherMethodAreNotAccepted() {
        String answer = new DigestClient("alice", "secret")
                .answer(challenges(register()).get(0), "INVITE", URI);

        assertThat(authenticate(register(answer))).isInstanceOf(AuthResult.Challenged.class);
    }

    @Test
    void credentialsWithoutAQopThatCountsRequestsAreRefused() {
        String answer = new DigestClient("alice", "secret")
                .answer(challenges(register()).get(0), REGISTER, URI);

        for (String broken : List.of(
                answer.replace(", qop=auth", ""),
                answer.replace("qop=auth", "qop=auth-int"),
                answer.replace("nc=00000001", "nc=1"),
                answer.replace("nc=00000001", "nc=0000000g"),
                answer.replace(", nc=00000001", ""),
                answer.replace("cnonce=\"0a4f113b\", ", ""))) {
            assertThat(refusal(broken)).isInstanceOf(AuthResult.Refused.class);
        }
        assertThat(refusal(answer.replace("qop=auth", "qop=\"auth\""))).isEqualTo(new AuthResult.Authenticated(alice));
    }

    @Test
    void anAlgorithmThatIsNotOfferedDoesNotCount() {
        DigestAuthenticator strict = new DigestAuthenticator(
                new DigestSettings(
                        List.of("example.com"),
                        List.of(DigestAlgorithm.SHA_256),
                        Duration.ofMinutes(5),
                        100,
                        GuessLimits.DEFAULT),
                users,
                clock);
        List<String> offered = challenges(strict.authenticate(register(), Challenge.WWW));
        assertThat(offered).hasSize(1);

        String downgraded =
                new DigestClient("alice", "secret").answer(offered.get(0).replace("SHA-256", "MD5"), REGISTER, URI);
        assertThat(strict.authenticate(register(downgraded), Challenge.WWW)).isInstanceOf(AuthResult.Challenged.class);
    }

    @Test
    void nothingInAnAuthorizationHeaderRaisesAnException() {
        Random random = new Random(7616);
        String good = new DigestClient("alice", "secret")
                .answer(challenges(register()).get(0), REGISTER, URI);
        for (int i = 0; i < 5_000; i++) {
            String mangled = mangled(good, random);
            assertThatCode(() -> {
                        AuthResult result = authenticate(register(mangled));
                        assertThat(result).isNotNull();
                    })
                    .as(mangled)
                    .doesNotThrowAnyException();
        }
    }

    /** The header with pieces dropped, doubled, swapped, and characters that mean something to a parser put in. */
    private static String mangled(String header, Random random) {
        String letters = "\"\\,= \t;:@<>%[]()/0aZé\u0001\u007f";
        StringBuilder text = new StringBuilder(header);
        for (int edits = 1 + random.nextInt(6); edits > 0 && text.length() > 2; edits--) {
            int at = random.nextInt(text.length());
            int until = Math.min(text.length(), at + 1 + random.nextInt(40));
            switch (random.nextInt(4)) {
                case 0 -> text.delete(at, until);
                case 1 -> text.insert(random.nextInt(text.length()), text.substring(at, until));
                case 2 -> text.setCharAt(at, letters.charAt(random.nextInt(letters.length())));
                default -> text.insert(at, letters.charAt(random.nextInt(letters.length())));
            }
        }
        return text.toString();
    }

    private User user(String name, String domain, String password) {
        User user = Ha1.of(new Aor(name, domain), password.toCharArray());
        users.saveUser(user).toCompletableFuture().join();
        return user;
    }

    private AuthResult authenticate(SIPRequest request) {
        return authenticator.authenticate(request, Challenge.WWW);
    }

    private AuthResult refusal(String authorization) {
        return authenticate(register(authorization));
    }

    private List<String> challenges(SIPRequest request) {
        return challenges(authenticate(request));
    }

    private static List<String> challenges(AuthResult result) {
        assertThat(result).isInstanceOf(AuthResult.Challenged.class);
        return ((AuthResult.Challenged) result)
                .headers().stream().map(h -> h.getHeaderValue()).toList();
    }

    private static boolean isStale(AuthResult result) {
        assertThat(result).isInstanceOf(AuthResult.Challenged.class);
        AuthResult.Challenged challenged = (AuthResult.Challenged) result;
        assertThat(challenges(result)).allMatch(c -> c.contains("stale=true") == challenged.stale());
        return challenged.stale();
    }

    /** A challenge without what is new in each. */
    private static String shape(AuthResult result) {
        return String.join("\n", challenges(result)).replaceAll("nonce=\"[^\"]*\"", "");
    }

    private static SIPRequest register(String... authorizations) {
        return request(REGISTER, URI, "alice@example.com", authorizations);
    }

    private static SIPRequest request(String method, String uri, String aor, String... authorizations) {
        List<String> lines = new ArrayList<>(List.of(
                method + " " + uri + " SIP/2.0",
                "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",
                "From: <sip:" + aor + ">;tag=1",
                "To: <sip:" + aor + ">",
                "Call-ID: c",
                "CSeq: 1 " + method));
        for (String authorization : authorizations) {
            lines.add("Authorization: " + authorization);
        }
        return SipText.parse(lines.toArray(String[]::new));
    }
}
