/**
 * The SIP edge: a handler for each method, dialogs as values, dialog events, and the bridging of messages between a caller leg and
 * the legs away from it. Transports and transactions are in {@code stack}, REGISTER and digest in {@code registrar}.
 */
@NullMarked
package org.pushbridge.sip;

import org.jspecify.annotations.NullMarked;
