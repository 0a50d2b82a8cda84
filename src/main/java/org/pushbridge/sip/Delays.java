package org.pushbridge.sip;

import java.util.function.LongConsumer;

/** How long the bridge takes for what people wait for: each is told to whoever keeps count, in nanoseconds. Any thread. */
public final class Delays {
    private volatile LongConsumer untilPush = nanos -> {};
    private volatile LongConsumer untilInvite = nanos -> {};

    /** @param counted told of the time from an INVITE's arrival until a push for it is about to be written */
    public void onPush(LongConsumer counted) {
        untilPush = counted;
    }

    /** @param counted told of the time from the arrival of a woken device's REGISTER until it was sent its INVITE */
    public void onInvite(LongConsumer counted) {
        untilInvite = counted;
    }

    void pushed(long sinceNanos) {
        if (sinceNanos != 0) {
            untilPush.accept(System.nanoTime() - sinceNanos);
        }
    }

    void invited(long sinceNanos) {
        if (sinceNanos != 0) {
            untilInvite.accept(System.nanoTime() - sinceNanos);
        }
    }
}
