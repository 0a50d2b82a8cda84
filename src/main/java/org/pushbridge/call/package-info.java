/**
 * The rules of a call: a pure state machine without I/O, clock or threads.
 *
 * <p>{@link org.pushbridge.call.Call} is a value. {@link org.pushbridge.call.Call#on} takes one
 * {@link org.pushbridge.call.CallEvent} and gives the next value with the
 * {@link org.pushbridge.call.CallAction actions} to take. Time is known only through timer events.
 */
@NullMarked
package org.pushbridge.call;

import org.jspecify.annotations.NullMarked;
