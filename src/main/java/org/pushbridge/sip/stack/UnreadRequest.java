package org.pushbridge.sip.stack;

import java.net.InetAddress;

/**
 * What a REGISTER shows before it is parsed: its headers as they stand, nothing of which has been checked.
 *
 * @param source where it came from
 * @param to the value of To
 * @param authorization that of the first Authorization; empty if there is none
 */
public record UnreadRequest(InetAddress source, String to, String authorization) {}
