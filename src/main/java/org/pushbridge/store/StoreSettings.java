package org.pushbridge.store;

import java.time.Duration;

/**
 * Where the database is and how it is used.
 *
 * @param url {@code jdbc:h2:file:PATH} for an embedded file ({@code .mv.db} is added to the path; {@code ~/} is the
 *     home directory), or {@code jdbc:postgresql://HOST:PORT/DATABASE} with any parameter of the PostgreSQL driver
 * @param user the database user; a new file is created with this user and password
 * @param password the database user's password, or empty
 * @param poolSize how many connections are kept, at least 2: one writes, the others read
 * @param queueLimit how many writes may wait; one more is refused at once
 * @param batchSize how many writes at most are committed together
 * @param patience for how long a write is tried again while the database is away, counted from when it was asked for
 * @param durability what a write that was acknowledged survives
 */
public record StoreSettings(
        String url,
        String user,
        String password,
        int poolSize,
        int queueLimit,
        int batchSize,
        Duration patience,
        Durability durability) {
    /** What an acknowledged write survives. What it takes is said in {@link H2File} and {@link PostgreSql}. */
    public enum Durability {
        /** The death of the bridge, by kill -9 too. */
        PROCESS,
        /** The death of the machine, too, as far as its drive keeps what it confirmed. */
        DISK
    }

    public StoreSettings {
        if (poolSize < 2) {
            throw new IllegalArgumentException("The store needs at least 2 connections, not " + poolSize);
        }
        if (queueLimit < 1) {
            throw new IllegalArgumentException("The store's queue needs room for at least 1 write, not " + queueLimit);
        }
        if (batchSize < 1) {
            throw new IllegalArgumentException("The store commits at least 1 write at a time, not " + batchSize);
        }
        if (patience.isNegative() || patience.compareTo(Duration.ofMinutes(1)) > 0) {
            throw new IllegalArgumentException(
                    "The store's patience with a database that is away is 0 s to 60 s, not " + patience);
        }
    }

    /**
     * The usual sizes: 4 connections, 10,000 writes waiting, 500 in a batch, safe from the death of the process. 5 s of patience are short enough for a
     * REGISTER to be answered with an error before its transaction times out (RFC 3261 timer F, 32 s).
     */
    public static StoreSettings of(String url, String user, String password) {
        return new StoreSettings(url, user, password, 4, 10_000, 500, Duration.ofSeconds(5), Durability.PROCESS);
    }

    public StoreSettings with(Durability other) {
        return new StoreSettings(url, user, password, poolSize, queueLimit, batchSize, patience, other);
    }

    StoreSettings with(Duration otherPatience) {
        return new StoreSettings(url, user, password, poolSize, queueLimit, batchSize, otherPatience, durability);
    }

    /** The URL without its parameters, which may hold a password. */
    String place() {
        int end = url.length();
        for (char separator : new char[] {'?', ';'}) {
            int at = url.indexOf(separator);
            end = at >= 0 ? Math.min(end, at) : end;
        }
        return url.substring(0, end);
    }

    /** Says everything but the secrets. */
    @Override
    public String toString() {
        return "StoreSettings[" + place() + " user=" + user + " poolSize=" + poolSize + " queueLimit=" + queueLimit
                + " batchSize=" + batchSize + " patience=" + patience + " durability=" + durability + "]";
    }
}
