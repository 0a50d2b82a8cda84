package org.pushbridge.call;

/**
 * One dialog, early or confirmed, on a leg. A leg towards a trunk may have several, when the INVITE forks behind it
 * (RFC 3261 section 13.1). The caller sees each as a dialog of its own.
 *
 * @param tag the far end's To tag
 */
public record LegDialog(LegId leg, String tag) {}
