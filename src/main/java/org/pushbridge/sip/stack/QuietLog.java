package org.pushbridge.sip.stack;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.Logger;

/**
 * Logs what strangers can cause at will: at most one line a second, which tells how many were left out since the line
 * before.
 */
public final class QuietLog {
    private static final long INTERVAL = TimeUnit.SECONDS.toNanos(1);

    private final Logger log;
    private final Level level;
    private final AtomicLong next = new AtomicLong(System.nanoTime());
    private final AtomicLong leftOut = new AtomicLong();

    public QuietLog(Logger log, Level level) {
        this.log = log;
        this.level = level;
    }

    public void log(Supplier<String> message) {
        long now = System.nanoTime();
        long due = next.get();
        if (now - due < 0 || !next.compareAndSet(due, now + INTERVAL)) {
            leftOut.incrementAndGet();
            return;
        }
        long silent = leftOut.getAndSet(0);
        log.log(level, () -> message.get() + (silent == 0 ? "" : "; left_out=" + silent));
    }

    /** What a stranger sent, made fit for a log line. */
    static String excerpt(String text) {
        StringBuilder clean = new StringBuilder();
        for (int i = 0; i < text.length() && i < 80; i++) {
            char c = text.charAt(i);
            clean.append(c < ' ' || c >= 0x7f ? '.' : c);
        }
        return clean.toString();
    }
}
