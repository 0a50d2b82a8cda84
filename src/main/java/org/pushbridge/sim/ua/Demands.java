package org.pushbridge.sim.ua;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What every message must be, whatever it is about. */
final class Demands {
    /** The PURR is for the far side (RFC 8599 section 6); everything else is a secret between a device and its registrar. */
    private static final Pattern PUSH_PARAMETER =
            Pattern.compile("[;?&]\\s*((?!pn-purr)pn-\\w+|app-id|device-uid)\\s*=", Pattern.CASE_INSENSITIVE);

    private final Violations violations;

    Demands(Violations violations) {
        this.violations = violations;
    }

    void ofAll(SipMessage message) {
        boolean ownRegistration = message.method().equals("REGISTER");
        Matcher push = PUSH_PARAMETER.matcher(message.toString());
        if (!ownRegistration && push.find()) {
            violations.add(message.title() + " shows a push parameter, "
                    + push.group(1).toLowerCase(Locale.ROOT));
        }
        if (!ownRegistration && message.header("x-p-push").isPresent()) {
            violations.add(message.title() + " shows push parameters, in a header x-p-push");
        }
        if (message.headers("Via").size() != 1) {
            violations.add(message.title() + " carries "
                    + message.headers("Via").size() + " Via headers: all but one are foreign");
        }
        boolean wrongLength = message.header("Content-Length")
                .filter(l -> !l.equals(Integer.toString(message.bodyLength())))
                .isPresent();
        if (wrongLength) {
            violations.add(message.title() + " has a Content-Length that is not its body's");
        }
    }

    /** @param answersOffer whether it is an ACK of an INVITE that brought an offer, which was answered */
    void ofRequest(SipMessage request, boolean answersOffer) {
        if (request.header("Max-Forwards").isEmpty()) {
            violations.add(request.title() + " has no Max-Forwards");
        }
        if (!request.branch().startsWith("z9hG4bK")) {
            violations.add(request.title() + " has a Via branch that does not begin with z9hG4bK");
        }
        if (request.fromTag().isEmpty()) {
            violations.add(request.title() + " has no tag in From");
        }
        boolean opensDialog =
                request.method().equals("INVITE") || request.method().equals("NOTIFY");
        if (opensDialog && request.headers("Contact").size() != 1) {
            violations.add("A" + (request.method().equals("INVITE") ? "n " : " ") + request.method() + " has "
                    + request.headers("Contact").size() + " Contacts instead of one");
        }
        if (answersOffer && !request.body().isEmpty()) {
            violations.add("An ACK brings a second answer to an offer that was answered");
        }
    }
}
