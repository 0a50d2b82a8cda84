package org.pushbridge.sip.registrar;

import java.net.InetAddress;
import java.time.Duration;
import java.util.function.Predicate;

/**
 * How many wrong passwords are put up with.
 *
 * @param forUserFromAddress how many for one user from one address; or from one device the user is known by, wherever
 *     it is
 * @param fromAddress how many from one address, whatever the user
 * @param forUser how many for one user, wherever they come from
 * @param within the time they are counted over
 * @param ban how long, then, no password is looked at
 * @param trusted addresses that no ban holds for as a whole: a proxy of one's own, which many users come through
 */
public record GuessLimits(
        int forUserFromAddress,
        int fromAddress,
        int forUser,
        Duration within,
        Duration ban,
        Predicate<InetAddress> trusted) {
    /** 10, 50 and 50 within five minutes; ten minutes without; no address trusted. */
    public static final GuessLimits DEFAULT =
            new GuessLimits(10, 50, 50, Duration.ofMinutes(5), Duration.ofMinutes(10), address -> false);

    public GuessLimits {
        if (forUserFromAddress < 1 || fromAddress < 1 || forUser < 1) {
            throw new IllegalArgumentException("Put up with at least one wrong password");
        }
        if (within.toSeconds() < 1 || ban.toSeconds() < 1) {
            throw new IllegalArgumentException("Wrong passwords are counted, and banned, for a second at least");
        }
    }

    public GuessLimits withTrusted(Predicate<InetAddress> value) {
        return new GuessLimits(forUserFromAddress, fromAddress, forUser, within, ban, value);
    }
}
