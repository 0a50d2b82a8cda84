package org.pushbridge.sim.phone;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pushbridge.sim.ua.Registration;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.Subscription;
import org.pushbridge.sim.ua.UserAgent;

/** How an app registers: with which tokens, abilities and Call-ID. Only on the agent's thread. */
final class AppRegistration {
    private static final Duration EXPIRES = Duration.ofHours(1);
    private static final Pattern PURR = Pattern.compile(";\\s*\\+sip\\.pnspurr=\"([^\"]+)\"");

    private final IphoneSettings settings;
    private final UserAgent agent;
    private String callId = UUID.randomUUID().toString();
    private long cseq;

    AppRegistration(IphoneSettings settings, UserAgent agent) {
        this.settings = settings;
        this.agent = agent;
    }

    /** Begins anew with another Call-ID, as an app does that keeps none. */
    void forget() {
        callId = UUID.randomUUID().toString();
        cseq = 0;
    }

    /** Registers the newest wire. */
    void send(Registration.Result result) {
        cseq += 2; // room for the answer to a challenge
        agent.register(
                new Registration(
                        settings.registrar(),
                        settings.domain(),
                        settings.credentials(),
                        contact(),
                        callId,
                        cseq,
                        EXPIRES,
                        headers()),
                new Registration.Result() {
                    @Override
                    public void sent(boolean withCredentials) {
                        result.sent(withCredentials);
                    }

                    @Override
                    public void ended(Optional<SipMessage> response) {
                        response.filter(r -> r.status() == 200).ifPresent(AppRegistration.this::keepPurr);
                        result.ended(response);
                    }
                });
    }

    private String contact() {
        return "<" + agent.contactUri() + settings.app().dialect().uriParameters(settings)
                + ">;+sip.instance=\"<urn:uuid:" + settings.instance() + ">\"";
    }

    private Map<String, String> headers() {
        Map<String, String> headers =
                new LinkedHashMap<>(settings.app().dialect().headers(settings));
        if (settings.app().verdicts().contains(VerdictWay.DIALOG_EVENTS)) {
            headers.put("Allow-Events", Subscription.EVENT);
        }
        return headers;
    }

    private void keepPurr(SipMessage ok) {
        if (settings.app().purr()) {
            agent.usePurr(ok.headers("Feature-Caps").stream()
                    .map(PURR::matcher)
                    .filter(Matcher::find)
                    .map(m -> m.group(1))
                    .findFirst());
        }
    }
}
