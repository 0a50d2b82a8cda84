/**
 * A strict stand-in for Apple's push service: real HTTP/2 over TLS on loopback, Apple's answers, what Apple keeps for
 * a phone that is away, faults on demand, and a list of everything a well-behaved server would not have done.
 */
@NullMarked
package org.pushbridge.sim.apns;

import org.jspecify.annotations.NullMarked;
