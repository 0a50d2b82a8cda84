/**
 * Who owns which device, push target and binding.
 *
 * <p>The values here are immutable and safe to share between threads. {@link org.pushbridge.device.DeviceDirectory}
 * is the one mutable thing: it answers look-ups from memory and acknowledges changes only when the
 * {@link org.pushbridge.device.DeviceStore} has them on disk.
 */
@NullMarked
package org.pushbridge.device;

import org.jspecify.annotations.NullMarked;
