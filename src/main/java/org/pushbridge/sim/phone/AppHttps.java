package org.pushbridge.sim.phone;

import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.VerdictClient.Answer;
import org.pushbridge.sim.phone.VerdictClient.Meaning;
import org.pushbridge.sim.ua.UserAgent;
import org.pushbridge.sim.ua.Violations;

/**
 * What an app asks and tells over HTTPS about the call it was woken for. Only on the agent's thread. Whoever opened it
 * closes it.
 */
final class AppHttps implements AutoCloseable {
    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final int DECLINE_ATTEMPTS = 5;

    private final AppSettings app;
    private final UserAgent agent;
    private final SimulatedIphone.Observer observer;
    private final BooleanSupplier offTheNetwork;
    private final BiConsumer<CallScreen, RingingEnd> ending;
    private final VerdictClient client;
    private final Set<CallScreen> asked = new HashSet<>();

    /** @param ending ends the ringing of a screen */
    AppHttps(
            AppSettings app,
            UserAgent agent,
            Violations violations,
            SimulatedIphone.Observer observer,
            BooleanSupplier offTheNetwork,
            BiConsumer<CallScreen, RingingEnd> ending) {
        this.app = app;
        this.agent = agent;
        this.observer = observer;
        this.offTheNetwork = offTheNetwork;
        this.ending = ending;
        this.client = new VerdictClient(app.tls(), violations);
    }

    /** Asks what became of the call, once, as soon as there is a network. */
    void ask(CallScreen screen) {
        if (!app.verdicts().contains(VerdictWay.HTTPS) || !screen.isRinging() || offTheNetwork.getAsBoolean()) {
            return;
        }
        screen.verdict().filter(access -> asked.add(screen)).ifPresent(access -> {
            screen.sentPacket(false);
            observer.https(true, "GET verdict");
            var unused = client.verdict(access)
                    .thenAccept(answer -> agent.run(() -> {
                        if (answer.meaning() == Meaning.SILENCE) {
                            asked.remove(screen);
                            agent.after(RETRY, () -> ask(screen));
                        } else {
                            heed(screen, answer);
                        }
                    }));
        });
    }

    /** Says that the call screen rings. */
    void tellAlerting(CallScreen screen) {
        if (app.tellsAlerting()) {
            screen.verdict().ifPresent(access -> {
                screen.sentPacket(false);
                observer.https(true, "POST alerting");
                var unused =
                        client.tell(access, "alerting").thenAccept(answer -> agent.run(() -> heed(screen, answer)));
            });
        }
    }

    /** Says that the user declined, if there is no INVITE that could be refused. */
    void tellDecline(CallScreen screen) {
        tellDecline(screen, DECLINE_ATTEMPTS);
    }

    private void tellDecline(CallScreen screen, int attempts) {
        boolean possible =
                app.verdicts().contains(VerdictWay.HTTPS) && screen.call().isEmpty() && attempts > 0;
        if (!possible) {
            return;
        }
        screen.verdict().ifPresent(access -> {
            observer.https(true, "POST decline");
            var unused = client.tell(access, "decline")
                    .thenAccept(answer -> agent.run(() -> {
                        observer.https(false, words(answer));
                        if (answer.meaning() == Meaning.SILENCE) {
                            agent.after(RETRY, () -> tellDecline(screen, attempts - 1));
                        } else {
                            screen.agreeOverHttps();
                        }
                    }));
        });
    }

    private static String words(Answer answer) {
        return answer.meaning() == Meaning.ENDED
                ? answer.reason()
                : answer.meaning().name().toLowerCase(Locale.ROOT);
    }

    private void heed(CallScreen screen, Answer answer) {
        observer.https(false, words(answer));
        if (answer.meaning() == Meaning.GONE) {
            screen.agreeOverHttps();
            ending.accept(screen, RingingEnd.NOT_ALIVE);
        } else if (answer.meaning() == Meaning.ENDED) {
            screen.agreeOverHttps();
            ending.accept(
                    screen,
                    switch (answer.reason()) {
                        case "answered-elsewhere" -> RingingEnd.ANSWERED_ELSEWHERE;
                        case "declined-elsewhere" -> RingingEnd.DECLINED_ELSEWHERE;
                        default -> RingingEnd.CANCELLED;
                    });
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
