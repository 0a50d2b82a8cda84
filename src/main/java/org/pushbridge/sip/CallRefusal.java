package org.pushbridge.sip;

/** Why the bridge itself takes no new call now. */
public enum CallRefusal {
    /** It is about to stop: 503. */
    DRAINING,
    /** What is under way already has to wait for too long: 503. */
    BEHIND,
    /** There are as many calls as may be, or the mailbox of the call's thread is full: 503. */
    CALLS,
    /** The database is away, so that nothing could be remembered of the call: 503. */
    DATABASE_AWAY,
    /** The database did not take the call: too many writes waited, or it went away meanwhile: 503. */
    NOT_STORED,
    /** As many calls ring or wait as may: 503. */
    UNANSWERED,
    /** As many calls ring or wait for this user as may: 486. */
    UNANSWERED_OF_USER
}
