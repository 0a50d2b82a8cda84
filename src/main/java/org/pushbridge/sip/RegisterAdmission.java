package org.pushbridge.sip;

import gov.nist.javax.sip.address.SipUri;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.pushbridge.device.Aor;
import org.pushbridge.sip.registrar.Addresses;
import org.pushbridge.sip.stack.QuietLog;
import org.pushbridge.sip.stack.UnreadRequest;

/**
 * Whether the bridge has time for a REGISTER now. Asked for each before it is parsed, so that very many phones that come at
 * once, after an outage of their network, take no time from calls: most of them are sent away for some seconds, each for
 * another time.
 *
 * <p>Those that matter more are sent away later. An answer to a challenge is the second half of something begun. And for the
 * phone of a user who has a call, or has one to hear the end of, somebody waits: it is the one that a push has woken. When
 * there are too many even of these, each is told when there will be room for it. With a bound of 100 ms, they are refused
 * before T1, after which they would repeat themselves. Any thread.
 */
final class RegisterAdmission {
    private static final QuietLog LOG = new QuietLog(LogManager.getLogger(RegisterAdmission.class), Level.WARN);
    /** Seconds. Within these, a bridge does all that it was asked for at once. */
    private static final int FIRST_BACK = 5;

    private static final int LAST_BACK = 30;

    private final Supplier<Duration> delay;
    private final Predicate<UnreadRequest> isAnswer;
    private final Predicate<Aor> isAwaited;
    private final Lateness forOthers;
    private final Lateness forAnswers;
    private final Lateness forAwaited;
    private final Lateness forAwaitedAnswers;
    private final Appointments appointments;
    private final LongAdder refused = new LongAdder();

    /**
     * @param bound how long what waits may have waited
     * @param delay how long a REGISTER that comes now will wait
     * @param isAnswer whether it answers a challenge that the bridge gave
     * @param isAwaited whether somebody waits for a device of the user
     * @param nanoTime as {@link System#nanoTime}
     */
    RegisterAdmission(
            Duration bound,
            Supplier<Duration> delay,
            Predicate<UnreadRequest> isAnswer,
            Predicate<Aor> isAwaited,
            LongSupplier nanoTime) {
        this.delay = delay;
        this.isAnswer = isAnswer;
        this.isAwaited = isAwaited;
        this.forOthers = new Lateness(bound, nanoTime);
        this.forAnswers = new Lateness(bound.multipliedBy(3).dividedBy(2), nanoTime);
        this.forAwaited = new Lateness(bound.multipliedBy(2), nanoTime);
        this.forAwaitedAnswers = new Lateness(bound.multipliedBy(4), nanoTime);
        this.appointments = new Appointments(LAST_BACK, nanoTime, RandomGenerator.getDefault());
    }

    /** After how many seconds it is to come again; 0 if it may come now. */
    int comeBackAfter(UnreadRequest register) {
        Duration now = delay.get();
        boolean lateForAwaitedAnswers = forAwaitedAnswers.isLate(now);
        boolean lateForAwaited = forAwaited.isLate(now);
        boolean lateForAnswers = forAnswers.isLate(now);
        if (!forOthers.isLate(now)) {
            return taken(register);
        }
        boolean awaited = aor(register.to()).filter(isAwaited).isPresent();
        boolean lateEvenForAnswers = awaited ? lateForAwaitedAnswers : lateForAnswers;
        if ((awaited && !lateForAwaited) || (!lateEvenForAnswers && isAnswer.test(register))) {
            return taken(register);
        }
        refused.increment();
        LOG.log(() -> "The bridge is behind, a REGISTER is refused with 503; waited=" + now.toMillis() + "ms");
        return awaited ? appointments.seconds() : ThreadLocalRandom.current().nextInt(FIRST_BACK, LAST_BACK + 1);
    }

    /** Each phone counts once: what has no answer to a challenge is a beginning. */
    private int taken(UnreadRequest register) {
        if (!register.authorization().isEmpty()) {
            appointments.served();
        }
        return 0;
    }

    private static Optional<Aor> aor(String to) {
        int from = to.indexOf('<');
        int end = to.indexOf(from < 0 ? ';' : '>', from + 1);
        Optional<SipUri> uri = Addresses.sipUri(to.substring(from + 1, end < 0 ? to.length() : end));
        return uri.flatMap(Addresses::aor);
    }

    /** How long one that comes now will wait, by what is in front of it. */
    Duration delay() {
        return delay.get();
    }

    /** How many were refused. */
    long refused() {
        return refused.sum();
    }
}
