package org.pushbridge.call;

/**
 * What a message carries across the bridge: body and headers. Opaque to the rules; the SIP edge makes it and reads it.
 * Implementations are immutable.
 */
public interface Content {}
