package org.pushbridge.sim.phone;

import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLContext;

/**
 * What the app on a simulated iPhone can do. Every app understands an INVITE that is cancelled at once.
 *
 * @param reportsCalls whether it reports its VoIP pushes to CallKit as it must
 * @param verdicts the ways in which it learns what became of a call
 * @param dialect how it passes its tokens on
 * @param purr whether it puts the PURR that the registrar gave into its dialogs (RFC 8599 section 6)
 * @param handlesEndPush whether a second VoIP push may end the call of the first
 * @param tellsAlerting whether it says over HTTPS that its call screen rings
 * @param tls whom it trusts over HTTPS; empty for those whom Java trusts
 */
public record AppSettings(
        boolean reportsCalls,
        Set<VerdictWay> verdicts,
        TokenDialect dialect,
        boolean purr,
        boolean handlesEndPush,
        boolean tellsAlerting,
        Optional<SSLContext> tls) {
    public AppSettings {
        verdicts = Set.copyOf(verdicts);
    }

    /** A softphone as there are many: RFC 8599, and SIP only. */
    public static AppSettings stock() {
        return new AppSettings(true, Set.of(), TokenDialect.RFC_8599, false, false, false, Optional.empty());
    }

    /** The same, without reporting its VoIP pushes. */
    public AppSettings forgetful() {
        return new AppSettings(false, verdicts, dialect, purr, handlesEndPush, tellsAlerting, tls);
    }

    /** The same, with these ways to learn of a call's end. */
    public AppSettings learningBy(VerdictWay... ways) {
        return new AppSettings(reportsCalls, Set.of(ways), dialect, purr, handlesEndPush, tellsAlerting, tls);
    }

    /** The same, speaking of its tokens otherwise. */
    public AppSettings speaking(TokenDialect other) {
        return new AppSettings(reportsCalls, verdicts, other, purr, handlesEndPush, tellsAlerting, tls);
    }

    /** The same, with the PURR in its dialogs. */
    public AppSettings withPurr() {
        return new AppSettings(reportsCalls, verdicts, dialect, true, handlesEndPush, tellsAlerting, tls);
    }

    /** The same, ending a call when a second VoIP push says so. */
    public AppSettings handlingEndPushes() {
        return new AppSettings(reportsCalls, verdicts, dialect, purr, true, tellsAlerting, tls);
    }

    /** The same, telling over HTTPS that it rings. */
    public AppSettings tellingThatItRings() {
        return new AppSettings(reportsCalls, verdicts, dialect, purr, handlesEndPush, true, tls);
    }

    /** The same, trusting others over HTTPS. */
    public AppSettings trusting(SSLContext context) {
        return new AppSettings(
                reportsCalls, verdicts, dialect, purr, handlesEndPush, tellsAlerting, Optional.of(context));
    }
}
