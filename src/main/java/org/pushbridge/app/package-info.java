/** {@code Main}, the commands, and the one hand-written wiring class. */
@NullMarked
package org.pushbridge.app;

import org.jspecify.annotations.NullMarked;
