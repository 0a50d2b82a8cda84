package org.pushbridge.sip.stack;

/**
 * What is wrong with a message, and what a request with this fault is answered.
 *
 * @param status of the answer; the reason is its reason phrase and must be plain text
 */
record Fault(int status, String reason) {
    static Fault bad(String reason) {
        return new Fault(400, reason);
    }
}
