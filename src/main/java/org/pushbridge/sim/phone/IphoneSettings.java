package org.pushbridge.sim.phone;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.pushbridge.sim.ua.Credentials;
import org.pushbridge.sim.ua.Transport;

/**
 * What a simulated iPhone is.
 *
 * @param name how it is called in ladders
 * @param credentials the user's
 * @param domain the user's, and the registrar's
 * @param registrar where the phone's REGISTER goes
 * @param transport how it speaks SIP
 * @param local the address of its network interface
 * @param instance its +sip.instance
 * @param teamId of the app's maker
 * @param bundleId of the app, without {@code .voip}
 * @param voipToken its PushKit token, hexadecimal
 * @param remoteToken its token for regular pushes, if the app passes it on
 * @param wakeTimes how long it takes from a push to the REGISTER
 * @param ringTimeout how long its call screen rings before it gives up by itself
 * @param app what its app can do
 */
public record IphoneSettings(
        String name,
        Credentials credentials,
        String domain,
        InetSocketAddress registrar,
        Transport transport,
        InetAddress local,
        UUID instance,
        String teamId,
        String bundleId,
        String voipToken,
        Optional<String> remoteToken,
        WakeTimes wakeTimes,
        Duration ringTimeout,
        AppSettings app) {

    /** An iPhone on UDP with one app that behaves, one VoIP token, and CallKit's own patience; wakes as phones do. */
    public static IphoneSettings of(String name, Credentials credentials, String domain, InetSocketAddress registrar) {
        Random random = new Random();
        byte[] token = new byte[32];
        random.nextBytes(token);
        return new IphoneSettings(
                name,
                credentials,
                domain,
                registrar,
                Transport.UDP,
                InetAddress.getLoopbackAddress(),
                UUID.randomUUID(),
                "ABCDE12345",
                "com.example.phone",
                HexFormat.of().formatHex(token),
                Optional.empty(),
                new WakeTimes(random.nextLong(), 1),
                Duration.ofSeconds(60),
                AppSettings.stock());
    }

    /** The same, on another transport and from another address. */
    public IphoneSettings over(Transport otherTransport, InetAddress otherLocal) {
        return new IphoneSettings(
                name,
                credentials,
                domain,
                registrar,
                otherTransport,
                otherLocal,
                instance,
                teamId,
                bundleId,
                voipToken,
                remoteToken,
                wakeTimes,
                ringTimeout,
                app);
    }

    /** The same, with a token that Apple issued. */
    public IphoneSettings withVoipToken(String token) {
        return new IphoneSettings(
                name,
                credentials,
                domain,
                registrar,
                transport,
                local,
                instance,
                teamId,
                bundleId,
                token,
                remoteToken,
                wakeTimes,
                ringTimeout,
                app);
    }

    /** The same, with a token for regular pushes too. */
    public IphoneSettings withRemoteToken(String token) {
        return new IphoneSettings(
                name,
                credentials,
                domain,
                registrar,
                transport,
                local,
                instance,
                teamId,
                bundleId,
                voipToken,
                Optional.of(token),
                wakeTimes,
                ringTimeout,
                app);
    }

    /** The same, waking otherwise. */
    public IphoneSettings waking(WakeTimes times) {
        return new IphoneSettings(
                name,
                credentials,
                domain,
                registrar,
                transport,
                local,
                instance,
                teamId,
                bundleId,
                voipToken,
                remoteToken,
                times,
                ringTimeout,
                app);
    }

    /** The same, with a call screen of another patience. */
    public IphoneSettings ringingAtMost(Duration timeout) {
        return new IphoneSettings(
                name,
                credentials,
                domain,
                registrar,
                transport,
                local,
                instance,
                teamId,
                bundleId,
                voipToken,
                remoteToken,
                wakeTimes,
                timeout,
                app);
    }

    /** The same, with another app. */
    public IphoneSettings running(AppSettings other) {
        return new IphoneSettings(
                name,
                credentials,
                domain,
                registrar,
                transport,
                local,
                instance,
                teamId,
                bundleId,
                voipToken,
                remoteToken,
                wakeTimes,
                ringTimeout,
                other);
    }

    /** The same, with an app that forgets to report its VoIP pushes. */
    public IphoneSettings forgetful() {
        return running(app.forgetful());
    }

    /** The user's address, as a URI. */
    public String address() {
        return "sip:" + credentials.user() + "@" + domain;
    }
}
