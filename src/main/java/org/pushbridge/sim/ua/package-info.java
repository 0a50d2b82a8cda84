/**
 * A small SIP user agent for the stand-ins: real sockets, own transactions and dialogs, and strict about what it is
 * sent. It shares no code with the product or with its SIP library, so that a fault of either cannot hide by
 * being made on both ends.
 */
@NullMarked
package org.pushbridge.sim.ua;

import org.jspecify.annotations.NullMarked;
