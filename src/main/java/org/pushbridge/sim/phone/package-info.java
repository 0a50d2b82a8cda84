/** Simulated iPhones: SIP user agents that sleep, are woken by VoIP pushes and obey CallKit's rules, strictly. */
@NullMarked
package org.pushbridge.sim.phone;

import org.jspecify.annotations.NullMarked;
