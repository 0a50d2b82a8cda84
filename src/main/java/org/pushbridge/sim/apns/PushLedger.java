package org.pushbridge.sim.apns;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * What has been received, answered and delivered, and the rules that span several requests: a push is not sent again
 * once it was answered for good, and a call is announced once.
 *
 * <p>Thread-safe. Listeners are called without the lock held.
 */
final class PushLedger {
    private static final Logger LOG = LogManager.getLogger();
    private static final String EXPIRED = "ExpiredProviderToken";

    /** Requests that were on their way when the answer to another was written are nobody's fault. */
    private static final Duration CROSSING = Duration.ofSeconds(1);

    private final Clock clock;
    private final int history;
    private final Deque<ReceivedPush> received = new ArrayDeque<>();
    private final Deque<String> violations = new ArrayDeque<>();
    private final Map<String, Attempt> attempts;
    private final Map<String, String> announcedCalls;
    private final Map<String, Dead> deadTargets;
    private final List<Consumer<ApnsEvent>> listeners = new CopyOnWriteArrayList<>();
    private long connections;
    private long requests;
    private long accepted;
    private long rejected;
    private long withheld;
    private long delivered;
    private long kept;
    private long discarded;
    private long violationCount;

    private record Attempt(String token, String topic, Answer answer, int expiredAnswers, boolean told) {
        Attempt withAnswerTold() {
            return new Attempt(token, topic, answer, expiredAnswers, true);
        }

        /** Whether the answer forbids to send the push again. */
        boolean isFinal() {
            if (!(answer instanceof Answer.Rejected rejection)) {
                return answer instanceof Answer.Accepted;
            }
            return switch (rejection.status()) {
                case 403 -> !rejection.reason().equals(EXPIRED) || expiredAnswers > 1;
                case 429 -> false;
                default -> rejection.status() < 500;
            };
        }
    }

    private record Dead(Instant since, String reason) {}

    PushLedger(Clock clock, int history) {
        this.clock = clock;
        this.history = history;
        this.attempts = bounded(history);
        this.announcedCalls = bounded(history);
        this.deadTargets = bounded(history);
    }

    private static <V> Map<String, V> bounded(int limit) {
        return new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
                return size() > limit;
            }
        };
    }

    /** What is wrong with sending this request, given what was sent and answered before. */
    synchronized List<String> crossCheck(
            Environment environment,
            String apnsId,
            String topic,
            String token,
            Optional<PushType> type,
            Optional<String> callId) {
        List<String> found = new ArrayList<>();
        boolean voip = type.filter(PushType.VOIP::equals).isPresent();
        Attempt earlier = attempts.get(apnsId);
        if (earlier != null) {
            if (!earlier.token().equals(token) || !earlier.topic().equals(topic)) {
                found.add("apns-id " + apnsId + " was used again for another token or topic");
            } else if (earlier.told() && earlier.isFinal()) {
                found.add((voip && earlier.answer() instanceof Answer.Accepted ? "second VoIP push for one call: " : "")
                        + "push " + apnsId + " was sent again although it had been answered "
                        + described(earlier.answer()));
            }
        }
        if (voip && callId.isPresent()) {
            String announced = announcedCalls.putIfAbsent(token + " " + callId.get(), apnsId);
            if (announced != null && !announced.equals(apnsId)) {
                found.add("second VoIP push for one call: call " + callId.get() + " was announced to "
                        + abbreviated(token) + " with " + announced + " and again with " + apnsId);
            }
        }
        Dead dead = deadTargets.get(targetKey(environment, topic, token));
        if (dead != null && dead.since().plus(CROSSING).isBefore(clock.instant())) {
            found.add("push " + apnsId + " went to " + abbreviated(token) + ", which had been answered " + dead.reason()
                    + " at " + dead.since());
        }
        return found;
    }

    private static String described(Answer answer) {
        return answer instanceof Answer.Rejected rejection ? rejection.status() + " " + rejection.reason() : "200";
    }

    /** Files a request; {@code genuine} tells that its answer was not an injected one. */
    void file(ReceivedPush push, boolean genuine) {
        synchronized (this) {
            requests++;
            if (push.answer() instanceof Answer.Accepted) {
                accepted++;
            } else if (push.answer() instanceof Answer.Rejected rejection) {
                rejected++;
                if (genuine && (rejection.status() == 410 || concernsToken(rejection.reason()))) {
                    deadTargets.putIfAbsent(
                            targetKey(push.environment(), push.topic(), push.token()),
                            new Dead(push.at(), rejection.status() + " " + rejection.reason()));
                }
            } else {
                withheld++;
            }
            Attempt earlier = attempts.get(push.apnsId());
            int expired = (earlier == null ? 0 : earlier.expiredAnswers())
                    + (push.answer() instanceof Answer.Rejected rejection
                                    && rejection.reason().equals(EXPIRED)
                            ? 1
                            : 0);
            attempts.put(push.apnsId(), new Attempt(push.token(), push.topic(), push.answer(), expired, false));
            received.addLast(push);
            if (received.size() > history) {
                received.removeFirst();
            }
        }
        tell(new ApnsEvent.Decided(push.at(), push));
        push.violations().forEach(this::violated);
    }

    private static boolean concernsToken(String reason) {
        return reason.equals("BadDeviceToken") || reason.equals("DeviceTokenNotForTopic");
    }

    private static String targetKey(Environment environment, String topic, String token) {
        return environment + " " + topic + " " + token;
    }

    /** The answer to a request is on its way to a client that is still there. */
    synchronized void told(String apnsId) {
        attempts.computeIfPresent(apnsId, (id, attempt) -> attempt.withAnswerTold());
    }

    /** A token is valid again: what was answered about it before no longer counts. */
    synchronized void forgetDeath(String token) {
        deadTargets.keySet().removeIf(key -> key.endsWith(" " + token));
    }

    void violated(String sentence) {
        synchronized (this) {
            violationCount++;
            violations.addLast(sentence);
            if (violations.size() > history) {
                violations.removeFirst();
            }
        }
        LOG.warn("A client broke a rule of Apple's: {}", sentence);
        tell(new ApnsEvent.Violated(clock.instant(), sentence));
    }

    synchronized void connected() {
        connections++;
    }

    void delivered(DeliveredPush push) {
        synchronized (this) {
            delivered++;
        }
        tell(new ApnsEvent.Delivered(clock.instant(), push));
    }

    void kept(DeliveredPush push) {
        synchronized (this) {
            kept++;
        }
        tell(new ApnsEvent.Kept(clock.instant(), push));
    }

    void discarded(DeliveredPush push, String why) {
        synchronized (this) {
            discarded++;
        }
        tell(new ApnsEvent.Discarded(clock.instant(), push, why));
    }

    void listen(Consumer<ApnsEvent> listener) {
        listeners.add(listener);
    }

    private void tell(ApnsEvent event) {
        for (Consumer<ApnsEvent> listener : listeners) {
            try {
                listener.accept(event);
            } catch (RuntimeException e) {
                LOG.error("A listener of the simulated APNs failed on {}", event, e);
            }
        }
    }

    synchronized List<ReceivedPush> received() {
        return List.copyOf(received);
    }

    synchronized List<String> violations() {
        return List.copyOf(violations);
    }

    synchronized ApnsCounts counts() {
        return new ApnsCounts(
                connections, requests, accepted, rejected, withheld, delivered, kept, discarded, violationCount);
    }

    /** Enough of a token to tell it from others in a log, and no more. */
    static String abbreviated(String token) {
        return token.length() > 8 ? token.substring(0, 8) + "…" : "token '" + token + "'";
    }
}
