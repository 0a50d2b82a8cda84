/** Draws who sent what to whom, and when. */
@NullMarked
package org.pushbridge.sim.ladder;

import org.jspecify.annotations.NullMarked;
