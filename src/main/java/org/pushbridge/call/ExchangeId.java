package org.pushbridge.call;

/**
 * Names one request inside a dialog, from its arrival to its last answer.
 *
 * @param from the side that sent it
 * @param dialog the dialog it was sent in
 * @param cseq its CSeq number, unique within the dialog and direction (RFC 3261 section 12.2.1.1)
 */
public record ExchangeId(Side from, LegDialog dialog, long cseq) {}
