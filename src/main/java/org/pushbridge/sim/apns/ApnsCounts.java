package org.pushbridge.sim.apns;

/**
 * Totals since the server was started; they go on counting when the history has forgotten.
 *
 * @param connections that were opened
 * @param requests that were complete
 * @param accepted answered with 200
 * @param rejected answered with an error
 * @param withheld not answered
 * @param delivered that reached a phone
 * @param kept for a phone that was away
 * @param discarded accepted, but will never reach a phone
 * @param violations of Apple's rules
 */
public record ApnsCounts(
        long connections,
        long requests,
        long accepted,
        long rejected,
        long withheld,
        long delivered,
        long kept,
        long discarded,
        long violations) {}
