package org.pushbridge.config;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The whole configuration, checked. Immutable. What each key does for the user is said once, beside the key, in
 * {@code sip-config/pushbridge.conf}.
 *
 * @param domains the domains whose users the bridge serves, lower case; the first is the one meant by calls that
 *     trunks send to the bridge's own address. Also the digest realms. Never empty
 * @param trunks in the order of their names
 * @param apps in the order of their bundle ids
 */
public record Config(
        List<String> domains,
        Sip sip,
        Registrar registrar,
        Calls calls,
        List<Trunk> trunks,
        List<App> apps,
        Apns apns,
        Database database,
        Http http,
        Admin admin,
        Log log) {
    public Config {
        domains = List.copyOf(domains);
        trunks = List.copyOf(trunks);
        apps = List.copyOf(apps);
    }

    /**
     * Reads a file and everything it includes.
     *
     * @throws ConfigException if the file cannot be read, or anything in it is wrong; tells everything at once
     */
    public static Config load(Path file) {
        return ConfigReader.read(file);
    }

    /** What holds where a file says nothing, and without a file. */
    public static Config defaults() {
        return ConfigReader.defaults();
    }

    /**
     * The SIP sockets and their bounds.
     *
     * @param listen never empty
     * @param advertisedAddress the IP address or host name to show to peers in Via and Contact, if not the local one
     * @param maxDatagramSize bytes; a longer UDP message is answered 513 before it is parsed
     * @param maxMessageSize bytes of one message on a stream
     * @param maxHeaderSize bytes of start line and headers; more is answered 513
     * @param maxWaitingSize bytes of datagrams that may wait to be looked at, for each socket; more are dropped
     * @param maxTransactions server transactions at a time; past it new requests get 503
     * @param maxConnections stream connections at a time
     * @param maxConnectionsPerAddress stream connections of one remote address at a time
     * @param idleTimeout how long a stream connection may be silent
     * @param maxRegistersPerSecondPerAddress past it, and ten seconds' worth at once, they get 503, then nothing
     * @param maxRequestsPerSecondPerAddress the same for other requests that begin something
     * @param maxSubscriptions subscriptions to dialog events at a time; past it new ones get 503
     * @param maxSubscriptionsPerUser those of one user at a time
     * @param t1 the round-trip estimate that all SIP retransmission timers derive from (RFC 3261 section 17.1.1.1)
     */
    public record Sip(
            List<Listen> listen,
            Optional<String> advertisedAddress,
            int maxDatagramSize,
            int maxMessageSize,
            int maxHeaderSize,
            int maxWaitingSize,
            int maxTransactions,
            int maxConnections,
            int maxConnectionsPerAddress,
            Duration idleTimeout,
            int maxRegistersPerSecondPerAddress,
            int maxRequestsPerSecondPerAddress,
            int maxSubscriptions,
            int maxSubscriptionsPerUser,
            Duration t1) {
        public Sip {
            listen = List.copyOf(listen);
        }
    }

    /**
     * Registrations (RFC 3261 section 10) and digest (RFC 7616, RFC 8760).
     *
     * @param minExpires a shorter wish gets 423
     * @param defaultExpires where the phone names none
     * @param maxExpires a longer wish is cut to this
     * @param maxContacts contacts of one user at a time
     * @param maxDelay how long a message may wait inside before REGISTERs are refused
     * @param nonceLifetime how long a nonce is good for
     * @param algorithms the digest algorithms to offer, the preferred one first; never empty
     * @param wrongPasswords how many are put up with
     */
    public record Registrar(
            Duration minExpires,
            Duration defaultExpires,
            Duration maxExpires,
            int maxContacts,
            Duration maxDelay,
            Duration nonceLifetime,
            List<DigestAlgorithm> algorithms,
            WrongPasswords wrongPasswords) {
        public Registrar {
            algorithms = List.copyOf(algorithms);
        }
    }

    /**
     * When no more passwords are looked at.
     *
     * @param within the time that wrong ones are counted over
     * @param perUserAndAddress how many for one user from one address
     * @param perAddress how many from one address; stops those alone whom the user is not known by
     * @param perUser the same for one user
     * @param ban for how long
     */
    public record WrongPasswords(Duration within, int perUserAndAddress, int perAddress, int perUser, Duration ban) {}

    /** A digest algorithm; written {@code SHA-256} and {@code MD5}. */
    public enum DigestAlgorithm {
        SHA_256,
        MD5
    }

    /**
     * The rules of calls.
     *
     * @param ringLimit how long a call may stay unanswered
     * @param silenceLimit how long an INVITE to a pushable phone may stay without any answer before it is pushed to
     * @param durationLimit how long an answered call may last
     * @param whileParked what the caller hears while no phone is ringing yet; a trunk may have its own
     * @param callWaiting what happens to a call for a phone that is in one
     * @param on486 what one phone's 486 ends
     * @param on603 what one phone's 603 ends
     * @param holdLimit how long a BYE or re-INVITE waits for a phone whose connection is gone
     * @param drainLimit how long unanswered calls may go on once the server is told to stop
     * @param tombstoneLife how long the end of a call is remembered for phones that show up late
     * @param maxCalls calls at a time; past it new ones get 503
     * @param maxParked calls that ring or are parked at a time; past it new ones get 503
     * @param maxDelay how long a message may wait inside before new calls are refused
     * @param maxWaiting messages that may wait for one of the threads that run calls
     * @param maxParkedPerUser calls that ring or are parked for one user at a time; past it new ones get 486
     * @param pushBudget when a phone is not rung by VoIP push any more
     */
    public record Calls(
            Duration ringLimit,
            Duration silenceLimit,
            Duration durationLimit,
            WhileParked whileParked,
            CallWaiting callWaiting,
            Decline on486,
            Decline on603,
            Duration holdLimit,
            Duration drainLimit,
            Duration tombstoneLife,
            int maxCalls,
            int maxParked,
            Duration maxDelay,
            int maxWaiting,
            int maxParkedPerUser,
            PushBudget pushBudget) {}

    /**
     * The guard against iOS's punishment of apps that waste VoIP pushes.
     *
     * @param wastedLimit how many VoIP pushes in a row may stay without a REGISTER; 0 switches the guard off
     * @param pause for how long there are no more then
     */
    public record PushBudget(int wastedLimit, Duration pause) {}

    /** The provisional response that a caller gets while the call is parked. */
    public enum WhileParked {
        TRYING(100),
        RINGING(180),
        QUEUED(182),
        SESSION_PROGRESS(183);

        private final int status;

        WhileParked(int status) {
            this.status = status;
        }

        /** The SIP status code. */
        public int status() {
            return status;
        }
    }

    /** What a second call does to a phone that is in one. */
    public enum CallWaiting {
        /** It gets the INVITE and decides. */
        INVITE,
        /** The caller hears busy. */
        BUSY
    }

    /** How far one phone's refusal reaches. */
    public enum Decline {
        /** It ends that phone's ringing alone. */
        DEVICE,
        /** It ends the call on all phones. */
        ALL
    }

    /**
     * A PBX or carrier that is trusted by its address.
     *
     * @param name the operator's word for it
     * @param addresses where its calls come from; those of two trunks never overlap; may be empty
     * @param destination where calls to it go; empty for a trunk that only sends calls here
     * @param prefixes numbers that begin with one of these go out through it; the longest match of all trunks wins;
     *     an empty string matches every number; empty without a destination
     * @param trustIdentity whether its P-Asserted-Identity is believed, and ours is shown to it (RFC 3325)
     * @param whileParked instead of {@link Calls#whileParked()} for its calls
     */
    public record Trunk(
            String name,
            List<AddressRange> addresses,
            Optional<Destination> destination,
            List<String> prefixes,
            boolean trustIdentity,
            Optional<WhileParked> whileParked) {
        public Trunk {
            addresses = List.copyOf(addresses);
            prefixes = List.copyOf(prefixes);
        }
    }

    /**
     * An app whose installations can be woken.
     *
     * @param environment where a token belongs whose dialect does not say it
     * @param credentials how the bridge identifies itself to Apple; always there unless the APNs is simulated
     * @param templates files of the operator's instead of some of the payload's; readable when they were checked
     * @param missedCallAlert whether a call that was not answered leaves an alert
     * @param endPush whether the app handles a VoIP push that ends a call
     * @param verdict how a phone that wakes late learns over SIP what became of its call
     * @param pushWhenRingingElsewhere whether a sleeping phone is pushed to while a connected one of its user rings
     * @param reason600 whether "declined elsewhere" is told as 600 instead of 603
     */
    public record App(
            String bundleId,
            String teamId,
            Environment environment,
            Optional<Credentials> credentials,
            Payload payload,
            Map<Template, Path> templates,
            RingsBy ringsBy,
            boolean missedCallAlert,
            EndPush endPush,
            Verdict verdict,
            boolean pushWhenRingingElsewhere,
            boolean reason600) {
        public App {
            templates = Map.copyOf(templates);
        }
    }

    /** Apple's two services. */
    public enum Environment {
        PRODUCTION,
        SANDBOX
    }

    /** The kind of push that rings. */
    public enum RingsBy {
        VOIP,
        /** For apps that may not use CallKit (China's App Store). */
        ALERT
    }

    /** Whether a call screen may be ended by push. */
    public enum EndPush {
        OFF,
        VOIP
    }

    /** How a phone that wakes late is told over SIP what became of its call. */
    public enum Verdict {
        /** As the phone's REGISTER lets expect that it understands. */
        AUTO,
        DIALOG_EVENTS,
        INVITE_CANCEL,
        NONE
    }

    /** How an app's pushes are signed. */
    public sealed interface Credentials {}

    /**
     * Token authentication.
     *
     * @param keyFile the .p8 file that Apple's developer pages gave; readable and a private key when it was checked
     * @param keyId ten characters
     */
    public record TokenKey(Path keyFile, String keyId) implements Credentials {}

    /**
     * A certificate.
     *
     * @param file a PKCS #12 file that the password opened when it was checked
     */
    public record Certificate(Path file, Secret password) implements Credentials {}

    /** The payloads that the bridge brings along. */
    public enum Payload {
        /** For apps that follow RFC 8599. */
        DEFAULT,
        /** For apps on the Linphone SDK. */
        LINPHONE
    }

    /** A push whose payload an app can have its own template for. */
    public enum Template {
        VOIP_RING,
        ALERT_RING,
        MISSED_CALL,
        BACKGROUND_END,
        VOIP_END,
        REQUEST_WAITING
    }

    /**
     * The way to Apple.
     *
     * @param simulated whether pushes go to a simulated APNs inside the bridge, and never to Apple
     * @param simulatedLog where the simulated APNs writes what it is sent, secrets included
     * @param trustFile PEM certificates to trust instead of the JVM's
     * @param deadline how long Apple may take to answer one push
     * @param maxInFlight pushes under way at a time, for each credentials and environment
     * @param connections HTTP/2 connections, for each credentials and environment
     */
    public record Apns(
            boolean simulated,
            Optional<Path> simulatedLog,
            HostPort productionEndpoint,
            HostPort sandboxEndpoint,
            Optional<Path> trustFile,
            Duration deadline,
            int maxInFlight,
            int connections) {}

    /**
     * Where users, devices and calls are kept.
     *
     * @param url a JDBC URL of H2 or PostgreSQL
     * @param maxWaiting writes that may wait; one more is refused
     * @param patience how long a write is tried while the database is away
     * @param durability what is safe once it was acknowledged
     */
    public record Database(
            String url,
            String user,
            Secret password,
            int poolSize,
            int maxWaiting,
            Duration patience,
            Durability durability) {
        /** Hides passwords, also one inside the URL. */
        @Override
        public String toString() {
            return "Database[url=" + url.replaceAll("(?i)(password=)[^&;]*", "$1***") + ", user=" + user + ", password="
                    + password + ", poolSize=" + poolSize + ", maxWaiting=" + maxWaiting + ", patience=" + patience
                    + ", durability=" + durability + "]";
        }
    }

    /** What the database's writes survive. */
    public enum Durability {
        /** The death of the bridge. */
        PROCESS,
        /** The death of the machine, too. */
        DISK
    }

    /**
     * The verdict API, by which apps ask over HTTP what became of their call.
     *
     * @param listen an IP address and a port, where port 0 lets the system choose one; empty if the API is not served
     * @param publicUrl what the apps' URLs begin with, without a slash at the end; there if {@code listen} is
     * @param tls empty if TLS ends before the bridge, or there is none
     * @param trustedProxies reverse proxies whose word is taken for whom a request comes from
     * @param maxRequestsPerSecondPerAddress past it a client gets 429
     * @param maxRequestsPerSecondPerCall the same for one device and call
     * @param maxConnections connections at a time
     * @param maxConnectionsPerAddress connections of one remote address at a time
     */
    public record Http(
            Optional<InetSocketAddress> listen,
            Optional<String> publicUrl,
            Optional<Tls> tls,
            List<AddressRange> trustedProxies,
            int maxRequestsPerSecondPerAddress,
            int maxRequestsPerSecondPerCall,
            int maxConnections,
            int maxConnectionsPerAddress) {
        public Http {
            trustedProxies = List.copyOf(trustedProxies);
        }
    }

    /**
     * How a server shows who it is: two PEM files, readable when they were checked.
     *
     * @param certificateFile the server's certificate, then those that lead to the root
     * @param keyFile its private key
     */
    public record Tls(Path certificateFile, Path keyFile) {}

    /**
     * How {@code pushbridge user} talks to the running server.
     *
     * @param socket the path of a Unix domain socket
     * @param http metrics over HTTP
     */
    public record Admin(Path socket, AdminHttp http) {}

    /**
     * Metrics and health over HTTP.
     *
     * @param listen an IP address and a port, where port 0 lets the system choose one; empty if it is not served
     * @param keyFile holds the key that is asked for; made if it is not there
     */
    public record AdminHttp(Optional<InetSocketAddress> listen, Path keyFile) {}

    /** What the log tells. */
    public record Log(LogLevel level) {}

    /** From the fewest lines to the most. */
    public enum LogLevel {
        ERROR,
        WARN,
        INFO,
        DEBUG,
        TRACE
    }
}
