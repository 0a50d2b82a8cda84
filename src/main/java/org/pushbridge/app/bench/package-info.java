/** Measures the packaged server as a process of its own, loaded by SIPp: overload and soak. */
@NullMarked
package org.pushbridge.app.bench;

import org.jspecify.annotations.NullMarked;
