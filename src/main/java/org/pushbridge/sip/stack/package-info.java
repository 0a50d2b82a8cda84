/**
 * The SIP wire: transports, framing, checks, transactions and flows on JAIN-SIP, for the B2BUA and the registrar above.
 *
 * <p>{@link org.pushbridge.sip.stack.SipStack} is the way in. JAIN-SIP gives the messages, the parser and the
 * transaction state machines; sockets, look-ups, timers and every protection are ours, because the stock ones fail
 * under load or attack. JAIN-SIP's dialogs, providers and event scanner are not used.
 */
@NullMarked
package org.pushbridge.sip.stack;

import org.jspecify.annotations.NullMarked;
