/** A simulated PBX at a trunk's address: it places and takes calls without registering, strictly by the rules. */
@NullMarked
package org.pushbridge.sim.pbx;

import org.jspecify.annotations.NullMarked;
