package org.pushbridge.app;

import com.eatthepath.pushy.apns.ApnsClient;
import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.DeliveryPriority;
import com.eatthepath.pushy.apns.PushType;
import com.eatthepath.pushy.apns.auth.ApnsSigningKey;
import com.eatthepath.pushy.apns.util.SimpleApnsPushNotification;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import java.io.IOException;
import java.io.PrintWriter;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.pushbridge.config.Config;
import org.pushbridge.device.Aor;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import org.pushbridge.push.ApnsCredential;
import org.pushbridge.push.CallFacts;
import org.pushbridge.push.Push;
import org.pushbridge.push.PushKind;
import org.pushbridge.push.PushOutcome;
import org.pushbridge.push.PushSender;
import org.pushbridge.push.PushSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pushbridge bench push}: pushes a second by the bridge's sender, beside Pushy alone. For scenarios/bench. */
@Command(
        name = "push",
        header = "Measures how many pushes a second the bridge sends, beside Pushy alone.",
        description = {
            "",
            "The configuration has one app with a signing key and an APNs of its own ('simulate apns'), which takes the"
                    + " tokens that are the numbers from 1 to 10,000. Each line of the output is: who, turn, pushes a"
                    + " second, microseconds of CPU each, failed.",
            ""
        },
        hidden = true,
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class PushBenchCommand implements Callable<Integer> {
    private static final int TOKENS = 10_000;
    private static final int NETWORK_THREADS = 2;
    private static final Duration A_CALL = Duration.ofSeconds(45);

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Mixin
    ConfigOption config = new ConfigOption();

    @Option(names = "--seconds", defaultValue = "3", description = "How long each turn takes.")
    int seconds = 3;

    @Option(names = "--turns", defaultValue = "8", description = "How many turns each has.")
    int turns = 8;

    @Option(names = "--in-flight", defaultValue = "400", description = "Pushes under way at a time.")
    int inFlight = 400;

    @Override
    public Integer call() throws Exception {
        Configurator.setLevel("org.pushbridge", Level.WARN);
        Config settings = config.load();
        PushSettings push = Settings.push(settings);
        PushSettings.App app = push.apps().values().stream()
                .findFirst()
                .orElseThrow(() -> new CommandFailed("The configuration has no app to push to"));
        if (!(app.credential() instanceof ApnsCredential.SigningKey key)) {
            throw new CommandFailed("The app needs a signing key");
        }
        EventLoopGroup network = new NioEventLoopGroup(NETWORK_THREADS);
        ApnsClient alone = pushy(push, key, network);
        try (PushSender sender = new PushSender(push, Clock.systemUTC())) {
            for (int turn = 1; turn <= turns; turn++) {
                // Who comes second finds a warmer JVM and APNs.
                if (turn % 2 == 0) {
                    tell("Pushy", turn, number -> withPushy(alone, app, number));
                }
                tell("Pushbridge", turn, number -> withSender(sender, app, key, number));
                if (turn % 2 == 1) {
                    tell("Pushy", turn, number -> withPushy(alone, app, number));
                }
            }
        } finally {
            alone.close().get();
            network.shutdownGracefully().sync();
        }
        return Main.OK;
    }

    private ApnsClient pushy(PushSettings push, ApnsCredential.SigningKey key, EventLoopGroup network)
            throws IOException, GeneralSecurityException {
        PushSettings.Endpoint endpoint = Optional.ofNullable(push.endpoints().get(ApnsEnvironment.PRODUCTION))
                .orElseThrow(() -> new CommandFailed("The configuration names no APNs"));
        return new ApnsClientBuilder()
                .setApnsServer(endpoint.host(), endpoint.port())
                .setConcurrentConnections(push.limits().connections())
                .setEventLoopGroup(network)
                .setTrustedServerCertificateChain(endpoint.trusted().toArray(new X509Certificate[0]))
                .setSigningKey(ApnsSigningKey.loadFromPkcs8File(key.keyFile().toFile(), key.teamId(), key.keyId()))
                .build();
    }

    private static CompletionStage<Boolean> withPushy(ApnsClient client, PushSettings.App app, int number) {
        // As long as the bridge's payload is, and made for each push as that one is.
        CallFacts facts = facts(number);
        String payload = String.format(
                Locale.ROOT,
                "{\"aps\":{},\"uuid\":\"%s\",\"call-id\":\"%s\",\"sip-call-id\":\"%s\",\"from-uri\":\"%s\","
                        + "\"display-name\":\"%s\",\"sent-at\":%d,\"expires-at\":%d,\"seq\":%d}",
                facts.callKitUuid(),
                facts.callId(),
                facts.sipCallId(),
                facts.fromUri(),
                facts.displayName(),
                facts.sentAt().toEpochMilli(),
                facts.expiresAt().toEpochMilli(),
                facts.seq());
        return client.sendNotification(new SimpleApnsPushNotification(
                        token(number),
                        app.bundleId() + ".voip",
                        payload,
                        facts.expiresAt(),
                        DeliveryPriority.IMMEDIATE,
                        PushType.VOIP,
                        null,
                        UUID.randomUUID()))
                .thenApply(response -> response.isAccepted());
    }

    private static CompletionStage<Boolean> withSender(
            PushSender sender, PushSettings.App app, ApnsCredential.SigningKey key, int number) {
        CallFacts facts = facts(number);
        PushTarget target = new PushTarget(
                ApnsEnvironment.PRODUCTION,
                key.teamId(),
                app.bundleId(),
                Optional.of(new PushToken(token(number))),
                Optional.empty(),
                facts.sentAt(),
                "apns",
                "",
                token(number));
        DeviceId device = DeviceId.of(new Aor("user" + number, "example.com"), "bench");
        return sender.send(new Push(PushKind.VOIP, device, target, facts, () -> true, facts.expiresAt()))
                .thenApply(outcome -> outcome instanceof PushOutcome.Accepted);
    }

    private static String token(int number) {
        return String.format(Locale.ROOT, "%064x", 1 + number % TOKENS);
    }

    private static CallFacts facts(int number) {
        Instant now = Instant.now();
        return new CallFacts(
                UUID.randomUUID(),
                UUID.randomUUID(),
                "bench-" + number + "@bridge.example.com",
                "sip:bob@example.com",
                "Bob",
                "sip:user" + number + "@example.com",
                now,
                now.plus(A_CALL),
                1,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private void tell(String who, int turn, Function<Integer, CompletionStage<Boolean>> send)
            throws InterruptedException {
        Load load = new Load(send);
        long cpu = cpuNanos();
        long began = System.nanoTime();
        load.run();
        double took = (System.nanoTime() - began) / 1e9;
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                Locale.ROOT,
                "%s %d %.0f %.1f %d%n",
                who,
                turn,
                load.done.sum() / took,
                (cpuNanos() - cpu) / 1e3 / Math.max(1, load.done.sum()),
                load.failed.sum());
        out.flush();
    }

    private static long cpuNanos() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .orElse(Duration.ZERO)
                .toNanos();
    }

    /** So many pushes at a time, each followed by the next one. */
    private final class Load {
        final LongAdder done = new LongAdder();
        final LongAdder failed = new LongAdder();

        private final Function<Integer, CompletionStage<Boolean>> send;
        private final long endsAt =
                System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        private final CountDownLatch running = new CountDownLatch(inFlight);

        Load(Function<Integer, CompletionStage<Boolean>> send) {
            this.send = send;
        }

        void run() throws InterruptedException {
            for (int hand = 0; hand < inFlight; hand++) {
                next(hand);
            }
            running.await();
        }

        private void next(int number) {
            if (System.nanoTime() >= endsAt) {
                running.countDown();
                return;
            }
            var unused = send.apply(number).whenComplete((accepted, fault) -> {
                (fault == null && accepted ? done : failed).increment();
                next(number + inFlight);
            });
        }
    }
}
